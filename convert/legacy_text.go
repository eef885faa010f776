package convert

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/drone/envsubst"

	"github.com/drone-laptop/drone/manifest"
)

// sourceText is the text of a file after the values of a matrix were put into
// it, which knows the places that its lines had before. Values have no line
// breaks, so lines stay where they are.
type sourceText struct {
	text    string         // before
	changes map[int][]span // by line, in order
}

// span is what one expression became, in code points of its line.
type span struct {
	from, width      int // before
	column, replaced int // after
}

// original gives the place before of a place after.
func (s *sourceText) original(line, column int) (int, int) {
	shift := 0
	for _, c := range s.changes[line] {
		switch {
		case column >= c.column+c.replaced:
			shift = c.from + c.width - c.column - c.replaced
		case column >= c.column:
			return line, c.from
		}
	}
	return line, column + shift
}

// replaceAll replaces ranges of a text, in order, by what value gives for them;
// where it gives false, nothing changes.
func replaceAll(text string, ranges []manifest.Extent, value func(string) (string, bool)) (string, *sourceText) {
	out := &sourceText{text: text, changes: map[int][]span{}}
	var b strings.Builder
	done, line := 0, 1
	lineBefore, lineAfter := 0, 0 // where the line begins
	copyUpTo := func(end int) {
		part := text[done:end]
		if i := strings.LastIndexByte(part, '\n'); i >= 0 {
			line += strings.Count(part, "\n")
			lineBefore, lineAfter = done+i+1, b.Len()+i+1
		}
		b.WriteString(part)
		done = end
	}
	for _, r := range ranges {
		if r.Start < done {
			continue
		}
		expression := text[r.Start:r.End]
		with, ok := value(expression)
		if !ok || strings.Contains(expression, "\n") {
			continue
		}
		copyUpTo(r.Start)
		out.changes[line] = append(out.changes[line], span{
			from: utf8.RuneCountInString(text[lineBefore:r.Start]) + 1, width: utf8.RuneCountInString(expression),
			column: utf8.RuneCountInString(b.String()[lineAfter:]) + 1, replaced: utf8.RuneCountInString(with),
		})
		b.WriteString(with)
		done = r.End
	}
	copyUpTo(len(text))
	return b.String(), out
}

var (
	expressionName = regexp.MustCompile(`^\$\{#?([A-Za-z0-9_]+)`)
	simple         = regexp.MustCompile(`^\$\{([A-Za-z0-9_]+)\}$`)
	oldVariable    = regexp.MustCompile(`"?\$\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))"?`)
)

// substituted puts the values of a combination into the text, as Drone did: all
// of it, comments included. Expressions with other names stay.
func (l *legacy) substituted(text string, axis axis, index int) (string, *sourceText) {
	values := map[string]string{}
	if !l.before06() {
		values["CI_JOB_NUMBER"], values["CI_SYSTEM"], values["CI_SYSTEM_NAME"] = strconv.Itoa(index+1), "drone", "drone"
	}
	if l.out.Version != Version04 {
		values["CI"], values["DRONE_JOB_NUMBER"], values["DRONE_ARCH"] = "drone", strconv.Itoa(index+1), "linux/amd64"
	}
	for _, v := range axis {
		values[v.name] = v.value
		if strings.Contains(v.value, "\n") {
			values[v.name] = strconv.Quote(v.value)
		}
	}
	switch l.out.Version {
	case Version04:
		return l.substituted04(text, values)
	case Version05:
		return l.substituted05(text, values)
	}
	ranges := append(manifest.Expressions(text), escapes(text)...)
	slices.SortFunc(ranges, func(a, b manifest.Extent) int { return a.Start - b.Start })
	return replaceAll(text, ranges, func(e string) (string, bool) {
		if e[0] == '\\' {
			return e[1:], true
		}
		return evaluated(e, values)
	})
}

// escapes finds the `\/` and `\\` outside of expressions, which substitution took
// a backslash away from, wherever in the file they stood.
func escapes(text string) (found []manifest.Extent) {
	inside := manifest.Expressions(text)
	for at := 0; at+1 < len(text); {
		i := strings.IndexByte(text[at:], '\\')
		if i < 0 || at+i+1 == len(text) {
			break
		}
		at += i
		for len(inside) > 0 && inside[0].End <= at {
			inside = inside[1:]
		}
		switch next := text[at+1]; {
		case len(inside) > 0 && inside[0].Start < at:
			at = inside[0].End
		case next == '/' || next == '\\':
			found = append(found, manifest.Extent{Start: at, End: at + 2})
			at += 2
		default:
			at++
		}
	}
	return found
}

