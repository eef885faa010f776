package convert

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/manifest"
)

// The versions of Drone whose files Legacy reads. Those of 0.6 and 0.7 are read
// as 0.8 reads them.
const (
	Version04 = "0.4"
	Version05 = "0.5"
	Version08 = "0.8"
)

// LegacyVersions are the versions that can be asked for.
func LegacyVersions() []string { return []string{Version04, Version05, Version08} }

// LegacyOptions say how a file for Drone 0.4 to 0.8 is read. The zero value
// reads a file as its structure says and keeps all of it.
type LegacyOptions struct {
	// Version is the version of Drone that the file is for, "" to find out.
	Version string
	// Axis picks the combinations of the matrix that have all these values.
	Axis map[string]string
	// Link is the address of the repository, which the folder of the source code
	// was named after; it may be empty.
	Link string
	// Local leaves out what did not run on the machine of a developer: the
	// clone, and steps with `local: false`.
	Local bool
	// Environment adds all variables that Drone had then and has no more, not
	// only those that the text names.
	Environment bool
}

// Limits on what becomes of a file. Drone had the first one for the products of
// a matrix, and none for the second: every include was a job.
const (
	maxProduct   = 27
	maxIncludes  = 500
	maxTagsOfOne = 12
	maxNodes     = 400_000
)

// Converted is the Drone YAML that a file for an old version became.
type Converted struct {
	Version string
	Text    []byte
	// Key is the place of the key that shows for which version the file is.
	Key manifest.Span
	// Notes tell what has no equivalent, or another meaning than one would
	// think. Their places are in the file that was converted. A Warning is
	// about what is lost or changes; an Info about what was lost already.
	Notes []manifest.Problem
	// LeftOut are the steps that are not for the machine of a developer, see
	// LegacyOptions.Local.
	LeftOut []string

	at     *indexed
	source *sourceText
	lines  map[int][]origin // by line of Text
}

// origin tells where a value of the converted text comes from.
type origin struct {
	column int // where the value begins in the converted line
	line   int // of the source
	from   int // its column there, 0 when the value was not in the source
}

// IsLegacy reports whether a format is that of a file for Drone 0.4 to 0.8.
func IsLegacy(f Format) bool { return f == FormatLegacy04 || f == FormatLegacy08 }

// Upstream reports whether a server of Drone 1.0 or later takes a file for one
// of Drone 0.8: it has a line with nothing but `pipeline:`.
func Upstream(source []byte) bool { return findLine(source, "pipeline:", pipelineLine) >= 0 }

// Legacy gives the Drone YAML that means what a file for Drone 0.4 to 0.8 meant.
//
// Each combination of the values of a matrix becomes a pipeline that has the
// values as its name. Comments stay with what they are about. What cannot be
// said in Drone YAML is left out, and there is a note for it.
//
// The error is an *Error.
func Legacy(name string, source []byte, opts LegacyOptions) (*Converted, error) {
	at := newIndexed(name, string(source))
	l := &legacy{name: name, at: at, opts: opts, out: &Converted{at: at, lines: map[int][]origin{}}}
	text, err := l.read(string(source))
	if err != nil {
		return nil, err
	}
	jobs, err := l.jobs()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	for _, job := range jobs {
		if err := l.document(&b, text, job.axis, job.index); err != nil {
			return nil, err
		}
	}
	if b.Len() == 0 {
		return nil, l.errorAt(l.key, "look at `when` of the steps", "the conditions leave no step of the file")
	}
	for i, secret := range l.secretDocuments() {
		if err := l.write(&b, secret, &maskedText{}, len(jobs)+i > 0); err != nil {
			return nil, err
		}
	}
	l.out.Text = b.Bytes()
	l.out.Notes = l.sortedNotes()
	return l.out, nil
}

// legacy is one conversion.
type legacy struct {
	at     *indexed
	name   string
	opts   LegacyOptions
	out    *Converted
	root   []entry // of the file as it stands
	key    *yaml.Node
	notes  map[string]bool // that there are
	nodes  int             // that were made, see maxNodes
	names  map[string]bool // of pipelines
	text   string          // as it stands
	masked *maskedText     // the text that is being converted
}

// The error of a place in the source.
func (l *legacy) errorAt(n *yaml.Node, hint, format string, args ...any) *Error {
	pos := manifest.Pos{File: l.name}
	if n != nil {
		pos = l.at.place(n.Line, n.Column)
	}
	return &Error{Pos: pos, Message: l.sprintf(format, args), Hint: hint}
}

