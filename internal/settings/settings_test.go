package settings_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/internal/settings"
)

// write makes a file of settings, none for an empty text.
func write(t *testing.T, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "drone", "config.yaml")
	if text == "" {
		return path
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, path string) *settings.File {
	t.Helper()
	f, err := settings.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// changed is the text of a file after a change.
func changed(t *testing.T, path string, do func(*settings.File)) string {
	t.Helper()
	if err := settings.Change(path, func(f *settings.File) error { do(f); return nil }); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAll(t *testing.T) {
	f := open(t, write(t, "# mine\nexec:\n  timeout: 30m\n  trusted: yes\n  pipeline: [a, 010]\n  out:\nruns: {rm: {older-than: 7d}}\nlint:\n  strict: {}\nlint.info: true\nx: &x 1\ny: *x\n"))
	list, problems := f.All()
	want := []settings.Setting{
		{Key: "exec.timeout", Values: []string{"30m"}, Line: 3, Column: 12},
		{Key: "exec.trusted", Values: []string{"yes"}, Line: 4, Column: 12},
		{Key: "exec.pipeline", Values: []string{"a", "010"}, Line: 5, Column: 13},
		{Key: "runs.rm.older-than", Values: []string{"7d"}, Line: 7, Column: 25},
		{Key: "lint.info", Values: []string{"true"}, Line: 10, Column: 12},
		{Key: "x", Values: []string{"1"}, Line: 11, Column: 4},
	}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Error(diff)
	}
	if len(problems) != 1 || !strings.HasSuffix(problems[0].Error(), "config.yaml:12:4: y has no value") {
		t.Errorf("problems: %v", problems)
	}
}

// TestSetKeepsTheRest compares whole files: what is not changed stays as it was
// written.
func TestSetKeepsTheRest(t *testing.T) {
	for _, test := range []struct{ name, before, key, value, after string }{
		{"new file", "", "exec.timeout", "5m", "exec:\n  timeout: 5m\n"},
		{"another value", "# mine\n\nexec:\n    # as the server\n    timeout: 30m # long\n\n    pretty: false\n", "exec.timeout", "5m",
			"# mine\n\nexec:\n    # as the server\n    timeout: 5m # long\n\n    pretty: false\n"},
		{"another key", "exec:\n\n    timeout: 30m # long\n\n# about lint\nlint:\n    strict: true\n", "exec.tag", "1.10",
			"exec:\n\n    timeout: 30m # long\n    tag: 1.10\n\n# about lint\nlint:\n    strict: true\n"},
		{"another command", "# mine\nexec:\n  timeout: 30m\n\n# the end\n", "runs.rm.older-than", "7d",
			"# mine\nexec:\n  timeout: 30m\nruns:\n  rm:\n    older-than: 7d\n\n# the end\n"},
		{"a command below", "runs:\n  all: true\n", "runs.rm.all", "true", "runs:\n  all: true\n  rm:\n    all: true\n"},
		{"nothing but comments", "# mine\n\n# and more\n", "exec.timeout", "5m", "# mine\n\n# and more\nexec:\n  timeout: 5m\n"},
		{"no line end", "exec:\n  timeout: 30m", "exec.tag", "x", "exec:\n  timeout: 30m\n  tag: x\n"},
		{"other line ends", "exec:\r\n  # mine\r\n  timeout: 1m # x\r\n\r\n# more\r\nlint:\r\n  strict: true\r\n", "exec.timeout", "2m",
			"exec:\r\n  # mine\r\n  timeout: 2m # x\r\n\r\n# more\r\nlint:\r\n  strict: true\r\n"},
		{"other line ends, another key", "exec:\r\n  timeout: 1m\r\n", "exec.tag", "x", "exec:\r\n  timeout: 1m\r\n  tag: x\r\n"},
		{"a byte order mark", "\ufeffexec:\n  timeout: 1m\n", "exec.tag", "x", "\ufeffexec:\n  timeout: 1m\n  tag: x\n"},
		{"joined by dots", "exec.timeout: 1m\n", "exec.timeout", "2m", "exec.timeout: 2m\n"},
		{"beside one joined by dots", "runs.rm: {all: true}\n", "runs.rm.all", "false", "runs.rm: {all: false}\n"},
		{"flow style", "# mine\nexec: {timeout: 1m} # here\n", "exec.tag", "x", "# mine\nexec: {timeout: 1m, tag: x} # here\n"},
		{"a list in lines", "exec:\n  pipeline:\n  - a\n  - b\n", "exec.pipeline", "c", "exec:\n  pipeline: c\n"},
		{"behind a text of several lines", "exec:\n  message: |\n    one\n    two\n", "exec.tag", "x", "exec:\n  message: |\n    one\n    two\n  tag: x\n"},
		{"a command without settings", "exec:\nlint:\n  strict: true\n", "exec.tag", "x", "exec:\n  tag: x\nlint:\n  strict: true\n"},
		{"a value in place of a command", "exec: 5\n", "exec.tag", "x", "exec:\n  tag: x\n"},
		{"odd values", "exec:\n  timeout: 1m\n", "exec.param", "a=b: c", "exec:\n  timeout: 1m\n  param: 'a=b: c'\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := changed(t, write(t, test.before), func(f *settings.File) { f.Set(test.key, test.value) }); got != test.after {
				t.Errorf("got\n%q\nwant\n%q", got, test.after)
			}
		})
	}
}

