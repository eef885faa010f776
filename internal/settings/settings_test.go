package settings_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/internal/settings"
)

func open(t *testing.T, text string) *settings.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "drone", "config.yaml")
	if text != "" {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, err := settings.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func saved(t *testing.T, f *settings.File) string {
	t.Helper()
	if err := f.Save(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAll(t *testing.T) {
	f := open(t, "# mine\nexec:\n  timeout: 30m\n  trusted: yes\n  pipeline: [a, 010]\n  out:\nruns: {rm: {older-than: 7d}}\nlint:\n  strict: {}\nx: &x 1\ny: *x\n")
	list, problems := f.All()
	want := []settings.Setting{
		{Key: "exec.timeout", Values: []string{"30m"}, Line: 3},
		{Key: "exec.trusted", Values: []string{"yes"}, Line: 4},
		{Key: "exec.pipeline", Values: []string{"a", "010"}, Line: 5},
		{Key: "runs.rm.older-than", Values: []string{"7d"}, Line: 7},
		{Key: "x", Values: []string{"1"}, Line: 10},
	}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Error(diff)
	}
	if len(problems) != 1 || problems[0].Line != 11 {
		t.Errorf("problems: %v", problems)
	}
}

func TestSetKeepsTheRest(t *testing.T) {
	f := open(t, "# mine\nexec:\n  # as the server\n  timeout: 30m # long\n  pretty: false\n")
	f.Set("exec.timeout", "5m")
	f.Set("exec.pipeline", "a", "b, c")
	f.Set("exec.tag", "1.10")
	f.Set("lint.strict", "true")
	f.Set("exec.param", "a=b: c")
	want := `# mine
exec:
  # as the server
  timeout: 5m # long
  pretty: false
  pipeline: [a, 'b, c']
  tag: 1.10
  param: 'a=b: c'
lint:
  strict: true
`
	if got := saved(t, f); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	again, err := settings.Open(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	list, _ := again.All()
	got := map[string]string{}
	for _, s := range list {
		got[s.Key] = strings.Join(s.Values, "|")
	}
	if diff := cmp.Diff(map[string]string{
		"exec.timeout": "5m", "exec.pretty": "false", "exec.pipeline": "a|b, c", "exec.tag": "1.10", "lint.strict": "true", "exec.param": "a=b: c",
	}, got); diff != "" {
		t.Error(diff)
	}
}

func TestEveryValueIsReadAsItWasSet(t *testing.T) {
	for _, value := range []string{"", "null", "~", "yes", "0x10", "- a", "a: b", "# no comment", "two\nlines", "[a]", "'", `"`, "*x", "!x", "@", " blank ", "é"} {
		f := open(t, "")
		f.Set("a.b", value)
		f.Set("a.c", value, value)
		saved(t, f)
		again, err := settings.Open(f.Path)
		if err != nil {
			t.Errorf("%q: %v", value, err)
			continue
		}
		list, problems := again.All()
		if len(problems) > 0 || len(list) != 2 || list[0].Values[0] != value || list[1].Values[1] != value {
			t.Errorf("%q: got %v, %v", value, list, problems)
		}
	}
}

func TestUnset(t *testing.T) {
	f := open(t, "runs:\n  rm:\n    older-than: 7d\nexec: {timeout: 1m, tag: x}\n")
	for key, want := range map[string]bool{"runs.rm.older-than": true, "exec.tag": true, "exec.absent": false, "nothing": false, "exec.timeout.more": false} {
		if got := f.Unset(key); got != want {
			t.Errorf("%s: %t", key, got)
		}
	}
	if got := saved(t, f); got != "exec: {timeout: 1m}\n" {
		t.Errorf("left: %q", got)
	}
	f.Unset("exec.timeout")
	if got := saved(t, f); got != "" {
		t.Errorf("left: %q", got)
	}
}

func TestAFileIsForItsOwner(t *testing.T) {
	f := open(t, "")
	f.Set("exec.timeout", "1m")
	saved(t, f)
	info, err := os.Stat(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		t.Errorf("mode %v", info.Mode())
	}
}

func TestBadFiles(t *testing.T) {
	for text, want := range map[string]string{
		"exec: [": "line 1", "- a\n": ":1: is no map", "word": "is no map", strings.Repeat("#", 2<<20): "more than",
	} {
		path := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := settings.Open(path)
		wrong, ok := errors.AsType[*settings.Error](err)
		if !ok || !strings.Contains(err.Error(), want) || wrong.Path != path {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	if _, err := settings.Open(t.TempDir()); err == nil {
		t.Error("a directory is taken for a file")
	}
}
