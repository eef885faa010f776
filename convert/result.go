package convert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/similar"
	"github.com/drone-laptop/drone/manifest"
)

// Result is the Drone YAML that a file became, and the way back. Its methods may
// be called concurrently.
type Result struct {
	Text []byte
	// Name is what places in Text have for a file: the name of the file if that
	// is Drone YAML itself, and else one that no file has.
	Name string
	File string // that was converted
	// Maker is the program or the template that made Text, "" when there is none.
	Maker string
	// Files are the program and what it imports or loads, or the template.
	Files []string
	// Asked tells that a Starlark program has looked at facts of the build.
	Asked bool

	source     []byte // of File
	template   []byte // of Maker, if File asks for it
	isUse      bool   // File asks for a template
	isTemplate bool   // Maker is a template in YAML
	pieces     []Piece
	old        []byte     // what it made, when that was for an old version
	legacy     *Converted // from old to Text, may be nil

	once    sync.Once
	indexed resultIndex
}

// resultIndex is what is needed to find places. It is made when they are asked
// for.
type resultIndex struct {
	words              words // of the files that Text comes from
	madeAt, templateAt *places
	others             map[string][]byte // files of a program but itself
}

// Plain is the result for a file that need not be converted.
func Plain(name string, source []byte) *Result {
	return &Result{Text: source, Name: name, File: name, source: source}
}

// modernise converts a file for an old version of Drone that a template made.
func (r *Result) modernise(opts Options) error {
	if !IsLegacy(Detect(r.Maker, r.Text)) {
		return nil
	}
	old, err := Legacy(r.Name, r.Text, opts.Legacy)
	if e, ok := errors.AsType[*Error](err); ok {
		moved := *e
		if pos, found := r.sourceOf(e.Pos); found {
			moved.Pos = pos
		}
		return &moved
	}
	if err != nil {
		return err
	}
	r.old, r.legacy, r.Text = r.Text, old, old.Text
	for _, note := range old.Notes {
		if opts.Warn != nil && note.Severity != manifest.Info {
			at, found := r.sourceOf(note.Span.Start)
			if !found {
				at = manifest.Pos{File: r.Maker}
			}
			opts.Warn(place(at) + ": " + note.Message)
		}
	}
	return nil
}

// LeftOut are the steps that the file for an old version leaves out, see
// LegacyOptions.Local.
func (r *Result) LeftOut() []string {
	if r.legacy == nil {
		return nil
	}
	return r.legacy.LeftOut
}

// wholeInput is where a template uses its data as a whole, or by names that it
// computes.
var wholeInput = regexp.MustCompile(`\binput(?:[^.\w]|$)|\bextVar\([^'"]|"input\."|'input\.'`)

// Notes tell which data a file gives to a template that has no use for it: none
// of the files that make Text has its name.
func (r *Result) Notes() (notes []manifest.Problem) {
	if !r.isUse || r.Maker == "" {
		return nil
	}
	var texts []string
	for _, file := range r.Files {
		text := string(r.SourceOf(file))
		if wholeInput.MatchString(text) {
			return nil
		}
		texts = append(texts, text)
	}
	all := strings.Join(texts, "\n")
	known := map[string]bool{}
	for _, word := range anyWord.FindAllString(all, -1) {
		known[word] = true
	}
	u, err := readUse(r.File, r.source)
	if err != nil || u.node == nil {
		return nil
	}
	var wanted []string // by a template, and not given
	for _, m := range inputName.FindAllStringSubmatch(all, -1) {
		if u.data[m[1]] == nil {
			wanted = append(wanted, m[1])
		}
	}
	for i := 0; i+1 < len(u.node.Content); i += 2 {
		key := u.node.Content[i]
		if key.Value == "" || key.ShortTag() == "!!merge" || known[key.Value] || anyWord.FindString(key.Value) != key.Value && strings.Contains(all, key.Value) {
			continue
		}
		start := u.at(key)
		end := start
		end.Column += utf8.RuneCountInString(key.Value)
		end.Offset += len(key.Value)
		note := manifest.Problem{
			Severity: manifest.Warning, Rule: manifest.RuleUnusedData, Span: manifest.Span{Start: start, End: end},
			Message: fmt.Sprintf("%s has no use for %q", r.Maker, key.Value),
		}
		if best := similar.Word(key.Value, wanted); best != "" {
			note.Hint = "did you mean `" + best + "`?"
		}
		notes = append(notes, note)
	}
	return notes
}

var (
	anyWord   = regexp.MustCompile(`\w+`)
	inputName = regexp.MustCompile(`\binput\.(\w+)`) // is how a template asks for a value
)

// Era is the version of Drone before 1.0 that the file is for which a template
// made, "" for one of today.
func (r *Result) Era() string {
	if r.legacy == nil {
		return ""
	}
	return r.legacy.Version
}

