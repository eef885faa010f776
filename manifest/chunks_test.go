package manifest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// chunkSeeds are documents, and whether they can be parsed in two chunks.
func chunkSeeds() map[string]bool {
	const (
		head = "kind: pipeline\nname: a\nsteps:\n"
		step = "- name: step\n  image: a\n  commands:\n  - echo  # why\n  - make -j 4\n"
	)
	steps := strings.Repeat(step, 8)
	indented := "\n# first\n  " + strings.ReplaceAll(steps, "\n", "\n  ") + "\n"
	return map[string]bool{
		head + steps: true,
		head + steps + "volumes:\n- name: v\n  temp: {}\ntrigger:\n  event: push\n": true,
		head + indented + "services:\n  - name: s\n":                                true,
		"steps:\n" + steps: true,
		head + strings.ReplaceAll(steps, "make", "ls *.o; test 2 * 3"):                 true,
		head + strings.ReplaceAll(steps, "- make -j 4", "- |+\n    a\n\n     - b\n\n"): true,
		head + strings.ReplaceAll(steps, "why", "é\u2028"):                             true,
		head + strings.ReplaceAll(steps, "make", "\"a\n  b\""):                         false, // text after a quote
		head + strings.ReplaceAll(steps, "make -j 4", "\"a\n  b\""):                    true,

		// What only looks like a step:
		head + step + "- name: \"\n" + steps + "\"\n":                                     false,
		head + step + "- {name: [\n" + steps + "]}\n":                                     false,
		"a: 'b\nsteps:\n" + steps + "'\n":                                                 false,
		head + step + "services:\n" + steps:                                               false,
		head + step + "services:\n" + steps + "volumes:\n- name: v":                       false,
		"steps:\n  name: a\n  list:\n  " + strings.ReplaceAll(steps, "\n", "\n  ") + "\n": false,

		// What one chunk does not know of another:
		"x: &x\n  image: a\n" + head + steps + "- <<: *x\n": false,
		"x: &x a\n" + head + steps + "- image:\t*x\n":       false,

		head + steps + "- name: [\n": false,
		head + step:                  false,
		strings.ReplaceAll(head+steps, "\n", "\r\n"):       false,
		"kind: pipeline\nsteps: # all\n" + steps:           false,
		"kind: pipeline\nsteps: []\nvolumes:\n" + steps:    false,
		"kind: secret\ndata: |\n  steps:\n  - a\n  - b\n ": false,
	}
}

// TestParseChunks compares what becomes of chunks with what the library makes
// of the whole.
func TestParseChunks(t *testing.T) {
	for source, works := range chunkSeeds() {
		if done := checkChunks(t, source, 2); done != works {
			t.Errorf("parsed in chunks: %v, want %v\n%s", done, works, source)
		}
	}
}

func TestParseChunksOfCorpus(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "shared", "corpus", "*.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("no corpus: real files are not parsed in chunks")
	}
	done := 0
	for _, path := range files {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for count := 2; count < 5; count++ {
			for _, p := range split(string(source)) {
				if p.kind == documentPart && checkChunks(t, string(source[p.start:p.end]), count) {
					done++
				}
			}
		}
	}
	if done < len(files) {
		t.Errorf("only %d documents of %d files could be parsed in chunks", done, len(files))
	}
}

func FuzzParseChunks(f *testing.F) {
	for source := range chunkSeeds() {
		f.Add(source, 3)
	}
	f.Fuzz(func(t *testing.T, source string, count int) {
		if len(source) > 4000 || count > 5 {
			t.Skip()
		}
		for _, p := range split(source) {
			if p.kind == documentPart {
				checkChunks(t, source[p.start:p.end], count)
			}
		}
	})
}

// checkChunks reports whether a document can be parsed in chunks. If so, what
// becomes of it must be the same as without.
func checkChunks(t *testing.T, source string, count int) bool {
	t.Helper()
	root := parseChunks(source, count)
	if root == nil {
		return false
	}
	whole, reason := decodeYAML(strings.NewReader(source))
	if reason != "" {
		t.Fatalf("%s\n%s", reason, source)
	}
	if got, want := written(root), written(whole); got != want {
		t.Fatalf("%s\nbecame\n%s\nnot\n%s", source, got, want)
	}
	return true
}

// written shows all that there is of a node but its comments.
func written(n *yaml.Node) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d:%d %d %d %q %q %q\n", n.Line, n.Column, n.Kind, n.Style, n.Tag, n.Anchor, n.Value)
	for _, c := range n.Content {
		b.WriteString(written(c))
	}
	return b.String()
}

// TestStepsInShares says that steps are read the same by several decoders as by
// one, with their problems in order.
func TestStepsInShares(t *testing.T) {
	var b strings.Builder
	b.WriteString("kind: pipeline\nname: a\nsteps:\n")
	const steps = 8 * leastSteps
	for i := range steps {
		fmt.Fprintf(&b, "- name: step-%d\n  image: é\n  imag: b\n", i)
	}
	b.WriteString("- no map\n")
	file, problems := Parse("a.yml", []byte(b.String()), nil)
	if n := len(file.Pipelines()[0].Steps); n != steps {
		t.Fatalf("%d steps, want %d", n, steps)
	}
	for i, s := range file.Pipelines()[0].Steps {
		if want := fmt.Sprintf("step-%d", i); s.Name.Value != want || s.Name.Span.Start.Line != 4+3*i || s.Name.Span.Start.Column != 9 {
			t.Fatalf("step %q at %v, want %q", s.Name.Value, s.Name.Span.Start, want)
		}
	}
	if len(problems) != steps+1 {
		t.Fatalf("%d problems, want %d", len(problems), steps+1)
	}
	for i, p := range problems[:steps] {
		if want := fmt.Sprintf("step-%d", i); p.Step != want || p.Rule != RuleUnknownKey {
			t.Fatalf("problem %d is %s in %q, want one in %q", i, p.Rule, p.Step, want)
		}
	}
	if last := problems[steps]; !strings.Contains(last.Message, fmt.Sprintf("step %d of pipeline", steps+1)) {
		t.Errorf("the last problem is %q", last.Message)
	}
}
