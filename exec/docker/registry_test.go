package docker

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/dockerhost"
	"github.com/drone-laptop/drone/internal/registrytest"
	"github.com/drone-laptop/drone/internal/testenv"
)

// shelf is a registry with testImage, and an engine that pulls from it.
type shelf struct {
	*registrytest.Registry
	*testing.T
	engine *Engine
	image  string // the full name
}

// newShelf starts a registry for the engine of this machine; with login it
// demands one. Only an engine that is on this machine reaches it.
func newShelf(t *testing.T, login bool) *shelf {
	t.Helper()
	s := &shelf{T: t, engine: newEngine(t)}
	s.Registry = registrytest.New(t, login)
	if !reaches(t, s.engine, s.Registry) {
		testenv.Lack(t, "the engine does not reach a registry of this process")
	}
	s.Cleanup(func() { s.RemoveAll(s.engine.client) })
	s.image = s.Push(s.engine.client, testImage, "team/app:1")
	s.remove(s.image)
	return s
}

// reaches has the engine ask for an image that is not there.
func reaches(t *testing.T, e *Engine, r *registrytest.Registry) bool {
	t.Helper()
	_ = e.present(t.Context(), wanted{image: r.Address + "/no/thing:1", credentials: e.credentials, notify: func(exec.Notice) {}})
	all, _ := r.Requests()
	return all > 0
}

// remove takes an image from the engine at the end of the test.
func (s *shelf) remove(image string) {
	s.Cleanup(func() { registrytest.Remove(s, s.engine.client, image) })
}

// pull pulls an image as `drone pull` does, with the logins of secrets, and
// returns the warnings.
func (s *shelf) pull(e *Engine, image string, policy exec.Pull, secrets ...string) (warnings []string, err error) {
	s.Helper()
	p := &exec.Pipeline{Runs: true, Steps: []*exec.Step{{Name: "s", Image: image, Pull: policy}}}
	for i := range secrets {
		p.PullSecrets = append(p.PullSecrets, exec.SecretRef{Name: fmt.Sprint("secret", i)})
	}
	var heard notices
	failed, err := e.Pull(s.Context(), []*exec.Pipeline{p}, exec.Setting{
		Notify: heard.take,
		Secret: func(name string) (string, bool) {
			for i, text := range secrets {
				if name == fmt.Sprint("secret", i) {
					return text, true
				}
			}
			return "", false
		},
	})
	if err != nil {
		s.Fatal(err)
	}
	if len(failed) > 0 {
		err = failed[0].Err
	}
	return heard.warnings(), err
}

// wants checks an error of a pull for what it and its hint must say. Neither may
// hold a password.
func (s *shelf) wants(err error, text, hint string) {
	s.Helper()
	got := asStepError(s.T, err, exec.PhasePull)
	if !strings.Contains(got.Error(), text) || !strings.Contains(got.Hint, hint) || hint == "" && got.Hint != "" {
		s.Errorf("got %q with hint %q, want %q with %q", got.Error(), got.Hint, text, hint)
	}
	for _, secret := range []string{registrytest.Password, wrongPassword, base64.StdEncoding.EncodeToString([]byte(registrytest.User + ":" + wrongPassword))} {
		if strings.Contains(got.Error()+got.Hint, secret) {
			s.Errorf("%q with hint %q shows %q", got.Error(), got.Hint, secret)
		}
	}
}

const wrongPassword = "f0rgotten"

// config is a docker config.json with a login for address.
func config(address, password string) string {
	auth := base64.StdEncoding.EncodeToString([]byte(registrytest.User + ":" + password))
	return fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, address, auth)
}

// engineOf is the engine for a user with a docker configuration.
func engineOf(t *testing.T, text string) *Engine {
	t.Helper()
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, ".docker"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, ".docker", "config.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	credentials, err := dockerhost.LoadCredentials(dockerhost.Environment{
		Home: home, Getenv: func(string) string { return "" }, Stat: os.Stat, LookPath: osexec.LookPath,
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	return newEngineWith(t, Options{Credentials: credentials})
}