// Adapt gives a plan that was made of Text the places of the files that were
// converted, and what Converted.Adapt gives it.
func (r *Result) Adapt(plan *exec.Plan) {
	if r.Maker == "" {
		return
	}
	plan.File = r.File
	if r.legacy != nil {
		r.legacy.Adapt(plan)
	}
	relocate(plan, func(pos manifest.Pos) (manifest.Pos, bool) {
		pos.Offset = r.index().madeAt.offset(pos.Line, pos.Column)
		return r.sourceOf(pos)
	})
}

// Lines gives for each line of Text the place that it comes from, without a file
// where that is not known. Of a template it is that of the first character, of a
// program that of the last value.
func (r *Result) Lines() []manifest.Pos {
	var out []manifest.Pos
	offset := 0
	for i, line := range strings.Split(strings.TrimSuffix(string(r.Text), "\n"), "\n") {
		at := len(line) - len(strings.TrimLeft(line, " \t"))
		if last := strings.LastIndexByte(line, '"'); !r.isTemplate && last > 0 {
			at = last - 1
		}
		column := utf8.RuneCountInString(line[:at]) + 1
		pos := manifest.Pos{File: r.Name, Line: i + 1, Column: column, Offset: offset + at}
		offset += len(line) + 1
		from := manifest.Pos{}
		if r.Maker == "" {
			from = manifest.Pos{File: r.File, Line: i + 1, Column: column}
		} else if source, found := r.sourceOfText(pos); found && strings.TrimSpace(line) != "" {
			from = source
		}
		out = append(out, from)
	}
	return out
}

// sourceOfText gives the place in a file that a place in Text comes from. Of a
// program that is where the text of the value stands, if it does so only once.
func (r *Result) sourceOfText(pos manifest.Pos) (manifest.Pos, bool) {
	if pos.File != r.Name || pos.Line == 0 {
		return pos, false
	}
	if r.legacy != nil {
		pos = r.legacy.Source(pos)
	}
	return r.sourceOf(pos)
}

// sourceOf is sourceOfText for what was made, before it was converted.
func (r *Result) sourceOf(pos manifest.Pos) (manifest.Pos, bool) {
	if r.isTemplate {
		return r.templateSpan(manifest.Span{Start: pos, End: pos}).Start, true
	}
	span, found := r.written(manifest.Span{Start: pos, End: pos})
	return span.Start, found
}

// made is what the program or template made, before it was converted.
func (r *Result) made() []byte {
	if r.legacy != nil {
		return r.old
	}
	return r.Text
}

// Problem gives a problem of Text with its places in the files that were
// converted, as far as they are known; else it is one of the program as a whole.
// The line of Text is quoted in it unless it stands in the template. What would
// mend Text cannot mend those files.
func (r *Result) Problem(p manifest.Problem) manifest.Problem {
	if r.Maker == "" || p.Span.Start.File != r.Name {
		return p
	}
	switch {
	case p.Rule == manifest.RuleLegacy && r.legacy == nil:
		p.Hint = "a server converts nothing that a program makes: let it make `kind: pipeline` with a list of `steps`"
	case p.Rule == "no-pipeline" && strings.Contains(p.Message, "names a template"):
		p.Hint = "a server fills in one template and no more: let " + r.Maker + " make the pipeline itself"
	}
	in, related := p.Span, p.Related
	span := in
	if r.legacy != nil {
		span = r.legacy.Span(in)
	}
	p.Fix, p.Related, p.Span = nil, nil, manifest.Span{Start: manifest.Pos{File: r.Maker}}
	if r.isTemplate {
		p.Span = r.templateSpan(span)
		if given, found := r.given(span.Start.Offset); found {
			p.Related = append(p.Related, manifest.Related{Span: given, Message: "the value comes from here"})
		}
	} else if at, found := r.written(span); found {
		p.Span = at
	} else if at, found := r.words().find(p.Step); found && p.Step != "" {
		p.Span = at
	} else if at, found := r.words().find(p.Pipeline); found && p.Pipeline != "" {
		p.Span = at
	}
	if quote := r.quote(in.Start); quote != "" && !r.standsThere(in.Start, p.Span.Start) {
		p.Related = append(p.Related, manifest.Related{Message: quote})
	}
	for _, other := range related {
		if at, found := r.sourceOfText(other.Span.Start); found {
			other.Span = manifest.Span{Start: at, End: at}
		} else if quote := r.quote(other.Span.Start); quote != "" {
			other.Span, other.Message = manifest.Span{}, other.Message+": "+quote
		}
		p.Related = append(p.Related, other)
	}
	return p
}

// standsThere reports whether the line of a place in Text is just so in the
// template.
func (r *Result) standsThere(made, template manifest.Pos) bool {
	if !r.isTemplate {
		return false
	}
	a, b := lineAround(r.Text, made.Offset)
	c, d := lineAround(r.template, template.Offset)
	return bytes.Equal(bytes.TrimSpace(r.Text[a:b]), bytes.TrimSpace(r.template[c:d]))
}

// maxQuote is how much of a line is worth reading, in characters.
const maxQuote = 120

