package exec_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/fake"
)

// TestRandomPlans runs plans of all shapes, with steps that end in every way
// and runs that are cancelled anywhere, and checks what must hold for each.
func TestRandomPlans(t *testing.T) {
	for seed := range uint64(400) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			plan, scripts := randomPlan(random)
			stop := -1
			if random.IntN(3) == 0 {
				stop = random.IntN(30)
			}
			s := scene{
				plan: plan, engine: &fake.Engine{Scripts: scripts},
				opts: exec.Options{Parallel: random.IntN(4)},
				during: func(_ exec.Event, cancel context.CancelCauseFunc) {
					if stop--; stop == 0 {
						cancel(errors.New("interrupted"))
					}
				},
			}
			out := s.play(t)
			checkOrder(t, parsePlan(t, plan), out.events)
			checkStatus(t, out)
			if t.Failed() {
				t.Logf("plan:\n%s\nevents:\n%v", plan, out)
			}
		})
	}
}

// randomPlan makes a plan for parsePlan and scripts for its steps.
func randomPlan(random *rand.Rand) (string, map[string]fake.Script) {
	pick := func(words ...string) string { return words[random.IntN(len(words))] }
	after := func(prefix string, n int) string {
		var names []string
		for i := range n {
			if random.IntN(n) < 2 {
				names = append(names, fmt.Sprint(prefix, i))
			}
		}
		if len(names) == 0 || random.IntN(4) == 0 {
			return ""
		}
		return " after=" + strings.Join(names, ",")
	}
	var plan strings.Builder
	scripts := make(map[string]fake.Script)
	for p := range 1 + random.IntN(4) {
		fmt.Fprintf(&plan, "pipeline p%d%s %s\n", p, after("p", p), pick("", "", "on_failure", "always", "out"))
		for i := range random.IntN(9) {
			kind := pick("step", "step", "step", "service")
			fmt.Fprintf(&plan, "%s s%d%s %s %s %s\n", kind, i, after("s", i),
				pick("", "", "on_failure", "always", "never"), pick("", "", "ignore", "fast"), pick("", "", "", "detach"))
			script := fake.Script{Output: []string{"some\nout", "put"}}
			switch random.IntN(8) {
			case 0:
				script.Exit.Code = 1
			case 1:
				script.Exit.Code = 78
			case 2:
				script.FailStart = errors.New("cannot be started")
			case 3:
				script.Exit.OOMKilled = true
			case 4:
				script.Do = func(context.Context, *exec.Step, exec.IO) error { panic("ouch") }
			}
			scripts[fmt.Sprintf("p%d/s%d", p, i)] = script
		}
	}
	return strings.TrimSpace(plan.String()), scripts
}

// checkOrder checks that nothing starts before what it waits for is over, or
// under way for those in the background.
func checkOrder(t *testing.T, plan *exec.Plan, events []exec.Event) {
	t.Helper()
	begun, over := make(map[string]bool), make(map[string]bool)
	background, waits := make(map[string]bool), make(map[string][]string)
	for _, p := range plan.Pipelines {
		waits[p.Name] = append(waits[p.Name], p.DependsOn...)
		over[p.Name] = !p.Runs
		for _, s := range p.Steps {
			name := p.Name + "/" + s.Name
			background[name] = s.Detach || s.Kind == exec.KindService
			for _, d := range s.DependsOn {
				waits[name] = append(waits[name], p.Name+"/"+d)
			}
			over[name] = s.Policy == exec.Never
		}
	}
	for _, e := range events {
		switch e := e.(type) {
		case exec.PipelineStarted:
			begun[e.Pipeline] = true
			mustWait(t, e.Pipeline, waits, begun, over, background)
		case exec.StepStarted:
			name := e.Pipeline + "/" + e.Step
			begun[name] = true
			if !begun[e.Pipeline] || over[e.Pipeline] {
				t.Errorf("%s started outside of its pipeline", name)
			}
			mustWait(t, name, waits, begun, over, background)
		case exec.StepFinished:
			over[e.Pipeline+"/"+e.Step] = true
		case exec.StepSkipped:
			over[e.Pipeline+"/"+e.Step] = true
		case exec.PipelineFinished:
			over[e.Pipeline] = true
		case exec.PipelineSkipped:
			over[e.Pipeline] = true
		}
	}
}

func mustWait(t *testing.T, name string, waits map[string][]string, begun, over, background map[string]bool) {
	t.Helper()
	for _, d := range waits[name] {
		if !over[d] && (!background[d] || !begun[d]) {
			t.Errorf("%s started before %s was over", name, d)
		}
	}
}

// checkStatus derives the statuses from those of the steps in another way than
// the scheduler does.
func checkStatus(t *testing.T, out outcome) {
	t.Helper()
	bad := false
	for _, p := range out.summary.Pipelines {
		failed := len(p.Failed()) > 0
		switch p.Status {
		case exec.StatusSuccess:
			if failed {
				t.Errorf("pipeline %s succeeded although a step failed", p.Name)
			}
		case exec.StatusFailure, exec.StatusError:
			bad = true
			if !failed {
				t.Errorf("pipeline %s is %s although no step failed", p.Name, p.Status)
			}
		case exec.StatusKilled:
			bad = true
			if p.Reason == "" {
				t.Errorf("pipeline %s was killed for no reason", p.Name)
			}
		case exec.StatusSkipped:
		default:
			t.Errorf("pipeline %s ended with status %q", p.Name, p.Status)
		}
	}
	if bad && out.summary.Status == exec.StatusSuccess {
		t.Error("the run succeeded although a pipeline did not")
	}
	if !bad && out.summary.Status != exec.StatusSuccess && out.summary.Status != exec.StatusKilled {
		t.Errorf("the run is %s although every pipeline is fine", out.summary.Status)
	}
}
