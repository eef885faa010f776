package facts

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/kevinburke/ssh_config"
)

// sshHost is the real name of a host that the ssh configuration in the home
// folder gives a short name, as people with two accounts at one site do; ""
// when there is none.
func sshHost(alias string) string {
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	file, err := os.Open(filepath.Join(home, ".ssh", "config"))
	if err != nil {
		return ""
	}
	defer file.Close() // only read
	cfg, err := ssh_config.Decode(file)
	if err != nil {
		return ""
	}
	name, err := cfg.Get(alias, "HostName")
	if err != nil {
		return ""
	}
	return strings.ReplaceAll(name, "%h", alias)
}
