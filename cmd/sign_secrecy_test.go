package cmd_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drone-laptop/drone/remote/servertest"
)

// TestKeysAreNotShown runs what takes a key or a token, well and with mistakes,
// and looks for them in all that is printed.
func TestKeysAreNotShown(t *testing.T) {
	t.Parallel()
	server := servertest.Example()
	defer server.Close()
	const wrongToken = "wr0ng-token-of-octocat"
	dir := t.TempDir()
	for name, text := range map[string]string{
		"key":        servertest.Key + "\n",
		"short":      servertest.Key[:31],
		"two":        servertest.Key + "\n" + servertest.Key,
		"odd":        servertest.Key + "\x00",
		".drone.yml": "kind: pipeline\nname: default\nsteps:\n- {name: a, image: \"alpine:3\", commands: [make]}\n",
		"signed.yml": "kind: pipeline\n---\nkind: signature\nhmac: " + strings.Repeat("0", 64) + "\n",
		"bad.yml":    "kind: [",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pem := "-----BEGIN PRIVATE KEY-----\n" + strings.Repeat(servertest.Key+"\n", 9) + "-----END PRIVATE KEY-----"
	for line, want := range map[string]int{
		"sign --key-file key":                                        0,
		"sign --key-file key --save":                                 0,
		"sign --key-env KEY --check signed.yml":                      1,
		"sign --key-file key --print":                                0,
		"sign --key-file short":                                      2,
		"sign --key-file two":                                        2,
		"sign --key-file odd":                                        2,
		"sign --key-file key bad.yml":                                2,
		"sign --key-env " + servertest.Key:                           2, // the key for its name
		"key set " + servertest.Key:                                  2,
		"sign --key-file " + servertest.Key:                          2,
		"sign --key-file " + servertest.Key + "==":                   2, // as those of Drone 0.5
		"key " + servertest.Key:                                      2,
		"sign --jose --key-file PEM":                                 2,
		"verify --jose --key-env PEM":                                2,
		"exec --require-jose PEM":                                    2,
		"verify --key-file key signed.yml":                           1,
		"verify --key-file key --output json signed.yml bad.yml":     2,
		"key set --file --key-env KEY octo/world":                    0,
		"key set --key-file two octo/world":                          2,
		"key ls --output json":                                       0,
		"lint --key-file key signed.yml":                             1,
		"lint --key-file odd":                                        2,
		"exec --require-signature --debug --key-file key signed.yml": 1,
		"exec --require-signature --debug --key-file short":          2,
		"env":                          0,
		"sign octo/hello":              0,
		"verify octo/hello signed.yml": 1,
		"sign --token " + wrongToken + " octo/hello":                             3,
		"sign --server http://127.0.0.1:1 octo/hello":                            3,
		"sign --server ftp://" + wrongToken + "@127.0.0.1 octo/hello":            2,
		"sign --server http://octocat:" + wrongToken + "@127.0.0.1:1 octo/hello": 2,
	} {
		args := strings.Fields(line)
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "PEM", pem)
		}
		c := exec.Command(filepath.Join(binary, "drone"), args...)
		c.Dir = dir
		c.Env = append(os.Environ(), "XDG_CONFIG_HOME="+dir, "KEY="+servertest.Key, "DRONE_SERVER="+server.URL, "DRONE_TOKEN="+servertest.Token,
			"DOCKER_HOST=unix:///nonexistent.sock")
		out, err := c.CombinedOutput()
		if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
			t.Fatal(err)
		}
		if got := c.ProcessState.ExitCode(); got != want {
			t.Errorf("drone %s: exit status %d, want %d\n%s", line, got, want, out)
		}
		for _, secret := range []string{servertest.Key[:16], servertest.Key[16:], servertest.Token, wrongToken} {
			if strings.Contains(string(out), secret) {
				t.Errorf("drone %s shows %s:\n%s", line, secret, out)
			}
		}
	}
}
