package docker

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/docker/docker/api/types/container"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/owner"
)

// TestObjects: what an engine holds for a run is found with its owner and its
// size, and can be removed. A container that only has the labels of the run, as
// one of an image has that was committed from a step, is none.
func TestObjects(t *testing.T) {
	e := newEngine(t)
	tr := open(t, e, func(p *exec.Pipeline) {
		p.Volumes = []exec.Volume{{Name: "cache", Kind: exec.VolumeTemp}}
	})
	s := tr.session.(*session)
	labels := map[string]string{LabelStep: "busy"}
	maps.Copy(labels, s.place.labels)
	made := func(name string) {
		t.Helper()
		config := &container.Config{Image: testImage, Cmd: []string{"sleep", "600"}, Labels: labels}
		created, err := e.client.ContainerCreate(t.Context(), config, nil, nil, nil, name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := e.removeContainer(context.WithoutCancel(t.Context()), created.ID); err != nil {
				t.Error(err)
			}
		})
	}
	foreign := "test-" + random()
	made(foreign)
	name, err := s.claim()
	if err != nil {
		t.Fatal(err)
	}
	made(name)
	if err := e.client.ContainerStart(t.Context(), name, container.StartOptions{}); err != nil {
		t.Fatal(err)
	}
	objects, err := e.SizedObjects(t.Context(), tr.run)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, o := range objects {
		kinds = append(kinds, o.Kind)
		if o.Run != tr.run || o.Pipeline != "trial" || o.Owner.State() != owner.Alive || o.Made.IsZero() || (o.Size < 0) != (o.Kind == KindNetwork) {
			t.Errorf("found %+v", o)
		}
	}
	// The workspace is a volume, too.
	if want := []string{KindContainer, KindNetwork, KindVolume, KindVolume}; !slices.Equal(kinds, want) {
		t.Fatalf("found %v, want %v", kinds, want)
	}
	if objects[0].Name != name || objects[0].Step != "busy" {
		t.Errorf("the container is %+v", objects[0])
	}
	all, err := e.Objects(t.Context(), "")
	if err != nil || !slices.ContainsFunc(all, func(o Object) bool { return o.Name == name }) {
		t.Errorf("among all is none of this run, error %v", err)
	}
	for range 2 { // the second time they are gone
		if err := errors.Join(e.Remove(t.Context(), nil, objects)...); err != nil {
			t.Error(err)
		}
	}
	if left := leftovers(t, e, tr.run); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := e.client.ContainerInspect(t.Context(), foreign); err != nil {
		t.Errorf("a container of somebody else: %v", err)
	}
}
