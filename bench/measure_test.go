package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/compile"
)

func TestTurnRotates(t *testing.T) {
	var got [][]int
	for round := range 4 {
		got = append(got, turn(3, round))
	}
	want := [][]int{{0, 1, 2}, {1, 2, 0}, {2, 0, 1}, {0, 1, 2}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("orders differ (-want +got):\n%s", diff)
	}
}

func shell(name, script string, times int) subject {
	return subject{name: name, argv: []string{"sh", "-c", script}, times: times}
}

// ticking is a clock that is one second later each time it is read.
func ticking() func() time.Time {
	at := time.Unix(0, 0)
	return func() time.Time {
		at = at.Add(time.Second)
		return at
	}
}

func TestMeasureAlternates(t *testing.T) {
	var out bytes.Buffer
	subjects := []subject{shell("a", "printf a", 1), shell("b", "printf b", 2)}
	readings, err := measure(context.Background(), subjects, nil, 3, &out, ticking())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "abb"+"bba"+"abb"; got != want {
		t.Errorf("subjects ran in the order %s, want %s", got, want)
	}
	for i := range subjects {
		if got, want := samples(readings[i]), []float64{1000, 1000, 1000}; !cmp.Equal(got, want) {
			t.Errorf("%s took %v ms, want %v", subjects[i].name, got, want)
		}
	}
}

