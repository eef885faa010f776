package exec

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// pipeline is the state of one pipeline of a run. It belongs to the runner's
// goroutine; jobs read plan, values, mask and ctx, which do not change while
// they run.
type pipeline struct {
	r      *runner
	index  int
	plan   *Pipeline
	values map[string]string // of its secrets
	mask   *masker
	weak   []string // secrets that mask does not mask
	steps  []*step
	graph  *graph

	stage   stage
	ctx     context.Context // of every step; ended by cancel
	cancel  context.CancelCauseFunc
	session Session
	started time.Time
	setup   time.Duration
	first   bool     // of the run, when it started
	before  []string // pipelines that had failed when it started

	queue      []int // steps whose dependencies are done
	closed     bool  // the session is being closed, or was
	ahead      *ahead
	live       int // running steps that the pipeline waits for
	background int // running services and detached steps
	condition  condition
	failed     []int // steps that failed and count, in order of the list

	interrupted bool        // the run ended before the pipeline was over
	overdue     *time.Timer // when the engine has had time enough to end steps
	closing     *time.Timer // the same for close, nil when none is awaited
	removing    bool        // close does nothing any more but remove
	endClosing  func()      // ends the context of close
	status      Status      // once it is over
	reason      string
	hint        string
}

// stage is the part of its life a pipeline is in.
type stage int

const (
	stageWaiting stage = iota
	stageOpening
	stageRunning
	stageEnding // every step is over but those in the background
	stageOver
)

// ErrOver is the cause that ends services and detached steps when the other
// steps of their pipeline are over.
var ErrOver = errors.New("the other steps of the pipeline are over")

func newPipeline(r *runner, index int, plan *Pipeline) (*pipeline, error) {
	p := &pipeline{r: r, index: index, plan: plan, condition: condition{none: "no step has failed"}}
	if !plan.Runs {
		return p, nil // what is wrong inside it hurts nobody
	}
	dependencies, err := connect(stepVertices(plan))
	if err != nil {
		return nil, err
	}
	p.graph = newGraph(dependencies)
	p.values = secretValues(plan, r.made, r.opts.Secret)
	p.mask, p.weak = newMasker(p.values)
	p.plan = withImages(plan, p.values)
	for i, s := range p.plan.Steps {
		background := s.Detach || s.Kind == KindService
		p.steps = append(p.steps, &step{Step: s, index: i, background: background, shownImage: plan.Steps[i].Image})
	}
	return p, nil
}

// skip says that the pipeline does not run.
func (p *pipeline) skip(reason string) {
	p.stage, p.status = stageOver, StatusSkipped
	p.r.tell(PipelineSkipped{At: p.r.at(), Pipeline: p.plan.Name, Reason: reason})
}

// open sets the pipeline up, in a job.
func (p *pipeline) open() {
	r := p.r
	p.stage, p.started = stageOpening, r.opts.Now()
	p.first, p.before = !r.begun, r.failed()
	r.begun = true
	r.active++
	r.tell(PipelineStarted{At: At{p.started}, Pipeline: p.plan.Name})
	p.ctx, p.cancel = context.WithCancelCause(r.ctx)
	r.jobs++
	r.work.Go(p.openJob)
}

// opened is the answer of openJob.
type opened struct {
	p       *pipeline
	session Session
	err     error
}

func (m opened) apply(r *runner) {
	p := m.p
	if p.stage == stageOver {
		// It was given up, and comes after all: nothing may stay behind.
		if m.err == nil {
			p.session = m.session
			p.close()
		}
		return
	}
	r.jobs--
	if m.err != nil {
		r.defect(m.err)
		p.notOpened(m.err)
		return
	}
	p.session, p.stage = m.session, stageRunning
	p.setup = r.opts.Now().Sub(p.started)
	p.lookAhead()
	p.queue = p.graph.ready()
	if p.condition.cut != "" {
		p.skipPending()
	}
	p.advance()
}

// notOpened ends a pipeline that could not be set up.
func (p *pipeline) notOpened(err error) {
	text := p.text(err.Error())
	if p.interrupted {
		p.status, p.reason = StatusKilled, p.condition.cut
		p.warnUnlessCause(err, nil)
	} else {
		_, hint := details(err, PhaseOpen)
		p.status, p.reason, p.hint = StatusError, text, p.text(hint)
		p.condition.cut = "the pipeline could not be set up"
		p.r.lost(err, text)
	}
	p.skipPending()
	p.over()
}

