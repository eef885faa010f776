package cmd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
)

// maxTyped is the length of a line from which on a terminal drops what is typed
// or pasted, without a word.
const maxTyped = 4096

// askHidden asks for a line on the terminal and does not show it. Who answers
// with an interrupt ends the command.
func (s Streams) askHidden(question string) ([]byte, error) {
	file, ok := s.In.(*os.File)
	if !ok || !s.Dialogue {
		return nil, usage(errors.New("there is no terminal to ask on"), "")
	}
	before, err := term.MakeRaw(int(file.Fd()))
	if err != nil {
		return nil, fmt.Errorf("the terminal cannot hide what is typed: %w", err)
	}
	restore := func() { _ = term.Restore(int(file.Fd()), before) } // there is nothing better to do
	defer restore()
	defer restoredAtEnd(restore)()
	screen := struct {
		io.Reader
		io.Writer
	}{s.In, s.Err}
	line, err := term.NewTerminal(screen, "").ReadPassword(question)
	switch {
	case err != nil:
		fmt.Fprint(s.Err, "\r\n")
		return nil, &failure{status: StatusInterrupted, err: errors.New("nothing was entered")}
	case len(line) >= maxTyped:
		return nil, usage(errors.New("the line is too long for a terminal, which has dropped the rest"), "give a file, as @FILE, or - for standard input")
	}
	return []byte(line), nil
}

// restoredAtEnd has signals leave the terminal as it was. On a raw one no key
// sends any. stop must be called.
func restoredAtEnd(restore func()) (stop func()) {
	arrived, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(arrived, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case got := <-arrived:
			restore()
			os.Exit(interrupted{got}.status())
		case <-done:
		}
	}()
	return func() {
		signal.Stop(arrived)
		close(done)
	}
}