// sprintf formats a text with the expressions as they are in the file.
func (l *legacy) sprintf(format string, args []any) string {
	for i, arg := range args {
		if s, ok := arg.(string); ok && l.masked != nil {
			args[i] = l.masked.restore(s)
		}
	}
	return fmt.Sprintf(format, args...)
}

// note tells of a place in the source, once.
func (l *legacy) note(severity manifest.Severity, n *yaml.Node, hint, format string, args ...any) {
	message := l.sprintf(format, args)
	line, column := l.out.source.original(n.Line, n.Column)
	id := fmt.Sprintf("%d:%d:%s", line, column, message)
	if l.notes[id] {
		return
	}
	l.notes[id] = true
	start := l.at.place(line, column)
	end := start
	if width := len([]rune(strings.SplitN(n.Value, "\n", 2)[0])); n.Kind == yaml.ScalarNode && n.Style == 0 {
		end = l.at.place(line, column+width)
	}
	l.out.Notes = append(l.out.Notes, manifest.Problem{
		Severity: severity, Rule: manifest.RuleLegacy, Message: message, Hint: hint, Span: manifest.Span{Start: start, End: end},
	})
}

// lost notes what is left out because nothing of today does the same.
func (l *legacy) lost(n *yaml.Node, hint, format string, args ...any) {
	l.note(manifest.Warning, n, hint, format, args...)
}

func (l *legacy) sortedNotes() []manifest.Problem {
	slices.SortStableFunc(l.out.Notes, func(a, b manifest.Problem) int {
		return a.Span.Start.Offset - b.Span.Start.Offset
	})
	return l.out.Notes
}

// read reads the file as it stands and finds its version.
func (l *legacy) read(text string) (string, error) {
	l.text, l.notes, l.names = text, map[string]bool{}, map[string]bool{}
	l.out.source = &sourceText{}
	l.masked = mask(text)
	root, err := l.parse(l.masked.text)
	if err != nil {
		return "", err
	}
	if l.root, err = l.mapping(root.Content[0], "the file"); err != nil {
		return "", err
	}
	if err := l.findVersion(); err != nil {
		return "", err
	}
	if l.key != nil {
		l.out.Key.Start = l.at.place(l.key.Line, l.key.Column)
		l.out.Key.End = l.at.place(l.key.Line, l.key.Column+len([]rune(l.key.Value)))
	}
	l.noteFurther(l.masked.text)
	return text, nil
}

// noteFurther tells of documents after the first one, which Drone did not read.
func (l *legacy) noteFurther(text string) {
	var first, next yaml.Node
	decoder := yaml.NewDecoder(strings.NewReader(text))
	if decoder.Decode(&first) == nil && decoder.Decode(&next) == nil {
		l.lost(next.Content[0], "", "Drone %s read only the first document of a file, so this one is left out", l.out.Version)
	}
}

// findVersion tells the versions apart by what only one of them knew.
func (l *legacy) findVersion() error {
	_, l.key = legacyKey([]byte(l.masked.text))
	if l.key == nil && len(l.root) > 0 {
		l.key = l.root[0].key
	}
	version := l.opts.Version
	switch {
	case version != "":
		if !slices.Contains(LegacyVersions(), version) {
			return &Error{Message: fmt.Sprintf("there is no format of Drone %q", version), Hint: "there are " + strings.Join(LegacyVersions(), ", ")}
		}
	case get(l.root, "pipeline") == nil && get(l.root, "script") == nil:
		version = Version04
	case l.looksLike05():
		version = Version05
	default:
		version = Version08
	}
	l.out.Version = version
	return nil
}

// looksLike05 reports whether the pipeline clones by itself, which Drone 0.6
// moved to the top, and has nothing that came with 0.6.
func (l *legacy) looksLike05() bool {
	if get(l.root, "pipeline") == nil { // script was its name before 0.5
		return true
	}
	if get(l.root, "clone") != nil {
		return false
	}
	clones := false
	for _, step := range entries(get(l.root, "pipeline")) {
		clones = clones || step.key.Value == "clone"
		for _, field := range entries(step.value) {
			if field.key.Value == "secrets" || field.key.Value == "group" {
				return false
			}
		}
	}
	return clones
}

func (l *legacy) before06() bool { return l.out.Version != Version08 }

