package docker

import (
	"context"
	"testing"

	"github.com/docker/docker/api/types/container"
)

// TestPodmanTellsWhoEnded does to containers of Podman what others do.
func TestPodmanTellsWhoEnded(t *testing.T) {
	e := newPodman(t)
	for name, tc := range map[string]struct {
		do     func(ctx context.Context, container string) error
		reason string
	}{
		"killed by another": {func(ctx context.Context, name string) error { return e.client.ContainerKill(ctx, name, "KILL") }, "its container was killed by somebody else"},
		"removed by another": {func(ctx context.Context, name string) error {
			return e.client.ContainerRemove(ctx, name, container.RemoveOptions{Force: true})
		}, removedByOthers},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := open(t, e, nil)
			_, exit, err := tr.whenUp(t.Context(), commands("echo; echo up; sleep 600"), func() {
				if err := tc.do(t.Context(), tr.container()); err != nil {
					t.Errorf("podman: %v", err)
				}
			})
			// Podman tells of a signal when it gets to it, on a busy machine after
			// the end of the container.
			late := exit.Reason == "that is the code of SIGKILL" && tc.reason != removedByOthers
			if err != nil || exit.Code != 137 || exit.Reason != tc.reason && !late || exit.Hint == "" {
				t.Errorf("got %+v, %v", exit, err)
			}
		})
	}
}
