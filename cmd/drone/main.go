// Command drone runs Drone pipelines on this machine.
package main

import (
	"os"

	"github.com/drone-laptop/drone/cmd"
)

// The linker sets these in released binaries, and in those of `make build`.
var version, commit, date string

func main() {
	build := cmd.Build{Version: version, Commit: commit, Date: date}
	os.Exit(cmd.Main(os.Args[1:], cmd.StandardStreams(), build))
}
