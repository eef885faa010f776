package exec

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// step is the state of one step.
type step struct {
	*Step
	index      int
	shownImage string // that of the plan, see Step.ImageSecret
	status     Status // empty before its turn
	background bool   // nobody waits for its end
	launched   bool   // running as far as is known; of steps that are waited for only with a lookahead
	frozen     bool   // an always-step after exit code 78
	abandoned  bool   // the engine did not end it; what comes is too late

	// ctx is that of the step, once it has started; cancel ends it alone.
	ctx    context.Context
	cancel context.CancelCauseFunc
	// unprepare undoes its preparation, or is nil. It does nothing once the
	// step has started.
	unprepare func()
	limit     *time.Timer // when it exceeds Options.StepTimeout, or nil
	overdue   *time.Timer // when the engine has had time enough to end it alone
	started   time.Time
	phase     Phase // since when it is in which, and those before
	since     time.Time
	spent     []Spent
	result    result
}

// start gives a step its turn. It runs in a job.
func (p *pipeline) start(s *step) {
	s.status, s.started = StatusRunning, p.r.opts.Now()
	s.phase, s.since = PhaseStart, s.started
	s.frozen = p.condition.ended != ""
	p.r.tell(StepStarted{
		At: At{s.started}, Pipeline: p.plan.Name, Step: s.Name, Kind: s.Kind, Image: s.shownImage,
	})
	if s.background {
		p.background++
	} else {
		p.live++
	}
	s.ctx, s.cancel = context.WithCancelCause(p.ctx)
	if limit := p.r.opts.StepTimeout; limit > 0 && !s.background {
		cause := &TimeoutError{Limit: LimitStep, After: limit}
		s.limit = time.AfterFunc(limit, func() { p.exceed(s, cause) })
	}
	p.ahead.turn(s)
	p.ahead.starts(s)
	p.r.jobs++
	m := p.moment(s.started)
	p.r.work.Go(func() { p.stepJob(s, m) })
}

// enter ends the phase that a step is in and begins another.
func (s *step) enter(next Phase, now time.Time) {
	took := now.Sub(s.since)
	i := slices.IndexFunc(s.spent, func(t Spent) bool { return t.Phase == s.phase })
	if i < 0 {
		s.spent = append(s.spent, Spent{Phase: s.phase})
		i = len(s.spent) - 1
	}
	s.spent[i].Duration += took
	s.phase, s.since = next, now
}

func (p *pipeline) skipStep(s *step, reason string) {
	s.status = StatusSkipped
	p.ahead.turn(s)
	s.leave()
	p.r.tell(StepSkipped{
		At: p.r.at(), Pipeline: p.plan.Name, Step: s.Name, Kind: s.Kind, Image: s.shownImage, Reason: reason,
	})
}

// launched says that the process of a step runs.
type launched struct {
	p *pipeline
	s *step
}

func (m launched) apply(*runner) {
	if m.s.status != StatusRunning || m.s.launched {
		return
	}
	m.s.launched = true
	m.p.ahead.launched(m.s)
	if m.s.background {
		m.p.complete(m.s)
	}
	m.p.advance()
}

// output is lines of a step.
type output struct {
	p     *pipeline
	s     *step
	batch []stretch
}

func (m output) apply(r *runner) {
	if m.s.abandoned {
		return
	}
	at := r.at()
	for _, some := range m.batch {
		some.each(func(l line) {
			r.tell(StepOutput{
				At: at, Pipeline: m.p.plan.Name, Step: m.s.Name,
				Line: l.number, Text: l.text, Partial: l.partial,
			})
		})
	}
}

// noticed is a notice of a session, or of a step.
type noticed struct {
	p      *pipeline
	s      *step
	notice Notice
}

func (m noticed) apply(r *runner) {
	if m.notice.Warning != "" {
		m.p.warn(m.s, m.notice.Warning)
	}
	if m.notice.Phase != "" && m.s != nil && m.s.status == StatusRunning {
		m.s.enter(m.notice.Phase, r.opts.Now())
	}
	if m.notice.Phase == PhaseRemove && m.s == nil && m.p.closing != nil && !m.p.removing {
		m.p.removing = true
		r.removing++
	}
	if m.notice.Pull != nil {
		e := *m.notice.Pull
		e.At, e.Pipeline, e.Image = r.at(), m.p.plan.Name, m.p.text(e.Image)
		r.tell(e)
	}
}

