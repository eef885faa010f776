package lint_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/lint"
	"github.com/drone-laptop/drone/manifest"
)

// TestSARIF compares the log with one that was held to the schema of the
// standard.
func TestSARIF(t *testing.T) {
	findings := check("some folder/ä%.yml", "kind: pipeline\nname: default\nplatform: {arch: x86_64}\nsteps:\n- {name: a, image: golang, commands: [make]}\n- {name: a, image: golang, commands: [make]}\n")
	findings = append(findings, manifest.Problem{Severity: manifest.Error, Rule: "no-such", Span: manifest.Span{Start: manifest.Pos{File: "b.yml"}}, Message: "is empty"})
	var out bytes.Buffer
	if err := lint.SARIF(&out, findings, "1.2.3"); err != nil {
		t.Fatal(err)
	}
	compareGolden(t, filepath.Join("testdata", "forms", "findings.sarif"), out.String())
	out.Reset()
	if err := lint.SARIF(&out, nil, "1.2.3"); err != nil {
		t.Fatal(err)
	}
	compareGolden(t, filepath.Join("testdata", "forms", "nothing.sarif"), out.String())
}

func TestGitHub(t *testing.T) {
	pos := func(line, column int) manifest.Pos {
		return manifest.Pos{File: "a,b:c%.yml", Line: line, Column: column}
	}
	var out bytes.Buffer
	err := lint.GitHub(&out, []manifest.Problem{
		{Severity: manifest.Error, Rule: "r", Span: manifest.Span{Start: pos(1, 2), End: pos(1, 4)}, Message: "100%\nwrong", Hint: "write: a, b"},
		{Severity: manifest.Info, Rule: "s", Span: manifest.Span{Start: pos(1, 2), End: pos(3, 4)}, Message: "m"},
		{Severity: manifest.Warning, Rule: "t", Span: manifest.Span{Start: manifest.Pos{File: "d.yml"}}, Message: "m"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "::error file=a%2Cb%3Ac%25.yml,line=1,col=2,endColumn=4,title=r::100%25%0Awrong%0Ahint: write: a, b\n" +
		"::notice file=a%2Cb%3Ac%25.yml,line=1,col=2,endLine=3,title=s::m\n" +
		"::warning file=d.yml,title=t::m\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestApply(t *testing.T) {
	edit := func(start, end int, text string) manifest.Problem {
		return manifest.Problem{Fix: &manifest.Edit{Span: manifest.Span{Start: manifest.Pos{Offset: start}, End: manifest.Pos{Offset: end}}, Text: text}}
	}
	got, n := lint.Apply([]byte("0123456789"), []manifest.Problem{
		edit(8, 9, "nine"), {}, edit(0, 1, "zero"), edit(1, 2, "touches"), edit(4, 6, ""), edit(5, 7, "overlaps"), edit(9, 99, "beyond"),
	})
	if want := "zero12367nine9"; string(got) != want || n != 3 {
		t.Errorf("got %q with %d changes, want %q with 3", got, n, want)
	}
	if got, n := lint.Apply([]byte("same"), nil); string(got) != "same" || n != 0 {
		t.Errorf("without a change: got %q, %d", got, n)
	}
}

func TestConfig(t *testing.T) {
	c, err := lint.ParseConfig("c.yml", []byte("rules: {image-tag: off, platform: warning}\nstrict: true\ntrusted: true\nignore: [old/, /top.yml, '*.gen.yml', a/**/b.yml]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]lint.Level{"image-tag": lint.Off, "platform": "warning"}, c.Levels); diff != "" || !c.Strict || !c.Trusted {
		t.Errorf("%+v\n%s", c, diff)
	}
	for file, want := range map[string]bool{
		"old/.drone.yml": true, "x/old/.drone.yml": true, "older/.drone.yml": false, "top.yml": true, "x/y.gen.yml": true, "a/x/y/b.yml": true, ".drone.yml": false,
	} {
		if c.Ignores(file) != want {
			t.Errorf("%s is ignored: %v, want %v", file, !want, want)
		}
	}
	if c, err := lint.ParseConfig("c.yml", []byte("# nothing\n")); err != nil || c.Strict {
		t.Errorf("an empty file: %+v, %v", c, err)
	}
	for source, want := range map[string]string{
		"rule: {}":                 `c.yml:1: the key "rule" is unknown`,
		"rules: {image-tags: off}": `c.yml: rules: there is no rule "image-tags"`,
		"rules: {image-tag: bad}":  `c.yml: rules: "bad" is no level: it must be off, info, warning or error`,
		"ignore: ['[a']":           `c.yml: ignore: "[a" is no pattern`,
		"strict: maybe":            "c.yml:1: ",
		"a: [":                     "c.yml:1: ",
	} {
		if _, err := lint.ParseConfig("c.yml", []byte(source)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", source, err, want)
		}
	}
}

// TestJSONOfRules keeps what `--rules --format json` promises.
func TestJSONOfRules(t *testing.T) {
	text, err := json.Marshal(lint.Rules()[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"id", "group", "severity", "summary", "explanation", "bad", "good"} {
		if !strings.Contains(string(text), fmt.Sprintf("%q:", key)) {
			t.Errorf("a rule has no %s: %s", key, text)
		}
	}
}

// BenchmarkCheck looks at files as people have them, one after another:
// "files/s" is for one processor.
func BenchmarkCheck(b *testing.B) {
	files, err := filepath.Glob(filepath.Join("testdata", "rules", "*", "*.yml"))
	if err != nil {
		b.Fatal(err)
	}
	var sources [][]byte
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		sources = append(sources, source)
	}
	n := 0
	for b.Loop() {
		for i, source := range sources {
			lint.Check(files[i], source, options())
			n++
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "files/s")
}

// BenchmarkCheckSteps shows that the time grows with the file.
func BenchmarkCheckSteps(b *testing.B) {
	for _, steps := range []int{100, 1000, 10000} {
		var source strings.Builder
		source.WriteString("kind: pipeline\nname: default\nsteps:\n")
		for i := range steps {
			fmt.Fprintf(&source, "- name: step-%d\n  image: golang:1.26\n  commands: [go build ./..., go test ./...]\n  environment: {A: b}\n  when: {event: [push, tag]}\n", i)
		}
		b.Run(fmt.Sprint(steps), func(b *testing.B) {
			for b.Loop() {
				lint.Check("f.yml", []byte(source.String()), options())
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*steps), "ns/step")
		})
	}
}
