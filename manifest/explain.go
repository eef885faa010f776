package manifest

import (
	"fmt"
	"regexp"
	"strings"
)

// reportSyntax reports a document that is not YAML: where, in the words of a
// user, and what the likely cause is.
func (r *reader) reportSyntax(t *tree, e *syntaxError) {
	line := nthLine(t.source, e.line)
	x := explanation{tree: t, line: line, number: e.line, column: e.column}
	x.explain(e.reason)
	line = x.line
	start := t.part.start + offsetOfLine(t.source, x.number)
	from, to := start+len(line)-len(strings.TrimLeft(line, " \t")), start+len(strings.TrimRight(line, " \t"))
	if x.column > 0 {
		from = start + min(x.column-1, len(line))
		to = max(from, to)
	}
	p := Problem{
		Severity: Error, Rule: RuleSyntax, Span: r.text.span(from, to),
		Message: x.message, Hint: x.hint, Pipeline: r.sourceName(t),
	}
	if strings.HasPrefix(e.reason, reasonAnchor) {
		name := anchorName(e.reason)
		p.Rule, p.Span = RuleAlias, r.text.span(from, min(to, from+len("*")+len(name)))
		p.Hint = r.anchorHint(t, anchorName(e.reason))
	}
	if x.insert != "" && len(r.text.pieces) == 0 {
		at := r.text.span(from, from)
		p.Fix = &Edit{Span: at, Text: x.insert}
	}
	r.blameSubstitution(t, start, start+len(line), &p)
	r.add(p)
}

// sourceName is headerName with the name as it is in the source, so that no
// substituted value is shown.
func (r *reader) sourceName(t *tree) string {
	span := r.text.span(t.part.start, t.part.end)
	return headerName(r.places.source[span.Start.Offset:span.End.Offset])
}

func offsetOfLine(s string, line int) int {
	at := 0
	for ; line > 1 && at < len(s); line-- {
		at = lineEnd(s, at)
	}
	return at
}

// explanation turns the reason of a syntax error into a message and a hint.
type explanation struct {
	tree          *tree
	line          string // the line of the error
	number        int
	column        int // where to point, 0 for the whole line
	message, hint string
	insert        string // what to insert at the column, where that surely mends it
}

func (x *explanation) explain(reason string) {
	if x.conflict() || x.lookalike() {
		return
	}
	indent := x.line[:len(x.line)-len(strings.TrimLeft(x.line, " \t"))]
	if tab := strings.IndexByte(indent, '\t'); tab >= 0 {
		x.say("the line is indented with a tab", "YAML is indented with spaces only")
		x.column = tab + 1
		return
	}
	switch reason {
	case "mapping values are not allowed in this context", "could not find expected ':'":
		if x.strayQuote() || x.missingBlank() || x.missingColon() || x.shallowBlock() || reason == "could not find expected ':'" && x.endedBlock() {
			return
		}
	case "did not find expected ',' or ']'", "did not find expected ',' or '}'":
		if x.flow() {
			return
		}
	}
	if strings.HasPrefix(reason, "did not find expected") && (x.strayQuote() || x.afterBracket() || x.afterQuote()) {
		return
	}
	switch reason {
	case "mapping values are not allowed in this context":
		x.colon()
	case "could not find expected ':'":
		x.say("the line is neither a `key: value` nor a list item", "the `:` after the key is missing, or the line belongs to the text above and has to be indented deeper")
	case "found unexpected end of stream":
		x.quote()
	case "found character that cannot start any token":
		x.badStart()
	case "did not find expected alphabetic or numeric character":
		x.say("a value that starts with `*` or `&` is a YAML alias or anchor", "quote the value to use the character as text")
		x.pointAt("*&")
	case "found unknown escape character":
		x.say("the double-quoted text has an unknown escape after a backslash", "use single quotes, in which a backslash is plain text, or double the backslash")
	case "block sequence entries are not allowed in this context":
		x.say("a list item starts on the line of its key", "start the list on the next line, or quote the value")
		if i := strings.Index(x.line, ": -"); i >= 0 {
			x.column = i + len(": ") + 1
		}
	case "did not find expected ',' or ']'", "did not find expected ',' or '}'":
		open, end := "[", "]"
		if strings.HasSuffix(reason, "'}'") {
			open, end = "{", "}"
		}
		x.say(fmt.Sprintf("the `%s` is not closed with `%s`, or a comma is missing in it", open, end), "close it, or quote the value if it is meant as text")
	case "did not find expected comment or line break":
		x.say("text follows a `|` or `>` on its line", "start the text on the next line, or quote the value")
		x.pointAt("|>")
	case reasonTrailing:
		x.say("the document is already complete before this line", "put the text into the map above, or separate documents with `---`")
	case "control characters are not allowed":
		x.control()
	default:
		x.others(reason)
	}
}

func (x *explanation) say(message, hint string) { x.message, x.hint = message, hint }

