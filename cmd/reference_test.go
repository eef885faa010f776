package cmd_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/drone-laptop/drone/cmd"
	"github.com/drone-laptop/drone/internal/manual"
)

// TestCommandPages compares docs/commands with the help of the commands; -update
// makes it anew.
func TestCommandPages(t *testing.T) {
	dir := filepath.Join("..", "docs", "commands")
	pages := manual.Markdown(cmd.New(cmd.Streams{}, cmd.Build{}))
	if len(pages) < 20 {
		t.Fatalf("only %d pages", len(pages))
	}
	there, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range there {
		if pages[filepath.Base(name)] != nil {
			continue
		}
		if !*update {
			t.Errorf("%s is of no command", name)
		} else if err := os.Remove(name); err != nil {
			t.Error(err)
		}
	}
	for name, text := range pages {
		name = filepath.Join(dir, name)
		if *update {
			if err := os.WriteFile(name, text, 0o644); err != nil {
				t.Error(err)
			}
			continue
		}
		if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, text) {
			t.Errorf("%s is not what the help says now (%v): go test ./cmd -run TestCommandPages -update", name, err)
		}
	}
}
