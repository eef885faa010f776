package scaffold_test

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/format"
	"github.com/drone-laptop/drone/internal/scaffold"
	"github.com/drone-laptop/drone/lint"
)

var update = flag.Bool("update", false, "rewrite what is expected")

// TestTrees writes a file for each tree of testdata, whose last two files are
// what is expected: the configuration, and what is said about it.
func TestTrees(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) < 10 {
		t.Fatalf("%d trees, %v", len(names), err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			tree, want := fstest.MapFS{}, map[string][]byte{}
			var files []txtar.File
			for _, f := range archive.Files {
				if strings.HasPrefix(f.Name, "want.") {
					want[f.Name] = f.Data
					continue
				}
				files = append(files, f)
				mode := fs.FileMode(0o644)
				if slices.Contains([]string{"mvnw", "gradlew"}, path.Base(f.Name)) {
					mode = 0o755
				}
				tree[f.Name] = &fstest.MapFile{Data: f.Data, Mode: mode}
			}
			r, err := scaffold.Write(tree, scaffold.Options{Repository: "Octo/hello"})
			if err != nil {
				t.Fatal(err)
			}
			wellFormed(t, r.Text)
			var said strings.Builder
			for _, s := range r.Seen {
				fmt.Fprintf(&said, "%s: %s\n", s.File, s.What)
			}
			for _, n := range r.Notes {
				fmt.Fprintf(&said, "note: %s\n", n)
			}
			if *update {
				files = append(files, txtar.File{Name: "want.yml", Data: r.Text}, txtar.File{Name: "want.txt", Data: []byte(said.String())})
				archive.Files = files
				if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if !bytes.Equal(r.Text, want["want.yml"]) {
				t.Errorf("got\n%s\nwant\n%s", r.Text, want["want.yml"])
			}
			if said.String() != string(want["want.txt"]) {
				t.Errorf("got\n%s\nwant\n%s", said.String(), want["want.txt"])
			}
		})
	}
}

// wellFormed fails when a strict linter has anything to say about a file, or its
// form is not the canonical one.
func wellFormed(t *testing.T, text []byte) {
	t.Helper()
	for _, p := range lint.Check(".drone.yml", text, lint.Options{Strict: true, Compile: compile.Options{Host: compile.Host{Consent: true}}}) {
		t.Errorf("line %d: %s [%s]", p.Span.Start.Line, p.Message, p.Rule)
	}
	formatted, err := format.Source(".drone.yml", text)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(formatted.Text, text) {
		t.Errorf("the canonical form is another:\n%s\ninstead of\n%s", formatted.Text, text)
	}
}

// TestHostileTrees has names and values that mean something to a shell or to
// YAML: they stay what they are.
func TestHostileTrees(t *testing.T) {
	for name, tree := range map[string]fstest.MapFS{
		"folder":  {"a b;$(rm -rf)/go.mod": {Data: []byte("module a\n\ngo 1.25\n")}, "a b;$(rm -rf)/a.go": {}, "x/requirements.txt": {Data: []byte("pytest")}},
		"work":    {"go.work": {Data: []byte("go 1.25\n\nuse (\n\t./a;reboot\n\t./b\n)\n")}},
		"compose": {"compose.yml": {Data: []byte("services:\n  db: {image: 'postgres:17', environment: {POSTGRES_DB: \"a: b\\n- c ${HOME}\", POSTGRES_PASSWORD: '*x'}}\n  'a b': {image: 'redis:7'}\n")}, "go.mod": {Data: []byte("module a\n")}, "a.go": {}},
		"names":   {"compose.yml": {Data: []byte("services:\n  db: {image: 'postgres:17', environment: {\"A: b\\n- name: evil\": x, 'y': z, '${X}': z}}\n  app: {environment: {\"B: c\\n- name: evil\": db, 'on': db}}\n")}, "go.mod": {Data: []byte("module a\n")}, "a.go": {}},
		"broken":  {"package.json": {Data: []byte("{")}, "compose.yml": {Data: []byte("[")}, "pyproject.toml": {Data: []byte("\x00")}},
		"image":   {"compose.yml": {Data: []byte("services: {db: {image: \"postgres:17\\n- name: evil\"}}\n")}, "go.mod": {Data: []byte("module a\n")}, "a.go": {}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := scaffold.Write(tree, scaffold.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(r.Text), "\n- name: evil") || strings.Contains(string(r.Text), "- c ${HOME}") {
				t.Errorf("what is a value has become more:\n%s", r.Text)
			}
			wellFormed(t, r.Text)
			if name == "names" && !strings.Contains(string(r.Text), "    \"on\": db\n") {
				t.Errorf("the variable that names the service is missing:\n%s", r.Text)
			}
			if name == "folder" && !strings.Contains(string(r.Text), "'a b;$(rm -rf)'") {
				t.Errorf("the folder is not quoted:\n%s", r.Text)
			}
		})
	}
}

func TestAFolderThatIsGone(t *testing.T) {
	if _, err := scaffold.Write(os.DirFS(filepath.Join(t.TempDir(), "gone")), scaffold.Options{}); err == nil {
		t.Error("there is no error")
	}
}
