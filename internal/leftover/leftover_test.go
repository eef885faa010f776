package leftover

import (
	"testing"

	"github.com/drone-laptop/drone/exec/docker"
	"github.com/drone-laptop/drone/internal/owner"
)

// TestStateOf: what a guard is removing is left by nobody.
func TestStateOf(t *testing.T) {
	states := map[int]owner.State{1: owner.Alive, 2: owner.Dead, 3: owner.Unknown}
	state := func(id owner.Identity) owner.State { return states[id.PID] }
	for _, tc := range []struct {
		owner, guard int
		want         owner.State
		guarded      bool
	}{
		{1, 0, owner.Alive, false}, {2, 0, owner.Dead, false}, {3, 0, owner.Unknown, false},
		{2, 1, owner.Alive, true}, {2, 2, owner.Dead, false}, {2, 3, owner.Dead, false},
		{1, 2, owner.Alive, false}, {1, 1, owner.Alive, false}, {3, 1, owner.Unknown, false},
	} {
		o := docker.Object{Owner: owner.Identity{PID: tc.owner}, Guard: owner.Identity{PID: tc.guard}}
		if got, guarded := stateOf(o, state); got != tc.want || guarded != tc.guarded {
			t.Errorf("owner %v, guard %v: %v, guarded %v", states[tc.owner], states[tc.guard], got, guarded)
		}
	}
}

func TestTally(t *testing.T) {
	var tally Tally
	if tally.Any() || tally.String() != "" {
		t.Errorf("nothing is %q", tally)
	}
	for _, kind := range []string{docker.KindVolume, docker.KindContainer, KindDirectory, docker.KindContainer, docker.KindNetwork} {
		tally.Count(kind)
	}
	tally.Processes(2)
	if want := "2 containers, 1 network, 1 volume, 1 directory, 2 processes"; !tally.Any() || tally.String() != want {
		t.Errorf("got %q, want %q", tally, want)
	}
}
