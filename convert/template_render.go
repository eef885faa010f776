package convert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
	"time"

	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/internal/similar"
	"github.com/drone-laptop/drone/manifest"
)

// Piece is a part of what a template makes, up to the next one.
type Piece struct {
	Start int  // offset in what it makes
	From  int  // offset in the template
	Text  bool // the part stands there as it is, else an action made it
}

// render executes a YAML template. It ends soon after ctx.
func render(ctx context.Context, path string, text []byte, input map[string]any, build compile.Build, warn func(string)) ([]byte, []Piece, error) {
	lines := strings.SplitAfter(string(text), "\n")
	now := build.Created
	if now.IsZero() {
		now = time.Now()
	}
	known := Functions(now)
	known["printf"] = printf
	t, err := template.New(path).Funcs(known).Parse(string(text))
	if err != nil {
		return nil, nil, templateError(path, lines, err)
	}
	out := &rendered{ctx: ctx, nodes: map[*byte]Piece{}, functions: map[string]parse.Pos{}}
	for _, t := range t.Templates() {
		if t.Tree != nil && t.Root != nil {
			out.prepare(t.Root)
		}
	}
	err = t.Execute(out, map[string]any{
		"input": input, "build": templateBuildOf(build), "repo": templateRepoOf(build, path),
	})
	switch {
	case ctx.Err() != nil:
		return nil, nil, out.stopped(path, lines)
	case errors.Is(err, errTooLong):
		return nil, nil, &Error{
			Pos:     offsetPosition(path, text, out.last.From),
			Message: fmt.Sprintf("what the template makes is longer than the %d bytes that are allowed", maxOutput),
		}
	case err != nil:
		return nil, nil, templateError(path, lines, err)
	}
	if warn != nil {
		out.warn(path, text, warn)
	}
	return out.text.Bytes(), out.pieces, nil
}

// rendered takes what a template makes, as long as anybody wants it, and notes
// where it comes from.
type rendered struct {
	ctx       context.Context // of the one call that it lives in
	text      bytes.Buffer
	pieces    []Piece
	last      Piece
	nodes     map[*byte]Piece // by the first byte of the text, or of a mark
	functions map[string]parse.Pos
}

var errTooLong = errors.New("too long")

// prepare has the template write a mark before each of its actions and in each
// body of a loop: a text without bytes, known by its place in memory. So it is
// known where things come from, and a loop that writes nothing can be stopped.
// text/template writes the very bytes of a text; if that changes, marks are
// still nothing to be seen.
func (r *rendered) prepare(list *parse.ListNode) {
	if list == nil {
		return
	}
	mark := func(at parse.Pos) *parse.TextNode {
		space := make([]byte, 1)
		r.nodes[&space[0]] = Piece{From: int(at)}
		return &parse.TextNode{NodeType: parse.NodeText, Pos: at, Text: space[:0]}
	}
	nodes := []parse.Node{mark(list.Pos)}
	for _, n := range list.Nodes {
		switch n := n.(type) {
		case *parse.TextNode:
			if len(n.Text) > 0 {
				r.nodes[&n.Text[0]] = Piece{From: int(n.Pos), Text: true}
			}
		case *parse.ActionNode:
			nodes = append(nodes, mark(n.Pos))
			r.called(n.Pipe)
		case *parse.IfNode:
			r.branch(&n.BranchNode)
		case *parse.RangeNode:
			r.branch(&n.BranchNode)
		case *parse.WithNode:
			r.branch(&n.BranchNode)
		}
		nodes = append(nodes, n)
	}
	list.Nodes = nodes
}

func (r *rendered) branch(b *parse.BranchNode) {
	r.called(b.Pipe)
	r.prepare(b.List)
	r.prepare(b.ElseList)
}

