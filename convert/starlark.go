package convert

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
	"go.starlark.net/syntax"

	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/manifest"
)

// StarlarkOptions are what a Starlark program is given.
type StarlarkOptions struct {
	Build compile.Build `json:"-"`
	// Input is ctx.input: the data of a template.
	Input map[string]any `json:"-"`
	// MaxSteps limits the work of main, 50,000 when 0, as on the server.
	MaxSteps uint64
	// Paths are folders for load, the last one first, after the folder of the
	// file that loads.
	Paths []string
	// Within is the folder that what is loaded must be in, unless it is in one of
	// Paths, links resolved, or "" for anywhere.
	Within string
	// Print receives each line that the program prints; nil drops it.
	Print func(line string) `json:"-"`
	// Warn receives what works here and not on a server; nil drops it.
	Warn func(text string) `json:"-"`
}

// What the server allows (reference §11.6).
const (
	defaultSteps = 50_000
	maxOutput    = 1_000_000 // bytes
)

// evaluateStarlark runs main(ctx) of a program and returns the documents it
// makes: one for a dict, one for each element of a list. Each is JSON with
// three blanks of indent and keys in the order of the program, without a final
// newline.
//
// ctx has build and repo as on the server, and the input. Unlike there load
// works, which Warn is told. The error is an *Error at the innermost place in
// the program or what it loads, or the cause of the end of ctx.
func evaluateStarlark(ctx context.Context, name string, source []byte, opts StarlarkOptions) (*Output, error) {
	p := &program{ctx: ctx, name: name, opts: opts, modules: map[string]*module{}}
	if p.opts.MaxSteps == 0 {
		p.opts.MaxSteps = defaultSteps
	}
	return abandonable(ctx, hearing, func() (*Output, error) {
		result, main, err := p.run(source)
		if err != nil {
			return nil, p.ended(err)
		}
		out, err := p.documents(result, main)
		if err != nil {
			return nil, err
		}
		out.Asked = p.asked
		for path := range p.modules {
			if path != name {
				out.Files = append(out.Files, path)
			}
		}
		slices.Sort(out.Files)
		return out, nil
	})
}

// program is one run of a program; one goroutine uses it.
type program struct {
	ctx     context.Context // of the one call that it lives in
	name    string
	opts    StarlarkOptions
	modules map[string]*module // by path
	loading []string           // the files whose top level runs, outermost first
	warned  bool
	asked   bool // for facts of the build
}

// module is a file of a program.
type module struct {
	lines   []string
	globals starlark.StringDict
	err     error
}

// run executes the top level and then main, each on a thread of its own: the
// limit of steps is for main alone.
func (p *program) run(source []byte) (starlark.Value, *starlark.Function, error) {
	globals, err := p.execute(p.name, source)
	if err != nil {
		return nil, nil, err
	}
	main, ok := globals["main"].(*starlark.Function)
	if !ok {
		return nil, nil, p.noMain(globals)
	}
	thread, release := p.thread(p.name)
	defer release()
	thread.SetMaxExecutionSteps(p.opts.MaxSteps)
	argument, err := p.context()
	if err != nil {
		return nil, nil, err
	}
	result, err := starlark.Call(thread, main, starlark.Tuple{argument}, nil)
	return result, main, err
}

// execute runs the top level of a file.
func (p *program) execute(path string, source []byte) (starlark.StringDict, error) {
	m := &module{lines: strings.SplitAfter(string(source), "\n")}
	p.modules[path] = m
	p.loading = append(p.loading, path)
	thread, release := p.thread(path)
	defer release()
	m.globals, m.err = starlark.ExecFileOptions(&syntax.FileOptions{Set: true}, thread, path, source, nil)
	p.loading = p.loading[:len(p.loading)-1]
	return m.globals, m.err
}

