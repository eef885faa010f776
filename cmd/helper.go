package cmd

import (
	"os"
	"path/filepath"

	"github.com/drone-laptop/drone/internal/fileowner"
)

// helperCommand is not for users: with it the program gives files back from
// within a container, where it is root.
const helperCommand = "__give-back"

// helper is this program as exec/docker starts it in a container, or nothing
// where its file is not known.
func helper() []string {
	program, err := os.Executable()
	if err != nil {
		return nil
	}
	return []string{program, helperCommand}
}

// shareDir is the directory in which runs agree on who gives files back, or ""
// where there is no place for it.
func shareDir(s Streams) string {
	state, err := stateDir(s)
	if err != nil {
		return ""
	}
	return filepath.Join(state, "drone", "workspaces")
}

// helperDir reports whether the program was started as a helper, and for which
// directory.
func helperDir(args []string) (string, bool) {
	if len(args) != 2 || args[0] != helperCommand {
		return "", false
	}
	return args[1], true
}

func serveOwners(s Streams, dir string) int {
	if err := fileowner.Serve(dir, s.In, s.Out); err != nil {
		return s.fail(err)
	}
	return StatusOK
}