// noteEscapes tells once of backslashes that the file has and nothing saw.
func (l *legacy) noteEscapes(text string) {
	if l.before06() {
		return
	}
	if found := escapes(text); len(found) > 0 {
		l.note(manifest.Info, l.at.node(found[0].Start), "", "Drone 0.6 to 0.8 made `/` of `\\/` and `\\` of `\\\\` all over the file, and so it is read here")
	}
}

// evaluated is an expression that asks for a value of the matrix; inside of
// others such a value is put in as well.
func evaluated(expression string, values map[string]string) (string, bool) {
	m := expressionName.FindStringSubmatch(expression)
	if m == nil {
		return "", false
	}
	if _, ok := values[m[1]]; ok {
		out, err := envsubst.Eval(expression, func(name string) string { return values[name] })
		return out, err == nil
	}
	if name, ok := renamed[m[1]]; ok {
		return strings.Replace(expression, m[1], name, 1), true
	}
	changed := false
	inner := expression[2:]
	for name, value := range values {
		if with := strings.ReplaceAll(inner, "${"+name+"}", value); with != inner {
			inner, changed = with, true
		}
	}
	return "${" + inner, changed
}

// renamed are variables that substitution knew and knows under another name.
var renamed = map[string]string{
	"CI_TAG": "DRONE_TAG", "CI_PULL_REQUEST": "DRONE_PULL_REQUEST",
	"DRONE_PARENT_BUILD_NUMBER": "DRONE_BUILD_PARENT", "DRONE_VERSION": "DRONE_SYSTEM_VERSION", "CI_SYSTEM_VERSION": "DRONE_SYSTEM_VERSION",
	"CI_SYSTEM_HOST": "DRONE_SYSTEM_HOST", "DRONE_JOB_STARTED": "DRONE_BUILD_STARTED",
}

// maskedText is a text whose expressions are replaced by letters, as many as
// they have: what substitution will make of them is not to be read as YAML now,
// `[${TAG}]` least of all.
type maskedText struct {
	text        string
	expressions []string
	known       map[string]int // by expression
}

const (
	maskStart = '\uE000'
	maskRest  = '\uF8FF'
	maskMax   = maskRest - maskStart
)

func mask(text string) *maskedText {
	m := &maskedText{known: map[string]int{}}
	if strings.ContainsFunc(text, func(r rune) bool { return r >= maskStart && r <= maskRest }) {
		m.text = text // whoever uses these letters has to do without
		return m
	}
	m.text, _ = replaceAll(text, manifest.Expressions(text), func(e string) (string, bool) {
		n, ok := m.number(e)
		if !ok {
			return "", false
		}
		return string(maskStart+rune(n)) + strings.Repeat(string(maskRest), utf8.RuneCountInString(e)-1), true
	})
	return m
}

// restore puts the expressions back.
func (m *maskedText) restore(text string) string {
	if len(m.expressions) == 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == maskRest:
		case r >= maskStart && int(r-maskStart) < len(m.expressions):
			b.WriteString(m.expressions[r-maskStart])
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// number gives an expression its letter, as far as there are letters.
func (m *maskedText) number(expression string) (n int, ok bool) {
	if n, ok = m.known[expression]; ok {
		return n, true
	}
	if n = len(m.expressions); n >= maskMax {
		return 0, false
	}
	m.known[expression] = n
	m.expressions = append(m.expressions, expression)
	return n, true
}

// hidden makes the letter of an expression that was not in the text.
func (m *maskedText) hidden(expression string) string {
	n, ok := m.number(expression)
	if !ok {
		return expression
	}
	return string(maskStart + rune(n))
}

// has reports whether a value has an expression in it.
func (m *maskedText) has(value string) bool {
	return len(m.expressions) > 0 && strings.ContainsFunc(value, func(r rune) bool { return r >= maskStart && r < maskRest })
}
