// Package termtest shows what a terminal would show, for tests of programs
// that draw on one.
//
// It knows the few sequences that an inline view needs, and keeps a list of
// all others: a program that switches screens or asks the terminal a question
// is noticed, which an emulator of everything would hide.
package termtest

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Screen is a terminal after some output. Its size does not change.
type Screen struct {
	// CursorHidden reports a cursor that was hidden and not shown again.
	CursorHidden bool
	// Unknown are the sequences that did nothing, in order.
	Unknown []string

	width, height int
	rows          [][]string // of cells, those that scrolled away included
	top           int        // the first row on the screen
	row, column   int        // of the cursor; the row counts from the first one
}

// Play returns a terminal of that size on which the output was written. Like
// the system's terminals it begins a line at its first column, and a line that
// is too long goes on in the next row. Output that ends within a sequence is
// shown without it.
func Play(width, height int, output string) *Screen {
	s := &Screen{width: width, height: height, rows: make([][]string, 1)}
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
// not empty, those that scrolled away included, without trailing spaces.
func (s *Screen) Lines() []string {
	var lines []string
	for _, row := range s.rows {
		lines = append(lines, strings.TrimRight(strings.Join(row, ""), " "))
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
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
		row = append(row, " ")
	}
	row[s.column] = char
	for i := 1; i < cells; i++ {
		row[s.column+i] = ""
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
	case strings.HasPrefix(seq, "\x1b[") && parser.Command() == 'm': // colours
	case strings.HasPrefix(seq, "\x1b[") && parser.Command() == 'A':
		s.row = max(s.top, s.row-n)
	case strings.HasPrefix(seq, "\x1b[") && parser.Command() == 'B':
		for range min(n, s.top+s.height-1-s.row) {
			s.down()
		}
	default:
		s.Unknown = append(s.Unknown, seq)
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
