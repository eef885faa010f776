package cmd

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/facts"
	"github.com/drone-laptop/drone/internal/hostpath"
	"github.com/drone-laptop/drone/internal/similar"
	"github.com/drone-laptop/drone/manifest"
)

// buildFlags are the facts of the build that the user may give.
type buildFlags struct {
	overrides facts.Overrides
	params    []string
}

func (f *buildFlags) register(c *cobra.Command) {
	o, flags := &f.overrides, c.Flags()
	flags.StringVar(&o.Event, "event", "", "event to pretend: "+strings.Join(manifest.Events(), ", ")+" (default push)")
	flags.StringVar(&o.Branch, "branch", "", "target branch (default: the current one)")
	flags.StringVar(&o.Ref, "ref", "", "git reference, for example refs/heads/main")
	flags.StringVar(&o.SHA, "sha", "", "commit (default: HEAD)")
	flags.StringVar(&o.Before, "before", "", "commit before (default: the first parent)")
	flags.StringVar(&o.Tag, "tag", "", "tag; event tag")
	flags.StringVar(&o.PullRequest, "pr", "", "pull request number; event pull_request")
	flags.StringVar(&o.Source, "source", "", "source branch of a pull request (default: the current one)")
	flags.StringVar(&o.Target, "target", "", "target branch of a pull request (default: the default branch)")
	flags.StringVar(&o.SourceRepo, "source-repo", "", "fork that a pull request comes from, owner/name")
	flags.StringVar(&o.Title, "title", "", "title of a pull request")
	flags.StringVar(&o.Message, "message", "", "commit message")
	flags.StringVar(&o.DeployTo, "deploy-to", "", "target of a promotion or rollback; event promote")
	flags.StringVar(&o.Cron, "cron", "", "name of a cron job; event cron")
	flags.StringVar(&o.Action, "action", "", "action, for example opened or synchronized")
	flags.StringVar(&o.Repo, "repo", "", "repository, owner/name (default: from the git remote)")
	flags.StringVar(&o.Instance, "instance", "", "host of the server, with or without https://")
	flags.StringVar(&o.Author, "author", "", "login of the author")
	flags.StringVar(&o.Trigger, "trigger", "", "login of whoever started the build")
	flags.Int64Var(&o.BuildNumber, "build-number", 0, "number of the build")
	flags.Int64Var(&o.Parent, "parent", 0, "number of the build that is promoted")
	flags.BoolVar(&o.Debug, "debug", false, "set DRONE_BUILD_DEBUG")
	flags.StringArrayVar(&f.params, "param", nil, "parameter of the build, `K=V` (repeatable)")
}

// flagError puts what the parser of flags says into this program's words.
func flagError(c *cobra.Command, err error) error {
	hint := "see `" + c.CommandPath() + " --help`"
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok && unknown.GetSpecifiedShortnames() == "" {
		var known []string
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				known = append(known, f.Name)
			}
		})
		if near := similar.Word(unknown.GetSpecifiedName(), known); near != "" {
			hint = "did you mean --" + near + "? " + hint
		}
		return usage(err, hint)
	}
	var invalid *pflag.InvalidValueError
	if !errors.As(err, &invalid) {
		return usage(err, hint)
	}
	flag, why := invalid.GetFlag(), ""
	switch flag.Value.Type() {
	case "int", "int64":
		why = "is not a whole number"
		if errors.Is(err, strconv.ErrRange) {
			why = "is too large"
		}
	case "bool":
		why = "is neither true nor false"
	case "duration":
		why, hint = "is not a duration", "write it as 90s, 10m or 1h30m"
	default:
		why = invalid.Unwrap().Error()
	}
	return usage(fmt.Errorf("--%s %q %s", flag.Name, invalid.GetValue(), why), hint)
}

// resolved returns the overrides with parsed parameters.
func (f *buildFlags) resolved() (facts.Overrides, error) {
	o := f.overrides
	var err error
	o.Params, err = parameters(f.params)
	return o, err
}

