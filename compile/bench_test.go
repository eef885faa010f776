package compile

import (
	"bytes"
	"fmt"
	"runtime"
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

// BenchmarkPipelines shows what a file of many pipelines costs, in time and
// memory, for each of its steps: both must stay the same as the file grows.
func BenchmarkPipelines(b *testing.B) {
	const steps = 50
	for _, n := range []int{50, 100, 200, 400} {
		source := manyPipelines(n, steps)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for b.Loop() {
				plan, problems, err := Compile("x.yml", source, Options{Build: pushBuild(), Workspace: "/w"})
				if err != nil || len(problems) > 0 || len(plan.Pipelines) != n {
					b.Fatal(err, lines(problems))
				}
			}
			runtime.ReadMemStats(&after)
			all := float64(b.N * n * steps)
			b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/all, "B/step")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/all, "ns/step")
		})
	}
}

// manyPipelines is a file of n pipelines, each of so many steps, that form a
// tree, with a substitution that differs from pipeline to pipeline.
func manyPipelines(n, steps int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "---\nkind: pipeline\nname: p%d\ntrigger: {branch: [main, release/*]}\n", i)
		if i > 0 {
			fmt.Fprintf(&b, "depends_on: [p%d]\n", i/2)
		}
		b.WriteString("steps:\n")
		for s := range steps {
			fmt.Fprintf(&b, "- name: step-%d\n  image: golang:1.%d\n  commands:\n  - echo ${DRONE_STAGE_NAME} %d\n", s, s%30, s)
			b.WriteString("  environment: {A: b, TOKEN: {from_secret: t}}\n  when: {event: [push, tag]}\n")
		}
	}
	return b.Bytes()
}
