package enginetest

import (
	"errors"
	"slices"

	"github.com/drone-laptop/drone/exec"
)

func imageCases() []testCase {
	images := Features{Images: true}
	return []testCase{
		{name: "image: an unknown one is an error of the step", needs: images, run: func(b *bench) {
			st := step("only", "echo never")
			st.Image = "conformance.invalid/no/such-image:1"
			res := b.stepError(st, exec.PhasePull, exec.PhaseCreate)
			if res.started != 0 || res.output != "" {
				b.Errorf("started %d times, output %q, want nothing to have run", res.started, res.output)
			}
		}},
		{name: "image: an unknown entrypoint is an error of the step", needs: images, run: func(b *bench) {
			st := step("only")
			st.Entrypoint = []string{"/no/such/program"}
			b.stepError(st, exec.PhaseStart, exec.PhaseCreate)
		}},
		{name: "image: entrypoint and command run without a shell", needs: images, run: func(b *bench) {
			st := step("only")
			st.Entrypoint = []string{"/bin/echo", "-n"}
			st.Command = []string{"$HOME", "a  b"}
			s := b.open(b.pipeline(st))
			res := s.do(b.context(), st, nil)
			if res.err != nil || res.Code != 0 {
				b.Fatalf("exit %d, error %v", res.Code, res.err)
			}
			b.same("output", res.output, "$HOME a  b")
		}},
		{name: "image: its own process reads an empty stdin", needs: images, run: func(b *bench) {
			st := step("only")
			st.Entrypoint = []string{"/bin/cat"}
			s := b.open(b.pipeline(st))
			if res := s.do(b.context(), st, nil); res.err != nil || res.Code != 0 || res.output != "" {
				b.Errorf("exit %d, error %v, output %q, want success and nothing", res.Code, res.err, res.output)
			}
		}},
	}
}

// stepError runs a step that cannot be run and checks the error for its phase.
func (b *bench) stepError(st *exec.Step, phases ...exec.Phase) result {
	b.Helper()
	s := b.open(b.pipeline(st))
	res := s.do(b.context(), st, nil)
	var failed *exec.StepError
	if !errors.As(res.err, &failed) {
		b.Fatalf("error is %v (exit %d), want a StepError", res.err, res.Code)
	}
	if !slices.Contains(phases, failed.Phase) {
		b.Errorf("phase is %q, want one of %q", failed.Phase, phases)
	}
	s.end()
	return res
}
