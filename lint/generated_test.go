package lint_test

import (
	"testing"

	"github.com/drone-laptop/drone/lint"
)

// TestStale compares a file with what a program makes.
func TestStale(t *testing.T) {
	const made = "kind: pipeline\nname: a\nsteps:\n- {name: test, image: \"alpine:3\", commands: [make]}\n---\nkind: secret\nname: b\ndata: x\n"
	tests := map[string]struct {
		source string
		line   int // of the finding, 0 for none
	}{
		"the same":           {made, 0},
		"comments and order": {"# made\nname: a\nkind: 'pipeline'\nsteps:\n- commands:\n  - make # it\n  image: alpine:3\n  name: test\n---\n{kind: secret, data: x, name: b}\n---\nkind: signature\nhmac: x\n", 0},
		"another value":      {"kind: pipeline\nname: a\nsteps:\n- {name: test, image: \"alpine:3\", commands: [make test]}\n---\nkind: secret\nname: b\ndata: x\n", 2},
		"another document":   {"kind: pipeline\nname: a\nsteps:\n- {name: test, image: \"alpine:3\", commands: [make]}\n---\nkind: secret\nname: c\ndata: x\n", 7},
		"one more":           {made + "---\nkind: secret\nname: d\ndata: x\n", 11},
		"one less":           {"kind: pipeline\nname: a\nsteps:\n- {name: test, image: \"alpine:3\", commands: [make]}\n", 2},
		"broken":             {"kind: pipeline\nname: [\n", 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			opts := options()
			opts.Generated = &lint.Generated{Program: ".drone.star", Text: []byte(made)}
			got := 0
			for _, f := range lint.Check("x.yml", []byte(test.source), opts) {
				if f.Rule == "stale-generated" {
					got = f.Span.Start.Line
				}
			}
			if got != test.line {
				t.Errorf("found in line %d, want %d", got, test.line)
			}
		})
	}
}
