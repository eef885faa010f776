package convert

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/manifest"
)

// spanOf is where a text stands first in what a file became.
func spanOf(t *testing.T, r *Result, text string) manifest.Span {
	t.Helper()
	at := strings.Index(string(r.Text), text)
	if at < 0 {
		t.Fatalf("%q is not in\n%s", text, r.Text)
	}
	return manifest.Span{Start: offsetPosition(r.Name, r.Text, at), End: offsetPosition(r.Name, r.Text, at+len(text))}
}

// told is a problem as it is shown: what is marked in which file, and more.
func told(r *Result, p manifest.Problem) string {
	mark := func(s manifest.Span) string {
		if s.Start.Line == 0 {
			return s.Start.File + ": "
		}
		return fmt.Sprintf("%s %q: ", place(s.Start), r.SourceOf(s.Start.File)[s.Start.Offset:s.End.Offset])
	}
	out := mark(p.Span) + p.Message
	for _, other := range p.Related {
		out += "\n" + mark(other.Span) + other.Message
	}
	return out
}

const placesTemplate = `{{ define "image" }}image: {{ . }}{{ end -}}
# ä
kind: pipeline
name: {{ .input.name }}
steps:
{{- range $i, $image := .input.images }}
- name: step{{ $i }}
  {{ template "image" $image }}{{/* a comment */}}
  {{- if $i }}
  privileg: yes
  {{- else }}
  detach: "ä"   
  {{- end }}
  commands: [ {{- ` + "`a\nb`" + ` | jsonify -}} , ö ]
{{- end }}
{{ with .input.more }}environment: {{ .deep | jsonify }}{{ end }}
`

