package snapshot

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// rewrite copies a text file of a repository with a change.
func (c *copier) rewrite(from, to, name string, change func(string) string) error {
	text, err := os.ReadFile(filepath.Join(from, name))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(to, name), []byte(change(string(text))), 0o600)
}

var (
	section = regexp.MustCompile(`^\s*\[\s*([^\]\s"]+)\s*("[^\]]*)?\]`)
	places  = regexp.MustCompile(`(?i)^\s*(worktree|bare)\s*(=|$)`)
)

// withoutPlaces takes out of a git configuration where the working tree is, and
// that there is none: submodules and linked worktrees say so, and git would
// work on the original.
func withoutPlaces(config string) string {
	var kept strings.Builder
	core := false
	for line := range strings.Lines(config) {
		if m := section.FindStringSubmatch(line); m != nil {
			core = strings.EqualFold(m[1], "core") && m[2] == ""
		}
		if !core || !places.MatchString(strings.TrimRight(line, "\r\n")) {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// absolute makes the paths of other object stores absolute, which may count
// from the one in the repository git.
func absolute(git string) func(string) string {
	return func(alternates string) string {
		var list strings.Builder
		for line := range strings.Lines(alternates) {
			path := strings.TrimRight(line, "\r\n")
			if path != "" && !strings.HasPrefix(path, "#") && !filepath.IsAbs(path) {
				path = filepath.Join(git, "objects", path)
			}
			list.WriteString(path + "\n")
		}
		return list.String()
	}
}
