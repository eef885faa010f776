// Package cmd is the command line of drone: one file for each command, which
// turns flags into options, calls the package that does the work, and turns
// the result into output and an exit status.
//
// It holds no logic worth testing apart from a terminal. It alone prints,
// reads the environment, and decides exit statuses.
package cmd

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/cmd/guard/vigil"
	"github.com/drone-laptop/drone/exec"
)

// Main runs the program with the arguments after its name and returns its exit
// status. It installs signal handlers for commands that need them, and never
// panics. In the guard of a run (package vigil) that is gone it removes what that
// has left, whatever the arguments.
func Main(args []string, s Streams, build Build) (status int) {
	if dir, ok := helperDir(args); ok {
		return serveOwners(s, dir)
	}
	if len(args) == 1 && args[0] == evaluateCommand {
		return serveEvaluation(s)
	}
	if o := vigil.Orphaned(); o != nil {
		return orphaned(o)
	}
	defer endsEarly()()
	s = s.patient()
	var c *cobra.Command
	profiles := &profiles{}
	err := exec.Guard(func() (err error) {
		root := New(s, build)
		profiles.register(root.PersistentFlags())
		root.PersistentPreRunE = func(c *cobra.Command, args []string) error {
			if err := profiles.start(c, args); err != nil {
				return err
			}
			return s.applySettings(c)
		}
		root.SetArgs(args)
		c, err = root.ExecuteC()
		return err
	})
	if defect, ok := errors.AsType[*exec.PanicError](err); ok {
		err = internalError(defect)
	}
	if c != nil {
		s = s.of(c)
	}
	return conclude(s, profiles.stop(s, err))
}

// New builds the command tree. Commands write only to the streams given.
func New(s Streams, build Build) *cobra.Command {
	build = build.completed()
	root := &cobra.Command{
		Use:   "drone",
		Short: "run Drone pipelines on this machine",
		Long: "drone runs the pipelines of a .drone.yml in local Docker, with the meaning the\n" +
			"server gives them. Start with `drone plan`, which only shows what would run,\n" +
			"or with `drone exec`, which runs it; `drone init` writes a first file. `drone help TOPIC`\n" +
			"explains configuration, environment, events, exit-status, parity, secrets and trust.",
		SuggestionsMinimumDistance: 2,

		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       build.Version,
		Args:          unknownCommand,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	root.SetVersionTemplate("drone {{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	registerGlobal(root)
	root.AddCommand(
		newExec(s, build.Version), newPlan(s), newCompile(s), newLint(s, build.Version), newFmt(s), newConvert(s), newEnv(s), newPull(s), newTrust(s), newDoctor(s),
		newRuns(s), newLog(s), newClean(s), newSchema(s), newJsonnet(s), newStarlark(s), newRender(s), newSign(s), newVerify(s), newKey(s), newEncrypt(s), newDecrypt(s),
		newVersion(s, build), newConfig(s), newInit(s),
	)
	root.AddCommand(serverCommands(s)...)
	root.SetUsageTemplate(s.usageTemplate(root.UsageTemplate()))
	// The two that cobra adds, in the manner of the others.
	root.SetHelpCommand(newHelp(s))
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "completion":
			c.Short = "print the script that completes commands in a shell"
			ownScripts(root, c)
		}
	}
	complete(root)
	return root
}

// usageTemplate makes lines of flags end with words on a terminal.
func (s Streams) usageTemplate(usual string) string {
	width := s.width()
	if !s.OutTerminal || width == 0 {
		return usual
	}
	return strings.ReplaceAll(usual, ".FlagUsages", fmt.Sprintf(".FlagUsagesWrapped %d", width))
}

// unknownCommand names the closest command for a word that is none.
func unknownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := "see `drone --help`"
	if close := c.SuggestionsFor(args[0]); len(close) > 0 {
		hint = "did you mean `drone " + close[0] + "`"
	}
	return &failure{status: StatusUsage, err: fmt.Errorf("no command named %q", args[0]), hint: hint}
}

// maxArgs is cobra's check of the argument count in this program's words, for
// commands that take no argument or one file.
func maxArgs(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) <= n {
			return nil
		}
		takes := "takes one file"
		if n == 0 {
			takes = "takes no arguments"
		}
		return &failure{
			status: StatusUsage,
			err:    fmt.Errorf("%s %s, got %s", c.CommandPath(), takes, strings.Join(args, " ")),
			hint:   "see `" + c.CommandPath() + " --help`",
		}
	}
}
