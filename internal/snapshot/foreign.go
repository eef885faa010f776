package snapshot

import (
	"path/filepath"
	"regexp"
	"strings"
)

// Foreign reports whether the repository that the ".git" of dir stands for, own
// and common as in Source, is that of another checkout. Whoever has worked in
// dir may have put there a ".git" that leads to any repository of the user, and
// would get to read it in a copy. A linked worktree and a submodule are known by
// the way back. A repository that is in no checkout may be anybody's.
func Foreign(dir, own, common string) bool {
	tree, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return true
	}
	inside := func(path string) bool { return within(path, tree) }
	switch {
	case inside(own) && inside(common):
		return false
	case own != common:
		back := true
		text, err := readRegular(filepath.Join(own, "gitdir"))
		if err == nil {
			dot := from(own, strings.TrimSpace(text))
			at, err := filepath.EvalSymlinks(filepath.Dir(dot))
			back = err == nil && at == tree && filepath.Base(dot) == ".git"
		}
		return err != nil || !back || filepath.Dir(own) != filepath.Join(common, "worktrees")
	case !ofCheckoutDir(own):
		return false
	}
	text, err := readRegular(filepath.Join(own, "config"))
	if err != nil {
		return true
	}
	m := workTree.FindStringSubmatch(text)
	if m == nil {
		return true
	}
	at, err := filepath.EvalSymlinks(from(own, strings.Trim(strings.TrimSpace(m[1]), `"`)))
	return err != nil || at != tree
}

// workTree is where the configuration of a submodule says that it is.
var workTree = regexp.MustCompile(`(?im)^\s*worktree\s*=(.*)$`)

// from is a path as seen from a directory.
func from(dir, path string) string {
	path = filepath.FromSlash(path)
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// ofCheckoutDir reports a path that is in the ".git" of a checkout, or is one.
func ofCheckoutDir(path string) bool {
	for ; path != filepath.Dir(path); path = filepath.Dir(path) {
		if filepath.Base(path) == ".git" {
			return true
		}
	}
	return false
}
