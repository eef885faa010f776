package compile

import (
	"strings"
	"testing"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/manifest"
)

// The vectors are those of reference A.3.
func TestParseImage(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("0a", 32)
	for image, want := range map[string]string{
		"golang":                               "docker.io/library/golang:latest",
		"golang:1.12":                          "docker.io/library/golang:1.12",
		"index.docker.io/library/golang":       "docker.io/library/golang:latest",
		"myhost/x":                             "docker.io/myhost/x:latest",
		"localhost/x":                          "localhost/x:latest",
		"docker.company.com/golang":            "docker.company.com/golang:latest",
		"golang:1.2" + digest:                  "docker.io/library/golang:1.2" + digest,
		"golang" + digest:                      "docker.io/library/golang" + digest,
		"registry:5000/a/b:1":                  "registry:5000/a/b:1",
		"UPPER/x":                              "UPPER/x",
		"Golang":                               "Golang",
		"a:b:c":                                "a:b:c",
		"x/":                                   "x/",
		strings.Repeat("0123456789ab", 6)[:64]: strings.Repeat("0123456789ab", 6)[:64],
		"":                                     "",
	} {
		if got := parseImage(image).full; got != want {
			t.Errorf("parseImage(%q).full = %q, want %q", image, got, want)
		}
	}
}

func TestPullPolicy(t *testing.T) {
	for word, want := range map[string]exec.Pull{
		"":       "",
		"true":   "",
		"ALWAYS": exec.PullAlways, "If-Not-Exists": exec.PullIfNotExists, "never": exec.PullNever,
	} {
		if got := pullPolicy(word); got != want {
			t.Errorf("pullPolicy(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestAutoPrivileged(t *testing.T) {
	text := func(s string) []manifest.String { return []manifest.String{{Value: s}} }
	images := privilegedImages([]string{"registry.example.com/build:1"})
	type testCase struct {
		name string
		step manifest.Step
		want bool
	}
	run := func(t *testing.T, tc testCase) {
		if tc.step.Image.Value == "" {
			tc.step.Image.Value = "plugins/docker"
		}
		if got := autoPrivileged(&tc.step, parseImage(tc.step.Image.Value), images); got != tc.want {
			t.Errorf("got %v, want %v", got, tc.want)
		}
	}
	for _, tc := range []testCase{
		{"plugin", manifest.Step{}, true},
		{"with a tag", manifest.Step{Image: manifest.String{Value: "plugins/ecr:20"}}, true},
		{"full name", manifest.Step{Image: manifest.String{Value: "docker.io/plugins/gcr"}}, true},
		{"of the user", manifest.Step{Image: manifest.String{Value: "registry.example.com/build"}}, true},
		{"other registry", manifest.Step{Image: manifest.String{Value: "quay.io/plugins/docker"}}, false},
		{"of runners after 1.8.3", manifest.Step{Image: manifest.String{Value: "plugins/gar"}}, false},
		{"other image", manifest.Step{Image: manifest.String{Value: "plugins/slack"}}, false},
		{"commands", manifest.Step{Commands: text("id")}, false},
		{"command", manifest.Step{Command: text("id")}, false},
		{"entrypoint", manifest.Step{Entrypoint: text("sh")}, false},
		{"volumes", manifest.Step{Volumes: []manifest.Mount{{}}}, false},
		{"HOME", manifest.Step{Environment: []manifest.EnvVar{{Name: manifest.String{Value: "HOME"}}}}, false},
		{"home", manifest.Step{Environment: []manifest.EnvVar{{Name: manifest.String{Value: "home"}}}}, true},
	} {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}
