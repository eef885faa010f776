package logs

import (
	"bytes"
	"encoding/binary"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Query is what is looked for in the text of lines, without the escape sequences
// in it.
type Query struct {
	Text string
	// Regexp takes Text for a regular expression, in the syntax of Go.
	Regexp bool
	// IgnoreCase has capitals not matter. They do otherwise when Text has one.
	IgnoreCase bool
}

// Pattern is a Query that lines can be compared with. It does not change.
type Pattern struct {
	fold bool // capitals do not matter
	// literal is in every match, in small letters with fold. Of several one is.
	// Without any each line has to be looked at.
	literals [][]byte
	wide     bool           // the literal has letters beyond ASCII
	re       *regexp.Regexp // decides; nil when the literal does
	prog     *syntax.Prog   // decides in place of re as far as it can; may be nil
	find     *regexp.Regexp // gives places in a line
}

// Compile makes a Pattern. The error is that of a regular expression.
func (q Query) Compile() (*Pattern, error) {
	p := &Pattern{fold: q.IgnoreCase || !strings.ContainsFunc(plainOf(q), unicode.IsUpper)}
	text := q.Text
	if !q.Regexp {
		text = regexp.QuoteMeta(text)
	}
	if p.fold {
		text = "(?i:" + text + ")"
	}
	re, err := regexp.Compile(text)
	if err != nil {
		if _, plain := regexp.Compile(q.Text); q.Regexp && plain != nil {
			err = plain // in the words of the user
		}
		return nil, err
	}
	p.find = re
	if !q.Regexp && strings.Contains(q.Text, "\n") {
		p.re = re // which matches no line
		return p, nil
	}
	if !q.Regexp {
		literal := q.Text
		if p.fold {
			literal = strings.ToLower(literal)
		}
		p.literals, p.wide = [][]byte{[]byte(literal)}, p.fold && !ascii(literal)
		return p, nil
	}
	p.re = re
	if tree, err := syntax.Parse(text, syntax.Perl); err == nil {
		tree = tree.Simplify()
		p.prog = program(tree)
		for _, literal := range required(tree, p.fold) {
			if p.fold && !ascii(literal) {
				p.literals = nil // its small letters may have another length
				break
			}
			if p.fold {
				literal = strings.ToLower(literal)
			}
			p.literals = append(p.literals, []byte(literal))
		}
	}
	return p, nil
}

// plainOf is a query without what is a class in a regular expression, such as
// \S and \W, whose capital is none.
func plainOf(q Query) string {
	if !q.Regexp {
		return q.Text
	}
	var b strings.Builder
	for i := 0; i < len(q.Text); i++ {
		if q.Text[i] == '\\' {
			i++
			continue
		}
		b.WriteByte(q.Text[i])
	}
	return b.String()
}

// Find gives the places in a text, as pairs of offsets of bytes. Places without
// any text are left out.
func (p *Pattern) Find(text string) [][]int {
	all := p.find.FindAllStringIndex(text, -1)
	places := all[:0]
	for _, place := range all {
		if place[1] > place[0] {
			places = append(places, place)
		}
	}
	return places
}

// Match reports whether the pattern is in a text.
func (p *Pattern) Match(text string) bool { return p.find.MatchString(text) }

// required gives texts of which one is in all that an expression matches, nil
// when there are none. Those of which capitals do not matter count with fold
// only.
func required(re *syntax.Regexp, fold bool) []string {
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase != 0 && !fold {
			return nil
		}
		return []string{string(re.Rune)}
	case syntax.OpCapture, syntax.OpPlus:
		return required(re.Sub[0], fold)
	case syntax.OpRepeat:
		if re.Min > 0 {
			return required(re.Sub[0], fold)
		}
	case syntax.OpConcat:
		var best []string
		for _, sub := range re.Sub {
			if some := required(sub, fold); shortest(some) > shortest(best) {
				best = some
			}
		}
		return best
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			some := required(sub, fold)
			if some == nil || len(all)+len(some) > mostLiterals {
				return nil
			}
			all = append(all, some...)
		}
		return all
	}
	return nil
}

// mostLiterals is how many texts are looked for instead of an expression. Each
// of them is a look at the whole text.
const mostLiterals = 8

func shortest(texts []string) int {
	if len(texts) == 0 {
		return 0
	}
	n := len(texts[0])
	for _, text := range texts[1:] {
		n = min(n, len(text))
	}
	return n
}