// pointAt points at the first value on the line that starts with one of the
// characters.
func (x *explanation) pointAt(set string) bool {
	for i := range len(x.line) {
		starts := i == 0 || strings.IndexByte(" \t[{,", x.line[i-1]) >= 0
		if starts && strings.IndexByte(set, x.line[i]) >= 0 {
			x.column = i + 1
			return true
		}
	}
	return false
}

// colon explains a `: ` where no key can be: a command with a colon in it, or a
// line that continues the value of the line above because it is indented deeper.
func (x *explanation) colon() {
	content := strings.TrimLeft(x.line, " ")
	item := strings.TrimLeft(strings.TrimPrefix(content, "-"), " ")
	if x.glued(item) {
		return
	}
	if strings.Count(item, ": ") > 1 || strings.HasPrefix(content, "- ") && strings.Contains(item, ": ") {
		x.say("the line has a second `: `, which YAML reads as another key",
			"quote the text with the `: ` in it, for example with single quotes")
		if i := strings.LastIndex(x.line, ": "); i >= 0 {
			x.column = i + 1
		}
		return
	}
	above, number := x.above()
	if depth(x.line) > depth(above) && !strings.HasSuffix(strings.TrimSpace(above), ":") {
		x.say("the line is indented deeper than its neighbours, so that YAML reads it as part of the value above",
			fmt.Sprintf("indent it like line %d, or quote the text if it is part of the value", number))
		return
	}
	x.say("a `key: value` cannot be here", "check the indentation of the line, and quote text that contains `: `")
}

// above returns the last line before that is neither blank nor a comment, with
// its number in the file where no substitution moved it.
func (x *explanation) above() (string, int) {
	if n, line := x.before(x.number); n > 0 {
		return line, n + x.tree.firstLine - 1
	}
	return "", x.tree.firstLine
}

// depth is the column where the content of a line starts, after list dashes.
func depth(line string) int {
	return len(line) - len(strings.TrimLeft(line, "- "))
}

func (x *explanation) quote() {
	x.say("a quote is opened here and never closed", "close the quote, or put the whole value into the other kind of quotes")
	if !x.pointAt(`"'`) {
		if i := strings.IndexAny(x.line, `"'`); i >= 0 {
			x.column = i + 1
		}
	}
	if x.tree.cut {
		x.hint += "; a line that starts with `---` ends the document even inside quotes"
	}
}

func (x *explanation) badStart() {
	if x.pointAt("@`%") {
		c := x.line[x.column-1]
		x.say(fmt.Sprintf("a value cannot start with %q", string(c)), "quote the value")
		return
	}
	if i := strings.IndexByte(x.line, '\t'); i >= 0 {
		x.say("a tab is used where YAML wants spaces", "replace the tab by spaces")
		x.column = i + 1
		return
	}
	x.say("a character is here that no YAML value starts with", "quote the value")
}

func (x *explanation) control() {
	for i, c := range x.line {
		if c < ' ' && c != '\t' || c == 0x7f {
			x.column = i + 1
			x.say(fmt.Sprintf("the line has the control character 0x%02x", c), "remove it, or write it as an escape in double quotes")
			return
		}
	}
	x.say("the document has a control character", "remove it, or write it as an escape in double quotes")
}

// others explains errors that were noticed when a line did not fit into the
// blocks that are open, and passes on those that are rare.
func (x *explanation) others(reason string) {
	switch {
	case strings.HasPrefix(reason, reasonAnchor):
		x.say(fmt.Sprintf("the alias `*%s` names no anchor of this document", anchorName(reason)), "")
	case strings.HasPrefix(reason, "found a tab character"):
		x.say("a tab is used where YAML wants spaces", "replace the tab by spaces")
		if i := strings.IndexByte(x.line, '\t'); i >= 0 {
			x.column = i + 1
		}
	case strings.HasPrefix(reason, "did not find expected"):
		x.misfit()
	case reason == "found incompatible YAML document":
		x.say("the version of YAML that the line names is not known", "remove the line; `---` is enough to begin a document")
	default:
		x.say("the line is not valid YAML: "+reason, "check the indentation and the quotes of the line and of the line above")
	}
}

func (x *explanation) misfit() {
	content := strings.TrimSpace(x.line)
	value := valueOf(content)
	switch {
	case x.strayQuote():
	case value != "" && strings.IndexByte("[{", value[0]) >= 0 && lastOpen(x.line) >= 0:
		x.column = lastOpen(x.line) + 1
		x.say(fmt.Sprintf("the `%c` is not closed", x.line[x.column-1]), "close it, or quote the value if it is meant as text")
	case strings.Count(content, "]") > strings.Count(content, "["), strings.Count(content, "}") > strings.Count(content, "{"):
		x.say("a bracket is closed that is not open", "remove the bracket, or quote the value if it is meant as text")
	case x.endedBlock():
	case strings.HasPrefix(content, "- ") && x.amongKeys():
		x.say("a list item stands among the keys of a map", "indent the list deeper than the key it belongs to, or remove the `- `")
	default:
		x.say("the line does not fit the block it is in", "indent it exactly like the other keys or items of its block; a line above may be the one that is indented wrongly")
	}
}

