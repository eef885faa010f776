package vigil

import (
	"strings"
	"testing"
	"testing/iotest"
)

func TestAwait(t *testing.T) {
	for _, tc := range []struct {
		pipe, settings string
		end            end
		answer         string
	}{
		{"", "", over, ""}, // killed before anything was made
		{"{\"dirs\"", "", over, ""},
		{"done\n", "", over, ""},
		{"{}\ndone\n", "", over, ""},
		{"{}\n", "{}", gone, ""},
		{"{}\ndone", "{}", gone, ""},
		{"{}\n{\"a\":1}\n", "{\"a\":1}", gone, ""},
		{"{}\n{\"a\"", "{}", gone, ""},
		{strings.Repeat("x", 9000) + "\n", strings.Repeat("x", 9000), gone, ""},
		{"{\"dirs\":[\"abandone", "", over, ""},
		{"{\"a\":\"abandone\"}\n", "{\"a\":\"abandone\"}", gone, ""},
		{"{}\ninherit\n", "{}", inherited, Heir},
		{"{}\ninherit", "{}", gone, ""},
		{"inherit\n", "inherit", gone, ""}, // without settings it is one
	} {
		for name, pipe := range map[string]interface{ Read([]byte) (int, error) }{
			"at once":    strings.NewReader(tc.pipe),
			"in pieces":  iotest.OneByteReader(strings.NewReader(tc.pipe)),
			"with a gap": iotest.DataErrReader(iotest.HalfReader(strings.NewReader(tc.pipe))),
		} {
			var answer strings.Builder
			if settings, end := await(pipe, &answer); settings != tc.settings || end != tc.end || answer.String() != tc.answer {
				t.Errorf("%.40q %s: settings %.40q, end %v, answer %q", tc.pipe, name, settings, end, answer.String())
			}
		}
	}
	// The run does the rest itself after all: the guard was too slow to answer.
	var answer strings.Builder
	if _, end := await(iotest.OneByteReader(strings.NewReader("{}\ninherit\ndone\n")), &answer); end != over {
		t.Errorf("done after all: end %v", end)
	}
	if _, end := await(strings.NewReader("{}\ninherit\ndone\n"), &answer); end != over {
		t.Errorf("done after all, read at once: end %v", end)
	}
}
