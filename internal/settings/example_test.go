package settings_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/drone-laptop/drone/internal/settings"
)

// A file need not exist. What it has keeps its comments and its order.
func ExampleChange() {
	dir, err := os.MkdirTemp("", "settings-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(path, []byte("# mine\nexec:\n  timeout: 30m # enough\n"), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	err = settings.Change(path, func(file *settings.File) error {
		file.Set("exec.timeout", "1h")
		file.Set("exec.secret-file", "ci.secrets", "my.secrets")
		return nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	file, err := settings.Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	list, _ := file.All()
	for _, s := range list {
		fmt.Println(s.Key, s.Values)
	}
	// Output:
	// exec.timeout [1h]
	// exec.secret-file [ci.secrets my.secrets]
}