// parameters reads the values of --param.
func parameters(words []string) (map[string]string, error) {
	params := map[string]string{}
	for _, word := range words {
		k, v, ok := strings.Cut(word, "=")
		if !ok || k == "" {
			return nil, usage(fmt.Errorf("--param %q has no name and value", word), "write --param NAME=VALUE")
		}
		params[k] = v
	}
	return params, nil
}

// selectFlags choose pipelines and steps, and how steps are set up.
type selectFlags struct {
	pipelines, include, exclude []string
	resumeAt                    string
	trusted, clone, host        bool
	volumes, networks           []string
	privileged                  []string
	netrcMachine, netrcUser     string
	netrcPassword               string
	env, envFiles               []string
}

func (f *selectFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringArrayVar(&f.pipelines, "pipeline", nil, "run these pipelines whatever their trigger says, by `name` or glob (repeatable)")
	flags.StringArrayVar(&f.include, "include", nil, "run only these steps, by `name` or glob; services stay (repeatable)")
	flags.StringArrayVar(&f.exclude, "exclude", nil, "leave out these steps, by `name` or glob (repeatable)")
	flags.StringVar(&f.resumeAt, "resume-at", "", "leave out the steps before `step`")
	flags.BoolVar(&f.trusted, "trusted", false, "give the file what the server gives trusted repositories only: privileged, host volumes, devices …")
	flags.BoolVar(&f.host, "host", false, "run pipelines of type exec, too: their commands run on this machine and can do whatever you can")
	flags.BoolVar(&f.clone, "clone", false, "clone the commit into an empty workspace instead of using the current directory")
	flags.StringArrayVar(&f.volumes, "volume", nil, "mount a `host:container[:ro]` path in every step (repeatable)")
	flags.StringArrayVar(&f.networks, "network", nil, "join every step to this network `name` too (repeatable)")
	flags.StringArrayVar(&f.privileged, "privileged", nil, "run plugins of this `image` privileged, as the built-in ones (repeatable)")
	flags.StringVar(&f.netrcMachine, "netrc-machine", "", "host of the netrc given to steps")
	flags.StringVar(&f.netrcUser, "netrc-username", "", "login of the netrc")
	flags.StringVar(&f.netrcPassword, "netrc-password", "", "password of the netrc; a `value` here is seen in the process list, $DRONE_NETRC_PASSWORD is not")
	flags.StringArrayVar(&f.env, "env", nil, "variable for every step, `K=V`, or K for the caller's value (repeatable)")
	flags.StringArrayVar(&f.envFiles, "env-file", nil, "`file` with variables for every step, in dotenv form (repeatable)")
}

// binds parses --volume.
func (f *selectFlags) binds() ([]exec.Bind, error) {
	if len(f.volumes) == 0 {
		return nil, nil
	}
	dir, err := currentDir()
	if err != nil {
		return nil, err
	}
	var binds []exec.Bind
	for _, v := range f.volumes {
		bind, err := parseBind(runtime.GOOS, dir, v)
		if err != nil {
			return nil, err
		}
		binds = append(binds, bind)
	}
	return binds, nil
}

// parseBind reads host:container as hostpath.ParseBind does, for the directory
// dir of a machine with goos.
func parseBind(goos, dir, text string) (exec.Bind, error) {
	hint := "write --volume /on/this/machine:/in/the/container, with :ro behind it for read only"
	wrong := func(why string) error { return usage(fmt.Errorf("--volume %q %s", text, why), hint) }
	bind, err := hostpath.ParseBind(text)
	if err != nil {
		return exec.Bind{}, wrong(err.Error())
	}
	if goos != hostpath.Windows && hostpath.IsWindows(bind.Host) {
		if at := hostpath.WSL(bind.Host); at != "" {
			hint = "WSL has it at " + at
		}
		return exec.Bind{}, wrong("is a path of Windows, which this machine has not")
	}
	if goos == hostpath.Windows {
		bind.Host = hostpath.Drive(bind.Host)
	}
	return exec.Bind{Host: hostpath.Abs(goos, dir, bind.Host), Path: bind.Path, ReadOnly: bind.ReadOnly}, nil
}

