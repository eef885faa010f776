package cmd

import (
	"errors"
	"strings"
	"testing"

	"github.com/drone-laptop/drone/exec"
)

// TestParseBind is about what a path means on each system; that of hostpath has
// the forms.
func TestParseBind(t *testing.T) {
	for _, test := range []struct {
		goos, dir, text string
		want            exec.Bind
	}{
		{"linux", "/home/me", "/a/../b:/b", exec.Bind{Host: "/b", Path: "/b"}},
		{"linux", "/home/me", ".:/b:ro", exec.Bind{Host: "/home/me", Path: "/b", ReadOnly: true}},
		{"linux", "/mnt/c/src", "../x:/b:rw", exec.Bind{Host: "/mnt/c/x", Path: "/b"}},
		{"linux", "/home/me", "d:/b", exec.Bind{Host: "/home/me/d", Path: "/b"}},
		{"darwin", "/Users/me", "src:/b", exec.Bind{Host: "/Users/me/src", Path: "/b"}},
		{"windows", `C:\Users\me`, `D:\src:/b`, exec.Bind{Host: `D:\src`, Path: "/b"}},
		{"windows", `C:\Users\me`, "src/sub:/b:ro", exec.Bind{Host: `C:\Users\me\src\sub`, Path: "/b", ReadOnly: true}},
		{"windows", `C:\Users\me`, "/d/src:/b", exec.Bind{Host: `D:\src`, Path: "/b"}},
		{"windows", `C:\Users\me`, "//c/src:/b:ro", exec.Bind{Host: `C:\src`, Path: "/b", ReadOnly: true}},
		{"linux", "/home/me", "/c/src:/b", exec.Bind{Host: "/c/src", Path: "/b"}},
		{"windows", `C:\Users\me`, `\\server\share:/b`, exec.Bind{Host: `\\server\share`, Path: "/b"}},
		{"windows", `\\wsl.localhost\Ubuntu\home\me`, `src:/b`, exec.Bind{Host: `\\wsl.localhost\Ubuntu\home\me\src`, Path: "/b"}},
	} {
		if got, err := parseBind(test.goos, test.dir, test.text); err != nil || got != test.want {
			t.Errorf("%s: %q: got %v and %v, want %v", test.goos, test.text, got, err, test.want)
		}
	}
	for text, want := range map[string]string{
		"/a":                          "write --volume /on/this/machine",
		"/a:/b:z":                     "write --volume /on/this/machine",
		`C:\Users\me\src:/b`:          "WSL has it at /mnt/c/Users/me/src",
		"c:/src:/b":                   "WSL has it at /mnt/c/src",
		`\\wsl$\Ubuntu\home\me:/b`:    "WSL has it at /home/me",
		`\\server\share:/b`:           "write --volume /on/this/machine",
		`\\.\pipe\docker_engine:/p/p`: "write --volume /on/this/machine",
	} {
		_, err := parseBind("linux", "/home/me", text)
		var f *failure
		if !errors.As(err, &f) || f.status != StatusUsage || !strings.Contains(f.hint, want) {
			t.Errorf("%q on Linux: %+v, want a hint with %q", text, f, want)
		}
	}
}