func ascii(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// scratch are buffers of one that searches.
type scratch struct {
	packed, raw, plain, folded []byte
	of                         *Pattern // that what follows is of
	automaton                  *automaton
	dense                      bool // literals were in many of the last lines: looking for them gains nothing
}

// decide reports whether the pattern is in a line, which goes to its newline.
func (p *Pattern) decide(line []byte, s *scratch) bool {
	if s.automaton != nil {
		found, known := s.automaton.match(line)
		if known {
			return found
		}
		if s.automaton.resets > mostResets {
			s.automaton = nil
		}
	}
	return p.re.Match(line[:len(line)-1])
}

// rows calls hit for each row of text that the pattern is in, in order, until it
// returns false. Each row of text ends with a newline.
func (p *Pattern) rows(text []byte, s *scratch, hit func(row int) bool) {
	if bytes.IndexByte(text, 0x1b) >= 0 {
		s.plain = strip(s.plain[:0], text)
		text = s.plain
	}
	if s.of != p {
		s.of, s.automaton, s.dense = p, newAutomaton(p.prog), false
	}
	literals := p.literals
	if s.dense && s.automaton != nil {
		literals = nil
	}
	hay := text
	switch {
	case p.fold && p.wide:
		hay = bytes.ToLower(text)
	case p.fold && len(literals) > 0:
		s.folded = lower(s.folded[:0], text)
		hay = s.folded
	}
	next := make([]int, len(literals)) // place of each literal from pos on
	for i := range next {
		next[i] = -1
	}
	row, pos, looked := 0, 0, 0
	defer func() { s.dense = looked > row/4 }()
	for pos < len(hay) {
		at := pos
		if len(literals) > 0 {
			if at = first(literals, hay, pos, next); at < 0 {
				row += bytes.Count(hay[pos:], newline)
				return
			}
		}
		row += bytes.Count(hay[pos:at], newline)
		start := pos + bytes.LastIndexByte(hay[pos:at], '\n') + 1
		end := at + bytes.IndexByte(hay[at:], '\n')
		if p.re == nil || p.decide(text[start:end+1], s) {
			looked++
			if !hit(row) {
				return
			}
		}
		row, pos = row+1, end+1
	}
}

// first finds the first of literals from pos on. next keeps where each one was
// found, so that none is looked for twice.
func first(literals [][]byte, hay []byte, pos int, next []int) int {
	best := -1
	for i, literal := range literals {
		if next[i] < pos {
			if at := bytes.Index(hay[pos:], literal); at >= 0 {
				next[i] = pos + at
			} else {
				next[i] = len(hay)
			}
		}
		if next[i] < len(hay) && (best < 0 || next[i] < best) {
			best = next[i]
		}
	}
	return best
}

// lower appends text to b in small letters, as far as they are ASCII. It takes
// eight bytes at a time: each byte has room for a carry out of its low seven
// bits, which tells whether it is at least A, or more than Z.
func lower(b, text []byte) []byte {
	const each = 0x0101010101010101
	b = append(b, text...)
	at := 0
	for ; at+8 <= len(b); at += 8 {
		word := binary.LittleEndian.Uint64(b[at:])
		low := word & (0x7f * each)
		capital := ((low + (0x80-'A')*each) ^ (low + (0x7f-'Z')*each)) &^ word & (0x80 * each)
		binary.LittleEndian.PutUint64(b[at:], word|capital>>2)
	}
	for ; at < len(b); at++ {
		if 'A' <= b[at] && b[at] <= 'Z' {
			b[at] += 'a' - 'A'
		}
	}
	return b
}

// strip appends text to b without escape sequences. Newlines stay.
func strip(b, text []byte) []byte {
	for len(text) > 0 {
		at := bytes.IndexByte(text, 0x1b)
		if at < 0 {
			return append(b, text...)
		}
		b = append(b, text[:at]...)
		text = text[at+sequence(text[at:]):]
	}
	return b
}

// sequence is the length of the escape sequence at the beginning of text, which
// does not go beyond its line.
func sequence(text []byte) int {
	if len(text) < 2 {
		return 1
	}
	switch text[1] {
	case '[': // parameters, then one letter
		for i := 2; i < len(text); i++ {
			switch c := text[i]; {
			case c >= 0x40 && c <= 0x7e:
				return i + 1
			case c < 0x20 || c > 0x7e:
				return i
			}
		}
		return len(text)
	case ']', 'P', 'X', '^', '_': // text, until BEL or ESC \
		for i := 2; i < len(text); i++ {
			switch {
			case text[i] == 0x07:
				return i + 1
			case text[i] == 0x1b && i+1 < len(text) && text[i+1] == '\\':
				return i + 2
			case text[i] == '\n':
				return i
			}
		}
		return len(text)
	case '\n':
		return 1
	case '(', ')', '*', '+', '#', '%', ' ':
		if len(text) > 2 && text[2] != '\n' {
			return 3
		}
	}
	return 2
}
