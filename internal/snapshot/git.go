package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// repository is one to copy: own has HEAD and the index, common all else. tree
// is where its working tree is in the copy.
type repository struct{ own, common, to, tree string }

// pointer is a file in the tree that names the repository of the directory it
// is in, at its path in the copy.
type pointer struct{ name, to, git string }

// nested takes note of the ".git" of a repository within the tree.
func (c *copier) nested(from, name string, entry fs.DirEntry) error {
	to := filepath.Join(c.to, name)
	real, err := filepath.EvalSymlinks(from)
	if err != nil {
		return vanished(err)
	}
	info, err := os.Stat(real)
	switch {
	case err != nil:
		return vanished(err)
	case info.IsDir() && !entry.IsDir():
		c.pointers = append(c.pointers, pointer{name, to, real})
		return nil
	case info.IsDir() && isRepository(real):
		c.repos = append(c.repos, repository{own: real, common: real, to: to, tree: filepath.Dir(to)})
		return fs.SkipDir
	case info.IsDir() && exists(filepath.Join(real, "commondir")):
		c.leaveOut(name)
		return fs.SkipDir
	case info.IsDir():
		return c.directory(to, entry) // git passes over it
	case !info.Mode().IsRegular():
		return nil
	}
	text, err := readRegular(real)
	if err != nil {
		return vanished(err)
	}
	line, _, _ := strings.Cut(text, "\n")
	target, ok := strings.CutPrefix(strings.TrimRight(line, "\r"), "gitdir:")
	if !ok {
		// Git stops there, and has to in the copy.
		return os.WriteFile(to, []byte(text), 0o600)
	}
	if target = strings.TrimSpace(target); !filepath.IsAbs(target) {
		target = filepath.Join(filepath.Dir(from), target)
	}
	// What cannot be found is nowhere in the tree either.
	if real, err = filepath.EvalSymlinks(target); err != nil {
		real = target
	}
	c.pointers = append(c.pointers, pointer{name, to, real})
	return nil
}

func (c *copier) leaveOut(name string) {
	if c.source.Warn != nil {
		c.source.Warn(fmt.Sprintf("%s is not copied: the git repository that it belongs to is not part of the working tree", name))
	}
}

// repositories copies the repositories that were found, and those of their
// submodules.
func (c *copier) repositories() error {
	trees := map[string]string{} // of submodules, by their repositories
	for _, p := range c.pointers {
		to := c.ofSubmodule(p.git)
		if to == "" {
			c.leaveOut(p.name)
			continue
		}
		trees[p.git] = filepath.Dir(p.to)
		back, err := filepath.Rel(filepath.Dir(p.to), to)
		if err == nil {
			err = os.WriteFile(p.to, []byte("gitdir: "+filepath.ToSlash(back)+"\n"), 0o600)
		}
		if err != nil {
			return err
		}
	}
	// The list grows by the submodules.
	for i := 0; i < len(c.repos); i++ {
		r := c.repos[i]
		if tree, ok := trees[r.own]; ok {
			r.tree = tree
		}
		if err := c.repository(r); err != nil {
			return err
		}
	}
	return nil
}

// ofSubmodule is where the repository of a submodule will be in the copy, ""
// when git is none of a repository that is copied.
func (c *copier) ofSubmodule(git string) string {
	if !isRepository(git) {
		return ""
	}
	for _, r := range c.repos {
		inside, err := filepath.Rel(filepath.Join(r.own, "modules"), git)
		if err == nil && filepath.IsLocal(inside) && inside != "." {
			return filepath.Join(r.to, "modules", inside)
		}
	}
	return ""
}

