package report_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/report"
)

// timed is a run in which two steps overlap for a second, beside a service.
func timed() []exec.Event {
	begin := time.Date(2020, 2, 2, 2, 2, 2, 0, time.UTC)
	after := func(ms int) exec.At { return exec.At{Time: begin.Add(time.Duration(ms) * time.Millisecond)} }
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	spent := func(pull, create, start, run int) []exec.Spent {
		return []exec.Spent{{Phase: exec.PhasePull, Duration: ms(pull)}, {Phase: exec.PhaseCreate, Duration: ms(create)}, {Phase: exec.PhaseStart, Duration: ms(start)}, {Phase: exec.PhaseRun, Duration: ms(run)}}
	}
	started := func(at int, step string, kind exec.Kind) exec.Event {
		return exec.StepStarted{At: after(at), Pipeline: "p", Step: step, Kind: kind}
	}
	finished := func(at int, step string, kind exec.Kind, took int, spent []exec.Spent) exec.Event {
		return exec.StepFinished{At: after(at), Pipeline: "p", Step: step, Kind: kind, Status: exec.StatusSuccess, Duration: ms(took), Spent: spent}
	}
	return []exec.Event{
		exec.RunStarted{At: after(0), Pipelines: []string{"p"}},
		exec.PipelineSkipped{At: after(0), Pipeline: "q", Reason: "not now"},
		exec.PipelineStarted{At: after(0), Pipeline: "p"},
		started(100, "db", exec.KindService),
		started(100, "a", exec.KindStep),
		started(100, "b", exec.KindStep),
		finished(3400, "a", exec.KindStep, 3300, spent(1000, 20, 280, 2000)), // runs from 1.4 s to 3.4 s
		finished(4400, "b", exec.KindStep, 4300, spent(0, 1300, 1000, 2000)), // runs from 2.4 s to 4.4 s
		exec.StepSkipped{At: after(4400), Pipeline: "p", Step: "c", Kind: exec.KindStep, Reason: "no step has failed"},
		finished(4500, "db", exec.KindService, 4400, spent(0, 20, 280, 4100)),
		exec.PipelineFinished{At: after(4500), Pipeline: "p", Status: exec.StatusSuccess, Duration: ms(4500), Setup: ms(100)},
		exec.RunFinished{At: after(4800), Status: exec.StatusSuccess, Duration: ms(4800), Cleanup: ms(300)},
	}
}

func timing() *report.Timing {
	return &report.Timing{
		Before: []report.Lap{{Name: "planning", Duration: 12 * time.Millisecond}, {Name: "connecting", Duration: 188 * time.Millisecond}},
		Total:  func() time.Duration { return 5 * time.Second },
	}
}

func TestTiming(t *testing.T) {
	var summary exec.Summary
	for _, e := range timed() {
		summary.Apply(e)
	}
	var out bytes.Buffer
	if err := report.WriteTiming(&out, &summary, *timing(), report.Style{}); err != nil {
		t.Fatal(err)
	}
	const want = `
where the time went  total   pull  create  start    run
planning              12ms
connecting           188ms
setting up           100ms
db                   4.40s      –    20ms  280ms  4.10s
a                    3.30s  1.00s    20ms  280ms  2.00s
b                    4.30s      –   1.30s  1.00s  2.00s
removing             300ms
3.00s of 5.00s were your commands (60 %)
`
	if got := out.String(); got != want {
		t.Errorf("got:%s\nwant:%s", got, want)
	}
}

// TestTimingInJSON is there when it is asked for, and only then.
func TestTimingInJSON(t *testing.T) {
	records := func(r *report.JSON, out *bytes.Buffer) map[string]map[string]any {
		for _, e := range timed() {
			if err := r.Handle(e); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		all := map[string]map[string]any{}
		for line := range bytes.SplitSeq(bytes.TrimSpace(out.Bytes()), []byte("\n")) {
			var record map[string]any
			if err := json.Unmarshal(line, &record); err != nil {
				t.Fatal(err)
			}
			name, _ := record["step"].(string)
			all[record["type"].(string)+name] = record
		}
		return all
	}
	text := func(v any) string {
		out, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	var out bytes.Buffer
	all := records(report.NewJSON(&out, (*exec.Summary).ExitCode).WithTiming(timing()), &out)
	for _, tc := range []struct{ record, field, want string }{
		{"step_finisheda", "phases_ms", `{"create":20,"pull":1000,"run":2000,"start":280}`},
		{"pipeline_finished", "setup_ms", `100`},
		{"run_finished", "timing", `{"before_ms":{"connecting":188,"planning":12},"cleanup_ms":300,"commands_ms":3000,"total_ms":5000}`},
	} {
		if got := text(all[tc.record][tc.field]); got != tc.want {
			t.Errorf("%s of %s is %s, want %s", tc.field, tc.record, got, tc.want)
		}
	}
	out.Reset()
	all = records(report.NewJSON(&out, (*exec.Summary).ExitCode), &out)
	for _, tc := range [][2]string{{"step_finisheda", "phases_ms"}, {"pipeline_finished", "setup_ms"}, {"run_finished", "timing"}} {
		if got, ok := all[tc[0]][tc[1]]; ok {
			t.Errorf("%s of %s is %v without being asked for", tc[1], tc[0], got)
		}
	}
}
