// Command drone runs Drone pipelines on this machine.
package main

import (
	"os"

	"github.com/drone-laptop/drone/cmd"
)

// version is set by the linker in released binaries.
var version string

func main() {
	os.Exit(cmd.Main(os.Args[1:], cmd.StandardStreams(), version))
}
