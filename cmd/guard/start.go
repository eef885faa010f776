// Package guard starts a process that outlives this one, to remove what a run has
// made if this one is killed.
//
// The guard is the same program, in a session of its own and without any file of
// its parent but the read end of a pipe. It waits (package vigil) until that says
// that the run is over, and ends; or until the pipe breaks: then its parent is
// gone, and the program removes what it was told to.
package guard

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/drone-laptop/drone/cmd/guard/vigil"
)

// Guard is the guard of a run, as its parent sees it.
type Guard struct {
	pipe    *os.File
	process *os.Process
}

// Start starts the guard of a run with the variables of an environment. When it
// returns, the guard is a process of its own and notices the end of this one.
func Start(run string, environ []string) (*Guard, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot find this program: %w", err)
	}
	// Neither end is handed to other processes: the pipe breaks with this one.
	ours, pipe, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	c := exec.Command(program, vigil.Command, run)
	c.Args[0] = "drone"
	c.Env, c.Dir, c.Stdin, c.SysProcAttr = environ, rootOf(program), ours, apart()
	if err := c.Start(); err != nil {
		return nil, errors.Join(err, ours.Close(), pipe.Close())
	}
	return &Guard{pipe, c.Process}, ours.Close()
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
	return errors.Join(err, g.pipe.Close())
}

// Leave leaves the run to the guard.
func (g *Guard) Leave() error { return errors.Join(g.pipe.Close(), g.process.Release()) }
