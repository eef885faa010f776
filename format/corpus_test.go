package format_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/format"
	"github.com/drone-laptop/drone/manifest"
)

// TestCorpus formats real files of other people, which lie beside the project:
// none is refused, and what they compile to stays.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("../../shared/corpus/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("NO CORPUS: the folder ../shared/corpus with real configuration files is absent")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { sameMeaning(t, file) })
	}
}

// TestSameMeaning does it with the files of this package, of which some are no
// pipelines that could run.
func TestSameMeaning(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { sameMeaning(t, file) })
	}
}

func sameMeaning(t *testing.T, file string) {
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := formatted(t, source)
	if again := formatted(t, got); string(again) != string(got) {
		t.Errorf("formatting again changes it:\n%s", cmp.Diff(string(got), string(again)))
	}
	if a, b := ink(source), ink(got); a != b {
		t.Errorf("more than blanks changed:\n%s", cmp.Diff(a, b))
	}
	for _, build := range []compile.Build{pushBuild(), tagBuild()} {
		before, found := plan(t, source, build)
		after, now := plan(t, got, build)
		if diff := cmp.Diff(before, after, withoutPlaces); diff != "" {
			t.Errorf("%s: the plan changes (-before +after):\n%s", build.Event, diff)
		}
		if diff := cmp.Diff(found, now); diff != "" {
			t.Errorf("%s: the problems change (-before +after):\n%s", build.Event, diff)
		}
	}
}

// ink is a text without blanks.
func ink(source []byte) string {
	return strings.Join(strings.Fields(strings.TrimPrefix(string(source), "\ufeff")), "")
}

// plan compiles a text and lists the rules that it breaks. Their messages name
// lines.
func plan(t *testing.T, source []byte, build compile.Build) (*exec.Plan, []string) {
	t.Helper()
	p, problems, err := compile.Compile("test.yml", source, compile.Options{Build: build, Workspace: "/w", Trusted: true, CheckAll: true})
	if err != nil {
		t.Fatal(err)
	}
	var rules []string
	for _, problem := range problems {
		// The one thing that formatting may mend.
		if problem.Rule != manifest.RuleEmptyDocument {
			rules = append(rules, problem.Rule+" "+problem.Pipeline+" "+problem.Step)
		}
	}
	return p, rules
}

// withoutPlaces has plans compared without the places in their file.
var withoutPlaces = cmp.FilterPath(func(p cmp.Path) bool {
	field, ok := p.Last().(cmp.StructField)
	return ok && field.Type().Kind() == reflect.String && strings.HasSuffix(field.Name(), "Position")
}, cmp.Ignore())

func TestWithoutPlaces(t *testing.T) {
	a, b := exec.Plan{Secrets: []exec.SecretSource{{Position: "x:1:1"}}}, exec.Plan{Secrets: []exec.SecretSource{{Position: "x:2:1"}}}
	if !cmp.Equal(a, b, withoutPlaces) {
		t.Error("plans differ by a place")
	}
	if b.Secrets[0].Name = "b"; cmp.Equal(a, b, withoutPlaces) {
		t.Error("plans do not differ by a name")
	}
}

func pushBuild() compile.Build {
	return compile.Build{
		Event: "push", Trigger: "@hook",
		Repo:   compile.Repo{Slug: "octocat/hello", Namespace: "octocat", Name: "hello", DefaultBranch: "main"},
		Branch: "main", Source: "main", Ref: "refs/heads/main",
		After: "7fd1a60b01f91b314f59955a4e4d4e80d8edf11d", Message: "subject", Number: 7,
		Created: time.Unix(1700000000, 0), Started: time.Unix(1700000001, 0),
	}
}

func tagBuild() compile.Build {
	b := pushBuild()
	b.Event, b.Action, b.Ref, b.Branch, b.Source = "tag", "create", "refs/tags/v1.2.3", "", ""
	return b
}

// BenchmarkFormat formats a file as they are on average in the corpus, in size
// and kind.
func BenchmarkFormat(b *testing.B) {
	source := largeFile(16)
	b.SetBytes(int64(len(source)))
	for b.Loop() {
		if _, err := format.Source("x.yml", source); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "files/s")
}

// largeFile has a number of steps that are not in canonical form.
func largeFile(steps int) []byte {
	var b strings.Builder
	b.WriteString("---\nkind: pipeline\nname:   large\n\nsteps:\n")
	for range steps {
		b.WriteString("    - name: step # comment\n      image:   golang:${GO}\n      # about\n      commands:\n" +
			"          - go build ./...  # build\n          - |\n            set -e\n            go test ./...\n" +
			"      when: {branch: [ main,dev ]}\n\n\n")
	}
	return []byte(b.String())
}
