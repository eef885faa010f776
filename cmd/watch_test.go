//go:build unix

package cmd_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/drone-laptop/drone/remote"
	"github.com/drone-laptop/drone/remote/servertest"
	"github.com/drone-laptop/drone/tui/termtest"
)

// onServer starts a command in a terminal, for a server of its own.
func onServer(t *testing.T, command string) (*servertest.Server, *session) {
	t.Helper()
	server := servertest.Example()
	t.Cleanup(server.Close)
	s := inTerminal(t, t.TempDir(), command, "DRONE_SERVER="+server.URL, "DRONE_TOKEN="+servertest.Token)
	s.mu.Lock()
	s.full = true
	s.mu.Unlock()
	return server, s
}

// shows waits until the terminal shows each of some texts.
func (s *session) shows(texts ...string) {
	s.t.Helper()
	for _, text := range texts {
		s.until(text)
	}
}

// TestWatch goes through the builds of a repository: a list, a build in it whose
// log grows, and what keys do about it.
func TestWatch(t *testing.T) {
	t.Parallel()
	server, s := onServer(t, "drone watch octo/hello --all")
	s.shows("builds of octo/hello", "▌● #3", "✘ #2", "mend the tests")
	if !s.screen().Modes[termtest.AlternateScreen] {
		t.Error("the list is not on a screen of its own")
	}
	s.press("\r")
	s.shows("octo/hello#3", "● test", "+ go test ./...", "○ deploy")
	test := remote.StepRef{Build: 3, Stage: 1, Step: 2}
	for n := range 50 {
		server.Print(servertest.Hello, test, fmt.Sprintf("line %d", n))
	}
	s.shows("line 49")
	s.press("X")
	s.shows("cancel octo/hello#3? y n")
	s.press("y")
	s.shows("■ test", "■ killed", "build 3 is cancelled") // no event says so
	s.press("q")
	s.shows("builds of octo/hello", "■ #3")
	s.press("jRy")
	s.shows("build 4 is started", "○ #4")
	s.press("q")
	s.end(0)
	s.noQuestion()
	if text := s.screen().String(); strings.TrimSpace(text) != "" {
		t.Errorf("there is something left in the terminal:\n%s", text)
	}
	if b := server.Build(servertest.Hello, 3); b.Status != remote.StateKilled {
		t.Errorf("the build is %s", b.Status)
	}
}

// TestWatchApproves a build that waits for that, and shows how it goes on.
func TestWatchApproves(t *testing.T) {
	t.Parallel()
	server := servertest.Example()
	t.Cleanup(server.Close)
	server.SetPipelines(servertest.Hello, []servertest.Pipeline{
		{Name: "build", Blocked: true, Steps: []servertest.Step{{Name: "test", Output: []string{"PASS"}}}},
		{Name: "other", Steps: []servertest.Step{{Name: "look", Output: []string{"fine"}}}},
	}, "")
	number := server.Push(servertest.Hello, remote.Build{})
	s := inTerminal(t, t.TempDir(), fmt.Sprint("drone watch octo/hello ", number), "DRONE_SERVER="+server.URL, "DRONE_TOKEN="+servertest.Token)
	s.mu.Lock()
	s.full = true
	s.mu.Unlock()
	s.shows("○ build", "it waits until somebody approves it")
	s.press("A")
	s.shows("approve pipeline build of octo/hello#4? y n")
	s.press("y")
	s.shows("approved build")
	server.Play(servertest.Hello, number)
	s.shows("✔ test", "success")
	s.press("\x03") // of the build
	s.shows("builds of octo/hello", "✔ #4")
	s.press("\x03")
	s.end(0)
	s.noQuestion()
	if text := s.screen().String(); strings.TrimSpace(text) != "" {
		t.Errorf("there is something left in the terminal:\n%s", text)
	}
}

// TestWatchRefused: a build that cannot run says why.
func TestWatchRefused(t *testing.T) {
	t.Parallel()
	server := servertest.Example()
	t.Cleanup(server.Close)
	server.SetPipelines(servertest.Hello, nil, "yaml: line 3: oops")
	number := server.Push(servertest.Hello, remote.Build{})
	s := inTerminal(t, t.TempDir(), fmt.Sprint("drone watch octo/hello ", number), "DRONE_SERVER="+server.URL, "DRONE_TOKEN="+servertest.Token)
	s.mu.Lock()
	s.full = true
	s.mu.Unlock()
	s.shows("✘ error", "the server refuses the build: yaml: line 3: oops")
	s.press("q")
	s.shows("builds of octo/hello", "✘ #4", "oops")
	s.press("q")
	s.end(0)
}

// TestFollowOnScreen: a build that is followed has the whole terminal, which is
// left when it has succeeded, with a summary.
func TestFollowOnScreen(t *testing.T) {
	t.Parallel()
	server, s := onServer(t, "drone build restart octo/hello 1 --follow")
	s.shows("octo/hello#4", "○ build")
	server.Play(servertest.Hello, 4)
	s.end(0)
	s.noQuestion()
	text := s.screen().String()
	if !strings.Contains(text, "✔ publish  success") || strings.Contains(text, "follow") {
		t.Errorf("the summary is not what is left in the terminal:\n%s", text)
	}
}

// TestFollowInterrupted: whoever does not look any more leaves the build alone.
func TestFollowInterrupted(t *testing.T) {
	t.Parallel()
	server, s := onServer(t, "exec drone log follow octo/hello 3 --output plain")
	s.shows("[build/test:1] + go test ./...")
	s.press("\x03")
	s.end(130)
	if b := server.Build(servertest.Hello, 3); b.Status != remote.StateRunning {
		t.Errorf("the build is %s", b.Status)
	}
	if text := s.screen().String(); !strings.Contains(text, "leaving the build, which goes on") {
		t.Errorf("nothing tells that the build goes on:\n%s", text)
	}
}
