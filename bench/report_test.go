package main

import (
	"bytes"
	"encoding/json"
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
	subjects := []subject{{name: "drone"}, {name: baseline}, {name: "other"}}
	samples := [][]time.Duration{
		{second, 2 * second, 3 * second},
		{2 * second, 2 * second, 2 * second},
		{4 * second, 40 * time.Millisecond, 4 * second},
	}
	return report{
		Version: 1, Time: time.Date(2020, 2, 2, 2, 2, 2, 0, time.UTC), Rounds: 3,
		Machine: machine{OS: "linux", Arch: "amd64", CPUs: 2, Go: "go1", Docker: "client 1, engine 2", Image: "x:1"},
		Results: []result{summarise(workload{name: "w", title: "some work"}, subjects, samples)},
	}
}

func TestTable(t *testing.T) {
	var got bytes.Buffer
	sample().writeTable(&got)
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
	var back report
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, back); diff != "" {
		t.Errorf("report read back differs (-want +got):\n%s", diff)
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
