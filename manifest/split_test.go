package manifest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplit(t *testing.T) {
	type testCase struct {
		name, source string
		want         []string // the documents
	}
	run := func(t *testing.T, tc testCase) {
		var got []string
		for _, p := range split(tc.source) {
			if p.kind == documentPart {
				got = append(got, tc.source[p.start:p.end])
			}
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("documents differ (-want +got):\n%s", diff)
		}
	}
	cases := []testCase{
		{"empty", "", nil},
		{"one", "a: b\n", []string{"a: b\n"}},
		{"no line end", "a: b", []string{"a: b"}},
		{"leading separators make none", "---\n---\na: b\n", []string{"a: b\n"}},
		{"only separators", "---\n---\n", nil},
		{"two", "a\n---\nb\n", []string{"a\n", "b\n"}},
		{"trailing separator", "a\n---\n", []string{"a\n", ""}},
		{"doubled separator", "a\n---\n---\nb\n", []string{"a\n", "", "b\n"}},
		{"comment first", "# a\n---\nb\n", []string{"# a\n", "b\n"}},
		{"more dashes", "a\n----\nb\n", []string{"a\n", "b\n"}},
		{"text on the separator", "a\n--- {b: c}\nd\n", []string{"a\n", "d\n"}},
		{"indented is content", "a: |\n  ---\n  b\n", []string{"a: |\n  ---\n  b\n"}},
		{"inside quotes", "a: \"x\n---\ny\"\n", []string{"a: \"x\n", "y\"\n"}},
		{"terminator", "a\n...\nb\n---\nc\n", []string{"a\n"}},
		{"terminator with text", "a\n...b\nc\n", []string{"a\n"}},
		{"terminator first", "...\na\n", nil},
		{"crlf", "a\r\n---\r\nb\r\n", []string{"a\r\n", "b\r\n"}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

// TestStreams has what is a file for a server and what is not (reference §1.2).
func TestStreams(t *testing.T) {
	type testCase struct {
		name, source string
		want         []string // names of the pipelines
		rules        []string // of the problems
	}
	run := func(t *testing.T, tc testCase) {
		file, problems := Parse("f", []byte(tc.source), nil)
		var names, rules []string
		for _, p := range file.Pipelines() {
			names = append(names, p.Name.Value)
		}
		for _, p := range problems {
			rules = append(rules, p.Rule)
		}
		if diff := cmp.Diff([][]string{tc.want, tc.rules}, [][]string{names, rules}); diff != "" {
			t.Errorf("differs (-want +got):\n%s", diff)
		}
	}
	cases := []testCase{
		{"JSON", `{"kind": "pipeline", "name": "a", "steps": [{"name": "s"}]}`, []string{"a"}, nil},
		{"JSON with tabs", "{\n\t\"kind\": \"pipeline\",\n\t\"name\": \"a\"\n}\n---\n{\"kind\": \"pipeline\", \"name\": \"b\"}\n", []string{"a", "b"}, nil},
		{"tabs", "kind: pipeline\nname: a\nsteps:\n\t- name: s\n", nil, []string{RuleSyntax}},
		{"mark and CRLF", byteOrderMark + "kind: pipeline\r\nname: a\r\n---\r\nkind: pipeline\r\nname: b\r\n", []string{"a", "b"}, nil},
		{"version", "kind: pipeline\nversion: 2\nname: a\n", []string{"a"}, nil},
		{"last of two keys", "kind: pipeline\nname: a\nname: b\n", []string{"b"}, []string{RuleDuplicateKey}},
		{"only separators", "---\n---\n", nil, []string{RuleEmptyFile}},
		{"only a comment", "# nothing\n", nil, nil},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

// TestLongLine checks the line length at which a server cuts a file silently.
func TestLongLine(t *testing.T) {
	type testCase struct {
		name   string
		length int
		want   int
	}
	run := func(t *testing.T, tc testCase) {
		source := "kind: pipeline\nname: a\n#" + strings.Repeat("x", tc.length-1) + "\n"
		file, problems := Parse("f", []byte(source), nil)
		if len(problems) != tc.want {
			t.Fatalf("problems: %v", problems)
		}
		if len(file.Pipelines()) != 1 {
			t.Error("the file is not read")
		}
		for _, p := range problems {
			if p.Rule != RuleLongLine || p.Severity != Error || p.Span.Start.Line != 3 {
				t.Errorf("unexpected problem: %+v", p)
			}
		}
	}
	for _, tc := range []testCase{{"longest", 65535, 0}, {"too long", 65536, 1}} {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

// FuzzSplit: no byte of a stream is lost without a word. Each is in a document,
// on a separator or terminator line, or after a terminator; and text in the
// latter two is reported.
func FuzzSplit(f *testing.F) {
	for _, seed := range []string{
		"", "a\n", "---\na\n---\nb", "a\n...\nb", "--- x\n", "... x", "----\n\n", "a\r\n---\r\n", "...\n# c\n", "---", "...",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		r := &reader{places: newLocator("f", source)}
		r.text = &text{body: source[r.places.bom:], places: r.places}
		parts := split(r.text.body)
		r.checkParts(parts)
		at := 0
		for _, p := range parts {
			if p.start != at || p.end < p.start {
				t.Fatalf("part %v does not continue at %d", p, at)
			}
			at = p.end
			checkNothingLost(t, r, p)
		}
		if at != len(r.text.body) {
			t.Fatalf("parts end at %d of %d", at, len(r.text.body))
		}
	})
}

func checkNothingLost(t *testing.T, r *reader, p part) {
	t.Helper()
	content := r.text.body[p.start:p.end]
	switch p.kind {
	case documentPart:
		return
	case separatorPart, terminatorPart:
		content = strings.TrimLeft(content, "-.")
	}
	if firstContent(content) < 0 {
		return
	}
	for _, problem := range r.problems {
		if problem.Severity == Error && problem.Span.Start.Offset-r.places.bom >= p.start && problem.Span.Start.Offset-r.places.bom < p.end {
			return
		}
	}
	t.Errorf("%q is lost without an error", content)
}
