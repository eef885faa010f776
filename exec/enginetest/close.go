package enginetest

import (
	"context"
	"errors"
	"strings"

	"github.com/drone-laptop/drone/exec"
)

func closeCases() []testCase {
	return []testCase{
		{name: "close: a session that ran nothing", run: func(b *bench) {
			b.open(b.pipeline(step("only", "true"))).end()
		}},
		{name: "close: removes volumes of the pipeline", needs: Features{Volumes: true}, run: func(b *bench) {
			write, read := step("write", "echo kept > /cache/file"), step("read", "cat /cache/file")
			p := b.pipeline(write, read)
			p.Volumes = []exec.Volume{{Name: "cache", Kind: exec.VolumeTemp}}
			for _, st := range p.Steps {
				st.Mounts = []exec.Mount{{Volume: "cache", Path: "/cache"}}
			}
			s := b.open(p)
			s.do(b.context(), write, nil)
			b.same("output", s.do(b.context(), read, nil).printed(), "kept\n")
			s.end()
		}},
		{name: "close: after a failed step", run: func(b *bench) {
			if res := b.once(nil, "exit 1"); res.Code != 1 {
				b.Errorf("exit code is %d, want 1", res.Code)
			}
		}},
		{name: "open: nothing is left when the context has ended", run: openCancelled},
		{name: "open: nothing is left when it fails", run: func(b *bench) {
			if b.cfg.Break == nil {
				b.Skip("no way to make open fail was given")
			}
			p, run := b.pipeline(step("only", "true")), newRun()
			b.cfg.Break(p)
			if _, err := b.engine.Open(b.context(), p, setting(run)); err == nil {
				b.Error("open succeeded, want an error")
			}
			b.nothingLeft(run)
		}},
		{name: "open: two pipelines of one run", run: openTwo},
	}
}

// openCancelled accepts both ways: an engine may fail, or give a session that
// can only be closed.
func openCancelled(b *bench) {
	ctx, cancel := context.WithCancelCause(b.context())
	cancel(errStop)
	run := newRun()
	s, err := b.engine.Open(ctx, b.pipeline(step("only", "true")), setting(run))
	switch {
	case err == nil:
		if err := s.Close(b.context()); err != nil {
			b.Errorf("close: %v", err)
		}
	case !errors.Is(err, errStop) && !errors.Is(err, context.Canceled):
		b.Errorf("open: %v, want the cause of the context", err)
	}
	b.nothingLeft(run)
}

// openTwo closes one pipeline of a run while another still works.
func openTwo(b *bench) {
	one, two := b.pipeline(step("only", "echo 1")), b.pipeline(step("only", "echo 2"))
	two.Name = "conformance-two"
	run := newRun()
	first, err := b.engine.Open(b.context(), one, setting(run))
	if err != nil {
		b.Fatalf("open: %v", err)
	}
	second := b.openAs(two, run)
	if err := first.Close(b.context()); err != nil {
		b.Errorf("close: %v", err)
	}
	b.same("output", second.do(b.context(), two.Steps[0], nil).printed(), "2\n")
	second.end()
}

// lastLine splits text before its last line, whose newline is dropped.
func lastLine(text string) (before, last string) {
	text = strings.TrimSuffix(text, "\n")
	i := strings.LastIndexByte(text, '\n') + 1
	return text[:i], text[i:]
}
