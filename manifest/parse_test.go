package manifest

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// parsePipeline parses a source whose only document is a pipeline, with no
// error expected.
func parsePipeline(t *testing.T, source string) *Pipeline {
	t.Helper()
	file, problems := Parse("f.yml", []byte(source), nil)
	for _, p := range problems {
		if p.Severity == Error {
			t.Fatalf("unexpected error: %s", p.Message)
		}
	}
	if len(file.Pipelines()) != 1 {
		t.Fatalf("%d pipelines", len(file.Pipelines()))
	}
	return file.Pipelines()[0]
}

func values(list []String) []string {
	var out []string
	for _, s := range list {
		out = append(out, s.Value)
	}
	return out
}

// TestPlaces looks at what the spans of scalars cover in the source: code
// points, tabs, several lines, block scalars, flow style, anchors, CRLF, BOM.
func TestPlaces(t *testing.T) {
	type testCase struct {
		name, source string
		want         string // what the span of the first command covers
		line, column int
		value        string
	}
	run := func(t *testing.T, tc testCase) {
		head := "kind: pipeline\nsteps:\n- "
		if strings.Contains(tc.source, "\r\n") {
			head = strings.ReplaceAll(head, "\n", "\r\n")
		}
		source := head + tc.source
		if tc.name == "bom" {
			source = byteOrderMark + source
		}
		s := parsePipeline(t, source).Steps[0].Commands[0]
		if got := source[s.Span.Start.Offset:s.Span.End.Offset]; got != tc.want {
			t.Errorf("the span covers %q, want %q", got, tc.want)
		}
		if s.Span.Start.Line != tc.line || s.Span.Start.Column != tc.column {
			t.Errorf("at %d:%d, want %d:%d", s.Span.Start.Line, s.Span.Start.Column, tc.line, tc.column)
		}
		if s.Value != tc.value {
			t.Errorf("value %q, want %q", s.Value, tc.value)
		}
	}
	cases := []testCase{
		{"plain", "commands: [make, b]\n", "make", 3, 14, "make"},
		{"bom", "commands: [make]\n", "make", 3, 14, "make"},
		{"code points", "{name: ä€😀, commands: [ü é, b]}\n", "ü é", 3, 26, "ü é"},
		{"tab before a comment", "commands: [ü]\t# x\n", "ü", 3, 14, "ü"},
		{"crlf", "name: a\r\n  commands:\r\n  - make\r\n", "make", 5, 5, "make"},
		{"quoted", "commands: ['it''s', b]\n", "'it''s'", 3, 14, "it's"},
		{"double quoted", `commands: ["a\"b\u00e9", b]` + "\n", `"a\"b\u00e9"`, 3, 14, `a"bé`},
		{"quoted lines", "commands: [\"a\n   b\"]\n", "\"a\n   b\"", 3, 14, "a b"},
		{"plain lines", "commands:\n  - a  b\n    c\n\n    d # x\n", "a  b\n    c\n\n    d", 4, 5, "a  b c\nd"},
		{"literal", "commands:\n  - |\n    a\n     b\n\n  - c\n", "|\n    a\n     b", 4, 5, "a\n b\n"},
		{"literal with indent", "commands:\n  - |2-\n      a\n     b\n  name: x\n", "|2-\n      a\n     b", 4, 5, "  a\n b"},
		{"folded", "commands:\n  - >-\n    a\n    b\n", ">-\n    a\n    b", 4, 5, "a b"},
		{"block at the end", "commands:\n  - |\n    a", "|\n    a", 4, 5, "a"},
		{"anchor and tag", "commands: [&x !!str make, b]\n", "make", 3, 23, "make"},
		{"tag that says nothing", "commands: [! make, b]\n", "make", 3, 16, "make"},
		{"alias", "name: &x make\n  commands: [*x]\n", "make", 3, 12, "make"},
		{"separator of Unicode", "commands: [\"a\u2028b\", c]\n  name: d\n", "\"a\u2028b\"", 3, 14, "a\u2028b"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

// TestPlacesAfterSubstitution: places are those of the source, whatever
// substitution made of it.
func TestPlacesAfterSubstitution(t *testing.T) {
	source := "kind: pipeline\nname: ${LONG} # ${EMPTY}\nsteps:\n- {name: a$$b, image: x${EMPTY}${LONG}y, user: \"$${z}\", privileged: true}\n"
	lookup := func(name string) (string, bool) {
		return map[string]string{"LONG": "long é value"}[name], true
	}
	file, problems := Parse("f", []byte(source), lookup)
	if len(problems) > 0 {
		t.Fatal(problems[0].Message)
	}
	p := file.Pipelines()[0]
	covers := func(s Span) string { return source[s.Start.Offset:s.End.Offset] }
	got := []string{
		covers(p.Name.Span), covers(p.Steps[0].Name.Span), covers(p.Steps[0].Image.Span),
		covers(p.Steps[0].User.Span), covers(p.Steps[0].Privileged.Span), p.Name.Value, p.Steps[0].Image.Value, p.Steps[0].Name.Value,
	}
	want := []string{
		"${LONG}", "a$$b", "x${EMPTY}${LONG}y", `"$${z}"`, "true", "long é value", "xlong é valuey", "a$b",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("differs (-want +got):\n%s", diff)
	}
}

func TestMergeOrder(t *testing.T) {
	type testCase struct {
		name, step string
		want       string // the image
	}
	run := func(t *testing.T, tc testCase) {
		source := "x-a: &a {image: a}\nx-b: &b {image: b, user: b}\nx-c: &c {<<: *b, image: c}\nkind: pipeline\nsteps:\n- " + tc.step + "\n"
		if got := parsePipeline(t, source).Steps[0].Image.Value; got != tc.want {
			t.Errorf("image %q, want %q", got, tc.want)
		}
	}
	cases := []testCase{
		{"a key before is overwritten", "{image: own, <<: *a}", "a"},
		{"a key after wins", "{<<: *a, image: own}", "own"},
		{"the first of a list wins", "{<<: [*a, *b]}", "a"},
		{"nested", "{<<: *c}", "c"},
		{"quoted is no merge", "{image: own, '<<': *a}", "own"},
		{"two merges", "{<<: *a, <<: *b}", "b"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

// TestMergeIntoMaps: like the server's decoder, a map that a merge key brought
// is added to, not replaced; a list is replaced.
func TestMergeIntoMaps(t *testing.T) {
	source := `
x-base: &base
  environment: {A: "1", B: "1"}
  settings: {s: 1, t: {u: 1}}
  commands: [x, y]
kind: pipeline
clone: {depth: 3}
steps:
- <<: *base
  environment: {B: "2", C: "2"}
  settings: {t: {v: 2}}
  commands: [z]
`
	s := parsePipeline(t, source).Steps[0]
	var env []string
	for _, v := range s.Environment {
		env = append(env, v.Name.Value+"="+v.Value.Value)
	}
	if diff := cmp.Diff([]string{"A=1", "B=2", "C=2"}, env); diff != "" {
		t.Errorf("environment differs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"z"}, values(s.Commands)); diff != "" {
		t.Errorf("commands differ (-want +got):\n%s", diff)
	}
	if len(s.Settings) != 2 || len(s.Settings[1].Value.Any.([]Entry)) != 1 {
		t.Errorf("settings: %+v", s.Settings)
	}
}

// The rows are those of reference §6.2, with the one difference of
// docs/parity.md: text where a list belongs is taken as the list of it.
func TestConditionForms(t *testing.T) {
	type testCase struct {
		source           string
		include, exclude []string
	}
	run := func(t *testing.T, tc testCase) {
		source := "kind: pipeline\ntrigger:\n  branch: " + tc.source + "\n"
		c := parsePipeline(t, source).Trigger.Branch
		if !c.Key.IsSet() {
			t.Error("the condition is not set")
		}
		if diff := cmp.Diff([][]string{tc.include, tc.exclude}, [][]string{values(c.Include), values(c.Exclude)}); diff != "" {
			t.Errorf("differs (-want +got):\n%s", diff)
		}
	}
	cases := []testCase{
		{"main", []string{"main"}, nil}, {"1.10", []string{"1.10"}, nil}, {"yes", []string{"yes"}, nil},
		{"[a, 2]", []string{"a", "2"}, nil}, {"{include: [a], exclude: [b]}", []string{"a"}, []string{"b"}},
		{"on", []string{"on"}, nil}, {"0x10", []string{"0x10"}, nil}, {"{include: [a, 2.0]}", []string{"a", "2.0"}, nil},
		{"{exclude: [b]}", nil, []string{"b"}}, {"{exclude: b}", nil, []string{"b"}}, {"{include: , exclude: [b]}", nil, []string{"b"}},
		{"~", nil, nil}, {"", nil, nil}, {"[]", nil, nil}, {"{}", nil, nil}, {`""`, []string{""}, nil}, {"[~]", []string{""}, nil},
		{"{include: main}", []string{"main"}, nil}, {"{include: [a], exclude: b}", []string{"a"}, []string{"b"}},
		{"[a, [b], {c: d}]", []string{"a"}, nil}, {"{foo: [a]}", nil, nil},
	}
	for _, tc := range cases {
		t.Run(tc.source, func(t *testing.T) { run(t, tc) })
	}
}

// The keys of the extensions: `paths` has the forms of every condition,
// `changeset` those of its own.
func TestExtensionForms(t *testing.T) {
	type testCase struct {
		source                         string
		paths, without, changed, other []string // the two lists of both
	}
	run := func(t *testing.T, tc testCase) {
		c := parsePipeline(t, "kind: pipeline\ntrigger: "+tc.source+"\n").Trigger
		got := [][]string{values(c.Paths.Include), values(c.Paths.Exclude), values(c.Changeset.Include), values(c.Changeset.Exclude)}
		if diff := cmp.Diff([][]string{tc.paths, tc.without, tc.changed, tc.other}, got); diff != "" {
			t.Errorf("differs (-want +got):\n%s", diff)
		}
	}
	a, b := []string{"a"}, []string{"b"}
	for _, tc := range []testCase{
		{source: "{paths: a}", paths: a},
		{source: "{paths: [a]}", paths: a},
		{source: "{paths: {include: [a], exclude: [b]}}", paths: a, without: b},
		{source: "{paths: {includes: [a]}}"},
		{source: "{changeset: {includes: [a], excludes: [b]}}", changed: a, other: b},
		{source: "{changeset: {includes: a}}", changed: a},
		{source: "{changeset: {include: [a]}}"},
		{source: "{changeset: [a]}", changed: a},
		{source: "{changeset: a}", changed: a},
		{source: "{paths: [a], changeset: {includes: [b]}}", paths: a, changed: b},
		{source: "{paths: , changeset: }"},
	} {
		t.Run(tc.source, func(t *testing.T) { run(t, tc) })
	}
}

func TestStrings(t *testing.T) {
	source := `kind: pipeline
name: 1.10
type: docker
steps:
- name: 0x10
  image: ~
  pull: yes
  user: 2020-01-01
  working_dir: !!binary aGk=
  commands: [1, true, null, ~, 'null', 1e3]
  environment: {A: 010, B: , C: yes, D: {value: 1.50}, E: {from_secret: s, value: v}, F: {from_secret: " "}, G: {}}
`
	p := parsePipeline(t, source)
	s := p.Steps[0]
	got := []string{p.Name.Value, s.Name.Value, s.Image.Value, s.Pull.Value, s.User.Value, s.WorkingDir.Value}
	got = append(got, values(s.Commands)...)
	for _, v := range s.Environment {
		got = append(got, v.Name.Value+"="+v.Value.Value+"/"+v.FromSecret.Value)
	}
	want := []string{
		"1.10", "0x10", "", "yes", "2020-01-01", "hi", "1", "true", "", "", "null", "1e3",
		"A=010/", "B=/", "C=yes/", "D=1.50/", "E=/s", "F=/", "G=/",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("differs (-want +got):\n%s", diff)
	}
	if !s.Image.IsSet() || !s.Image.Null {
		t.Error("a null image is not marked as such")
	}
}

func TestDocuments(t *testing.T) {
	source := `kind: secret
name: token
get: {path: p, key: k}
---
kind: secret
name: password
get: {path: p, name: n, key: k}
---
kind: secret
name: encrypted
data: >
  abc
  def
---
kind: template
load: t.star
data: {a: b}
---
kind: cron
---
kind: pipeline
type: exec
depends_on: [a, ~]
node: {a: 1}
concurrency: {limit: 2}
platform: {os: linux, arch: arm64}
---
kind: signature
hmac: abc
`
	file, problems := Parse("f", []byte(source), nil)
	if len(problems) != 1 || problems[0].Rule != RuleKind {
		t.Errorf("problems: %v", problems)
	}
	var kinds []string
	for i, d := range file.Documents {
		if d.Index != i {
			t.Errorf("document %d has index %d", i, d.Index)
		}
		kinds = append(kinds, d.Kind.Value)
	}
	want := []string{"secret", "secret", "secret", "template", "cron", "pipeline", "signature"}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Fatalf("kinds differ (-want +got):\n%s", diff)
	}
	d := file.Documents
	p := d[5].Pipeline
	got := []string{
		d[0].Secret.Name.Value, d[0].Secret.Path.Value, d[0].Secret.Key.Value, d[1].Secret.Key.Value, d[2].Secret.Data.Value,
		d[3].Template.Load.Value, d[6].Signature.Hmac.Value, p.Type.Value, p.DisplayName(), p.DependsOn[0].Value,
		p.Node[0].Value.Value, p.Platform.Arch.Value,
	}
	wantValues := []string{"token", "p", "k", "n", "abc def\n", "t.star", "abc", "exec", "default", "a", "1", "arm64"}
	if diff := cmp.Diff(wantValues, got); diff != "" {
		t.Errorf("values differ (-want +got):\n%s", diff)
	}
	if p.Concurrency.Value != 2 || len(p.DependsOn) != 2 || !p.DependsOn[1].Null {
		t.Errorf("pipeline: %+v", p)
	}
}

// TestFailedDocuments: what can be read is read, whatever is wrong elsewhere.
func TestFailedDocuments(t *testing.T) {
	source := "kind: pipeline\nname: a\n---\nbad: [\n---\nkind: pipeline\nname: b\nsteps: x\nservices: [{name: s}]\n"
	file, problems := Parse("f", []byte(source), nil)
	var names []string
	for _, p := range file.Pipelines() {
		names = append(names, p.Name.Value)
	}
	if diff := cmp.Diff([]string{"a", "b"}, names); diff != "" {
		t.Errorf("pipelines differ (-want +got):\n%s", diff)
	}
	if len(file.Pipelines()[1].Services) != 1 {
		t.Error("the services beside the broken steps are lost")
	}
	if len(problems) != 2 || problems[0].Span.Start.Line != 4 || problems[1].Span.Start.Line != 8 {
		t.Errorf("problems: %v", problems)
	}
}

// FuzzParse: no input makes Parse panic, and spans stay within the source, are
// not inverted, and, for text without substitution, cover what they stand for.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"kind: pipeline\nsteps:\n- name: a\n  commands: [make]\n", "a: &a [*a]", "<<: [*x]", "- |2\n   a\n", "? [a]\n: b\n",
		"kind: pipeline\r\nname: \"é\\n\"\r\n", "\xef\xbb\xbfkind: pipeline\n", "kind: pipeline\nname: a\u2028b\n", "a: 'x\n---\n'",
		"kind: pipeline\nvolumes: [{name: a, host: {path: /x}, temp: }]\n", "kind: pipeline\ntrigger: {branch: {include: x}}\n",
		"kind: pipeline\nsteps:\n- settings: {a: !!binary x, 0x1: [~, y], <<: {b: 1e+3}}\n", "${A:-x", "{{ a }}: b", "a: ${A}\n${B}: c",
	} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, source []byte, substitute bool) {
		if len(source) > 4000 {
			t.Skip()
		}
		var lookup Lookup
		if substitute {
			lookup = variables
		}
		file, problems := Parse("f", source, lookup)
		for _, p := range problems {
			checkSpan(t, source, p.Span)
			if p.Message == "" || strings.Contains(p.Message, "unmarshal") || !utf8.ValidString(p.Message) {
				t.Errorf("message %q", p.Message)
			}
		}
		for _, d := range file.Documents {
			checkSpan(t, source, d.Span)
			checkString(t, source, d.Name, !substitute)
		}
		for _, p := range file.Pipelines() {
			for _, s := range append(p.Steps, p.Services...) {
				checkSpan(t, source, s.Span)
				checkString(t, source, s.Image, !substitute)
				for _, c := range s.Commands {
					checkString(t, source, c, !substitute)
				}
			}
		}
	})
}

func checkSpan(t *testing.T, source []byte, s Span) {
	t.Helper()
	if s.Start.Offset < 0 || s.End.Offset < s.Start.Offset || s.End.Offset > len(source) || s.Start.Line < 1 || s.Start.Column < 1 {
		t.Fatalf("span %+v in %d bytes", s, len(source))
	}
	if line := 1 + strings.Count(string(source[:s.Start.Offset]), "\n"); line != s.Start.Line {
		t.Fatalf("offset %d is on line %d, not %d", s.Start.Offset, line, s.Start.Line)
	}
}

// checkString looks at plain scalars of one line, whose source is their value.
func checkString(t *testing.T, source []byte, s String, literal bool) {
	t.Helper()
	if !s.IsSet() {
		return
	}
	checkSpan(t, source, s.Span)
	covered := string(source[s.Span.Start.Offset:s.Span.End.Offset])
	if !literal || s.Null || strings.ContainsAny(covered, "\n\r\"'|>!&\u0085\u2028\u2029") {
		return
	}
	if covered != s.Value {
		t.Fatalf("the span of %q covers %q", s.Value, covered)
	}
}
