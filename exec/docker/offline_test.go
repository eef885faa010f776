package docker

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/dockerhost"
)

// TestOffline: whatever is asked of an offline engine, it asks no registry.
func TestOffline(t *testing.T) {
	s := &stub{local: map[string]bool{"here:1": true, "here:latest": true}, pull: func(http.ResponseWriter, *http.Request, string) {
		t.Error("a registry was asked")
	}}
	e := s.engine(t, nil)
	e.images.offline = true
	for _, policy := range []exec.Pull{"", exec.PullAlways, exec.PullIfNotExists, exec.PullNever} {
		for _, image := range []string{"here:1", "here:latest", "gone:1", "gone:latest"} {
			w := wanted{image: image, pull: policy, credentials: &dockerhost.Credentials{}, notify: func(exec.Notice) {}}
			err := e.present(t.Context(), w)
			if strings.HasPrefix(image, "here") {
				if err != nil {
					t.Errorf("%s with pull: %q gave %v", image, policy, err)
				}
				continue
			}
			got := asStepError(t, err, exec.PhasePull)
			if !strings.Contains(got.Error(), `image "`+image+`" is not on this engine`) || got.Hint == "" {
				t.Errorf("%s with pull: %q gave %q, %q", image, policy, got.Error(), got.Hint)
			}
		}
	}
}

// TestMissing: each image that a step may need and that is not here is named
// once, in the order of the plan.
func TestMissing(t *testing.T) {
	s := &stub{local: map[string]bool{"here:1": true}, pull: func(http.ResponseWriter, *http.Request, string) {
		t.Error("a registry was asked")
	}}
	e := s.engine(t, nil)
	step := func(image string, policy exec.Policy) *exec.Step { return &exec.Step{Image: image, Policy: policy} }
	got, err := e.Missing(t.Context(), []*exec.Pipeline{
		{Runs: true, Steps: []*exec.Step{step("z:1", exec.OnSuccess), step("here:1", exec.Always), step("skipped:1", exec.Never), step("", exec.Always)}},
		{Steps: []*exec.Step{step("notrun:1", exec.Always)}},
		{Runs: true, Steps: []*exec.Step{step("a:1", exec.OnFailure), step("z:1", exec.Always)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range got {
		names = append(names, m.Image)
	}
	if diff := cmp.Diff([]string{"z:1", "a:1"}, names); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, looked := s.counts(); looked != 3 {
		t.Errorf("looked %d times, want once for each image", looked)
	}
}
