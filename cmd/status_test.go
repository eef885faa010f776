package cmd

import (
	"errors"
	"fmt"
	"testing"

	"github.com/drone-laptop/drone/internal/account"
	"github.com/drone-laptop/drone/internal/consent"
	"github.com/drone-laptop/drone/internal/facts"
	"github.com/drone-laptop/drone/internal/keystore"
	"github.com/drone-laptop/drone/internal/secrets"
	"github.com/drone-laptop/drone/internal/selection"
	"github.com/drone-laptop/drone/internal/settings"
	"github.com/drone-laptop/drone/internal/snapshot"
	"github.com/drone-laptop/drone/lint"
)

// TestMistake: an error keeps its words and gets the hint of its package, also
// where somebody has said more about it; what has a status keeps that.
func TestMistake(t *testing.T) {
	decided := &failure{status: StatusUnreachable, err: errors.New("gone"), hint: "start it"}
	cause := errors.New("cause")
	for name, tc := range map[string]struct {
		err    error
		status int
		hint   string
	}{
		"facts":        {&facts.UsageError{Message: "x", Hint: "own"}, StatusUsage, "own"},
		"secrets":      {&secrets.Error{Message: "x", Hint: "own"}, StatusUsage, "own"},
		"settings":     {&settings.Error{Message: "x", Hint: "own"}, StatusUsage, "own"},
		"consent":      {&consent.Error{Err: cause, Hint: "own"}, StatusUsage, "own"},
		"keystore":     {&keystore.Error{Err: cause, Hint: "own"}, StatusUsage, "own"},
		"account":      {&account.FileError{Err: cause}, StatusUsage, "mend the file, or remove it and log in again"},
		"selection":    {&selection.Error{Message: "x", Hint: "own"}, StatusUsage, "own"},
		"lint":         {&lint.ConfigError{Hint: "own"}, StatusUsage, "own"},
		"snapshot":     {&snapshot.CommitError{Text: "x", Hint: "own"}, StatusUsage, "own"},
		"without hint": {&keystore.Error{Err: cause}, StatusUsage, "otherwise"},
		"any other":    {cause, StatusUsage, "otherwise"},
		"decided":      {decided, StatusUnreachable, "start it"},
	} {
		for _, err := range []error{tc.err, fmt.Errorf("about it: %w", tc.err)} {
			got, ok := errors.AsType[*failure](mistake(err, "otherwise"))
			if !ok || got.status != tc.status || got.hint != tc.hint || mistake(err, "otherwise").Error() != err.Error() {
				t.Errorf("%s: %q becomes %+v", name, err, got)
			}
		}
	}
	if err := mistake(nil, "otherwise"); err != nil {
		t.Errorf("no error becomes %v", err)
	}
}
