package compile

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/drone-laptop/drone/manifest"
)

// manySteps is a pipeline of n steps, each with variables, settings, a
// condition and, with graph, a dependency.
func manySteps(n int, graph bool) []byte {
	var b bytes.Buffer
	b.WriteString("kind: pipeline\nname: many\nsteps:\n")
	for i := range n {
		fmt.Fprintf(&b, "- name: step-%d\n  image: golang:1.%d\n  commands:\n  - echo %d\n", i, i%30, i)
		b.WriteString("  environment: {A: b, TOKEN: {from_secret: t}}\n  settings: {list: [a, b]}\n  when: {branch: [main, release/*]}\n")
		if graph && i > 0 {
			fmt.Fprintf(&b, "  depends_on: [step-%d]\n", i/2)
		}
	}
	return b.Bytes()
}

// BenchmarkCompile includes reading the file, which is reported apart.
func BenchmarkCompile(b *testing.B) {
	for _, graph := range []bool{false, true} {
		source := manySteps(10_000, graph)
		b.Run(fmt.Sprintf("graph=%v", graph), func(b *testing.B) {
			for b.Loop() {
				plan, problems, err := Compile("x.yml", source, Options{Build: pushBuild(), Workspace: "/w"})
				if err != nil || len(problems) > 0 || len(plan.Pipelines[0].Steps) != 10_000 {
					b.Fatal(err, lines(problems))
				}
			}
		})
	}
	source := manySteps(10_000, false)
	b.Run("parse alone", func(b *testing.B) {
		for b.Loop() {
			manifest.Parse("x.yml", source, nil)
		}
	})
}
