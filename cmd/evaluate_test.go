package cmd

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/drone-laptop/drone/convert"
)

// shell makes a script what is started for an evaluation: a shell takes the
// argument for the name of a file.
func shell(t *testing.T, script string) Streams {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("there is no shell to stand for the process")
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile(evaluateCommand, []byte(script+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return Streams{Program: "/bin/sh"}
}

// TestEvaluationCrashes: whatever becomes of the process that evaluates, the
// error is that of the file.
func TestEvaluationCrashes(t *testing.T) {
	for script, want := range map[string]string{
		"echo 'runtime: goroutine stack exceeds 1000000000-byte limit' >&2; exit 2": "a.jsonnet: its calls nest too deep",
		"echo 'fatal error: runtime: out of memory' >&2; exit 2":                    "a.jsonnet: it takes more memory than there is",
		"kill -9 $$": "a.jsonnet: it takes more memory than there is",
		"read job; echo 'something else' >&2; echo more >&2; exit 3": "a.jsonnet: it could not be evaluated: exit status 3: something else",
		`read job; echo '{"Failure": "broken"}'`:                     "broken",
		`read job; echo '{"Error": {"Message": "its own"}}'`:         "its own",
	} {
		_, err := shell(t, script).evaluate(t.Context(), convert.Job{Name: "a.jsonnet"}, convert.Told{})
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", script, err, want)
		}
	}
}

// TestEvaluationEnds: the process ends with the context, whatever it does.
func TestEvaluationEnds(t *testing.T) {
	stop := errors.New("stop")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, stop)
	defer cancel()
	_, err := shell(t, "exec sleep 60").evaluate(ctx, convert.Job{Name: "a.jsonnet"}, convert.Told{})
	if !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}
