package manifest

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/internal/parallel"
)

// syntaxError is why a text is not one YAML document.
type syntaxError struct {
	reason string // in the words of the YAML library
	line   int    // 1-based line of the text
	column int    // 1-based column in bytes, 0 when unknown
}

const (
	reasonTrailing = "text after the end of the document"
	reasonAnchor   = "unknown anchor"
)

// parseYAML parses a text that should hold one YAML document.
func parseYAML(s string) (*yaml.Node, *syntaxError) {
	if root := parseChunks(s, len(parallel.Shares(len(s), leastChunk))); root != nil {
		return root, nil
	}
	root, reason := decodeYAML(strings.NewReader(s))
	if reason == "" {
		return root, nil
	}
	return nil, locate(s, reason)
}

// decodeYAML decodes a stream of one document and returns its root, which is
// nil when there is none, or why it could not.
func decodeYAML(in io.Reader) (root *yaml.Node, reason string) {
	defer func() {
		if recover() != nil {
			root, reason = nil, "the text confuses the YAML parser"
		}
	}()
	var document, more yaml.Node
	decoder := yaml.NewDecoder(in)
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, ""
	case err != nil:
		return nil, err.Error()
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, reasonTrailing
	}
	if len(document.Content) == 0 {
		return nil, ""
	}
	return document.Content[0], ""
}

// yamlReason takes the library's error text apart.
func yamlReason(text string) (line int, reason string) {
	text = strings.TrimPrefix(text, "yaml: ")
	number, rest, found := strings.Cut(strings.TrimPrefix(text, "line "), ": ")
	if n, err := strconv.Atoi(number); found && err == nil {
		return n, rest
	}
	return 0, text
}

// tapReader hands out a text byte by byte, so that the number of bytes taken
// tells how far the parser looked before it gave up.
type tapReader struct {
	text  string
	taken int
}

func (r *tapReader) Read(p []byte) (int, error) {
	if r.taken == len(r.text) {
		return 0, io.EOF
	}
	p[0] = r.text[r.taken]
	r.taken++
	return 1, nil
}

// locate finds the true place of an error. The line in the library's text is
// that of the context of the error (the start of a block, of a quote), it is
// off by one for one class of errors, and it is missing on the first line.
func locate(s, text string) *syntaxError {
	// A line in front makes the library tell the line of the context always.
	_, shifted := decodeYAML(strings.NewReader("\n" + s))
	context, reason := yamlReason(shifted)
	if shifted == "" {
		_, reason = yamlReason(text)
	}
	tap := &tapReader{text: s}
	decodeYAML(tap)
	e := &syntaxError{reason: reason}
	switch {
	case strings.HasPrefix(reason, reasonAnchor):
		e.line, e.column = aliasPlace(s, reason)
	case strings.HasPrefix(reason, "did not find expected ',' or"):
		e.line, e.column = openBracket(s, context)
	case isContextReason(reason):
		e.line = context - 1
	default:
		e.line, e.column = failingLine(s, tap.taken, text)
	}
	e.line = max(1, e.line)
	return e
}

// isContextReason reports whether an error is best shown at the start of what
// was being read when it happened.
func isContextReason(reason string) bool {
	switch reason {
	case "found unexpected end of stream", "could not find expected ':'",
		"mapping values are not allowed in this context",
		"block sequence entries are not allowed in this context",
		"found character that cannot start any token",
		"did not find expected alphabetic or numeric character",
		"did not find expected comment or line break":
		return true
	}
	return false
}

// failingLine finds the line of an error that was noticed after a number of
// bytes: the parser may have looked ahead, so it goes back while the text up to
// the line before already has the error.
func failingLine(s string, taken int, text string) (line, column int) {
	const mostLines = 50
	_, reason := yamlReason(text)
	at := min(taken, len(s))
	end := lineEnd(s, max(0, at-1))
	for range mostLines {
		start := strings.LastIndexByte(strings.TrimRight(s[:end], "\r\n"), '\n') + 1
		if start == 0 {
			break
		}
		_, earlier := decodeYAML(strings.NewReader(s[:start]))
		if _, same := yamlReason(earlier); earlier == "" || same != reason {
			break
		}
		end = start
	}
	if reason == "found unknown escape character" {
		return 1 + strings.Count(s[:max(0, at-1)], "\n"), at - strings.LastIndexByte(s[:max(0, at-1)], '\n') - 2
	}
	return 1 + strings.Count(strings.TrimRight(s[:end], "\r\n"), "\n"), 0
}

// openBracket finds the bracket of the flow collection that starts on a line.
func openBracket(s string, line int) (int, int) {
	content := nthLine(s, line)
	if i := lastOpen(content); i >= 0 {
		return line, i + 1
	}
	return line, 0
}