// runFlags matter only to a run: they change nothing of its plan.
type runFlags struct {
	engine  engineFlags
	secrets secretFlags
	isolate isolateFlags
	limits  limitFlags
	plain   bool
	timing  bool

	requireSignature bool
	requireJOSE      string
}

func (f *runFlags) register(flags *pflag.FlagSet) {
	f.engine.register(flags)
	f.secrets.register(flags)
	f.isolate.register(flags)
	flags.BoolVar(&f.engine.offline, "offline", false, "ask no registry: every image must be here already, also latest and those with pull: always")
	flags.BoolVar(&f.plain, "plain", false, "plain lines even on a terminal, as --output plain")
	flags.BoolVar(&f.timing, "timing", false, "tell at the end where the time went, by phase and step")
	flags.BoolVar(&f.requireSignature, "require-signature", false, "run nothing unless the file is signed with the key of the repository")
	flags.StringVar(&f.requireJOSE, "require-jose", "", "run nothing unless FILE.sig is a valid JOSE signature for the public key, or secret, in this `file`")
	f.limits.register(flags)
}

// ignoreRunFlags has a command accept the flags of a run, which mean nothing to
// it, so that a command line need not change with the command.
func ignoreRunFlags(flags *pflag.FlagSet) {
	ignored := pflag.NewFlagSet("", pflag.ContinueOnError)
	new(runFlags).register(ignored)
	ignored.VisitAll(func(f *pflag.Flag) { f.Hidden = true })
	flags.AddFlagSet(ignored)
}

// engineFlags say which engine runs the steps.
type engineFlags struct {
	host, registry string
	offline        bool          // a flag of runs only
	grace          time.Duration // of a run, see limitFlags
}

func (f *engineFlags) register(flags *pflag.FlagSet) {
	flags.StringVarP(&f.host, "docker-host", "H", "", "`address` of the engine (default: as docker finds it)")
	flags.StringVar(&f.registry, "registry", "", "docker config.json `file` with registry logins (default: as docker finds it)")
}

// secretFlags supply secrets.
type secretFlags struct {
	files, values []string
	key           keyFlags
	remembered    bool
	allowMissing  bool
}

func (f *secretFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.files, "secret-file", nil, "`file` with secrets, dotenv or YAML (repeatable)")
	flags.StringArrayVar(&f.values, "secret", nil, "secret, `NAME=VALUE`, NAME=@file, or NAME for the value of that environment variable (repeatable)")
	f.key.register(flags, "which decrypts secrets in the configuration and verifies its signature")
	flags.BoolVar(&f.remembered, "remembered-key", false, "decrypt them with the key that drone key set has remembered for the repository")
	flags.BoolVar(&f.allowMissing, "allow-missing-secrets", false, "give missing secrets the empty value")
}

// choice is a flag that takes one of several words.
type choice struct {
	value string
	kind  string // what the words name
	of    []string
}

func (c *choice) String() string  { return c.value }
func (c *choice) Type() string    { return c.kind }
func (c *choice) words() []string { return c.of }
func (c *choice) Set(v string) error {
	if !slices.Contains(c.of, v) {
		return fmt.Errorf("must be one of %s", strings.Join(c.of, ", "))
	}
	c.value = v
	return nil
}

// outputFlag is --output with the forms a command knows.
type outputFlag struct{ choice }

// addOutput registers a form flag; the first form is the default.
func addOutput(flags *pflag.FlagSet, name string, forms ...string) *outputFlag {
	o := &outputFlag{choice{value: forms[0], kind: "form", of: forms}}
	flags.Var(o, name, "form of the output: "+strings.Join(forms, ", "))
	return o
}
