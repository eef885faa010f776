package viewer

import (
	"slices"
	"strings"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/report"
)

// key names a step. A pipeline is one without a step.
type key struct{ pipeline, step string }

// run is what is known of a run. It belongs to one goroutine; those who draw
// get a snapshot.
type run struct {
	plan    *exec.Plan
	summary exec.Summary
	pulls   report.Pulls
	// stopping is set when the run is being ended early.
	stopping bool
}

// apply adds an event. Output is for the logs.
func (r *run) apply(e exec.Event) {
	if _, output := e.(exec.StepOutput); output {
		return
	}
	r.pulls.Apply(e)
	r.summary.Apply(e)
}

// snapshot is a run at a moment. It is not changed once made.
type snapshot struct {
	file, event, branch, commit string
	pipelines                   []*pipelineNode
	counts                      counts
	status                      exec.Status
	started                     time.Time
	duration                    time.Duration
	over, stopping              bool
}

// counts are numbers of steps.
type counts struct{ succeeded, failed, ignored, running, waiting, skipped int }

// pipelineNode is a pipeline with its steps, in order of the plan.
type pipelineNode struct {
	exec.PipelineSummary // without Steps
	plan                 *exec.Pipeline
	steps                []*stepNode
}

// stepNode is a step. Of a step that has not begun only the plan is known.
type stepNode struct {
	exec.StepSummary
	pipeline string
	plan     *exec.Step // nil when it is known from events alone
	never    bool       // it is no part of the run
	pulling  string     // the image that it waits for, and how far that is
	// group numbers the steps that may run at the same time, from 1.
	group int
}

func (s *stepNode) key() key { return key{s.pipeline, s.Name} }

// bad reports a step whose failure counts.
func (s *stepNode) bad() bool {
	return (s.Status == exec.StatusFailure || s.Status == exec.StatusError || s.Status == exec.StatusKilled) && !s.Ignored
}

// service reports a step that is there for others.
func (s *stepNode) service() bool {
	return s.Kind == exec.KindService || s.plan != nil && s.plan.Kind == exec.KindService
}

// background reports a step whose end nobody waits for.
func (s *stepNode) background() bool { return s.service() || s.plan != nil && s.plan.Detach }

func (s *stepNode) over() bool {
	return s.Status != exec.StatusPending && s.Status != exec.StatusRunning
}

// took is how long the step has taken until now.
func (s *stepNode) took(now time.Time) time.Duration {
	switch {
	case s.over():
		return s.Duration
	case s.Started.IsZero():
		return 0
	}
	return max(0, now.Sub(s.Started))
}

func (p *pipelineNode) took(now time.Time) time.Duration {
	if p.Status == exec.StatusRunning {
		return max(0, now.Sub(p.Started))
	}
	return p.Duration
}

// dependsOn are the steps, or the pipelines, before one.
func (s *stepNode) dependsOn() []string {
	if s.plan == nil {
		return nil
	}
	return s.plan.DependsOn
}

func (p *pipelineNode) dependsOn() []string {
	if p.plan == nil {
		return nil
	}
	return p.plan.DependsOn
}

// ended is when a run that is over was.
func (r *run) ended() time.Time { return r.summary.Started.Add(r.summary.Duration) }

// snapshot copies what is to be shown.
func (r *run) snapshot() *snapshot {
	s := &snapshot{
		file: r.summary.File, event: r.summary.Event, status: r.summary.Status,
		started: r.summary.Started, duration: r.summary.Duration, stopping: r.stopping,
		over: r.summary.Status != "" && r.summary.Status != exec.StatusRunning && r.summary.Status != exec.StatusPending,
	}
	known := map[string]*exec.PipelineSummary{}
	for _, p := range r.summary.Pipelines {
		known[p.Name] = p
	}
	if r.plan != nil {
		s.file, s.event, s.branch = r.plan.File, r.plan.Event, r.plan.Branch
		for _, p := range r.plan.Pipelines {
			if s.commit == "" {
				s.commit = p.Fixed["DRONE_COMMIT_SHA"]
			}
			s.pipelines = append(s.pipelines, r.pipelineNode(p, known[p.Name], s.over))
			delete(known, p.Name)
		}
	}
	for _, p := range r.summary.Pipelines {
		if known[p.Name] != nil {
			s.pipelines = append(s.pipelines, r.pipelineNode(nil, p, s.over))
		}
	}
	for _, p := range s.pipelines {
		for _, step := range p.steps {
			s.counts.add(step)
		}
	}
	return s
}

