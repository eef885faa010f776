package convert

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/compile"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func testBuild() compile.Build {
	return compile.Build{
		Event: "promote", Action: "opened", Trigger: "bob", Branch: "main", Source: "topic", SourceRepo: "ada/hello",
		Ref: "refs/heads/main", Before: "aaaa", After: "bbbb", Title: "a title", Message: "a \"message\"",
		Link: "https://github.com/octocat/hello/commit/bbbb", Deploy: "production", Cron: "nightly", Debug: true,
		Author: compile.Author{Login: "ada", Name: "Ada Lovelace", Email: "ada@example.com", Avatar: "https://example.com/a.png"},
		Repo: compile.Repo{
			Slug: "octocat/hello", Namespace: "octocat", Name: "hello", Link: "https://github.com/octocat/hello",
			HTTPURL: "https://github.com/octocat/hello.git", SSHURL: "git@github.com:octocat/hello.git",
			DefaultBranch: "main", Visibility: "private", Private: true,
		},
		Params: map[string]string{"color": "red"}, Created: time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC),
	}
}

// toYAML gives the Drone YAML of a file.
func toYAML(name string, source []byte, build compile.Build) ([]byte, error) {
	made, err := Run(context.Background(), name, source, Options{Build: build})
	if err != nil {
		return nil, err
	}
	return made.Text, nil
}

// TestRun compares what each program in testdata makes with a golden file,
// which must also be a stream of YAML documents.
func TestRun(t *testing.T) {
	var inputs []string
	for _, pattern := range []string{"testdata/*.jsonnet", "testdata/*.star"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("no fixtures for %s: %v", pattern, err)
		}
		inputs = append(inputs, found...)
	}
	for _, input := range inputs {
		t.Run(filepath.Base(input), func(t *testing.T) {
			source, err := os.ReadFile(input)
			if err != nil {
				t.Fatal(err)
			}
			got, err := toYAML(filepath.ToSlash(input), source, testBuild())
			if err != nil {
				t.Fatal(err)
			}
			golden := input + ".golden"
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if documents := decode(t, got); len(documents) == 0 {
				t.Error("no documents")
			}
		})
	}
}

// textOfRun is the text of what Run gives.
func textOfRun(ctx context.Context, name string, source []byte, opts Options) (string, error) {
	made, err := Run(ctx, name, source, opts)
	if err != nil {
		return "", err
	}
	return string(made.Text), nil
}

func decode(t *testing.T, stream []byte) []any {
	t.Helper()
	var documents []any
	decoder := yaml.NewDecoder(strings.NewReader(string(stream)))
	for {
		var document any
		err := decoder.Decode(&document)
		if err != nil {
			if err.Error() != "EOF" {
				t.Errorf("the stream is no YAML: %v", err)
			}
			return documents
		}
		documents = append(documents, document)
	}
}

func TestRunLeavesYAMLAlone(t *testing.T) {
	for _, text := range []string{"", "kind: pipeline\r\n# ${X}\n", "not: [closed", "{\"kind\": \"pipeline\"}"} {
		got, err := toYAML(".drone.yml", []byte(text), testBuild())
		if err != nil || string(got) != text {
			t.Errorf("%q became %q, %v", text, got, err)
		}
	}
}

