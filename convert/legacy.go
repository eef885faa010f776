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
	"unicode/utf8"

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
	// Adapt is for a text that a plan is made of with the version as its
	// compile.Options.Era, and that is given to Converted.Adapt.
	Adapt bool
}

// Limits on what becomes of a file. Drone had the first one for the products of
// a matrix, and none for the second: every include was a job.
const (
	maxProduct   = 27
	maxIncludes  = 500
	maxTagsOfOne = 12
	maxNodes     = 400_000
	maxEdges     = 100_000 // of the graph of one pipeline
	maxComments  = 200     // that are told to be gone
	maxMatrix    = 8 << 20 // bytes that all combinations become
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
	guess  bool // nothing in the file shows whether it is for 0.5 or 0.8
	source *sourceText
	lines  map[int][]origin // by line of Text
}

// IsLegacy reports whether a format is that of a file for Drone 0.4 to 0.8.
func IsLegacy(f Format) bool { return f == FormatLegacy04 || f == FormatLegacy08 }

// Upstream reports whether a server of Drone 1.0 or later takes a file for one
// of Drone 0.8: it has a line with nothing but `pipeline:`.
func Upstream(source []byte) bool { return manifest.LineOf(source, "pipeline:", pipelineLine) >= 0 }

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
	for i, job := range jobs {
		if err := l.document(&b, text, job.axis, job.index); err != nil {
			return nil, err
		}
		if b.Len() > maxMatrix && len(jobs) > 1 {
			return nil, l.errorAt(keyOf(l.root, "matrix"), "pick some with --matrix NAME=VALUE",
				"the file becomes too large: the matrix has %d combinations, and %d of them make more than %d MiB", len(jobs), i+1, maxMatrix>>20)
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
	if !opts.Adapt && len(opts.Axis) == 0 {
		l.noteComments()
	}
	l.out.Notes = l.sortedNotes()
	return l.out, nil
}

// legacy is one conversion.
type legacy struct {
	at       *indexed
	name     string
	opts     LegacyOptions
	out      *Converted
	root     []entry // of the file as it stands
	parsed   *yaml.Node
	comments []string // lines of them
	key      *yaml.Node
	notes    map[string]bool // that there are
	nodes    int             // that were made, see maxNodes
	names    map[string]bool // of pipelines
	text     string          // as it stands
	masked   *maskedText     // the text that is being converted
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
	l.masked = &maskedText{}
	if !utf8.ValidString(text) || strings.Contains(text, "\x00") {
		if err := l.explained(text); err != nil {
			return "", err
		}
	}
	l.masked = mask(text)
	decoder := yaml.NewDecoder(strings.NewReader(l.masked.text))
	root, err := l.parse(decoder)
	if err != nil {
		return "", err
	}
	l.comments = commentLines(root, nil)
	if l.root, err = l.mapping(root.Content[0], "the file"); err != nil {
		return "", err
	}
	if err := l.findVersion(root.Content[0]); err != nil {
		return "", err
	}
	l.parsed = root
	if l.key != nil {
		l.out.Key.Start = l.at.place(l.key.Line, l.key.Column)
		l.out.Key.End = l.at.place(l.key.Line, l.key.Column+len([]rune(l.key.Value)))
	}
	l.noteFurther(decoder)
	l.noteEscapes(text)
	l.noteExpressions(text)
	l.noteGone(text)
	return text, nil
}

// noteFurther tells of documents after the first one, which Drone did not read.
func (l *legacy) noteFurther(decoder *yaml.Decoder) {
	var next yaml.Node
	if decoder.Decode(&next) == nil {
		l.lost(next.Content[0], "", "Drone %s read only the first document of a file, so this one is left out", l.out.Version)
	}
}

// commentLines adds the lines of all comments of a node.
func commentLines(n *yaml.Node, lines []string) []string {
	for _, comment := range []string{n.HeadComment, n.LineComment, n.FootComment} {
		for line := range strings.Lines(comment) {
			if line = strings.TrimSpace(line); len(line) > 1 {
				lines = append(lines, line)
			}
		}
	}
	for _, c := range n.Content {
		lines = commentLines(c, lines)
	}
	return lines
}

// noteComments tells of comments that are gone with what they were about.
func (l *legacy) noteComments() {
	kept, lost := map[string]bool{}, 0
	for line := range strings.Lines(string(l.out.Text)) {
		if _, comment, ok := strings.Cut(line, "#"); ok {
			kept["#"+strings.TrimSpace(comment)] = true
		}
	}
	for _, line := range l.comments {
		plain := "#" + strings.TrimSpace(strings.TrimPrefix(l.masked.restore(line), "#"))
		if kept[plain] {
			continue
		}
		at := strings.Index(l.text, line)
		if at < 0 || strings.Contains(string(l.out.Text), line) {
			continue
		}
		l.note(manifest.Info, l.at.node(at), "", "the comment is gone with what it was about")
		if lost++; lost == maxComments {
			return
		}
	}
}

// findVersion tells the versions apart by what only one of them knew.
func (l *legacy) findVersion(root *yaml.Node) error {
	_, l.key = legacyKeyOf(root)
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
		version, l.out.guess = Version08, !l.looksLike06()
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
	clones := slices.ContainsFunc(entries(get(l.root, "pipeline")), func(step entry) bool { return step.key.Value == "clone" })
	return clones && !l.looksLike06()
}

// looksLike06 reports whether the file has something that came with Drone 0.6.
func (l *legacy) looksLike06() bool {
	return get(l.root, "clone") != nil || slices.ContainsFunc(entries(get(l.root, "pipeline")), func(step entry) bool {
		return slices.ContainsFunc(entries(step.value), func(field entry) bool { return field.key.Value == "secrets" || field.key.Value == "group" })
	})
}

func (l *legacy) before06() bool { return l.out.Version != Version08 }

// document writes the pipeline of one combination of the matrix.
func (l *legacy) document(b *bytes.Buffer, text string, axis axis, index int) error {
	text, source := l.substituted(text, axis, index)
	l.out.source = source
	root, masked, err := l.parsedAs(text)
	if err != nil {
		return err
	}
	l.masked = masked
	top, err := l.mapping(root.Content[0], "the file")
	if err != nil {
		return err
	}
	p := &pipeline{
		legacy: l, axis: axis, index: index,
		volumes: map[string]string{}, volumeNames: map[string]bool{}, stepNames: map[string]int{},
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
		heading := l.root[0].key.HeadComment
		if heading == root.HeadComment || slices.Contains(commentLines(document, nil), strings.TrimSpace(strings.SplitN(heading, "\n", 2)[0])) {
			heading = "" // it is there
		}
		document.HeadComment = joinComments(root.HeadComment, heading, document.HeadComment)
	}
	if err := l.write(b, document, masked, !first); err != nil || !first {
		return err
	}
	foot := masked.restore(joinComments(top[len(top)-1].key.FootComment, root.FootComment))
	if foot != "" && !strings.Contains(b.String(), foot) { // what it was below is gone
		b.WriteString("\n" + foot + "\n")
	}
	return nil
}

func joinComments(comments ...string) string {
	return strings.Join(slices.DeleteFunc(comments, func(c string) bool { return c == "" }), "\n\n")
}

// parsedAs is the first document of a text. That of the file as it stands has
// been read, and serves once.
func (l *legacy) parsedAs(text string) (*yaml.Node, *maskedText, error) {
	if l.parsed != nil && text == l.text {
		root := l.parsed
		l.parsed = nil
		return root, l.masked, nil
	}
	masked := mask(text)
	l.masked = masked
	root, err := l.parse(yaml.NewDecoder(strings.NewReader(masked.text)))
	return root, masked, err
}

// parse reads the next document.
func (l *legacy) parse(decoder *yaml.Decoder) (*yaml.Node, error) {
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if e := l.explained(l.masked.text); e != nil {
			return nil, e
		}
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

// explained is what keeps a text from being read as YAML, nil without anything.
func (l *legacy) explained(text string) error {
	problems := manifest.Unreadable(l.name, []byte(text))
	if len(problems) == 0 {
		return nil
	}
	p := problems[0]
	if p.Rule == manifest.RuleEncoding {
		return &Error{Pos: p.Span.Start, Message: p.Message, Hint: p.Hint}
	}
	line, column := l.out.source.original(p.Span.Start.Line, p.Span.Start.Column)
	return &Error{Pos: l.at.place(line, column), Message: l.masked.restore(p.Message), Hint: p.Hint}
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

// spaced puts blank lines between the sections of a document and its steps.
func spaced(text string) string {
	lines := strings.SplitAfter(text, "\n")
	var out strings.Builder
	for i, line := range lines {
		if i > 0 && !strings.HasPrefix(strings.TrimLeft(lines[i-1], " "), "#") && !opens(lines[i-1]) &&
			strings.TrimSpace(lines[i-1]) != "" && opensBlock(lines[i:]) {
			out.WriteString("\n")
		}
		out.WriteString(line)
	}
	return out.String()
}

// opens reports whether a line is a key whose value is on the lines after it.
func opens(line string) bool {
	line, _, _ = strings.Cut(line, " #")
	return strings.HasSuffix(strings.TrimRight(line, " \n"), ":")
}

// opensBlock reports whether lines begin with a section or an item of one, or
// with the comments before it.
func opensBlock(lines []string) bool {
	for _, line := range lines {
		if strings.HasPrefix(strings.TrimLeft(line, " "), "#") || strings.TrimSpace(line) == "" {
			continue
		}
		section := line[0] != ' ' && line[0] != '-' && opens(line) && line != "get:\n"
		return section || strings.HasPrefix(line, "  - name:")
	}
	return false
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
