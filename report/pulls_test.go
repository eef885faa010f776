package report

import (
	"slices"
	"testing"
	"time"

	"github.com/drone-laptop/drone/exec"
)

func TestPulls(t *testing.T) {
	start := time.Unix(100, 0)
	progress := func(pipeline, image string, current, total int64, done bool) exec.PullProgress {
		return exec.PullProgress{At: exec.At{Time: start}, Pipeline: pipeline, Image: image, Current: current, Total: total, Done: done}
	}
	foreign := progress("a", "golang", 0, 0, false)
	foreign.Platform = "linux/arm64"
	var pulls Pulls
	for _, tc := range []struct {
		event exec.Event
		want  []string
	}{
		{exec.StepStarted{Pipeline: "a", Step: "s"}, nil},
		{progress("a", "golang", 0, 0, false), []string{"golang|"}},
		{progress("b", "golang", 5, 0, false), []string{"golang|", "golang|5 B"}},
		{progress("a", "docker.io/library/golang", 5, 10, false), []string{"golang|5 B of 10 B", "golang|5 B"}},
		{foreign, []string{"golang|5 B of 10 B", "golang|5 B", "golang for linux/arm64|"}},
		{progress("b", "golang", 9, 9, true), []string{"golang|5 B of 10 B", "golang for linux/arm64|"}},
		{exec.StepFinished{Pipeline: "a", Image: "golang", Phase: exec.PhaseRun}, []string{"golang|5 B of 10 B", "golang for linux/arm64|"}},
		{exec.StepFinished{Pipeline: "a", Image: "golang", Phase: exec.PhasePull}, nil},
		{progress("a", "alpine", 1, 2, false), []string{"alpine|1 B of 2 B"}},
		{exec.PipelineFinished{Pipeline: "b"}, []string{"alpine|1 B of 2 B"}},
		{exec.PipelineFinished{Pipeline: "a"}, nil},
	} {
		pulls.Apply(tc.event)
		var got []string
		for _, p := range pulls {
			if p.Since != start {
				t.Errorf("after %+v: %s since %v", tc.event, p.Name(), p.Since)
			}
			got = append(got, p.Name()+"|"+p.Progress())
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("after %+v: %q, want %q", tc.event, got, tc.want)
		}
	}
}
