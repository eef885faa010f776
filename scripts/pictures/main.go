//go:build unix

// Command pictures takes the pictures of docs/pictures: it runs the program in a
// terminal of its own, on a copy of testdata/demo in which the greeting has a
// mistake, and draws what that terminal shows.
//
//	go run ./scripts/pictures DRONE FOLDER
//
// It needs a container engine and the images of `make images`, and nothing else:
// no browser, no terminal, no tool that records one.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/creack/pty"

	"github.com/drone-laptop/drone/tui/termtest"
)

const (
	columns, rows = 100, 24
	// patience is how long to wait for what must be shown.
	patience = time.Minute
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "pictures: error: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: pictures DRONE FOLDER")
	}
	drone, err := filepath.Abs(args[0])
	if err != nil {
		return err
	}
	folder, err := filepath.Abs(args[1])
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "drone-pictures-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := prepare(dir); err != nil {
		return err
	}
	t, err := open(dir, drone, "exec", "--secret-file", "demo.secrets")
	if err != nil {
		return err
	}
	defer t.close()
	for _, shot := range []struct{ wait, keys, name string }{
		{"the run is over", "E", ""},
		{"1/", "", "view.svg"},
		{"1/", "\x1b13", ""},
		{"graph of test", "", "graph.svg"},
		{"graph of test", "q", ""},
	} {
		screen, err := t.until(shot.wait)
		if err != nil {
			return err
		}
		if shot.name != "" {
			if err := os.WriteFile(filepath.Join(folder, shot.name), []byte(picture(screen)), 0o644); err != nil {
				return err
			}
		}
		t.press(shot.keys)
	}
	if err := t.ended(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "summary.svg"), []byte(picture(t.screen())), 0o644)
}

// prepare makes a repository of a copy of the demo in dir.
func prepare(dir string) error {
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "demo"))); err != nil {
		return err
	}
	if err := os.Chmod(filepath.Join(dir, "demo.secrets"), 0o600); err != nil { // git does not keep who may read it
		return err
	}
	script := filepath.Join(dir, "greet.sh")
	text, err := os.ReadFile(script)
	if err != nil {
		return err
	}
	wrong := "if [ \"$1\" = world ]; then\n\techo \"greet.sh: error: there is nobody named $1\" >&2\n\texit 3\nfi\n"
	if err := os.WriteFile(script, append(text, wrong...), 0o755); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"init", "-q", "-b", "main"}, {"add", "."},
		{"-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "-q", "-m", "Greet the world"},
	} {
		git := exec.Command("git", args...)
		git.Dir = dir
		if out, err := git.CombinedOutput(); err != nil {
			return fmt.Errorf("git %s: %w: %s", args[0], err, out)
		}
	}
	return nil
}

// terminal is the program in a terminal.
type terminal struct {
	command *exec.Cmd
	master  *os.File
	reading sync.WaitGroup

	mu     sync.Mutex
	output bytes.Buffer
}

func open(dir, program string, args ...string) (*terminal, error) {
	t := &terminal{command: exec.Command(program, args...)}
	t.command.Dir = dir
	t.command.Env = append(os.Environ(), "TERM=xterm-256color", "CI=", "NO_COLOR=", "COLORFGBG=15;0", "LC_ALL=C.UTF-8",
		"XDG_STATE_HOME="+filepath.Join(dir, ".git", "state"))
	var err error
	if t.master, err = pty.StartWithAttrs(t.command, &pty.Winsize{Rows: rows, Cols: columns}, &syscall.SysProcAttr{Setsid: true, Setctty: true}); err != nil {
		return nil, err
	}
	t.reading.Go(func() {
		chunk := make([]byte, 64<<10)
		for {
			n, err := t.master.Read(chunk)
			t.mu.Lock()
			t.output.Write(chunk[:n])
			t.mu.Unlock()
			if err != nil {
				return // the program has ended
			}
		}
	})
	return t, nil
}

func (t *terminal) screen() *termtest.Screen {
	t.mu.Lock()
	defer t.mu.Unlock()
	return termtest.PlayFull(columns, rows, t.output.String())
}

// until waits for a text, and a moment more for what is drawn with it.
func (t *terminal) until(text string) (*termtest.Screen, error) {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if strings.Contains(t.screen().String(), text) {
			time.Sleep(200 * time.Millisecond)
			return t.screen(), nil
		}
	}
	return nil, fmt.Errorf("the terminal never showed %q but\n%s", text, t.screen())
}

func (t *terminal) press(keys string) { _, _ = t.master.WriteString(keys) }

// ended waits for the end of the program, which has failed as it is meant to.
func (t *terminal) ended() error {
	t.reading.Wait()
	var exit *exec.ExitError
	if err := t.command.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		return fmt.Errorf("the program ended with %w", err)
	}
	return nil
}

// close ends a program that still runs.
func (t *terminal) close() {
	if t.command.ProcessState == nil {
		_ = t.command.Process.Signal(syscall.SIGTERM)
		_ = t.command.Wait()
	}
	_ = t.master.Close()
}