// document writes the pipeline of one combination of the matrix.
func (l *legacy) document(b *bytes.Buffer, text string, axis axis, index int) error {
	text, source := l.substituted(text, axis, index)
	l.out.source = source
	masked := mask(text)
	l.masked = masked
	root, err := l.parse(masked.text)
	if err != nil {
		return err
	}
	top, err := l.mapping(root.Content[0], "the file")
	if err != nil {
		return err
	}
	p := &pipeline{
		legacy: l, axis: axis, index: index,
		volumes: map[string]string{}, volumeNames: map[string]bool{}, stepNames: map[string]bool{},
	}
	document, err := p.convert(top)
	if err != nil {
		return err
	}
	if document == nil {
		of := l.key
		if len(axis) > 0 && axis[0].from != nil {
			of = axis[0].from
		}
		l.note(manifest.Warning, of, "", "the conditions leave no step of %s, so there is no such pipeline", cmp.Or(axis.String(), "the file"))
		return nil
	}
	first := b.Len() == 0
	if first {
		document.HeadComment = joinComments(root.HeadComment, document.HeadComment)
	}
	return l.write(b, document, masked, !first)
}

func joinComments(comments ...string) string {
	return strings.Join(slices.DeleteFunc(comments, func(c string) bool { return c == "" }), "\n\n")
}

// parse reads the first document of a text.
func (l *legacy) parse(text string) (*yaml.Node, error) {
	var document yaml.Node
	if err := yaml.NewDecoder(strings.NewReader(text)).Decode(&document); err != nil {
		e := l.errorAt(nil, "", "the file is no YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
		if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
			line, _ := strconv.Atoi(m[1])
			e.Pos = l.at.place(line, 0)
			e.Message = "the file is no YAML: " + m[2]
		}
		return nil, e
	}
	return &document, nil
}

var yamlLine = regexp.MustCompile(`line (\d+): (.*)`)

// write writes a document and remembers where its values come from.
func (l *legacy) write(b *bytes.Buffer, document *yaml.Node, masked *maskedText, further bool) error {
	unbracket(document, masked)
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(document); err != nil {
		return l.errorAt(l.key, "", "the file cannot be written as Drone YAML: %s", err)
	}
	if err := enc.Close(); err != nil {
		return l.errorAt(l.key, "", "the file cannot be written as Drone YAML: %s", err)
	}
	text := spaced(out.String())
	if further {
		b.WriteString("\n---\n")
	} else {
		b.WriteString("---\n")
	}
	before := bytes.Count(b.Bytes(), []byte("\n"))
	var again yaml.Node
	if err := yaml.Unmarshal([]byte(text), &again); err != nil {
		return l.errorAt(l.key, "", "the file cannot be written as Drone YAML: %s", err)
	}
	l.trace(document, again.Content[0], before, document.Line, document.Column)
	b.WriteString(masked.restore(text))
	return nil
}

// unbracket takes expressions without quotes out of brackets: a server reads the
// file also before it substitutes, and `{` has a meaning there.
func unbracket(n *yaml.Node, masked *maskedText) (bare bool) {
	for _, c := range n.Content {
		bare = unbracket(c, masked) || bare
	}
	if bare {
		n.Style &^= yaml.FlowStyle
	}
	return bare || n.Kind == yaml.ScalarNode && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0 && masked.has(n.Value)
}

// trace remembers for every value of what was written where the node that it
// was written from stands in the source. A node that was made has the place of
// the one around it.
func (l *legacy) trace(made, written *yaml.Node, before, line, column int) {
	known := 0
	if made.Line > 0 {
		line, column = l.out.source.original(made.Line, made.Column)
		known = column
	}
	if line > 0 {
		at := before + written.Line
		l.out.lines[at] = append(l.out.lines[at], origin{column: written.Column, line: line, from: known})
		if block := yaml.LiteralStyle | yaml.FoldedStyle; made.Line > 0 && made.Style&block != 0 && written.Style&block != 0 {
			for i := range strings.Count(made.Value, "\n") + 1 {
				l.out.lines[at+1+i] = append(l.out.lines[at+1+i], origin{column: 1, line: line + 1 + i})
			}
		}
	}
	for i := range min(len(made.Content), len(written.Content)) {
		l.trace(made.Content[i], written.Content[i], before, line, column)
	}
}

// spaced puts blank lines between the sections of a document and its steps.
func spaced(text string) string {
	lines := strings.SplitAfter(text, "\n")
	var out strings.Builder
	for i, line := range lines {
		if i > 0 && opensBlock(lines[i:]) && !strings.HasPrefix(strings.TrimLeft(lines[i-1], " "), "#") &&
			!strings.HasSuffix(lines[i-1], ":\n") && strings.TrimSpace(lines[i-1]) != "" {
			out.WriteString("\n")
		}
		out.WriteString(line)
	}
	return out.String()
}

// opensBlock reports whether lines begin with a section or an item of one, or
// with the comments before it.
func opensBlock(lines []string) bool {
	for _, line := range lines {
		if strings.HasPrefix(strings.TrimLeft(line, " "), "#") || strings.TrimSpace(line) == "" {
			continue
		}
		section := line[0] != ' ' && line[0] != '-' && strings.HasSuffix(line, ":\n") && line != "get:\n"
		return section || strings.HasPrefix(line, "  - name:")
	}
	return false
}