func TestMeasureNamesWhatFailed(t *testing.T) {
	subjects := []subject{shell("good", "true", 1), shell("bad", "echo first >&2; echo why >&2; exit 3", 1)}
	_, err := measure(context.Background(), subjects, nil, 1, &bytes.Buffer{}, ticking())
	if err == nil {
		t.Fatal("no error for a subject that fails")
	}
	for _, part := range []string{"bad: ", "exit status 3", "why"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

func TestCheckCountsTheWork(t *testing.T) {
	type testCase struct {
		name    string
		script  string
		lines   int
		wantErr string
	}
	run := func(t *testing.T, tc testCase) {
		_, _, err := check(context.Background(), workload{lines: tc.lines}, []subject{shell("it", tc.script, 1)})
		switch {
		case tc.wantErr == "" && err != nil:
			t.Error(err)
		case tc.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tc.wantErr)):
			t.Errorf("error is %v, want one with %q", err, tc.wantErr)
		}
	}
	for _, tc := range []testCase{
		{"exactly", "echo 1; echo 2", 2, ""},
		{"more, such as trace lines", "echo 1; echo 2; echo 3", 2, ""},
		{"fewer", "echo 1", 2, "it printed 1 lines of 2"},
		{"failing", "exit 1", 0, "exit status 1"},
	} {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

// TestCheckLeavesPeersOut that cannot do the work, and nothing else.
func TestCheckLeavesPeersOut(t *testing.T) {
	other := shell("other", "exit 3", 1)
	other.optional = true
	able, out, err := check(context.Background(), workload{}, []subject{shell("it", "true", 1), other})
	if err != nil || len(able) != 1 || able[0].name != "it" || len(out) != 1 || !strings.Contains(out[0], "exit status 3") {
		t.Errorf("able %v, left out %q, error %v", able, out, err)
	}
	other.optional = false
	if _, _, err := check(context.Background(), workload{}, []subject{other}); err == nil {
		t.Error("a subject that is not optional is left out")
	}
}

func TestTogether(t *testing.T) {
	dir := t.TempDir()
	// Each waits for the other to have begun.
	meet := "mkdir one 2>/dev/null || mkdir two; until [ -d one ] && [ -d two ]; do :; done"
	s := subject{name: "both", dir: dir, argv: []string{"sh", "-c", meet}, times: 2, together: true}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if _, err := s.do(ctx, nil); err != nil {
		t.Error(err)
	}
}

// TestSettling: what is left of one run is gone before the next one begins, and
// that is not counted as its time.
func TestSettling(t *testing.T) {
	var out bytes.Buffer
	s := shell("leaves", "printf run", 1)
	s.settle = func(context.Context) error {
		out.WriteString("-gone ")
		return nil
	}
	emptying := func(o outcome) ([]time.Duration, error) {
		return []time.Duration{o.ended.Sub(o.began), o.clean.Sub(o.ended)}, nil
	}
	for _, tc := range []struct {
		read reader
		want []float64
	}{{nil, []float64{1000, 1000}}, {emptying, []float64{1000, 1000, 1000, 1000}}} {
		readings, err := measure(context.Background(), []subject{s}, tc.read, 2, &out, ticking())
		if err != nil || !cmp.Equal(samples(readings[0]), tc.want) {
			t.Errorf("readings are %v, want %v, error %v", readings, tc.want, err)
		}
	}
	if got, want := out.String(), "run-gone run-gone -gone -gone "; got != want {
		t.Errorf("it did %q, want %q", got, want)
	}
	s.settle = func(context.Context) error { return errors.New("it stays") }
	if _, err := measure(context.Background(), []subject{s}, nil, 1, &out, ticking()); err == nil {
		t.Error("what stays is no error")
	}
}

func prepared(t *testing.T, w workload, peers ...peer) (subjects []subject, dir string) {
	t.Helper()
	p, err := newPlace(t.TempDir(), w.name, "/bin/drone", "/bin/bench", "x:1")
	if err != nil {
		t.Fatal(err)
	}
	subjects, err = prepare(p, w, peers)
	if err != nil {
		t.Fatal(err)
	}
	return subjects, p.dir
}

func TestPrepare(t *testing.T) {
	subjects, dir := prepared(t, workload{name: "two", steps: 2, command: "true"}, peer{name: "other", argv: []string{"o", "exec"}})
	var got []string
	for _, s := range subjects {
		got = append(got, s.name+": "+strings.Join(s.argv, " "))
	}
	want := []string{
		"drone: /bin/drone exec",
		"docker run: docker run --rm --pull never --label " + dirLabel + "=" + dir + " x:1 sh -c true",
		"other: o exec",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("subjects differ (-want +got):\n%s", diff)
	}
	if subjects[0].times != 1 || subjects[1].times != 2 {
		t.Errorf("drone runs %d times and docker %d, want 1 and 2", subjects[0].times, subjects[1].times)
	}
	text, err := os.ReadFile(filepath.Join(dir, ".drone.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(text), "- name: step-"); got != 2 {
		t.Errorf("pipeline has %d steps, want 2:\n%s", got, text)
	}
}

// TestFiles are what drone makes of every file that it is given: as many steps
// as the work has, in a row or all at once.
func TestFiles(t *testing.T) {
	for _, w := range workloads() {
		t.Run(w.name, func(t *testing.T) {
			_, dir := prepared(t, w)
			text, err := os.ReadFile(filepath.Join(dir, ".drone.yml"))
			if w.steps == 0 && os.IsNotExist(err) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			plan, problems, err := compile.Compile(".drone.yml", text, compile.Options{
				Build: compile.Build{Event: "push", Branch: "main", Ref: "refs/heads/main"}, Workspace: dir,
			})
			if err != nil || len(problems) > 0 {
				t.Fatal(err, problems)
			}
			steps := plan.Pipelines[0].Steps
			if len(steps) < max(w.steps, 1) {
				t.Errorf("plan has %d steps, want %d", len(steps), w.steps)
			}
			for i, s := range steps {
				if waits := len(s.DependsOn) > 0; waits != (i > 0 && !w.together) {
					t.Errorf("step %s waits for %v", s.Name, s.DependsOn)
				}
			}
		})
	}
}

// TestPeerFiles are YAML in which every step of the work occurs.
func TestPeerFiles(t *testing.T) {
	for _, w := range []workload{{steps: 3, command: stamps("end")}, {steps: 3, command: "true", together: true}} {
		for name, write := range map[string]func(workload, string) string{
			"woodpecker": woodpeckerFile, "act": actFile, "gitlab": gitlabFile,
		} {
			text := write(w, "x:1")
			var into map[string]any
			if err := yaml.Unmarshal([]byte(text), &into); err != nil {
				t.Errorf("%s: %v\n%s", name, err, text)
			}
			for _, step := range []string{"step-1:", "step-2:", "step-3:"} {
				if !strings.Contains(text, step) && !strings.Contains(text, "- name: "+strings.TrimSuffix(step, ":")) {
					t.Errorf("%s has no %s\n%s", name, step, text)
				}
			}
		}
	}
}

func TestReaders(t *testing.T) {
	output := []byte(strings.Join([]string{
		"+ echo mark-begin tv_sec: 100 tv_usec: 0", // the same, as a shell with -x shows it
		"[step-1:1] mark-begin tv_sec: 100 tv_usec: 0",
		"[step-1:2] mark-end tv_sec:  101 tv_usec: 250000",
		"[step-2:1] mark-begin tv_sec: 101 tv_usec: 273000",
		"+ echo mark-again tv_sec: 101 tv_usec: 276000",
		"[step-2:2] mark-again tv_sec: 101 tv_usec: 276000",
		"[step-2:2] mark-end tv_sec: 102 tv_usec: 5",
	}, "\n"))
	got, err := gaps(outcome{output: output})
	if err != nil || !cmp.Equal(got, []time.Duration{20 * time.Millisecond}) {
		t.Errorf("gaps are %v, %v, want [20ms]", got, err)
	}
	got, err = tail(outcome{output: output, ended: time.Unix(102, 105_000)})
	if err != nil || !cmp.Equal(got, []time.Duration{100 * time.Microsecond}) {
		t.Errorf("tail is %v, %v, want [100µs]", got, err)
	}
	got, err = emptied(outcome{output: output, ended: time.Unix(102, 0), clean: time.Unix(102, 105_000)})
	if want := []time.Duration{100 * time.Microsecond}; err != nil || !cmp.Equal(got, want) {
		t.Errorf("until nothing is left it took %v, want %v, error %v", got, want, err)
	}
	got, err = printed(outcome{output: []byte("some note\n1234.6\n")})
	if err != nil || !cmp.Equal(got, []time.Duration{1234}) {
		t.Errorf("printed is %v, %v, want [1234ns]", got, err)
	}
	for name, read := range map[string]reader{"gaps": gaps, "tail": tail, "emptied": emptied, "printed": printed} {
		if got, err := read(outcome{output: []byte("nothing of the kind")}); err == nil {
			t.Errorf("%s gives %v of an output without any", name, got)
		}
	}
	overlapping := []byte("mark-begin tv_sec: 1 tv_usec: 0\nmark-begin tv_sec: 2 tv_usec: 0\n")
	if got, err := gaps(outcome{output: overlapping}); err == nil {
		t.Errorf("gaps gives %v of steps that ran at once", got)
	}
}

func TestInside(t *testing.T) {
	for _, shape := range []string{"wide", "deep"} {
		var out bytes.Buffer
		if err := runInside(context.Background(), []string{shape, "50"}, &out); err != nil {
			t.Fatal(err)
		}
		if values, err := printed(outcome{output: out.Bytes()}); err != nil || values[0] <= 0 {
			t.Errorf("%s printed %q: %v, %v", shape, out.String(), values, err)
		}
	}
	if err := runInside(context.Background(), []string{"wide", "many"}, &bytes.Buffer{}); err == nil {
		t.Error("no error for a number that is none")
	}
}
