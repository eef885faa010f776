// Package convert turns configuration files that are not Drone YAML into Drone
// YAML, as the server does before it reads them (reference §11.6).
//
// It evaluates Jsonnet and Starlark, renders templates, and gives files for Drone
// 0.4 to 0.8 the form of today. It does not check what comes out: that is the
// business of the packages that read Drone YAML. It reads no files but those that
// a program imports or loads, and templates.
//
// Functions may be called concurrently.
package convert

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/manifest"
)

// Format is a kind of configuration file.
type Format string

// The formats that Detect tells apart.
const (
	FormatDrone    Format = "drone"     // YAML of Drone 1.0 and later
	FormatJsonnet  Format = "jsonnet"   // .jsonnet
	FormatStarlark Format = "starlark"  // .star, .starlark, .script
	FormatTemplate Format = "template"  // YAML with kind: template
	FormatLegacy08 Format = "drone 0.8" // YAML of Drone 0.5 to 0.8
	FormatLegacy04 Format = "drone 0.4" // YAML of Drone 0.4
)

// Error is a file that cannot be converted, with the place in the file where
// it goes wrong. That place can be in a file that was imported.
type Error struct {
	Pos     manifest.Pos
	Message string
	Hint    string // what to do, may be empty
	// Stack is how the program came to Pos, the nearest place first.
	Stack []Frame
	// Use tells that a template is wrongly asked for, so that nothing of it was
	// read. Absent tells that it is not on this machine.
	Use, Absent bool
}

// Frame is a place in a program where it called what the error is in.
type Frame struct {
	Pos  manifest.Pos
	Name string // of the function that the place is in, may be empty
}

// Error is file:line:col: message, without the parts that are not known.
func (e *Error) Error() string {
	if e.Pos.File == "" {
		return e.Message
	}
	return place(e.Pos) + ": " + e.Message
}

// maxFrames is how much of a stack is worth reading.
const maxFrames = 20

// Frames are the stack without the middle of a long one, and how many frames
// that has.
func (e *Error) Frames() (frames []Frame, left int) {
	if left = len(e.Stack) - maxFrames; left <= 0 {
		return e.Stack, 0
	}
	return slices.Concat(e.Stack[:maxFrames/2], e.Stack[maxFrames/2+left:]), left
}

// Trace are the frames in lines, "" without one.
func (e *Error) Trace() string {
	var b strings.Builder
	frames, left := e.Frames()
	for i, f := range frames {
		if i == maxFrames/2 && left > 0 {
			fmt.Fprintf(&b, "\n  … %d more", left)
		}
		b.WriteString("\n  from " + place(f.Pos))
		if f.Name != "" {
			b.WriteString(", in " + f.Name)
		}
	}
	return strings.TrimPrefix(b.String(), "\n")
}

func place(pos manifest.Pos) string {
	switch {
	case pos.Line == 0:
		return pos.File
	case pos.Column == 0:
		return fmt.Sprintf("%s:%d", pos.File, pos.Line)
	}
	return fmt.Sprintf("%s:%d:%d", pos.File, pos.Line, pos.Column)
}

// Options are what programs and templates are given. The zero value is what a
// server gives for a build without facts.
type Options struct {
	Build compile.Build
	// Bare gives a Jsonnet program no facts of the build, so that it fails if it
	// asks for one. A Starlark program gets them, see Result.Asked.
	Bare bool
	// ExtVars and ExtCode are further external variables of Jsonnet; they win
	// over those of the build. TopVars and TopCode are for programs that are
	// functions. See JsonnetOptions.
	ExtVars, ExtCode, TopVars, TopCode map[string]string
	// Paths are folders for import of Jsonnet and load of Starlark, the last one
	// first, after the folder of the file that asks.
	Paths []string
	// TemplateDirs are folders with templates. The first one that has a template
	// gives it.
	TemplateDirs []string
	// Within is the folder that what is read must be in, unless it is in one of
	// Paths or TemplateDirs, links resolved; "" is for anywhere.
	Within string
	// Legacy is for a file for Drone 0.4 to 0.8 that a template makes.
	Legacy LegacyOptions
	// MaxSteps limits Starlark, see StarlarkOptions.
	MaxSteps uint64
	Limits   Limits
	// Evaluate evaluates programs and templates, nil for the function of that
	// name: it leaves behind what does not end, and that may take all memory.
	Evaluate Evaluator
	// Print receives each line that a program prints; nil drops it.
	Print func(line string)
	// Warn receives what works here and not on a server; nil drops it.
	Warn func(text string)
}

// Run gives the Drone YAML for a configuration file of any format; Drone YAML
// comes back unchanged, and files for Drone 0.4 to 0.8 are for Legacy. name is
// the path of the file: its extension tells the format, imports are found
// relative to it, and errors name it.
//
// What programs make becomes one document for an object and one for each
// element of a list. Documents are written as JSON, because substitution works
// on the text and would give another result on YAML in another style than the
// server's; only blanks between values differ. Keys of Jsonnet are sorted, those
// of Starlark are in the order the program put them.
//
// What a YAML template makes may be a file for Drone 0.8, which is converted. As
// on a server, nothing else that is made is converted again.
//
// The error is an *Error, or the cause of the end of ctx. A program that takes
// too much time or memory is an *Error, too.
func Run(ctx context.Context, name string, source []byte, opts Options) (*Result, error) {
	format := Detect(name, source)
	switch format {
	case FormatDrone:
		return Plain(name, source), nil
	case FormatLegacy04, FormatLegacy08:
		return nil, legacyError(name, source, format)
	}
	r := &Result{Name: name + renderedName, File: name, Maker: name, source: source}
	job := Job{Format: format, Name: name, Source: source, Limits: opts.Limits}
	if format == FormatTemplate {
		u, err := readUse(name, source)
		if err != nil {
			return nil, err
		}
		if job.Name, job.Source, err = u.find(opts); err != nil {
			return nil, err
		}
		r.Maker, r.template, r.isUse = job.Name, job.Source, true
		job.Use = &Use{Name: name, Source: source}
		if program := Detect(job.Name, nil); program != FormatDrone {
			job.Format = program
			u.warnOfValues(program, opts)
		}
	}
	job.take(opts)
	evaluate := opts.Evaluate
	if evaluate == nil {
		evaluate = Evaluate
	}
	out, err := evaluate(ctx, job, Told{Print: opts.Print, Warn: opts.Warn})
	if err != nil {
		return nil, err
	}
	r.Files, r.Asked, r.pieces = append([]string{job.Name}, out.Files...), out.Asked, out.Pieces
	if job.Format != FormatTemplate {
		r.Text = joined(out.Documents)
		return r, nil
	}
	r.Text, r.isTemplate = []byte(out.Documents[0]), true
	if err := r.modernise(opts); err != nil {
		return nil, err
	}
	return r, nil
}

// renderedName is what the name of a file is followed by in places in what was
// made of it.
const renderedName = " (rendered)"

// joined makes a stream out of documents, each after a --- line.
func joined(documents []string) []byte {
	var b strings.Builder
	for _, d := range documents {
		b.WriteString("---\n")
		b.WriteString(strings.TrimRight(d, "\n"))
		b.WriteString("\n")
	}
	return []byte(b.String())
}
