package script_test

import (
	"fmt"

	"github.com/drone-laptop/drone/exec/script"
)

// Each command is told before it runs, as it is written.
func ExampleBody() {
	fmt.Print(script.Body([]string{"go test ./...", `echo "it's done"`}))
	// Output:
	// printf '%s\n' '+ go test ./...'
	// go test ./...
	//
	// printf '%s\n' '+ echo "it'\''s done"'
	// echo "it's done"
	//
	// DRONE_SCRIPT_EXIT=$?
}