func (p *program) thread(path string) (thread *starlark.Thread, release func() bool) {
	thread = &starlark.Thread{
		Name: path,
		Load: func(_ *starlark.Thread, name string) (starlark.StringDict, error) {
			globals, err := p.load(path, name)
			if err != nil {
				return nil, p.ended(err)
			}
			return globals, nil
		},
		Print: func(_ *starlark.Thread, line string) {
			if p.opts.Print != nil {
				p.opts.Print(line)
			}
		},
	}
	return thread, context.AfterFunc(p.ctx, func() { thread.Cancel("interrupted") })
}

// maxModule is the size beyond which a file is surely no program.
const maxModule = 1 << 20

// load executes the file that another one loads by name, once.
func (p *program) load(from, name string) (starlark.StringDict, error) {
	path, err := p.find(from, name)
	if err != nil {
		return nil, err
	}
	if start := slices.Index(p.loading, path); start >= 0 {
		way := append(slices.Clone(p.loading[start:]), path)
		return nil, &Error{
			Message: "the loads go in a circle: " + strings.Join(way, " → "),
			Hint:    "move what both need into a file that loads neither",
		}
	}
	if m := p.modules[path]; m != nil {
		return m.globals, m.err
	}
	source, err := readModule(path)
	if err != nil {
		return nil, &Error{Message: "cannot load " + name + ": " + err.Error()}
	}
	if !p.warned && p.opts.Warn != nil {
		p.opts.Warn(from + " loads " + name + ", which a server refuses; `drone starlark` makes one file of both that it takes")
	}
	p.warned = true
	return p.execute(path, source)
}

// find looks for a file in the folder of the one that loads it, then in Paths.
func (p *program) find(from, name string) (string, error) {
	dirs := append([]string{filepath.Dir(from)}, p.opts.Paths...)
	slices.Reverse(dirs[1:])
	for _, dir := range dirs {
		path := filepath.FromSlash(name)
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		if _, err := os.Stat(path); err != nil {
			continue // if it is there and closed to us, no other one is meant
		}
		if p.opts.Within == "" {
			return path, nil
		}
		inside, err := isWithinAny(append([]string{p.opts.Within}, p.opts.Paths...), path)
		if err == nil && !inside {
			return "", &Error{Message: "load from outside of the working tree: " + name, Hint: outsideHint}
		}
		return path, err
	}
	return "", &Error{Message: "there is no file " + name + " to load", Hint: "looked in " + strings.Join(dirs, ", ")}
}

// readModule reads a regular file of sensible size.
func readModule(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a file")
	}
	if err == nil && info.Size() > maxModule {
		err = fmt.Errorf("it has more than %d bytes", maxModule)
	}
	if err != nil {
		return nil, reason(err)
	}
	source, err := os.ReadFile(path)
	return source, reason(err)
}

