package enginetest

import (
	"context"

	"github.com/drone-laptop/drone/exec"
)

func serviceCases() []testCase {
	return []testCase{
		{name: "service: reachable by name", needs: Features{Network: true}, run: func(b *bench) {
			web := step("web", "mkdir -p www", "echo served > www/index.html", "httpd -f -p 8080 -h www")
			web.Kind = exec.KindService
			b.reaches(web, step("ask", "until wget -q -O - http://web:8080/; do sleep 0.1; done"))
		}},
		{name: "service: a detached step is reachable by name", needs: Features{Network: true}, run: func(b *bench) {
			web := step("web-detached", "mkdir -p www", "echo served > www/index.html", "httpd -f -p 8080 -h www")
			web.Detach = true
			b.reaches(web, step("ask", "until wget -q -O - http://web-detached:8080/; do sleep 0.1; done"))
		}},
		{name: "service: close ends one that still runs", run: func(b *bench) {
			b.detached(func(s *session, cancel context.CancelCauseFunc) { s.end(); cancel(errStop) })
		}},
		{name: "service: ends before close when cancelled", run: func(b *bench) {
			b.detached(func(s *session, cancel context.CancelCauseFunc) { cancel(errStop); s.end() })
		}},
	}
}

// reaches runs web in the background and a step that asks it.
func (b *bench) reaches(web, ask *exec.Step) {
	b.Helper()
	s := b.open(b.pipeline(web, ask))
	ctx, cancel := context.WithCancelCause(b.context())
	r := s.begin(ctx, web)
	r.untilBegun(b)
	res := s.do(b.context(), ask, nil)
	if res.err != nil || res.Code != 0 {
		b.Fatalf("exit %d, error %v, output %q", res.Code, res.err, res.output)
	}
	_, got := lastLine(res.output)
	b.same("answer", got, "served")
	cancel(errStop)
	s.end()
	r.wait(b)
}

// detached runs a step that never ends and leaves its end to the caller.
func (b *bench) detached(end func(*session, context.CancelCauseFunc)) {
	b.Helper()
	st := step("only", "echo up; sleep 600")
	st.Detach = true
	s := b.open(b.pipeline(st))
	ctx, cancel := context.WithCancelCause(b.context())
	defer cancel(nil)
	r := s.begin(ctx, st)
	r.untilOutput(b, "\nup\n")
	end(s, cancel)
	if res := r.wait(b); res.err == nil && res.Code == 0 {
		b.Error("the step succeeded, want it to have been ended")
	}
}
