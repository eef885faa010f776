package facts

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/config"
)

// Visit is told of a directory, a file or a link. name is its path from the
// directory of the walk on, in the form of this system. The error fs.SkipDir
// for a directory leaves out what is in it; any other ends the walk.
type Visit func(name string, entry fs.DirEntry) error

// Files visits everything in dir that belongs to the working tree: what git
// tracks, and what it does not ignore. A directory comes before what is in it.
// The ".git" of the tree itself is left out; repositories within it, such as
// submodules, are visited whole. Outside of git everything belongs to it.
//
// There are forms of git's files that cannot be read here. What cannot be known
// because of that is told to warn.
func (t *Tree) Files(dir string, visit Visit, warn func(text string)) error {
	w := &searcher{dir: dir, visit: visit}
	at, inside := t.within(dir)
	if t.repo == nil || !inside {
		// Where the tree begins, and what it ignores, is known all the same.
		loc, err := locate(dir)
		if errors.Is(err, errNoRepository) {
			return w.everything("")
		}
		if err != nil {
			warn(err.Error() + "; every file counts, also ignored ones")
			return w.everything("")
		}
		t = &Tree{Root: loc.root, loc: loc, repo: t.repo, cfg: t.cfg, user: userConfig()}
		at, _ = t.within(dir)
	}
	tracked, err := t.tracked()
	if err != nil {
		text := "the git index cannot be read"
		if t.repo != nil { // else the reason has been said
			text = err.Error()
		}
		warn(text + "; ignored files are left out, also those that git tracks")
	}
	w.at, w.tracked, w.fold = at, tracked, t.foldsCase()
	return w.directory("", t.rulesAbove(at, w.fold), false)
}

// GitDir is the directory with what git knows of the checkout whose top is
// dir: HEAD and the index. common is where all else is, which in a linked
// worktree is another one. Neither is a symbolic link. Both are empty when no
// checkout begins in dir, as when ".git" is a directory that git passes over.
// It is an error when there is a ".git" and what it stands for is not found.
func GitDir(dir string) (own, common string, err error) {
	dot := filepath.Join(dir, ".git")
	if _, err := os.Lstat(dot); errors.Is(err, fs.ErrNotExist) {
		return "", "", nil
	}
	info, err := os.Stat(dot)
	if err != nil {
		return "", "", err
	}
	if _, err := os.Lstat(filepath.Join(dot, "HEAD")); info.IsDir() && errors.Is(err, fs.ErrNotExist) {
		return "", "", nil
	}
	if !info.IsDir() && !info.Mode().IsRegular() {
		return "", "", fmt.Errorf("%s is neither a directory nor a file", dot)
	}
	loc, err := resolveGitDir(dir, dot, info.IsDir())
	if err != nil {
		return "", "", err
	}
	if own, err = filepath.EvalSymlinks(loc.gitDir); err != nil {
		return "", "", err
	}
	if common, err = filepath.EvalSymlinks(loc.common); err != nil {
		return "", "", err
	}
	if _, err := os.Stat(filepath.Join(common, "objects")); err != nil {
		return "", "", fmt.Errorf("%s is no git repository: %w", common, err)
	}
	return own, common, nil
}

// untracked lists the files of the working tree that git would show as
// untracked: all but the tracked ones, those that the ignore rules name, and
// those of repositories within this one. A folder that cannot be read holds
// nothing that could be committed.
func (t *Tree) untracked(tracked map[string]bool) []string {
	var found []string
	w := &searcher{dir: t.Root, tracked: tracked, fold: t.foldsCase(), lenient: true}
	w.visit = func(name string, entry fs.DirEntry) error {
		slashed := filepath.ToSlash(name)
		switch {
		case entry.IsDir() && w.repository(slashed):
			return fs.SkipDir
		case tracked[slashed]:
		case entry.Type().IsRegular() || entry.Type()&fs.ModeSymlink != 0:
			found = append(found, slashed)
		}
		return nil
	}
	_ = w.directory("", t.rulesAbove("", w.fold), false) // nothing in it fails
	return found
}

// foldsCase reports a file system that does not tell cases apart.
func (t *Tree) foldsCase() bool {
	return strings.EqualFold(t.cfg.Raw.Section("core").Option("ignorecase"), "true")
}

// within gives the way from the top of the working tree to dir, with slashes
// and "" for the top itself.
func (t *Tree) within(dir string) (string, bool) {
	if t.Root == "" {
		return "", false
	}
	at, err := filepath.Rel(t.Root, dir)
	if err != nil || at == ".." || strings.HasPrefix(at, ".."+string(filepath.Separator)) {
		return "", false
	}
	if at == "." {
		return "", true
	}
	return filepath.ToSlash(at), true
}

