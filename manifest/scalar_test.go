package manifest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// settingOf parses one value in the place of a setting.
func settingOf(t *testing.T, source string) Value {
	t.Helper()
	return parsePipeline(t, "kind: pipeline\nsteps:\n- settings:\n    k: "+source+"\n").Steps[0].Settings[0].Value
}

// TestResolve has the scalars of reference §1.5 in a place without a type.
func TestResolve(t *testing.T) {
	type testCase struct {
		source string
		want   any
	}
	run := func(t *testing.T, tc testCase) {
		if diff := cmp.Diff(tc.want, settingOf(t, tc.source).Any); diff != "" {
			t.Errorf("differs (-want +got):\n%s", diff)
		}
	}
	cases := []testCase{
		{"", nil}, {"~", nil}, {"null", nil}, {"Null", nil}, {"nULL", "nULL"},
		{"y", true}, {"yes", true}, {"On", true}, {"TRUE", true}, {"n", false}, {"off", false}, {"oN", "oN"},
		{"12", int64(12)}, {"-1", int64(-1)}, {"+5", int64(5)}, {"0755", int64(493)}, {"0o755", int64(493)},
		{"0x1F", int64(31)}, {"0b101", int64(5)}, {"1_000", int64(1000)}, {"08", 8.0},
		{"18446744073709551615", uint64(18446744073709551615)}, {"18446744073709551616", "18446744073709551616"},
		{"-9223372036854775809", "-9223372036854775809"},
		{"1.50", 1.5}, {".5", 0.5}, {"1e3", "1e3"}, {"1e+3", 1000.0}, {"1.5E-1", 0.15}, {"1.2.3", "1.2.3"}, {"1.", "1."},
		{"2020-01-01", "2020-01-01"}, {"12:30:45", "12:30:45"}, {"'yes'", "yes"}, {`"1"`, "1"},
		{"!!binary aGk=", "hi"}, {"!!str 1", "1"}, {"!!int '7'", int64(7)}, {"!!float 1", 1.0}, {"!!bool yes", true},
		{"!!null x", nil}, {"!own 1", "1"}, {"a - b", "a - b"},
	}
	for _, tc := range cases {
		t.Run(tc.source, func(t *testing.T) { run(t, tc) })
	}
	if v := settingOf(t, "0o17"); v.Text != "0o17" {
		t.Errorf("text %q", v.Text)
	}
}

func TestNestedValues(t *testing.T) {
	type plain = any
	var strip func(v Value) plain
	strip = func(v Value) plain {
		switch x := v.Any.(type) {
		case []Value:
			out := []plain{}
			for _, item := range x {
				out = append(out, strip(item))
			}
			return out
		case []Entry:
			out := []plain{}
			for _, e := range x {
				out = append(out, []plain{e.Key.Value, strip(e.Value)})
			}
			return out
		}
		return v.Any
	}
	got := strip(settingOf(t, "{b: 1, yes: [x, ~, {}], 0x10: [], b: 2, <<: {c: &c {d: no}}, e: *c}"))
	want := []plain{
		[]plain{"b", int64(2)},
		[]plain{"true", []plain{"x", nil, []plain{}}},
		[]plain{"16", []plain{}},
		[]plain{"c", []plain{[]plain{"d", false}}},
		[]plain{"e", []plain{[]plain{"d", false}}},
	}
	if diff := cmp.Diff(plain(want), got); diff != "" {
		t.Errorf("differs (-want +got):\n%s", diff)
	}
}

// TestSizes has the vectors of reference §A.4.
func TestSizes(t *testing.T) {
	type testCase struct {
		source string
		want   int64
		ok     bool
	}
	run := func(t *testing.T, tc testCase) {
		file, problems := Parse("f", []byte("kind: pipeline\nsteps:\n- mem_limit: "+tc.source+"\n"), nil)
		if ok := len(problems) == 0; ok != tc.ok {
			t.Fatalf("problems: %v", problems)
		}
		if got := file.Pipelines()[0].Steps[0].MemLimit; got.Bytes != tc.want {
			t.Errorf("%d bytes, want %d", got.Bytes, tc.want)
		}
	}
	cases := []testCase{
		{"500m", 524288000, true}, {"1GB", 1 << 30, true}, {"1GiB", 1 << 30, true}, {"1g", 1 << 30, true}, {`"1 g"`, 1 << 30, true},
		{"1.5g", 1610612736, true}, {".5g", 536870912, true}, {"1k", 1024, true}, {"1t", 1 << 40, true}, {"10b", 10, true},
		{"1000", 1000, true}, {`"1000"`, 1000, true}, {"1.5", 1, true}, {"0x10", 16, true}, {"-1", -1, true}, {"", 0, true},
		{"1p", 1 << 50, true}, {"2K", 2048, true}, {"2kB", 2048, true}, {"2KiB", 2048, true}, {"2 MB", 2 << 20, true}, {"~", 0, true},
		{"1  g", 0, false}, {"1x", 0, false}, {"1gg", 0, false}, {"[1g]", 0, false}, {"g", 0, false},
		{"1Ki", 0, false}, {`" 1g"`, 0, false}, {`"1g "`, 0, false}, {"1.5.5g", 0, false}, {`""`, 0, false}, {"abc", 0, false}, {"5%", 0, false},
	}
	for _, tc := range cases {
		t.Run(tc.source, func(t *testing.T) { run(t, tc) })
	}
}

func TestBooleansAndNumbers(t *testing.T) {
	type testCase struct {
		source string
		field  string
		want   any
		ok     bool
	}
	run := func(t *testing.T, tc testCase) {
		file, problems := Parse("f", []byte("kind: pipeline\nclone: {"+tc.field+": "+tc.source+"}\n"), nil)
		if ok := len(problems) == 0; ok != tc.ok {
			t.Fatalf("problems: %v", problems)
		}
		var got any = file.Pipelines()[0].Clone.Disable.Value
		if tc.field == "depth" {
			got = file.Pipelines()[0].Clone.Depth.Value
		}
		if got != tc.want {
			t.Errorf("got %v, want %v", got, tc.want)
		}
	}
	cases := []testCase{
		{"true", "disable", true, true}, {"yes", "disable", true, true}, {"Off", "disable", false, true}, {"~", "disable", false, true},
		{`"true"`, "disable", false, false}, {"1", "disable", false, false}, {"[true]", "disable", false, false},
		{"50", "depth", int64(50), true}, {"0x10", "depth", int64(16), true}, {"1.9", "depth", int64(1), true},
		{`"50"`, "depth", int64(0), false}, {"many", "depth", int64(0), false},
	}
	for _, tc := range cases {
		t.Run(tc.field+" "+tc.source, func(t *testing.T) { run(t, tc) })
	}
}
