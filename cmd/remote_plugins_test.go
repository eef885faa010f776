package cmd

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/drone-laptop/drone/internal/extension"
)

// TestPlugins asks extensions of all kinds, in the words of the reference (§4.4).
func TestPlugins(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("build.star", []byte("def main(ctx): pass\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const repo = "octo/hello"
	for _, tc := range []struct {
		name, words, prefix  string
		accept, asks, answer string
		status               int // of the extension
		want, err            string
		exit                 int
	}{
		{
			name: "admit", words: "admit octocat", prefix: "DRONE_ADMISSION", accept: extension.Admission,
			asks: `"user":{"id":0,"login":"octocat"`, answer: `{"login":"octocat","admin":true,"token":"hunter2"}`, want: "User:  octocat\nAdmin: yes\n",
		},
		{name: "admitted without a word", words: "admit --user octocat", prefix: "DRONE_ADMISSION", accept: extension.Admission, asks: "login", status: 204, want: "User:  octocat\nAdmin: no\n"},
		{name: "not admitted", words: "admit octocat", prefix: "DRONE_ADMISSION", accept: extension.Admission, asks: "login", status: 403, answer: "not a member", err: "answers 403 Forbidden: not a member", exit: 3},
		{
			name: "config", words: "config get " + repo + " --path .drone.star --ref refs/tags/v1", prefix: "DRONE_YAML", accept: extension.Config,
			asks: `"ref":"refs/tags/v1"`, answer: `{"data":"kind: pipeline\n"}`, want: "kind: pipeline\n",
		},
		{name: "no config", words: "config get " + repo, prefix: "DRONE_YAML", accept: extension.Config, asks: `"config_path":".drone.yml"`, status: 204, err: "the server takes the file of the repository"},
		{
			name: "convert", words: "convert build.star --repository " + repo, prefix: "DRONE_CONVERT", accept: extension.Convert,
			asks: `"config":{"data":"def main(ctx): pass\n"`, answer: `{"data":"kind: pipeline\n"}`, want: "kind: pipeline\n",
		},
		{name: "nothing to convert", words: "convert build.star --repository " + repo, prefix: "DRONE_CONVERT", accept: extension.Convert, asks: `"config_path":"build.star"`, status: 204, want: "def main(ctx): pass\n"},
		{
			name: "env", words: "env --repository " + repo, prefix: "DRONE_ENVIRON", accept: extension.Environment,
			asks: `"slug":"octo/hello"`, answer: `[{"name":"A","data":"1 \"2\""},{"name":"B","data":"hunter2","mask":true}]`, want: "A=\"1 \\\"2\\\"\"\nB=\"******\"\n",
		},
		{
			name: "registry", words: "registry list --repo " + repo + " --output json", prefix: "DRONE_REGISTRY", accept: extension.Registry,
			asks: `"event":"push"`, answer: `[{"address":"r.example.com","username":"u","password":"hunter2"}]`, want: "[\n  {\n    \"address\": \"r.example.com\",\n    \"username\": \"u\"\n  }\n]\n",
		},
		{
			name: "secret", words: "secret get docker password --event tag --repo " + repo, prefix: "DRONE_SECRET", accept: extension.Secret,
			asks: `"path":"docker","name":"password"`, answer: `{"name":"password","data":"hunter3"}`, want: "hunter3\n",
		},
		{name: "no secret", words: "secret get docker --repo " + repo, prefix: "DRONE_SECRET", accept: extension.Secret, asks: `"path":"docker"`, status: 204, err: "has no secret docker for this", exit: 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if got := r.Header.Get("Accept"); err != nil || got != tc.accept || !strings.Contains(string(body), tc.asks) || !json.Valid(body) {
					t.Errorf("%s %s, %v; want %s %s", got, body, err, tc.accept, tc.asks)
				}
				if tc.status != 0 {
					w.WriteHeader(tc.status)
				}
				_, _ = io.WriteString(w, tc.answer) // whoever does not read it misses nothing
			}))
			defer server.Close()
			env := map[string]string{tc.prefix + "_ENDPOINT": server.URL, tc.prefix + "_SECRET": "s3cret"}
			var out, errs bytes.Buffer
			s := Streams{Out: &out, Err: &errs, LookupEnv: func(name string) (string, bool) { value, ok := env[name]; return value, ok }}
			exit := Main(append([]string{"plugins"}, strings.Fields(tc.words)...), s, Build{})
			if exit != tc.exit || out.String() != tc.want || !strings.Contains(errs.String(), tc.err) {
				t.Errorf("status %d, printed %q, %s; want %d, %q, %s", exit, out.String(), errs.String(), tc.exit, tc.want, tc.err)
			}
			for _, secret := range []string{"s3cret", "hunter2"} {
				if strings.Contains(out.String()+errs.String(), secret) {
					t.Errorf("%s is shown: %s%s", secret, out.String(), errs.String())
				}
			}
		})
	}
	var errs bytes.Buffer
	s := Streams{Out: io.Discard, Err: &errs, LookupEnv: func(string) (string, bool) { return "", false }}
	if exit := Main([]string{"plugins", "env", "--repository", repo}, s, Build{}); exit != 2 || !strings.Contains(errs.String(), "hint: set DRONE_ENVIRON_ENDPOINT") {
		t.Errorf("status %d, %s", exit, errs.String())
	}
}