func TestSetSeveral(t *testing.T) {
	path := write(t, "exec:\n  timeout: 30m\n")
	got := changed(t, path, func(f *settings.File) {
		f.Set("exec.pipeline", "a", "b, c")
		f.Set("exec.pipeline", "a", "d, c")
		f.Set("lint.strict", "true")
		f.Set("exec.timeout", "5m")
	})
	if want := "exec:\n  timeout: 5m\n  pipeline: [a, 'd, c']\nlint:\n  strict: true\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestEveryValueIsReadAsItWasSet(t *testing.T) {
	for _, value := range []string{"", "null", "~", "yes", "0x10", "- a", "a: b", "# no comment", "two\nlines", "[a]", "'", `"`, "*x", "!x", "@", " blank ", "é"} {
		path := write(t, "")
		changed(t, path, func(f *settings.File) {
			f.Set("a.b", value)
			f.Set("a.c", value, value)
			f.Set("a.b", value)
		})
		list, problems := open(t, path).All()
		if len(problems) > 0 || len(list) != 2 || list[0].Values[0] != value || list[1].Values[1] != value {
			t.Errorf("%q: got %v, %v", value, list, problems)
		}
	}
}

func TestUnset(t *testing.T) {
	path := write(t, "runs:\n  rm:\n    older-than: 7d\nexec: {timeout: 1m, tag: x}\n")
	got := changed(t, path, func(f *settings.File) {
		for key, want := range map[string]bool{"runs.rm.older-than": true, "exec.tag": true, "exec.absent": false, "nothing": false, "exec.timeout.more": false} {
			if got := f.Unset(key); got != want {
				t.Errorf("%s: %t", key, got)
			}
		}
	})
	if got != "exec: {timeout: 1m}\n" {
		t.Errorf("left: %q", got)
	}
	if got := changed(t, path, func(f *settings.File) { f.Unset("exec.timeout") }); got != "" {
		t.Errorf("left: %q", got)
	}
	path = write(t, "# mine\n\nexec:\n  # why\n  timeout: 1m\n\n  # as the server\n  tag: x\n\nrm.all: true\n")
	if got, want := changed(t, path, func(f *settings.File) { f.Unset("exec.timeout"); f.Unset("rm.all") }), "# mine\n\nexec:\n\n  # as the server\n  tag: x\n\n"; got != want {
		t.Errorf("left: %q, want %q", got, want)
	}
}

