package exec

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// runner owns the state of a run. Everything in it and in what it points to is
// read and written by the goroutine of Run alone. Whatever takes time (opening
// a session, a step, closing) is a job in a goroutine of its own, that is
// given copies or read-only values and answers with messages.
type runner struct {
	ctx     context.Context
	cancel  context.CancelCauseFunc // of ctx, for a defect of the program
	plan    *Plan
	made    made // of plan
	engine  Engine
	opts    Options
	emit    func(Event)
	summary *Summary

	inbox chan message
	// done is closed at the end, so no job left behind blocks for ever. over
	// is set after that: from then on no message is accepted. It is guarded
	// by door.
	done chan struct{}
	door sync.RWMutex
	over bool
	jobs int // whose last message is awaited
	// removing counts those of jobs that do nothing any more but remove.
	removing  int
	inherited chan struct{} // closed when the heir does that
	asked     bool          // the heir was

	// work counts the goroutines of jobs, removals those that close sessions
	// nobody waits for any more.
	work, removals sync.WaitGroup

	started   time.Time
	lastOver  time.Time // when the last pipeline so far was over
	pipelines []*pipeline
	graph     *graph
	waiting   []int // pipelines whose dependencies are done, in order
	active    int   // pipelines that hold one of opts.Parallel places
	begun     bool  // some pipeline has been started
	// cut is why no other pipeline starts, or empty: ctx ended, or the engine
	// is gone.
	cut         string
	interrupted bool  // ctx ended
	unreachable error // the engine is gone; what Run returns
	broken      error // something panicked; what Run returns
	deaf        bool  // emit has panicked
}

// message is what a job has to tell. apply is called by the owner.
type message interface{ apply(r *runner) }

// inboxLen is how many messages may wait. A batch of output counts as one.
const inboxLen = 64

func newRunner(ctx context.Context, plan *Plan, engine Engine, opts Options, emit func(Event)) (*runner, error) {
	r := &runner{
		plan: plan, engine: engine, opts: opts, emit: emit,
		summary: &Summary{}, inbox: make(chan message, inboxLen), done: make(chan struct{}), inherited: make(chan struct{}),
	}
	r.ctx, r.cancel = context.WithCancelCause(ctx)
	r.made = plan.made()
	vertices := make([]vertex, len(plan.Pipelines))
	for i, p := range plan.Pipelines {
		vertices[i] = vertex{kind: "pipeline", name: p.Name, position: p.Position, dependsOn: p.DependsOn}
		made, err := newPipeline(r, i, p)
		if err != nil {
			r.cancel(nil)
			return nil, err
		}
		r.pipelines = append(r.pipelines, made)
	}
	dependencies, err := connect(vertices)
	if err != nil {
		r.cancel(nil)
		return nil, err
	}
	r.graph = newGraph(dependencies)
	return r, nil
}

// run is the life of the owner.
func (r *runner) run() (*Summary, error) {
	defer r.shut()
	if err := Guard(r.live); err != nil {
		r.defect(err)
		r.rescue()
	}
	if r.broken != nil {
		return r.summary, r.broken
	}
	return r.summary, r.unreachable
}

// live applies messages until nothing is left to come.
func (r *runner) live() error {
	r.begin()
	interrupted, hurry, cancel := r.ctx.Done(), r.opts.Hurry, r.opts.Cancel
	for {
		r.advance()
		if r.jobs == 0 {
			break
		}
		r.bequeath()
		select {
		case m := <-r.inbox:
			r.heed()
			m.apply(r)
		case <-interrupted:
			interrupted = nil
			r.heed()
		case <-hurry:
			hurry = nil
			r.hurry()
		case name, open := <-cancel:
			if !open {
				cancel = nil
			}
			r.cancelStep(name)
		}
	}
	now := r.opts.Now()
	over := RunFinished{At: At{now}, Status: r.status(), Duration: now.Sub(r.started), Unreachable: r.unreachable != nil, Broken: r.broken != nil}
	if r.begun {
		over.Cleanup = now.Sub(r.lastOver)
	}
	r.tell(over)
	return nil
}

// bequeath leaves the rest to the heir, when it is nothing but removal. After
// anything but an ordinary end the run sees to that itself.
func (r *runner) bequeath() {
	if r.jobs != r.removing || r.asked || r.opts.Heir == nil {
		return
	}
	if r.heed(); r.interrupted || r.broken != nil || r.unreachable != nil {
		return
	}
	r.asked = true
	if r.opts.Heir() {
		close(r.inherited)
	}
}

// hurry gives everything that is being ended less time than it had. Engines
// hear of it themselves.
func (r *runner) hurry() {
	for _, p := range r.pipelines {
		p.hurry()
	}
}

// cancelStep ends one step.
func (r *runner) cancelStep(name StepName) {
	for _, p := range r.pipelines {
		for _, s := range p.steps {
			if p.plan.Name == name.Pipeline && s.Name == name.Step && s.status == StatusRunning {
				s.cancel(ErrCancelled)
				exceeded{p, s, ErrCancelled}.apply(r)
			}
		}
	}
}

// cleanup is how long an engine may take to end or remove something. Jobs may
// call it, too.
func (r *runner) cleanup() time.Duration {
	if r.hurried() {
		return min(r.opts.Cleanup, r.opts.Haste)
	}
	return r.opts.Cleanup
}

// hurried reports whether there is no time left.
func (r *runner) hurried() bool {
	select {
	case <-r.opts.Hurry:
		return true
	default:
		return false
	}
}

