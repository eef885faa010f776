//go:build linux

package cmd_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// watched is a run of the program in a terminal whose reader takes everything.
type watched struct {
	took   time.Duration
	shown  time.Duration // until a text was drawn, 0 when it was not
	frames int
	memory int64 // bytes resident at most
}

const (
	wide, high = 120, 40
	// frameBegins is written before each frame.
	frameBegins = "\x1b[?2026h"
)

// watch runs drone in dir, until it ends by itself or text is drawn; then q is
// pressed. With "" it ends by itself.
func watch(b *testing.B, dir, text string, args ...string) (w watched) {
	b.Helper()
	master, tty, err := pty.Open()
	if err != nil {
		b.Fatal(err)
	}
	defer master.Close()
	if err := pty.Setsize(master, &pty.Winsize{Rows: high, Cols: wide}); err != nil {
		b.Fatal(err)
	}
	command := exec.Command(filepath.Join(binary, "drone"), args...)
	command.Dir = dir
	command.Env = append(environment(), "HOME="+dir, "XDG_STATE_HOME="+filepath.Join(dir, "state"), "TERM=xterm-256color", keeps)
	command.Stdin, command.Stdout, command.Stderr = tty, tty, tty
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	began := time.Now()
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	_ = tty.Close()
	var reading sync.WaitGroup
	reading.Go(func() {
		chunk, rest := make([]byte, 256<<10), []byte(nil)
		for {
			n, err := master.Read(chunk)
			if err != nil {
				return // the other side is closed
			}
			w.frames += bytes.Count(chunk[:n], []byte(frameBegins))
			if rest = append(rest, chunk[:n]...); text != "" && w.shown == 0 && bytes.Contains(rest, []byte(text)) {
				w.shown = time.Since(began)
				_, _ = master.WriteString("q")
			}
			rest = rest[max(0, len(rest)-len(text)):]
		}
	})
	err = command.Wait()
	w.took = time.Since(began)
	reading.Wait()
	if err != nil {
		b.Fatal(err)
	}
	w.memory = command.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
	return w
}

// printing is a run on this machine, which leaves out what containers cost.
func printing(b *testing.B, command string) string {
	b.Helper()
	dir := b.TempDir()
	file := "kind: pipeline\ntype: exec\nname: default\nsteps:\n- name: print\n  commands:\n  - |\n    " + command + "\n"
	if err := os.WriteFile(filepath.Join(dir, ".drone.yml"), []byte(file), 0o600); err != nil {
		b.Fatal(err)
	}
	return dir
}

// BenchmarkView is what the view costs a run, beside --output quiet in turns.
func BenchmarkView(b *testing.B) {
	for _, load := range []struct{ name, command string }{
		{"one line", `echo one`},
		{"200 lines a second", `awk 'BEGIN { for (i = 1; i <= 600; i++) { print i, "compiling the part of that number"; fflush(); if (i % 10 == 0) system("sleep 0.05") } }'`},
		{"a million lines", `awk 'BEGIN { for (i = 1; i <= 1000000; i++) print i, "compiling github.com/example/project/internal/part" i % 100003 }'`},
	} {
		b.Run(load.name, func(b *testing.B) {
			dir := printing(b, load.command)
			args := []string{"exec", "--host", "--output"}
			var ratios []float64
			var frames float64
			var memory int64
			for i := range b.N {
				var quiet, view watched
				one := func() { quiet = watch(b, dir, "", append(args, "quiet")...) }
				other := func() { view = watch(b, dir, "", append(args, "tui")...) }
				if i%2 == 1 {
					one, other = other, one
				}
				one()
				other()
				ratios = append(ratios, view.took.Seconds()/quiet.took.Seconds())
				frames = max(frames, float64(view.frames)/view.took.Seconds())
				memory = max(memory, view.memory)
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[len(ratios)/2], "x-of-quiet")
			b.ReportMetric(frames, "frames/s")
			b.ReportMetric(float64(memory)/(1<<20), "MiB")
		})
	}
}

// BenchmarkViewOfAStoredRun is the time until the first screen of a run of 200 MiB
// of output is there, from the start of the program.
func BenchmarkViewOfAStoredRun(b *testing.B) {
	dir := printing(b, fmt.Sprintf(`awk 'BEGIN { for (i = 1; i <= %d; i++) print i, "2026-11-21T21:00:00Z INFO compiling github.com/example/project/internal/thing" i %% 100003 }'`, 2_400_000))
	watch(b, dir, "", "exec", "--host", "--output", "quiet")
	b.ResetTimer()
	var shown []time.Duration
	var memory int64
	for range b.N {
		w := watch(b, dir, "2399998 2026", "log")
		if w.shown == 0 {
			b.Fatal("the end of the log was not shown")
		}
		shown, memory = append(shown, w.shown), max(memory, w.memory)
	}
	slices.Sort(shown)
	b.ReportMetric(float64(shown[len(shown)/2].Milliseconds()), "ms-to-first-screen")
	b.ReportMetric(float64(memory)/(1<<20), "MiB")
}
