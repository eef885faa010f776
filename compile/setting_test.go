package compile

import (
	"math"
	"testing"

	"github.com/drone-laptop/drone/manifest"
)

func value(a any) manifest.Value { return manifest.Value{Any: a} }

func list(items ...any) manifest.Value {
	var out []manifest.Value
	for _, i := range items {
		if v, ok := i.(manifest.Value); ok {
			out = append(out, v)
			continue
		}
		out = append(out, value(i))
	}
	return manifest.Value{Any: out}
}

func entries(pairs ...any) manifest.Value {
	out := []manifest.Entry{}
	for i := 0; i < len(pairs); i += 2 {
		v, ok := pairs[i+1].(manifest.Value)
		if !ok {
			v = value(pairs[i+1])
		}
		out = append(out, manifest.Entry{Key: manifest.String{Value: pairs[i].(string)}, Value: v})
	}
	return manifest.Value{Any: out}
}

// The rows are those of reference §2.5.
func TestSettingText(t *testing.T) {
	type testCase struct {
		name  string
		value manifest.Value
		want  string
		null  bool
	}
	run := func(t *testing.T, tc testCase) {
		got, ok := settingText(tc.value)
		if got != tc.want || ok == tc.null {
			t.Errorf("got %q, %v, want %q, %v", got, ok, tc.want, !tc.null)
		}
	}
	for _, tc := range []testCase{
		{name: "null", value: value(nil), null: true},
		{name: "text keeps its last newline", value: value("a\nb\n"), want: "a\nb\n"},
		{name: "bool", value: value(true), want: "true"},
		{name: "int", value: value(int64(493)), want: "493"},
		{name: "large int", value: value(uint64(math.MaxUint64)), want: "18446744073709551615"},
		{name: "float", value: value(1.5), want: "1.5"},
		{name: "large float", value: value(100000000.0), want: "1e+08"},
		{name: "list", value: list("a,b", "c"), want: "a,b,c"},
		{name: "list of kinds", value: list("a", nil, true, int64(1), 1.5), want: "a,,true,1,1.5"},
		{name: "empty list", value: list(), want: ""},
		{name: "list with a list", value: list("a", list(int64(1), nil)), want: `["a",[1,null]]`},
		{name: "list with a map", value: list(entries("b", true)), want: `[{"b":true}]`},
		{name: "map with sorted keys", value: entries("z", int64(1), "a", list("x")), want: `{"a":["x"],"z":1}`},
		{name: "empty map", value: entries(), want: "{}"},
		{name: "blank secret", value: entries("from_secret", ""), want: `{"from_secret":""}`},
		{name: "nested secret", value: entries("a", entries("from_secret", "n")), want: `{"a":{"from_secret":"n"}}`},
		{name: "infinite", value: entries("a", math.Inf(1)), want: `{"a":"+Inf"}`},
	} {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

func TestSettingSecret(t *testing.T) {
	for name, tc := range map[string]struct {
		value manifest.Value
		want  string
	}{
		"alone":       {entries("from_secret", "token"), "token"},
		"other keys":  {entries("a", "b", "from_secret", "token"), "token"},
		"blank":       {entries("from_secret", "  "), ""},
		"nested":      {entries("a", entries("from_secret", "token")), ""},
		"inside list": {list(entries("from_secret", "token")), ""},
		"text":        {value("from_secret"), ""},
	} {
		if got := (manifest.Setting{Value: tc.value}).FromSecret(); got.Value != tc.want {
			t.Errorf("%s: got %q, want %q", name, got.Value, tc.want)
		}
	}
	if got := (manifest.Setting{Name: manifest.String{Value: "with-dash and.dot"}}).Variable(); got != "PLUGIN_WITH-DASH AND.DOT" {
		t.Errorf("got %q", got)
	}
}