// called notes where functions are called first.
func (r *rendered) called(pipe *parse.PipeNode) {
	if pipe == nil {
		return
	}
	for _, command := range pipe.Cmds {
		for _, argument := range command.Args {
			switch a := argument.(type) {
			case *parse.IdentifierNode:
				if _, before := r.functions[a.Ident]; !before {
					r.functions[a.Ident] = a.Pos
				}
			case *parse.PipeNode:
				r.called(a)
			}
		}
	}
}

func (r *rendered) Write(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	if cap(p) > 0 {
		if from, known := r.nodes[&p[:1][0]]; known {
			from.Start = r.text.Len()
			r.last = from
			if n := len(r.pieces); n > 0 && r.pieces[n-1].Start == from.Start {
				r.pieces = r.pieces[:n-1] // which has made nothing
			}
			r.pieces = append(r.pieces, from)
		}
	}
	if r.text.Len()+len(p) > maxOutput {
		return 0, errTooLong
	}
	return r.text.Write(p)
}

// stopped is the error of a template that was not done in time.
func (r *rendered) stopped(path string, lines []string) error {
	cause := context.Cause(r.ctx)
	var own *Error
	if !errors.As(cause, &own) {
		return cause
	}
	e := *own
	e.Pos = offsetPosition(path, []byte(strings.Join(lines, "")), r.last.From)
	return &e
}

// warn tells what a server does otherwise.
func (r *rendered) warn(path string, text []byte, warn func(string)) {
	const missing = "<no value>"
	at := bytes.Index(r.text.Bytes(), []byte(missing))
	if at >= 0 && !bytes.Contains(text, []byte(missing)) {
		line := bytes.Count(r.text.Bytes()[:at], []byte("\n")) + 1
		warn(fmt.Sprintf("%s: an input that `data` does not have is written as %s, in line %d of what the template makes",
			place(offsetPosition(path, text, r.from(at).From)), missing, line))
	}
	for _, name := range newFunctions {
		if at, used := r.functions[name]; used {
			warn(fmt.Sprintf("%s: the function %s is here, but not on servers of today", place(offsetPosition(path, text, int(at))), name))
		}
	}
}

// from is the piece that an offset of the text is in.
func (r *rendered) from(offset int) Piece { return pieceAt(r.pieces, offset) }

func pieceAt(pieces []Piece, offset int) Piece {
	i, found := slices.BinarySearchFunc(pieces, offset, func(p Piece, offset int) int { return p.Start - offset })
	if !found {
		i--
	}
	if i < 0 {
		return Piece{}
	}
	return pieces[i]
}

// offsetPosition is the place of an offset of a text.
func offsetPosition(file string, text []byte, offset int) manifest.Pos {
	before := text[:min(max(offset, 0), len(text))]
	start := bytes.LastIndexByte(before, '\n') + 1
	return manifest.Pos{
		File: file, Offset: len(before), Line: bytes.Count(before, []byte("\n")) + 1,
		Column: len([]rune(string(before[start:]))) + 1,
	}
}

// maxVerbs is how many values a format may have: each can be asked to be a
// million characters wide.
const maxVerbs = 64

// printf is that of templates, for texts of a sensible size.
func printf(format string, values ...any) (string, error) {
	verbs, longest := strings.Count(format, "%"), 1
	for _, v := range values {
		if s, err := textOf(v); err == nil {
			longest = max(longest, len(s))
		}
	}
	if verbs > maxVerbs || verbs > maxText/longest {
		return "", errLongText
	}
	return fmt.Sprintf(format, values...), nil
}

// functionHint is for `function "x" not defined`.
func functionHint(message string) string {
	_, name, _ := strings.Cut(message, `"`)
	name, _, _ = strings.Cut(name, `"`)
	switch name {
	case "env", "readFile", "readDir", "fileExists":
		return "a server lets no template read files and the environment: give it what it needs with `data`"
	}
	if best := similar.Word(name, slices.Sorted(maps.Keys(Functions(time.Time{})))); best != "" {
		return "did you mean " + best + "? There is " + functionNames()
	}
	return "there is " + functionNames()
}