// Source gives the place in the file that was converted for a place in Text:
// the very value, or what it was made of.
func (c *Converted) Source(pos manifest.Pos) manifest.Pos {
	if pos.Line == 0 {
		return manifest.Pos{File: c.at.file}
	}
	line := pos.Line
	for line > 0 && len(c.lines[line]) == 0 {
		line--
	}
	var best *origin
	for i := range c.lines[line] {
		if o := &c.lines[line][i]; best == nil || o.column <= pos.Column && (o.column > best.column || o.column == best.column && o.from > 0) {
			best = o
		}
	}
	if best == nil {
		return c.at.place(1, 1)
	}
	if best.from == 0 {
		text := c.at.line(best.line)
		return c.at.place(best.line, len([]rune(text))-len([]rune(strings.TrimLeft(text, " ")))+1)
	}
	column := best.from
	if line == pos.Line {
		column += max(0, pos.Column-best.column)
	}
	if rest := len([]rune(c.at.line(best.line))) + 1; column > rest {
		column = rest
	}
	return c.at.place(best.line, column)
}

// Span is Source for both ends of a span. The end stays on the line of the start.
func (c *Converted) Span(span manifest.Span) manifest.Span {
	out := manifest.Span{Start: c.Source(span.Start), End: c.Source(span.End)}
	if out.End.Line != out.Start.Line || out.End.Offset < out.Start.Offset {
		out.End = out.Start
	}
	return out
}

// Problem gives a problem of the converted text with its places in the file that
// was converted. What would mend the text cannot mend that file.
func (c *Converted) Problem(p manifest.Problem) manifest.Problem {
	p.Span, p.Fix = c.Span(p.Span), nil
	p.Related = slices.Clone(p.Related)
	for i := range p.Related {
		p.Related[i].Span = c.Span(p.Related[i].Span)
	}
	return p
}

// secretDocuments are those of `secrets` at the top: names of secrets that are
// kept elsewhere.
func (l *legacy) secretDocuments() (out []*yaml.Node) {
	key := keyOf(l.root, "secrets")
	if key == nil {
		return nil
	}
	found := entries(get(l.root, "secrets"))
	slices.SortStableFunc(found, func(a, b entry) int { return strings.Compare(a.key.Value, b.key.Value) })
	for _, e := range found {
		fields := entries(e.value)
		path, name := get(fields, "path"), ""
		if path == nil {
			path = get(fields, "vault")
		}
		if options := entries(get(fields, "driver_opts")); path == nil && len(options) > 0 {
			path = get(options, "path")
			if k := get(options, "key"); k != nil {
				name = k.Value
			}
		}
		if path == nil || path.Kind != yaml.ScalarNode {
			l.lost(e.key, "add the secret on the server, or with --secret-file here", "the secret %q is read from elsewhere than a path of Vault", e.key.Value)
			continue
		}
		from := newMap(path)
		set(from, "path", text(path.Value, path))
		if name != "" {
			set(from, "name", text(name, path))
		}
		document := newMap(e.key)
		document.HeadComment = e.key.HeadComment
		set(document, "kind", text("secret", nil))
		set(document, "name", text(e.key.Value, e.key))
		set(document, "get", from)
		out = append(out, document)
	}
	return out
}

// indexed is a text whose lines are found without reading all before them.
type indexed struct {
	file, text string
	starts     []int // of the lines
}

func newIndexed(file, text string) *indexed {
	l := &indexed{file: file, text: text, starts: []int{0}}
	for i := range len(text) {
		if text[i] == '\n' {
			l.starts = append(l.starts, i+1)
		}
	}
	return l
}

// line is the text of a line, "" for one that is not there.
func (l *indexed) line(number int) string {
	if number < 1 || number > len(l.starts) {
		return ""
	}
	text, _, _ := strings.Cut(l.text[l.starts[number-1]:], "\n")
	return strings.TrimSuffix(text, "\r")
}

// place makes a place of a line and a column in code points, 0 for no column.
func (l *indexed) place(line, column int) manifest.Pos {
	pos := manifest.Pos{File: l.file, Line: line, Column: column}
	if line < 1 || line > len(l.starts) {
		return pos
	}
	pos.Offset = l.starts[line-1]
	n := 1
	for i := range l.line(line) {
		if n >= column {
			pos.Offset += i
			return pos
		}
		n++
	}
	if column > 1 {
		pos.Offset += len(l.line(line))
	}
	return pos
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
