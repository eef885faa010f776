package dockerhost

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

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
		secrets []string
		image   string
		want    string
		wantErr string
	}
	run := func(t *testing.T, tc testCase) {
		env := fakeEnv(t, nil)
		if tc.config != "" {
			write(t, filepath.Join(env.Home, ".docker", "config.json"), tc.config)
		}
		c, err := LoadCredentials(env, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range tc.secrets {
			if c, err = c.With(text); err != nil {
				t.Fatal(err)
			}
		}
		header, err := c.For(tc.image)
		if tc.wantErr == "" && err != nil || tc.wantErr != "" && (err == nil || err.Error() != tc.wantErr) {
			t.Fatalf("got error %v, want %q", err, tc.wantErr)
		}
		if got := user(t, header); got != tc.want {
			t.Errorf("got %q, want %q", got, tc.want)
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
		{name: "plain user and password", secrets: []string{`{"auths":{"r.example":{"username":"u","password":"p"}}}`}, image: "r.example/a", want: "u:p"},
		{name: "secret before file", config: one("r.example", "file"), secrets: []string{one("r.example", "s1")}, image: "r.example/a", want: "s1:pw"},
		{name: "last secret wins", secrets: []string{one("r.example", "s1"), one("r.example", "s2")}, image: "r.example/a", want: "s2:pw"},
		{name: "secret for another registry", config: one("r.example", "file"), secrets: []string{one("x.example", "s1")}, image: "r.example/a", want: "file:pw"},
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

func TestCredentialsFromHelper(t *testing.T) {
	env := fakeEnv(t, nil)
	env.LookPath = exec.LookPath
	bin := filepath.Join(env.Home, "bin")
	write(t, filepath.Join(bin, "docker-credential-fake"), "#!/bin/sh\nread -r host\n"+
		`case $host in bad.example) echo "vault is locked"; exit 1;; esac`+"\n"+
		`printf '{"ServerURL":"%s","Username":"<token>","Secret":"s3"}' "$host"`+"\n")
	if err := os.Chmod(filepath.Join(bin, "docker-credential-fake"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	write(t, filepath.Join(env.Home, ".docker", "config.json"), `{"credHelpers":{"r.example":"fake","bad.example":"fake"}}`)
	c, err := LoadCredentials(env, "")
	if err != nil {
		t.Fatal(err)
	}
	header, err := c.For("r.example/a:1")
	if got := user(t, header); err != nil || got != "identity:s3" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := c.For("bad.example/a"); err == nil || !strings.Contains(err.Error(), "no credentials for bad.example: docker-credential-fake failed") ||
		!strings.Contains(err.Error(), "vault is locked") {
		t.Errorf("a failing helper gave %v", err)
	}
}

func TestCredentialsNeverShowValues(t *testing.T) {
	c, err := (&Credentials{}).With(fmt.Sprintf(`{"auths":{"r.example":{"auth":%q}}}`, auth("u", "hunter2")))
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(format, c); strings.Contains(text, "hunter2") || strings.Contains(text, auth("u", "hunter2")) {
			t.Errorf("%s shows %q", format, text)
		}
	}
	for _, text := range []string{"", "hunter2", `{"auths":{"r":{"auth":"hunter2"}}}`, `{"auths":{}}`, `{"auths":"hunter2"}`} {
		_, err := (&Credentials{}).With(text)
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
	env := fakeEnv(t, nil)
	run(t, env, bad, "the registry credentials in "+bad+": the file is not valid JSON of docker's form")
	run(t, env, none, "the registry credentials in "+none+": no such file or directory")
	run(t, env, dir, "the registry credentials in "+dir+": is a directory")
	run(t, fakeEnv(t, map[string]string{"DOCKER_CONFIG": dir}), "", bad+": the file is not valid JSON of docker's form")
}
