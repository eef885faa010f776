package cmd

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drone-laptop/drone/internal/account"
)

// TestAccess has servers and tokens named in several places at once. Above all a
// file .env, which comes with a repository, gets no token but its own, and its
// token goes to no other server.
func TestAccess(t *testing.T) {
	const a, b, c = "https://a.example.com", "https://b.example.com", "https://c.example.com"
	logins := []account.Profile{
		{Name: "a", Server: a, Login: "octocat", Default: true},
		{Name: "b", Server: b, Login: "octocat", Hosts: []string{"git.example.com"}},
	}
	for _, tc := range []struct {
		name   string
		flags  serverFlags
		env    map[string]string
		file   string // .env
		logins []account.Profile
		remote string // of git

		server, serverFrom, token, tokenFrom string
		err, hint, warns                     string
	}{
		{name: "flags", flags: serverFlags{server: a, token: "t0k-f"}, env: map[string]string{serverVar: b, tokenVar: "t0k-e"}, logins: logins, server: a, serverFrom: "--server", token: "t0k-f", tokenFrom: "--token"},
		{name: "environment", env: map[string]string{serverVar: b, tokenVar: "t0k-e"}, file: "DRONE_SERVER=" + c + "\nDRONE_TOKEN=t0k-d", logins: logins, server: b, serverFrom: serverVar, token: "t0k-e", tokenFrom: tokenVar},
		{name: "a server of a login, the token of the environment for another", flags: serverFlags{server: b + "/"}, env: map[string]string{serverVar: a, tokenVar: "t0k-e"}, logins: logins, server: b + "/", serverFrom: "--server", token: "t0k-login-b", tokenFrom: "the login b"},
		{name: "a server without a login", flags: serverFlags{server: c}, env: map[string]string{serverVar: a, tokenVar: "t0k-e"}, logins: logins, server: c, serverFrom: "--server", token: "t0k-e", tokenFrom: tokenVar, warns: "which is for a.example.com, goes to " + c},
		{name: "the file", file: "DRONE_SERVER=" + c + "\nDRONE_TOKEN=t0k-d\n", logins: logins, server: c, serverFrom: "DRONE_SERVER in .env", token: "t0k-d", tokenFrom: "DRONE_TOKEN in .env"},
		{name: "the server of the file, a token of the environment", env: map[string]string{tokenVar: "t0k-e"}, file: "DRONE_SERVER=" + c, logins: logins, err: "is named by the file .env only, so it does not get the token of DRONE_TOKEN", hint: "`drone login https://c.example.com`"},
		{name: "the server of the file, a token flag", flags: serverFlags{token: "t0k-f"}, file: "DRONE_SERVER=" + c, err: "does not get the token of --token"},
		{name: "the pair of the file, and a token of the environment", env: map[string]string{tokenVar: "t0k-e"}, file: "DRONE_SERVER=" + c + "\nDRONE_TOKEN=t0k-d\n", server: c, serverFrom: "DRONE_SERVER in .env", token: "t0k-d", tokenFrom: "DRONE_TOKEN in .env"},
		{name: "the server of the file, a login to it", file: "DRONE_SERVER=" + b, logins: logins, server: b, serverFrom: "DRONE_SERVER in .env", token: "t0k-login-b", tokenFrom: "the login b"},
		{name: "the server of the file alone", file: "DRONE_SERVER=" + c, logins: logins, server: c, serverFrom: "DRONE_SERVER in .env"},
		{name: "the token of the file", env: map[string]string{serverVar: c}, file: "DRONE_TOKEN=t0k-d", server: c, serverFrom: serverVar, token: "t0k-d", tokenFrom: "DRONE_TOKEN in .env"},
		{name: "the token of the file is for another server", env: map[string]string{serverVar: c}, file: "DRONE_SERVER=" + a + "\nDRONE_TOKEN=t0k-d", server: c, serverFrom: serverVar},
		{name: "variables that are empty", env: map[string]string{serverVar: "", tokenVar: ""}, file: "DRONE_SERVER=" + c + "\nDRONE_TOKEN=t0k-d"},
		{name: "the default login", logins: logins, server: a, serverFrom: "the login a", token: "t0k-login-a", tokenFrom: "the login a"},
		{name: "the login for the git remote", logins: logins, remote: "git@git.example.com:octo/hello.git", server: b, serverFrom: "the login b", token: "t0k-login-b", tokenFrom: "the login b"},
		{name: "a token of the environment for the login", env: map[string]string{tokenVar: "t0k-e"}, logins: logins, server: a, serverFrom: "the login a", token: "t0k-e", tokenFrom: tokenVar},
		{name: "a profile", flags: serverFlags{profile: "b"}, env: map[string]string{serverVar: c, tokenVar: "t0k-e"}, logins: logins, server: b, serverFrom: "the login b", token: "t0k-login-b", tokenFrom: "the login b"},
		{name: "a profile of the environment", env: map[string]string{profileVar: "b"}, logins: logins, server: b, serverFrom: "the login b", token: "t0k-login-b", tokenFrom: "the login b"},
		{name: "an unknown profile", flags: serverFlags{profile: "x"}, logins: logins, err: `there is no login called "x", which --profile names`, hint: "there is a, b"},
		{name: "a profile and another server", flags: serverFlags{profile: "b", server: a}, logins: logins, err: "name two servers"},
		{name: "no default", logins: logins[1:], err: "no login is the default", hint: "--profile: b"},
		{name: "nothing"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			config := t.TempDir()
			t.Chdir(t.TempDir())
			if tc.file != "" {
				writeText(t, ".env", tc.file)
			}
			if tc.remote != "" {
				writeText(t, filepath.Join(".git", "HEAD"), "ref: refs/heads/main\n")
				writeText(t, filepath.Join(".git", "config"), "[remote \"origin\"]\n\turl = "+tc.remote+"\n")
				for _, dir := range []string{"objects", "refs"} {
					if err := os.Mkdir(filepath.Join(".git", dir), 0o755); err != nil {
						t.Fatal(err)
					}
				}
			}
			store := account.In(config, nil)
			for _, p := range tc.logins {
				if _, _, err := store.Save(p, "t0k-login-"+p.Name, true); err != nil {
					t.Fatal(err)
				}
			}
			if len(tc.logins) == 1 { // Save makes it the default
				text, err := os.ReadFile(store.File())
				if err != nil {
					t.Fatal(err)
				}
				writeText(t, store.File(), strings.Replace(string(text), "default: true", "default: false", 1))
			}
			var warned bytes.Buffer
			s := Streams{Err: &warned, LookupEnv: func(name string) (string, bool) {
				if name == "XDG_CONFIG_HOME" {
					return config, true
				}
				value, ok := tc.env[name]
				return value, ok
			}}
			got, err := tc.flags.access(s)
			if tc.err != "" {
				var hint string
				if f, ok := err.(*failure); ok { //nolint:errorlint // it is what the command returns
					hint = f.hint
				}
				if err == nil || !strings.Contains(err.Error(), tc.err) || !strings.Contains(hint, tc.hint) {
					t.Errorf("%v (%s), want %s (%s)", err, hint, tc.err, tc.hint)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.server != tc.server || got.serverFrom != tc.serverFrom || got.token != tc.token || got.token != "" && got.tokenFrom != tc.tokenFrom {
				t.Errorf("%s (%s), %s (%s); want %s (%s), %s (%s)", got.server, got.serverFrom, got.token, got.tokenFrom, tc.server, tc.serverFrom, tc.token, tc.tokenFrom)
			}
			got.warnOfStray(s)
			if told := warned.String(); tc.warns == "" && told != "" || !strings.Contains(told, tc.warns) {
				t.Errorf("it warns of %q, want %q", told, tc.warns)
			}
			if text := got.explain(); tc.token != "" && strings.Contains(text, "t0k") {
				t.Errorf("it shows the token: %s", text)
			}
		})
	}
}

func writeText(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestTransport has a server be reached by what flags, a login or the environment
// name.
func TestTransport(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"login":"octocat"}`)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of clients that do not trust it
	server.StartTLS()
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	writeText(t, ca, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	for _, tc := range []struct {
		name    string
		flags   serverFlags
		env     map[string]string
		profile account.Profile
		err     string
	}{
		{name: "an authority that nobody trusts", err: "certificate"},
		{name: "--ca-file", flags: serverFlags{caFile: ca}},
		{name: "that of the login", profile: account.Profile{CAFile: ca}},
		{name: "--skip-verify", flags: serverFlags{skipVerify: true}},
		{name: skipVerifyVar, env: map[string]string{skipVerifyVar: "true"}},
		{name: "no truth value", env: map[string]string{skipVerifyVar: "maybe"}, err: `DRONE_SKIP_VERIFY is "maybe"`},
		{name: "no file", flags: serverFlags{caFile: "absent.pem"}, err: "absent.pem cannot be read"},
		{name: "a key without its certificate", flags: serverFlags{caFile: ca, key: ca}, err: "but no certificate"},
		{name: socksVar, flags: serverFlags{caFile: ca}, env: map[string]string{socksVar: "127.0.0.1:1"}, err: "127.0.0.1:1"},
		{name: "--socks-proxy", flags: serverFlags{caFile: ca, socks: "nowhere"}, err: "the address of the SOCKS proxy"},
		{name: socksOffVar, flags: serverFlags{caFile: ca}, env: map[string]string{socksVar: "127.0.0.1:1", socksOffVar: "1"}},
		{name: "--socks-proxy-off", flags: serverFlags{caFile: ca, socksOff: true}, env: map[string]string{socksVar: "127.0.0.1:1"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := Streams{Err: io.Discard, LookupEnv: func(name string) (string, bool) { value, ok := tc.env[name]; return value, ok }}
			c, err := tc.flags.connect(s, access{server: server.URL, token: "t0ken", profile: tc.profile})
			if err == nil {
				defer c.Close()
				_, err = c.Self(t.Context())
			}
			switch {
			case tc.err == "" && err != nil:
				t.Error(err)
			case tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)):
				t.Errorf("%v, want %s", err, tc.err)
			}
		})
	}
}
