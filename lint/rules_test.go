package lint_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/lint"
	"github.com/drone-laptop/drone/manifest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// options are those of a push to a repository that a server does not trust.
func options() lint.Options {
	return lint.Options{Compile: compile.Options{
		Build: compile.Build{
			Event: "push", Branch: "main", Ref: "refs/heads/main", After: "1234567890123456789012345678901234567890",
		},
		Workspace: "/work", Host: compile.Host{Consent: true},
	}}
}

func check(name, source string) []manifest.Problem {
	return lint.Check(name, []byte(source), options())
}

func text(t *testing.T, source string, findings []manifest.Problem) string {
	t.Helper()
	var out bytes.Buffer
	err := lint.Text(&out, findings, func(string) []byte { return []byte(source) }, lint.Painter{})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func has(findings []manifest.Problem, id string) bool {
	return slices.ContainsFunc(findings, func(f manifest.Problem) bool { return f.Rule == id })
}

// TestRules holds every rule to its own examples.
func TestRules(t *testing.T) {
	name := regexp.MustCompile(`^[a-z]+(-[a-z0-9]+)*$`)
	seen := map[string]bool{}
	for _, r := range lint.Rules() {
		t.Run(r.ID, func(t *testing.T) {
			if seen[r.ID] || !name.MatchString(r.ID) {
				t.Errorf("%q is not a new name in lower case", r.ID)
			}
			seen[r.ID] = true
			if r.Group == "" || r.Severity == "" || r.Explanation == "" {
				t.Error("the rule lacks a group, a severity or an explanation")
			}
			if r.Summary == "" || strings.HasSuffix(r.Summary, ".") || strings.Contains(r.Summary, "\n") {
				t.Errorf("the summary is not one line without a stop: %q", r.Summary)
			}
			if (r.Bad == "") == (r.Untold == "") {
				t.Error("a rule has either a bad example or a reason for having none")
			}
			if found := check("bad.yml", r.Bad); r.Bad != "" && !has(found, r.ID) {
				t.Errorf("finds nothing in its bad example, but there is:\n%s", text(t, r.Bad, found))
			}
			if found := check("good.yml", r.Good); r.Good != "" && len(found) > 0 {
				t.Errorf("its good example has findings:\n%s", text(t, r.Good, found))
			}
		})
	}
}

// TestFixtures looks at the files of testdata/rules/RULE: those that begin with
// "bad" have findings of the rule, those that begin with "good" have none, and
// all that is found in FILE.yml is in FILE.out.
func TestFixtures(t *testing.T) {
	root := filepath.Join("testdata", "rules")
	for _, r := range lint.Rules() {
		t.Run(r.ID, func(t *testing.T) {
			kinds := map[string]int{}
			files, err := filepath.Glob(filepath.Join(root, r.ID, "*.yml"))
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range files {
				kind := "good"
				if strings.HasPrefix(filepath.Base(file), "bad") {
					kind = "bad"
				}
				kinds[kind]++
				t.Run(filepath.Base(file), func(t *testing.T) { fixture(t, r.ID, file, kind) })
			}
			if kinds["bad"] == 0 && r.Untold == "" {
				t.Error("there is no bad fixture")
			}
			if kinds["good"] == 0 {
				t.Error("there is no good fixture")
			}
		})
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, err := lint.Lookup(e.Name()); err != nil {
			t.Errorf("testdata/rules/%s: %v", e.Name(), err)
		}
	}
}

func fixture(t *testing.T, id, file, kind string) {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	found := check(filepath.Base(file), string(source))
	if has(found, id) != (kind == "bad") {
		t.Errorf("a %s file, but rule %s found in it: %v", kind, id, has(found, id))
	}
	for _, f := range found {
		known(t, f)
	}
	compareGolden(t, strings.TrimSuffix(file, ".yml")+".out", text(t, string(source), found))
}

// known holds a finding to the catalogue.
func known(t *testing.T, f manifest.Problem) {
	t.Helper()
	if _, err := lint.Lookup(f.Rule); err != nil {
		t.Errorf("a finding of an unknown rule: %v", err)
	}
}
