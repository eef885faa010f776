package convert

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/internal/similar"
	"github.com/drone-laptop/drone/manifest"
)

// use is the document that asks for a template.
type use struct {
	file  string
	lines []string
	kind  manifest.Pos // of the line that makes it one
	load  string
	place manifest.Pos // of load
	data  map[string]any
	node  *yaml.Node // of data, nil without one
}

// readUse reads the first document of a file, the only one that a server looks
// at.
func readUse(name string, source []byte) (*use, error) {
	lines := strings.SplitAfter(string(source), "\n")
	at := manifest.TemplateLine(source)
	u := &use{file: name, lines: lines, data: map[string]any{}}
	u.kind = position(name, lines, bytes.Count(source[:at], []byte("\n"))+1, 1)
	var document yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(source)).Decode(&document); err != nil {
		e := &Error{Use: true, Pos: u.kind, Message: "the file uses a template and is no YAML: " + strings.TrimPrefix(err.Error(), "yaml: ")}
		if problems := manifest.Unreadable(name, source); len(problems) > 0 {
			e.Pos, e.Message, e.Hint = problems[0].Span.Start, "the file uses a template, and "+problems[0].Message, problems[0].Hint
		}
		return nil, e
	}
	root := target(document.Content[0])
	if root.Kind != yaml.MappingNode || child(root, "load") == nil {
		return nil, &Error{
			Use: true, Pos: u.kind,
			Message: "for this line a server takes the first document for the use of a template, and that has no `load`",
			Hint:    "write `load: NAME` beside `kind: template`, in a file of its own",
		}
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], target(root.Content[i+1])
		switch key.Value {
		case "load":
			u.load, u.place = value.Value, u.at(value)
			if value.Kind != yaml.ScalarNode || value.Value == "" {
				return nil, &Error{Use: true, Pos: u.at(key), Message: "`load` is not the name of a template", Hint: "write `load: NAME`"}
			}
		case "data":
			plain, err := new(plainer).value(value, 0)
			data, ok := plain.(map[string]any)
			if err == nil && !ok && plain != nil {
				err = errors.New("it is not a map")
			}
			if err != nil {
				return nil, &Error{Use: true, Pos: u.at(key), Message: "`data` cannot be given to a template: " + err.Error()}
			}
			if ok {
				u.data, u.node = data, value
			}
		}
	}
	return u, nil
}

// at is the place of a node; columns of yaml.v3 are code points.
func (u *use) at(n *yaml.Node) manifest.Pos {
	pos := position(u.file, u.lines, n.Line, 0)
	if n.Line < 1 || n.Line > len(u.lines) {
		return pos
	}
	runes := []rune(u.lines[n.Line-1])
	pos.Column = n.Column
	pos.Offset += len(string(runes[:min(n.Column-1, len(runes))]))
	return pos
}

// Limits on data, which a few aliases can make endless: one may be in what it
// stands for, and one that stands for several others may be one of several.
const (
	maxDepth  = 100
	maxValues = 100_000
)

// plainer makes values of nodes: nil, string, bool, int, float64, []any and
// map[string]any. Dates are text, as to a server.
type plainer struct {
	values int // that were made, see maxValues
}

