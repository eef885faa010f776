package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/drone-laptop/drone/internal/dockerhost"
	"github.com/drone-laptop/drone/internal/facts"
	"github.com/drone-laptop/drone/report"
)

// The space below which a directory is soon full, and that below which nothing
// can be done in it.
const (
	lowSpace = 1 << 30
	noSpace  = 50 << 20
)

// directory looks whether there is space in a directory, and whether it can be
// written to.
func directory(dir, what, fix string) Check {
	file, err := os.CreateTemp(dir, ".drone-doctor-*")
	if err != nil {
		return fail("make it writable for you, or "+fix, "%s, %s, cannot be written to: %v", what, dir, reason(err))
	}
	if err := errors.Join(file.Close(), os.Remove(file.Name())); err != nil {
		return fail("see what is the matter with its file system", "%s, %s, cannot be used: %v", what, dir, err)
	}
	free, err := freeSpace(dir)
	if err != nil {
		return ok("%s can be written to; how much is free there cannot be told: %v", dir, err)
	}
	return space(free, lowSpace, noSpace, dir, "remove what you do not need, or "+fix)
}

// space judges free bytes. A warning says that little is left.
func space(free, low, none uint64, where, fix string) Check {
	text := fmt.Sprintf("%s, %s free", where, report.Bytes(int64(min(free, math.MaxInt64))))
	switch {
	case free < none:
		return fail(fix, "%s, too little to work with", text)
	case free < low:
		return warn(fix, "%s, which is not much", text)
	}
	return ok("%s", text)
}

// reason is an error without the operation and path that it repeats.
func reason(err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return at.Err
	}
	return err
}

// git looks for the program and reads the working tree. A run needs the program
// only for pipelines of type exec that clone, and knows less of the build
// without a tree.
func (o Options) git(context.Context) Check {
	program, missing := exec.LookPath("git")
	tree := facts.Read(o.Dir)
	switch {
	case len(tree.Warnings) > 0:
		return warn("`git status` has to work there", "%s", tree.Warnings[0])
	case tree.Root == "":
		return warn("git init, or name the facts with flags such as --branch", "%s is in no git working tree, so branch, commit and author of a build are unknown", o.Dir)
	case missing != nil:
		return warn("install git", "the working tree %s can be read; there is no program git, which pipelines of type exec need with --clone", tree.Root)
	}
	return ok("the working tree %s can be read, and %s is there", tree.Root, program)
}

// credentials asks each credential helper of the configuration for the names of
// the registries that it knows. What it answers is not looked at.
func (o Options) credentials(ctx context.Context) Check {
	found, err := dockerhost.LoadCredentials(o.Env, o.Registry)
	var wrong *dockerhost.Error
	switch {
	case errors.As(err, &wrong):
		return fail(wrong.Hint, "%v", wrong)
	case err != nil:
		return fail("", "%v", err)
	}
	helpers := found.Helpers()
	if len(helpers) == 0 {
		return ok("no credential helper is configured")
	}
	broken := make([]Check, len(helpers))
	var all sync.WaitGroup
	for i, h := range helpers {
		all.Go(func() { broken[i] = ask(ctx, o.Env, h) })
	}
	all.Wait()
	var messages, fixes, names []string
	for i, b := range broken {
		names = append(names, helpers[i].Program)
		if b.Status == Fail {
			messages, fixes = append(messages, b.Message), append(fixes, b.Fix)
		}
	}
	if len(messages) > 0 {
		return fail(strings.Join(fixes, "; "), "%s", strings.Join(messages, "; "))
	}
	return ok("%s answers", strings.Join(names, ", "))
}

// ask runs a helper as docker does.
func ask(ctx context.Context, env dockerhost.Environment, h dockerhost.Helper) Check {
	purpose := fmt.Sprintf("%s of %s", h.Setting, h.File)
	if len(h.Registries) > 0 {
		purpose += " names it for " + strings.Join(h.Registries, ", ")
	} else {
		purpose += " names it"
	}
	path, err := env.LookPath(h.Program)
	if err != nil {
		return fail(fmt.Sprintf("install %s, or remove it from %s", h.Program, h.File), "%s is not in PATH, but %s", h.Program, purpose)
	}
	command := exec.CommandContext(ctx, path, "list")
	command.WaitDelay = 500 * time.Millisecond
	fix := fmt.Sprintf("see what `%s list` says", h.Program)
	if err := command.Run(); ctx.Err() != nil {
		return fail(fix, "%s does not answer, and %s", h.Program, purpose)
	} else if err != nil {
		return fail(fix, "%s fails with %v, and %s", h.Program, reason(err), purpose)
	}
	return ok("")
}
