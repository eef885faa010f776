package enginetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/drone-laptop/drone/exec"
)

// Run runs the suite against the engine of cfg. The cases are subtests of t.
func Run(t *testing.T, cfg Config) {
	if cfg.Path == "" {
		cfg.Path = "/drone/src"
	}
	cfg.Features.ahead = cfg.Ahead
	ran := false
	var steps []testCase
	for _, c := range cases() {
		if !cfg.wants(c.name) {
			continue
		}
		ran = true
		if c.run == nil {
			steps = append(steps, c)
			continue
		}
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
	if len(steps) > 0 {
		t.Run("together", func(t *testing.T) { newBench(t, cfg).together(steps) })
	}
}

// together runs the cases that are about one step in one pipeline, one after the
// other: most of what such a case takes is the making and removing of that. At the
// same time they do not, since Docker 20.10 then loses count, now and then, of what
// is connected to a network.
func (b *bench) together(cases []testCase) {
	steps, results := make([]*exec.Step, len(cases)), make([]result, len(cases))
	for i, c := range cases {
		steps[i] = step(fmt.Sprintf("case-%d", i), c.commands...)
	}
	s := b.open(b.pipeline(steps...))
	for i, c := range cases {
		results[i] = s.do(b.context(), steps[i], c.env)
	}
	s.end()
	for i, c := range cases {
		b.Run(c.name, func(t *testing.T) {
			res := results[i]
			if res.err != nil {
				t.Fatalf("run: %v (output %s)", res.err, brief(res.output))
			}
			c.check(&bench{T: t, cfg: b.cfg, engine: b.engine}, res)
		})
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

	// A case without run is about one step: check is given what its commands gave,
	// with env for its environment. It has nothing to itself but the step.
	commands []string
	env      map[string]string
	check    func(b *bench, res result)
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
