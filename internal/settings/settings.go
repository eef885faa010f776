// Package settings reads and changes the file in which a user keeps values of
// flags: a YAML map of commands, with the names of their flags beneath.
//
//	exec:
//	  timeout: 30m
//	  secret-file: [ci.secrets, my.secrets]
//	runs:
//	  rm:
//	    older-than: 30d
//
// It knows neither which commands and flags there are nor what they take. A key
// is the way to a value, joined by dots: runs.rm.older-than. The file may have it
// so, too. A File is for one goroutine.
package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// maxFile is the size beyond which a file is surely not one of settings.
const maxFile = 1 << 20

// Setting is what the file has for a key.
type Setting struct {
	Key          string
	Values       []string // several for a list
	Line, Column int      // where the value begins, both from 1
}

// File is a file of settings.
type File struct {
	Path string

	text     []byte // as it is on disk, or will be
	document yaml.Node
	broken   error // why a change could not be made
}

// Error is what is wrong with a file, and where. Line is 0 when it is not about
// a line, and Column when it is about the whole of it.
type Error struct {
	Path         string
	Line, Column int
	Message      string
	Hint         string
}

func (e *Error) Error() string {
	place := e.Path
	if e.Line > 0 {
		place += ":" + strconv.Itoa(e.Line)
	}
	if e.Line > 0 && e.Column > 0 {
		place += ":" + strconv.Itoa(e.Column)
	}
	return place + ": " + e.Message
}

// Open reads a file. One that does not exist has no settings. Its errors are of
// type *Error.
func Open(path string) (*File, error) {
	f := &File{Path: path}
	text, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		if p, ok := errors.AsType[*fs.PathError](err); ok {
			err = p.Err
		}
		return nil, &Error{Path: path, Message: "cannot be read: " + err.Error()}
	}
	document, wrong := parse(text)
	if wrong != nil {
		wrong.Path = path
		return nil, wrong
	}
	f.text, f.document = text, document
	return f, nil
}

func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no regular file")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(text) > maxFile {
		return nil, fmt.Errorf("it has more than %d MiB", maxFile>>20)
	}
	return text, err
}

// parse reads the text of a file, in which each key is once. The error has no
// path.
func parse(text []byte) (document yaml.Node, wrong *Error) {
	const hint = "it is a YAML map of commands with their flags beneath, such as `exec: {timeout: 30m}`"
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return document, nil
	} else if err != nil {
		return document, syntax(err, hint)
	}
	var more yaml.Node
	switch err := decoder.Decode(&more); {
	case err == nil:
		return document, &Error{Line: more.Line, Message: "a second document begins, which nothing would read", Hint: "write all settings into one"}
	case !errors.Is(err, io.EOF):
		return document, syntax(err, hint)
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode && root.Tag != "!!null" {
		return document, &Error{Line: root.Line, Column: root.Column, Message: "is no map of commands", Hint: "write for example `exec: {timeout: 30m}`"}
	}
	return document, repeated(root, "", map[string]*yaml.Node{})
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?`)

func syntax(err error, hint string) *Error {
	text := err.Error()
	m := yamlLine.FindStringSubmatch(text)
	line, _ := strconv.Atoi(m[1]) // 0 where it names none
	return &Error{Line: line, Message: strings.TrimPrefix(text, m[0]), Hint: hint}
}

// repeated finds a key that is there twice: which of its values counts nobody
// could tell.
func repeated(m *yaml.Node, above string, seen map[string]*yaml.Node) *Error {
	for i := 0; i+1 < len(m.Content); i += 2 {
		name, value := m.Content[i], m.Content[i+1]
		key := joined(above, name.Value)
		if other := seen[key]; other != nil {
			return &Error{Line: name.Line, Column: name.Column, Message: fmt.Sprintf("%s is there twice, also in line %d", key, other.Line), Hint: "leave one of them"}
		}
		seen[key] = name
		if value.Kind == yaml.MappingNode {
			if wrong := repeated(value, key, seen); wrong != nil {
				return wrong
			}
		}
	}
	return nil
}

func joined(above, name string) string { return strings.TrimPrefix(above+"."+name, ".") }

// root is the map of commands, nil in a file without one.
func (f *File) root() *yaml.Node {
	if len(f.document.Content) == 0 {
		return nil
	}
	return f.document.Content[0]
}

// All lists the settings in the order of the file, and what is in it that can
// be none, such as an alias.
func (f *File) All() (list []Setting, problems []*Error) {
	list, problems = settingsIn(&f.document)
	for _, p := range problems {
		p.Path = f.Path
	}
	return list, problems
}

func settingsIn(document *yaml.Node) (list []Setting, problems []*Error) {
	var walk func(n *yaml.Node, key string)
	walk = func(n *yaml.Node, key string) {
		wrong := func(at *yaml.Node, message string) {
			problems = append(problems, &Error{Line: at.Line, Column: at.Column, Message: message, Hint: "write a value, or a list of values"})
		}
		switch {
		case n.Kind == yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				walk(n.Content[i+1], joined(key, n.Content[i].Value))
			}
		case key == "" || n.Tag == "!!null":
		case n.Kind == yaml.ScalarNode:
			list = append(list, Setting{Key: key, Values: []string{n.Value}, Line: n.Line, Column: n.Column})
		case n.Kind == yaml.SequenceNode:
			s := Setting{Key: key, Line: n.Line, Column: n.Column, Values: []string{}}
			for _, item := range n.Content {
				if item.Kind != yaml.ScalarNode {
					wrong(item, key+" has an entry that is no value")
					return
				}
				s.Values = append(s.Values, item.Value)
			}
			list = append(list, s)
		default:
			wrong(n, key+" has no value")
		}
	}
	for _, root := range document.Content {
		walk(root, "")
	}
	return list, problems
}

// OthersMayWrite reports whether everybody on this machine can write to the file
// or put another one into its place.
func (f *File) OthersMayWrite() bool { return othersMayWrite(f.Path) }
