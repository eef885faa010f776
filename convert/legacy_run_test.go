package convert_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/convert"
	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/fake"
	"github.com/drone-laptop/drone/manifest"
)

// oldBuild is a build as Drone 0.8 saw it.
type oldBuild struct {
	event, branch, ref, target string
}

var oldBuilds = []oldBuild{
	{"push", "main", "refs/heads/main", ""},
	{"push", "topic", "refs/heads/topic", ""},
	{"push", "release/old", "refs/heads/release/old", ""},
	{"push", "release/new", "refs/heads/release/new", ""},
	{"pull_request", "main", "refs/pull/1/head", ""},
	{"tag", "", "refs/tags/v1", ""},
	{"deployment", "main", "refs/heads/main", "production"},
	{"deployment", "main", "refs/heads/main", "staging"},
}

func (b oldBuild) today() compile.Build {
	event := b.event
	if event == "deployment" {
		event = "promote"
	}
	return compile.Build{
		Event: event, Branch: b.branch, Ref: b.ref, Deploy: b.target,
		Repo: compile.Repo{Slug: "octocat/hello", Namespace: "octocat", Name: "hello"}, System: compile.System{Host: "ci.example.com"},
	}
}

// oldStep is what Drone 0.8 knew of a step when it ran a pipeline.
type oldStep struct {
	name                 string
	group                string
	onSuccess, onFailure bool
	detach               bool // nobody asks how it ends
}

// oldStages reads a file as Drone 0.8 did: what the conditions leave of the
// pipeline, in stages that run one after another (reference D5).
func oldStages(t *testing.T, source []byte, axis map[string]string, b oldBuild) (stages [][]oldStep) {
	t.Helper()
	var file struct {
		Clone, Pipeline yaml.Node
		Platform        string
		Branches        any
	}
	if err := yaml.Unmarshal(source, &file); err != nil {
		t.Fatal(err)
	}
	if (b.event == "push" || b.event == "pull_request") && !oldMatch(file.Branches, b.branch) {
		return nil
	}
	if file.Platform == "" {
		file.Platform = "linux/amd64"
	}
	seen := map[string]int{}
	add := func(section yaml.Node, grouped bool) {
		last := ""
		for i := 0; i+1 < len(section.Content); i += 2 {
			var c struct {
				Name, Group string
				Detach      bool
				When        map[string]any
			}
			if err := section.Content[i+1].Decode(&c); err != nil {
				t.Fatal(err)
			}
			s := oldStep{name: section.Content[i].Value, group: c.Group, detach: c.Detach}
			if c.Name != "" {
				s.name = c.Name
			}
			of := map[string]string{
				"branch": b.branch, "event": b.event, "ref": b.ref, "repo": "octocat/hello", "instance": "ci.example.com",
				"environment": b.target, "platform": file.Platform,
			}
			matches := true
			for key, value := range of {
				matches = matches && oldMatch(c.When[key], value)
			}
			if m, ok := c.When["matrix"].(map[string]any); ok {
				for name, value := range m {
					matches = matches && axis[name] == fmt.Sprint(value)
				}
			}
			s.onSuccess = oldMatch(c.When["status"], "success")
			s.onFailure = c.When["status"] != nil && oldMatch(c.When["status"], "failure")
			if !matches || !s.onSuccess && !s.onFailure {
				continue
			}
			if seen[s.name]++; seen[s.name] > 1 {
				s.name = fmt.Sprintf("%s-%d", s.name, seen[s.name])
			}
			if grouped && s.group != "" && s.group == last {
				stages[len(stages)-1] = append(stages[len(stages)-1], s)
			} else {
				stages = append(stages, []oldStep{s})
			}
			last = s.group
		}
	}
	if !bytes.Contains(source, []byte("plugins/git, depth")) { // which becomes the clone of today
		add(file.Clone, false)
	}
	add(file.Pipeline, true)
	return stages
}

// oldMatch is a condition of Drone 0.8.
func oldMatch(condition any, value string) bool {
	list := func(v any) (out []string) {
		switch v := v.(type) {
		case string:
			out = []string{v}
		case []any:
			for _, item := range v {
				out = append(out, fmt.Sprint(item))
			}
		}
		return out
	}
	include, exclude := list(condition), []string(nil)
	if m, ok := condition.(map[string]any); ok {
		include, exclude = list(m["include"]), list(m["exclude"])
	}
	match := func(pattern string) bool { ok, err := path.Match(pattern, value); return ok && err == nil }
	return !slices.ContainsFunc(exclude, match) && (len(include) == 0 || slices.ContainsFunc(include, match))
}

// oldRun tells which steps run when those of failing fail.
func oldRun(stages [][]oldStep, failing string) (names []string) {
	failed := false
	for _, stage := range stages {
		now := failed
		for _, s := range stage {
			if now && s.onFailure || !now && s.onSuccess {
				names = append(names, s.name)
				failed = failed || s.name == failing && !s.detach
			}
		}
	}
	slices.Sort(names)
	return names
}