// advance starts and skips every step whose turn has come, and ends the
// pipeline when none is left to come.
func (p *pipeline) advance() {
	if p.stage != stageRunning {
		return
	}
	for len(p.queue) > 0 {
		// Whoever is told of an event may have ended the run.
		if p.r.heed(); p.condition.cut != "" {
			break
		}
		s := p.steps[p.queue[0]]
		p.queue = p.queue[1:]
		if s.Policy == Never {
			p.complete(s)
		} else if runs, reason := decide(s.Policy, p.condition); runs {
			p.start(s)
		} else {
			p.skipStep(s, reason)
			p.complete(s)
		}
	}
	if p.live == 0 && (p.graph.left == 0 || p.condition.cut != "") {
		p.end()
		return
	}
	p.prepareNext()
}

// complete says that s is done as far as the steps after it are concerned.
func (p *pipeline) complete(s *step) {
	p.queue = append(p.queue, p.graph.done(s.index)...)
}

// interrupt ends the pipeline because the run ends.
func (p *pipeline) interrupt(cause error) {
	if p.stage == stageOpening || p.stage == stageRunning {
		p.interrupted = true
		p.stop(cause)
	}
}

// stop ends the pipeline before its time: running steps are killed, the others
// never start.
func (p *pipeline) stop(cause error) {
	if p.condition.cut != "" {
		return
	}
	p.condition.cut = causeText(cause)
	p.cancel(cause)
	p.skipPending()
	p.bound()
}

// skipPending skips every step that has not had its turn.
func (p *pipeline) skipPending() {
	p.queue = nil
	for _, s := range p.steps {
		if s.status == "" && s.Policy != Never {
			p.skipStep(s, p.condition.cut)
		}
	}
}

// end is called when no step is left that the pipeline waits for. Services
// that were told to end together with the steps, since the run ends, have the
// time for it that the steps had; at the end of their work they need none.
func (p *pipeline) end() {
	p.stage = stageEnding
	p.status, p.reason, p.hint = p.outcome()
	if p.background > 0 && p.interrupted {
		return // stop has bounded it
	}
	p.cancel(ErrOver)
	p.close()
	if p.background > 0 {
		p.bound()
		return
	}
	p.over()
}

// endBackground is called when the last step in the background is over, after
// all others.
func (p *pipeline) endBackground() {
	if !p.closed {
		p.close()
	}
	p.over()
}

// outcome is the status of a pipeline: killed when the run ended it, else that
// of its first bad step in the order of the list (reference §6.5).
func (p *pipeline) outcome() (status Status, reason, hint string) {
	if p.interrupted {
		return StatusKilled, p.condition.cut, ""
	}
	if len(p.failed) == 0 {
		return StatusSuccess, "", ""
	}
	s := p.steps[p.failed[0]]
	switch s.result.status {
	case StatusError:
		return StatusError, fmt.Sprintf("step %s could not be run: %s", s.Name, s.result.message), s.result.hint
	case StatusKilled:
		if s.result.timedOut {
			return StatusKilled, fmt.Sprintf("step %s was %s", s.Name, s.result.message), ""
		}
		return StatusKilled, fmt.Sprintf("step %s was killed: %s", s.Name, s.result.message), ""
	default:
		return StatusFailure, "", ""
	}
}

// over tells how the pipeline ended, and makes room for others.
func (p *pipeline) over() {
	if p.overdue != nil {
		p.overdue.Stop()
	}
	p.cancel(ErrOver)
	p.stage = stageOver
	now := p.r.opts.Now()
	p.r.lastOver = now
	p.r.tell(PipelineFinished{
		At: At{now}, Pipeline: p.plan.Name, Status: p.status, Reason: p.reason, Hint: p.hint,
		Duration: now.Sub(p.started), Setup: p.setup,
	})
	p.r.active--
	p.r.settle(p)
}

// bound gives the engine the time of a cleanup to end what runs, from now on.
func (p *pipeline) bound() {
	if p.overdue != nil {
		p.overdue.Stop()
	}
	p.overdue = time.AfterFunc(p.r.cleanup(), func() { p.r.post(overdue{p}) })
}

