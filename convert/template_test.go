package convert

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// write makes files in a new folder and returns it.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const dataOfTemplates = "kind: template\nload: %s\ndata:\n  name: hello\n  count: 3\n  slow: true\n  none:\n  images: [a, b]\n  more: {k: v}\n  day: 2024-01-02\n"

func TestTemplates(t *testing.T) {
	cases := []struct {
		name, load, template, want string
		warnings                   []string
	}{
		{
			"yaml", "t.yml",
			"kind: pipeline\nname: {{ .input.name | upper }}-{{ .build.Event }}-{{ .repo.Slug }}-{{ .build.AuthorName }}\n" +
				"{{- range .input.images }}\n- {{ . }}{{ end }}{{ if .input.slow }}\nslow{{ end }}{{ if .input.nope }}nope{{ end }} {{ .input.day }} {{ .input.more.k }}\n",
			"kind: pipeline\nname: HELLO-promote-octocat/hello-Ada Lovelace\n- a\n- b\nslow 2024-01-02 v\n", nil,
		},
		{
			"functions", "t.yaml",
			`{{ replace "a.b.c" "." "-" }} {{ trimPrefix "v1" "v" }} {{ trimSuffix "a.go" ".go" }} {{ contains "abc" "b" }} {{ hasPrefix "abc" "b" }}` +
				` {{ index (split "a,b" ",") 1 }} {{ .input.images | jsonify }} {{ "é" | base64Encode | base64Decode }} {{ title "ab cd" }} {{ lower .input.slow }}{{ .input.count | upper }}` +
				` {{ md5 "" }} {{ sha1 "" | len }} {{ sha256 "" | len }} {{ trim " x " }} {{ urlize " a b/c " }} {{ jsonify "<&>" }} {{ padLeft "1" "0" 3 }}{{ padRight .input.count "-" 2 }} {{ containsAny "abc" "xc" }}` +
				` {{ dateFormat "2006-01" .input.day }} {{ (time 86400).Year }} {{ dateFormat "15:04" 3600 }} {{ time "2021-09-03 07:13:02" }} {{ now.Year }} {{ chomp "a\n" }}{{ htmlEscape "<" }}{{ .input.nope | upper }}`,
			"a-b-c 1 a true false b [\"a\",\"b\"] é AB CD true3 d41d8cd98f00b204e9800998ecf8427e 40 64 x a-b%2Fc \"\\u003c\\u0026\\u003e\" 00013-- true" +
				" 2024-01 1970 01:00 2021-09-03 07:13:02 +0000 UTC 2024 a&lt;", nil,
		},
		{
			"functions of newer servers", "t.yml", `{{ nindent "x\ny" 2 }} {{ indent 1 2 }} {{ .input.more | toYaml }} {{ append "a" 1 }}{{ prepend "a" "b" }}{{ if false }}{{ toYaml 1 }}{{ end }}`,
			"\n  x\n  y   1 k: v a1ba",
			[]string{"t.yml:1:27: the function indent", "t.yml:1:4: the function nindent", "t.yml:1:58: the function toYaml", "t.yml:1:71: the function append", "t.yml:1:89: the function prepend"},
		},
		{
			"a missing input", "t.yml", "a\nb: {{ .input.nope }}\n", "a\nb: <no value>\n",
			[]string{"t.yml:2:7: an input that `data` does not have is written as <no value>, in line 2 of what the template makes"},
		},
		{
			"for an old Drone", "t.yml", "pipeline:\n  {{ .input.name }}: {image: b, commands: [make]}\n",
			"---\nkind: pipeline\ntype: docker\nname: default\n\nsteps:\n  - name: hello\n    image: b\n    pull: if-not-exists\n    commands: [make]\n", nil,
		},
		{
			"starlark", "t.star",
			"def main(ctx):\n  i = ctx.input\n  return {'name': i.name, 'n': i.count, 'd': i.day, 'e': ctx.build.event, 'x': i.images[1] if i.slow else None, 'm': i.more['k'], 'none': i.none}\n",
			"---\n{\n   \"name\": \"hello\",\n   \"n\": 3,\n   \"d\": \"2024-01-02\",\n   \"e\": \"promote\",\n   \"x\": \"b\",\n   \"m\": \"v\",\n   \"none\": null\n}\n",
			[]string{"`count` may be missing", "`images` may be missing", "`more` may be missing", "`none` may be missing", "`slow` may be missing"},
		},
		{
			"jsonnet", "t.jsonnet",
			"{ a: std.extVar('input.name'), b: std.extVar('input.count'), c: std.extVar('input.images'), d: std.extVar('build.event'), e: std.extVar('input.slow') }",
			"---\n{\n   \"a\": \"hello\",\n   \"b\": \"3\",\n   \"c\": \"[a b]\",\n   \"d\": \"promote\",\n   \"e\": \"true\"\n}\n",
			[]string{"gets `images` as the text", "gets `more` as the text"},
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			dir := write(t, map[string]string{tc.load: tc.template})
			var warnings []string
			got, err := textOfRun(context.Background(), "x.yml", []byte(strings.Replace(dataOfTemplates, "%s", tc.load, 1)), Options{
				Build: testBuild(), TemplateDirs: []string{filepath.Join(dir, "absent"), dir}, Within: t.TempDir(),
				Warn: func(text string) { warnings = append(warnings, text) },
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, string(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			slices.Sort(warnings)
			if len(warnings) != len(tc.warnings) {
				t.Fatalf("warnings are %q, want %q", warnings, tc.warnings)
			}
			for i, want := range tc.warnings {
				if !strings.Contains(warnings[i], want) {
					t.Errorf("warning %q, want one with %q", warnings[i], want)
				}
			}
		})
	}
}

func TestTemplateErrors(t *testing.T) {
	long := strings.Repeat("x", 2000)
	dir := write(t, map[string]string{
		"syntax.yml": "a: b\nc: {{ if }}\n", "unknown.yml": "{{ nope }}", "field.yml": "a\n  {{ .build.Nope }}\n",
		"itself.yml": `{{ define "x" }}{{ template "x" }}{{ end }}{{ template "x" }}`, "call.yml": "é {{ indent `x` 40000 }}", "fine.star": "def main(ctx): return {}\n",
		"attribute.star": "def main(ctx):\n  return {'a': ctx.input.nope}\n", "input.jsonnet": "{ a: std.extVar('input.nope') }",
		"long.yml":  "{{ range $i := .input.list }}{{ range $j := $.input.list }}{{ range $k := $.input.list }}" + long + "{{ end }}{{ end }}{{ end }}",
		"yaml.conf": "", "folder.yml/x": "", "unended.yml": "{{ if true }}", "ended.yml": "{{ end }}", "env.yml": `{{ env "HOME" }}`,
		"near.yml": `{{ tolower "A" }}`, "list.yml": "{{ upper .input }}", "day.yml": `{{ dateFormat "2006" "tomorrow" }}`,
		"times.yml": `{{ replace (padLeft "" "x" 100000) "x" (padLeft "" "x" 100000) }}`,
		"verbs.yml": `{{ printf (padLeft "" "%d" 1000000) 1 }}`,
	})
	list := "data: {list: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}\n"
	at := func(name string) string { return filepath.Join(dir, name) }
	cases := []struct{ text, want, hint string }{
		{"kind: template\nload: syntax.yml\n", at("syntax.yml") + ":2: missing value for if", ""},
		{"kind: template\nload: unknown.yml\n", at("unknown.yml") + `:1: function "nope" not defined`, "there is append, base64Decode, "},
		{"kind: template\nload: field.yml\n", at("field.yml") + ":2:12: at <.build.Nope>: can't evaluate field Nope", ".build.Event"},
		{"kind: template\nload: itself.yml\n", at("itself.yml") + ":1:", "without end"},
		{"kind: template\nload: call.yml\n", at("call.yml") + ":1:6: at <indent `x` 40000>: error calling indent: it cannot be indented by 40000", ""},
		{"kind: template\nload: long.yml\n" + list, at("long.yml") + ":1:90: what the template makes is longer than the 1000000 bytes", ""},
		{"kind: template\nload: unended.yml\n", at("unended.yml") + ":1: unexpected EOF", "has no `{{ end }}`"},
		{"kind: template\nload: ended.yml\n", at("ended.yml") + ":1: unexpected {{end}}", "that it could end"},
		{"kind: template\nload: env.yml\n", at("env.yml") + `:1: function "env" not defined`, "`data`"},
		{"kind: template\nload: near.yml\n", at("near.yml") + `:1: function "tolower" not defined`, "did you mean lower?"},
		{"kind: template\nload: list.yml\n", at("list.yml") + ":1:4: at <upper .input>: error calling upper: a map is no text", ""},
		{"kind: template\nload: times.yml\n", at("times.yml") + ":1:4: at <replace", ""},
		{"kind: template\nload: verbs.yml\n", at("verbs.yml") + ":1:4: at <printf", ""},
		{"kind: template\nload: day.yml\n", at("day.yml") + `:1:4: at <dateFormat "2006" "tomorrow">: error calling dateFormat: "tomorrow" is no time`, ""},
		{"kind: template\nload: attribute.star\n", at("attribute.star") + `:2:25: "ctx.input" struct has no .nope attribute`, "kind: template"},
		{"kind: template\nload: input.jsonnet\n", at("input.jsonnet") + ":1:6: undefined external variable: input.nope", "`data`"},
		{"kind: template\nload: fine.sta\n", "x.yml:2:7: the template fine.sta is of no kind", ".star"},
		{"kind: template\nload: fin.star\n", "x.yml:2:7: there is no template fin.star on this machine", "where there is fine.star"},
		{"kind: template\nload: ../fine.star\n", "x.yml:2:7: the template ../fine.star is named by a path", "alone"},
		{"kind: template\nload: folder.yml\n", "x.yml:2:7: cannot read the template folder.yml: it is not a file", ""},
		{"kind: template\nload: yaml.conf\n", "x.yml:2:7: the template yaml.conf is of no kind that a server knows", ""},
		{"kind: template\n", "x.yml:1:1: for this line a server takes the first document for the use of a template, and that has no `load`", "load: NAME"},
		{"kind: pipeline\n---\nkind: template\nload: fine.star\n", "x.yml:3:1: for this line a server", ""},
		{"kind: template\nload: [a]\n", "x.yml:2:1: `load` is not the name of a template", ""},
		{"kind: template\nload: fine.star\ndata: [a]\n", "x.yml:3:1: `data` cannot be given to a template: it is not a map", ""},
		{"kind: template\nload: fine.star\ndata: &a\n  x: *a\n", "x.yml:3:1: `data` cannot be given to a template: it nests deeper", ""},
		{"kind: template\nload: fine.star\ndata:\n  x: [a\n", "x.yml:4:6: the file uses a template, and the `[` is not closed with `]`", "close it"},
		{
			"kind: template\nload: fine.star\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n" +
				"d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ndata: {x: *f, y: *f, z: *f}\n",
			"x.yml:9:1: `data` cannot be given to a template: its aliases make more than 100000 values of it", "",
		},
	}
	for _, tc := range cases {
		t.Run(tc.text, func(t *testing.T) {
			_, err := textOfRun(context.Background(), "x.yml", []byte(tc.text), Options{Build: testBuild(), TemplateDirs: []string{dir}})
			var e *Error
			if !errors.As(err, &e) || !strings.HasPrefix(e.Error(), tc.want) || !strings.Contains(e.Hint, tc.hint) {
				t.Errorf("got %v, %+v\nwant %s with hint %q", err, e, tc.want, tc.hint)
			}
		})
	}
}

// TestTemplatesWithin: what a link in the working tree leads to is not read.
func TestTemplatesWithin(t *testing.T) {
	base := write(t, map[string]string{"key.yml": "secret", "tree/t/x": ""})
	tree := filepath.Join(base, "tree")
	if err := os.Symlink("../../key.yml", filepath.Join(tree, "t", "l.yml")); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	source := []byte("kind: template\nload: l.yml\n")
	opts := Options{TemplateDirs: []string{filepath.Join(tree, "t")}, Within: tree}
	_, err := textOfRun(context.Background(), filepath.Join(tree, ".drone.yml"), source, opts)
	if err == nil || !strings.Contains(err.Error(), "outside of the working tree") || strings.Contains(err.Error(), "secret") {
		t.Errorf("error is %v", err)
	}
	opts.Within = ""
	if got, err := textOfRun(context.Background(), filepath.Join(tree, ".drone.yml"), source, opts); err != nil || string(got) != "secret" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestLoads(t *testing.T) {
	dir := write(t, map[string]string{
		"lib/a.star":      "load('b.star', 'b')\na = b + 1\n", // beside it
		"lib/b.star":      "print('once')\nb = 1\n",
		"lib/bad.star":    "def f(x):\n  return x.nope\n",
		"lib/syntax.star": "x = (\n", "ring1.star": "load('ring2.star', 'x')\n", "ring2.star": "\nload('ring1.star', 'x')\n",
		"self.star": "load('self.star', 'x')\n", "top.star": "load('lib/bad.star', 'f')\ny = f(1)\n",
		"../outside.star": "x = 1\n", "other/c.star": "c = 3\n", "hangs.star": "def f():\n  for i in range(1000000000000):\n    pass\nf()\nx = 1\n",
	})
	cases := []struct{ text, want, err, stack string }{
		{"load('lib/a.star', 'a')\nload('lib/b.star', 'b')\nload('c.star', 'c')\ndef main(ctx): return {'a': a, 'b': b, 'c': c}\n", "---\n{\n   \"a\": 2,\n   \"b\": 1,\n   \"c\": 3\n}\n", "", ""},
		{"load('lib/bad.star', 'f')\ndef g():\n  return f(1)\ndef main(ctx):\n  return g()\n", "", "lib/bad.star:2:11: int has no .nope field or method", "  from DIR/m.star:3:11, in g\n  from DIR/m.star:5:11, in main"},
		{"load('top.star', 'y')\n", "", "lib/bad.star:2:11: int has no .nope", "  from DIR/top.star:2:6\n  from DIR/m.star:1:1"},
		{"\nload('lib/syntax.star', 'x')\n", "", "lib/syntax.star:2:1: got end of file", "  from DIR/m.star:2:1"},
		{"load('ring1.star', 'x')\n", "", "ring2.star:2:1: the loads go in a circle: DIR/ring1.star → DIR/ring2.star → DIR/ring1.star", "  from DIR/ring1.star:1:1\n  from DIR/m.star:1:1"},
		{"load('self.star', 'x')\n", "", "self.star:1:1: the loads go in a circle", "  from DIR/m.star:1:1"},
		{"load('../outside.star', 'x')\n", "", "m.star:1:1: load from outside of the working tree: ../outside.star", ""},
		{"load('lib', 'x')\n", "", "m.star:1:1: cannot load lib: it is not a file", ""},
		{"load('lib/b.star', 'nope')\n", "", "m.star:1:1: load: name nope not found in module lib/b.star", ""},
		{"load('hangs.star', 'x')\n", "", "hangs.star:2:3: it was not done after 1s and was given up", "  from DIR/hangs.star:4:2\n  from DIR/m.star:1:1"},
	}
	for _, tc := range cases {
		t.Run(tc.text, func(t *testing.T) {
			var printed, warnings []string
			opts := Options{
				Within: dir, Paths: []string{filepath.Join(dir, "other")}, Limits: Limits{Time: time.Second},
				Print: func(line string) { printed = append(printed, line) }, Warn: func(text string) { warnings = append(warnings, text) },
			}
			got, err := textOfRun(context.Background(), filepath.Join(dir, "m.star"), []byte(tc.text), opts)
			var e *Error
			if tc.err == "" {
				if err != nil || string(got) != tc.want {
					t.Errorf("got %q, %v, want %q", got, err, tc.want)
				}
				if len(warnings) != 1 || !strings.Contains(warnings[0], "a server refuses") || !slices.Equal(printed, []string{"once"}) {
					t.Errorf("warnings are %q, printed was %q", warnings, printed)
				}
				return
			}
			want := filepath.ToSlash(dir) + "/" + strings.ReplaceAll(tc.err, "DIR", dir)
			if !errors.As(err, &e) || !strings.HasPrefix(filepath.ToSlash(e.Error()), want) || e.Trace() != strings.ReplaceAll(tc.stack, "DIR", dir) {
				t.Errorf("got %v\n%s\nwant %s\n%s", err, e.Trace(), want, tc.stack)
			}
		})
	}
}

func TestStackOfJsonnet(t *testing.T) {
	dir := write(t, map[string]string{
		"lib.libsonnet": "{\n  f(x):: x.nope,\n}\n", "ring.libsonnet": "{a: 1} + import 'gnir.libsonnet'", "gnir.libsonnet": "\nimport 'ring.libsonnet'",
		"lazy.libsonnet": "{ a: 1, b: (import 'lazy.libsonnet').a }",
	})
	run := func(text string) (string, *Error) {
		got, err := textOfRun(context.Background(), filepath.Join(dir, "m.jsonnet"), []byte(text), Options{})
		var e *Error
		if err != nil && !errors.As(err, &e) {
			t.Fatal(err)
		}
		return string(got), e
	}
	_, e := run("local lib = import 'lib.libsonnet';\nlocal g(x) =\n  lib.f(x);\n{ a: g({}) }")
	want := strings.ReplaceAll("  from DIR/m.jsonnet:3:3, in function g\n  from DIR/m.jsonnet:4:6", "DIR", dir)
	if e == nil || !strings.HasPrefix(e.Trace(), want) || !strings.HasSuffix(e.Pos.File, "lib.libsonnet") {
		t.Errorf("got %v\n%s\nwant\n%s", e, e.Trace(), want)
	}
	_, e = run("\n(import 'ring.libsonnet')")
	if e == nil || !strings.Contains(e.Message, "the imports go in a circle: ") || strings.Count(e.Message, "ring.libsonnet") < 2 || e.Pos.Line == 0 || e.Stack != nil {
		t.Errorf("got %v", e)
	}
	if got, e := run("import 'lazy.libsonnet'"); e != nil || !strings.Contains(got, `"b": 1`) {
		t.Errorf("imports that are only used where they end: %q, %v", got, e)
	}
	_, e = run("local f(x) = 1 + f(x); { a: f(1) }")
	if trace := e.Trace(); strings.Count(trace, "\n") != maxFrames || !strings.Contains(trace, " more\n") {
		t.Errorf("the trace has %d lines: %s", strings.Count(trace, "\n")+1, trace)
	}
}

func TestArgumentsOfJsonnet(t *testing.T) {
	got, err := textOfRun(context.Background(), "a.jsonnet", []byte("function(a, b=2) { a: a, b: b, c: std.extVar('c'), d: std.extVar('d') }"), Options{
		ExtCode: map[string]string{"c": "1 + 1"}, ExtVars: map[string]string{"d": "1 + 1"},
		TopVars: map[string]string{"a": "x"}, TopCode: map[string]string{"b": "[3]"},
	})
	want := "---\n{\n   \"a\": \"x\",\n   \"b\": [\n      3\n   ],\n   \"c\": 2,\n   \"d\": \"1 + 1\"\n}\n"
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v", got, err)
	}
}

// TestEndless: neither time nor memory is taken without bounds.
func TestEndless(t *testing.T) {
	dir := write(t, map[string]string{
		"t.yml": "a\n{{ range 1000000000000 }}{{ end }}", "body.yml": `{{ define "x" }}{{ end }}{{ range 1000000000000 }}{{ template "x" }}{{ end }}`,
		"large.yml": `{{ $x := "xxxxxxxxxx" }}{{ range 60 }}{{ $x = print $x $x }}{{ end }}`, "print.yml": `{{ $x := "xxxxxxxxxx" }}{{ range 60 }}{{ $x = printf "%[1]s%[1]s" $x }}{{ end }}`,
	})
	for name, text := range map[string]string{
		// It goes on in the background for a while, and must not take the stack
		// of a goroutine to its end there.
		"time.jsonnet": "local f(x) = if x > 1000 then 0 else f(x + 1) tailstrict; {a: std.foldl(function(a, b) a + f(1), std.range(1, 3000), 0)}",
		"top.star":     "def f():\n  for i in range(1000000000000):\n    pass\nf()\n",
		"time.yml":     "kind: template\nload: t.yml\n",
		"body.yml":     "kind: template\nload: body.yml\n",
		"memory.yml":   "kind: template\nload: large.yml\n",
		"memory.star":  "def main(ctx):\n  x = ['x' * 1000]\n  for i in range(60):\n    x = x + x\n",
	} {
		t.Run(name, func(t *testing.T) {
			opts := Options{TemplateDirs: []string{dir}, Limits: Limits{Time: 300 * time.Millisecond}}
			if strings.HasPrefix(name, "memory") {
				opts.Limits = Limits{Memory: 64 << 20}
			}
			_, err := textOfRun(context.Background(), name, []byte(text), opts)
			var e *Error
			if !errors.As(err, &e) || !strings.Contains(e.Message, "given up") || e.Hint == "" {
				t.Errorf("got %v", err)
			}
			if name == "top.star" && (e.Pos.Line != 2 || len(e.Stack) != 1) {
				t.Errorf("the place is %v, %v", e.Pos, e.Stack)
			}
			if name == "time.yml" && (filepath.Base(e.Pos.File) != "t.yml" || e.Pos.Line != 2) {
				t.Errorf("the place is %v", e.Pos)
			}
		})
	}
}
