package manifest

import (
	"fmt"
	"strings"
	"testing"
)

func stepsSource(n int) []byte {
	var b strings.Builder
	b.WriteString("kind: pipeline\ntype: docker\nname: large\n\nsteps:\n")
	for i := range n {
		fmt.Fprintf(&b, "- name: step-%d\n  image: golang:1.%d\n  commands:\n  - go build ./... -o ${DRONE_BRANCH}\n  - go test ./...\n  when:\n    event: push\n\n", i, i)
	}
	return []byte(b.String())
}

func BenchmarkParse(b *testing.B) {
	lookup := func(string) (string, bool) { return "main", true }
	for _, n := range []int{100, 10_000} {
		source := stepsSource(n)
		b.Run(fmt.Sprintf("steps=%d", n), func(b *testing.B) {
			b.SetBytes(int64(len(source)))
			for b.Loop() {
				if _, problems := Parse("large.yml", source, lookup); len(problems) > 0 {
					b.Fatal(problems[0].Message)
				}
			}
		})
	}
}
