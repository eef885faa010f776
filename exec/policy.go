package exec

import (
	"context"
	"errors"
	"fmt"
)

// condition is the state of a pipeline, or of a run, that decides whether what
// comes next runs. The texts are sentences that say why; empty is no.
type condition struct {
	cut    string // everything ends
	failed string // something that counts has failed
	ended  string // a step has ended the pipeline with exit code 78
	none   string // what to say when nothing has failed
}

// decide says whether something with a policy runs, and if not, why (reference
// §6.4).
func decide(p Policy, c condition) (runs bool, reason string) {
	switch {
	case c.cut != "":
		return false, c.cut
	case p == Never:
		return false, "it waits for a status that never comes"
	case p == Always:
		return true, ""
	case c.ended != "":
		return false, c.ended
	case p == OnFailure && c.failed == "":
		return false, c.none
	case p != OnFailure && c.failed != "":
		return false, c.failed
	default:
		return true, ""
	}
}

// result is how a step ended.
type result struct {
	status    Status
	code      int
	oom       bool
	ignored   bool
	message   string // for error and killed, and for failure where more is known than the code
	hint      string
	phase     Phase
	cancelled bool // ended because its context ended
	timedOut  bool // a time limit ended it
}

// counts reports whether the result makes its pipeline fail.
func (r result) counts() bool { return r.status.bad() && !r.ignored }

func (s Status) bad() bool {
	return s == StatusFailure || s == StatusError || s == StatusKilled
}

// Exit codes with a meaning of their own (reference §6.5).
const (
	codeSkipRest = 78  // success that ends the pipeline
	codeKilled   = 137 // killed, also by the kernel for want of memory
	codeError    = 255 // could not be run
)

// judge says what the end of a step means (reference §6.5). Results of those in the
// background, and of an always-step after exit code 78, do not count. cause is why
// the context of the step ended, or nil.
func (s *step) judge(exit Exit, err, cause error) result {
	uncounted := s.background || s.frozen
	switch {
	case cause != nil && (err != nil || exit.Code != 0):
		late := !s.background && timedOut(cause)
		return result{
			status: StatusKilled, code: codeKilled, ignored: uncounted && !late,
			message: causeText(cause), cancelled: true, timedOut: late,
		}
	case err != nil:
		r := result{
			status: StatusError, code: codeError, ignored: uncounted,
			message: err.Error(), phase: PhaseRun,
		}
		r.phase, r.hint = details(err, PhaseRun)
		return r
	case exit.OOMKilled:
		return result{
			status: StatusFailure, code: codeKilled, oom: true,
			ignored: uncounted || s.Failure == FailureIgnore,
			message: exit.Reason, hint: exit.Hint,
		}
	case exit.Code == 0, exit.Code == codeSkipRest && !s.background:
		return result{status: StatusSuccess, code: exit.Code}
	default:
		return result{
			status: StatusFailure, code: exit.Code,
			ignored: uncounted || s.Failure == FailureIgnore,
			message: exit.Reason, hint: exit.Hint,
		}
	}
}

// details takes out of an error what an engine knows beside its text.
func details(err error, otherwise Phase) (Phase, string) {
	phase, hint := otherwise, ""
	if e, ok := errors.AsType[*UnreachableError](err); ok {
		hint = e.Hint
	}
	if e, ok := errors.AsType[*StepError](err); ok {
		if e.Phase != "" {
			phase = e.Phase
		}
		if e.Hint != "" {
			hint = e.Hint
		}
	}
	return phase, hint
}

// failedText says that a step failed, for those who are skipped because of it.
func failedText(name string, r result) string {
	switch r.status {
	case StatusError:
		return fmt.Sprintf("step %s could not be run", name)
	case StatusKilled:
		return fmt.Sprintf("step %s was killed", name)
	default:
		return fmt.Sprintf("step %s failed", name)
	}
}

// fastError ends a pipeline because of a step with failure: fast.
type fastError struct {
	step   string
	result result
}

func (e *fastError) Error() string {
	if e.result.status == StatusKilled {
		return fmt.Sprintf("step %s was killed and ended the pipeline (failure: fast)", e.step)
	}
	return fmt.Sprintf("step %s ended the pipeline with exit code %d (failure: fast)", e.step, e.result.code)
}

// causeText says why a context ended.
func causeText(cause error) string {
	limit, isLimit := errors.AsType[*TimeoutError](cause)
	broken, isBroken := errors.AsType[*PanicError](cause)
	switch {
	case isLimit:
		return limit.Error()
	case isBroken:
		return "the program has a defect: it " + broken.Error()
	case errors.Is(cause, ErrTimeout), errors.Is(cause, context.DeadlineExceeded):
		return ErrTimeout.Error()
	case errors.Is(cause, context.Canceled):
		return "the run was cancelled"
	default:
		return cause.Error()
	}
}
