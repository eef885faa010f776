package testenv

import (
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestLeaksAreSeen shows that leaks are found, so that a package can fail for them.
func TestLeaksAreSeen(t *testing.T) {
	before := descriptors()
	stop, running := make(chan struct{}), make(chan struct{})
	go leaking(running, stop)
	<-running
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	defer r.Close()
	defer close(stop)
	left := leaks(before)
	if !slices.ContainsFunc(left, func(text string) bool { return strings.Contains(text, "testenv.leaking(") }) {
		t.Errorf("a goroutine is not seen: %q", left)
	}
	pipes := slices.DeleteFunc(left, func(text string) bool { return !strings.HasPrefix(text, "a descriptor of pipe:") })
	if runtime.GOOS == "linux" && len(pipes) != 2 {
		t.Errorf("the ends of a pipe are seen as %q", pipes)
	}
}

func leaking(running chan<- struct{}, stop <-chan struct{}) {
	close(running)
	<-stop
}
