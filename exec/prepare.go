package exec

import "context"

// ahead knows which steps of a pipeline come next. A nil one does nothing.
type ahead struct {
	session Preparer
	// graph is that of the pipeline, in which a step is done as soon as it
	// need not be prepared any more: it has had its turn, or is prepared.
	graph    *graph
	passed   []bool
	next     []int          // steps that only wait for steps that are done in graph
	prepared int            // steps that are prepared and have not had their turn
	starting map[*step]bool // steps that have had their turn and do not run yet
}

// lookAhead begins to prepare steps, if that is wanted and can be done. It is
// called before any step is done.
func (p *pipeline) lookAhead() {
	session, ok := p.session.(Preparer)
	if !ok || p.r.opts.Lookahead <= 0 {
		return
	}
	p.ahead = &ahead{session: session, graph: p.graph.clone(), passed: make([]bool, len(p.steps)), starting: map[*step]bool{}}
}

// pass says that a step need not be prepared any more.
func (a *ahead) pass(s *step) {
	if a.passed[s.index] {
		return
	}
	a.passed[s.index] = true
	a.next = append(a.next, a.graph.done(s.index)...)
}

// turn says that a step has its turn, or never will.
func (a *ahead) turn(s *step) {
	if a == nil {
		return
	}
	a.pass(s)
	if s.unprepare != nil {
		a.prepared--
	}
}

// starts says that a step is being started. Nothing is prepared meanwhile: it
// would take the machine from what the user waits for.
func (a *ahead) starts(s *step) {
	if a != nil {
		a.starting[s] = true
	}
}

// launched says that a step runs, or has ended.
func (a *ahead) launched(s *step) {
	if a != nil {
		delete(a.starting, s)
	}
}

// prepareNext prepares the steps that will probably run next, as many as there
// is room for: those that would run if everything that runs now succeeded.
func (p *pipeline) prepareNext() {
	a := p.ahead
	if a == nil || p.stage != stageRunning || p.condition.cut != "" || len(a.starting) > 0 {
		return
	}
	for len(a.next) > 0 && a.prepared < p.r.opts.Lookahead {
		s := p.steps[a.next[0]]
		a.next = a.next[1:]
		a.pass(s)
		if s.status != "" {
			continue
		}
		if runs, _ := decide(s.Policy, p.condition); runs {
			p.prepare(s)
		}
	}
}

// prepare has the engine begin to prepare a step.
func (p *pipeline) prepare(s *step) {
	a := p.ahead
	a.prepared++
	ctx, cancel := context.WithCancel(p.ctx)
	s.unprepare = cancel
	m := p.moment(p.r.opts.Now())
	p.r.defect(guard(func() error {
		a.session.Prepare(ctx, s.Step, p.environ(s, m))
		return nil
	}))
}

// leave undoes the preparation of a step that has not started.
func (s *step) leave() {
	if s.unprepare != nil {
		s.unprepare()
	}
}
