package cmd

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"
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

// ending is what a command says when a signal ends it.
type ending struct {
	first string // what it does about the first signal
	again string // why it does nothing about further ones
}

func endingRun() ending {
	return ending{
		first: "stopping the steps and removing their containers",
		again: "still removing containers, this ends by itself",
	}
}

func endingPull() ending {
	return ending{first: "stopping the pulls", again: "still stopping the pulls, this ends by itself"}
}

// untilSignal returns a context that ends with an interrupted cause at the
// first SIGINT, SIGTERM, SIGHUP or SIGQUIT, which is also told to say. stop
// ends the watching and must be called.
func untilSignal(parent context.Context, words ending, say func(string)) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 4)
	// Left alone, SIGQUIT (ctrl-\) would dump stacks and leave everything behind.
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	// A reader that goes away must not end the program before it has cleaned
	// up: with SIGPIPE ignored the write fails instead.
	signal.Ignore(syscall.SIGPIPE)
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() { watch(signals, done, cancel, words, say) })
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		watching.Wait()
		cancel(nil)
	}
}

func watch(signals <-chan os.Signal, done <-chan struct{}, cancel context.CancelCauseFunc, words ending, say func(string)) {
	for first := true; ; first = false {
		select {
		case <-done:
			return
		case s := <-signals:
			if first {
				say(signalName(s) + ": " + words.first)
				cancel(interrupted{s})
				continue
			}
			say(words.again)
		}
	}
}

// interruption returns the signal that ended ctx, if one did.
func interruption(ctx context.Context) (interrupted, bool) {
	var i interrupted
	ok := errors.As(context.Cause(ctx), &i)
	return i, ok
}