// TestPullLogin pulls a private image with every kind of login, and without.
func TestPullLogin(t *testing.T) {
	s := newShelf(t, true)
	bin := t.TempDir()
	for name, password := range map[string]string{"right": registrytest.Password, "wrong": wrongPassword} {
		script := fmt.Sprintf("#!/bin/sh\nprintf '{\"Username\":\"%s\",\"Secret\":\"%s\"}'\n", registrytest.User, password)
		if err := os.WriteFile(filepath.Join(bin, "docker-credential-"+name), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	helper := func(name string) string { return fmt.Sprintf(`{"credHelpers": {%q: %q}}`, s.Address, name) }
	right, wrong := config("http://"+s.Address+"/v1/", registrytest.Password), config(s.Address, wrongPassword)
	for _, tc := range []struct {
		name, config string
		secrets      []string
		want, hint   string // of the refusal
	}{
		{name: "none", want: " refuses it without a login: ", hint: "docker login " + s.Address},
		{name: "auths", config: right},
		{name: "wrong auths", config: wrong, want: " refuses it with the login of auths in ~/.docker/config.json: ", hint: "docker login " + s.Address},
		{name: "helper", config: helper("right")},
		{name: "wrong helper", config: helper("wrong"), want: " refuses it with the login of docker-credential-wrong (credHelpers in ~/.docker/config.json): ", hint: "docker login"},
		{name: "helper that is missing", config: helper("gone"),
			want: "; no credentials for " + s.Address + `: ~/.docker/config.json has credHelpers "gone", but docker-credential-gone is not in PATH`, hint: "docker login"},
		{name: "secret", secrets: []string{right}},
		{name: "secret before auths", config: wrong, secrets: []string{right}},
		{name: "wrong secret before auths", config: right, secrets: []string{wrong}, want: ` refuses it with the login of secret "secret0" of image_pull_secrets: `, hint: "the secret has a login for " + s.Address},
		{name: "last secret of the registry", secrets: []string{wrong, right, config("example.com", "x")}},
		{name: "secret of another registry", secrets: []string{config("example.com", "x")}, want: "without a login", hint: "image_pull_secrets"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &shelf{Registry: s.Registry, T: t, engine: s.engine, image: s.image}
			defer registrytest.Remove(t, s.engine.client, s.image)
			text := tc.config
			if text == "" {
				text = "{}"
			}
			_, err := s.pull(engineOf(t, text), s.image, "", tc.secrets...)
			if tc.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			s.wants(err, tc.want, tc.hint)
		})
	}
}

// TestPullPolicies: what is here is not asked for again, but where the step says
// so.
func TestPullPolicies(t *testing.T) {
	s := newShelf(t, false)
	_, err := s.pull(s.engine, s.image, exec.PullNever)
	s.wants(err, "pull: never", "pull it first")
	tr := open(t, s.engine, nil)
	step := &exec.Step{Image: s.image, Entrypoint: []string{"echo", "ran"}}
	if got := tr.must(step, nil); got != "ran\n" {
		t.Errorf("got %q", got)
	}
	for _, tc := range []struct {
		policy exec.Pull
		asks   bool // the registry, although the image is here
	}{{"", false}, {exec.PullNever, false}, {exec.PullIfNotExists, false}, {exec.PullAlways, true}} {
		before, _ := s.Requests()
		if _, err := s.pull(s.engine, s.image, tc.policy); err != nil {
			t.Errorf("pull: %q: %v", tc.policy, err)
		}
		if after, _ := s.Requests(); (after > before) != tc.asks {
			t.Errorf("pull: %q asked the registry %d times for an image that is here", tc.policy, after-before)
		}
	}
}

func TestPullByDigest(t *testing.T) {
	s := newShelf(t, false)
	_, d := s.Get("team/app", "1")
	image := s.Address + "/team/app@" + d.Digest.String()
	s.remove(image)
	tr := open(t, s.engine, nil)
	before, _ := s.Requests()
	for range 2 {
		if got := tr.must(&exec.Step{Image: image, Entrypoint: []string{"echo", "ran"}}, nil); got != "ran\n" {
			t.Errorf("got %q", got)
		}
	}
	// Not necessarily for the manifest: the engine keeps one by its digest for a
	// while, whichever registry it has it from.
	if after, _ := s.Requests(); after == before {
		t.Error("the registry was not asked")
	}
	none := s.Address + "/team/app@sha256:" + strings.Repeat("0", 64)
	_, err := s.pull(s.engine, none, "")
	s.wants(err, "has no such", "check the name")
}

func TestPullWhatIsNotThere(t *testing.T) {
	s := newShelf(t, false)
	for _, image := range []string{"/team/app:2", "/team/other:1"} {
		_, err := s.pull(s.engine, s.Address+image, "")
		s.wants(err, s.Address+" has no such", "check the name")
	}
}

// TestRegistryGoesDown: an image that is here serves, one that is not is an
// error.
func TestRegistryGoesDown(t *testing.T) {
	s := newShelf(t, false)
	if _, err := s.pull(s.engine, s.image, ""); err != nil {
		t.Fatal(err)
	}
	s.Down()
	warnings, err := s.pull(s.engine, s.image, exec.PullAlways)
	if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "using the image "+s.image+" as it is on this machine: ") {
		t.Errorf("got %v and the warnings %q", err, warnings)
	}
	_, err = s.pull(s.engine, s.Address+"/team/app:2", "")
	s.wants(err, "connection refused", "without a network")
}

