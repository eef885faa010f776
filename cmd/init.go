package cmd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/facts"
	"github.com/drone-laptop/drone/internal/rewrite"
	"github.com/drone-laptop/drone/internal/scaffold"
	"github.com/drone-laptop/drone/lint"
	"github.com/drone-laptop/drone/manifest"
	"github.com/drone-laptop/drone/report"
)

type initOptions struct {
	print, force bool
}

func newInit(s Streams) *cobra.Command {
	o := &initOptions{}
	c := &cobra.Command{
		Use:   "init [DIRECTORY]",
		Short: "write a .drone.yml for what is in the directory",
		Long: "init looks at the files of DIRECTORY (default: the current one) and writes a .drone.yml that\n" +
			"tests it: Go, Node.js, Python, Rust and Java, with the tools that their files name, the\n" +
			"services that a file of Docker Compose or a .env.example names, and a Dockerfile. Each\n" +
			"project of a tree with several gets a pipeline. It says what each part is there for, lints\n" +
			"and plans the file before it writes it, and overwrites none. It asks no network: have a\n" +
			"look at the versions of images.",
		Example: "  drone init\n  drone init --print\n  drone init --force",
		Args:    argsUpTo(1, "one directory"),

		ValidArgsFunction: cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs),
	}
	c.Flags().BoolVar(&o.print, "print", false, "print the file, and write none")
	c.Flags().BoolVar(&o.force, "force", false, "write it also where there is one, which is lost")
	c.RunE = func(_ *cobra.Command, args []string) error { return runInit(s, o, first(args)) }
	return c
}

func runInit(s Streams, o *initOptions, dir string) error {
	if dir == "" {
		dir = "."
	}
	file := filepath.Join(dir, defaultFile)
	if !o.print && !o.force {
		if err := refuseExisting(dir); err != nil {
			return err
		}
	}
	tree := facts.Read(dir)
	place, err := filepath.Abs(dir)
	if err != nil {
		return usage(err, "")
	}
	home, _ := os.UserHomeDir() // "" where there is none
	if !o.print && !o.force && (place == filepath.Dir(place) || same(place, home)) {
		return usage(fmt.Errorf("%s is no place of a project, so nothing was written", place), "name the directory of one, or write the file all the same with --force")
	}
	if tree.Root != "" && !same(tree.Root, place) {
		s.warn(fmt.Sprintf("servers read the %s at the top of a repository, which is %s", defaultFile, tree.Root))
	}
	made, err := scaffold.Write(os.DirFS(dir), scaffold.Options{Repository: tree.Remote.Slug})
	if err != nil {
		return usage(fmt.Errorf("cannot read %s: %w", dir, cause(err)), "name a directory that you may read")
	}
	plan, err := s.tryOut(file, made.Text, tree)
	if err != nil {
		return err
	}
	for _, seen := range made.Seen {
		s.note(report.Visible(seen.File + ": " + seen.What))
	}
	for _, note := range made.Notes {
		s.warn(report.Visible(note))
	}
	if o.print {
		_, err := s.Out.Write(made.Text)
		return err
	}
	if o.force && exists(file) {
		if err := rewrite.File(file, made.Text); err != nil {
			return usage(fmt.Errorf("cannot write %s: %w", file, cause(err)), "print it with --print")
		}
	} else if err := writeNew(file, made.Text, 0o644); err != nil {
		return err
	}
	s.note(fmt.Sprintf("wrote %s: %s; `drone plan` shows what runs, `drone exec` runs it", file, planText(plan)))
	return nil
}

// refuseExisting protects a configuration that is there, in any of its forms.
func refuseExisting(dir string) error {
	for _, name := range []string{defaultFile, ".drone.yaml", ".drone.jsonnet", ".drone.star", ".drone.starlark"} {
		if exists(filepath.Join(dir, name)) {
			return usage(fmt.Errorf("there is %s already, so none was written", filepath.Join(dir, name)),
				"print one with --print, or write .drone.yml all the same with --force")
		}
	}
	return nil
}

// tryOut lints and plans a file that is not written yet. Anything wrong with it
// is a defect of this program, or a name in the tree that nobody has thought of.
func (s Streams) tryOut(file string, text []byte, tree *facts.Tree) (*exec.Plan, error) {
	build, _, err := facts.Resolve(tree, facts.Overrides{}, time.Now())
	if err != nil {
		return nil, mistake(err, "")
	}
	opts := compile.Options{Build: build, Host: compile.Host{Consent: true}}
	findings := lint.Check(file, text, lint.Options{Strict: true, Compile: opts})
	source := func(string) []byte { return text }
	if err := lint.Text(s.Err, findings, source, painter(s.errStyle())); err != nil {
		return nil, err
	}
	p, err := makePlan(file, text, opts)
	if err != nil {
		return nil, err
	}
	for _, f := range findings {
		if f.Severity == manifest.Error {
			return nil, &failure{status: StatusFailed, err: errors.New("what was made for this tree is not right, so nothing was written"),
				hint: "this is a defect of drone: please report it with what is above; --print would print the same"}
		}
	}
	return p.plan, nil
}

// planText counts what a push would run.
func planText(plan *exec.Plan) string {
	if plan == nil {
		return "no plan"
	}
	steps := 0
	for _, p := range plan.Pipelines {
		for _, t := range p.Steps {
			if t.Kind == exec.KindStep {
				steps++
			}
		}
	}
	return report.Plural(len(plan.Pipelines), "pipeline") + " with " + report.Plural(steps, "step")
}
