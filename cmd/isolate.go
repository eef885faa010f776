package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/facts"
	"github.com/drone-laptop/drone/internal/isolate"
	"github.com/drone-laptop/drone/internal/snapshot"
)

// isolateFlags say whether pipelines work on copies of the working tree.
type isolateFlags struct {
	isolate, clean bool
	out            string
	jobs           int
}

func (f *isolateFlags) register(flags *pflag.FlagSet) {
	flags.BoolVar(&f.isolate, "isolate", false, "give each pipeline its own copy of the current directory; pipelines that do not depend on each other run at the same time")
	flags.BoolVar(&f.clean, "clean", false, "copy what is committed only; implies --isolate")
	flags.StringVar(&f.out, "out", "", "bring what steps created or changed to `directory`; implies --isolate")
	flags.IntVar(&f.jobs, "jobs", 0, "with --isolate or --clone, run at most `N` pipelines at the same time (default with --isolate: number of processors)")
}

// resolve follows what flags imply, and refuses what contradicts itself. changed
// reports a flag that was given.
func (f *isolateFlags) resolve(changed func(name string) bool, clone bool) error {
	implying := ""
	switch {
	case f.clean:
		implying = "--clean"
	case changed("out"):
		implying = "--out"
	}
	switch {
	case changed("isolate") && !f.isolate && implying != "":
		return usage(fmt.Errorf("%s works on copies of the working tree, which --isolate=false refuses", implying), "leave out one of the two")
	case changed("out") && f.out == "":
		return usage(errors.New("--out names no directory"), "write --out DIR")
	case clone && changed("out"):
		return usage(errors.New("--out and --clone contradict each other: with --clone the workspace is a volume of the engine, not a copy"),
			"leave out --clone; --clean copies what is committed")
	case clone && (f.isolate || f.clean):
		flag, hint := "--isolate", "leave out --clone; --clean copies what is committed"
		if f.clean {
			flag, hint = "--clean", "leave out one of the two"
		}
		return usage(fmt.Errorf("%s and --clone contradict each other: with --clone the workspace begins empty", flag), hint)
	case changed("jobs") && f.jobs < 1:
		return usage(fmt.Errorf("--jobs %d is not the number of pipelines that may run at the same time", f.jobs), "write 1 or more")
	}
	f.isolate = f.isolate || implying != ""
	if f.jobs > 1 && !f.isolate && !clone {
		return usage(fmt.Errorf("--jobs %d needs --isolate: pipelines that share the working tree run one after another", f.jobs),
			"add --isolate, which gives each pipeline a copy")
	}
	if f.jobs == 0 {
		f.jobs = 1
		if f.isolate {
			f.jobs = runtime.NumCPU()
		}
	}
	return nil
}

// checkCommit refuses --clean where nothing is committed, once and before
// anything is made. What else may be wrong with the repository is told by the
// pipeline that cannot copy it.
func checkCommit(ctx context.Context, s Streams) error {
	dir, err := currentDir()
	if err != nil {
		return err
	}
	own, _, err := facts.GitDir(dir)
	if err != nil {
		return nil
	}
	if none, ok := errors.AsType[*snapshot.CommitError](snapshot.CheckCommit(ctx, snapshot.Source{Dir: dir, GitDir: own}, s.Environ())); ok {
		return mistake(none, "")
	}
	return nil
}

// copiesDir is the directory in which copies of the working tree are made. It
// is one that engines can mount: of the usual ones some see nothing of /tmp,
// others only the home directory. And it is likely to be on the file system of
// the working tree, so that a copy can share its blocks.
func copiesDir(getenv func(string) string) string {
	if dir := getenv("TMPDIR"); dir != "" && !givenBySystem(dir) {
		return dir
	}
	return cacheDir()
}

// cacheDir is the program's in the user's cache, or that of temporary files
// where there is no home.
func cacheDir() string {
	cache, err := os.UserCacheDir()
	if err != nil {
		return os.TempDir()
	}
	return filepath.Join(cache, "drone")
}

// makeCopiesDir makes sure that there is such a directory.
func makeCopiesDir(getenv func(string) string) (string, error) {
	dir := copiesDir(getenv)
	if dir != os.TempDir() && (os.MkdirAll(dir, 0o700) != nil || writable(dir) != nil) {
		dir = os.TempDir() // a home that cannot be written to
	}
	_, err := os.Stat(dir)
	return dir, err
}

// runDirs are the directories that there are in which runs make their own, also
// those with another TMPDIR as far as they can be known.
func runDirs() (dirs []string) {
	for _, dir := range []string{os.TempDir(), cacheDir()} {
		if _, err := os.Stat(dir); err == nil && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// givenBySystem reports a directory for temporary files that nobody has chosen:
// macOS gives one to every program, which not every engine can mount.
func givenBySystem(dir string) bool {
	return runtime.GOOS == "darwin" && strings.HasPrefix(dir, "/var/folders/")
}

// openOut makes and opens the directory that results are brought to.
func openOut(name string) (*os.Root, error) {
	wrong := func(err error) error {
		return usage(fmt.Errorf("--out %s cannot be used: %w", name, cause(err)), "name a directory that you may write to; a missing one is made")
	}
	if err := os.MkdirAll(name, 0o777); err != nil {
		return nil, wrong(err)
	}
	if err := writable(name); err != nil {
		return nil, wrong(err)
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, wrong(err)
	}
	return root, nil
}

// newCopies makes ready what gives pipelines copies of the working tree, and opens
// the directory for results. The caller closes the copies.
func newCopies(ctx context.Context, s Streams, flags isolateFlags, plan *exec.Plan, say func(string)) (*isolate.Copies, error) {
	o := isolate.Options{Plan: plan, Clean: flags.clean, Environ: s.Environ(), Say: say}
	if !flags.isolate {
		return isolate.New(ctx, o), nil
	}
	var err error
	if o.Dir, err = makeCopiesDir(s.getenv); err != nil {
		return nil, usage(fmt.Errorf("there is no place for copies of the working tree: %w", err), "name an existing directory with TMPDIR")
	}
	if flags.out != "" {
		if o.Out, err = openOut(flags.out); err != nil {
			return nil, err
		}
	}
	return isolate.New(ctx, o), nil
}

// madeIn are the directories in which a run with these copies makes its own.
func madeIn(c *isolate.Copies) []string {
	if dir := c.Dir(); dir != "" && dir != os.TempDir() {
		return []string{os.TempDir(), dir}
	}
	return []string{os.TempDir()}
}
