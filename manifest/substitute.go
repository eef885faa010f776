package manifest

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/drone/envsubst"
)

// substituter replaces the expressions of a source (reference §4).
type substituter struct {
	r       *reader
	lookup  Lookup
	source  string // up to the end of what is substituted
	extents extents
	body    strings.Builder
	pieces  []piece
	copied  int // source offset up to which the body is written
	uses    map[string]Use
}

// substitute returns the text of a source after substitution and every
// variable that was asked for. A malformed expression is reported and stays as
// it is written, so that what follows can still be read.
func (r *reader) substitute(source string, lookup Lookup) (*text, []Use) {
	return r.substituteRange(source, r.places.bom, len(source), lookup)
}

// substituteRange is substitute for a part of the source, as if there were no
// other.
func (r *reader) substituteRange(source string, start, end int, lookup Lookup) (*text, []Use) {
	source = source[:end]
	s := &substituter{
		r: r, lookup: lookup, source: source, copied: start,
		extents: extents{text: source}, uses: map[string]Use{},
	}
	s.body.Grow((end - start) + (end-start)/16)
	s.pieces = make([]piece, 0, 1+2*strings.Count(source[start:], "${"))
	s.run()
	return &text{body: s.body.String(), pieces: s.pieces, places: r.places}, s.sortedUses()
}

// run walks the text outside expressions itself instead of handing the whole
// text to the library: version 1 of the library drops one backslash of every
// `\\` and `\/` anywhere in the file, although only expressions have escapes
// (reference §4.3). A shell command such as `sed 's/\//x/'` would change its
// meaning. Version 2 of the library is right here, but differs elsewhere.
func (s *substituter) run() {
	for at := s.copied; ; {
		i := strings.IndexByte(s.source[at:], '$')
		if i < 0 || at+i+1 >= len(s.source) {
			break
		}
		at += i
		switch s.source[at+1] {
		case '$':
			s.put(piece{srcStart: at, srcEnd: at + 2}, "$")
			at += 2
		case '{':
			at = s.expression(at)
		default:
			at++
		}
	}
	s.copy(len(s.source))
}

// expression substitutes the expression at an offset and returns the offset to
// go on from.
func (s *substituter) expression(at int) int {
	s.extents.uses, s.extents.oddities = s.extents.uses[:0], s.extents.oddities[:0]
	end, fault := s.extents.expression(at)
	if fault != nil {
		s.r.malformed(s.source, at, *fault)
		return at + len("${")
	}
	comment := inComment(s.source, at)
	s.record(comment)
	if !comment {
		s.reportOddities()
	}
	value, err := evaluate(s.source[at:end], s.value)
	if err != nil {
		s.r.add(Problem{
			Severity: Error, Rule: RuleSubstitution, Span: s.r.places.span(at, end),
			Message: fmt.Sprintf("%s cannot be substituted: %s", quoteExcerpt(s.source[at:end]), err),
			Hint:    "a length must not be negative",
		})
		return at + len("${")
	}
	if strings.Contains(s.source[at:end], "\n") {
		s.r.add(Problem{
			Severity: Warning, Rule: RuleSubstitution, Span: s.r.places.span(at, end),
			Message: fmt.Sprintf("the expression %s reaches over several lines", quoteExcerpt(s.source[at:end])),
			Hint:    "the closing brace may be missing; write `$${` where the shell is meant",
		})
	}
	s.put(piece{srcStart: at, srcEnd: end, expression: true, empty: value == ""}, value)
	return end
}

// record notes the variables of the expression that was just read.
func (s *substituter) record(comment bool) {
	for _, u := range s.extents.uses {
		u.Comment = comment
		if first, known := s.uses[u.Name]; known && u.mattering() <= first.mattering() {
			continue
		}
		_, u.Defined = s.lookup(u.Name)
		u.Span = s.r.places.span(u.Span.Start.Offset, u.Span.End.Offset)
		s.uses[u.Name] = u
	}
}

