package dockerhost

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/registry"
)

func auth(user, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
}

// user decodes what would be sent, to user:password or identity:token.
func user(t *testing.T, header string) string {
	t.Helper()
	if header == "" {
		return ""
	}
	a, err := registry.DecodeAuthConfig(header)
	if err != nil {
		t.Fatal(err)
	}
	if a.IdentityToken != "" {
		return "identity:" + a.IdentityToken
	}
	return a.Username + ":" + a.Password
}

func TestCredentials(t *testing.T) {
	type testCase struct {
		name    string
		config  string
		env     string // DOCKER_AUTH_CONFIG
		secrets []string
		image   string
		want    string
		source  string
		wantErr string
	}
	run := func(t *testing.T, tc testCase) {
		if tc.want != "" && tc.source == "" {
			tc.source = "auths in ~/.docker/config.json"
		}
		env := fakeEnv(t, map[string]string{"DOCKER_AUTH_CONFIG": tc.env})
		if tc.config != "" {
			write(t, filepath.Join(env.Home, ".docker", "config.json"), tc.config)
		}
		c, err := LoadCredentials(env, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range tc.secrets {
			if c, err = c.With("the test", text); err != nil {
				t.Fatal(err)
			}
		}
		login, err := c.For(t.Context(), tc.image)
		if tc.wantErr == "" && err != nil || tc.wantErr != "" && (err == nil || err.Error() != tc.wantErr) {
			t.Fatalf("got error %v, want %q", err, tc.wantErr)
		}
		if got := user(t, login.Header); got != tc.want || login.Source != tc.source {
			t.Errorf("got %q from %q, want %q from %q", got, login.Source, tc.want, tc.source)
		}
	}
	one := func(address, u string) string {
		return fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, address, auth(u, "pw"))
	}
	cases := []testCase{
		{name: "no file", image: "busybox"},
		{name: "hub as docker writes it", config: one(hubKey, "hub"), image: "org/app:1", want: "hub:pw"},
		{name: "hub as docker.io", config: one("docker.io", "hub"), image: "busybox", want: "hub:pw"},
		{name: "other registry", config: one(hubKey, "hub"), image: "ghcr.io/a/b"},
		{name: "registry with port", config: one("r.example:5000", "r"), image: "r.example:5000/a", want: "r:pw"},
		{name: "port differs", config: one("r.example:5000", "r"), image: "r.example/a"},
		{name: "address with scheme and path", config: one("https://r.example/v2/", "r"), image: "r.example/a", want: "r:pw"},
		{name: "identity token", config: `{"auths":{"r.example":{"identitytoken":"tok"}}}`, image: "r.example/a", want: "identity:tok"},
		{name: "plain user and password", secrets: []string{`{"auths":{"r.example":{"username":"u","password":"p"}}}`}, image: "r.example/a", want: "u:p", source: "the test"},
		{name: "secret before file", config: one("r.example", "file"), secrets: []string{one("r.example", "s1")}, image: "r.example/a", want: "s1:pw", source: "the test"},
		{name: "last secret wins", secrets: []string{one("r.example", "s1"), one("r.example", "s2")}, image: "r.example/a", want: "s2:pw", source: "the test"},
		{name: "secret for another registry", config: one("r.example", "file"), secrets: []string{one("x.example", "s1")}, image: "r.example/a", want: "file:pw"},
		{name: "DOCKER_AUTH_CONFIG", config: one("r.example", "file"), env: one("r.example", "env"), image: "r.example/a", want: "env:pw", source: "DOCKER_AUTH_CONFIG"},
		{name: "secret before DOCKER_AUTH_CONFIG", env: one("r.example", "env"), secrets: []string{one("r.example", "s1")}, image: "r.example/a", want: "s1:pw", source: "the test"},
		{name: "DOCKER_AUTH_CONFIG of another registry", config: one("r.example", "file"), env: one("x.example", "env"), image: "r.example/a", want: "file:pw"},
		{name: "missing helper", config: `{"credHelpers":{"eu.gcr.io":"gcloud"}}`, image: "eu.gcr.io/p/i",
			wantErr: `no credentials for eu.gcr.io: ~/.docker/config.json has credHelpers "gcloud", but docker-credential-gcloud is not in PATH`},
		{name: "missing store", config: `{"credsStore":"desktop"}`, image: "busybox",
			wantErr: `no credentials for docker.io: ~/.docker/config.json has credsStore "desktop", but docker-credential-desktop is not in PATH`},
		{name: "helper of another registry", config: `{"credHelpers":{"eu.gcr.io":"gcloud"}}`, image: "busybox"},
		{name: "image that is no reference", config: one(hubKey, "hub"), image: "UPPER"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

// TestCredentialsFromHelper asks helpers that are scripts, which do what real
// ones have been seen to do.
func TestCredentialsFromHelper(t *testing.T) {
	const token = "s3cr3t-value"
	bin := t.TempDir()
	for name, script := range map[string]string{
		"token": `read -r host; printf '{"ServerURL":"%s","Username":"<token>","Secret":"` + token + `"}' "$host"`,
		"user":  `test "$1" = get || exit 9; printf '{"Username":"u","Secret":"` + token + `"}'`,
		"none":  `echo credentials not found in native keychain; exit 1`,
		"blank": `printf '{"ServerURL":"","Username":"","Secret":""}'`,
		"locked": `echo 'vault is
 locked'; exit 1`,
		"stderr":  `echo 'no daemon' >&2; exit 1`,
		"dumb":    `exit 3`,
		"nothing": ``,
		"garbled": `printf '{"Secret":"` + token + `'`,
		"leaky":   `printf '{"Secret":"` + token + `"}'; exit 1`,
		"slow":    `exec sleep 60`,
	} {
		write(t, filepath.Join(bin, "docker-credential-"+name), "#!/bin/sh\n"+script+"\n")
		if err := os.Chmod(filepath.Join(bin, "docker-credential-"+name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	type testCase struct {
		helper, auths string
		want, wantErr string
	}
	run := func(t *testing.T, tc testCase) {
		for _, setting := range []string{`"credHelpers":{"r.example":"` + tc.helper + `"}`, `"credsStore":"` + tc.helper + `"`} {
			env := fakeEnv(t, nil)
			env.LookPath = exec.LookPath
			write(t, filepath.Join(env.Home, ".docker", "config.json"), "{"+setting+tc.auths+"}")
			c, err := LoadCredentials(env, "")
			if err != nil {
				t.Fatal(err)
			}
			if tc.helper == "slow" {
				c.patience = 50 * time.Millisecond
			}
			login, err := c.For(t.Context(), "r.example/a:1")
			if got := user(t, login.Header); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			if tc.want != "" && tc.auths == "" && !strings.HasPrefix(login.Source, "docker-credential-"+tc.helper+" (cred") {
				t.Errorf("from %q", login.Source)
			}
			text := ""
			if err != nil {
				text = err.Error()
			}
			if text != tc.wantErr || strings.Contains(text, token) {
				t.Errorf("got error %q, want %q", text, tc.wantErr)
			}
		}
	}
	const no = "no credentials for r.example: docker-credential-"
	for _, tc := range []testCase{
		{helper: "token", want: "identity:" + token},
		{helper: "user", want: "u:" + token},
		{helper: "none"},
		{helper: "blank"},
		{helper: "none", auths: `,"auths":{"r.example":{"auth":"` + auth("file", "pw") + `"}}`, want: "file:pw"},
		{helper: "locked", wantErr: no + "locked failed: vault is locked"},
		{helper: "stderr", wantErr: no + "stderr failed: no daemon"},
		{helper: "dumb", wantErr: no + "dumb failed: exit status 3"},
		{helper: "nothing", wantErr: no + "nothing answered nothing"},
		{helper: "garbled", wantErr: no + "garbled answered something else than credentials"},
		{helper: "leaky", wantErr: no + "leaky failed: exit status 1"},
		{helper: "slow", wantErr: no + "slow did not answer within 50ms"},
	} {
		t.Run(tc.helper, func(t *testing.T) { run(t, tc) })
	}
}

// TestHelperIsInterrupted: who ends the program need not wait for a helper that
// asks for a password.
func TestHelperIsInterrupted(t *testing.T) {
	path, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	slow := filepath.Join(t.TempDir(), "docker-credential-slow")
	write(t, slow, "#!/bin/sh\nexec "+path+" 60\n")
	if err := os.Chmod(slow, 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	time.AfterFunc(50*time.Millisecond, func() { cancel(enough) })
	if _, err := (helper{"slow", slow, time.Hour}).ask(ctx, "r.example"); !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
}

func TestCredentialsNeverShowValues(t *testing.T) {
	c, err := (&Credentials{}).With("the test", fmt.Sprintf(`{"auths":{"r.example":{"auth":%q}}}`, auth("u", "hunter2")))
	if err != nil {
		t.Fatal(err)
	}
	login, err := c.For(t.Context(), "r.example/a")
	if err != nil || login.Header == "" {
		t.Fatalf("got %v, %v", login, err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(format+format, c, login); strings.Contains(text, login.Header) || strings.Contains(text, "hunter2") || strings.Contains(text, auth("u", "hunter2")) {
			t.Errorf("%s shows %q", format, text)
		}
	}
	for _, text := range []string{"", "hunter2", `{"auths":{"r":{"auth":"hunter2"}}}`, `{"auths":{}}`, `{"auths":"hunter2"}`} {
		_, err := (&Credentials{}).With("the test", text)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("With(%q) gave %v", text, err)
		}
	}
}

func TestCredentialsThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "config.json")
	write(t, bad, `{"auths":{"r":{"auth":"hunter2"}}}`)
	none := filepath.Join(dir, "none.json")
	run := func(t *testing.T, env Environment, path, want string) {
		_, err := LoadCredentials(env, path)
		var e *Error
		if !errors.As(err, &e) || err.Error() != want || e.Hint == "" {
			t.Errorf("got %#v, want an *Error with a hint and the text %q", err, want)
		}
	}
	run(t, fakeEnv(t, map[string]string{"DOCKER_AUTH_CONFIG": "hunter2"}), "", "DOCKER_AUTH_CONFIG: it is not a docker config.json with auths")
	env := fakeEnv(t, nil)
	run(t, env, bad, "the registry credentials in "+bad+": the file is not valid JSON of docker's form")
	run(t, env, none, "the registry credentials in "+none+": no such file or directory")
	run(t, env, dir, "the registry credentials in "+dir+": is a directory")
	run(t, fakeEnv(t, map[string]string{"DOCKER_CONFIG": dir}), "", bad+": the file is not valid JSON of docker's form")
}
