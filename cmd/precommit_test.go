package cmd_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/cmd"
)

type preCommitHook struct{ ID, Name, Description, Entry, Language, Files string }

func preCommitHooks(t *testing.T) (hooks []preCommitHook) {
	t.Helper()
	source, err := os.ReadFile("../.pre-commit-hooks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(source, &hooks); err != nil {
		t.Fatal(err)
	}
	if len(hooks) == 0 {
		t.Fatal("there are no hooks")
	}
	return hooks
}

// TestPreCommitHooks sees to it that the hooks for pre-commit are commands of
// this program, for the files of Drone.
func TestPreCommitHooks(t *testing.T) {
	t.Parallel()
	for _, h := range preCommitHooks(t) {
		if h.ID == "" || h.Name == "" || h.Description == "" || h.Language != "golang" {
			t.Errorf("the hook is incomplete: %+v", h)
		}
		words := strings.Fields(h.Entry)
		if len(words) < 2 || words[0] != "drone" {
			t.Errorf("%s: the entry is %q", h.ID, h.Entry)
			continue
		}
		command, rest, err := cmd.New(cmd.Streams{}, cmd.Build{}).Find(words[1:])
		if err != nil || !command.HasParent() {
			t.Errorf("%s: %q is no command: %v", h.ID, h.Entry, err)
			continue
		}
		if err := command.ParseFlags(rest); err != nil {
			t.Errorf("%s: %q: %v", h.ID, h.Entry, err)
		}
		files, err := regexp.Compile(h.Files)
		if err != nil {
			t.Errorf("%s: %v", h.ID, err)
			continue
		}
		for path, want := range map[string]bool{".drone.yml": true, "a/b/.drone.yaml": true, "drone.yml": false, "x.drone.yml": false, ".drone.yml.orig": false} {
			if files.MatchString(path) != want {
				t.Errorf("%s: the pattern matches %s: %t", h.ID, path, !want)
			}
		}
	}
}

// TestSigningHooks runs the hooks about signatures as pre-commit does: with the
// changed files behind the entry, and with the remembered key.
func TestSigningHooks(t *testing.T) {
	t.Parallel()
	entries := map[string]string{}
	for _, h := range preCommitHooks(t) {
		entries[h.ID] = h.Entry
	}
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run := func(want int, args ...string) string {
		t.Helper()
		c := exec.Command(filepath.Join(binary, "drone"), args...)
		c.Dir = dir
		c.Env = append(os.Environ(), "XDG_CONFIG_HOME="+dir, "GIT_CONFIG_NOSYSTEM=1")
		out, err := c.CombinedOutput()
		if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
			t.Fatal(err)
		}
		if got := c.ProcessState.ExitCode(); got != want {
			t.Errorf("drone %s: exit status %d, want %d\n%s", strings.Join(args, " "), got, want, out)
		}
		return string(out)
	}
	hook := func(want int, id string) string {
		t.Helper()
		words := strings.Fields(entries[id])
		if len(words) == 0 {
			t.Fatalf("there is no hook %s", id)
		}
		return run(want, append(words[1:], ".drone.yml", "deploy/.drone.yml")...)
	}
	write(".git/config", "[remote \"origin\"]\n\turl = https://github.com/octo/hello.git\n")
	write(".git/HEAD", "ref: refs/heads/main\n")
	for _, folder := range []string{"objects", "refs"} {
		if err := os.MkdirAll(filepath.Join(dir, ".git", folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write("key", "0123456789abcdefghijklmnopqrstuv\n")
	write(".drone.yml", "kind: pipeline\nname: a\n")
	write("deploy/.drone.yml", "kind: pipeline\r\nname: b\r\n")
	hook(2, "drone-verify") // nobody knows the key
	run(0, "key", "set", "--file", "--key-file", "key")
	hook(1, "drone-verify")
	if out := hook(1, "drone-sign"); !strings.Contains(out, "deploy/.drone.yml\n") || !strings.Contains(out, "2 files were signed anew") {
		t.Errorf("the hook said %s", out)
	}
	hook(0, "drone-verify")
	hook(0, "drone-sign")
	hook(0, "drone-fmt") // what is signed is as canonical as before
	signed, err := os.ReadFile(filepath.Join(dir, "deploy", ".drone.yml"))
	if err != nil || bytes.Count(signed, []byte("\n")) != bytes.Count(signed, []byte("\r\n")) {
		t.Errorf("the line ends changed: %q, %v", signed, err)
	}
	write(".drone.yml", "kind: pipeline\nname: c\n")
	if out := hook(1, "drone-verify"); !strings.Contains(out, ".drone.yml is not signed") {
		t.Errorf("the hook said %s", out)
	}
}
