package cmd_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/client"

	"github.com/drone-laptop/drone/internal/dockerdtest"
)

// TestChaosOfEngine kills, or stops, a Docker daemon at random moments of runs
// that keep it busy, and starts it again: all of them end, and nothing of them
// is left soon after.
func TestChaosOfEngine(t *testing.T) {
	t.Parallel()
	d := dockerdtest.Start(t, []string{"drone-laptop/busybox:test"}, "--shutdown-timeout", "2")
	engine, err := client.NewClientWithOpts(client.WithHost(d.Host), client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	seed := *chaosSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("moments are those of -chaos-seed %d", seed)
	moments := rand.New(rand.NewPCG(seed, 1))
	for round := range max(2, *chaosKills/10) {
		moment := time.Duration(moments.Int64N(int64(busyTime)))
		how, end := "killed", d.Kill
		if round%2 == 1 {
			how, end = "stopped", d.Stop
		}
		var victims []*victim
		for _, args := range [][]string{nil, {"--isolate", "--out", filepath.Join(t.TempDir(), "out")}} {
			v := newVictim(t, busyFile, args...)
			v.command.Env = append(v.command.Env, "DOCKER_HOST="+d.Host)
			v.start()
			victims = append(victims, v)
		}
		time.Sleep(moment)
		end()
		d.Restart()
		what := fmt.Sprintf("engine %s after %v", how, moment.Round(time.Millisecond))
		var all sync.WaitGroup
		for _, v := range victims {
			all.Go(func() {
				select {
				case <-v.ended:
				case <-time.After(time.Minute):
					_ = v.command.Process.Kill()
					<-v.ended
					t.Errorf("%s: drone has not ended:\n%s", what, v.output.String())
					return
				}
				// A run may be over before, a step may have been told to end by
				// the engine that stops, and else the connection was lost.
				if status := v.command.ProcessState.ExitCode(); !slices.Contains([]int{0, 1, 3}, status) {
					t.Errorf("%s: exit status %d:\n%s", what, status, v.output.String())
				}
				v.mustVanish(engine, what)
			})
		}
		all.Wait()
	}
}