// mattering grades how much it matters that the variable has a value.
func (u Use) mattering() int {
	switch {
	case u.Comment:
		return 0
	case u.Default:
		return 1
	}
	return 2
}

func (s *substituter) sortedUses() []Use {
	var out []Use
	for _, u := range s.uses {
		out = append(out, u)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Span.Start.Offset < out[j].Span.Start.Offset })
	return out
}

// value gives a variable in the form that is put into the text: with a line
// break it is quoted, lest it break the YAML around it (reference §4.1).
func (s *substituter) value(name string) string {
	v, _ := s.lookup(name)
	if strings.Contains(v, "\n") {
		return strconv.Quote(v)
	}
	return v
}

func (s *substituter) copy(until int) {
	if until > s.copied {
		s.append(piece{srcStart: s.copied, srcEnd: until, literal: true}, s.source[s.copied:until])
		s.copied = until
	}
}

func (s *substituter) put(p piece, value string) {
	s.copy(p.srcStart)
	s.append(p, value)
	s.copied = p.srcEnd
}

func (s *substituter) append(p piece, value string) {
	p.start = s.body.Len()
	s.body.WriteString(value)
	p.end = s.body.Len()
	s.pieces = append(s.pieces, p)
}

// evaluate gives the value of one expression. The library panics on a negative
// length.
func evaluate(expression string, mapping func(string) string) (value string, err error) {
	defer func() {
		if recover() != nil {
			value, err = "", fmt.Errorf("its length is negative")
		}
	}()
	return envsubst.Eval(expression, mapping)
}

// malformed reports an expression that the library would refuse.
func (r *reader) malformed(source string, at int, f fault) {
	end := expressionExcerpt(source, at)
	where := ""
	if inComment(source, at) {
		where = " in a comment"
	}
	r.add(Problem{
		Severity: Error, Rule: RuleSubstitution, Span: r.places.span(at, end),
		Message: fmt.Sprintf("%s%s cannot be substituted: %s", quoteExcerpt(source[at:end]), where, f.words(source)),
		Hint:    "`${…}` is substituted everywhere in the file before the YAML is read; write `$${` where the shell or plain text is meant",
	})
}

// words gives the reason of a fault; where a brace is expected it names what
// stands there instead.
func (f fault) words(source string) string {
	if f.reason != faultBrace || f.at >= len(source) {
		return f.reason
	}
	c, _ := utf8.DecodeRuneInString(source[f.at:])
	if unicode.IsSpace(c) {
		return f.reason
	}
	return fmt.Sprintf("%q is not supported there", string(c))
}

// expressionExcerpt returns the end of the part of a malformed expression that
// is worth showing: to its brace, or to the end of its line.
func expressionExcerpt(source string, at int) int {
	const most = 200
	near := source[at:min(len(source), at+most)]
	depth := 0
	for i, c := range near {
		switch c {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return at + i + 1
			}
		case '\r', '\n':
			return at + i
		}
	}
	return at + len(near)
}

// inComment reports whether an offset is in a comment of its line, judging by
// the line alone, and by no more than its last few thousand bytes.
func inComment(source string, at int) bool {
	const most = 4096
	before := source[max(0, at-most):at]
	before = before[strings.LastIndexByte(before, '\n')+1:]
	if strings.HasPrefix(strings.TrimLeft(before, " \t"), "#") {
		return true
	}
	i := strings.Index(before, " #")
	if i < 0 {
		return false
	}
	return strings.Count(before[:i], `"`)%2 == 0 && strings.Count(before[:i], "'")%2 == 0
}

// quoteExcerpt quotes a piece of source for a message, cut to one short line.
func quoteExcerpt(s string) string {
	const most = 60
	n := 0
	for i, c := range s {
		if n == most || c == '\r' || c == '\n' {
			return strconv.Quote(s[:i] + "…")
		}
		n++
	}
	return strconv.Quote(s)
}