// reason strips the operation and the path that errors of files repeat.
func reason(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

func (p *program) noMain(globals starlark.StringDict) error {
	e := &Error{
		Pos: manifest.Pos{File: p.name}, Message: "the program has no function main",
		Hint: "define main(ctx) so that it returns a dict or a list of dicts",
	}
	if other := globals["main"]; other != nil {
		e.Message = "main is a " + other.Type() + ", not a function"
	}
	return e
}

// context is the argument of main.
func (p *program) context() (starlark.Value, error) {
	groups := map[string]starlark.StringDict{"build": {}, "repo": {}}
	for _, v := range variables(p.opts.Build, p.name) {
		switch value := v.value.(type) {
		case string:
			groups[v.group][v.name] = starlark.String(value)
		case bool:
			groups[v.group][v.name] = starlark.Bool(value)
		}
	}
	params := starlark.NewDict(len(p.opts.Build.Params))
	for name, value := range p.opts.Build.Params {
		// Strings can always be keys and the dict is not frozen.
		_ = params.SetKey(starlark.String(name), starlark.String(value))
	}
	build := groups["build"]
	build["params"] = params
	build["cron"] = starlark.String(p.opts.Build.Cron)
	build["debug"] = starlark.Bool(p.opts.Build.Debug)
	input := starlark.StringDict{}
	for name, value := range p.opts.Input {
		var err error
		if input[name], err = starlarkValue(value); err != nil {
			return nil, &Error{Pos: manifest.Pos{File: p.name}, Message: "the value of " + name + " in `data` cannot be given to the template: " + err.Error()}
		}
	}
	return watched{object("ctx", starlark.StringDict{
		"build": object("ctx.build", build),
		"repo":  object("ctx.repo", groups["repo"]),
		"input": object("ctx.input", input),
	}), p}, nil
}

// watched is ctx. It notes when the program looks at the build.
type watched struct {
	*starlarkstruct.Struct
	program *program
}

func (w watched) Attr(name string) (starlark.Value, error) {
	w.program.asked = w.program.asked || name != "input"
	return w.Struct.Attr(name)
}

func (w watched) String() string {
	w.program.asked = true
	return w.Struct.String()
}

// CompareSameType implements starlark.Comparable: ctx is ctx.
func (w watched) CompareSameType(op syntax.Token, _ starlark.Value, _ int) (bool, error) {
	switch op {
	case syntax.EQL:
		return true, nil
	case syntax.NEQ:
		return false, nil
	}
	return false, fmt.Errorf("%s %s %s not implemented", w.Type(), op, w.Type())
}

// starlarkValue makes a value of one that was read from YAML.
func starlarkValue(v any) (starlark.Value, error) {
	switch v := v.(type) {
	case nil:
		return starlark.None, nil
	case string:
		return starlark.String(v), nil
	case bool:
		return starlark.Bool(v), nil
	case int:
		return starlark.MakeInt(v), nil
	case float64:
		return starlark.Float(v), nil
	case []any:
		list := make([]starlark.Value, len(v))
		for i, element := range v {
			var err error
			if list[i], err = starlarkValue(element); err != nil {
				return nil, err
			}
		}
		return starlark.NewList(list), nil
	case map[string]any:
		dict := starlark.NewDict(len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			value, err := starlarkValue(v[key])
			if err != nil {
				return nil, err
			}
			_ = dict.SetKey(starlark.String(key), value) // as in context
		}
		return dict, nil
	}
	return nil, fmt.Errorf("%v is of a kind that Starlark does not know", v)
}

func object(name string, fields starlark.StringDict) *starlarkstruct.Struct {
	return starlarkstruct.FromStringDict(starlark.String(name), fields)
}

// documents checks and prints what main returned.
func (p *program) documents(result starlark.Value, main *starlark.Function) (*Output, error) {
	wrong := func(message string) error {
		return &Error{
			Pos: p.at(main.Position()), Message: message,
			Hint: "main returns a dict, or a list of dicts, made of strings, numbers, True, False, None, lists and dicts",
		}
	}
	var elements []starlark.Value
	isList := false
	switch value := result.(type) {
	case *starlark.Dict:
		elements = []starlark.Value{value}
	case *starlark.List:
		isList = true
		for element := range value.Elements() {
			elements = append(elements, element)
		}
	default:
		return nil, wrong("main returns a " + result.Type() + ", not a dict or a list of dicts")
	}
	var documents []string
	total := 0
	for i, element := range elements {
		if _, ok := element.(*starlark.Dict); !ok {
			return nil, wrong(fmt.Sprintf("main returns a list with a %s as element %d", element.Type(), i+1))
		}
		text, size, err := printJSON(element)
		if err != nil {
			return nil, wrong("main returns " + err.Error())
		}
		if total += size; total > maxOutput {
			return nil, wrong(fmt.Sprintf("what main returns is longer than the %d bytes the server allows", maxOutput))
		}
		documents = append(documents, text)
	}
	return &Output{Documents: documents, IsList: isList}, nil
}

// ended tells why a run has ended with an error.
func (p *program) ended(err error) error {
	if p.ctx.Err() == nil {
		return p.explain(err)
	}
	cause := context.Cause(p.ctx)
	var own, placed *Error
	var eval *starlark.EvalError
	if errors.As(err, &placed) && placed.Pos.Line > 0 { // in what is loaded
		return p.explain(err)
	}
	if !errors.As(cause, &own) || !errors.As(err, &eval) {
		return cause
	}
	e := *own
	e.Pos, e.Stack = p.stack(eval)
	return &e
}

// explain turns the errors of starlark into one with a place and a message.
func (p *program) explain(err error) error {
	var own *Error
	var syntaxError syntax.Error
	var names resolve.ErrorList
	var eval *starlark.EvalError
	switch {
	case errors.As(err, &own):
		// What was explained in a file that is loaded has its place, and was on
		// its way there from here.
		e := *own
		if errors.As(err, &eval) {
			pos, stack := p.stack(eval)
			if e.Pos.Line == 0 {
				e.Pos, e.Stack = pos, stack
			} else {
				e.Stack = append(append(slices.Clone(e.Stack), Frame{Pos: pos}), stack...)
			}
		}
		if e.Pos.File == "" {
			e.Pos.File = p.name
		}
		return &e
	case errors.As(err, &syntaxError):
		return &Error{Pos: p.at(syntaxError.Pos), Message: sentence(syntaxError.Msg)}
	case errors.As(err, &names):
		return &Error{Pos: p.at(names[0].Pos), Message: sentence(names[0].Msg)}
	case errors.As(err, &eval):
		return p.explainEval(eval)
	}
	return &Error{Pos: manifest.Pos{File: p.name}, Message: sentence(err.Error())}
}

func (p *program) explainEval(err *starlark.EvalError) error {
	e := &Error{Message: sentence(err.Msg)}
	e.Pos, e.Stack = p.stack(err)
	switch {
	case strings.HasSuffix(err.Msg, "too many steps"):
		e.Message = fmt.Sprintf("main takes more than the %d steps the server allows", p.opts.MaxSteps)
		e.Hint = "this is where it was stopped; look for a loop that runs too often; --max-execution-steps allows more, but here only"
	case strings.HasPrefix(err.Msg, "unhandled index operation struct["):
		e.Hint = "ctx is no dict: write ctx.build.event"
	case strings.HasSuffix(err.Msg, " not in dict") && strings.Contains(p.line(e.Pos), "params"):
		e.Hint = "parameters of the build are given with --param NAME=VALUE; params.get(NAME, VALUE) does without"
	case strings.Contains(err.Msg, `"ctx.input" struct has no`) && len(p.opts.Input) == 0:
		e.Hint = "ctx.input is the `data` of a file with `kind: template`"
	}
	return e
}

// line is the text of the line that a place is in.
func (p *program) line(pos manifest.Pos) string {
	if m := p.modules[pos.File]; m != nil && pos.Line > 0 && pos.Line <= len(m.lines) {
		return m.lines[pos.Line-1]
	}
	return ""
}

// stack is the innermost place in the program, and how it came there.
func (p *program) stack(err *starlark.EvalError) (pos manifest.Pos, stack []Frame) {
	pos = manifest.Pos{File: p.name}
	for _, frame := range slices.Backward(err.CallStack) {
		at := frame.Pos
		switch {
		case p.modules[at.Filename()] == nil: // a builtin
		case pos.Line == 0:
			pos = p.at(at)
		default:
			stack = append(stack, Frame{Pos: p.at(at), Name: strings.TrimPrefix(frame.Name, "<toplevel>")})
		}
	}
	return pos, stack
}

// at translates a place; starlark counts columns in code points already.
func (p *program) at(pos syntax.Position) manifest.Pos {
	line, column := int(pos.Line), int(pos.Col)
	var lines []string
	if m := p.modules[pos.Filename()]; m != nil {
		lines = m.lines
	}
	out := position(pos.Filename(), lines, line, 0)
	if line < 1 || line > len(lines) || column < 1 {
		return out
	}
	runes := []rune(lines[line-1])
	out.Column = column
	out.Offset += len(string(runes[:min(column-1, len(runes))]))
	return out
}