// lastOpen returns the index of the last bracket in a line that the line does
// not close, or -1.
func lastOpen(line string) int {
	closed := 0
	for i := len(line) - 1; i >= 0; i-- {
		switch line[i] {
		case ']', '}':
			closed++
		case '[', '{':
			if closed == 0 {
				return i
			}
			closed--
		}
	}
	return -1
}

// aliasPlace finds the alias that names no anchor.
func aliasPlace(s, reason string) (line, column int) {
	name := anchorName(reason)
	pattern, err := regexp.Compile(`(?m)(?:^|[\s,\[{])(\*` + regexp.QuoteMeta(name) + `)(?:[^0-9A-Za-z_-]|$)`)
	if err != nil {
		return 1, 0
	}
	for _, m := range pattern.FindAllStringSubmatchIndex(s, -1) {
		start := strings.LastIndexByte(s[:m[2]], '\n') + 1
		if !inComment(s, m[2]) {
			return 1 + strings.Count(s[:m[2]], "\n"), m[2] - start + 1
		}
	}
	return 1, 0
}

func anchorName(reason string) string {
	_, rest, _ := strings.Cut(reason, "'")
	name, _, _ := strings.Cut(rest, "'")
	return name
}

func nthLine(s string, line int) string {
	for ; line > 1 && s != ""; line-- {
		s = s[lineEnd(s, 0):]
	}
	return strings.TrimRight(s[:lineEnd(s, 0)], "\r\n")
}

// readTrees parses the documents among the parts of a stream that have any
// content. On a mistake a tree has no root.
func (r *reader) readTrees(parts []part) []*tree {
	var trees []*tree
	index := 0
	for _, p := range parts {
		if p.kind != documentPart {
			continue
		}
		if firstContent(r.text.body[p.start:p.end]) >= 0 {
			trees = append(trees, newTree(p, index, r.text.body[p.start:p.end]))
		}
		index++
	}
	failures := make([]*syntaxError, len(trees))
	parallel.Each(len(trees), func(i int) {
		trees[i].root, failures[i] = parseYAML(trees[i].source)
	})
	for i, t := range trees {
		r.checkTree(t, failures[i])
	}
	return trees
}

// checkTree reports what is wrong with a document that was parsed. One that
// cannot be read loses its root.
func (r *reader) checkTree(t *tree, failure *syntaxError) {
	p := t.part
	t.firstLine = r.text.span(p.start, p.start).Start.Line
	t.cut = p.end < len(r.text.body)
	if failure != nil {
		r.reportSyntax(t, failure)
		return
	}
	if t.root == nil {
		r.emptyDocument(p)
		return
	}
	if message, at := checkAliases(t); message != "" {
		t.root = nil
		r.add(Problem{
			Severity: Error, Rule: RuleAlias, Span: r.text.span(p.start+at, p.start+at+1), Message: message,
			Hint: "write the repeated part out", Pipeline: headerName(t.source),
		})
		return
	}
	r.checkInserted(t)
}

// headerName guesses the name of a document that cannot be parsed.
func headerName(s string) string {
	for at := 0; at < len(s); {
		end := lineEnd(s, at)
		if name, found := strings.CutPrefix(s[at:end], "name:"); found {
			return strings.Trim(strings.TrimSpace(name), `"'`)
		}
		at = end
	}
	return ""
}

// checkAliases reports a document whose aliases contain themselves, or expand
// to far more than is written, which would need unbounded memory.
func checkAliases(t *tree) (message string, offset int) {
	const free = 300_000
	w := aliasWalk{sizes: map[*yaml.Node]int{}, limit: free + len(t.source)}
	size := w.size(t.root)
	switch {
	case w.cycle != nil:
		return fmt.Sprintf("the anchor %q contains itself", w.cycle.Value), t.start(w.cycle)
	case size >= w.limit:
		return "the aliases of the document expand to too much data", t.start(t.root)
	}
	return "", 0
}

// aliasWalk measures nodes with their aliases expanded.
type aliasWalk struct {
	sizes map[*yaml.Node]int // of nodes with an anchor; 0 while being measured
	limit int
	cycle *yaml.Node
}

func (w *aliasWalk) size(n *yaml.Node) int {
	if n == nil {
		return 0
	}
	if n.Kind == yaml.AliasNode {
		size, seen := w.sizes[n.Alias]
		if seen && size == 0 {
			w.cycle = n
		}
		return size
	}
	if n.Anchor != "" {
		w.sizes[n] = 0
	}
	total := 1
	for _, c := range n.Content {
		total = min(w.limit, total+w.size(c))
	}
	if n.Anchor != "" {
		w.sizes[n] = total
	}
	return total
}
