package rewrite_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/drone-laptop/drone/internal/rewrite"
)

func TestFile(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "folder", "file"), filepath.Join(dir, "link")
	if err := os.Mkdir(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join("folder", "file"), link); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	before, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := rewrite.File(link, []byte("new")); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(file); string(text) != "new" {
		t.Errorf("the file has %q", text)
	}
	if after.Mode() != before.Mode() {
		t.Errorf("the mode became %v, was %v", after.Mode(), before.Mode())
	}
	if os.SameFile(before, after) {
		t.Error("the file was written in place, where a reader sees half of it")
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v, %v", info, err)
	}
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(entries) != 1 {
		t.Errorf("files are left: %v, %v", entries, err)
	}
}

func TestFileRefuses(t *testing.T) {
	dir := t.TempDir()
	if err := rewrite.File(filepath.Join(dir, "absent"), nil); !os.IsNotExist(err) {
		t.Errorf("a file that does not exist: %v", err)
	}
	if err := rewrite.File(dir, nil); err == nil {
		t.Error("a folder was replaced")
	}
}
