package compile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/manifest"
)

// files are changed files with a base.
func files(names ...string) *ChangedFiles {
	return &ChangedFiles{Base: "main@1a2b3c4", Files: names}
}

// paths is a condition of that key.
func paths(key string, include, exclude []string) manifest.Condition {
	c := condition(include, exclude)
	c.Key.Value = key
	return c
}

// The rows follow what the extensions of a server do, docs/conditions.md.
func TestConditionsOnFiles(t *testing.T) {
	docs, both := paths("paths", []string{"docs/**"}, nil), paths("paths", []string{"*.yml"}, []string{".drone.yml"})
	not := paths("paths", nil, []string{"docs/**", "*.md"})
	set := paths("changeset", []string{"docs/**"}, nil)
	type testCase struct {
		name    string
		cond    manifest.Condition
		changed *ChangedFiles
		ok      bool
		want    string
	}
	run := func(t *testing.T, tc testCase) {
		c := manifest.Conditions{Paths: tc.cond}
		if tc.cond.Key.Value == "changeset" {
			c = manifest.Conditions{Changeset: tc.cond}
		}
		ok, reason := Build{Changed: tc.changed}.when(&c)
		if ok != tc.ok || reason != tc.want {
			t.Errorf("got %v, %q\nwant %v, %q", ok, reason, tc.ok, tc.want)
		}
	}
	for _, tc := range []testCase{
		{"one matches", docs, files("a.go", "docs/a/b.md", "docs/c.md"), true, "when.paths matches docs/a/b.md, base main@1a2b3c4"},
		{"none of several", docs, files("a.go", "b.go", "doc"), false,
			"when.paths is [docs/**], none of 3 changed files matches, base main@1a2b3c4"},
		{"not the only one", docs, files("a.go"), false, "when.paths is [docs/**], the only changed file a.go does not match, base main@1a2b3c4"},
		{"the folder's own name is none of its files", docs, files("docs"), false,
			"when.paths is [docs/**], the only changed file docs does not match, base main@1a2b3c4"},
		{"a dot file", paths("paths", []string{"*.yml"}, nil), files(".drone.yml"), true, "when.paths matches .drone.yml, base main@1a2b3c4"},
		{"all excluded", not, files("docs/a", "x.md"), false,
			"when.paths excludes [docs/**, *.md], which matches all 2 changed files, base main@1a2b3c4"},
		{"the only one excluded", not, files("x.md"), false,
			"when.paths excludes [docs/**, *.md], which matches the only changed file x.md, base main@1a2b3c4"},
		{"one not excluded", not, files("docs/a", "main.go"), true, "when.paths matches main.go, base main@1a2b3c4"},
		{"exclude wins for a file", both, files(".drone.yml", "a.go"), false,
			"when.paths is [*.yml] without [.drone.yml], none of 2 changed files matches, base main@1a2b3c4"},
		{"exclude does not win for another", both, files(".drone.yml", "b.yml"), true, "when.paths matches b.yml, base main@1a2b3c4"},
		{"nothing changed", docs, files(), true, "when.paths counts as met: nothing changed since main@1a2b3c4"},
		{"nothing changed, excluded", not, files(), true, "when.paths counts as met: nothing changed since main@1a2b3c4"},
		{"nothing changed, changeset", set, files(), false, "when.changeset is [docs/**], no file changed, base main@1a2b3c4"},
		{"changeset", set, files("docs/a"), true, "when.changeset matches docs/a, base main@1a2b3c4"},
		{"unknown", docs, &ChangedFiles{Unknown: "not in a git working tree"}, true, "when.paths counts as met: not in a git working tree"},
		{"not looked for", docs, nil, true, "when.paths counts as met: nobody looked for the changed files"},
		{"no patterns", paths("paths", nil, nil), files("a"), true, "no condition"},
	} {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

// Every condition has to hold; one that says more about the build is told
// first.
func TestConditionsOnFilesAmongOthers(t *testing.T) {
	build := Build{Event: "push", Changed: files("docs/a", "b.go")}
	type testCase struct {
		name string
		cond manifest.Conditions
		ok   bool
		want string
	}
	run := func(t *testing.T, tc testCase) {
		ok, reason := build.trigger(&tc.cond)
		if ok != tc.ok || reason != tc.want {
			t.Errorf("got %v, %q\nwant %v, %q", ok, reason, tc.ok, tc.want)
		}
	}
	one, other := paths("paths", []string{"docs/*"}, nil), paths("changeset", []string{"*.c"}, nil)
	for _, tc := range []testCase{
		{"event and paths", manifest.Conditions{Event: only("push"), Paths: one}, true,
			"trigger matches event push; trigger.paths matches docs/a, base main@1a2b3c4"},
		{"another event", manifest.Conditions{Event: only("tag"), Paths: one}, false, `trigger.event is [tag], event is "push"`},
		{"both keys", manifest.Conditions{Paths: one, Changeset: other}, false,
			"trigger.changeset is [*.c], none of 2 changed files matches, base main@1a2b3c4"},
	} {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

func TestUsesChangedFiles(t *testing.T) {
	type testCase struct {
		source string
		want   bool
	}
	run := func(t *testing.T, tc testCase) {
		if got := UsesChangedFiles("x.yml", []byte(tc.source)); got != tc.want {
			t.Errorf("got %v, want %v", got, tc.want)
		}
	}
	for name, tc := range map[string]testCase{
		"none":         {"kind: pipeline\nsteps: [{name: a, image: b}]", false},
		"trigger":      {"kind: pipeline\ntrigger: {paths: [a]}", true},
		"second":       {"kind: pipeline\n---\nkind: pipeline\ntrigger: {paths: {exclude: [a]}}", true},
		"step":         {"kind: pipeline\nsteps: [{name: a, when: {changeset: {includes: [a]}}}]", true},
		"service":      {"kind: pipeline\nservices: [{name: a, when: {paths: a}}]", true},
		"of a plugin":  {"kind: pipeline\nsteps: [{name: a, settings: {paths: [a]}}]", false},
		"no pattern":   {"kind: pipeline\ntrigger: {paths: []}", false},
		"not a file":   {"kind: pipeline\nsteps: [", false},
		"in a command": {"kind: pipeline\nsteps: [{name: a, commands: [echo paths]}]", false},
	} {
		t.Run(name, func(t *testing.T) { run(t, tc) })
	}
}

// What cannot be decided, or was surely meant otherwise, is told with its
// place; the pipeline runs.
func TestProblemsOfConditionsOnFiles(t *testing.T) {
	source := `kind: pipeline
trigger: {paths: ["docs/", "!a"]}
steps:
- {name: s, image: x, when: {paths: {include: [./b, /c], exclude: [ok/**]}}}
`
	plan, problems, err := Compile("x.yml", []byte(source), Options{Build: Build{Changed: &ChangedFiles{Unknown: "no git"}}, Workspace: "/w"})
	if err != nil || !plan.Pipelines[0].Runs {
		t.Fatalf("got error %v, plan %+v", err, plan)
	}
	var got []string
	for _, line := range lines(problems) {
		if !strings.Contains(line, "server-extension") {
			got = append(got, line)
		}
	}
	want := []string{
		"x.yml:2:11: warning: trigger.paths cannot be decided and counts as met: no git [unknown-changes] hint: name a commit to compare with: --base REF",
		"x.yml:2:19: warning: the pattern \"docs/\" of trigger.paths names a folder, but only files are compared [path-pattern] hint: write \"docs/**\" for all files in it",
		"x.yml:2:28: warning: the pattern \"!a\" of trigger.paths begins with `!`, which has no special meaning [path-pattern] hint: write \"a\" under exclude",
		"x.yml:4:30: warning: when.paths cannot be decided and counts as met: no git [unknown-changes] hint: name a commit to compare with: --base REF",
		"x.yml:4:48: warning: the pattern \"./b\" of when.paths begins like no path in the repository [path-pattern] hint: paths are counted from its top: write \"b\"",
		"x.yml:4:53: warning: the pattern \"/c\" of when.paths begins like no path in the repository [path-pattern] hint: paths are counted from its top: write \"c\"",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}

	// Nothing depends on the trigger of a pipeline that is named.
	_, problems, err = Compile("x.yml", []byte("kind: pipeline\nname: a\ntrigger: {paths: [a]}\n"), Options{Pipelines: []string{"a"}})
	if err != nil || len(problems) != 1 || problems[0].Rule != manifest.RuleExtension {
		t.Errorf("a pipeline that is named: got %q, %v", lines(problems), err)
	}
}
