package convert

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/google/go-jsonnet"
	"github.com/google/go-jsonnet/ast"

	"github.com/drone-laptop/drone/manifest"
)

// JsonnetOptions are what a Jsonnet program is given.
type JsonnetOptions struct {
	ExtVars map[string]string // std.extVar, always strings
	// Paths are folders to look for imports in, the last one first, after the
	// folder of the importing file. They are no restriction: an import may name
	// any file by path.
	Paths []string
	// Within is the folder that imports must be in, links resolved, or "" for
	// anywhere: what a program has read goes to where its steps send it.
	Within string
	// Text takes a program that makes a string as what it says. Without it
	// such a program is an error.
	Text bool
	// Print receives each line of std.trace; nil drops it.
	Print func(line string)
}

// maxStack is the depth of calls that the server allows.
const maxStack = 500

// Jsonnet evaluates a program and returns the documents it makes: one for an
// object, one for each element of a list. Each is JSON with three blanks of
// indent and sorted keys, without a final newline. name is the path of the
// program, which need not exist.
//
// The error is an *Error at the innermost place that is not in the standard
// library, or the error of ctx. go-jsonnet cannot be stopped: when ctx ends
// first, the evaluation goes on in the background until it is done.
func Jsonnet(ctx context.Context, name string, source []byte, opts JsonnetOptions) ([]string, error) {
	type result struct {
		documents []string
		err       error
	}
	done := make(chan result, 1)
	go func() { // ends with the evaluation; nobody waits when ctx is over
		documents, err := evaluate(name, string(source), opts)
		done <- result{documents, err}
	}()
	select {
	case r := <-done:
		return r.documents, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func evaluate(name, source string, opts JsonnetOptions) ([]string, error) {
	program, err := jsonnet.SnippetToAST(name, source)
	if err != nil {
		return nil, jsonnetError(name, err, opts)
	}
	vm := jsonnet.MakeVM()
	vm.MaxStack = maxStack
	vm.Importer(&importer{jsonnet.FileImporter{JPaths: opts.Paths}, opts.Within})
	vm.SetTraceOut(lineWriter(opts.Print))
	for key, value := range opts.ExtVars {
		vm.ExtVar(key, value)
	}
	text, err := vm.Evaluate(program)
	if err != nil {
		return nil, jsonnetError(name, err, opts)
	}
	return jsonDocuments(name, text, opts.Text)
}

// importer refuses what is not in a folder, unless that is "".
type importer struct {
	jsonnet.FileImporter
	within string
}

const importOutside = "import from outside of the working tree: "

// Import implements jsonnet.Importer.
func (i *importer) Import(from, path string) (jsonnet.Contents, string, error) {
	contents, found, err := i.FileImporter.Import(from, path)
	if err != nil || i.within == "" {
		return contents, found, err
	}
	inside, err := isWithin(i.within, found)
	if err == nil && !inside {
		err = errors.New(importOutside + path)
	}
	if err != nil {
		return jsonnet.Contents{}, "", err
	}
	return contents, found, nil
}

func isWithin(dir, file string) (bool, error) {
	var real [2]string
	for i, name := range []string{dir, file} {
		absolute, err := filepath.Abs(name)
		if err == nil {
			real[i], err = filepath.EvalSymlinks(absolute)
		}
		if err != nil {
			return false, err
		}
	}
	way, err := filepath.Rel(real[0], real[1])
	return err == nil && filepath.IsLocal(way), nil
}

// lineWriter gives lines to a function. go-jsonnet writes a whole line at once.
type lineWriter func(line string)

func (w lineWriter) Write(p []byte) (int, error) {
	if w != nil {
		w(strings.TrimSuffix(string(p), "\n"))
	}
	return len(p), nil
}

// jsonDocuments splits what the program made.
func jsonDocuments(name, text string, acceptText bool) ([]string, error) {
	wrong := func(what string) error {
		return &Error{
			Pos:     manifest.Pos{File: name},
			Message: "the program makes " + what + ", not an object or a list of objects",
			Hint:    "let it make {kind: 'pipeline', …} or a list of such objects",
		}
	}
	elements := []json.RawMessage{json.RawMessage(strings.TrimSpace(text))}
	isList := strings.HasPrefix(text, "[")
	if isList {
		if err := json.Unmarshal([]byte(text), &elements); err != nil {
			return nil, wrong("text that is no JSON")
		}
	}
	documents := make([]string, 0, len(elements))
	for i, element := range elements {
		var plain string
		if acceptText && !isList && json.Unmarshal(element, &plain) == nil {
			return []string{plain}, nil
		}
		if kind := jsonKind(element); kind != "an object" {
			if isList {
				kind = fmt.Sprintf("a list with %s as element %d", kind, i+1)
			}
			return nil, wrong(kind)
		}
		var b bytes.Buffer
		if err := json.Indent(&b, element, "", "   "); err != nil {
			return nil, wrong("text that is no JSON")
		}
		documents = append(documents, b.String())
	}
	return documents, nil
}

func jsonKind(element json.RawMessage) string {
	switch element[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

// located is what go-jsonnet's errors of syntax and names have in common; their
// type is internal.
type located interface{ Loc() ast.LocationRange }

func jsonnetError(name string, err error, opts JsonnetOptions) error {
	e := &Error{Pos: manifest.Pos{File: name}}
	var static located
	var runtime jsonnet.RuntimeError
	switch {
	case errors.As(err, &static):
		loc := static.Loc()
		e.Pos = jsonnetPosition(name, loc)
		e.Message = strings.TrimPrefix(err.Error(), loc.String()+" ")
	case errors.As(err, &runtime):
		e.Message = runtime.Msg
		for _, frame := range slices.Backward(runtime.StackTrace) {
			if pos := jsonnetPosition(name, frame.Loc); pos.Line > 0 {
				e.Pos = pos
				if isErrorExpression(frame.Loc) {
					// The author of the program wrote this text.
					e.Message = "error: " + e.Message
				}
				break
			}
		}
	default:
		// Everything else is a crash, whose text goes on with a stack.
		e.Message = "jsonnet failed: " + strings.TrimPrefix(err.Error(), "(CRASH) ")
		e.Message, _, _ = strings.Cut(e.Message, "\n")
	}
	e.Message = sentence(e.Message)
	e.Hint = jsonnetHint(e.Message, e.Pos.File, opts)
	return e
}

// jsonnetPosition is the beginning of a range, or no line when that is in the
// standard library or nowhere.
func jsonnetPosition(name string, loc ast.LocationRange) manifest.Pos {
	if !loc.IsSet() || loc.File == nil || loc.FileName == "" || strings.HasPrefix(string(loc.File.DiagnosticFileName), "<std") {
		return manifest.Pos{File: name}
	}
	return position(loc.FileName, loc.File.Lines, loc.Begin.Line, loc.Begin.Column)
}

func isErrorExpression(loc ast.LocationRange) bool {
	line := loc.File.Lines[loc.Begin.Line-1]
	return strings.HasPrefix(line[min(loc.Begin.Column-1, len(line)):], "error")
}

const undefinedVariable = "undefined external variable: "

func jsonnetHint(message, file string, opts JsonnetOptions) string {
	if asked, ok := strings.CutPrefix(message, undefinedVariable); ok {
		return variableHint(asked, opts.ExtVars)
	}
	if strings.HasPrefix(message, "couldn't open import") {
		places := append([]string{"the folder of " + file}, opts.Paths...)
		slices.Reverse(places[1:])
		return "looked in " + strings.Join(places, ", ")
	}
	if strings.HasPrefix(message, importOutside) {
		return "steps can send it anywhere, and a server has nothing but the repository: copy the file into the working tree, or use --trusted if you trust the program"
	}
	if strings.HasPrefix(message, "max stack frames exceeded") {
		return fmt.Sprintf("calls nest deeper than the %d the server allows; look for a function that calls itself without end", maxStack)
	}
	return ""
}

func variableHint(asked string, known map[string]string) string {
	if name, ok := strings.CutPrefix(asked, "build.param."); ok {
		return "it is a parameter of the build: give it with --param " + name + "=VALUE"
	}
	if strings.HasPrefix(asked, "input.") {
		return "input.* is only there for templates"
	}
	best, least := "", 4
	for name := range known {
		if d := levenshtein.Distance(asked, name, nil); d < least || d == least && name < best {
			best, least = name, d
		}
	}
	if best != "" {
		return "did you mean " + best + "?"
	}
	return "there is build.*, build.param.* and repo.*, as on the server"
}

// sentence makes a message of a library look like ours: one line, in lower
// case, without a final stop. Names in capitals stay.
func sentence(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	s = strings.TrimSuffix(s, ".")
	if len(s) > 1 && s[0] >= 'A' && s[0] <= 'Z' && (s[1] == ' ' || s[1] >= 'a' && s[1] <= 'z') {
		s = string(s[0]+'a'-'A') + s[1:]
	}
	return s
}
