package enginetest

import (
	"slices"
	"strings"
	"testing"
)

// Run runs the suite against the engine of cfg. The cases are subtests of t.
func Run(t *testing.T, cfg Config) {
	if cfg.Path == "" {
		cfg.Path = "/drone/src"
	}
	cfg.Features.ahead = cfg.Ahead
	ran := false
	for _, c := range cases() {
		if !cfg.wants(c.name) {
			continue
		}
		ran = true
		t.Run(c.name, func(t *testing.T) {
			if lacks := c.needs.missing(cfg.Features); lacks != "" {
				t.Skipf("the engine has no %s", lacks)
			}
			c.run(newBench(t, cfg))
		})
	}
	if !ran {
		t.Errorf("no case begins with %q", cfg.Only)
	}
}

func (cfg Config) wants(name string) bool {
	return len(cfg.Only) == 0 || slices.ContainsFunc(cfg.Only, func(start string) bool { return strings.HasPrefix(name, start) })
}

// testCase is one demand on an engine.
type testCase struct {
	name  string
	needs Features
	run   func(b *bench)
}

func cases() []testCase {
	var all []testCase
	for _, group := range [][]testCase{
		exitCases(), outputCases(), shellCases(), environmentCases(),
		cancelCases(), serviceCases(), imageCases(), closeCases(), prepareCases(),
	} {
		all = append(all, group...)
	}
	return all
}

func (needs Features) missing(have Features) string {
	switch {
	case needs.Images && !have.Images:
		return "images"
	case needs.Volumes && !have.Volumes:
		return "volumes"
	case needs.ahead && !have.ahead:
		return "steps prepared ahead in this run of the suite"
	case needs.Network && !have.Network:
		return "network"
	}
	return ""
}
