package manifest

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// extents finds where `${…}` expressions end. The substitution library tells
// whether a text is an expression, but neither where one ends nor where a bad
// one goes wrong, so this follows the library's grammar (reference §4.2) and
// leaves the meaning to it. Failures are remembered: without that, a file of
// unclosed expressions would be scanned once for each of them.
type extents struct {
	text   string
	failed map[int]fault
	uses   []Use // names of the expression being read; only Name and offsets are set

	oddities []oddity // of the expression being read
}

// fault is why and where an expression is malformed.
type fault struct {
	reason string
	at     int
}

const (
	faultName      = "a variable name is missing"
	faultBrace     = "the closing brace is missing"
	faultOperand   = "the operand is missing or not closed"
	faultOperator  = "the operator is not supported"
	faultSubstring = "the operand mixes text and a nested expression, or is not closed"
	faultSlash     = "the replacement is missing"
)

// expression reads the expression whose `${` is at start and returns the
// offset after its `}`. The fault is nil on success.
func (e *extents) expression(start int) (int, *fault) {
	if f, ok := e.failed[start]; ok {
		return 0, &f
	}
	uses, oddities := len(e.uses), len(e.oddities)
	end, f := e.body(start)
	if f != nil {
		if e.failed == nil {
			e.failed = map[int]fault{}
		}
		e.failed[start] = *f
		e.uses, e.oddities = e.uses[:uses], e.oddities[:oddities]
	}
	return end, f
}

func (e *extents) body(start int) (int, *fault) {
	at := start + len("${")
	length := e.has(at, '#')
	if length {
		at++
	}
	end := e.name(at)
	if end == at {
		return 0, &fault{faultName, at}
	}
	use := len(e.uses)
	e.uses = append(e.uses, Use{Name: e.text[at:end], Span: Span{Start: Pos{Offset: start}}})
	e.uses[use].Default = !length && hasDefault(e.text[end:])
	operation := end
	end, f := e.operation(operation, length)
	if f == nil {
		e.uses[use].Span.End.Offset = end
		e.note(start, operation, end)
	}
	return end, f
}

// hasDefault reports whether what follows a name is one of the operators that
// all mean a default (reference §4.2).
func hasDefault(operation string) bool {
	if rest, ok := strings.CutPrefix(operation, ":"); ok {
		return rest != "" && strings.IndexByte(defaultOperators, rest[0]) >= 0
	}
	return strings.HasPrefix(operation, "=")
}

const defaultOperators = "=-?+"

// operation reads what follows the name, up to and with the `}`.
func (e *extents) operation(at int, length bool) (int, *fault) {
	if length || at >= len(e.text) {
		return e.brace(at)
	}
	switch c := e.text[at]; c {
	case ':':
		return e.colon(at)
	case '=':
		return e.word(at + 1)
	case ',', '^':
		return e.brace(e.upTo(at, 2, ",^"))
	case '/':
		return e.replace(at)
	case '#', '%':
		return e.lastOperand(e.upTo(at, 2, string(c)), false)
	}
	return e.brace(at)
}

func (e *extents) colon(at int) (int, *fault) {
	at++
	if at < len(e.text) && strings.IndexByte(defaultOperators, e.text[at]) >= 0 {
		return e.word(at + 1)
	}
	// The library steps back wrongly over a character of several bytes here.
	if at < len(e.text) && e.text[at] >= utf8.RuneSelf {
		return 0, &fault{faultOperator, at}
	}
	at, f := e.operand(at, ":}", false)
	if f != nil {
		return 0, f
	}
	if e.has(at, '}') {
		return at + 1, nil
	}
	if !e.has(at, ':') {
		return 0, &fault{faultSubstring, at}
	}
	return e.lastOperand(e.run(at, ':'), false)
}

func (e *extents) replace(at int) (int, *fault) {
	at++
	if at < len(e.text) && strings.IndexByte("/#%", e.text[at]) >= 0 {
		at++
	}
	at, f := e.operand(at, "/", true)
	if f != nil {
		return 0, f
	}
	if !e.has(at, '/') {
		return 0, &fault{faultSlash, at}
	}
	at = e.run(at, '/')
	if e.has(at, '}') {
		return at + 1, nil
	}
	return e.lastOperand(at, true)
}

// word reads the default word, which is the one operand that may mix text and
// nested expressions.
func (e *extents) word(at int) (int, *fault) {
	for !e.has(at, '}') {
		var f *fault
		if at, f = e.operand(at, "}", false); f != nil {
			return 0, f
		}
	}
	return at + 1, nil
}

func (e *extents) lastOperand(at int, escapes bool) (int, *fault) {
	end, f := e.operand(at, "}", escapes)
	if f != nil {
		return 0, f
	}
	if !e.has(end, '}') {
		return 0, &fault{faultSubstring, end}
	}
	return end + 1, nil
}

// operand reads one nested expression, or text that is not empty and ends
// before a stop character or a nested expression.
func (e *extents) operand(at int, stops string, escapes bool) (int, *fault) {
	if strings.HasPrefix(e.text[at:], "${") {
		return e.expression(at)
	}
	start := at
	for at < len(e.text) {
		c := e.text[at]
		next := byte(0)
		if at+1 < len(e.text) {
			next = e.text[at+1]
		}
		switch {
		case c == '$' && next == '{':
			return at, nil
		case escapes && (c == '$' && next == '$' || c == '\\' && (next == '/' || next == '\\')):
			at += 2
			continue
		}
		if strings.IndexByte(stops, c) >= 0 {
			break
		}
		at++
	}
	if at == start {
		return 0, &fault{faultOperand, at}
	}
	return at, nil
}

func (e *extents) brace(at int) (int, *fault) {
	if !e.has(at, '}') {
		return 0, &fault{faultBrace, at}
	}
	return at + 1, nil
}

func (e *extents) has(at int, c byte) bool { return at < len(e.text) && e.text[at] == c }

func (e *extents) run(at int, c byte) int { return e.upTo(at, len(e.text), string(c)) }

func (e *extents) upTo(at, most int, set string) int {
	for n := 0; n < most && at < len(e.text) && strings.IndexByte(set, e.text[at]) >= 0; n++ {
		at++
	}
	return at
}

func (e *extents) name(at int) int {
	for at < len(e.text) {
		c, size := utf8.DecodeRuneInString(e.text[at:])
		if !unicode.IsLetter(c) && !unicode.IsDigit(c) && c != '_' {
			break
		}
		at += size
	}
	return at
}
