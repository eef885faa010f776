package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFlags(t *testing.T) {
	o, err := parseFlags([]string{"-at", "1, 3", "-only", "own,joined"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{1, 3}, o.at); diff != "" {
		t.Errorf("numbers at once (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"own", "joined"}, o.only); diff != "" {
		t.Errorf("variants (-want +got):\n%s", diff)
	}
	for _, args := range [][]string{{"-at", "0"}, {"-at", "x"}, {"-only", "nonsense"}, {"-n", "0"}, {"word"}} {
		if _, err := parseFlags(args, io.Discard); err == nil {
			t.Errorf("parseFlags(%q) takes it", args)
		}
	}
}

// TestTable shows what becomes of the samples: the medians of every phase, and
// their sum.
func TestTable(t *testing.T) {
	ms := func(took, busy time.Duration) spell { return spell{took * time.Millisecond, busy * time.Millisecond} }
	found := map[string][]sample{
		"own/2": {
			{ms(10, 1), ms(300, 30), ms(50, 5), ms(7, 1)},
			{ms(12, 3), ms(100, 10), ms(70, 7), ms(9, 1)},
			{ms(11, 2), ms(200, 20), ms(60, 6), ms(8, 1)},
		},
		"network": {{ms(60, 6), {}, {}, ms(180, 18)}},
	}
	var out strings.Builder
	if err := table(&out, []variant{{name: "own"}}, []int{2}, found); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"variant at once create start end remove all",
		"own 2 11 (2) 200 (20) 60 (6) 8 (1) 279 (29)",
		"(a network) 1 60 (6) - - 180 (18) 240 (24)",
	}
	var got []string
	for line := range strings.Lines(out.String()) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

// TestClock reads what both kinds of control groups have.
func TestClock(t *testing.T) {
	for name, tc := range map[string]struct {
		file, text string
		want       time.Duration
	}{
		"first version":  {"cpuacct.usage", "1500000\n", 1500 * time.Microsecond},
		"second version": {"cpu.stat", "usage_usec 2500\nuser_usec 2000\n", 2500 * time.Microsecond},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, tc.file), []byte(tc.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := clock(dir).busy(); got != tc.want {
				t.Errorf("it has worked for %v, want %v", got, tc.want)
			}
		})
	}
	if err := clock(t.TempDir()).check(); err == nil {
		t.Error("a directory without a clock is taken for one")
	}
}