func (p *plainer) value(n *yaml.Node, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("it nests deeper than %d", maxDepth)
	}
	if p.values++; p.values > maxValues {
		return nil, fmt.Errorf("its aliases make more than %d values of it", maxValues)
	}
	n = target(n)
	switch n.Kind {
	case yaml.SequenceNode:
		list := []any{}
		for _, element := range n.Content {
			value, err := p.value(element, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		return list, nil
	case yaml.MappingNode:
		return p.mapping(n, depth)
	}
	switch n.ShortTag() {
	case "!!null":
		return nil, nil
	case "!!bool", "!!int", "!!float":
		var value any
		if err := n.Decode(&value); err != nil {
			return nil, err
		}
		switch value := value.(type) {
		case bool, int, float64:
			return value, nil
		}
	}
	return n.Value, nil
}

func (p *plainer) mapping(n *yaml.Node, depth int) (any, error) {
	out := map[string]any{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, element := n.Content[i], n.Content[i+1]
		value, err := p.value(element, depth+1)
		if err != nil {
			return nil, err
		}
		merged, ok := value.(map[string]any)
		if key.ShortTag() != "!!merge" || !ok {
			out[key.Value] = value
			continue
		}
		for name, value := range merged {
			if p.values++; p.values > maxValues {
				return nil, fmt.Errorf("its aliases make more than %d values of it", maxValues)
			}
			if _, own := out[name]; !own {
				out[name] = value
			}
		}
	}
	return out, nil
}

// find looks for the template in the folders of the options.
func (u *use) find(opts Options) (path string, text []byte, err error) {
	wrong := func(message, hint string) (string, []byte, error) {
		return "", nil, &Error{Pos: u.place, Message: message, Hint: hint}
	}
	switch strings.ToLower(filepath.Ext(u.load)) {
	case ".yml", ".yaml", ".jsonnet", ".star", ".starlark", ".script":
	default:
		return wrong("the template "+u.load+" is of no kind that a server knows",
			"names of templates end in .yml, .yaml, .jsonnet, .star, .starlark or .script")
	}
	if !filepath.IsLocal(filepath.FromSlash(u.load)) {
		return wrong("the template "+u.load+" is named by a path, not by its name", "a server looks up names; write the name of the template alone")
	}
	for _, dir := range opts.TemplateDirs {
		path := filepath.Join(dir, filepath.FromSlash(u.load))
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if opts.Within != "" {
			inside, err := isWithinAny(append([]string{opts.Within}, opts.TemplateDirs...), path)
			if err == nil && !inside {
				return wrong("the template "+u.load+" is outside of the working tree", outsideHint)
			}
			if err != nil {
				return wrong("cannot read the template "+u.load+": "+reason(err).Error(), "")
			}
		}
		text, err := readModule(path)
		if err != nil {
			return wrong("cannot read the template "+u.load+": "+err.Error(), "")
		}
		return path, text, nil
	}
	hint := "looked in " + strings.Join(opts.TemplateDirs, ", ")
	if len(opts.TemplateDirs) == 0 {
		hint = "no folder with templates is known"
	}
	if other := closeTemplate(u.load, opts.TemplateDirs); other != "" {
		hint += ", where there is " + other
	}
	return "", nil, &Error{
		Use: true, Absent: true, Pos: u.place, Message: "there is no template " + u.load + " on this machine",
		Hint: hint + "; templates are stored on the server: save a copy in .drone/templates, or name its folder with --template-dir",
	}
}

// closeTemplate is a template that is called nearly the same, or any.
func closeTemplate(name string, dirs []string) string {
	var names []string
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // most folders that may be there are not
		}
		for _, e := range entries {
			if e.Type().IsRegular() {
				names = append(names, e.Name())
			}
		}
	}
	return similar.File(name, names)
}

// warnOfValues tells where a server gives a program something else.
func (u *use) warnOfValues(format Format, opts Options) {
	if opts.Warn == nil {
		return
	}
	for name, value := range u.data {
		switch value.(type) {
		case string:
			continue
		case []any, map[string]any:
			if format == FormatJsonnet {
				opts.Warn(fmt.Sprintf("%s: a Jsonnet template gets `%s` as the text %q, as on a server: write it as a string of JSON and use std.parseJson", place(u.place), name, fmt.Sprint(value)))
				continue
			}
		}
		if format == FormatStarlark {
			opts.Warn(fmt.Sprintf("%s: not every server gives a Starlark template values that are no text: `%s` may be missing there; quote it", place(u.place), name))
		}
	}
}

// templatePlace is how text/template begins its errors: the line, and in some
// the offset within the line.
var templatePlace = regexp.MustCompile(`^template: .*?:(\d+)(?::(\d+))?: `)

