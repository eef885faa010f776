package facts

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// sandbox is a folder with git repositories, made with the real git and shut
// off from the configuration of the machine.
type sandbox struct {
	t    testing.TB
	dir  string
	date string // of commits, "" for the usual one
}

// at is the sandbox at another time.
func (s sandbox) at(date string) sandbox {
	s.date = date
	return s
}

func newSandbox(t testing.TB) sandbox {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed; the facts of real repositories are not tested")
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	home := filepath.Join(dir, "home")
	if err := os.Mkdir(home, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, ".config"))
	return sandbox{t: t, dir: dir}
}

func (s sandbox) path(parts ...string) string {
	return filepath.Join(append([]string{s.dir}, parts...)...)
}

// git runs git in a folder of the sandbox and returns what it prints.
func (s sandbox) git(dir string, args ...string) string {
	s.t.Helper()
	date := s.date
	if date == "" {
		date = "2024-01-02T03:04:05Z"
	}
	cmd := exec.Command("git", args...)
	cmd.Dir = s.path(dir)
	cmd.Env = append(os.Environ(),
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull, "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=Ada Lovelace", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_AUTHOR_DATE="+date,
		"GIT_COMMITTER_NAME=Ada Lovelace", "GIT_COMMITTER_EMAIL=ada@example.com", "GIT_COMMITTER_DATE="+date,
		"GIT_ALLOW_PROTOCOL=file", "GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_1=gc.auto", "GIT_CONFIG_VALUE_1=0",
		"GIT_CONFIG_KEY_0=protocol.file.allow", "GIT_CONFIG_VALUE_0=always",
	)
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func (s sandbox) write(name, text string) {
	s.t.Helper()
	name = s.path(name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s sandbox) commit(dir, message string) string {
	s.t.Helper()
	s.git(dir, "add", "-A")
	s.git(dir, "commit", "-q", "--allow-empty", "-m", message)
	return s.git(dir, "rev-parse", "HEAD")
}

// checkout is a repository "hello" on branch main with two commits and a
// remote; it returns their ids.
func (s sandbox) checkout() (first, second string) {
	s.t.Helper()
	s.git(".", "init", "-q", "-b", "main", "hello")
	s.git("hello", "remote", "add", "origin", "https://github.com/octocat/hello.git")
	s.write("hello/a.txt", "one\n")
	first = s.commit("hello", "first")
	s.write("hello/sub/b.txt", "two\n")
	second = s.commit("hello", "second\n\nwith a body\n")
	return first, second
}
