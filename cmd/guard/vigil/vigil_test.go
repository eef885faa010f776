package vigil

import (
	"strings"
	"testing"
	"testing/iotest"
)

func TestAwait(t *testing.T) {
	for _, tc := range []struct {
		pipe, settings string
		over           bool
	}{
		{"", "", true}, // killed before anything was made
		{"{\"dirs\"", "", true},
		{"done\n", "", true},
		{"{}\ndone\n", "", true},
		{"{}\n", "{}", false},
		{"{}\ndone", "{}", false},
		{"{}\n{\"a\":1}\n", "{\"a\":1}", false},
		{"{}\n{\"a\"", "{}", false},
		{strings.Repeat("x", 9000) + "\n", strings.Repeat("x", 9000), false},
		{"{\"dirs\":[\"abandone", "", true},
		{"{\"a\":\"abandone\"}\n", "{\"a\":\"abandone\"}", false},
	} {
		for name, pipe := range map[string]interface{ Read([]byte) (int, error) }{
			"at once":    strings.NewReader(tc.pipe),
			"in pieces":  iotest.OneByteReader(strings.NewReader(tc.pipe)),
			"with a gap": iotest.DataErrReader(iotest.HalfReader(strings.NewReader(tc.pipe))),
		} {
			if settings, over := await(pipe); settings != tc.settings || over != tc.over {
				t.Errorf("%.40q %s: settings %.40q, over %v", tc.pipe, name, settings, over)
			}
		}
	}
}
