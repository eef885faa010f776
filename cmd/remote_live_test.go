//go:build unix

package cmd_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/drone-laptop/drone/remote"
	"github.com/drone-laptop/drone/remote/servertest"
)

// inServerTerminal runs a command in a terminal that asks the example server.
func inServerTerminal(t *testing.T, command string, env ...string) (*session, *servertest.Server) {
	t.Helper()
	server := servertest.Example()
	t.Cleanup(server.Close)
	dir := t.TempDir()
	env = append(env, "SERVER="+server.URL, "XDG_CONFIG_HOME="+filepath.Join(dir, "config"), "DBUS_SESSION_BUS_ADDRESS=", "DISPLAY=", "WAYLAND_DISPLAY=", "CI=")
	return inTerminal(t, dir, command, env...), server
}

// TestLoginOnATerminal: the token is asked for, and not shown.
func TestLoginOnATerminal(t *testing.T) {
	t.Parallel()
	s, server := inServerTerminal(t, "exec drone login $SERVER --file", "DRONE_SERVER=", "DRONE_TOKEN=")
	s.until("your token is on " + server.URL + "/account")
	s.until("Token for " + server.URL + " (not shown):")
	s.press(servertest.Token + "\r")
	s.end(0)
	if got := s.bytes(); strings.Contains(got, servertest.Token) || !strings.Contains(got, "logged in to "+server.URL+" as octocat") {
		t.Errorf("the terminal shows %q", got)
	}
	text, err := os.ReadFile(filepath.Join(s.command.Dir, "config", "drone", "profiles.yaml"))
	if err != nil || !strings.Contains(string(text), "server: "+server.URL) {
		t.Errorf("%s, %v", text, err)
	}
}

// TestConfirm: what cannot be undone asks, and only a yes does it.
func TestConfirm(t *testing.T) {
	t.Parallel()
	for answer, deleted := range map[string]bool{"y\r": true, "YES\r": true, "\r": false, "n\r": false, "maybe\r": false, "\x04": false} {
		s, server := inServerTerminal(t, "DRONE_SERVER=$SERVER exec drone secret rm octo/hello npm_token", "DRONE_TOKEN="+servertest.Token)
		s.until("This would delete the secret npm_token of octo/hello. Do it? [y]es, [N]o:")
		s.press(answer)
		if deleted {
			s.end(0)
		} else {
			s.end(2)
		}
		if _, there := server.SecretValue(servertest.Hello, "npm_token"); there == deleted {
			t.Errorf("%q: the secret is there: %t", answer, there)
		}
	}
}

// TestTablesFitTheTerminal has what comes from a server, maybe from anybody who can
// push, fill and change a terminal.
func TestTablesFitTheTerminal(t *testing.T) {
	t.Parallel()
	server := servertest.Example()
	t.Cleanup(server.Close)
	server.Push(servertest.Hello, remote.Build{Message: "\x1b[31mred\x1b]0;title\a " + strings.Repeat("wide 日本語 ", 40) + "\nsecond line"})
	s := inTerminal(t, t.TempDir(), "exec drone build ls octo/hello", "DRONE_SERVER="+server.URL, "DRONE_TOKEN="+servertest.Token)
	s.end(0)
	all := strings.Split(strings.TrimRight(s.bytes(), "\r\n"), "\n")
	if len(all) != 5 {
		t.Errorf("%d lines: %q", len(all), all)
	}
	for _, line := range all {
		if w := ansi.StringWidth(strings.TrimRight(line, "\r")); w > columns {
			t.Errorf("%d columns: %q", w, line)
		}
		if strings.Contains(line, "\x1b]") || strings.Contains(line, "\x1b[31mred") || strings.Contains(line, "second") {
			t.Errorf("what somebody has written changes the terminal: %q", line)
		}
	}
	if !strings.Contains(s.bytes(), "\x1b[31mfailure") {
		t.Errorf("no colour: %q", s.bytes())
	}
}
