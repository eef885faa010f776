package hostpath

import (
	"path/filepath"
	"runtime"
	"testing"
)

func TestParseBind(t *testing.T) {
	for text, want := range map[string]Bind{
		"/a:/b":    {Host: "/a", Path: "/b"},
		"/a:/b:ro": {Host: "/a", Path: "/b", ReadOnly: true},
		"/a:/b:rw": {Host: "/a", Path: "/b"},
		".:/b":     {Host: ".", Path: "/b"},
		"d:/b":     {Host: "d", Path: "/b"},
		"d:/b:ro":  {Host: "d", Path: "/b", ReadOnly: true},
		"1:/b":     {Host: "1", Path: "/b"},

		"/Users/me/src:/b":                          {Host: "/Users/me/src", Path: "/b"},
		"/mnt/c/src:/b":                             {Host: "/mnt/c/src", Path: "/b"},
		`c:\Users\me:/b`:                            {Host: `c:\Users\me`, Path: "/b"},
		`C:\:/b`:                                    {Host: `C:\`, Path: "/b"},
		"C:/Users/me:/b":                            {Host: "C:/Users/me", Path: "/b"},
		"C:/Users:/b:ro":                            {Host: "C:/Users", Path: "/b", ReadOnly: true},
		`\\server\share\dir:/b`:                     {Host: `\\server\share\dir`, Path: "/b"},
		"//server/share:/b:ro":                      {Host: "//server/share", Path: "/b", ReadOnly: true},
		`\\wsl.localhost\Ubuntu\home\me:/b`:         {Host: `\\wsl.localhost\Ubuntu\home\me`, Path: "/b"},
		`\\wsl$\Ubuntu\home\me:/b`:                  {Host: `\\wsl$\Ubuntu\home\me`, Path: "/b"},
		`src\sub:/b`:                                {Host: `src\sub`, Path: "/b"},
		"/var/run/docker.sock:/var/run/docker.sock": {Host: "/var/run/docker.sock", Path: "/var/run/docker.sock"},

		"/a":              {},
		"/a:":             {},
		":/b":             {},
		"":                {},
		"/a:b":            {},
		"/a:/b:z":         {},
		"/a:/b:":          {},
		"/a:/b:ro:/c":     {},
		`c:\Users\me`:     {},
		`c:\a:d:\b`:       {},
		"C:/Users/me:ro:": {},
	} {
		got, err := ParseBind(text)
		if (err != nil) != (want == Bind{}) || got != want {
			t.Errorf("%q: got %v and %v, want %v", text, got, err, want)
		}
	}
}

func TestAbs(t *testing.T) {
	for _, test := range []struct{ goos, dir, path, want string }{
		{"linux", "/home/me", "src", "/home/me/src"},
		{"linux", "/home/me", "/a//b/../c/", "/a/c"},
		{"linux", "/home/me", "..", "/home"},
		{"linux", "/home/me", "../../../x", "/x"},
		{"linux", "/mnt/c/src", ".", "/mnt/c/src"},
		{"darwin", "/Users/me", "./a b", "/Users/me/a b"},
		{"darwin", "/", "Volumes/disk", "/Volumes/disk"},
		{Windows, `C:\Users\me`, "src", `C:\Users\me\src`},
		{Windows, `C:\Users\me`, `..\you\.\src\`, `C:\Users\you\src`},
		{Windows, `C:\Users\me`, "D:/a/b", `D:\a\b`},
		{Windows, `C:\Users\me`, `d:\a\..\..\b`, `d:\b`},
		{Windows, `C:\Users\me`, `D:\`, `D:\`},
		{Windows, `C:\Users\me`, "/a", `C:\a`},
		{Windows, `C:\`, ".", `C:\`},
		{Windows, `C:\Users\me`, `\\server\share\a\..\b`, `\\server\share\b`},
		{Windows, `C:\Users\me`, "//server/share", `\\server\share`},
		{Windows, `C:\Users\me`, `\\server\share\..\..\x`, `\\server\share\x`},
		{Windows, `\\server\share\src`, "..", `\\server\share`},
		{Windows, `\\wsl.localhost\Ubuntu\home\me`, "src", `\\wsl.localhost\Ubuntu\home\me\src`},
		{Windows, `\\wsl.localhost\Ubuntu\home\me`, "/etc", `\\wsl.localhost\Ubuntu\etc`},
		{Windows, `C:\`, `\\.\pipe\docker_engine`, `\\.\pipe\docker_engine`},
	} {
		if got := Abs(test.goos, test.dir, test.path); got != test.want {
			t.Errorf("%s: %q in %q is %q, want %q", test.goos, test.path, test.dir, got, test.want)
		}
		if got := Abs(test.goos, test.dir, test.want); got != test.want {
			t.Errorf("%s: %q becomes %q", test.goos, test.want, got)
		}
		if !isAbs(test.goos, test.want) {
			t.Errorf("%s: %q is not absolute", test.goos, test.want)
		}
	}
}

// TestAsHere compares with the rules of the system that the test runs on.
func TestAsHere(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{".", "a", "../a", "/a/../b", "a//b/", "..", "/", `C:\a\..\b`, `D:/x`, `\\server\share\a`, `a\b`} {
		want, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := Abs(runtime.GOOS, dir, path); got != want {
			t.Errorf("%q is %q, want %q", path, got, want)
		}
		if got, want := isAbs(runtime.GOOS, path), filepath.IsAbs(path); got != want {
			t.Errorf("%q is absolute: %v, want %v", path, got, want)
		}
	}
}

func TestWindows(t *testing.T) {
	for path, want := range map[string]struct {
		windows, pipe bool
		wsl           string
	}{
		`C:\Users\me`:                   {windows: true, wsl: "/mnt/c/Users/me"},
		"d:/src/../x":                   {windows: true, wsl: "/mnt/d/x"},
		`C:\`:                           {windows: true, wsl: "/mnt/c"},
		`\\wsl.localhost\Ubuntu\home`:   {windows: true, wsl: "/home"},
		`\\wsl$\Debian`:                 {windows: true, wsl: "/"},
		`\\WSL$\Debian\srv\a`:           {windows: true, wsl: "/srv/a"},
		`\\server\share\a`:              {windows: true},
		`\\.\pipe\docker_engine`:        {windows: true, pipe: true},
		"//./pipe/docker_engine":        {pipe: true},
		"/Users/me":                     {},
		"/var/run/docker.sock":          {},
		"relative":                      {},
		"c:":                            {},
		"c:relative":                    {},
		"":                              {},
		"1:/x":                          {},
		`/odd\name`:                     {},
		"/Users/me/.docker/docker.sock": {},
	} {
		if got := IsWindows(path); got != want.windows {
			t.Errorf("%q is one of Windows: %v", path, got)
		}
		if got := IsPipe(path); got != want.pipe {
			t.Errorf("%q is a pipe: %v", path, got)
		}
		if got := WSL(path); got != want.wsl {
			t.Errorf("%q in WSL is %q, want %q", path, got, want.wsl)
		}
	}
}

func TestDrive(t *testing.T) {
	for path, want := range map[string]string{
		"/c/Users/me":    "C:/Users/me",
		"//c/Users/a b":  "C:/Users/a b",
		"/d":             "D:/",
		"/d/":            "D:/",
		"//server/share": "//server/share",
		"///c/x":         "///c/x",
		"/Users/me":      "/Users/me",
		"/1/x":           "/1/x",
		"c/x":            "c/x",
		"C:/x":           "C:/x",
		`\\c\x`:          `\\c\x`,
		"/":              "/",
		"":               "",
	} {
		if got := Drive(path); got != want {
			t.Errorf("%q is %q, want %q", path, got, want)
		}
	}
}

func TestJoin(t *testing.T) {
	for _, test := range []struct{ dir, inside, want string }{
		{"/drone/src", "a/b", "/drone/src/a/b"},
		{"/drone/src", ".", "/drone/src"},
		{"/drone/src", `odd\name`, `/drone/src/odd\name`},
		{`C:\Users\me\copy`, "a/b", `C:\Users\me\copy\a\b`},
		{`\\server\share`, "a", `\\server\share\a`},
	} {
		if got := Join(test.dir, test.inside); got != test.want {
			t.Errorf("%q in %q is %q, want %q", test.inside, test.dir, got, test.want)
		}
	}
}

func FuzzAbs(f *testing.F) {
	for _, p := range []string{"a", `..\a`, "C:/x", `\\s\h\..`, "//", `\`, `\\`, "/"} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p string) {
		for goos, dir := range map[string]string{"linux": "/d", Windows: `C:\d`} {
			once := Abs(goos, dir, p)
			if twice := Abs(goos, dir, once); twice != once {
				t.Errorf("%s: %q becomes %q, then %q", goos, p, once, twice)
			}
		}
	})
}