func (r *runner) begin() {
	r.started = r.opts.Now()
	var names []string
	for _, p := range r.plan.Pipelines {
		if p.Runs {
			names = append(names, p.Name)
		}
	}
	r.tell(RunStarted{
		At: At{r.started}, Run: r.opts.Run, Event: r.plan.Event, File: r.plan.File, Pipelines: names,
	})
	r.warnWeak()
	for _, p := range r.pipelines {
		if !p.plan.Runs {
			p.skip(p.plan.Reason)
		}
	}
	r.waiting = r.graph.ready()
}

// warnWeak names each secret that is too short to be masked, once.
func (r *runner) warnWeak() {
	warned := make(map[string]bool)
	for _, p := range r.pipelines {
		for _, name := range p.weak {
			if warned[name] {
				continue
			}
			warned[name] = true
			r.tell(Warning{At: r.at(), Pipeline: p.plan.Name, Message: fmt.Sprintf(
				"secret %q is not masked in the output: its value has no line of %d characters or more", name, minSecret)})
		}
	}
}

// heed notices that the context has ended. It is called before every message
// is applied, so a step that was killed is not taken for one that failed, and
// before anything starts.
func (r *runner) heed() {
	if r.interrupted || r.ctx.Err() == nil {
		return
	}
	cause := context.Cause(r.ctx)
	r.interrupted, r.cut = true, causeText(cause)
	for _, p := range r.pipelines {
		p.interrupt(cause)
	}
}

// advance starts and skips whatever may be.
func (r *runner) advance() {
	for len(r.waiting) > 0 {
		r.heed()
		p := r.pipelines[r.waiting[0]]
		runs, reason := r.decide(p)
		if runs && r.active >= r.opts.Parallel {
			return
		}
		r.waiting = r.waiting[1:]
		switch {
		case !p.plan.Runs:
			r.settle(p)
		case runs:
			p.open()
		default:
			p.interrupted = r.interrupted
			p.skip(reason)
			r.settle(p)
		}
	}
}

// decide says whether a pipeline whose dependencies are done runs. A failure
// anywhere in the run matters to those that have dependencies (reference
// §8.4).
func (r *runner) decide(p *pipeline) (runs bool, reason string) {
	c := condition{cut: r.cut, none: "no pipeline has failed"}
	if len(p.plan.DependsOn) == 0 {
		return decide(Always, c)
	}
	if failed := r.failed(); len(failed) > 0 {
		c.failed = fmt.Sprintf("pipeline %s failed", failed[0])
	}
	return decide(p.plan.Policy, c)
}

// settle says that p is done as far as other pipelines are concerned.
func (r *runner) settle(p *pipeline) {
	r.waiting = append(r.waiting, r.graph.done(p.index)...)
	slices.Sort(r.waiting)
}

// lost takes an error that may mean that the engine cannot be used: then no
// other pipeline is tried. text is the masked text of the error.
func (r *runner) lost(err error, text string) {
	gone, ok := errors.AsType[*UnreachableError](err)
	if !ok || r.unreachable != nil {
		return
	}
	r.unreachable = err
	if text != err.Error() {
		r.unreachable = &UnreachableError{Address: gone.Address, Err: errors.New(text), Hint: gone.Hint}
	}
	if r.cut == "" {
		r.cut = "the engine cannot be used: " + text
	}
}

// failed names the pipelines that have failed, in the order of the plan.
func (r *runner) failed() []string {
	var names []string
	for _, p := range r.pipelines {
		if p.status.bad() {
			names = append(names, p.plan.Name)
		}
	}
	return names
}

// status is that of the run: killed when its context ended before it was
// over, else that of the first bad pipeline (reference §8.4).
func (r *runner) status() Status {
	for _, p := range r.pipelines {
		if p.interrupted {
			return StatusKilled
		}
	}
	for _, p := range r.pipelines {
		if p.status.bad() {
			return p.status
		}
	}
	return StatusSuccess
}

func (r *runner) at() At { return At{r.opts.Now()} }

// tell gives an event to whoever listens. When that panics, the run ends: what
// has been made must be removed before the program does.
func (r *runner) tell(e Event) {
	r.summary.Apply(e)
	if r.deaf {
		return
	}
	err := Guard(func() error {
		r.emit(e)
		return nil
	})
	if err != nil {
		r.deaf = true
		r.defect(err)
		r.cancel(err)
	}
}

// post sends a message from a job. It reports false when the run is over.
func (r *runner) post(m message) bool {
	r.door.RLock()
	defer r.door.RUnlock()
	if r.over {
		return false
	}
	select {
	case r.inbox <- m:
		return true
	case <-r.done:
		return false
	}
}

// shut turns away the jobs that were given up. A session that one of them
// opened in the last moment must not stay open unnoticed.
func (r *runner) shut() {
	close(r.done)
	r.door.Lock()
	r.over = true
	r.door.Unlock()
	for {
		select {
		case m := <-r.inbox:
			if late, ok := m.(opened); ok && late.session != nil {
				r.removals.Go(func() { late.p.removeLate(late.session) })
			}
		default:
			r.await()
			return
		}
	}
}

// await waits for removals, as long as an engine is given to end anything: it
// may not heed the end of its context.
func (r *runner) await() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.removals.Wait()
	}()
	select {
	case <-done:
	case <-time.After(2 * r.cleanup()):
	}
}
