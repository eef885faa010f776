package convert

import (
	"context"
	"errors"
	"fmt"
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
	Build compile.Build
	// MaxSteps limits the work of main, 50,000 when 0, as on the server.
	MaxSteps uint64
	// Print receives each line that the program prints; nil drops it.
	Print func(line string)
}

// What the server allows (reference §11.6).
const (
	defaultSteps = 50_000
	maxOutput    = 1_000_000 // bytes
)

// Starlark runs main(ctx) of a program and returns the documents it makes: one
// for a dict, one for each element of a list. Each is JSON with three blanks of
// indent and keys in the order of the program, without a final newline.
//
// ctx has build and repo as on the server; ctx.input is empty. load does not
// work, as on the server. The error is an *Error at the innermost place in the
// program, or the error of ctx.
func Starlark(ctx context.Context, name string, source []byte, opts StarlarkOptions) ([]string, error) {
	p := &program{name: name, source: source, lines: strings.SplitAfter(string(source), "\n"), opts: opts}
	if p.opts.MaxSteps == 0 {
		p.opts.MaxSteps = defaultSteps
	}
	result, main, err := p.run(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, p.explain(err)
	}
	return p.documents(result, main)
}

type program struct {
	name   string
	source []byte
	lines  []string
	opts   StarlarkOptions
}

// run executes the top level and then main, each on a thread of its own: the
// limit is for main alone.
func (p *program) run(ctx context.Context) (starlark.Value, *starlark.Function, error) {
	thread, release := p.thread(ctx)
	defer release()
	globals, err := starlark.ExecFileOptions(&syntax.FileOptions{Set: true}, thread, p.name, p.source, nil)
	if err != nil {
		return nil, nil, err
	}
	main, ok := globals["main"].(*starlark.Function)
	if !ok {
		return nil, nil, p.noMain(globals)
	}
	thread, release = p.thread(ctx)
	defer release()
	thread.SetMaxExecutionSteps(p.opts.MaxSteps)
	result, err := starlark.Call(thread, main, starlark.Tuple{p.context()}, nil)
	return result, main, err
}

func (p *program) thread(ctx context.Context) (thread *starlark.Thread, release func() bool) {
	thread = &starlark.Thread{
		Name: p.name,
		Load: func(_ *starlark.Thread, module string) (starlark.StringDict, error) {
			return nil, &Error{
				Message: "load of " + module + " is not possible: the server does not load other files",
				Hint:    "put what it defines into " + p.name,
			}
		},
		Print: func(_ *starlark.Thread, line string) {
			if p.opts.Print != nil {
				p.opts.Print(line)
			}
		},
	}
	return thread, context.AfterFunc(ctx, func() { thread.Cancel("interrupted") })
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
func (p *program) context() starlark.Value {
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
	return object("ctx", starlark.StringDict{
		"build": object("ctx.build", build),
		"repo":  object("ctx.repo", groups["repo"]),
		"input": object("ctx.input", nil),
	})
}

func object(name string, fields starlark.StringDict) starlark.Value {
	return starlarkstruct.FromStringDict(starlark.String(name), fields)
}

// documents checks and prints what main returned.
func (p *program) documents(result starlark.Value, main *starlark.Function) ([]string, error) {
	wrong := func(message string) error {
		return &Error{
			Pos: p.at(main.Position()), Message: message,
			Hint: "main returns a dict, or a list of dicts, made of strings, numbers, True, False, None, lists and dicts",
		}
	}
	var elements []starlark.Value
	switch value := result.(type) {
	case *starlark.Dict:
		elements = []starlark.Value{value}
	case *starlark.List:
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
	return documents, nil
}

// explain turns the errors of starlark into one with a place and a message.
func (p *program) explain(err error) error {
	var own *Error
	var syntaxError syntax.Error
	var names resolve.ErrorList
	var eval *starlark.EvalError
	switch {
	case errors.As(err, &own):
		e := *own
		if errors.As(err, &eval) {
			e.Pos = p.innermost(eval)
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
	e := &Error{Pos: p.innermost(err), Message: sentence(err.Msg)}
	if strings.HasSuffix(err.Msg, "too many steps") {
		e.Message = fmt.Sprintf("main takes more than the %d steps the server allows", p.opts.MaxSteps)
		e.Hint = "this is where it was stopped; look for a loop that runs too often, or shorten what the program does"
	}
	return e
}

// innermost is the last place in the program itself.
func (p *program) innermost(err *starlark.EvalError) manifest.Pos {
	for i := len(err.CallStack) - 1; i >= 0; i-- {
		if pos := err.CallStack[i].Pos; pos.Filename() == p.name {
			return p.at(pos)
		}
	}
	return manifest.Pos{File: p.name}
}

// at translates a place; starlark counts columns in code points already.
func (p *program) at(pos syntax.Position) manifest.Pos {
	line, column := int(pos.Line), int(pos.Col)
	out := position(p.name, p.lines, line, 0)
	if line < 1 || line > len(p.lines) || column < 1 {
		return out
	}
	runes := []rune(p.lines[line-1])
	out.Column = column
	out.Offset += len(string(runes[:min(column-1, len(runes))]))
	return out
}