// isRepository reports a directory that is a git repository by itself.
func isRepository(dir string) bool {
	return exists(filepath.Join(dir, "HEAD")) && exists(filepath.Join(dir, "objects")) && !exists(filepath.Join(dir, "commondir"))
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// repository copies one. What a linked worktree shares with others is its own
// there.
//
// References come first, those that are packed after the others, and objects
// last, loose ones first: it is the order in which git takes away what it has
// written elsewhere, and a commit that is made meanwhile is not in the copy
// without its objects.
func (c *copier) repository(r repository) error {
	if err := os.Mkdir(r.to, 0o700); err != nil {
		return err
	}
	packs := filepath.Join("objects", "pack")
	for _, part := range []func(name string) bool{
		func(name string) bool { return name == "HEAD" || name == "refs" || within(name, "refs") },
		func(name string) bool { return name == "packed-refs" || name == "reftable" || within(name, "reftable") },
		func(name string) bool {
			return name != "HEAD" && name != "refs" && name != "packed-refs" && name != "reftable" && name != "objects" && name != "modules"
		},
		func(name string) bool { return name == "objects" || within(name, "objects") && name != packs },
		func(name string) bool { return name == "objects" || name == packs || within(name, packs) },
	} {
		if err := c.part(r, part); err != nil {
			return err
		}
	}
	if err := c.submodules(r, ""); err != nil {
		return err
	}
	return errors.Join(c.configure(r), c.alternates(r))
}

// part copies what wanted names, and waits for it.
func (c *copier) part(r repository, wanted func(name string) bool) error {
	linked := r.own != r.common
	err := c.gitFiles(r, r.common, r.to, "", func(name string) bool {
		own := linked && (ofCheckout(name) || isFile(r.own, name))
		return wanted(name) && !apart(name) && !own
	}, nil)
	if err == nil && linked {
		err = c.gitFiles(r, r.own, r.to, "", func(name string) bool { return wanted(name) && !apart(name) }, nil)
	}
	// The error of a file is the reason why the walk ended.
	if failed := c.wait(); failed != nil {
		return failed
	}
	return err
}

// apart names what a copy has in another form, or not at all: other worktrees,
// and the ways to and from the parts of this one.
func apart(name string) bool {
	switch name {
	case "config", "config.worktree", "modules", "worktrees", "commondir", "gitdir", "locked", filepath.Join("objects", "info", "alternates"):
		return true
	}
	return strings.HasSuffix(name, ".lock") // a git is at work in the source
}

// gitFiles copies what is in the directory name of a repository, which is from
// on disk, into to. Symbolic links become what they point to, as git would
// write through them, as far as follows permits; what is there already stays.
// above are the directories on the way.
func (c *copier) gitFiles(r repository, from, to, name string, wanted func(name string) bool, above []fs.FileInfo) error {
	here, err := os.Stat(from)
	if err != nil {
		return vanished(err)
	}
	for _, dir := range above {
		if os.SameFile(dir, here) {
			return fmt.Errorf("%s leads back to itself", from)
		}
	}
	above = append(slices.Clip(above), here)
	entries, err := os.ReadDir(from)
	if err != nil {
		return vanished(err)
	}
	for _, entry := range entries {
		inner := filepath.Join(name, entry.Name())
		if !wanted(inner) {
			continue
		}
		if err := c.gitFile(r, filepath.Join(from, entry.Name()), filepath.Join(to, entry.Name()), inner, entry, wanted, above); err != nil {
			return err
		}
	}
	return nil
}

func (c *copier) gitFile(r repository, from, to, name string, entry fs.DirEntry, wanted func(name string) bool, above []fs.FileInfo) error {
	if c.ctx.Err() != nil {
		return context.Cause(c.ctx)
	}
	if entry.Type().IsRegular() {
		c.file(from, to) // as most are
		return nil
	}
	// HEAD may be a link to the branch, which need not have a commit yet.
	if target, err := os.Readlink(from); err == nil && name == "HEAD" && within(target, "refs") {
		return os.Symlink(target, to)
	}
	real, err := filepath.EvalSymlinks(from)
	if err != nil {
		return vanished(err)
	}
	if entry.Type()&fs.ModeSymlink != 0 && !c.follows(r, name, real) {
		return nil
	}
	info, err := os.Lstat(real)
	switch {
	case err != nil:
		return vanished(err)
	case info.Mode().IsRegular():
		c.file(real, to)
		return nil
	case !info.IsDir():
		return nil
	}
	if err := os.Mkdir(to, 0o700); err == nil {
		c.dirs = append(c.dirs, made{to, info.Mode().Perm()})
	} else if !errors.Is(err, fs.ErrExist) {
		return err
	}
	return c.gitFiles(r, real, to, name, wanted, above)
}

// follows reports whether a link called name in a repository may become what it
// leads to, which is real. Who works on a copy reads all of it, and may have put
// the link there when it worked on the original: so it has to stay in the tree,
// or lead to the same part of a repository that is in no checkout and may be
// anybody's, as they do that share one. Nothing leads back from that of another
// checkout, as it does for a linked worktree.
func (c *copier) follows(r repository, name, real string) bool {
	tree := c.tops[len(c.tops)-1] // without links, where that is known
	for _, dir := range []string{tree, r.own, r.common} {
		if real == dir || within(real, dir) {
			return true
		}
	}
	if other, ok := strings.CutSuffix(real, string(filepath.Separator)+name); ok && isRepository(other) && !ofCheckoutDir(other) {
		return true
	}
	if c.source.Warn != nil {
		c.source.Warn(fmt.Sprintf("%s of the git repository is not copied: it is a link to %s, outside of the working tree", name, real))
	}
	return false
}

// within reports a path in the directory dir.
func within(name, dir string) bool {
	return strings.HasPrefix(name, dir+string(filepath.Separator))
}

// submodules finds the repositories of the submodules of r, which are in
// directories by their names. path is from the directory of all of them on.
func (c *copier) submodules(r repository, path string) error {
	from, to := filepath.Join(r.own, "modules", path), filepath.Join(r.to, "modules", path)
	entries, err := os.ReadDir(from)
	if err != nil {
		return vanished(err)
	}
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	for _, entry := range entries {
		inner := filepath.Join(path, entry.Name())
		real, err := filepath.EvalSymlinks(filepath.Join(from, entry.Name()))
		switch {
		case err == nil && isRepository(real):
			// Until it is checked out its place is the one it usually has.
			c.repos = append(c.repos, repository{own: real, common: real, to: filepath.Join(r.to, "modules", inner), tree: filepath.Join(r.tree, inner)})
		case entry.IsDir() && !exists(filepath.Join(from, entry.Name(), "HEAD")):
			err = c.submodules(r, inner)
		}
		if err = vanished(err); err != nil {
			return err
		}
	}
	return nil
}

// configure writes the configuration of a repository. It says where the working
// tree is, since the original may say so, too: in its own way of writing, or in
// a file that is included. The last word counts, and that of config.worktree
// comes after all of config. The way there begins at the repository, so that it
// holds wherever the copy is mounted.
func (c *copier) configure(r repository) error {
	tree, err := filepath.Rel(r.to, r.tree)
	if err != nil {
		return err
	}
	place := "\n\n[core]\n\tbare = false\n\tworktree = " + quoted(tree) + "\n"
	for _, file := range []struct{ dir, name string }{{r.common, "config"}, {r.own, "config.worktree"}} {
		text, err := c.readLinked(r, file.dir, file.name)
		if errors.Is(err, fs.ErrNotExist) && file.name == "config.worktree" {
			continue
		}
		if err = vanished(err); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(r.to, file.name), []byte(withoutPlaces(text)+place), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// quoted is text as a value in a git configuration.
func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(filepath.ToSlash(text)) + `"`
}

// readLinked reads the file called name of a repository, which is in dir and may
// be a link. One that may not be followed is as good as not there.
func (c *copier) readLinked(r repository, dir, name string) (string, error) {
	file := filepath.Join(dir, name)
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		return "", err
	}
	if real != file && !c.follows(r, name, real) {
		return "", fs.ErrNotExist
	}
	return readRegular(real)
}

// readRegular reads a file. Anything else is as good as not there.
func readRegular(name string) (string, error) {
	file, err := openRegular(name)
	if err != nil {
		return "", err
	}
	if file == nil {
		return "", fs.ErrNotExist
	}
	defer file.Close()
	text, err := io.ReadAll(file)
	return string(text), err
}

var (
	section = regexp.MustCompile(`^\s*\[\s*([^\]\s"]+)\s*("[^\]]*)?\]`)
	places  = regexp.MustCompile(`(?i)^\s*(worktree|bare)\s*(=|$)`)
)

// withoutPlaces takes out of a git configuration where the working tree is, as
// far as git itself writes it. That does not have to find every form: it is for
// git, which refuses to change a value that is there twice.
func withoutPlaces(config string) string {
	var kept strings.Builder
	core := false
	for line := range strings.Lines(config) {
		if m := section.FindStringSubmatch(line); m != nil {
			core = strings.EqualFold(m[1], "core") && m[2] == ""
		}
		text := strings.TrimRight(line, "\r\n")
		if !core || !places.MatchString(text) || strings.HasSuffix(text, `\`) {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// alternates writes the list of other object stores with absolute paths: they
// may count from the directory of the objects.
func (c *copier) alternates(r repository) error {
	objects, err := filepath.EvalSymlinks(filepath.Join(r.common, "objects"))
	if err != nil {
		return vanished(err)
	}
	if at := filepath.Join(r.common, "objects"); objects != at && !c.follows(r, "objects", objects) {
		return nil
	}
	name := filepath.Join("info", "alternates")
	text, err := c.readLinked(r, objects, name)
	if err != nil {
		return vanished(err)
	}
	return os.WriteFile(filepath.Join(r.to, "objects", name), []byte(absolute(objects, text)), 0o600)
}

func absolute(objects, alternates string) string {
	var list strings.Builder
	for line := range strings.Lines(alternates) {
		path := strings.TrimRight(line, "\r\n")
		if path != "" && !strings.HasPrefix(path, "#") && !filepath.IsAbs(path) {
			path = filepath.Join(objects, path)
		}
		list.WriteString(path + "\n")
	}
	return list.String()
}

// isFile reports a file of that name in a directory.
func isFile(dir, name string) bool {
	info, err := os.Lstat(filepath.Join(dir, name))
	return err == nil && !info.IsDir()
}

// ofCheckout names what belongs to the main worktree of a repository: a linked
// one has its own.
func ofCheckout(name string) bool {
	switch name {
	case "HEAD", "index", "ORIG_HEAD", "FETCH_HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD",
		"rebase-merge", "rebase-apply", "sequencer", filepath.Join("logs", "HEAD"), filepath.Join("info", "sparse-checkout"):
		return true
	}
	return false
}