// TestLegacyRuns runs converted files on the fake engine, for several builds and
// with each step failing in turn: what runs, and in which order, is what Drone
// 0.8 ran.
func TestLegacyRuns(t *testing.T) {
	files, err := filepath.Glob("testdata/legacy/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	runs := 0
	for _, input := range files {
		source, err := os.ReadFile(input)
		if err != nil {
			t.Fatal(err)
		}
		old, err := convert.Legacy(input, source, convert.LegacyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(input)
		if old.Version != convert.Version08 || name == "plugins.yml" { // not YAML before substitution
			continue
		}
		axes := oldAxes[name]
		if axes == nil {
			axes = []map[string]string{{}}
		}
		for _, b := range oldBuilds {
			if name == "document.yml" && b.event == "deployment" {
				continue // its trigger is for deployments, too, as a note tells
			}
			for i, axis := range axes {
				stages := oldStages(t, source, axis, b)
				failing := []string{""}
				for _, stage := range stages {
					for _, s := range stage {
						failing = append(failing, s.name)
					}
				}
				for _, f := range failing {
					runs++
					want := oldRun(stages, f)
					got, order := runToday(t, input, old.Text, b, i, f)
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("%s: %v with axis %v and %q failing runs other steps (-then +now):\n%s", name, b, axis, f, diff)
					}
					inOrder(t, name, stages, order)
				}
			}
		}
	}
	if runs < 100 {
		t.Errorf("there were only %d runs", runs)
	}
}

// oldAxes are the combinations of the fixtures with a matrix.
var oldAxes = map[string][]map[string]string{
	"matrix.yml": {
		{"VERSION": "1.10", "DATABASE": "mysql"},
		{"VERSION": "1.10", "DATABASE": "none"},
		{"VERSION": "1.11", "DATABASE": "mysql"},
		{"VERSION": "1.11", "DATABASE": "none"},
	},
	"include.yml": {
		{"VERSION": "1.1", "FLAG": "0"},
		{"VERSION": "1.1", "FLAG": ""},
		{"VERSION": "1.2"},
	},
}

// runToday runs the pipeline with an index of a file and gives the steps that
// ran, without services, and the order in which steps started and ended.
func runToday(t *testing.T, name string, text []byte, b oldBuild, index int, failing string) (ran, order []string) {
	t.Helper()
	file, found := manifest.Parse(name, text, nil)
	plan, problems, err := compile.File(file, found, compile.Options{Build: b.today(), Workspace: "/work", Trusted: true})
	if err != nil || plan == nil {
		t.Fatalf("%s: %v %v", name, err, problems)
	}
	plan.Pipelines = plan.Pipelines[index : index+1]
	if !plan.Pipelines[0].Runs {
		return nil, nil
	}
	var mu sync.Mutex
	engine := &fake.Engine{Scripts: map[string]fake.Script{}}
	var secrets []string
	for _, s := range plan.Pipelines[0].Steps {
		for _, secret := range s.Secrets {
			secrets = append(secrets, secret.Name)
		}
		script := fake.Script{Forever: s.Kind == exec.KindService}
		if s.Name == failing {
			script.Exit.Code = 1
		}
		if s.Kind == exec.KindStep {
			script.Do = func(context.Context, *exec.Step, exec.IO) error {
				mu.Lock()
				defer mu.Unlock()
				ran = append(ran, s.Name)
				return nil
			}
		}
		engine.Scripts[s.Name] = script
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	known := func(name string) (string, bool) { return "value", slices.Contains(secrets, name) }
	_, err = exec.Run(ctx, plan, engine, exec.Options{Secret: known}, func(e exec.Event) {
		switch e := e.(type) {
		case exec.StepStarted:
			order = append(order, "start "+e.Step)
		case exec.StepFinished:
			order = append(order, "end "+e.Step)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(ran)
	return ran, order
}

// inOrder checks that no step started before those of the stages before ended.
func inOrder(t *testing.T, name string, stages [][]oldStep, order []string) {
	t.Helper()
	for i, stage := range stages[:max(0, len(stages)-1)] {
		for _, before := range stage {
			end := slices.Index(order, "end "+before.name)
			for _, after := range stages[i+1] {
				start := slices.Index(order, "start "+after.name)
				if end >= 0 && start >= 0 && start < end && !before.detach {
					t.Errorf("%s: %s started before %s ended: %s", name, after.name, before.name, strings.Join(order, ", "))
				}
			}
		}
	}
}

// TestLegacyPlugin compares what a plugin gets with what it got (reference B4).
func TestLegacyPlugin(t *testing.T) {
	source, err := os.ReadFile("testdata/legacy/plugins.yml")
	if err != nil {
		t.Fatal(err)
	}
	old, err := convert.Legacy("plugins.yml", source, convert.LegacyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b := oldBuild{"tag", "", "refs/tags/v1.0.0", ""}
	plan, problems, err := compile.Compile("plugins.yml", old.Text, compile.Options{Build: b.today()})
	if err != nil || plan == nil {
		t.Fatal(err, problems)
	}
	got := map[string]string{}
	for _, s := range plan.Pipelines[0].Steps {
		if s.Name == "publish" {
			maps.Copy(got, s.Env)
			for _, secret := range s.Secrets {
				got[secret.Env] = "secret " + secret.Name
			}
		}
	}
	maps.DeleteFunc(got, func(name, _ string) bool { return !strings.HasPrefix(name, "PLUGIN_") && name != "DOCKER_USERNAME" })
	want := map[string]string{
		"PLUGIN_REPO": "example/hello", "PLUGIN_TAGS": "latest,1.1,2.5,true", "PLUGIN_VERSION": "1.1", "PLUGIN_BIG": "1.2345679e+08",
		"PLUGIN_MODE": "493", "PLUGIN_LIST": `[[1],{"a":1.5,"b":"\u003cx\u003e"}]`, "PLUGIN_MAP": `{"a":[2],"z":1}`, "PLUGIN_TEXT": "1.0.0",
		"PLUGIN_FLOW": "v1.0.0,", "PLUGIN_DRY-RUN": "true", "PLUGIN_URLS": "secret webhook", "DOCKER_USERNAME": "secret docker_login",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the plugin gets something else (-then +now):\n%s", diff)
	}
}
