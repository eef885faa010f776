package compile_test

import (
	"fmt"

	"github.com/drone-laptop/drone/compile"
)

// What a build would run, and why not the rest.
func ExampleCompile() {
	plan, problems, err := compile.Compile(".drone.yml", []byte(`kind: pipeline
type: docker
name: default
steps:
- name: test
  image: golang:1.26
  commands: [go test ./...]
- name: publish
  image: golang:1.26
  commands: [make publish]
  when:
    event: [tag]
`), compile.Options{Build: compile.Build{Event: "push", Branch: "main", Ref: "refs/heads/main"}, Workspace: "/src"})
	if err != nil || len(problems) > 0 {
		fmt.Println(problems, err)
		return
	}
	for _, p := range plan.Pipelines {
		for _, s := range p.Steps {
			fmt.Printf("%s: %s, %s\n", s.Name, s.Policy, s.Reason)
		}
	}
	// Output:
	// test: on_success, no condition
	// publish: never, when.event is [tag], event is "push"
}
