package format_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/format"
)

// FuzzFormat formats any text. What comes out has the same values and is not
// changed by being formatted again.
func FuzzFormat(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yml")
	if err != nil || len(files) == 0 {
		f.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(source)
	}
	f.Add([]byte("a: |+\n\n b\n \n---\r\n- - ? x"))
	f.Add([]byte("a:\n- |1\n b\n#c\n  #d\n- !t &x 'y\n\n z'"))
	f.Fuzz(func(t *testing.T, source []byte) {
		result, err := format.Source("x.yml", source)
		if err != nil {
			var wrong *format.Error
			if !errors.As(err, &wrong) || wrong.Pos.Line > 1+bytes.Count(source, []byte("\n")) {
				t.Fatalf("got %v, want an error with a place in the file", err)
			}
			return
		}
		if result.Changed == bytes.Equal(result.Text, source) {
			t.Fatalf("Changed is %t", result.Changed)
		}
		again, err := format.Source("x.yml", result.Text)
		if err != nil {
			t.Fatalf("the result cannot be formatted: %v\n%s", err, result.Text)
		}
		if again.Changed {
			t.Fatalf("formatting again gives\n%q, not\n%q", again.Text, result.Text)
		}
		var before, after yaml.Node
		if yaml.Unmarshal(source, &before) != nil {
			return // as where an expression is no YAML until it is substituted
		}
		if err := yaml.Unmarshal(result.Text, &after); err != nil {
			t.Fatal(err)
		}
		if a, b := values(&before), values(&after); a != b {
			t.Fatalf("the values become\n%s, not\n%s", b, a)
		}
	})
}

// values is a tree without its places and comments.
func values(n *yaml.Node) string {
	var b strings.Builder
	b.WriteString("(" + n.Tag + " " + n.Anchor + " " + n.Value)
	for _, c := range n.Content {
		b.WriteString(values(c))
	}
	return b.String() + ")"
}
