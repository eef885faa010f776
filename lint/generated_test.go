package lint_test

import (
	"strings"
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

// TestStaleSignature compares signatures with the key of the repository.
func TestStaleSignature(t *testing.T) {
	const (
		text = "kind: pipeline\nname: default\n"
		hmac = "72e5422330beb20d208b19cf5f798d08421b87f40a87c86dda9c0dcd89928672"
		end  = "---\nkind: signature\nhmac: "
	)
	tests := map[string]struct {
		source string
		line   int // of the finding, 0 for none
	}{
		"valid":           {text + end + hmac + "\n", 0},
		"line ends":       {strings.ReplaceAll(text+end+hmac+"\n", "\n", "\r\n"), 0},
		"changed":         {"# x\n" + text + end + hmac + "\n", 6},
		"none":            {text, 0},
		"of another form": {text + end + "abc\n", 0}, // signature-form
		"the second":      {text + end + strings.Repeat("0", 64) + "\n" + end + hmac + "\n", 5},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, key := range []string{"0123456789abcdefghijklmnopqrstuv", ""} {
				opts, want, got := options(), test.line, 0
				if opts.Key = []byte(key); key == "" {
					opts.Key, want = nil, 0
				}
				for _, f := range lint.Check("x.yml", []byte(test.source), opts) {
					if f.Rule == "stale-signature" {
						got = f.Span.Start.Line
					}
				}
				if got != want {
					t.Errorf("with the key %q: found in line %d, want %d", key, got, want)
				}
			}
		})
	}
}
