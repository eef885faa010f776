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
// is the way to a value, joined by dots: runs.rm.older-than. A File is for one
// goroutine.
package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/internal/rewrite"
)

// maxFile is the size beyond which a file is surely not one of settings.
const maxFile = 1 << 20

// Setting is what the file has for a key.
type Setting struct {
	Key    string
	Values []string // several for a list
	Line   int
}

// File is a file of settings.
type File struct {
	Path string

	document yaml.Node
}

// Error is what is wrong with a file, and where. Line is 0 when it is not about
// a line.
type Error struct {
	Path    string
	Line    int
	Message string
	Hint    string
}

func (e *Error) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", e.Path, e.Line, e.Message)
	}
	return e.Path + ": " + e.Message
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
	if err := yaml.Unmarshal(text, &f.document); err != nil {
		return nil, &Error{Path: path, Message: strings.TrimPrefix(err.Error(), "yaml: "), Hint: "it is a YAML map of commands with their flags beneath, such as `exec: {timeout: 30m}`"}
	}
	root := f.root()
	if root != nil && root.Kind != yaml.MappingNode && root.Tag != "!!null" {
		return nil, &Error{Path: path, Line: root.Line, Message: "is no map of commands", Hint: "write for example `exec: {timeout: 30m}`"}
	}
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
	var walk func(n *yaml.Node, key string)
	walk = func(n *yaml.Node, key string) {
		wrong := func(at *yaml.Node, message string) {
			problems = append(problems, &Error{Path: f.Path, Line: at.Line, Message: message, Hint: "write a value, or a list of values"})
		}
		switch {
		case n.Kind == yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				walk(n.Content[i+1], strings.TrimPrefix(key+"."+n.Content[i].Value, "."))
			}
		case key == "" || n.Tag == "!!null":
		case n.Kind == yaml.ScalarNode:
			list = append(list, Setting{Key: key, Values: []string{n.Value}, Line: n.Line})
		case n.Kind == yaml.SequenceNode:
			s := Setting{Key: key, Line: n.Line, Values: []string{}}
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
	if root := f.root(); root != nil {
		walk(root, "")
	}
	return list, problems
}

// Set gives a key one value or several. Comments and the order of the file stay.
func (f *File) Set(key string, values ...string) {
	if len(f.document.Content) == 0 || f.root().Kind != yaml.MappingNode {
		head := f.document.HeadComment
		if root := f.root(); root != nil && head == "" {
			head = root.HeadComment
		}
		f.document = yaml.Node{Kind: yaml.DocumentNode, HeadComment: head, Content: []*yaml.Node{{Kind: yaml.MappingNode, Tag: "!!map"}}}
	}
	at := f.root()
	words := strings.Split(key, ".")
	for i, word := range words {
		child := entry(at, word)
		if child == nil {
			child = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
			at.Content = append(at.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: word}, child)
		}
		last := i == len(words)-1
		if !last && child.Kind != yaml.MappingNode {
			*child = yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		}
		if last {
			fill(child, values)
		}
		at = child
	}
}

// fill makes a node hold values, and keeps its comments.
func fill(n *yaml.Node, values []string) {
	fresh := yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	if len(values) == 1 {
		fresh = *scalar(values[0])
	} else {
		for _, v := range values {
			fresh.Content = append(fresh.Content, scalar(v))
		}
	}
	fresh.HeadComment, fresh.LineComment, fresh.FootComment = n.HeadComment, n.LineComment, n.FootComment
	*n = fresh
}

// scalar writes a value as one would: numbers and truth values without quotes.
func scalar(value string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(value)
	switch strings.ToLower(value) {
	case "", "~", "null":
		n.Style = yaml.SingleQuotedStyle
	default:
		n.Tag = ""
	}
	return n
}

func entry(m *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			return m.Content[i+1]
		}
	}
	return nil
}

// Unset removes a key, and the commands that have nothing left then. It reports
// whether there was one.
func (f *File) Unset(key string) bool {
	root := f.root()
	return root != nil && unset(root, strings.Split(key, "."))
}

func unset(m *yaml.Node, words []string) bool {
	for i := 0; m.Kind == yaml.MappingNode && i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value != words[0] {
			continue
		}
		child := m.Content[i+1]
		if len(words) > 1 && !unset(child, words[1:]) {
			return false
		}
		if len(words) == 1 || len(child.Content) == 0 {
			m.Content = slices.Delete(m.Content, i, i+2)
		}
		return true
	}
	return false
}

// Save writes the file, for its owner alone when it is new.
func (f *File) Save() error {
	var text bytes.Buffer
	if root := f.root(); root != nil && len(root.Content) > 0 {
		enc := yaml.NewEncoder(&text)
		enc.SetIndent(2)
		if err := errors.Join(enc.Encode(&f.document), enc.Close()); err != nil {
			return fmt.Errorf("%s cannot be written: %w", f.Path, err)
		}
	}
	if err := f.write(text.Bytes()); err != nil {
		if p, ok := errors.AsType[*fs.PathError](err); ok {
			err = p.Err
		}
		return fmt.Errorf("%s cannot be written: %w", f.Path, err)
	}
	return nil
}

func (f *File) write(text []byte) error {
	if _, err := os.Stat(f.Path); err == nil {
		return rewrite.File(f.Path, text)
	}
	if err := os.MkdirAll(filepath.Dir(f.Path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(f.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Close())
}
