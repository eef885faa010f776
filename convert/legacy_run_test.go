package convert_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/distribution/reference"
	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/convert"
	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/fake"
	"github.com/drone-laptop/drone/manifest"
)

// TestLegacyRuns runs every fixture on the fake engine, for several builds, each
// combination of the matrix, and with each step failing in turn: as it is, and
// as the file that it is converted to. What runs, in which order, and what it is
// given is what the old Drone ran and gave.
func TestLegacyRuns(t *testing.T) {
	files, err := filepath.Glob("testdata/legacy/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	versions := map[string]int{}
	for _, input := range files {
		source, err := os.ReadFile(input)
		if err != nil {
			t.Fatal(err)
		}
		for _, local := range []bool{false, true} {
			old, err := convert.Legacy(input, source, convert.LegacyOptions{Local: local, Environment: local, Adapt: local})
			if err != nil {
				t.Fatal(err)
			}
			name := fmt.Sprintf("%s local %v", filepath.Base(input), local)
			run := &converted{t: t, name: name, old: old, local: local}
			versions[old.Version] += run.compare(source)
		}
	}
	for _, version := range convert.LegacyVersions() {
		if versions[version] < 100 {
			t.Errorf("there were only %d runs of files for %s", versions[version], version)
		}
	}
}

// converted is a file that is run.
type converted struct {
	t     *testing.T
	name  string
	old   *convert.Converted
	local bool
}

// compare runs the file in all ways and tells how many there were.
func (c *converted) compare(source []byte) (runs int) {
	axes := oldJobs(source)
	for _, b := range oldBuilds {
		if b.event == "deployment" && strings.Contains(string(source), "branches:") {
			continue // the trigger is for deployments, too, as a note tells
		}
		for i, axis := range axes {
			o := &original{t: c.t, version: c.old.Version, axis: axis, job: i, build: b, local: c.local}
			services, stages, isFile := o.stages(source)
			if !isFile {
				continue
			}
			failing := []string{""}
			for _, stage := range stages {
				for _, s := range stage {
					failing = append(failing, s.name)
				}
			}
			plan := c.plan(b, i)
			for _, f := range failing {
				runs++
				what := fmt.Sprintf("%s: %v with axis %v and %q failing", c.name, b, axis, f)
				ran, served, order := c.run(plan, i, f)
				if stages == nil {
					services = nil
				}
				if diff := cmp.Diff(names(services), names(served)); diff != "" {
					c.t.Errorf("%s has other services (-then +now):\n%s", what, diff)
				}
				want := oldRun(stages, f)
				if diff := cmp.Diff(names(want), names(ran)); diff != "" {
					c.t.Errorf("%s runs other steps (-then +now):\n%s", what, diff)
					continue
				}
				for k := range want {
					c.same(what, want[k], ran[k])
				}
				inOrder(c.t, c.name, stages, order)
			}
		}
	}
	return runs
}

func names(steps []oldStep) []string {
	out := []string{}
	for _, s := range steps {
		out = append(out, s.name)
	}
	slices.Sort(out)
	return out
}

// same compares what a step was given with what it is given.
func (c *converted) same(what string, then, now oldStep) {
	for name, value := range then.env {
		switch got, ok := now.env[name]; {
		case slices.Contains([]string{"CI", "DRONE_REPO"}, name): // Drone's own
		case value == "" && !ok && !c.local: // as a server has it today
		case !ok || got != value:
			c.t.Errorf("%s: %s of %s is %q, not %q", what, name, then.name, got, value)
		}
	}
	for name := range now.env {
		if _, ok := then.env[name]; !ok && strings.HasPrefix(name, "PLUGIN_") {
			c.t.Errorf("%s: %s gets %s, which it did not", what, then.name, name)
		}
	}
	if diff := cmp.Diff(then.commands, now.commands); diff != "" {
		c.t.Errorf("%s: commands of %s (-then +now):\n%s", what, then.name, diff)
	}
	if then.image = fullImage(then.image); then.image != fullImage(now.image) && (c.local || !strings.Contains(then.image, oldSecrets["REGISTRY"])) {
		c.t.Errorf("%s: the image of %s is %s, not %s", what, then.name, now.image, then.image)
	}
}

func fullImage(name string) string {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return name
	}
	return reference.TagNameOnly(named).String()
}

