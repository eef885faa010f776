// Command helper is what runs in a container to give files back: the part of
// drone that does it, small enough to be built by a test.
package main

import (
	"fmt"
	"os"

	"github.com/drone-laptop/drone/internal/fileowner"
)

func main() {
	if err := fileowner.Serve(os.Args[len(os.Args)-1], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
