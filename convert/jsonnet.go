package convert

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
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
	ExtVars map[string]string // std.extVar that are strings
	ExtCode map[string]string // std.extVar that are expressions, which win
	// TopVars and TopCode are arguments of a program that is a function, strings
	// and expressions. They mean nothing to any other program.
	TopVars, TopCode map[string]string
	// Paths are folders to look for imports in, the last one first, after the
	// folder of the importing file. They are no restriction: an import may name
	// any file by path.
	Paths []string
	// Within is the folder that imports must be in, unless they are in one of
	// Paths, links resolved, or "" for anywhere: what a program has read goes to
	// where its steps send it.
	Within string
	// Text has the program make a string, which is what there is of it. Without
	// it such a program is an error.
	Text bool
	// Print receives each line of std.trace; nil drops it.
	Print func(line string) `json:"-"`
}

// maxStack is the depth of calls that the server allows.
const maxStack = 500

// evaluateJsonnet evaluates a program and returns the documents it makes: one
// for an object, one for each element of a list. Each is JSON with three blanks
// of indent and sorted keys, without a final newline. name is the path of the
// program, which need not exist.
//
// The error is an *Error at the innermost place that is not in the standard
// library, or the cause of the end of ctx. go-jsonnet cannot be stopped: when
// ctx ends first, the evaluation goes on in the background until it is done.
func evaluateJsonnet(ctx context.Context, name string, source []byte, opts JsonnetOptions) (*Output, error) {
	return abandonable(ctx, 0, func() (*Output, error) { return evaluate(name, string(source), opts) })
}

func evaluate(name, source string, opts JsonnetOptions) (*Output, error) {
	imports := &importer{
		FileImporter: jsonnet.FileImporter{JPaths: opts.Paths}, paths: opts.Paths, within: opts.Within, edges: map[string][]string{},
	}
	program, err := jsonnet.SnippetToAST(name, source)
	if err != nil {
		return nil, jsonnetError(name, err, opts, imports)
	}
	vm := jsonnet.MakeVM()
	vm.MaxStack = maxStack
	vm.Importer(imports)
	vm.SetTraceOut(lineWriter(opts.Print))
	for _, give := range []struct {
		values map[string]string
		to     func(name, value string)
	}{{opts.ExtVars, vm.ExtVar}, {opts.ExtCode, vm.ExtCode}, {opts.TopVars, vm.TLAVar}, {opts.TopCode, vm.TLACode}} {
		for key, value := range give.values {
			give.to(key, value)
		}
	}
	text, err := vm.Evaluate(program)
	if err != nil {
		return nil, jsonnetError(name, err, opts, imports)
	}
	form := jsonDocuments
	if opts.Text {
		form = jsonText
	}
	out, err := form(name, text)
	if err != nil {
		return nil, err
	}
	out.Files = imports.files()
	return out, nil
}

// importer refuses what is in none of some folders, unless within is "", and
// remembers which file imports which. One evaluation uses it at a time.
type importer struct {
	jsonnet.FileImporter
	paths  []string
	within string
	edges  map[string][]string // importing file → those that it imports
}

