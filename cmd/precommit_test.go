package cmd_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/cmd"
)

// TestPreCommitHooks sees to it that the hooks for pre-commit are commands of
// this program, for the files of Drone.
func TestPreCommitHooks(t *testing.T) {
	source, err := os.ReadFile("../.pre-commit-hooks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var hooks []struct{ ID, Name, Description, Entry, Language, Files string }
	if err := yaml.Unmarshal(source, &hooks); err != nil {
		t.Fatal(err)
	}
	if len(hooks) == 0 {
		t.Fatal("there are no hooks")
	}
	for _, h := range hooks {
		if h.ID == "" || h.Name == "" || h.Description == "" || h.Language != "golang" {
			t.Errorf("the hook is incomplete: %+v", h)
		}
		words := strings.Fields(h.Entry)
		if len(words) < 2 || words[0] != "drone" {
			t.Errorf("%s: the entry is %q", h.ID, h.Entry)
			continue
		}
		command, rest, err := cmd.New(cmd.Streams{}, "").Find(words[1:])
		if err != nil || !command.HasParent() {
			t.Errorf("%s: %q is no command: %v", h.ID, h.Entry, err)
			continue
		}
		if err := command.ParseFlags(rest); err != nil {
			t.Errorf("%s: %q: %v", h.ID, h.Entry, err)
		}
		files, err := regexp.Compile(h.Files)
		if err != nil {
			t.Errorf("%s: %v", h.ID, err)
			continue
		}
		for path, want := range map[string]bool{".drone.yml": true, "a/b/.drone.yaml": true, "drone.yml": false, "x.drone.yml": false, ".drone.yml.orig": false} {
			if files.MatchString(path) != want {
				t.Errorf("%s: the pattern matches %s: %t", h.ID, path, !want)
			}
		}
	}
}