// TestPlacesOfTemplates: whatever a template makes is found in it, to the very
// character where it stands there.
func TestPlacesOfTemplates(t *testing.T) {
	dir := write(t, map[string]string{"t.yml": placesTemplate})
	use := "kind: template\nload: t.yml\ndata:\n  name: hello\n  images: [go, \"node:1\"]\n  more: {deep: \"x ä\"}\n"
	r, err := Run(t.Context(), "x.yml", []byte(use), Options{TemplateDirs: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	template := filepath.Join(dir, "t.yml")
	for text, want := range map[string]string{
		"kind":         `T:3:1 "kind": m`,
		"pipeline":     `T:3:7 "pipeline": m`,
		"hello":        "T:4:10 \".input.name\": m\nx.yml:4:9 \"hello\": the value comes from here\n: in what it makes, line 3, column 7: name: hello",
		"step0":        "T:7:9 \"step{{ $i }}\": m\n: in what it makes, line 5, column 9: - name: step0",
		"0\n":          "T:7:16 \"$i\": m\n: in what it makes, line 5, column 13: - name: step0",
		"image: node":  "T:1:21 \"image: {{ . }}{{ end -}}\": m\n: in what it makes, line 10, column 3: image: node:1",
		"node:1":       "T:1:31 \".\": m\nx.yml:5:16 \"\": the value comes from here\n: in what it makes, line 10, column 10: image: node:1",
		"privileg":     `T:10:3 "privileg": m`,
		"\"ä\"":        `T:12:11 "\"ä\"": m`,
		"ö":            "T:15:20 \"ö\": m\n: in what it makes, line 8, column 22: commands: [\"a\\nb\", ö ]",
		`"a\nb"`:       "T:14:19 \"`a\\nb` | jsonify\": m\n: in what it makes, line 8, column 14: commands: [\"a\\nb\", ö ]",
		"environment:": "T:17:23 \"environment:\": m\n: in what it makes, line 13, column 1: environment: \"x ä\"",
	} {
		got := told(r, r.Problem(manifest.Problem{Span: spanOf(t, r, text), Message: "m", Fix: &manifest.Edit{}}))
		if diff := cmp.Diff(want, strings.ReplaceAll(got, template, "T")); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	// Every part that was not written by an action is the same text there.
	n := 0
	for i, p := range r.pieces {
		end := len(r.Text)
		if i+1 < len(r.pieces) {
			end = r.pieces[i+1].Start
		}
		part := string(r.Text[p.Start:end])
		if p.Text && !strings.HasPrefix(placesTemplate[p.From:], part) {
			t.Errorf("%q is not at %d of the template", part, p.From)
		}
		n += len(part)
	}
	if n != len(r.Text) {
		t.Errorf("the parts have %d bytes, the text %d", n, len(r.Text))
	}
}

// TestPlacesOfPrograms: a value is found where its text stands, if it does so
// once, and else the step or the pipeline; nothing is made up.
func TestPlacesOfPrograms(t *testing.T) {
	dir := write(t, map[string]string{
		"lib.libsonnet": "// 'twice'\n{ step(name):: { name: name, imag: 'alpine:3', \"quoted key\": 1, env: { A: 'it\\'s ä' } } }\n",
		"lib.star":      "'''\n\"once\"\n'''\ndef step(name):\n  return {'name': name, \"imag\": 'alpine:3', 'env': {'A': 'it\\'s ä'}} # \"once\"\n",
	})
	programs := map[string]string{
		"m.jsonnet": "local lib = import 'lib.libsonnet';\n{ kind: 'pipeline', name: 'all', steps: [lib.step('once'), lib.step('twice'), lib.step('tw' + 'ice') + { name: 'twice', x: 'say once more' }],\n  note: |||\n    'once'\n  ||| }\n",
		"m.star":    "load('lib.star', 'step')\ndef main(ctx):\n  return {'kind': 'pipeline', 'name': 'all', 'steps': [step('once'), step('twice'), dict(step('twice'), x='say once more')]}\n",
	}
	cases := []struct{ text, step, want string }{
		{`"once"`, "", `once`},
		{`once more`, "", `once more`},
		{`"imag"`, "once", `imag`},
		{`"alpine:3"`, "", `alpine:3`},
		{`pine`, "", `pine`},
		{`"it's ä"`, "", `it\'s ä`},
		{`"twice"`, "twice", ``},
		{`"twice"`, "", ``},
		{`{`, "once", `once`},
		{`{`, "", `all`}, // the pipeline
	}
	for name, source := range programs {
		r, err := Run(context.Background(), filepath.Join(dir, name), []byte(source), Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, tc := range cases {
			pipeline := ""
			if tc.text == "{" {
				pipeline = "all"
			}
			span := spanOf(t, r, tc.text)
			p := r.Problem(manifest.Problem{Span: span, Step: tc.step, Pipeline: pipeline})
			got := ""
			if p.Span.Start.Line > 0 {
				got = string(r.SourceOf(p.Span.Start.File)[p.Span.Start.Offset:p.Span.End.Offset])
			}
			if got != tc.want {
				t.Errorf("%s: %s of step %q: marked is %q at %s, want %q", name, tc.text, tc.step, got, place(p.Span.Start), tc.want)
			}
			if quote := fmt.Sprintf("in what it makes, line %d, column %d: ", span.Start.Line, span.Start.Column); len(p.Related) != 1 || !strings.HasPrefix(p.Related[0].Message, quote) {
				t.Errorf("%s: %s: related is %+v, want %s", name, tc.text, p.Related, quote)
			}
			if at, found := r.sourceOfText(span.Start); tc.step == "" && tc.text != "{" && (found != (tc.want != "") || found && at != p.Span.Start) {
				t.Errorf("%s: %s: the source is %v, %v", name, tc.text, at, found)
			}
		}
		other := r.Problem(manifest.Problem{Span: spanOf(t, r, `"kind"`), Related: []manifest.Related{{Span: spanOf(t, r, `"once"`), Message: "a"}, {Span: spanOf(t, r, `"twice"`), Message: "b"}}})
		if n := len(other.Related); n != 3 || !strings.HasPrefix(other.Related[2].Message, "b: in what it makes") || other.Related[1].Span.Start.Line == 0 {
			t.Errorf("%s: related is %+v", name, other.Related)
		}
	}
}

// TestPlacesOfOldTemplates: a template may make a file for Drone 0.8; what that
// becomes is found in the template.
func TestPlacesOfOldTemplates(t *testing.T) {
	dir := write(t, map[string]string{"t.yml": "{{/* old */}}\npipeline:\n  build: {{ .input.image }}\n"})
	use := []byte("kind: template\nload: t.yml\ndata: {image: golang}\n")
	r, err := Run(t.Context(), "x.yml", use, Options{TemplateDirs: []string{dir}})
	if err == nil {
		t.Fatalf("a wrong value was taken: %s", r.Text)
	}
	if want := filepath.Join(dir, "t.yml") + ":3:13: "; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	dir = write(t, map[string]string{"t.yml": "# old\npipeline:\n  build:\n    image: {{ .input.image }}\n    commands: [make]\n"})
	if r, err = Run(t.Context(), "x.yml", use, Options{TemplateDirs: []string{dir}}); err != nil {
		t.Fatal(err)
	}
	got := told(r, r.Problem(manifest.Problem{Span: spanOf(t, r, "golang"), Message: "m"}))
	want := filepath.Join(dir, "t.yml") + ":4:15 \".input.image\": m\nx.yml:3:15 \"golang\": the value comes from here\n: in what it makes, "
	if !strings.HasPrefix(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestNothingIsMadeTwice: as on a server, what a program or a template makes is
// not made into something else once more, but for an old file of a YAML template.
func TestNothingIsMadeTwice(t *testing.T) {
	dir := write(t, map[string]string{
		"t.yml": "kind: template\nload: t.yml\n", "t.star": "def main(ctx): return {'pipeline': {'a': {'image': 'b'}}}\n",
		"u.star": "def main(ctx): return {'kind': 'template', 'load': 't.yml'}\n",
	})
	for name, source := range map[string]string{
		"t.yml": "kind: template\nload: t.yml\n", "star.yml": "kind: template\nload: t.star\n", "ustar.yml": "kind: template\nload: u.star\n",
		"p.star": "def main(ctx): return {'pipeline': {'a': {'image': 'b'}}}\n", "p.jsonnet": "{ pipeline: { a: { image: 'b' } } }",
	} {
		got, err := textOfRun(t.Context(), name, []byte(source), Options{TemplateDirs: []string{dir}})
		if err != nil || strings.Contains(got, "steps") || !strings.Contains(got, "pipeline") && !strings.Contains(got, "template") {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}