// valueOf returns the value on a line of block style.
func valueOf(content string) string {
	if item, found := strings.CutPrefix(content, "- "); found {
		if item = strings.TrimSpace(item); item != "" && strings.IndexByte(`[{"'`, item[0]) >= 0 {
			return item
		}
	}
	if _, after, found := strings.Cut(content, ": "); found {
		return strings.TrimSpace(after)
	}
	rest, _ := strings.CutPrefix(content, "- ")
	return strings.TrimSpace(rest)
}

// strayQuote explains a quote that a line above opens and that the line of the
// error closes, most likely with what was meant to open another: the quote
// above is the mistake.
func (x *explanation) strayQuote() bool {
	s := x.tree.source
	errorStart := offsetOfLine(s, x.number)
	start := 0
	for number := 1; number < x.number; number++ {
		end := lineEnd(s, start)
		line := strings.TrimRight(s[start:end], "\r\n")
		value := valueOf(strings.TrimSpace(line))
		if value != "" && strings.IndexByte(`"'`, value[0]) >= 0 {
			at := start + strings.LastIndex(line, value)
			if closed := quotedEnd(s, at, value[0]); closed > errorStart && closed <= lineEnd(s, errorStart) {
				x.move(number, line, at-start+1)
				return true
			}
		}
		start = end
	}
	return false
}

// move puts the error on another line.
func (x *explanation) move(number int, line string, column int) {
	x.say("a quote is opened here and not closed on its line", "close the quote, or put the whole value into the other kind of quotes")
	x.number, x.line, x.column = number, line, column
}

var anchorPattern = regexp.MustCompile(`(?m)(?:^|[\s,\[{])&([0-9A-Za-z_-]+)`)

// anchorHint says where the anchor of an alias is, if it is in the file at all.
func (r *reader) anchorHint(t *tree, name string) string {
	define := "&" + name
	switch {
	case strings.Contains(t.source, define):
		return fmt.Sprintf("move the anchor `%s` in front of its first use", define)
	case strings.Contains(r.text.body, define):
		return fmt.Sprintf("`%s` is in another document; anchors end at a `---` line, so repeat it in this one", define)
	}
	var known []string
	for _, m := range anchorPattern.FindAllStringSubmatch(t.source, -1) {
		known = append(known, m[1])
	}
	if best := closest(name, known); best != "" {
		return didYouMean("*" + best)
	}
	return "define the anchor with `" + define + "`, or quote the value if it is meant as text"
}

// blameSubstitution changes the problem of a document that is valid YAML as it
// is written, and not any more after substitution (body range of the line).
func (r *reader) blameSubstitution(t *tree, start, end int, p *Problem) {
	var last *piece
	var neutral strings.Builder
	pieces := r.text.piecesIn(t.part.start, t.part.end)
	for i := range pieces {
		part := pieces[i]
		from, to := max(part.start, t.part.start), min(part.end, t.part.end)
		if !part.expression {
			neutral.WriteString(r.text.body[from:to])
			continue
		}
		neutral.WriteString("x")
		if part.start <= end {
			last = &pieces[i]
		}
	}
	if last == nil {
		return
	}
	if _, reason := decodeYAML(strings.NewReader(neutral.String())); reason != "" {
		return
	}
	r.blame(p, start, end, last)
}

// blame words the problem. Values are not shown; a line whose expressions are
// all empty has none.
func (r *reader) blame(p *Problem, start, end int, last *piece) {
	var empty []string
	hidden := false
	for _, part := range r.text.piecesIn(start, end) {
		if !part.expression {
			continue
		}
		last = &part
		hidden = hidden || !part.empty
		if part.empty {
			empty = append(empty, quoteExcerpt(r.places.source[part.srcStart:part.srcEnd]))
		}
	}
	p.Rule = RuleSubstitution
	p.Span = r.places.span(last.srcStart, last.srcEnd)
	if len(empty) == 0 || hidden {
		expression := quoteExcerpt(r.places.source[last.srcStart:last.srcEnd])
		p.Message = fmt.Sprintf("the value of %s changes the YAML, so that %s", expression, p.Message)
		p.Hint = "quote the text around it in YAML, or write `$$` to leave the expression to the shell"
		return
	}
	p.Message = fmt.Sprintf("%s is empty here, so that line %d became %s",
		strings.Join(empty, " and "), p.Span.Start.Line, quoteExcerpt(strings.TrimSpace(r.text.body[start:end])))
	p.Hint = "give the variable a value, or quote the text so that it may be empty"
}