// plan is that of the pipeline with an index.
func (c *converted) plan(b oldBuild, index int) *exec.Plan {
	c.t.Helper()
	file, found := manifest.Parse(c.name, c.old.Text, nil)
	opts := compile.Options{Build: b.today(), Workspace: "/work", Trusted: true}
	if c.local {
		opts.Era = c.old.Version
	}
	plan, problems, err := compile.File(file, found, opts)
	if err != nil || plan == nil {
		c.t.Fatalf("%s: %v %v", c.name, err, problems)
	}
	if c.local {
		c.old.Adapt(plan)
	}
	plan.Pipelines = plan.Pipelines[index : index+1]
	return plan
}

// secret is the value of a secret of today. One that a note asked for has what
// the note says.
func (c *converted) secret(name string, b map[string]string) (string, bool) {
	if value, ok := oldSecrets[name]; ok {
		return strings.ReplaceAll(value, `"`, "”"), true
	}
	for _, n := range c.old.Notes {
		if text, ok := strings.CutPrefix(n.Hint, "give the new secret the value "); ok && strings.Contains(n.Message, `is the secret "`+name+`"`) {
			return expand(text, func(name string) (string, bool) {
				if value, ok := b[name]; ok {
					return value, true
				}
				return strings.ReplaceAll(oldSecrets[name], `"`, "”"), true
			}), true
		}
	}
	if strings.ToLower(name) == name || name == "Other" { // of Drone 0.8
		return "value of " + name, !c.madeName(name)
	}
	return "", false
}

// madeName reports whether a secret is made of others, so that there is no such.
func (c *converted) madeName(name string) bool { return c.local && c.old.Version != "0.8" }

var inShell = regexp.MustCompile(`'"\$\{(\w+)\}"'|\$\{(\w+)\}`)

func expand(text string, value func(string) (string, bool)) string {
	return inShell.ReplaceAllStringFunc(text, func(e string) string {
		m := inShell.FindStringSubmatch(e)
		if v, ok := value(m[1] + m[2]); ok {
			return v
		}
		return e
	})
}

// run runs a pipeline and gives the steps and services that ran, and the order
// in which steps started and ended.
func (c *converted) run(plan *exec.Plan, index int, failing string) (ran, services []oldStep, order []string) {
	c.t.Helper()
	if !plan.Pipelines[0].Runs {
		return nil, nil, nil
	}
	var mu sync.Mutex
	engine := &fake.Engine{Scripts: map[string]fake.Script{}}
	for _, s := range plan.Pipelines[0].Steps {
		script := fake.Script{Forever: s.Kind == exec.KindService}
		if s.Name == failing && !s.Detach {
			script.Exit.Code = 1
		}
		script.Do = func(_ context.Context, s *exec.Step, io exec.IO) error {
			mu.Lock()
			defer mu.Unlock()
			of := oldStep{name: s.Name, image: s.Image, env: io.Env}
			for _, command := range s.Commands { // secrets in commands are variables now
				of.commands = append(of.commands, expand(command, func(name string) (string, bool) {
					if _, secret := oldSecrets[name]; secret {
						return io.Env[name], true
					}
					return "", false
				}))
			}
			switch s.Kind {
			case exec.KindService:
				services = append(services, of)
			case exec.KindStep:
				ran = append(ran, of)
			}
			return nil
		}
		engine.Scripts[s.Name] = script
	}
	values := map[string]string{}
	maps.Copy(values, plan.Pipelines[0].Fixed)
	maps.Copy(values, plan.Pipelines[0].Env)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	known := func(name string) (string, bool) { return c.secret(name, values) }
	if missing := exec.MissingSecrets(plan, known); len(missing) > 0 {
		c.t.Fatalf("%s: there is no secret for %v", c.name, missing)
	}
	_, err := exec.Run(ctx, plan, engine, exec.Options{Secret: known}, func(e exec.Event) {
		switch e := e.(type) {
		case exec.StepStarted:
			order = append(order, "start "+e.Step)
		case exec.StepFinished:
			order = append(order, "end "+e.Step)
		}
	})
	if err != nil {
		c.t.Fatal(err)
	}
	slices.SortFunc(ran, func(a, b oldStep) int { return strings.Compare(a.name, b.name) })
	return ran, services, order
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
		"PLUGIN_MODE": "493", "PLUGIN_LIST": `[[1],{"a":1.5,"b":"\u003cx\u003e"}]`, "PLUGIN_MAP": `{"a":[2],"b":true,"z":1}`, "PLUGIN_TEXT": "1.0.0",
		"PLUGIN_FLOW": "v1.0.0,", "PLUGIN_DRY-RUN": "true", "PLUGIN_URLS": "secret webhook", "DOCKER_USERNAME": "secret docker_login",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the plugin gets something else (-then +now):\n%s", diff)
	}
}
