//go:build unix

package cmd_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const consentFile = "kind: pipeline\ntype: exec\nname: native\nsteps:\n- name: greet\n  commands:\n  - echo hello\n  - \"echo 'hi\\ezz'\"\n"

// TestConsent answers the question for pipelines of type exec in a terminal.
func TestConsent(t *testing.T) {
	t.Parallel()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, ".drone.yml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(consentFile)
	const question = "Run them?"
	type testCase struct {
		name, change, command, answer string
		asked, runs                   bool
		status                        int
	}
	for _, tc := range []testCase{
		{name: "no", command: "drone exec", answer: "n\r", asked: true, status: 2},
		{name: "nothing", command: "drone exec", answer: "\r", asked: true, status: 2},
		{name: "something else, then yes", command: "drone exec", answer: "what\ryes\r", asked: true, runs: true},
		{name: "yes holds once", command: "drone exec", answer: "\x04", asked: true, status: 2},
		{name: "a flag answers", command: "drone exec --host", runs: true},
		{name: "nobody is there", command: "drone exec </dev/null", status: 2},
		{name: "of another platform", change: strings.Replace(consentFile, "steps:", "platform: {os: plan9}\nsteps:", 1), command: "drone exec"},
		{name: "named, and refused", change: consentFile, command: "drone exec --pipeline native", answer: "n\r", asked: true, status: 2},
		{name: "plan does not ask", command: "drone plan"},
		{name: "always", command: "drone exec", answer: "A\r", asked: true, runs: true},
		{name: "always is remembered", command: "drone exec", runs: true},
		{name: "without a terminal, too", command: "drone exec </dev/null", runs: true},
		{name: "a changed file asks again", change: consentFile + "  - echo more\n", command: "drone exec", answer: "n\r", asked: true, status: 2},
		{name: "and does not run by itself", change: consentFile + "  - echo more\n", command: "drone exec </dev/null", status: 2},
		{name: "the text of before is known", change: consentFile, command: "drone exec", runs: true},
		{name: "a file with mistakes is not asked about", change: consentFile + "- name: greet\n", command: "drone exec", status: 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.change != "" {
				write(tc.change)
			}
			s := inTerminal(t, dir, inLines(tc.command), "XDG_STATE_HOME="+filepath.Join(dir, "state"))
			if tc.asked {
				s.until(question)
				if shown := s.screen().String(); !strings.Contains(shown, "greet: echo hello") || !strings.Contains(shown, `greet: echo 'hi\x1bzz'`) {
					t.Errorf("the commands are not shown:\n%s", shown)
				}
				s.press(tc.answer)
			}
			s.end(tc.status)
			shown := s.screen().String()
			if asked := strings.Contains(shown, question); asked != tc.asked {
				t.Errorf("asked: %v, want %v:\n%s", asked, tc.asked, shown)
			}
			if runs := strings.Contains(shown, "[greet:2] hello"); runs != tc.runs {
				t.Errorf("ran: %v, want %v:\n%s", runs, tc.runs, shown)
			}
		})
	}
}

