// Command generate writes the man pages of drone into a directory:
//
//	go run ./internal/manual/generate DIR [VERSION]
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/drone-laptop/drone/cmd"
	"github.com/drone-laptop/drone/internal/manual"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "generate: error:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 1 || len(args) > 2 {
		return fmt.Errorf("want a directory and maybe a version, got %q", args)
	}
	version := ""
	if len(args) > 1 {
		version = args[1]
	}
	if err := os.MkdirAll(args[0], 0o755); err != nil {
		return err
	}
	root := cmd.New(cmd.Streams{}, cmd.Build{Version: version})
	for name, text := range manual.Pages(root, cmd.Topics(), version) {
		if err := os.WriteFile(filepath.Join(args[0], name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
