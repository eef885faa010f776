package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/account"
	"github.com/drone-laptop/drone/internal/consent"
	"github.com/drone-laptop/drone/internal/dockerhost"
	"github.com/drone-laptop/drone/internal/facts"
	"github.com/drone-laptop/drone/internal/isolate"
	"github.com/drone-laptop/drone/internal/keystore"
	"github.com/drone-laptop/drone/internal/secrets"
	"github.com/drone-laptop/drone/internal/selection"
	"github.com/drone-laptop/drone/internal/settings"
	"github.com/drone-laptop/drone/internal/snapshot"
	"github.com/drone-laptop/drone/lint"
	"github.com/drone-laptop/drone/report"
)

// The exit statuses of all commands.
const (
	StatusOK          = 0   // success; skipped counts as success
	StatusFailed      = 1   // a pipeline failed, or a finding is an error
	StatusUsage       = 2   // bad flag, file, name, secret or missing consent
	StatusUnreachable = 3   // engine or server unreachable or refusing
	StatusTimeout     = 124 // a time limit ended the run
	StatusInterrupted = 130 // SIGINT
	StatusTerminated  = 143 // SIGTERM, SIGHUP, SIGQUIT
)

// failure is an error with its exit status. With a nil err everything there is
// to say has been said, and only the status is left.
type failure struct {
	status int
	err    error
	hint   string
}

func (f *failure) Error() string {
	if f.err == nil {
		return ""
	}
	return f.err.Error()
}

func (f *failure) Unwrap() error { return f.err }

func usage(err error, hint string) error {
	return &failure{status: StatusUsage, err: err, hint: hint}
}

// mistake gives an error of a package its status and hint, unless it has them. It is
// about something that the user can mend. The hint is that of the package, otherwise
// the one given here.
func mistake(err error, otherwise string) error {
	if _, decided := errors.AsType[*failure](err); decided || err == nil {
		return err
	}
	return usage(err, cmp.Or(hintOf(err), otherwise))
}

// hintOf is what packages have to say about their errors.
func hintOf(err error) string {
	if e, ok := errors.AsType[*facts.UsageError](err); ok {
		return e.Hint
	}
	if e, ok := errors.AsType[*secrets.Error](err); ok {
		return e.Hint
	}
	if e, ok := errors.AsType[*settings.Error](err); ok {
		return e.Hint
	}
	if e, ok := errors.AsType[*consent.Error](err); ok {
		return e.Hint
	}
	if e, ok := errors.AsType[*keystore.Error](err); ok {
		return e.Hint
	}
	if _, ok := errors.AsType[*account.FileError](err); ok {
		return "mend the file, or remove it and log in again"
	}
	if e, ok := errors.AsType[*selection.Error](err); ok {
		return e.Hint
	}
	if e, ok := errors.AsType[*lint.ConfigError](err); ok {
		return e.Hint
	}
	if e, ok := errors.AsType[*snapshot.CommitError](err); ok {
		return e.Hint
	}
	return ""
}

// internalError is a defect of this program.
func internalError(defect *exec.PanicError) error {
	return &failure{
		status: StatusFailed,
		err:    fmt.Errorf("internal error: %s (%s)", defect.Value, defect.Site),
		hint:   "this is a defect of drone: please report it with the command line and the file",
	}
}

// engineFailure is an engine that cannot be used, or settings of the user's for
// one that are wrong before any engine is asked.
func engineFailure(ctx context.Context, err error) error {
	if signal, ok := interruption(ctx); ok {
		return &failure{status: signal.status()}
	}
	if decided, ok := errors.AsType[*failure](err); ok {
		return decided
	}
	f := &failure{status: StatusUnreachable, err: err}
	var unreachable *exec.UnreachableError
	var wrong *dockerhost.Error
	switch {
	case errors.As(err, &unreachable):
		f.hint = unreachable.Hint
	case errors.As(err, &wrong):
		f.status, f.hint = StatusUsage, wrong.Hint
	}
	return f
}

// conclude prints an error the way all commands do and returns its status.
func conclude(s Streams, err error) int {
	if err == nil {
		return StatusOK
	}
	return s.fail(err)
}

// fail prints an error and its hint and returns its status.
func (s Streams) fail(err error) int {
	var f *failure
	if !errors.As(err, &f) {
		errors.As(mistake(err, ""), &f)
	}
	if f.err != nil {
		fmt.Fprintf(s.Err, "drone: %s %s\n", s.errStyle().Paint(red, "error:"), visibleLines(f.err.Error()))
	}
	if f.hint != "" {
		fmt.Fprintf(s.Err, "drone: hint: %s\n", visibleLines(f.hint))
	}
	return f.status
}

// visibleLines is text, such as an error that quotes a file, as it can stand on
// a terminal. It may have several lines.
func visibleLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = report.Visible(line)
	}
	return strings.Join(lines, "\n")
}

// eventStatus is the exit status as the last event tells it.
func eventStatus(ctx context.Context, s *exec.Summary, copies *isolate.Copies) int {
	status := runStatus(ctx, s)
	if status == StatusOK && copies.Failure() != nil {
		return StatusFailed
	}
	return status
}

// runStatus is the exit status for a run (docs/exec.md).
func runStatus(ctx context.Context, s *exec.Summary) int {
	if s.Broken { // whatever else went wrong, this is what is said
		return StatusFailed
	}
	if s.Status == exec.StatusKilled {
		if signal, ok := interruption(ctx); ok {
			return signal.status()
		}
	}
	if timedOut(ctx, s) {
		return StatusTimeout
	}
	if s.Unreachable {
		return StatusUnreachable
	}
	return s.ExitCode()
}

// timedOut reports whether a limit ended the run, or a step of it.
func timedOut(ctx context.Context, s *exec.Summary) bool {
	if s.Status == exec.StatusKilled && errors.Is(context.Cause(ctx), exec.ErrTimeout) {
		return true
	}
	return len(late(s)) > 0
}