// TestConsentShowsTheEnvironment: variables can change what every command does.
func TestConsentShowsTheEnvironment(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := "kind: pipeline\ntype: exec\nname: native\nsteps:\n- name: one\n  environment:\n" +
		"    PATH: ./bin:$PATH\n    LD_PRELOAD: \"./evil\\e[2K.so\"\n    TOKEN: {from_secret: token}\n    LONG: " + strings.Repeat("x", 130) + "\n" +
		"  commands: [exit 0]\n- name: other\n  environment: {NEVER: shown}\n  when: {event: tag}\n"
	if err := os.WriteFile(filepath.Join(dir, ".drone.yml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := inTerminal(t, dir, "drone exec --secret token=hunter2", "XDG_STATE_HOME="+filepath.Join(dir, "state"))
	s.until("Run them?")
	shown := strings.Join(strings.Fields(s.screen().String()), " ")
	for _, want := range []string{
		`one: environment LD_PRELOAD=./evil\x1b[2K.so one: environment LONG=xxx`, "… (10 more characters) one: environment PATH=./bin:$PATH",
		"one: environment TOKEN from the secret token one: exit 0", "Always means the whole file",
	} {
		if !strings.Contains(strings.ReplaceAll(shown, " ", ""), strings.ReplaceAll(want, " ", "")) {
			t.Errorf("%q is not shown:\n%s", want, shown)
		}
	}
	for _, never := range []string{"hunter2", "NEVER"} {
		if strings.Contains(shown, never) {
			t.Errorf("%q is shown:\n%s", never, shown)
		}
	}
	s.press("n\r")
	s.end(2)
}

// TestConsentThatCannotBeRemembered answers always where no place for that is.
func TestConsentThatCannotBeRemembered(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{".drone.yml": consentFile, "state": "no directory"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := inTerminal(t, dir, inLines("drone exec"), "XDG_STATE_HOME="+filepath.Join(dir, "state"))
	s.until("Run them?")
	s.press("a\r")
	s.end(0)
	if shown := s.screen().String(); !strings.Contains(shown, "the answer was not remembered") || !strings.Contains(shown, "[greet:2] hello") {
		t.Errorf("not said, or not run:\n%s", shown)
	}
}

// trustFile asks for privileges that any engine can give, in pipelines that are
// over at once.
const trustFile = "kind: pipeline\nname: first\nsteps:\n- name: greet\n  image: drone-laptop/busybox:test\n  network_mode: none\n  commands: [echo hello]\n"

// TestTrustInALink demands that an answer about a host volume is about what its
// path leads to: whoever can write there must not turn it into another answer.
func TestTrustInALink(t *testing.T) {
	t.Parallel()
	needEngine(t)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	volume := filepath.Join(dir, "data")
	file := "kind: pipeline\nname: first\nsteps:\n- name: greet\n  image: drone-laptop/busybox:test\n  commands: [echo hello]\n" +
		"  volumes: [{name: data, path: /data}]\nvolumes: [{name: data, host: {path: " + volume + "}}]\n"
	if err := errors.Join(os.Mkdir(volume, 0o700), os.WriteFile(filepath.Join(dir, ".drone.yml"), []byte(file), 0o600)); err != nil {
		t.Fatal(err)
	}
	exec := func(asks, answer string, status int) string {
		t.Helper()
		s := inTerminal(t, dir, "drone exec", "XDG_STATE_HOME="+filepath.Join(dir, "state"))
		if asks != "" {
			s.until(asks)
			s.press(answer)
		}
		s.end(status)
		return strings.Join(strings.Fields(s.screen().String()), " ")
	}
	exec("Allow this?", "a\r", 0)
	exec("", "", 0)
	if err := errors.Join(os.Remove(volume), os.Symlink("/etc", volume)); err != nil {
		t.Fatal(err)
	}
	shown := exec("Allow this?", "n\r", 2)
	for _, want := range []string{`a link to "/etc"`, "enough to become root on this machine"} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q is not shown:\n%s", want, shown)
		}
	}
}

// TestTrust answers the question for privileges in a terminal.
func TestTrust(t *testing.T) {
	t.Parallel()
	needEngine(t)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, ".drone.yml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(trustFile)
	const (
		question = "Allow this?"
		wanted   = `.drone.yml:6:17: step "greet": network_mode "none": no network`
		both     = "Allow both?"
		native   = "---\nkind: pipeline\ntype: exec\nname: native\nsteps:\n- name: here\n  commands: [echo on this machine]\n"
	)
	edited := strings.Replace(trustFile, "echo hello", "echo hello, echo more", 1)
	further := edited + "  shm_size: 1m\n"
	type testCase struct {
		name, change, command, answer string
		env                           string
		asks                          string
		shows                         []string
		runs, here                    bool
		status                        int
	}
	for _, tc := range []testCase{
		{name: "no", command: "drone exec", answer: "n\r", asks: question, shows: []string{wanted, "you have not agreed to what .drone.yml asks for, so nothing was run"}, status: 2},
		{name: "nothing", command: "drone exec", answer: "\r", asks: question, status: 2},
		{name: "end of input", command: "drone exec", answer: "\x04", asks: question, status: 2},
		{name: "yes", command: "drone exec", answer: "y\r", asks: question, runs: true},
		{name: "yes holds once", command: "drone exec </dev/null", status: 2},
		{name: "a flag answers", command: "drone exec --trusted", runs: true},
		{name: "not on a build server", command: "drone exec", env: "CI=true", status: 2},
		{name: "plan does not ask", command: "drone plan", status: 2},
		{name: "lint does not ask", command: "drone lint"},
		{name: "with --host it is asked all the same", command: "drone exec --host", answer: "n\r", asks: question, status: 2},
		{name: "always", command: "drone exec", answer: "a\r", asks: question, runs: true},
		{name: "always is remembered", command: "drone exec", runs: true},
		{name: "without a terminal, too", command: "drone exec </dev/null", runs: true},
		{name: "plan knows", command: "drone plan"},
		{name: "lint does not", command: "drone lint", shows: []string{"[untrusted]"}},
		{name: "other commands do not ask again", change: edited, command: "drone exec", runs: true},
		{name: "a new privilege does", change: further, command: "drone exec", answer: "n\r", asks: question,
			shows: []string{wanted + " (agreed to before)", `step "greet": shm_size of 1048576 bytes: that much memory`}, status: 2},
		{name: "and is not had by itself", command: "drone exec </dev/null", status: 2},
		{name: "another file asks", command: "cp .drone.yml other.yml; drone exec other.yml", answer: "n\r", asks: question, status: 2},
		{name: "both at once, refused", change: further + native, command: "drone exec", answer: "n\r", asks: both,
			shows: []string{"here: echo on this machine", "shm_size"}, status: 2},
		{name: "both at once, always", command: "drone exec", answer: "a\r", asks: both, runs: true, here: true},
		{name: "both are remembered", command: "drone exec </dev/null", runs: true, here: true},
		{name: "then only they are asked about", change: further + strings.Replace(native, "echo on", "echo still on", 1), command: "drone exec", answer: "n\r",
			asks: "Run them?", runs: true},
		{name: "forgotten", command: "drone trust rm", shows: []string{"forgot 3 answers"}},
		{name: "asks again", change: trustFile, command: "drone exec", answer: "n\r", asks: question, status: 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.change != "" {
				write(tc.change)
			}
			s := inTerminal(t, dir, inLines(tc.command), "XDG_STATE_HOME="+filepath.Join(dir, "state"), tc.env)
			if tc.asks != "" {
				s.until(tc.asks)
				s.press(tc.answer)
			}
			s.end(tc.status)
			shown := s.screen().String()
			if tc.asks == "" && strings.Contains(shown, "[y]es") {
				t.Errorf("asked:\n%s", shown)
			}
			for _, text := range tc.shows {
				if !strings.Contains(together(s.bytes()), together(text)) {
					t.Errorf("%q is not shown:\n%s", text, shown)
				}
			}
			if runs := strings.Contains(shown, "greet:2] hello"); runs != tc.runs {
				t.Errorf("ran: %v, want %v:\n%s", runs, tc.runs, shown)
			}
			if here := strings.Contains(shown, "here:2] on this machine"); here != tc.here {
				t.Errorf("ran on this machine: %v, want %v:\n%s", here, tc.here, shown)
			}
		})
	}
}

// inLines has a run leave its lines in the terminal, where a test looks for them.
func inLines(command string) string {
	return strings.Replace(command, "drone exec", "drone exec --output board", 1)
}

// together drops white space: a terminal breaks long lines anywhere.
func together(text string) string { return strings.Join(strings.Fields(text), "") }
