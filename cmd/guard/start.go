// Package guard starts a process that outlives this one, to remove what a run has
// made if this one is killed.
//
// The guard is the same program, in a session of its own and without any file of
// its parent but the read end of a pipe, and the write end of one for its answer.
// It waits (package vigil) until the first says that the run is over, and ends; or
// until that pipe breaks: then its parent is gone, and the program removes what it
// was told to.
package guard

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/drone-laptop/drone/cmd/guard/vigil"
)

// Guard is the guard of a run, as its parent sees it.
type Guard struct {
	pipe    *os.File
	answers *os.File
	process *os.Process
}

// PID is the number of its process.
func (g *Guard) PID() int { return g.process.Pid }

// Start starts the guard of a run with the variables of an environment. When it
// returns, the guard is a process of its own and notices the end of this one.
func Start(run string, environ []string) (*Guard, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot find this program: %w", err)
	}
	// Our ends are handed to no other process: the pipe breaks with this one.
	theirs, pipe, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	answers, answering, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, theirs.Close(), pipe.Close())
	}
	c := exec.Command(program, vigil.Command, run)
	c.Args[0] = "drone"
	c.Env, c.Dir, c.Stdin, c.Stdout, c.SysProcAttr = environ, rootOf(program), theirs, answering, apart()
	err = c.Start()
	err = errors.Join(err, theirs.Close(), answering.Close())
	if err != nil {
		return nil, errors.Join(err, pipe.Close(), answers.Close())
	}
	return &Guard{pipe, answers, c.Process}, nil
}

// Tell tells the guard, in one line, what it has to know to do its work. What it
// was told last counts.
func (g *Guard) Tell(settings []byte) error {
	_, err := g.pipe.Write(append(settings, '\n'))
	return err
}

// doneTime is how long the guard may take to end: somebody may have stopped it.
const doneTime = 2 * time.Second

// Done tells the guard that there is nothing to do, and waits for its end, which
// comes at once unless somebody has stopped it.
func (g *Guard) Done() error {
	_, err := g.pipe.WriteString(vigil.Done)
	if err != nil {
		return errors.Join(err, g.Leave())
	}
	ended := make(chan error, 1)
	go func() {
		_, err := g.process.Wait()
		ended <- err
	}()
	select {
	case err = <-ended:
	case <-time.After(doneTime):
		// What it was told stays in the pipe.
		err = errors.New("the guard does not end")
	}
	return errors.Join(err, g.pipe.Close(), g.answers.Close())
}

// Inherit asks the guard whether it will remove what there is of the run when it
// is left to it, and nothing that is still being made. It says no for a guard
// that is gone, or has not answered within a while because somebody has stopped
// it, or the machine is too busy for it. After a yes the guard is left, or all is
// done.
func (g *Guard) Inherit(within time.Duration) bool {
	if _, err := g.pipe.WriteString(vigil.Inherit); err != nil {
		return false
	}
	heard := make(chan bool, 1)
	go func() { // until the pipe is closed
		answer := make([]byte, len(vigil.Heir))
		_, err := io.ReadFull(g.answers, answer)
		heard <- err == nil && string(answer) == vigil.Heir
	}()
	select {
	case heir := <-heard:
		return heir
	case <-time.After(within):
		return false
	}
}

// Leave leaves the run to the guard.
func (g *Guard) Leave() error {
	return errors.Join(g.pipe.Close(), g.answers.Close(), g.process.Release())
}
