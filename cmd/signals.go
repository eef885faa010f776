package cmd

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/drone-laptop/drone/exec"
)

// interrupted is the cause of a context that a signal ended.
type interrupted struct{ signal os.Signal }

func (e interrupted) Error() string { return "stopped by " + signalName(e.signal) }

func signalName(s os.Signal) string {
	switch s {
	case os.Interrupt:
		return "interrupt"
	case syscall.SIGTERM:
		return "SIGTERM"
	case syscall.SIGHUP:
		return "SIGHUP"
	case syscall.SIGQUIT:
		return "SIGQUIT"
	}
	return s.String()
}

// status is the exit status that the signal asks for.
func (e interrupted) status() int {
	if e.signal == os.Interrupt {
		return StatusInterrupted
	}
	return StatusTerminated
}

// ending is what a command says when signals end it.
type ending struct {
	first   string // what it does about the first signal
	then    string // what a second one would do, or nothing
	second  string // and about the second
	further string // why it does nothing about more of them
}

func endingRun(plan *exec.Plan, grace time.Duration) ending {
	what := "containers"
	switch {
	case !runsType(plan, "exec"):
	case runsType(plan, "docker"):
		what = "containers and files"
	default:
		what = "files"
	}
	e := ending{
		first:   "stopping the steps and removing their " + what,
		then:    "a second signal kills them at once",
		second:  "killing the steps and removing their " + what + " at once",
		further: "still removing " + what + ", this ends by itself",
	}
	if grace == 0 {
		e.first, e.then = e.second, ""
	}
	return e
}

func endingPull() ending {
	const still = "still stopping the pulls, this ends by itself"
	return ending{first: "stopping the pulls", second: still, further: still}
}

// lastingSignals are those of which Go makes something that nobody wants:
// SIGQUIT (ctrl-\) would dump stacks. SIGHUP is not among them where the program
// was started to outlive its terminal, as by nohup.
func lastingSignals() []os.Signal {
	if signal.Ignored(syscall.SIGHUP) {
		return []os.Signal{syscall.SIGQUIT}
	}
	return []os.Signal{syscall.SIGQUIT, syscall.SIGHUP}
}

// endsEarly has signals end the program with their status, as long as nothing
// has been made that a command would have to remove. SIGINT and SIGTERM need
// nobody for that. stop must be called.
func endsEarly() (stop func()) {
	arrived, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(arrived, lastingSignals()...)
	go func() {
		select {
		case s := <-arrived:
			os.Exit(interrupted{s}.status())
		case <-done:
		}
	}()
	return func() {
		signal.Stop(arrived)
		close(done)
	}
}

// signals is what becomes of a command that watches them.
type signals struct {
	// hurry is closed at the second signal.
	hurry <-chan struct{}
	// interrupt does what SIGINT does. It returns at once.
	interrupt func()
	// stop ends the watching and must be called.
	stop func()
}

// hurried reports whether there was a second signal.
func (s signals) hurried() bool {
	select {
	case <-s.hurry:
		return true
	default:
		return false
	}
}

// sameSignal is how long after the first signal a further one is the same:
// programs such as timeout and npm pass on an interrupt that the terminal has
// sent to all of its processes already.
const sameSignal = 150 * time.Millisecond

// sayTime is how long the words of a signal may take to be written at the end.
const sayTime = time.Second

// untilSignal returns a context that ends with an interrupted cause at the
// first SIGINT, SIGTERM, SIGHUP or SIGQUIT. Each of them is told to say, which
// may block.
func untilSignal(parent context.Context, words ending, say func(string)) (context.Context, signals) {
	ctx, cancel := context.WithCancelCause(parent)
	arrived := make(chan os.Signal, 4)
	lasting := lastingSignals()
	signal.Reset(lasting...) // endsEarly has nothing to say any more
	signal.Notify(arrived, append(lasting, os.Interrupt, syscall.SIGTERM)...)
	// A reader that goes away must not end the program before it has cleaned
	// up: with SIGPIPE taken the write fails instead. It is not ignored, because
	// the processes of steps would inherit that.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	hurry, done := make(chan struct{}), make(chan struct{})
	// What is said goes through a goroutine of its own: a terminal that takes
	// nothing must not keep the next signal from being heard.
	said, silent := make(chan string, 8), make(chan struct{})
	go func() {
		defer close(silent)
		for text := range said {
			// A defect there must not keep the run from being ended.
			_ = exec.Guard(func() error { say(text); return nil })
		}
	}()
	var watching sync.WaitGroup
	watching.Go(func() {
		defer close(said)
		watch(arrived, done, words, said, cancel, hurry)
	})
	interrupt := func() {
		select {
		case arrived <- os.Interrupt:
		default: // as many wait as there can be a use for
		}
	}
	return ctx, signals{hurry: hurry, interrupt: interrupt, stop: func() {
		signal.Stop(arrived)
		close(done)
		watching.Wait()
		cancel(nil)
		select {
		case <-silent:
		case <-time.After(sayTime):
		}
	}}
}

// watch takes signals until done is closed.
func watch(arrived <-chan os.Signal, done <-chan struct{}, words ending, said chan<- string, cancel context.CancelCauseFunc, hurry chan<- struct{}) {
	var first time.Time
	for count := 1; ; count++ {
		var s os.Signal
		select {
		case <-done:
			return
		case s = <-arrived:
		}
		if count == 1 {
			first = time.Now()
		} else if time.Since(first) < sameSignal {
			count--
			continue
		}
		texts := []string{words.further}
		switch count {
		case 1:
			texts = []string{signalName(s) + ": " + words.first}
			if words.then != "" {
				texts = append(texts, words.then)
			}
			cancel(interrupted{s})
		case 2:
			texts[0] = signalName(s) + ": " + words.second
			close(hurry)
		}
		for _, text := range texts {
			select {
			case said <- text:
			default: // nobody reads what was said before
			}
		}
	}
}

// interruption returns the signal that ended ctx, if one did.
func interruption(ctx context.Context) (interrupted, bool) {
	var i interrupted
	ok := errors.As(context.Cause(ctx), &i)
	return i, ok
}
