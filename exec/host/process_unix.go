//go:build unix

package host

import (
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"syscall"
	"time"

	"github.com/drone-laptop/drone/exec"
)

const (
	// endTime bounds how long what a step leaves running may take to end by
	// itself. It may have something to tidy up, such as drone itself.
	endTime = time.Second
	// killTime bounds how long killed processes may take to be gone. One that
	// waits for a dead disk or belongs to another user never is.
	killTime = 5 * time.Second
	// hurryTime is that when there is no time left.
	hurryTime = time.Second
	// lookEvery is the pause between two looks at what is left.
	lookEvery = 10 * time.Millisecond
)

// process is the shell of a step with everything that it has started.
type process struct {
	cmd    *osexec.Cmd
	mark   string   // an element of stepMark
	output *os.File // read end

	exited chan struct{} // closed when the shell has ended
	reaped bool          // set before exited is closed, with failed
	failed error
}

// watch waits for the end of the shell. As long as the shell is not reaped its
// number stays that of the session, so that nothing else is killed by it.
func (p *process) watch() {
	defer close(p.exited)
	err := exec.Guard(func() error {
		if !awaitEnd(p.cmd.Process.Pid) {
			p.failed, p.reaped = ended(p.cmd.Wait()), true
		}
		return nil
	})
	if err != nil {
		p.failed, p.reaped = err, true
	}
}

// reap takes the shell's status. The shell must have been killed, or have
// exited.
func (p *process) reap() error {
	<-p.exited
	if !p.reaped {
		p.failed, p.reaped = ended(p.cmd.Wait()), true
	}
	return p.failed
}

// ended keeps the errors that are no status.
func ended(err error) error {
	if _, ok := errors.AsType[*osexec.ExitError](err); ok {
		return nil
	}
	return err
}

// ask asks every process to end, and returns when all have, the time is over or
// hurry is closed. One that was stopped goes on, or it could not do what it is
// asked.
func (p *process) ask(grace time.Duration, hurry <-chan struct{}) {
	if grace <= 0 || isClosed(hurry) {
		return
	}
	alive := p.alive()
	if len(alive) == 0 {
		return
	}
	p.signal(syscall.SIGTERM, alive)
	p.signal(syscall.SIGCONT, alive)
	for end := time.Now().Add(grace); time.Now().Before(end) && len(p.alive()) > 0; {
		select {
		case <-hurry:
			return
		case <-time.After(lookEvery):
		}
	}
}

// isClosed reports whether c, on which nothing is sent, is closed.
func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// kill kills every process, until none is left that could have started
// another, and names those that do not go. The session is killed before each look,
// so that one that finds nothing has missed nothing that was being started in it.
func (p *process) kill(hurry <-chan struct{}) (left []string) {
	for begun := time.Now(); ; time.Sleep(lookEvery) {
		p.signal(syscall.SIGKILL, nil)
		alive := p.alive()
		if len(alive) == 0 {
			return nil
		}
		took := time.Since(begun)
		if took > killTime || took > hurryTime && isClosed(hurry) {
			for _, pid := range alive {
				left = append(left, fmt.Sprint(pid))
			}
			return left
		}
		p.signal(syscall.SIGKILL, alive)
	}
}

// signal sends a signal to the session, and to those of alive that have left it.
// What fails is seen by who looks afterwards.
func (p *process) signal(sig syscall.Signal, alive []int) {
	_ = syscall.Kill(-p.cmd.Process.Pid, sig)
	for _, pid := range alive {
		_ = syscall.Kill(pid, sig)
	}
}