// tracked are the files of the index, and the directories they are in.
func (t *Tree) tracked() (map[string]bool, error) {
	if t.repo == nil {
		return nil, errNoRepository
	}
	idx, err := t.index()
	if err != nil {
		return nil, err
	}
	all := make(map[string]bool, len(idx.Entries))
	for _, e := range idx.Entries {
		for name := e.Name; name != "." && !all[name]; name = path.Dir(name) {
			all[name] = true
		}
	}
	return all, nil
}

// rulesAbove are the rules that hold in the directory at of the working tree
// before its own .gitignore is read: those of the user, of the repository, and
// of the directories above.
func (t *Tree) rulesAbove(at string, fold bool) []rule {
	rules := readRules(t.excludesFile(), "", fold)
	rules = append(rules, readRules(filepath.Join(t.loc.common, "info", "exclude"), "", fold)...)
	above := ""
	for part := range strings.SplitSeq(at, "/") {
		if part == "" {
			break
		}
		rules = append(rules, rulesIn(filepath.Join(t.Root, filepath.FromSlash(above)), above, fold)...)
		above = path.Join(above, part)
	}
	return rules
}

// excludesFile is the user's own list of what to ignore, everywhere.
func (t *Tree) excludesFile() string {
	configs := []*config.Config{t.cfg, t.user}
	if system, err := config.LoadConfig(config.SystemScope); err == nil {
		configs = append(configs, system)
	}
	home, _ := os.UserHomeDir() // without one there is no such list
	for _, cfg := range configs {
		if cfg == nil || cfg.Raw == nil {
			continue
		}
		name := cfg.Raw.Section("core").Option("excludesfile")
		if rest, ok := strings.CutPrefix(name, "~/"); ok {
			return filepath.Join(home, rest)
		}
		if name != "" {
			return absolute(t.Root, name)
		}
	}
	base := os.Getenv("XDG_CONFIG_HOME")
	if base == "" {
		base = filepath.Join(home, ".config")
	}
	return filepath.Join(base, "git", "ignore")
}

// searcher is one walk through a directory. Names are relative to dir, with slashes.
type searcher struct {
	dir     string
	at      string // of dir in the working tree
	tracked map[string]bool
	fold    bool // the file system does not tell cases apart
	lenient bool // a directory that cannot be read is empty
	visit   Visit
}

// directory visits what is in the directory name. Of one that is ignored only
// what git tracks all the same is visited.
func (w *searcher) directory(name string, rules []rule, ignored bool) error {
	entries, err := os.ReadDir(filepath.Join(w.dir, filepath.FromSlash(name)))
	if err != nil {
		return w.unread(err)
	}
	rules = append(slices.Clip(rules), rulesIn(filepath.Join(w.dir, filepath.FromSlash(name)), path.Join(w.at, name), w.fold)...)
	for _, entry := range entries {
		if err := w.entry(path.Join(name, entry.Name()), entry, rules, ignored); err != nil {
			return err
		}
	}
	return nil
}

func (w *searcher) entry(name string, entry fs.DirEntry, rules []rule, ignored bool) error {
	full := path.Join(w.at, name)
	if full == ".git" {
		return nil
	}
	ignored = ignored || ignores(rules, full, entry.IsDir())
	if ignored && !w.tracked[full] {
		return nil
	}
	if err := w.visit(filepath.FromSlash(name), entry); err != nil {
		return skipped(err)
	}
	switch {
	case !entry.IsDir():
		return nil
	case w.repository(name):
		return w.everything(name)
	default:
		return w.directory(name, rules, ignored)
	}
}

// repository reports a directory that is the top of another working tree.
func (w *searcher) repository(name string) bool {
	_, err := os.Lstat(filepath.Join(w.dir, filepath.FromSlash(name), ".git"))
	return err == nil
}

// everything visits what is in a directory for which no rules are known.
func (w *searcher) everything(name string) error {
	entries, err := os.ReadDir(filepath.Join(w.dir, filepath.FromSlash(name)))
	if err != nil {
		return w.unread(err)
	}
	for _, entry := range entries {
		inner := path.Join(name, entry.Name())
		if inner == ".git" {
			continue
		}
		err := w.visit(filepath.FromSlash(inner), entry)
		if err == nil && entry.IsDir() {
			err = w.everything(inner)
		}
		if err = skipped(err); err != nil {
			return err
		}
	}
	return nil
}

func skipped(err error) error {
	if errors.Is(err, fs.SkipDir) {
		return nil
	}
	return err
}

// unread forgives a directory that was removed while the walk was under way.
func (w *searcher) unread(err error) error {
	if w.lenient || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