// hurry shortens what bounds the end of the pipeline.
func (p *pipeline) hurry() {
	if p.overdue != nil && p.overdue.Stop() {
		p.bound()
	}
	for _, s := range p.steps {
		if s.overdue != nil && s.status == StatusRunning {
			s.overdue.Reset(p.r.cleanup())
		}
	}
	if p.closing != nil && p.closing.Stop() {
		time.AfterFunc(p.r.cleanup(), p.endClosing)
		p.closing.Reset(2 * p.r.cleanup())
	}
}

// overdue says that the engine was given time enough.
type overdue struct{ p *pipeline }

func (m overdue) apply(r *runner) {
	p := m.p
	switch p.stage {
	case stageOpening:
		r.jobs--
		p.notOpened(fmt.Errorf("the engine did not stop setting the pipeline up within %v", r.cleanup()))
	case stageRunning, stageEnding:
		for _, s := range p.steps {
			if s.status == StatusRunning {
				p.abandon(s)
			}
		}
		p.advance()
	}
}

// abandon gives up a step that the engine does not end. In a hurry it had little
// time for that, and is not to blame: what it has not removed either is told at the
// end.
func (p *pipeline) abandon(s *step) {
	s.abandoned = true
	p.r.jobs--
	silence := fmt.Errorf("the engine did not end the step within %v", p.r.cleanup())
	if cause := context.Cause(s.ctx); p.r.hurried() && cause != nil {
		p.finish(s, s.judge(Exit{}, silence, cause))
		return
	}
	p.finish(s, result{
		status: StatusError, code: codeError, ignored: s.background || s.frozen, phase: PhaseRun,
		message:  silence.Error(),
		timedOut: !s.background && timedOut(context.Cause(s.ctx)),
	})
}

// close removes what open made, in a job. The run waits for its end, the
// pipelines that come next do not. An engine that ignores the end of its
// context is left behind.
func (p *pipeline) close() {
	p.closed = true
	ctx, cancel := p.cleanupContext()
	p.endClosing = cancel
	late := func() {
		p.r.post(closed{p, fmt.Errorf("the engine did not come back within %v", 2*p.r.cleanup())})
	}
	p.r.jobs++
	p.closing = time.AfterFunc(2*p.r.cleanup(), late)
	p.r.work.Go(func() { p.closeJob(ctx, p.session) })
}

// closed is the answer of closeJob, or says that there is none.
type closed struct {
	p   *pipeline
	err error
}

func (m closed) apply(r *runner) {
	if m.p.closing == nil {
		return
	}
	m.p.closing.Stop()
	m.p.endClosing()
	m.p.closing = nil
	r.jobs--
	if m.p.removing {
		r.removing--
	}
	if m.err != nil {
		r.defect(m.err)
		w := m.p.warning(nil, "not everything was removed: "+m.err.Error())
		w.Left = true
		r.tell(w)
	}
}

// moment is what a step that starts now can know.
func (p *pipeline) moment(now time.Time) moment {
	m := moment{
		now: now, runStarted: p.r.started, stageStarted: p.started,
		first: p.first, failedStages: p.before,
	}
	for _, i := range p.failed {
		m.failedSteps = append(m.failedSteps, p.steps[i].Name)
	}
	if len(p.failed) > 0 {
		m.failed = p.steps[p.failed[0]].result.status
	}
	return m
}

// fail notes that a step failed and counts.
func (p *pipeline) fail(s *step, r result) {
	if p.condition.failed == "" {
		p.condition.failed = failedText(s.Name, r)
	}
	at, _ := slices.BinarySearch(p.failed, s.index)
	p.failed = slices.Insert(p.failed, at, s.index)
}

// text masks a text that comes from the engine.
func (p *pipeline) text(s string) string { return p.mask.maskString(s) }

func (p *pipeline) warn(s *step, message string) { p.r.tell(p.warning(s, message)) }

func (p *pipeline) warning(s *step, message string) Warning {
	w := Warning{At: p.r.at(), Pipeline: p.plan.Name, Message: p.text(message)}
	if s != nil {
		w.Step = s.Name
	}
	return w
}

// warnUnlessCause tells an error that came while p or s was being ended, when
// it says more than that.
func (p *pipeline) warnUnlessCause(err error, s *step) {
	ctx := p.ctx
	if s != nil {
		ctx = s.ctx
	}
	for _, known := range []error{context.Cause(ctx), context.Canceled, context.DeadlineExceeded} {
		if err == nil || errors.Is(err, known) {
			return
		}
	}
	p.warn(s, "while it was being ended: "+err.Error())
}