// quote shows the line of Text that a place is in, "" for a place without one.
func (r *Result) quote(pos manifest.Pos) string {
	if pos.Line == 0 || pos.File != r.Name {
		return ""
	}
	start, end := lineAround(r.Text, pos.Offset)
	line := strings.TrimSpace(string(r.Text[start:end]))
	if line == "" {
		return ""
	}
	if runes := []rune(line); len(runes) > maxQuote {
		line = string(runes[:maxQuote]) + "…"
	}
	return fmt.Sprintf("in what it makes, line %d, column %d: %s", pos.Line, pos.Column, line)
}

// lineAround are the offsets of the line that an offset is in.
func lineAround(text []byte, offset int) (start, end int) {
	offset = min(max(offset, 0), len(text))
	start = bytes.LastIndexByte(text[:offset], '\n') + 1
	if end = bytes.IndexByte(text[offset:], '\n'); end < 0 {
		return start, len(text)
	}
	return start, offset + end
}

// templateSpan is what a part of what the template made comes from.
func (r *Result) templateSpan(span manifest.Span) manifest.Span {
	first := pieceAt(r.pieces, span.Start.Offset)
	from, to := first.From, first.From
	if first.Text {
		from += span.Start.Offset - first.Start
		_, to = lineAround(r.template, from)
		if pieceAt(r.pieces, max(span.Start.Offset, span.End.Offset-1)) == first {
			to = from + span.End.Offset - span.Start.Offset
		}
	} else if length := bytes.Index(r.template[min(from, len(r.template)):], []byte("}}")); length > 0 {
		to += len(bytes.TrimRight(r.template[from:from+length], " \t-"))
	}
	return manifest.Span{Start: r.index().templateAt.of(from), End: r.index().templateAt.of(max(from, to))}
}

// given is where the file that asks for the template has the value that an
// action of the template has written at an offset.
func (r *Result) given(offset int) (manifest.Span, bool) {
	at := pieceAt(r.pieces, offset)
	if at.Text {
		return manifest.Span{}, false
	}
	end := len(r.made())
	for _, next := range r.pieces {
		if next.Start > at.Start {
			end = next.Start
			break
		}
	}
	return r.words().find(string(r.made()[at.Start:end]))
}

// written is where the string of JSON that a span is in stands in the files of
// the program.
func (r *Result) written(span manifest.Span) (manifest.Span, bool) {
	text := r.made()
	start, end := lineAround(text, span.Start.Offset)
	for i := start; i < end; i++ {
		if text[i] != '"' {
			continue
		}
		first := i + 1
		for i = first; i < end && text[i] != '"'; i++ {
			if text[i] == '\\' {
				i++
			}
		}
		if i >= end || span.Start.Offset < first-1 || span.Start.Offset > i {
			continue
		}
		var value string
		if json.Unmarshal(text[first-1:i+1], &value) != nil {
			return manifest.Span{}, false
		}
		at, found := r.words().find(value)
		if found && len(value) == i-first && at.End.Offset-at.Start.Offset == len(value) {
			at = part(value, at, span.Start.Offset-first, span.End.Offset-first)
		}
		return at, found
	}
	return manifest.Span{}, false
}

// part is the part of a text in one line from one offset to another, which may
// be outside of it.
func part(text string, at manifest.Span, from, to int) manifest.Span {
	from = min(max(from, 0), len(text))
	to = min(max(to, from), len(text))
	move := func(n int) manifest.Pos {
		pos := at.Start
		pos.Offset += n
		pos.Column += utf8.RuneCountInString(text[:n])
		return pos
	}
	return manifest.Span{Start: move(from), End: move(to)}
}

func (r *Result) words() words { return r.index().words }

func (r *Result) index() *resultIndex {
	r.once.Do(func() {
		x := &r.indexed
		x.words, x.others = words{}, map[string][]byte{}
		x.madeAt, x.templateAt = newPlaces(r.Name, string(r.made())), newPlaces(r.Maker, string(r.template))
		data := words{}
		if r.isUse {
			data.ofUse(r.File, r.source)
		}
		for _, file := range r.Files {
			if r.isTemplate {
				break
			}
			text := r.ownSource(file)
			if text == nil {
				var err error
				if text, err = readModule(file); err != nil {
					continue // what is gone has no places
				}
				x.others[file] = text
			}
			x.words.ofProgram(file, text)
		}
		for word, spans := range data {
			if len(x.words[word]) == 0 {
				x.words[word] = spans
			}
		}
	})
	return &r.indexed
}

// ownSource is the text of File or Maker, nil for any other file.
func (r *Result) ownSource(file string) []byte {
	switch {
	case file == r.Maker && r.isUse:
		return r.template
	case file == r.File:
		return r.source
	}
	return nil
}

// SourceOf gives the text of a file that places of Problem are in,
// nil for any other.
func (r *Result) SourceOf(file string) []byte {
	if text := r.ownSource(file); text != nil || r.Maker == "" {
		return text
	}
	return r.index().others[file]
}