func TestDetect(t *testing.T) {
	cases := []struct {
		name, text string
		want       Format
	}{
		{".drone.jsonnet", "", FormatJsonnet},
		{"ci/.drone.STAR", "", FormatStarlark},
		{"x.starlark", "", FormatStarlark},
		{"x.script", "", FormatStarlark},
		{".drone.yml", "kind: pipeline\nname: x\n", FormatDrone},
		{".drone.yml", "", FormatDrone},
		{".drone.yml", "---\n", FormatDrone},
		{".drone.yml", "- a\n", FormatDrone},
		{".drone.yml", "# c\nkind: template\nload: x.star\n", FormatTemplate},
		{".drone.yml", "kind: template\r\nload: x.star\r\n", FormatTemplate},
		{".drone.yml", "kind: templates\n", FormatDrone},
		{".drone.yml", "---\nkind:  template \nload: x.star\n", FormatTemplate},
		{".drone.yml", "kind: \"template\"\nload: x.star\n", FormatDrone},
		{".drone.yml", "kind: template # c\nload: x.star\n", FormatDrone},
		{".drone.yml", "pipeline:\n  a: {image: b}\n", FormatLegacy08},
		{".drone.yml", "workspace: {base: /go}\npipeline: &x\n  a: {image: b}\n", FormatLegacy08},
		{".drone.yml", "pipeline:\n\ta:\n", FormatLegacy08},
		{".drone.yml", "kind: pipeline\nsteps: []\n---\npipeline:\n", FormatDrone},
		{".drone.yml", "pipeline:\nkind: pipeline\n", FormatDrone},
		{".drone.yml", "steps: []\npipeline:\n", FormatDrone},
		{".drone.yml", "build:\n  image: golang\n", FormatLegacy04},
		{".drone.yml", "build:\n  test:\n    image: golang\n", FormatLegacy04},
		{".drone.yml", "notify:\n  slack: {}\n", FormatLegacy04},
		{".drone.yml", "x: &x {image: b}\nscript:\n  test: *x\n", FormatLegacy04},
		{".drone.yml", "build: .\n", FormatDrone},
		{".drone.yml", "deploy: true\n", FormatDrone},
		{"-", "name: x\n", FormatDrone},
	}
	for _, tc := range cases {
		if got := Detect(tc.name, []byte(tc.text)); got != tc.want {
			t.Errorf("Detect(%q, %q) = %q, want %q", tc.name, tc.text, got, tc.want)
		}
	}
}

