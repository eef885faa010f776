package cmd

import (
	"path/filepath"
	"testing"

	"github.com/drone-laptop/drone/exec"
)

func TestParseBind(t *testing.T) {
	here := func(name string) string {
		path, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	for text, want := range map[string]exec.Bind{
		"/a:/b":           {Host: here("/a"), Path: "/b"},
		"/a:/b:ro":        {Host: here("/a"), Path: "/b", ReadOnly: true},
		"/a:/b:rw":        {Host: here("/a"), Path: "/b"},
		".:/b":            {Host: here("."), Path: "/b"},
		"d:/b":            {Host: here("d"), Path: "/b"},
		"d:/b:ro":         {Host: here("d"), Path: "/b", ReadOnly: true},
		"1:/b":            {Host: here("1"), Path: "/b"},
		`c:\Users\me:/b`:  {Host: here(`c:\Users\me`), Path: "/b"},
		"C:/Users/me:/b":  {Host: here("C:/Users/me"), Path: "/b"},
		"C:/Users:/b:ro":  {Host: here("C:/Users"), Path: "/b", ReadOnly: true},
		"/a":              {},
		"/a:":             {},
		":/b":             {},
		"":                {},
		"/a:b":            {},
		"/a:/b:z":         {},
		"/a:/b:ro:/c":     {},
		`c:\Users\me`:     {},
		"C:/Users/me:ro:": {},
	} {
		got, err := parseBind(text)
		if (err != nil) != (want == exec.Bind{}) || got != want {
			t.Errorf("%q: got %v and %v, want %v", text, got, err, want)
		}
	}
}
