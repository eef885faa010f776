package account_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/drone-laptop/drone/internal/account"
	"github.com/drone-laptop/drone/internal/keystore"
)

const token = "t0ken-of-octocat"

func save(t *testing.T, s *account.Store, p account.Profile) {
	t.Helper()
	if _, _, err := s.Save(p, token+p.Name, true); err != nil {
		t.Fatal(err)
	}
}

func profiles(t *testing.T, s *account.Store) account.Profiles {
	t.Helper()
	list, err := s.Profiles()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestStore(t *testing.T) {
	s := account.In(t.TempDir(), nil)
	if list := profiles(t, s); len(list) != 0 {
		t.Fatal(list)
	}
	save(t, s, account.Profile{Name: "work", Server: "HTTPS://Drone.Example.com:443/", Login: "octocat", Hosts: []string{"git.example.com"}})
	save(t, s, account.Profile{Name: "home", Server: "http://localhost:8080", Login: "me"})
	list := profiles(t, s)
	if got := strings.Join(list.Names(), " "); got != "home work" {
		t.Error(got)
	}
	if p, ok := list.ForServer("https://drone.example.com/"); !ok || p.Login != "octocat" || !p.Default {
		t.Errorf("%+v, %t", p, ok)
	}
	if got, place, err := s.Token("home"); got != token+"home" || place != keystore.InFile || err != nil {
		t.Errorf("%s in %s, %v", got, place, err)
	}
	text, err := os.ReadFile(s.File())
	if err != nil || strings.Contains(string(text), token) {
		t.Errorf("the file of profiles has a token: %s, %v", text, err)
	}
	if runtime.GOOS != "windows" {
		for _, name := range []string{s.File(), filepath.Join(filepath.Dir(s.File()), "tokens", "home.json")} {
			if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", name, info, err)
			}
		}
	}
	if err := s.Use("home"); err != nil {
		t.Fatal(err)
	}
	// A second login keeps what is the default.
	save(t, s, account.Profile{Name: "home", Server: "http://localhost:8081", Login: "me"})
	if p, ok, err := profiles(t, s).Choose(""); !ok || err != nil || p.Server != "http://localhost:8081" {
		t.Errorf("%+v, %t, %v", p, ok, err)
	}
	if err := s.Remove("home"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Token("home"); !errors.Is(err, account.ErrUnknown) {
		t.Error(err)
	}
	if p, ok, _ := profiles(t, s).Choose(""); !ok || p.Name != "work" {
		t.Errorf("the only one left is not the default: %+v", p)
	}
	for _, err := range []error{s.Remove("home"), s.Use("home")} {
		if !errors.Is(err, account.ErrUnknown) {
			t.Error(err)
		}
	}
	if _, _, err := s.Save(account.Profile{Name: "../x"}, token, true); err == nil || strings.Contains(err.Error(), token) {
		t.Error(err)
	}
}

func TestChoose(t *testing.T) {
	list := account.Profiles{
		{Name: "a", Hosts: []string{"github.com"}},
		{Name: "b", Hosts: []string{"git.example.com", "both.example.com"}},
		{Name: "c", Hosts: []string{"both.example.com"}},
		{Name: "d", Default: true},
	}
	for host, want := range map[string]string{"": "d", "github.com": "a", "GIT.example.com": "b", "other.example.com": "d"} {
		if p, ok, err := list.Choose(host); p.Name != want || !ok || err != nil {
			t.Errorf("%q: %s, %t, %v; want %s", host, p.Name, ok, err, want)
		}
	}
	_, _, err := list.Choose("both.example.com")
	if many, ok := errors.AsType[*account.AmbiguousError](err); !ok || strings.Join(many.Names, " ") != "b c" {
		t.Error(err)
	}
	list[2].Default, list[3].Default = true, false
	if p, _, err := list.Choose("both.example.com"); p.Name != "c" || err != nil {
		t.Errorf("%s, %v", p.Name, err)
	}
	if p, ok, err := list[:2].Choose("other.example.com"); ok || err != nil {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestNormal(t *testing.T) {
	for server, want := range map[string]string{
		"https://Drone.example.com:443/": "https://drone.example.com",
		"http://drone:80":                "http://drone",
		"http://drone:443//":             "http://drone:443",
		"HTTPS://drone/Sub/":             "https://drone/Sub",
		"drone.example.com":              "drone.example.com",
	} {
		if got := account.Normal(server); got != want {
			t.Errorf("%s: %s, want %s", server, got, want)
		}
	}
}

func TestBrokenFile(t *testing.T) {
	s := account.In(t.TempDir(), nil)
	if err := os.MkdirAll(filepath.Dir(s.File()), 0o700); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"profiles: {":                            "it is no YAML",
		"profiles: [{name: '-x'}]":               "is no name of a profile",
		"profiles: [{name: a}, {name: a}]":       "two profiles called a",
		"profiles: [{name: a, hosts: {b: c}}]\n": "it is no YAML",
	} {
		if err := os.WriteFile(s.File(), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := s.Profiles()
		if wrong, ok := errors.AsType[*account.FileError](err); !ok || !strings.Contains(err.Error(), want) || wrong.File != s.File() {
			t.Errorf("%s: %v", text, err)
		}
	}
}
