package format_test

import (
	"fmt"

	"github.com/drone-laptop/drone/format"
)

// Blanks change, and nothing else.
func ExampleSource() {
	result, err := format.Source(".drone.yml", []byte("kind:   pipeline\nsteps:\n    -   name: test # all of them\n        image: golang\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(result.Text))
	// Output:
	// kind: pipeline
	// steps:
	// - name: test # all of them
	//   image: golang
}