func TestAFileIsForItsOwner(t *testing.T) {
	path := write(t, "")
	changed(t, path, func(f *settings.File) { f.Set("exec.timeout", "1m") })
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm()&0o077 != 0 || open(t, path).OthersMayWrite() {
		t.Errorf("mode %v", info.Mode())
	}
	if runtime.GOOS == "windows" {
		return
	}
	if err := os.Chmod(path, 0o606); err != nil {
		t.Fatal(err)
	}
	if !open(t, path).OthersMayWrite() {
		t.Error("a file that everybody can write to is taken for one of its owner alone")
	}
	if err := errors.Join(os.Chmod(path, 0o600), os.Chmod(filepath.Dir(path), 0o777)); err != nil {
		t.Fatal(err)
	}
	if !open(t, path).OthersMayWrite() {
		t.Error("a folder that everybody can write to is taken for one of its owner alone")
	}
}

// TestNoChangeIsLost has several change the file at the same time, as processes
// do.
func TestNoChangeIsLost(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: no lock of folders here")
	}
	path := write(t, "# mine\n")
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			key := fmt.Sprintf("exec.flag%d", i)
			if err := settings.Change(path, func(f *settings.File) error { f.Set(key, "x"); return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if list, _ := open(t, path).All(); len(list) != 20 {
		t.Errorf("%d of 20 are there: %v", len(list), list)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestBadFiles(t *testing.T) {
	for text, want := range map[string]string{
		"exec: [":                            "config.yaml:1: did not find",
		"exec:\n\ttimeout: 1m\n":             "config.yaml:2: found character that cannot start any token",
		"exec:\n  timeout: 1m\x00\n":         "config.yaml: control characters",
		"exec: *x\n":                         "config.yaml: unknown anchor",
		"- a\n":                              "config.yaml:1:1: is no map",
		"word":                               "config.yaml:1:1: is no map",
		strings.Repeat("#", 2<<20):           "config.yaml: cannot be read: it has more than",
		"exec:\n  tag: x\n---\nlint:\n":      "config.yaml:3: a second document begins",
		"exec:\n  tag: x\n---\n[":            "config.yaml:4: did not find",
		"exec:\n  tag: x\nexec:\n  tag: y\n": "config.yaml:3:1: exec is there twice, also in line 1",
		"exec: {tag: x, tag: y}\n":           "config.yaml:1:16: exec.tag is there twice",
		"exec:\n  tag: x\nexec.tag: y\n":     "config.yaml:3:1: exec.tag is there twice, also in line 2",
	} {
		path := write(t, text)
		_, err := settings.Open(path)
		wrong, ok := errors.AsType[*settings.Error](err)
		if !ok || !strings.Contains(err.Error(), want) || wrong.Path != path {
			t.Errorf("%.20q: %v, want %q", text, err, want)
			continue
		}
		err = settings.Change(path, func(f *settings.File) error { f.Set("exec.tag", "x"); return nil })
		if after, _ := os.ReadFile(path); err == nil || string(after) != text {
			t.Errorf("%.20q was changed", text)
		}
	}
	if _, err := settings.Open(t.TempDir()); err == nil {
		t.Error("a directory is taken for a file")
	}
}

func TestFilesThatCannotBeWritten(t *testing.T) {
	set := func(f *settings.File) error { f.Set("exec.tag", "x"); return nil }
	link := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.Symlink(filepath.Join(t.TempDir(), "absent"), link); err != nil {
		t.Skip("SKIPPED: no symbolic links here: ", err)
	}
	in := filepath.Join(write(t, "exec:\n"), "drone", "config.yaml") // below a file
	for path, want := range map[string]string{link: "it is a link to a file that is not there", in: "cannot be written: not a directory"} {
		err := settings.Change(path, set)
		wrong, ok := errors.AsType[*settings.Error](err)
		if !ok || !strings.Contains(wrong.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	// A link to a file stays one.
	if err := os.WriteFile(filepath.Join(filepath.Dir(link), "absent"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(link), os.Symlink("absent", link), settings.Change(link, set)); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v, %v", info, err)
	}
}
