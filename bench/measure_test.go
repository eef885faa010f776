package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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
	samples, err := measure(context.Background(), subjects, 3, &out, ticking())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "abb"+"bba"+"abb"; got != want {
		t.Errorf("subjects ran in the order %s, want %s", got, want)
	}
	want := [][]time.Duration{
		{time.Second, time.Second, time.Second},
		{time.Second, time.Second, time.Second},
	}
	if diff := cmp.Diff(want, samples); diff != "" {
		t.Errorf("samples differ (-want +got):\n%s", diff)
	}
}

func TestMeasureNamesWhatFailed(t *testing.T) {
	subjects := []subject{shell("good", "true", 1), shell("bad", "echo first >&2; echo why >&2; exit 3", 1)}
	_, err := measure(context.Background(), subjects, 1, &bytes.Buffer{}, ticking())
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
		err := check(context.Background(), workload{lines: tc.lines}, []subject{shell("it", tc.script, 1)})
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

func TestPrepare(t *testing.T) {
	dir := t.TempDir()
	w := workload{name: "two", steps: 2, command: "true"}
	subjects, err := prepare(dir, w, "/bin/drone", options{image: "x:1", peers: peerFlags{{"other", []string{"o", "exec"}}}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range subjects {
		got = append(got, s.name+": "+strings.Join(s.argv, " "))
	}
	want := []string{
		"drone: /bin/drone exec",
		"docker run: docker run --rm --pull never x:1 sh -c true",
		"other: o exec",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("subjects differ (-want +got):\n%s", diff)
	}
	if subjects[0].times != 1 || subjects[1].times != 2 {
		t.Errorf("drone runs %d times and docker %d, want 1 and 2", subjects[0].times, subjects[1].times)
	}
	text, err := os.ReadFile(filepath.Join(dir, "two", ".drone.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(text), "- name: step-"); got != 2 {
		t.Errorf("pipeline has %d steps, want 2:\n%s", got, text)
	}
}
