package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func sample() report {
	second := time.Second
	subjects := []subject{{name: "drone"}, {name: baseline, base: true}, {name: "other"}}
	readings := [][]reading{
		{{[]time.Duration{second, second}, 7 << 20}, {[]time.Duration{2 * second, 2 * second}, 9 << 20}, {[]time.Duration{3 * second, 3 * second}, 8 << 20}},
		readingsOf(2*second, 2*second, 2*second),
		readingsOf(4*second, 40*time.Millisecond, 4*second),
	}
	load := workload{name: "step", title: "some work", targets: []target{atMost(ratio, 1.6), atMost(median, 150), atMost(memory, 64)}}
	return report{
		Version: 1, Time: time.Date(2020, 2, 2, 2, 2, 2, 0, time.UTC), Rounds: 3,
		Machine: machine{OS: "linux", Arch: "amd64", CPUs: 2, Go: "go1", Docker: "client 1, engine 2", Image: "x:1", Load: "0.50"},
		Results: []result{summarise(load, subjects, readings)},
	}
}

func readingsOf(times ...time.Duration) (out []reading) {
	for _, t := range times {
		out = append(out, reading{values: []time.Duration{t}})
	}
	return out
}

func TestTable(t *testing.T) {
	var got bytes.Buffer
	earlier := sample()
	earlier.Results[0].Subjects[0].RatioQ3 = 0.6
	earlier.Results[0].Subjects[2].RatioQ1 = 3
	sample().writeTable(&got, &earlier)
	golden(t, "table.golden", got.Bytes())
}

func TestJSON(t *testing.T) {
	path := filepath.Join(t.TempDir(), "latest.json")
	want := sample()
	if err := want.writeJSON(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "report.golden.json", text)
	back, err := readReport(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&want, back); diff != "" {
		t.Errorf("report read back differs (-want +got):\n%s", diff)
	}
}

func TestEarlier(t *testing.T) {
	if r, err := readReport(filepath.Join(t.TempDir(), "none")); r != nil || err != nil {
		t.Errorf("a file that is absent gives %v, %v", r, err)
	}
	path := filepath.Join(t.TempDir(), "broken")
	if err := os.WriteFile(path, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := readReport(path); err == nil {
		t.Error("no error for a file that is broken")
	}
	var none *report
	now := sample()
	if got := none.versus("step", now.Results[0].Subjects[0]); got != "" {
		t.Errorf("nothing earlier gives %q", got)
	}
	// What was not measured again is kept, in the order of the comparisons.
	earlier := report{Results: []result{{Name: "step", Title: "old"}, {Name: "gap"}}}
	var names []string
	for _, res := range now.with(&earlier).Results {
		names = append(names, res.Name+" "+res.Title)
	}
	if diff := cmp.Diff([]string{"gap ", "step some work"}, names); diff != "" {
		t.Errorf("merged results differ (-want +got):\n%s", diff)
	}
}

// TestBaseline reads the file that the repository keeps.
func TestBaseline(t *testing.T) {
	r, err := readReport("baseline.json")
	if err != nil || r == nil {
		t.Fatal(r, err)
	}
	for _, name := range workloadNames() {
		if r.find(name) == nil {
			t.Errorf("baseline.json has no result of %s", name)
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, diff)
	}
}

func TestFlags(t *testing.T) {
	type testCase struct {
		name string
		args []string
		ok   bool
	}
	run := func(t *testing.T, tc testCase) {
		_, err := parseFlags(tc.args, &bytes.Buffer{})
		if (err == nil) != tc.ok {
			t.Errorf("parseFlags(%q) gives %v", tc.args, err)
		}
	}
	for _, tc := range []testCase{
		{"none", nil, true},
		{"peer", []string{"-peer", "other=drone-cli exec"}, true},
		{"peer without command", []string{"-peer", "other="}, false},
		{"peer without name", []string{"-peer", "drone-cli"}, false},
		{"no rounds", []string{"-n", "0"}, false},
		{"argument", []string{"x"}, false},
	} {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
	if _, err := selectWorkloads("step,nope"); err == nil {
		t.Error("no error for an unknown comparison")
	}
}
