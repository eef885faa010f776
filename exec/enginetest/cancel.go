package enginetest

import (
	"context"
	"errors"
	"time"

	"github.com/drone-laptop/drone/exec"
)

var errStop = errors.New("stopped by the suite")

func cancelCases() []testCase {
	return []testCase{
		{name: "cancel: ends a step and returns the cause", run: func(b *bench) {
			b.cancelled("echo up; sleep 600")
		}},
		{name: "cancel: ends a step that ignores TERM", run: func(b *bench) {
			b.cancelled("trap '' TERM INT HUP; echo up; while :; do sleep 1; done")
		}},
		{name: "cancel: ends what a step left in the background", run: func(b *bench) {
			b.cancelled("sleep 600 & sleep 600 & echo up; wait")
		}},
		{name: "cancel: a context that has ended runs nothing", run: func(b *bench) {
			st, after := step("only", "echo > ran"), step("after", "ls")
			s := b.open(b.pipeline(st, after))
			ctx, cancel := context.WithCancelCause(b.context())
			cancel(errStop)
			if res := s.do(ctx, st, nil); !errors.Is(res.err, errStop) {
				b.Errorf("error is %v, want the cause", res.err)
			}
			b.same("workspace", s.do(b.context(), after, nil).printed(), "")
		}},
		{name: "cancel: one step leaves the others alone", run: cancelOne},
		{name: "hurry: cuts the grace period short", run: hurryDuringGrace},
		{name: "hurry: leaves no grace period to begin with", run: hurryBefore},
		{name: "hurry: ends what runs when the session is closed", run: hurryClose},
		{name: "end: what a step left in the background does not hold it up", run: func(b *bench) {
			if res := b.once(nil, "sleep 600 & echo end"); res.Code != 0 || res.printed() != "end\n" {
				b.Errorf("exit %d, output %q, want success and end", res.Code, res.output)
			}
		}},
		{name: "parallel: two steps can wait for each other", run: func(b *bench) {
			ping := step("ping", "echo > ping", "until [ -e pong ]; do sleep 0.1; done")
			pong := step("pong", "until [ -e ping ]; do sleep 0.1; done", "echo > pong")
			s := b.open(b.pipeline(ping, pong))
			both := []*running{s.begin(b.context(), ping), s.begin(b.context(), pong)}
			for _, r := range both {
				if res := r.wait(b); res.err != nil || res.Code != 0 {
					b.Errorf("exit %d, error %v, output %q", res.Code, res.err, res.output)
				}
			}
		}},
	}
}

// cancelled runs a command that never ends by itself, and ends it.
func (b *bench) cancelled(command string) {
	b.Helper()
	st := step("only", command)
	s := b.open(b.pipeline(st))
	ctx, cancel := context.WithCancelCause(b.context())
	r := s.begin(ctx, st)
	r.untilOutput(b, "\nup\n")
	cancel(errStop)
	if res := r.wait(b); !errors.Is(res.err, errStop) {
		b.Errorf("error is %v, want the cause of the context", res.err)
	}
	s.end()
}

func cancelOne(b *bench) {
	victim := step("victim", "echo up; sleep 600")
	other := step("other", "echo up; until [ -e leave ]; do sleep 0.1; done")
	leave := step("leave", "echo > leave")
	s := b.open(b.pipeline(victim, other, leave))
	ctx, cancel := context.WithCancelCause(b.context())
	first, second := s.begin(ctx, victim), s.begin(b.context(), other)
	first.untilOutput(b, "\nup\n")
	second.untilOutput(b, "\nup\n")
	cancel(errStop)
	if res := first.wait(b); !errors.Is(res.err, errStop) {
		b.Errorf("error is %v, want the cause of the context", res.err)
	}
	s.do(b.context(), leave, nil)
	if res := second.wait(b); res.err != nil || res.Code != 0 {
		b.Errorf("other step: exit %d, error %v, output %q", res.Code, res.err, res.output)
	}
}

// hurryTime bounds what an engine does when there is no time left: it is what
// the program promises its user, doubled for machines on which tests run side
// by side, and less than any grace period a user would choose.
const hurryTime = 4 * time.Second

// stubborn ignores whatever it is asked.
const stubborn = "trap '' TERM INT HUP; echo up; while :; do sleep 0.2; done"

// hurried opens a pipeline for stubborn steps, and gives what takes away the
// time from them.
func (b *bench) hurried(steps ...*exec.Step) (*session, func()) {
	b.Helper()
	if b.cfg.Patient != nil {
		b.engine = b.cfg.Patient(b.T)
	}
	hurry := make(chan struct{})
	run := newRun()
	env := setting(run)
	env.Hurry = hurry
	return b.openWith(b.pipeline(steps...), run, env), func() { close(hurry) }
}

// within fails when it is later than allowed after begun.
func (b *bench) within(begun time.Time, allowed time.Duration) {
	b.Helper()
	if took := time.Since(begun); took > allowed {
		b.Errorf("it took %v, want at most %v", took, allowed)
	}
}

func hurryDuringGrace(b *bench) {
	first, second := step("first", stubborn), step("second", stubborn)
	s, hurry := b.hurried(first, second)
	ctx, cancel := context.WithCancelCause(b.context())
	both := []*running{s.begin(ctx, first), s.begin(ctx, second)}
	for _, r := range both {
		r.untilOutput(b, "\nup\n")
	}
	cancel(errStop)
	time.Sleep(100 * time.Millisecond) // into the grace period, if there is one
	begun := time.Now()
	hurry()
	for _, r := range both {
		if res := r.wait(b); !errors.Is(res.err, errStop) {
			b.Errorf("error is %v, want the cause of the context", res.err)
		}
	}
	s.end()
	b.within(begun, hurryTime)
}

func hurryBefore(b *bench) {
	only := step("only", stubborn)
	s, hurry := b.hurried(only)
	ctx, cancel := context.WithCancelCause(b.context())
	r := s.begin(ctx, only)
	r.untilOutput(b, "\nup\n")
	hurry()
	select {
	case res := <-r.done:
		b.Fatalf("a step whose context has not ended was ended: exit %d, error %v", res.Code, res.err)
	case <-time.After(300 * time.Millisecond):
	}
	begun := time.Now()
	cancel(errStop)
	if res := r.wait(b); !errors.Is(res.err, errStop) {
		b.Errorf("error is %v, want the cause of the context", res.err)
	}
	b.within(begun, hurryTime)
}

// hurryClose closes while a detached step still has its grace period.
func hurryClose(b *bench) {
	server := step("server", stubborn)
	server.Detach = true
	s, hurry := b.hurried(server)
	ctx, cancel := context.WithCancelCause(b.context())
	r := s.begin(ctx, server)
	r.untilOutput(b, "\nup\n")
	cancel(errStop)
	begun := time.Now()
	hurry()
	s.end()
	b.within(begun, hurryTime)
	r.wait(b)
}
