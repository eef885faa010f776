package exec_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/fake"
)

var update = flag.Bool("update", false, "rewrite golden files")

// scene is one run of a plan with a fake engine.
type scene struct {
	plan   string // see parsePlan
	engine *fake.Engine
	opts   exec.Options
	// during is called with each event, from the goroutine of Run.
	during func(e exec.Event, cancel context.CancelCauseFunc)
}

// outcome is what a run gave.
type outcome struct {
	events  []exec.Event
	summary *exec.Summary
	err     error
}

// play runs the scene and checks what holds for every run.
func (s scene) play(t *testing.T) outcome {
	t.Helper()
	plan := parsePlan(t, s.plan)
	if s.engine == nil {
		s.engine = &fake.Engine{}
	}
	if s.opts.Run == "" {
		s.opts.Run = "r1"
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var out outcome
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		out.summary, out.err = exec.Run(ctx, plan, s.engine, s.opts, func(e exec.Event) {
			out.events = append(out.events, e)
			if s.during != nil {
				s.during(e, cancel)
			}
		})
	}()
	select {
	case <-finished:
	case <-time.After(time.Minute):
		t.Fatal("the run hangs")
	}
	checkEvents(t, plan, out.events)
	if left := s.engine.Leftovers(s.opts.Run); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	var again exec.Summary
	for _, e := range out.events {
		again.Apply(e)
	}
	if diff := cmp.Diff(again.Pipelines, out.summary.Pipelines); diff != "" {
		t.Errorf("the summary is not the fold of the events:\n%s", diff)
	}
	return out
}

// parsePlan reads a plan: a line "pipeline NAME WORD…" followed by lines
// "step NAME WORD…", "service NAME WORD…" or "clone NAME WORD…". Words are
// after=a,b, a policy, ignore, fast, detach, secret=ENV:name and image=x; of
// pipelines after=a,b, a policy, and "out", which means it does not run.
func parsePlan(t *testing.T, text string) *exec.Plan {
	t.Helper()
	plan := &exec.Plan{Version: exec.Version, File: ".drone.yml", Event: "push"}
	var p *exec.Pipeline
	for number, l := range strings.Split(strings.TrimSpace(text), "\n") {
		words := strings.Fields(l)
		if words[0] == "pipeline" {
			p = &exec.Pipeline{Name: words[1], Type: "docker", Runs: true, Reason: "no trigger", Policy: exec.OnSuccess}
			plan.Pipelines = append(plan.Pipelines, p)
			pipelineWords(t, p, words[2:])
			continue
		}
		s := &exec.Step{
			Name: words[1], Kind: exec.Kind(words[0]), Policy: exec.OnSuccess, Image: "busybox",
			Position: fmt.Sprintf(".drone.yml:%d:3", number+1),
		}
		stepWords(t, s, words[2:])
		if s.Policy != exec.Never {
			s.Number = 1
			for _, before := range p.Steps {
				s.Number = max(s.Number, before.Number+1)
			}
		}
		p.Steps = append(p.Steps, s)
	}
	return plan
}

func pipelineWords(t *testing.T, p *exec.Pipeline, words []string) {
	t.Helper()
	for _, w := range words {
		switch name, value, _ := strings.Cut(w, "="); name {
		case "after":
			p.DependsOn = strings.Split(value, ",")
		case "out":
			p.Runs, p.Reason = false, "event push is not tag"
		case "pull-secret":
			p.PullSecrets = append(p.PullSecrets, exec.SecretRef{Name: value})
		case "on_success", "on_failure", "always":
			p.Policy = exec.Policy(name)
		default:
			t.Fatalf("unknown word %q", w)
		}
	}
}

func stepWords(t *testing.T, s *exec.Step, words []string) {
	t.Helper()
	for _, w := range words {
		switch name, value, _ := strings.Cut(w, "="); name {
		case "after":
			s.DependsOn = strings.Split(value, ",")
		case "on_success", "on_failure", "always", "never":
			s.Policy = exec.Policy(name)
		case "ignore", "fast":
			s.Failure = exec.Failure(name)
		case "detach":
			s.Detach = true
		case "secret":
			env, secret, _ := strings.Cut(value, ":")
			s.Secrets = append(s.Secrets, exec.SecretRef{Env: env, Name: secret, Position: s.Position})
		default:
			t.Fatalf("unknown word %q", w)
		}
	}
}

// checkEvents checks the promises of exec.Event.
func checkEvents(t *testing.T, plan *exec.Plan, events []exec.Event) {
	t.Helper()
	if len(events) < 2 {
		t.Fatalf("only %d events", len(events))
	}
	if _, ok := events[0].(exec.RunStarted); !ok {
		t.Errorf("first event is %T", events[0])
	}
	if _, ok := events[len(events)-1].(exec.RunFinished); !ok {
		t.Errorf("last event is %T", events[len(events)-1])
	}
	started, ended := map[string]int{}, map[string]int{}
	for _, e := range events {
		if e.When().IsZero() {
			t.Errorf("%s has no time", show(e))
		}
		switch e := e.(type) {
		case exec.PipelineStarted:
			started[e.Pipeline]++
		case exec.PipelineFinished:
			ended[e.Pipeline]++
		case exec.PipelineSkipped:
			ended[e.Pipeline]++
		case exec.StepFinished:
			ended[e.Pipeline+"/"+e.Step]++
		case exec.StepSkipped:
			ended[e.Pipeline+"/"+e.Step]++
		}
	}
	for _, p := range plan.Pipelines {
		if ended[p.Name] != 1 {
			t.Errorf("pipeline %s ended %d times", p.Name, ended[p.Name])
		}
		for _, s := range p.Steps {
			want := started[p.Name]
			if s.Policy == exec.Never {
				want = 0
			}
			if n := ended[p.Name+"/"+s.Name]; n != want {
				t.Errorf("step %s/%s ended %d times, want %d", p.Name, s.Name, n, want)
			}
		}
	}
}

