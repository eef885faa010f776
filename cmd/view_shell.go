package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/muesli/cancelreader"
	"golang.org/x/term"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/docker"
	"github.com/drone-laptop/drone/report"
)

// shell has the terminal for a shell in the container of a step that runs, until
// that ends or ctx does. What was typed and not read by then is left to whoever
// reads next.
func (s Streams) shell(ctx context.Context, e engines, run string, step exec.StepName) (err error) {
	input, ok := s.In.(*os.File)
	if e.docker == nil || !ok {
		return errors.New("it runs on this machine, in no container")
	}
	keys, err := cancelreader.NewReader(input)
	if err != nil {
		return err
	}
	before, err := term.MakeRaw(int(input.Fd()))
	if err != nil {
		return errors.Join(err, keys.Close())
	}
	typed, typing := io.Pipe()
	var reading sync.WaitGroup
	reading.Go(func() {
		_ = exec.Guard(func() error {
			_, err := io.Copy(typing, keys)
			return errors.Join(err, typing.Close())
		})
	})
	defer func() {
		keys.Cancel()
		_ = typed.Close()
		reading.Wait()
		err = errors.Join(err, keys.Close(), term.Restore(int(input.Fd()), before))
	}()
	fmt.Fprintf(s.Terminal, "a shell in the container of step %s, which goes on; exit comes back\r\n", report.Visible(step.Step))
	return e.docker.Shell(ctx, run, step, docker.Terminal{In: typed, Out: s.Terminal, Size: func() (int, int) {
		columns, rows, err := term.GetSize(int(s.Terminal.Fd()))
		if err != nil {
			return 0, 0
		}
		return columns, rows
	}})
}
