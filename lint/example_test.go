package lint_test

import (
	"fmt"

	"github.com/drone-laptop/drone/lint"
)

// All findings come at once, and those that have a sure remedy can be mended.
func ExampleCheck() {
	source := []byte(`kind: pipeline
type: docker
name: default
steps:
- name: test
  image: golang:1.26
  comands: [go test ./...]
`)
	findings, _ := lint.Brief(lint.Check(".drone.yml", source, lint.Options{}))
	for _, f := range findings {
		fmt.Printf("line %d: %s [%s]\n", f.Span.Start.Line, f.Message, f.Rule)
	}
	mended, n := lint.Apply(source, findings)
	fmt.Println(n, "mended")
	fmt.Print(string(mended))
	// Output:
	// line 7: the key "comands" in step "test" is unknown and has no effect [unknown-key]
	// 1 mended
	// kind: pipeline
	// type: docker
	// name: default
	// steps:
	// - name: test
	//   image: golang:1.26
	//   commands: [go test ./...]
}