func (c *counts) add(s *stepNode) {
	switch {
	case s.never:
	case s.Status == exec.StatusPending:
		c.waiting++
	case s.Status == exec.StatusRunning:
		c.running++
	case s.Status == exec.StatusSkipped:
		c.skipped++
	case s.Status == exec.StatusSuccess:
		c.succeeded++
	case s.Ignored:
		c.ignored++
	default:
		c.failed++
	}
}

func (r *run) pipelineNode(plan *exec.Pipeline, known *exec.PipelineSummary, over bool) *pipelineNode {
	node := &pipelineNode{plan: plan}
	if known != nil {
		node.PipelineSummary = *known
	} else {
		node.Name, node.Status = plan.Name, exec.StatusPending
		if !plan.Runs {
			node.Status, node.Reason = exec.StatusSkipped, plan.Reason
		}
	}
	if over && node.Status == exec.StatusRunning {
		node.Status, node.Duration = exec.StatusKilled, max(0, r.ended().Sub(node.Started))
	}
	node.Steps = nil
	steps := map[string]*exec.StepSummary{}
	if known != nil {
		for _, s := range known.Steps {
			steps[s.Name] = s
		}
	}
	if plan != nil {
		for _, s := range plan.Steps {
			made := r.stepNode(node, s, steps[s.Name], over)
			if over && made.Status == exec.StatusPending {
				made.never = true // such as those of a pipeline that was skipped
			}
			node.steps = append(node.steps, made)
			delete(steps, s.Name)
		}
	}
	if known != nil {
		for _, s := range known.Steps {
			if steps[s.Name] != nil {
				node.steps = append(node.steps, r.stepNode(node, nil, s, over))
			}
		}
	}
	node.group()
	return node
}

func (r *run) stepNode(p *pipelineNode, plan *exec.Step, known *exec.StepSummary, over bool) *stepNode {
	node := &stepNode{pipeline: p.Name, plan: plan}
	switch {
	case known != nil:
		node.StepSummary = *known
		node.Tail, node.Gone = nil, nil
		if s := &node.StepSummary; over && s.Status == exec.StatusRunning {
			// The program that ran it was gone before it could say more.
			s.Status, s.Error = exec.StatusKilled, "the run ended before the step did"
			s.Duration = max(0, r.ended().Sub(s.Started))
		}
	default:
		node.Name, node.Kind, node.Image, node.Status = plan.Name, plan.Kind, plan.Image, exec.StatusPending
		if plan.Policy == exec.Never || p.Status == exec.StatusSkipped {
			node.Status, node.Reason, node.never = exec.StatusSkipped, plan.Reason, true
			if p.Status == exec.StatusSkipped {
				node.Reason = p.Reason
			}
		}
	}
	if node.Status == exec.StatusRunning {
		for _, pull := range r.pulls {
			if pull.Of(p.Name, node.Image) {
				node.pulling = strings.TrimSpace(report.Visible(pull.Name()) + " " + pull.Progress())
			}
		}
	}
	return node
}

// group finds steps that stand together and wait for the same ones, so that
// they run at the same time.
func (p *pipelineNode) group() {
	number := 0
	for i := 0; i < len(p.steps); {
		n := i + 1
		for n < len(p.steps) && beside(p.steps[i], p.steps[n]) {
			n++
		}
		if n > i+1 {
			number++
			for _, s := range p.steps[i:n] {
				s.group = number
			}
		}
		i = n
	}
}

func beside(a, b *stepNode) bool {
	return a.plan != nil && b.plan != nil && !a.never && !b.never &&
		a.plan.Kind != exec.KindService && b.plan.Kind != exec.KindService && slices.Equal(a.plan.DependsOn, b.plan.DependsOn)
}

// find gives a step, or nil.
func (s *snapshot) find(k key) *stepNode {
	for _, p := range s.pipelines {
		if p.Name != k.pipeline {
			continue
		}
		for _, step := range p.steps {
			if step.Name == k.step {
				return step
			}
		}
	}
	return nil
}

func (s *snapshot) findPipeline(name string) *pipelineNode {
	for _, p := range s.pipelines {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// worthLooking is the step that somebody would look at who does nothing: the
// first that failed, else the one that began last of those that run.
func (s *snapshot) worthLooking() (key, bool) {
	var running *stepNode
	for _, p := range s.pipelines {
		for _, step := range p.steps {
			if step.bad() && (step.Status != exec.StatusKilled || step.TimedOut) {
				return step.key(), true
			}
			if step.Status == exec.StatusRunning && step.Kind != exec.KindService &&
				(running == nil || step.Started.After(running.Started)) {
				running = step
			}
		}
	}
	if running != nil {
		return running.key(), true
	}
	return key{}, false
}