// templateError gives an error of text/template its place.
func templateError(path string, lines []string, err error) error {
	e := &Error{Pos: manifest.Pos{File: path}, Message: strings.ReplaceAll(err.Error(), "template: "+path+":", "template: :")}
	if m := templatePlace.FindStringSubmatch(e.Message); m != nil {
		line, _ := strconv.Atoi(m[1]) // it is digits
		column, err := strconv.Atoi(m[2])
		if err == nil {
			column++
		}
		e.Pos = position(path, lines, line, column)
		e.Message = e.Message[len(m[0]):]
	}
	e.Message = sentence(strings.TrimPrefix(e.Message, "executing \""+path+"\" "))
	switch {
	case strings.HasPrefix(e.Message, "function ") && strings.HasSuffix(e.Message, "not defined"):
		e.Hint = functionHint(e.Message)
	case e.Message == "unexpected EOF":
		e.Hint = "an `if`, `range`, `with` or `define` has no `{{ end }}`"
	case strings.HasPrefix(e.Message, "unexpected {{end}}"):
		e.Hint = "there is no `if`, `range`, `with` or `define` that it could end"
	case strings.Contains(e.Message, "can't evaluate field"):
		e.Message, _, _ = strings.Cut(e.Message, " in type ") // of this program
		e.Hint = "fields have the names of Go: .build.Event, .build.AuthorName, .repo.Slug; values of `data` are .input.NAME"
	case strings.Contains(e.Message, "exceeded maximum template depth"):
		e.Hint = "the template uses itself without end"
	}
	return e
}

// templateBuild and templateRepo have the names that templates use.
type templateBuild struct {
	ID, RepoID, Number, Parent                               int64
	Trigger, Status, Error, Event, Action, Link              string
	Timestamp                                                int64
	Title, Message, Before, After, Ref, Fork, Source, Target string
	Author, AuthorName, AuthorEmail, AuthorAvatar, Sender    string
	Params                                                   map[string]string
	Cron, Deploy                                             string
	DeployID                                                 int64
	Debug                                                    bool
	Started, Finished, Created, Updated, Version             int64
}

type templateRepo struct {
	ID, UserID                                                     int64
	UID, Namespace, Name, Slug, SCM, HTTPURL, SSHURL, Link, Branch string
	Private                                                        bool
	Visibility, Config                                             string
	Active, Trusted, Protected, IgnoreForks, IgnorePulls           bool
	CancelPulls, CancelPush, CancelRunning                         bool
	Throttle, Timeout, Counter, Synced, Created, Updated, Version  int64
}

func templateBuildOf(b compile.Build) templateBuild {
	out := templateBuild{
		Number: b.Number, Parent: b.Parent, Trigger: b.Trigger, Status: "pending", Event: b.Event, Action: b.Action, Link: b.Link,
		Title: b.Title, Message: b.Message, Before: b.Before, After: b.After, Ref: b.Ref, Fork: b.SourceRepo,
		Source: b.Source, Target: b.Branch,
		Author: b.Author.Login, AuthorName: b.Author.Name, AuthorEmail: b.Author.Email, AuthorAvatar: b.Author.Avatar,
		Sender: sender(b), Params: b.Params, Cron: b.Cron, Deploy: b.Deploy, DeployID: b.DeployID, Debug: b.Debug,
	}
	if !b.Created.IsZero() {
		out.Created = b.Created.Unix()
	}
	if !b.Started.IsZero() {
		out.Started = b.Started.Unix()
	}
	return out
}

func templateRepoOf(b compile.Build, file string) templateRepo {
	r := b.Repo
	return templateRepo{
		Namespace: r.Namespace, Name: r.Name, Slug: r.Slug, SCM: r.SCM, HTTPURL: r.HTTPURL, SSHURL: r.SSHURL, Link: r.Link,
		Branch: r.DefaultBranch, Private: r.Private, Visibility: r.Visibility, Config: file, Active: true,
	}
}
