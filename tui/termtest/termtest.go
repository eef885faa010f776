// Package termtest shows what a terminal would show, for tests of programs
// that draw on one.
//
// It knows the few sequences that an inline view needs, or with PlayFull one that
// has the screen to itself, and keeps a list of all others: a program that asks
// the terminal a question is noticed, which an emulator of everything would hide,
// and so is one that switches screens without need.
package termtest

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Screen is a terminal after some output. Its size does not change.
type Screen struct {
	// CursorHidden reports a cursor that was hidden and not shown again.
	CursorHidden bool
	// Rung is how often the bell was.
	Rung int
	// Unknown are the sequences that did nothing, in order.
	Unknown []string
	// Modes are those of the terminal that were set, and not reset, by their
	// numbers; Copied is what was put on the clipboard last. Only PlayFull knows
	// of them.
	Modes  map[int]bool
	Copied string

	width, height int
	rows          [][]Cell // those that scrolled away included
	top           int      // the first row on the screen
	row, column   int      // of the cursor; the row counts from the first one
	look          Look     // of what is printed next

	full bool
	main *Screen // while the alternate screen is shown
}

// AlternateScreen is the mode of a terminal that a view of the whole screen sets.
const AlternateScreen = 1049

// Play returns a terminal of that size on which the output was written. Like
// the system's terminals it begins a line at its first column, and a line that
// is too long goes on in the next row. Output that ends within a sequence is
// shown without it.
func Play(width, height int, output string) *Screen {
	return play(&Screen{width: width, height: height, rows: make([][]Cell, 1)}, output)
}

// PlayFull returns a terminal that also knows what a view of the whole screen
// needs: the alternate screen, modes, the clipboard, and how to go anywhere.
func PlayFull(width, height int, output string) *Screen {
	return play(&Screen{width: width, height: height, rows: make([][]Cell, 1), full: true, Modes: map[int]bool{}}, output)
}

func play(s *Screen, output string) *Screen {
	parser := ansi.NewParser()
	for state := byte(0); output != ""; {
		seq, cells, n, next := ansi.DecodeSequence(output, state, parser)
		output, state = output[n:], next
		switch {
		case cells > 0:
			s.print(seq, cells)
		case state == ansi.NormalState:
			s.obey(seq, parser)
		}
	}
	return s
}

