package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"time"
)

// CommitError is why there is no commit to copy. Its text is one sentence.
type CommitError struct {
	Text string
	Hint string // what to do about it
}

func (e *CommitError) Error() string { return e.Text }

// Commit copies what the tree has committed into the existing empty directory
// to: the files of HEAD, without what was changed since and without untracked
// ones, and the repository. Submodules are as HEAD has them where their
// repositories are part of that of the tree; Warn is told of the others. Files
// of the source is not called.
//
// The files are written by the git of this machine, with the configuration of
// the repository: ends of lines and filters are those of any checkout. environ
// is what git is run with. No hook runs, and git speaks to nobody, though
// filters that the user has set up may. A *CommitError says that there is
// nothing to copy; other errors are those of Copy.
func Commit(ctx context.Context, from Source, to string, environ []string) (Size, error) {
	g := git{ctx: ctx, environ: gitEnviron(environ)}
	if err := g.look(from); err != nil {
		return Size{}, err
	}
	from.Files = func(func(string, fs.DirEntry) error) error { return nil }
	size, err := Copy(ctx, from, to)
	if err != nil {
		return size, err
	}
	if err := g.checkOut(from, to); err != nil {
		return size, err
	}
	files, err := sizeOf(to)
	return Size{size.Files + files.Files, size.Bytes + files.Bytes}, err
}

// CheckCommit reports why Commit would find nothing to copy, as far as that can
// be known ahead. The error is a *CommitError, or that of a git that refuses to
// work there. Of the source, Dir and GitDir are looked at.
func CheckCommit(ctx context.Context, from Source, environ []string) error {
	return git{ctx: ctx, environ: gitEnviron(environ)}.look(from)
}

// git runs the program of that name.
type git struct {
	ctx     context.Context
	environ []string
}

// look makes sure that there is a commit. It asks git in the tree itself: there
// it refuses to work for somebody who is not the owner, whose filters would run
// for the copy.
func (g git) look(from Source) error {
	if from.GitDir == "" {
		return &CommitError{
			Text: fmt.Sprintf("%s is not the top of a git checkout, so there is no committed state of it", from.Dir),
			Hint: "run drone at the top of the checkout, or copy the files as they are with --isolate alone",
		}
	}
	_, err := g.run(from.Dir, "rev-parse", "--quiet", "--verify", "HEAD^{commit}")
	var failed *gitError
	switch {
	case errors.Is(err, osexec.ErrNotFound):
		return &CommitError{Text: "git is not installed on this machine, and the committed state is taken from it", Hint: "install git, or copy the files as they are with --isolate alone"}
	case errors.As(err, &failed) && failed.said == "":
		return &CommitError{Text: fmt.Sprintf("the branch of %s has no commit yet", from.Dir), Hint: "commit something first, or copy the files as they are with --isolate alone"}
	}
	return err
}

// checkOut fills the working tree of a copy that has none.
func (g git) checkOut(from Source, to string) error {
	// What the index says of the files is of those of the original.
	if err := os.Remove(filepath.Join(to, ".git", "index")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := g.run(to, "reset", "--quiet", "--hard", "HEAD"); err != nil {
		return err
	}
	return g.submodules(from, to)
}

// submodules checks out those whose repositories have been copied.
func (g git) submodules(from Source, to string) error {
	if _, err := os.Lstat(filepath.Join(to, ".gitmodules")); err != nil {
		return vanished(err)
	}
	list, err := g.run(to, "ls-files", "-z", "--stage")
	if err != nil {
		return err
	}
	for entry := range strings.SplitSeq(list, "\x00") {
		about, name, _ := strings.Cut(entry, "\t")
		if !strings.HasPrefix(about, "160000 ") {
			continue
		}
		// Without --checkout the configuration may name a command for it.
		_, err := g.run(to, "submodule", "--quiet", "update", "--checkout", "--no-fetch", "--recursive", "--force", "--", name)
		if g.ctx.Err() != nil {
			return context.Cause(g.ctx)
		}
		if err != nil && from.Warn != nil {
			from.Warn(fmt.Sprintf("submodule %s is not in the copy, because its commit is not in the repository here", name))
		}
		// Git says nothing of one that was never initialized.
		if err == nil && !exists(filepath.Join(to, name, ".git")) && from.Warn != nil {
			from.Warn(fmt.Sprintf("submodule %s is not in the copy, because it is not initialized here", name))
		}
	}
	return nil
}

// gitError is a git that did not succeed.
type gitError struct {
	args []string
	said string // on standard error, "" for nothing
	err  error
}

func (e *gitError) Error() string {
	why := e.said
	if why == "" {
		why = e.err.Error()
	}
	return fmt.Sprintf("git %s failed: %s", e.args[0], why)
}

func (e *gitError) Unwrap() error { return e.err }

// run gives what git prints. A git that is not there is osexec.ErrNotFound.
func (g git) run(dir string, args ...string) (string, error) {
	// The owner of the copy has agreed to no hooks and no monitors, and nothing
	// may be fetched.
	fixed := []string{"-c", "core.hooksPath=" + os.DevNull, "-c", "core.fsmonitor=false", "-c", "protocol.allow=never", "-c", "checkout.workers=0", "-c", "gc.auto=0"}
	c := osexec.CommandContext(g.ctx, "git", append(fixed, args...)...)
	c.Dir, c.Env, c.WaitDelay = dir, g.environ, time.Second
	var out, said bytes.Buffer
	c.Stdout, c.Stderr = &out, &said
	err := c.Run()
	switch {
	case err == nil:
		return out.String(), nil
	case g.ctx.Err() != nil:
		return "", context.Cause(g.ctx)
	case errors.Is(err, osexec.ErrNotFound):
		return "", osexec.ErrNotFound
	}
	return "", &gitError{args: args, said: strings.Join(strings.Fields(said.String()), " "), err: err}
}

// gitEnviron leaves out what would lead git to another repository, as it does
// where a hook of git runs this program.
func gitEnviron(environ []string) []string {
	kept := []string{"GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0", "GIT_NO_LAZY_FETCH=1", "LC_ALL=C"}
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		settings := strings.HasPrefix(name, "GIT_CONFIG_") || name == "GIT_EXEC_PATH"
		if name != "LC_ALL" && (settings || !strings.HasPrefix(name, "GIT_")) {
			kept = append(kept, variable)
		}
	}
	return kept
}

// sizeOf is that of the working tree in dir, without its repository.
func sizeOf(dir string) (size Size, err error) {
	err = filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name == filepath.Join(dir, ".git"):
			return fs.SkipDir
		case entry.IsDir():
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		size.Files++
		if info.Mode().IsRegular() {
			size.Bytes += info.Size()
		}
		return nil
	})
	return size, err
}
