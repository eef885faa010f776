package enginetest

import "testing"

// Run runs the suite against the engine of cfg. The cases are subtests of t.
func Run(t *testing.T, cfg Config) {
	if cfg.Path == "" {
		cfg.Path = "/drone/src"
	}
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			if lacks := c.needs.missing(cfg.Features); lacks != "" {
				t.Skipf("the engine has no %s", lacks)
			}
			c.run(newBench(t, cfg))
		})
	}
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
		cancelCases(), serviceCases(), imageCases(), closeCases(),
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
	case needs.Network && !have.Network:
		return "network"
	}
	return ""
}
