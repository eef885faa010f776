package manifest_test

import (
	"fmt"

	"github.com/drone-laptop/drone/manifest"
)

// Every value knows where it stands, and what is wrong is told beside what could
// be read.
func ExampleParse() {
	file, problems := manifest.Parse(".drone.yml", []byte(`kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  comands: [go test ./...]
`), nil)
	for _, p := range file.Pipelines() {
		for _, s := range p.Steps {
			fmt.Printf("line %d: step %s runs in %s\n", s.Name.Span.Start.Line, s.Name.Value, s.Image.Value)
		}
	}
	for _, p := range problems {
		fmt.Printf("line %d: %s\n", p.Span.Start.Line, p.Message)
	}
	// Output:
	// line 4: step test runs in golang:1.26
	// line 6: the key "comands" in step "test" is unknown and has no effect
}