func TestErrors(t *testing.T) {
	cases := []struct{ name, text, want, hint string }{
		{"a.jsonnet", "{\n  a: \"ü\" +,\n}", "a.jsonnet:2:11: unexpected: \",\" while parsing terminal", ""},
		{"a.jsonnet", "{ a: b }", "a.jsonnet:1:6: unknown variable: b", ""},
		{"a.jsonnet", "local f(x) = x.nope;\n{ 'ü': f({}) }", "a.jsonnet:1:14: field does not exist: nope", ""},
		{"a.jsonnet", "{\n  a: error 'My message.',\n}", "a.jsonnet:2:6: error: My message", ""},
		{"a.jsonnet", "{ a: std.length(1) }", "a.jsonnet:1:6: unexpected type number", ""},
		{"a.jsonnet", "{ a: std.extVar('build.evnt') }", "a.jsonnet:1:6: undefined external variable: build.evnt", "did you mean build.event?"},
		{"a.jsonnet", "{ a: std.extVar('build.param.x') }", "a.jsonnet:1:6: undefined external variable: build.param.x", "--param x=VALUE"},
		{"a.jsonnet", "{ a: std.extVar('input.x') }", "a.jsonnet:1:6: undefined external variable: input.x", "templates"},
		{"ci/a.jsonnet", "import 'nope.libsonnet'", `ci/a.jsonnet:1:1: couldn't open import "nope.libsonnet": no match locally or in the Jsonnet library paths`, "the folder of ci/a.jsonnet, ci"},
		{"a.jsonnet", "importstr 'testdata'", `a.jsonnet:1:1: cannot import "testdata": it is not a file`, ""},
		{"a.jsonnet", "importbin '" + os.DevNull + "'", `a.jsonnet:1:1: cannot import "` + os.DevNull + `": it is not a file`, ""},
		{"a.jsonnet", "local f(x) = f(x + 1) + 1;\n{ a: f(1) }", "a.jsonnet:1:14: max stack frames exceeded", "500"},
		{"a.jsonnet", "'text'", "a.jsonnet: the program makes a string, not an object or a list of objects", "kind: 'pipeline'"},
		{"a.jsonnet", "[{}, 1]", "a.jsonnet: the program makes a list with a number as element 2, not an object or a list of objects", ""},
		{"a.jsonnet", "", "a.jsonnet:1:1: unexpected end of file", ""},
		{"testdata/a.jsonnet", "(import 'lib/step.libsonnet')('a', 'b', 'c')", "testdata/a.jsonnet:1:1: function expected 2 positional argument(s), but got 3", ""},

		{"a.star", "def main(ctx):\n  return {'ü': 1 +}\n", "a.star:2:19: got '}', want primary expression", ""},
		{"a.star", "def main(ctx):\n  return nope\n", "a.star:2:10: undefined: nope", ""},
		{"a.star", "def f(x):\n  return x.nope\ndef main(ctx):\n  return f({})\n", "a.star:2:11: dict has no .nope field or method", ""},
		{"a.star", "def main(ctx):\n  return {}['x']\n", `a.star:2:12: key "x" not in dict`, ""},
		{"a.star", "def main(ctx):\n  fail('Not today.')\n", "a.star:2:7: fail: Not today", ""},
		{"a.star", "x = 1 // 0\n", "a.star:1:7: floored division by zero", ""},
		{"a.star", "load('nope.star', 'x')\n", "a.star:1:1: there is no file nope.star to load", "looked in ."},
		{"a.star", "x = 1\n", "a.star: the program has no function main", "main(ctx)"},
		{"a.star", "main = 1\n", "a.star: main is a int, not a function", "main(ctx)"},
		{"a.star", "def main(): return {}\n", "a.star:1:1: function main accepts no arguments (1 given)", ""},
		{"a.star", "\ndef main(ctx):\n  return 'x'\n", "a.star:2:1: main returns a string, not a dict or a list of dicts", "dict"},
		{"a.star", "def main(ctx):\n  return [{}, []]\n", "a.star:1:1: main returns a list with a list as element 2", ""},
		{"a.star", "def main(ctx):\n  return {'steps': [{'image': len}]}\n", "a.star:1:1: main returns a builtin_function_or_method at steps[0].image", ""},
		{"a.star", "def main(ctx):\n  a = {}\n  a['a'] = [a]\n  return a\n", "a.star:1:1: main returns a dict at a[0] that contains itself", ""},
		{"a.star", "def nest():\n  x = ()\n  for i in range(2000):\n    x = (x,)\n  return x\ndef main(ctx): return {'a': nest()}\n", "a.star:6:1: main returns a tuple that nests deeper than 1000", ""},
		{"a.star", "def nest():\n  x = []\n  for i in range(2000):\n    x = [x]\n  return x\ndef main(ctx): return {'a': nest()}\n", "a.star:6:1: main returns a list that nests deeper than 1000", ""},
		{"a.star", "def main(ctx):\n  return {'a': {(1,): 1}}\n", "a.star:1:1: main returns a dict with a tuple as key at a", ""},
		{"a.star", "def main(ctx):\n  return {'a': float('inf')}\n", "a.star:1:1: main returns the number +inf at a", ""},
		{"a.star", "def main(ctx):\n  for i in range(1000000000):\n    x = i\n", "a.star:2:3: main takes more than the 50000 steps the server allows", "loop"},
		{"a.star", "def main(ctx):\n  return {'a': 'x' * 1000000}\n", "a.star:1:1: what main returns is longer than the 1000000 bytes the server allows", ""},
		{"a.star", "def main(ctx):\n  return ctx.nope\n", "a.star:2:13: \"ctx\" struct has no .nope attribute", ""},

		{"t.yml", "# c\nkind: template\nload: go.star\n", "t.yml:3:7: there is no template go.star on this machine", "--template-dir"},
		{"l.yml", "# c\nworkspace: {}\npipeline:\n  a: {image: b}\n", "l.yml:3:1: the file is written for Drone 0.8: it has a top-level `pipeline` and no `kind`", "drone convert"},
		{"l.yml", "build: {image: b}\n", "l.yml:1:1: the file is written for Drone 0.4: it has a top-level `build` and no `kind`", "drone convert"},
	}
	for _, tc := range cases {
		t.Run(tc.name+" "+tc.want, func(t *testing.T) {
			_, err := toYAML(tc.name, []byte(tc.text), testBuild())
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want an *Error", err)
			}
			if e.Error() != tc.want || !strings.Contains(e.Hint, tc.hint) {
				t.Errorf("got  %q\nhint %q\nwant %q\nhint with %q", e.Error(), e.Hint, tc.want, tc.hint)
			}
			// The offset and the column must name the same place.
			if e.Pos.Column > 0 {
				line := tc.text[strings.LastIndex(tc.text[:e.Pos.Offset], "\n")+1 : e.Pos.Offset]
				if n := len([]rune(line)) + 1; n != e.Pos.Column || strings.Count(tc.text[:e.Pos.Offset], "\n")+1 != e.Pos.Line {
					t.Errorf("offset %d is column %d, not %d", e.Pos.Offset, n, e.Pos.Column)
				}
			}
		})
	}
}