// files are those that are imported, in the order of their names.
func (i *importer) files() []string {
	all := map[string]bool{}
	for _, to := range i.edges {
		for _, file := range to {
			all[file] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

const (
	importOutside = "import from outside of the working tree: "
	cannotImport  = "cannot import "
)

// Import implements jsonnet.Importer.
func (i *importer) Import(from, path string) (jsonnet.Contents, string, error) {
	if err := i.admit(from, path); err != nil {
		return jsonnet.Contents{}, "", err
	}
	contents, found, err := i.FileImporter.Import(from, path)
	if err != nil {
		return contents, found, err
	}
	if from, to := filepath.Clean(from), filepath.Clean(found); !slices.Contains(i.edges[from], to) {
		i.edges[from] = append(i.edges[from], to)
	}
	return contents, found, nil
}

// admit looks at the file that FileImporter will take before it is opened: a
// device or a pipe may have no end.
func (i *importer) admit(from, path string) error {
	dirs := append([]string{filepath.Dir(from)}, i.paths...)
	slices.Reverse(dirs[1:])
	for _, dir := range dirs {
		file := path
		if !filepath.IsAbs(path) {
			file = filepath.Join(dir, path)
		}
		info, err := os.Stat(file)
		if err != nil {
			continue // if it is there and closed to us, opening it tells that
		}
		if i.within != "" {
			inside, err := isWithinAny(append([]string{i.within}, i.paths...), file)
			if err == nil && !inside {
				err = errors.New(importOutside + path)
			}
			if err != nil {
				return err
			}
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s%q: it is not a file", cannotImport, path)
		}
		return nil
	}
	return nil
}

// cycle finds files that import each other, from one of them around to itself,
// beginning at file. It is nil where there are none.
func (i *importer) cycle(file string) []string {
	var way []string
	seen := map[string]bool{}
	var visit func(at string) bool
	visit = func(at string) bool {
		if start := slices.Index(way, at); start >= 0 {
			way = append(way[start:], at)
			return true
		}
		if seen[at] {
			return false
		}
		seen[at] = true
		way = append(way, at)
		if slices.ContainsFunc(i.edges[at], visit) {
			return true
		}
		way = way[:len(way)-1]
		return false
	}
	if !visit(filepath.Clean(file)) {
		return nil
	}
	return way
}

// isWithinAny reports whether a file is in one of some folders, links resolved.
// A folder that is not there has nothing in it.
func isWithinAny(dirs []string, file string) (bool, error) {
	for _, dir := range dirs {
		inside, err := isWithin(dir, file)
		if inside || err != nil && !errors.Is(err, fs.ErrNotExist) {
			return inside, err
		}
	}
	return false, nil
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

// jsonText is the string that a program made.
func jsonText(name, text string) (*Output, error) {
	var plain string
	if err := json.Unmarshal([]byte(text), &plain); err != nil {
		return nil, &Error{
			Pos:     manifest.Pos{File: name},
			Message: "the program makes " + jsonKind(json.RawMessage(strings.TrimSpace(text))) + ", not a string",
			Hint:    "std.manifestYamlDoc makes a string of an object",
		}
	}
	return &Output{Documents: []string{plain}}, nil
}

// jsonDocuments splits what the program made.
func jsonDocuments(name, text string) (*Output, error) {
	wrong := func(what string) error {
		e := &Error{
			Pos:     manifest.Pos{File: name},
			Message: "the program makes " + what + ", not an object or a list of objects",
			Hint:    "let it make {kind: 'pipeline', …} or a list of such objects",
		}
		if what == "a string" {
			e.Hint += "; `drone jsonnet --string` writes the text to a file"
		}
		return e
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
	return &Output{Documents: documents, IsList: isList}, nil
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

func jsonnetError(name string, err error, opts JsonnetOptions, imports *importer) error {
	e := &Error{Pos: manifest.Pos{File: name}}
	var static located
	var runtime jsonnet.RuntimeError
	switch {
	case errors.As(err, &static):
		loc := static.Loc()
		e.Pos = jsonnetPosition(name, loc)
		e.Message = strings.TrimPrefix(err.Error(), loc.String()+" ")
		if given := flagOf(loc); given != "" {
			e.Message = given + " is no expression: " + sentence(e.Message)
		}
	case errors.As(err, &runtime):
		e.Message = runtime.Msg
		for _, frame := range slices.Backward(runtime.StackTrace) {
			pos := jsonnetPosition(name, frame.Loc)
			switch {
			case pos.Line == 0:
			case e.Pos.Line > 0:
				e.Stack = append(e.Stack, Frame{Pos: pos, Name: frameName(frame.Name)})
			default:
				e.Pos = pos
				if isErrorExpression(frame.Loc) {
					// The author of the program wrote this text.
					e.Message = "error: " + e.Message
				}
			}
		}
	default:
		// Everything else is a crash, whose text goes on with a stack.
		e.Message = "jsonnet failed: " + strings.TrimPrefix(err.Error(), "(CRASH) ")
		e.Message, _, _ = strings.Cut(e.Message, "\n")
	}
	e.Message = sentence(e.Message)
	e.Hint = jsonnetHint(e.Message, e.Pos.File, opts)
	if argument, ok := strings.CutPrefix(e.Message, "missing argument: "); ok && e.Pos.Line == 0 {
		e.Hint = "a program that is a function gets its arguments with --tla-str " + argument + "=VALUE or --tla-code " + argument + "=EXPRESSION"
	}
	if cycle := imports.cycle(e.Pos.File); cycle != nil && strings.HasPrefix(e.Message, tooDeep) {
		e.Message = "the imports go in a circle: " + strings.Join(cycle, " → ")
		e.Hint = "move what both need into a file that imports neither"
		e.Stack = nil // it goes round and round
	}
	return e
}

// flagOf is the flag whose value a range is in, "" for one of a file.
func flagOf(loc ast.LocationRange) string {
	if loc.File == nil {
		return ""
	}
	kind, name, _ := strings.Cut(strings.Trim(string(loc.File.DiagnosticFileName), "<>"), ":")
	switch kind {
	case "extvar":
		return "--ext-code " + name
	case "top-level-arg":
		return "--tla-code " + name
	}
	return ""
}

// frameName is where a frame is, "" for what has no name in the program.
func frameName(name string) string {
	if name == "$" || strings.Contains(name, "anonymous") {
		return ""
	}
	return strings.TrimSuffix(strings.Replace(name, "function <", "function ", 1), ">")
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

const (
	undefinedVariable = "undefined external variable: "
	tooDeep           = "max stack frames exceeded"
)

const outsideHint = "steps can send it anywhere, and a server has nothing but the repository: copy the file into the working tree, or use --trusted if you trust the program"

func jsonnetHint(message, file string, opts JsonnetOptions) string {
	if asked, ok := strings.CutPrefix(message, undefinedVariable); ok {
		return variableHint(asked, opts.ExtVars, opts.ExtCode)
	}
	if strings.HasPrefix(message, "couldn't open import") {
		places := append([]string{"the folder of " + file}, opts.Paths...)
		slices.Reverse(places[1:])
		return "looked in " + strings.Join(places, ", ")
	}
	if strings.HasPrefix(message, importOutside) {
		return outsideHint
	}
	if strings.HasPrefix(message, tooDeep) {
		return fmt.Sprintf("calls nest deeper than the %d the server allows; look for a function that calls itself without end", maxStack)
	}
	return ""
}

func variableHint(asked string, vars, code map[string]string) string {
	_, ofBuild := vars["build.event"]
	if name, ok := strings.CutPrefix(asked, "build.param."); ok && ofBuild {
		return "it is a parameter of the build: give it with --param " + name + "=VALUE"
	}
	if strings.HasPrefix(asked, "input.") {
		return "input.* is only there for templates, with the `data` of the file that loads them"
	}
	known := slices.Sorted(maps.Keys(vars))
	known = append(known, slices.Sorted(maps.Keys(code))...)
	best, least := "", 4
	for _, name := range known {
		if d := levenshtein.Distance(asked, name, nil); d < least {
			best, least = name, d
		}
	}
	switch {
	case best != "":
		return "did you mean " + best + "?"
	case ofBuild:
		return "there is build.*, build.param.* and repo.*, as on the server; give others with --ext-var " + asked + "=VALUE"
	}
	return "give it with --ext-var " + asked + "=VALUE"
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
