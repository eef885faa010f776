package testenv

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestLack: nothing is passed over on a build server.
func TestLack(t *testing.T) {
	for ci, want := range map[string]string{"": "skipped SKIPPED: no engine 5", "true": "failed no engine 5"} {
		t.Setenv("CI", ci)
		r := &recorder{TB: t}
		if r.lack("no engine %d", 5); r.said != want {
			t.Errorf("with CI=%q: %q, want %q", ci, r.said, want)
		}
	}
}

func TestMissing(t *testing.T) {
	if got := Missing(); got != "" {
		t.Errorf("of nothing there is missing %q", got)
	}
	t.Setenv("PATH", t.TempDir())
	if got := Missing("this", "that"); got != "this is not installed" {
		t.Errorf("got %q", got)
	}
}

// TestWithin: what is slow once is not, what is slow each time is.
func TestWithin(t *testing.T) {
	const bound = 20 * time.Millisecond
	for slow, want := range map[int]string{0: "", 1: "", 3: "failed"} {
		r, calls := &recorder{TB: t}, 0
		Within(r, bound, func() {
			if calls++; calls <= slow {
				time.Sleep(2 * bound)
			}
		})
		if !strings.HasPrefix(r.said, want) || (r.said == "") != (want == "") {
			t.Errorf("slow %d times: %q, want %q", slow, r.said, want)
		}
	}
}

// recorder is a test that does not end.
type recorder struct {
	testing.TB
	said string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.said += "failed " + fmt.Sprintf(format, args...)
}

func (r *recorder) Skip(args ...any) { r.said += "skipped " + fmt.Sprint(args...) }

func (r *recorder) Fatalf(format string, args ...any) {
	// A real one ends the test here, and is not skipped.
	r.said += "failed " + fmt.Sprintf(format, args...)
	panic(r)
}

// lack calls Lack, to whatever end.
func (r *recorder) lack(format string, args ...any) {
	defer func() { _ = recover() }()
	Lack(r, format, args...)
}