func TestErrorInImport(t *testing.T) {
	dir := t.TempDir()
	lib := filepath.Join(dir, "lib.libsonnet")
	if err := os.WriteFile(lib, []byte("{\n  f(x):: x.nope,\n}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "a.jsonnet")
	_, err := toYAML(name, []byte("{ a: (import 'lib.libsonnet').f({}) }"), compile.Build{})
	if want := lib + ":2:10: field does not exist: nope"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestPathsOfJsonnet(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	for dir, text := range map[string]string{first: "{ from: 'first' }", second: "{ from: 'second' }"} {
		if err := os.WriteFile(filepath.Join(dir, "x.libsonnet"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := evaluateJsonnet(context.Background(), "a.jsonnet", []byte("import 'x.libsonnet'"), JsonnetOptions{Paths: []string{first, second}})
	if err != nil || len(got.Documents) != 1 || !strings.Contains(got.Documents[0], "second") {
		t.Errorf("got %v, %v; the last path wins", got, err)
	}
}

// TestImportsWithin: a program reads nothing of the machine but the folder that
// it belongs to, by whatever way.
func TestImportsWithin(t *testing.T) {
	base := t.TempDir()
	tree := filepath.Join(base, "tree")
	if err := errors.Join(
		os.MkdirAll(filepath.Join(tree, "lib"), 0o755), os.WriteFile(filepath.Join(base, "key"), []byte("secret"), 0o644),
		os.WriteFile(filepath.Join(tree, "lib/in"), []byte("text"), 0o644), os.Symlink("../key", filepath.Join(tree, "link")),
		os.Symlink("tree", filepath.Join(base, "also")),
	); err != nil {
		t.Fatal(err)
	}
	for path, inside := range map[string]bool{
		"lib/in": true, "./lib/../lib/in": true, filepath.Join(base, "also/lib/in"): true,
		"../key": false, "link": false, filepath.Join(base, "key"): false, "/etc/hostname": false,
	} {
		for _, word := range []string{"import", "importstr", "importbin"} {
			if word == "import" && inside {
				continue // it is no program
			}
			text := fmt.Sprintf("{ a: %s %q }", word, path)
			_, err := textOfRun(t.Context(), filepath.Join(tree, "a.jsonnet"), []byte(text), Options{Within: filepath.Join(base, "also")})
			if (err == nil) != inside {
				t.Errorf("%s: error is %v", text, err)
			}
			var e *Error
			if word == "importstr" && !inside && (!errors.As(err, &e) || !strings.Contains(e.Message, importOutside+path) || e.Hint == "") {
				t.Errorf("%s: error is %v", text, err)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: the error quotes it: %v", text, err)
			}
		}
	}
}

func TestTextOfJsonnet(t *testing.T) {
	got, err := evaluateJsonnet(context.Background(), "a.jsonnet", []byte("'kind: pipeline\\n'"), JsonnetOptions{Text: true})
	if err != nil || len(got.Documents) != 1 || got.Documents[0] != "kind: pipeline\n" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestOutputOfPrograms(t *testing.T) {
	var lines []string
	print := func(l string) { lines = append(lines, l) }
	if _, err := evaluateJsonnet(context.Background(), "a.jsonnet", []byte("std.trace('hello', {})"), JsonnetOptions{Print: print}); err != nil {
		t.Fatal(err)
	}
	if len(lines) != 1 || !strings.HasSuffix(lines[0], "hello") {
		t.Errorf("std.trace printed %q", lines)
	}
	lines = nil
	source := "print('top')\ndef main(ctx):\n  print('in', 'main')\n  return {}\n"
	_, err := evaluateStarlark(context.Background(), "a.star", []byte(source), StarlarkOptions{Print: print})
	if diff := cmp.Diff([]string{"top", "in main"}, lines); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// TestCancel shows that a program without end does not keep the command.
func TestCancel(t *testing.T) {
	cause := errors.New("stop")
	ctx, cancel := context.WithCancelCause(context.Background())
	source := "def f():\n  for i in range(1000000000000):\n    print(i)\nf()\n"
	_, err := evaluateStarlark(ctx, "a.star", []byte(source), StarlarkOptions{Print: func(string) { cancel(cause) }})
	if !errors.Is(err, cause) {
		t.Errorf("starlark: got %v, want the cause", err)
	}
	if _, err := evaluateJsonnet(ctx, "a.jsonnet", []byte("std.length([x for x in std.range(1, 3000000)])"), JsonnetOptions{}); !errors.Is(err, cause) {
		t.Errorf("jsonnet: got %v, want the cause", err)
	}
}

// TestCorpus runs the programs of other people; the folder lies beside the
// repository.
func TestCorpus(t *testing.T) {
	corpus := filepath.Join("..", "..", "shared", "corpus")
	if _, err := os.Stat(corpus); err != nil {
		t.Skip("the corpus is absent; programs of other people are not tested")
	}
	failing := map[string]string{
		"07-drone-runners-drone-runner-docker.star": "07-drone-runners-drone-runner-docker.star:",
		"10-drone-plugins-drone-docker.jsonnet":     "couldn't open import",
		"45-owncloud-activity.star":                 "main takes more than the 50000 steps",
	}
	formats := map[Format]int{}
	entries, err := os.ReadDir(corpus)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasSuffix(name, ".md") || strings.HasSuffix(name, ".tsv") {
			continue
		}
		source, err := os.ReadFile(filepath.Join(corpus, name))
		if err != nil {
			t.Fatal(err)
		}
		format := Detect(name, source)
		formats[format]++
		text, err := toYAML(filepath.Join(corpus, name), source, testBuild())
		switch {
		case format != FormatJsonnet && format != FormatStarlark:
		case failing[name] != "":
			if err == nil || !strings.Contains(err.Error(), failing[name]) {
				t.Errorf("%s: got %v, want an error with %q", name, err, failing[name])
			}
		case err != nil:
			t.Errorf("%s: %v", name, err)
		default:
			if len(decode(t, text)) == 0 {
				t.Errorf("%s: no documents", name)
			}
		}
	}
	want := map[Format]int{
		FormatDrone: 37, FormatLegacy04: 2, FormatLegacy08: 9, FormatJsonnet: 6, FormatStarlark: 5, FormatTemplate: 2,
	}
	if diff := cmp.Diff(want, formats); diff != "" {
		t.Errorf("formats (-want +got):\n%s", diff)
	}
}

func TestMaxSteps(t *testing.T) {
	source := []byte("def main(ctx):\n  for i in range(100000):\n    pass\n  return {}\n")
	got, err := textOfRun(context.Background(), "a.star", source, Options{MaxSteps: 1_000_000})
	if err != nil || string(got) != "---\n{}\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestExtVars(t *testing.T) {
	source := []byte("{ a: std.extVar('own'), b: std.extVar('build.event') }")
	opts := Options{Build: testBuild(), ExtVars: map[string]string{"own": "1", "build.event": "2"}}
	got, err := textOfRun(context.Background(), "a.jsonnet", source, opts)
	if want := "---\n{\n   \"a\": \"1\",\n   \"b\": \"2\"\n}\n"; err != nil || string(got) != want {
		t.Errorf("got %q, %v", got, err)
	}
}

// FuzzDetect looks for crashes and for files that Run neither passes on nor
// explains.
func FuzzDetect(f *testing.F) {
	for _, seed := range []string{"pipeline:\n", "kind: template\n", "build: {image: x}", "--- &a\n*a", "a: *b", "\xff", "? pipeline\n: x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := toYAML("f.yml", []byte(text), compile.Build{})
		var e *Error
		if err == nil && string(got) != text || err != nil && (!errors.As(err, &e) || e.Pos.Line == 0) {
			t.Errorf("%q became %q, %v", text, got, err)
		}
	})
}