// ended is the end of a step.
type ended struct {
	p     *pipeline
	s     *step
	exit  Exit
	err   error
	cause error // why its context had ended, if it had
}

func (m ended) apply(r *runner) {
	p, s := m.p, m.s
	if s.abandoned {
		return
	}
	r.jobs--
	r.defect(m.err)
	if s.background && errors.Is(m.cause, ErrOver) {
		// Ended by us, and how it takes that says nothing.
		p.finish(s, result{status: StatusSuccess, cancelled: true})
		return
	}
	res := s.judge(m.exit, m.err, m.cause)
	res.message, res.hint = p.text(res.message), p.text(res.hint)
	if res.cancelled {
		p.warnUnlessCause(m.err, s)
	} else if m.err != nil {
		r.lost(m.err, res.message)
	}
	p.finish(s, res)
	p.advance()
}

// finish tells the end of a step and draws the consequences.
func (p *pipeline) finish(s *step, res result) {
	s.status, s.result = res.status, res
	s.cancel(nil)
	s.leave()
	p.ahead.launched(s)
	for _, timer := range []*time.Timer{s.limit, s.overdue} {
		if timer != nil {
			timer.Stop()
		}
	}
	now := p.r.opts.Now()
	s.enter("", now)
	e := StepFinished{
		At: At{now}, Pipeline: p.plan.Name, Step: s.Name, Kind: s.Kind, Image: s.shownImage,
		Status: res.status, ExitCode: res.code, OOMKilled: res.oom, Ignored: res.ignored && res.status.bad(),
		TimedOut: res.timedOut, Background: s.background && !res.cancelled,
		Duration: now.Sub(s.started), Spent: s.spent,
		Error: res.message, Hint: res.hint, Phase: res.phase,
	}
	if res.status == StatusError {
		e.Position = s.Position
		if s.ImagePosition != "" && (res.phase == PhasePull || res.phase == PhaseCreate) {
			e.Position = s.ImagePosition
		}
	}
	p.r.tell(e)
	if res.counts() {
		p.fail(s, res)
	}
	if s.background {
		p.finishBackground(s, res)
	} else {
		p.finishLive(s, res)
	}
}

// finishLive is for steps the pipeline waits for.
func (p *pipeline) finishLive(s *step, res result) {
	p.live--
	p.complete(s)
	if s.frozen {
		return
	}
	if res.status == StatusSuccess && res.code == codeSkipRest && p.condition.ended == "" {
		p.condition.ended = fmt.Sprintf("step %s ended the pipeline with exit code %d", s.Name, codeSkipRest)
	}
	byHand := res.status == StatusKilled && errors.Is(context.Cause(s.ctx), ErrCancelled)
	fast := s.Failure == FailureFast && (res.status == StatusFailure || res.timedOut || byHand || res.code == codeSkipRest)
	if fast && p.stage == stageRunning {
		p.stop(&fastError{s.Name, res})
	}
}

// finishBackground is for services and detached steps. Their failure does not
// count, but whoever wonders why the others fail must see it.
func (p *pipeline) finishBackground(s *step, res result) {
	p.background--
	if !s.launched {
		p.complete(s)
	}
	if p.stage == stageRunning && p.condition.cut == "" {
		switch res.status {
		case StatusError:
			p.warn(s, fmt.Sprintf("the %s could not be run: %s", s.what(), res.message))
		case StatusFailure:
			text := fmt.Sprintf("the %s ended with exit code %d while other steps ran", s.what(), res.code)
			if res.message != "" {
				text += ": " + res.message
			}
			p.warn(s, text)
		}
	}
	if p.stage == stageEnding && p.background == 0 {
		p.endBackground()
	}
}

// what names a background step for people.
func (s *step) what() string {
	if s.Kind == KindService {
		return "service"
	}
	return "detached step"
}