// TestPullLimit has a registry that has given enough for today.
func TestPullLimit(t *testing.T) {
	s := newShelf(t, false)
	s.Intercept(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/manifests/") {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusTooManyRequests)
			fmt.Fprint(w, `{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit"}]}`)
			return
		}
		w.WriteHeader(http.StatusOK)
	})
	_, err := s.pull(s.engine, s.image, "")
	s.wants(err, s.Address+" has limited the pulls", "docker login")
}

// TestPullFromList: of the variants of an image that of the engine is pulled, and
// it is an error when there is none.
func TestPullFromList(t *testing.T) {
	s := newShelf(t, false)
	s.ForArchs("team/app", "1", "both", "s390x", s.engine.arch)
	s.ForArchs("team/app", "1", "other", "s390x")

	both := s.Address + "/team/app:both"
	s.remove(both)
	warnings, err := s.pull(s.engine, both, "")
	if err != nil || len(warnings) > 0 {
		t.Fatalf("got %v and the warnings %q", err, warnings)
	}
	info, err := s.engine.client.ImageInspect(t.Context(), both)
	if err != nil || info.Architecture != s.engine.arch {
		t.Errorf("pulled the image for %s, %v", info.Architecture, err)
	}
	_, err = s.pull(s.engine, s.Address+"/team/app:other", "")
	s.wants(err, "has no variant for linux/"+s.engine.arch+", only for linux/s390x", "choose a tag that has one, or set platform of the pipeline")
}

// TestForeignImage: a registry that has no list of variants gives the image that
// it has, which is not taken silently.
func TestForeignImage(t *testing.T) {
	s := newShelf(t, false)
	s.ForArch("team/app", "1", "s390x", "foreign")
	foreign := s.Address + "/team/app:foreign"
	s.remove(foreign)
	want := fmt.Sprintf("the image %s is for linux/s390x, but the engine runs linux/%s: it works only where the engine emulates that", foreign, s.engine.arch)
	e := newEngine(t) // which has said nothing yet
	for _, again := range []bool{false, true} {
		warnings, err := s.pull(e, foreign, "")
		if said := len(warnings) == 1 && warnings[0] == want; err != nil || said == again || again && len(warnings) > 0 {
			t.Errorf("again: %v: got %v and the warnings %q", again, err, warnings)
		}
	}
	// Another run finds it here.
	if warnings, err := s.pull(newEngine(t), foreign, ""); err != nil || len(warnings) != 1 || warnings[0] != want {
		t.Errorf("got %v and the warnings %q", err, warnings)
	}
}

// TestRunPullsWithSecret runs a step whose image is private.
func TestRunPullsWithSecret(t *testing.T) {
	s := newShelf(t, true)
	p := &exec.Pipeline{
		Name: "p", Runs: true, Workspace: exec.Workspace{Base: "/w", Path: "/w"}, PullSecrets: []exec.SecretRef{{Name: "login"}},
		Steps: []*exec.Step{{Name: "s", Image: s.image, Entrypoint: []string{"echo", "ran"}}},
	}
	session, err := s.engine.Open(t.Context(), p, exec.Setting{
		Run: "test-" + random()[:8], Notify: func(exec.Notice) {},
		Secret: func(string) (string, bool) { return config(s.Address, registrytest.Password), true },
	})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	exit, err := session.Run(t.Context(), p.Steps[0], exec.IO{Output: &out})
	if err != nil || exit.Code != 0 || out.String() != "ran\n" {
		t.Errorf("exit %d, error %v, output %q", exit.Code, err, out.String())
	}
	if err := session.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
}