// Lines returns every row from the first that was written to the last that is
// not empty, those that scrolled away included, without trailing spaces. Of the
// alternate screen it returns what is seen.
func (s *Screen) Lines() []string {
	var lines []string
	for _, row := range s.seen() {
		var line strings.Builder
		for _, c := range row {
			line.WriteString(c.Text)
		}
		lines = append(lines, strings.TrimRight(line.String(), " "))
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// seen are the rows that Lines returns.
func (s *Screen) seen() [][]Cell {
	if s.main != nil { // nothing is kept of what scrolls out of it
		return s.rows[s.top:]
	}
	return s.rows
}

// Cells returns the rows of Lines cell by cell, as they look. A wide character
// takes further cells, which are empty.
func (s *Screen) Cells() [][]Cell { return s.seen()[:len(s.Lines())] }

// Cell is a place for a character.
type Cell struct {
	Text string
	Look Look
}

// Look is how a character looks. Colours are those of the terminal's sixteen,
// counted from 1; 0 is its own.
type Look struct {
	Foreground, Background          int
	Bold, Faint, Reverse, Underline bool
}

// shaded is a look after a sequence that selects one. Of colours beyond the
// sixteen nothing is seen.
func (l Look) shaded(parser *ansi.Parser) Look {
	params := parser.Params()
	if len(params) == 0 {
		return Look{}
	}
	for i := range params {
		switch p := params[i].Param(0); {
		case p == 0:
			l = Look{}
		case p == 1:
			l.Bold = true
		case p == 2:
			l.Faint = true
		case p == 4:
			l.Underline = true
		case p == 7:
			l.Reverse = true
		case p == 22:
			l.Bold, l.Faint = false, false
		case p == 24:
			l.Underline = false
		case p == 27:
			l.Reverse = false
		case p >= 30 && p <= 37:
			l.Foreground = p - 30 + 1
		case p == 39:
			l.Foreground = 0
		case p >= 40 && p <= 47:
			l.Background = p - 40 + 1
		case p == 49:
			l.Background = 0
		case p >= 90 && p <= 97:
			l.Foreground = p - 90 + 9
		case p >= 100 && p <= 107:
			l.Background = p - 100 + 9
		case p == 38 || p == 48:
			return l // others follow, which are none of the sixteen
		}
	}
	return l
}

func (s *Screen) String() string { return strings.Join(s.Lines(), "\n") }

// print writes a character. A wide one takes further cells, which are empty.
func (s *Screen) print(char string, cells int) {
	if s.column+cells > s.width {
		s.column = 0
		s.down()
	}
	row := s.rows[s.row]
	for len(row) < s.column+cells {
		row = append(row, Cell{Text: " "})
	}
	row[s.column] = Cell{char, s.look}
	for i := 1; i < cells; i++ {
		row[s.column+i] = Cell{Look: s.look}
	}
	s.rows[s.row] = row
	s.column += cells
}

func (s *Screen) obey(seq string, parser *ansi.Parser) {
	n, _ := parser.Param(0, 1)
	n = max(1, n)
	switch seq {
	case "\n":
		s.column = 0
		s.down()
		return
	case "\r":
		s.column = 0
		return
	case "\a":
		s.Rung++
		return
	case ansi.ShowCursor, ansi.HideCursor:
		s.CursorHidden = seq == ansi.HideCursor
		return
	case ansi.EraseScreenBelow:
		s.erase()
		s.rows = s.rows[:s.row+1]
		return
	case ansi.EraseLineRight:
		s.erase()
		return
	case ansi.EraseEntireLine:
		s.rows[s.row] = nil
		return
	}
	switch {
	case strings.HasPrefix(seq, "\x1b[") && parser.Command() == 'm':
		s.look = s.look.shaded(parser)
	case strings.HasPrefix(seq, "\x1b[") && parser.Command() == 'A':
		s.row = max(s.top, s.row-n)
	case strings.HasPrefix(seq, "\x1b[") && parser.Command() == 'B':
		for range min(n, s.top+s.height-1-s.row) {
			s.down()
		}
	case s.full && s.obeyFull(seq, parser):
	default:
		s.Unknown = append(s.Unknown, seq)
	}
}

// obeyFull reports whether it knows a sequence.
func (s *Screen) obeyFull(seq string, parser *ansi.Parser) bool {
	if copied, ok := strings.CutPrefix(seq, "\x1b]52;c;"); ok {
		text, err := base64.StdEncoding.DecodeString(strings.TrimRight(copied, "\a\x1b\\"))
		s.Copied = string(text)
		return err == nil
	}
	if mode, ok := strings.CutPrefix(seq, "\x1b[?"); ok && mode != "" {
		n, err := strconv.Atoi(mode[:len(mode)-1])
		set := mode[len(mode)-1]
		if err != nil || set != 'h' && set != 'l' {
			return false
		}
		s.mode(n, set == 'h')
		return true
	}
	if !strings.HasPrefix(seq, "\x1b[") {
		return false
	}
	switch parser.Command() {
	case 'H':
		row, _ := parser.Param(0, 1)
		column, _ := parser.Param(1, 1)
		for s.row = s.top; s.row < s.top+min(max(1, row), s.height)-1; {
			s.down()
		}
		s.column = min(max(1, column), s.width) - 1
	case 'J':
		s.rows = append(s.rows[:s.top], make([][]Cell, s.row-s.top+1)...)
	default:
		return false
	}
	return true
}

// mode sets or resets a mode. The alternate screen begins empty, and what was
// there before comes back.
func (s *Screen) mode(n int, set bool) {
	switch {
	case n == AlternateScreen && set && s.main == nil:
		before := *s
		s.main = &before
		s.rows, s.top, s.row, s.column = make([][]Cell, 1), 0, 0, 0
	case n == AlternateScreen && !set && s.main != nil:
		s.rows, s.top, s.row, s.column = s.main.rows, s.main.top, s.main.row, s.main.column
		s.main = nil
	}
	if set {
		s.Modes[n] = true
	} else {
		delete(s.Modes, n)
	}
}

// erase empties the line from the cursor on.
func (s *Screen) erase() {
	row := s.rows[s.row]
	s.rows[s.row] = slices.Clip(row[:min(len(row), s.column)])
}

// down moves the cursor, and scrolls when it is in the last row.
func (s *Screen) down() {
	s.row++
	if s.row == len(s.rows) {
		s.rows = append(s.rows, nil)
	}
	s.top = max(s.top, s.row-s.height+1)
}