// show is an event as one line, without its time.
func show(e exec.Event) string {
	switch e := e.(type) {
	case exec.RunStarted:
		return fmt.Sprintf("run %s started: %s %s %q", e.Run, e.Event, e.File, e.Pipelines)
	case exec.RunFinished:
		return fmt.Sprintf("run finished: %s", e.Status)
	case exec.PipelineStarted:
		return fmt.Sprintf("%s started", e.Pipeline)
	case exec.PipelineFinished:
		return fmt.Sprintf("%s finished: %s%s%s", e.Pipeline, e.Status, field("reason", e.Reason), field("hint", e.Hint))
	case exec.PipelineSkipped:
		return fmt.Sprintf("%s skipped%s", e.Pipeline, field("reason", e.Reason))
	case exec.StepStarted:
		return fmt.Sprintf("%s/%s started", e.Pipeline, e.Step)
	case exec.StepOutput:
		return fmt.Sprintf("%s/%s:%d %q%s", e.Pipeline, e.Step, e.Line, e.Text, flagged("partial", e.Partial))
	case exec.StepFinished:
		return fmt.Sprintf("%s/%s finished: %s %d%s%s%s%s%s%s%s", e.Pipeline, e.Step, e.Status, e.ExitCode,
			flagged("oom", e.OOMKilled), flagged("ignored", e.Ignored), flagged("timed-out", e.TimedOut), field("error", e.Error),
			field("hint", e.Hint), field("phase", string(e.Phase)), field("at", e.Position))
	case exec.StepSkipped:
		return fmt.Sprintf("%s/%s skipped%s", e.Pipeline, e.Step, field("reason", e.Reason))
	case exec.PullProgress:
		return fmt.Sprintf("%s pulls %s: %d of %d%s", e.Pipeline, e.Image, e.Current, e.Total, flagged("done", e.Done))
	case exec.Warning:
		return fmt.Sprintf("warning%s%s%s: %s", field("pipeline", e.Pipeline), field("step", e.Step), flagged("left", e.Left), e.Message)
	}
	return fmt.Sprintf("unknown event %T", e)
}

func field(name, value string) string {
	if value == "" {
		return ""
	}
	return fmt.Sprintf(" %s=%q", name, value)
}

func flagged(name string, set bool) string {
	if set {
		return " " + name
	}
	return ""
}

// testLine is where a test panics.
var testLine = regexp.MustCompile(`_test\.go:\d+`)

// golden compares text with testdata/events/<name of the test>.txt.
func golden(t *testing.T, text string) {
	t.Helper()
	text = testLine.ReplaceAllString(text, "_test.go:N")
	file := filepath.Join("testdata", "events", filepath.Base(t.Name())+".txt")
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("events differ (-want +got):\n%s", diff)
	}
}

func (o outcome) String() string {
	var text strings.Builder
	for _, e := range o.events {
		text.WriteString(show(e) + "\n")
	}
	if o.err != nil {
		fmt.Fprintf(&text, "error: %v\n", o.err)
	}
	return text.String()
}

// exits makes scripts that exit with codes.
func exits(codes map[string]int) *fake.Engine {
	scripts := make(map[string]fake.Script)
	for name, code := range codes {
		scripts[name] = fake.Script{Exit: exec.Exit{Code: code}}
	}
	return &fake.Engine{Scripts: scripts}
}

// TestRunEvents shows the whole stream of events for each rule. The steps of
// a scene follow each other, or wait for each other, so the order is fixed.
func TestRunEvents(t *testing.T) {
	for name, s := range scenes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, s.play(t).String())
		})
	}
}

func TestGoldenFilesHaveScenes(t *testing.T) {
	files, err := filepath.Glob("testdata/events/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	known := scenes()
	for _, file := range files {
		if _, ok := known[strings.TrimSuffix(filepath.Base(file), ".txt")]; !ok {
			t.Errorf("%s belongs to no scene", file)
		}
	}
}

func TestRunRefusesPlansThatAreNoGraph(t *testing.T) {
	cases := map[string]struct{ plan, want string }{
		"unknown step": {
			"pipeline p\nstep a after=b",
			`plan cannot be run: pipeline "p": .drone.yml:2:3: step "a" depends on "b", which does not exist`,
		},
		"unknown pipeline": {
			"pipeline p after=q\nstep a",
			`plan cannot be run: pipeline "p" depends on "q", which does not exist`,
		},
		"same name": {
			"pipeline p\nstep a\nstep a",
			`plan cannot be run: pipeline "p": .drone.yml:3:3: step "a" has the name of another (.drone.yml:2:3: step "a")`,
		},
		"cycle": {
			"pipeline p\nstep z\nstep a after=z,c\nstep b after=a\nstep c after=b\nstep d after=c",
			`plan cannot be run: pipeline "p": .drone.yml:3:3: step "a" waits for itself: a → c → b → a`,
		},
		"self": {
			"pipeline p after=p\nstep a",
			`plan cannot be run: pipeline "p" waits for itself: p → p`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			summary, err := exec.Run(t.Context(), parsePlan(t, tc.plan), &fake.Engine{}, exec.Options{},
				func(e exec.Event) { t.Errorf("event: %s", show(e)) })
			if err == nil || err.Error() != tc.want || summary != nil {
				t.Errorf("error is %v, want %s", err, tc.want)
			}
		})
	}
}

var errDisk = errors.New("no space left on device")
