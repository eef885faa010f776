package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"slices"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/internal/extension"
	"github.com/drone-laptop/drone/internal/facts"
	"github.com/drone-laptop/drone/internal/table"
	"github.com/drone-laptop/drone/remote"
)

func newPlugins(s Streams) *cobra.Command {
	x := extensionCommands{s}
	return groupOf("plugins", "ask the extensions of a server what they would tell it",
		"plugins asks an extension as a server does: signed with the secret that both share. That is how\nto try one out.",
		x.admit(),
		groupOf("config", "ask an extension for configurations", "config asks an extension where the server has the file of a build from.", x.config()),
		x.convert(), x.env(),
		groupOf("registry", "ask an extension for registries", "registry asks an extension for the logins to registries of a build.", x.registry()),
		groupOf("secret", "ask an extension for secrets", "secret asks an extension for external secrets.", x.secret()),
	)
}

type extensionCommands struct{ s Streams }

// extensionFlags say which extension is asked. prefix is that of their variables in
// the official command. It has one for --ssl-skip-verify, too, which ends in VERIFY
// for some extensions, so that true would mean the contrary of what it says; only
// those that end in SKIP_VERIFY are read.
type extensionFlags struct {
	endpoint, secret string
	skipVerify       bool
	prefix           string
	skipVar          string // "" for none
}

func (f *extensionFlags) register(flags *pflag.FlagSet, prefix string) {
	f.prefix = prefix
	if !slices.Contains([]string{"DRONE_REGISTRY", "DRONE_SECRET"}, prefix) {
		f.skipVar = prefix + "_SKIP_VERIFY"
	}
	flags.StringVar(&f.endpoint, "endpoint", "", "`address` of the extension (default: $"+prefix+"_ENDPOINT)")
	flags.StringVar(&f.secret, "secret", "", "the secret that it shares with the server; a `value` here is seen in the process list, $"+prefix+"_SECRET is not")
	flags.BoolVar(&f.skipVerify, "ssl-skip-verify", false, "accept any certificate of the extension")
}

// ask asks the extension.
func (f *extensionFlags) ask(ctx context.Context, s Streams, kind string, in, out any) error {
	c := extension.Client{Endpoint: f.endpoint, Secret: f.secret, SkipVerify: f.skipVerify, Proxy: http.ProxyFromEnvironment}
	if c.Endpoint == "" {
		c.Endpoint = s.getenv(f.prefix + "_ENDPOINT")
	}
	if c.Secret == "" {
		c.Secret = s.getenv(f.prefix + "_SECRET")
	}
	skip, err := boolVar(s, f.skipVar)
	switch {
	case err != nil:
		return err
	case c.Endpoint == "":
		return usage(errors.New("there is no address of an extension"), "set "+f.prefix+"_ENDPOINT, or add --endpoint")
	case c.Secret == "":
		return usage(errors.New("there is no secret to sign with"), "set "+f.prefix+"_SECRET to what the server and the extension share")
	}
	c.SkipVerify = c.SkipVerify || skip
	err = c.Ask(ctx, kind, in, out)
	refused, ok := errors.AsType[*extension.Error](err)
	if !ok {
		return err
	}
	hint := "check the address, and whether the extension is up"
	if refused.Status != 0 {
		hint = "the log of the extension may say more; is the secret the one that it has?"
	}
	return &failure{status: StatusUnreachable, err: err, hint: hint}
}

// aboutFlags say which build is asked about.
type aboutFlags struct {
	repository, event, ref, source, target, before, after, path string
}

// register adds the flags; repository is what the official command calls that one,
// or "".
func (f *aboutFlags) register(flags *pflag.FlagSet, repository string) {
	if repository != "" {
		flags.StringVar(&f.repository, repository, "", "repository, `OWNER/NAME` (default: that of the git remote)")
	}
	flags.StringVar(&f.event, "event", remote.EventPush, "event of the build")
	flags.StringVar(&f.ref, "ref", "", "git reference (default: of the branch)")
	flags.StringVar(&f.source, "source", "", "source branch (default: the current one)")
	flags.StringVar(&f.target, "target", "", "target branch (default: the source branch)")
	flags.StringVar(&f.before, "before", "", "commit before (default: the parent of HEAD)")
	flags.StringVar(&f.after, "after", "", "commit (default: HEAD)")
}

// asked is what a request is about, as extensions read it.
type asked struct {
	Build remote.Build `json:"build"`
	Repo  remote.Repo  `json:"repo"`
}

// about fills in what is not said from the working tree.
func (f *aboutFlags) about(named string) (asked, error) {
	repo, err := repoOf(named)
	if err != nil {
		return asked{}, err
	}
	tree := facts.Read(".")
	or := func(text string, others ...string) string {
		for _, other := range others {
			if text == "" {
				text = other
			}
		}
		return text
	}
	branch := or(tree.Branch, tree.DefaultBranch, "main")
	b := remote.Build{
		Number: 1, Event: f.event, Source: or(f.source, branch), Before: or(f.before, tree.Head.Parent), After: or(f.after, tree.Head.Hash),
		Message: tree.Head.Message, Author: tree.Head.Author.Login, AuthorName: tree.Head.Author.Name, AuthorEmail: tree.Head.Author.Email,
	}
	b.Target = or(f.target, b.Source)
	b.Ref = or(f.ref, "refs/heads/"+b.Target)
	r := remote.Repo{
		Namespace: repo.Owner, Name: repo.Name, Slug: repo.String(), Branch: or(tree.DefaultBranch, branch), Config: or(f.path, defaultFile),
		HTTPURL: tree.Remote.HTTP, SSHURL: tree.Remote.SSH, Link: tree.Remote.Link, Active: true,
	}
	return asked{b, r}, nil
}

func (x extensionCommands) admit() *cobra.Command {
	var f extensionFlags
	var r resultFlags
	var login string
	c := &cobra.Command{
		Use:     "admit LOGIN",
		Short:   "ask an extension whether a user may log in",
		Example: "  drone plugins admit octocat --endpoint https://admission.example.com",
		Args:    cobra.ArbitraryArgs,
	}
	c.Flags().StringVar(&login, "user", "", "`login` of the user")
	f.register(c.Flags(), "DRONE_ADMISSION")
	r.register(c.Flags())
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 1 || len(args) == 0 && login == "" {
			return wrongArgs(c)
		}
		if len(args) == 1 {
			login = args[0]
		}
		user := &remote.User{Login: login}
		err := f.ask(orBackground(c.Context()), x.s, extension.Admission, map[string]any{"event": "login", "user": user}, user)
		if err != nil && !errors.Is(err, extension.ErrNothing) { // which admits as well
			return err
		}
		user.Token = ""
		return writeOne(x.s, &r, user, []table.Column[remote.User]{
			{Name: "User", Text: func(u *remote.User) string { return u.Login }},
			{Name: "Admin", Text: func(u *remote.User) string { return yesNo(u.Admin) }},
		})
	}
	return c
}

// pluginConfig is a configuration on its way.
type pluginConfig struct {
	Data string `json:"data"`
	Kind string `json:"kind"`
}

func (x extensionCommands) config() *cobra.Command {
	var f extensionFlags
	var about aboutFlags
	c := &cobra.Command{
		Use:     "get [OWNER/NAME]",
		Short:   "print the configuration that an extension gives for a build",
		Example: "  drone plugins config get octo/hello --path .drone.jsonnet",
		Args:    cobra.ArbitraryArgs,
	}
	about.register(c.Flags(), "")
	c.Flags().StringVar(&about.path, "path", defaultFile, "`path` of the configuration")
	f.register(c.Flags(), "DRONE_YAML")
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 1 {
			return wrongArgs(c)
		}
		in, err := about.about(first(args))
		if err != nil {
			return err
		}
		var out pluginConfig
		err = f.ask(orBackground(c.Context()), x.s, extension.Config, in, &out)
		if errors.Is(err, extension.ErrNothing) {
			x.s.note("the extension has no configuration for this: the server takes the file of the repository")
			return nil
		}
		if err != nil {
			return err
		}
		_, err = io.WriteString(x.s.Out, out.Data)
		return err
	}
	return c
}

func (x extensionCommands) convert() *cobra.Command {
	var f extensionFlags
	var about aboutFlags
	c := &cobra.Command{
		Use:     "convert [FILE]",
		Short:   "print what an extension makes of a configuration",
		Long:    "convert prints what an extension makes of FILE (default .drone.yml), which is FILE itself where the\nextension does nothing.",
		Example: "  drone plugins convert .drone.star --repository octo/hello",
		Args:    maxArgs(1),
	}
	about.register(c.Flags(), "repository")
	c.Flags().StringVar(&about.path, "path", "", "`path` that the extension is told (default: FILE)")
	f.register(c.Flags(), "DRONE_CONVERT")
	c.RunE = func(c *cobra.Command, args []string) error {
		name := first(args)
		if name == "" {
			name = defaultFile
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return usage(fmt.Errorf("cannot read %s: %w", name, cause(err)), "")
		}
		if about.path == "" {
			about.path = path.Clean(name)
		}
		in, err := about.about(about.repository)
		if err != nil {
			return err
		}
		out := pluginConfig{Data: string(text), Kind: "pipeline"}
		request := struct {
			asked
			Config pluginConfig `json:"config"`
		}{in, out}
		if err := f.ask(orBackground(c.Context()), x.s, extension.Convert, request, &out); err != nil && !errors.Is(err, extension.ErrNothing) {
			return err
		}
		_, err = io.WriteString(x.s.Out, out.Data)
		return err
	}
	return c
}

func (x extensionCommands) env() *cobra.Command {
	var f extensionFlags
	var about aboutFlags
	c := &cobra.Command{
		Use:     "env",
		Short:   "print the variables that an extension gives to the steps of a build",
		Example: "  drone plugins env --repository octo/hello",
		Args:    maxArgs(0),
	}
	about.register(c.Flags(), "repository")
	f.register(c.Flags(), "DRONE_ENVIRON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		in, err := about.about(about.repository)
		if err != nil {
			return err
		}
		var out []struct {
			Name, Data string
			Mask       bool
		}
		if err := f.ask(orBackground(c.Context()), x.s, extension.Environment, in, &out); err != nil && !errors.Is(err, extension.ErrNothing) {
			return err
		}
		for _, v := range out {
			value := v.Data
			if v.Mask {
				value = "******" // as in logs
			}
			if _, err := fmt.Fprintf(x.s.Out, "%s=%s\n", v.Name, strconv.Quote(value)); err != nil {
				return err
			}
		}
		return nil
	}
	return c
}

// registryLogin is a login to a registry. Passwords are never printed.
type registryLogin struct {
	Address  string `json:"address"`
	Username string `json:"username"`
}

func (x extensionCommands) registry() *cobra.Command {
	var f extensionFlags
	var about aboutFlags
	var r resultFlags
	c := &cobra.Command{
		Use:     "list",
		Short:   "list the registries that an extension gives to a build, without passwords",
		Example: "  drone plugins registry list --repo octo/hello",
		Args:    maxArgs(0),
	}
	about.register(c.Flags(), "repo")
	f.register(c.Flags(), "DRONE_REGISTRY")
	r.register(c.Flags())
	c.RunE = func(c *cobra.Command, _ []string) error {
		in, err := about.about(about.repository)
		if err != nil {
			return err
		}
		var out []registryLogin
		if err := f.ask(orBackground(c.Context()), x.s, extension.Registry, in, &out); err != nil && !errors.Is(err, extension.ErrNothing) {
			return err
		}
		return writeList(x.s, &r, out, []table.Column[registryLogin]{
			{Name: "Address", Text: func(l *registryLogin) string { return l.Address }},
			{Name: "Username", Text: func(l *registryLogin) string { return l.Username }},
		}, "the extension has no registries for this")
	}
	return c
}

func (x extensionCommands) secret() *cobra.Command {
	var f extensionFlags
	var about aboutFlags
	c := &cobra.Command{
		Use:     "get PATH [KEY]",
		Short:   "print the secret that an extension gives to a build",
		Example: "  drone plugins secret get docker password --repo octo/hello",
		Args:    cobra.ArbitraryArgs,
	}
	about.register(c.Flags(), "repo")
	f.register(c.Flags(), "DRONE_SECRET")
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) < 1 || len(args) > 2 {
			return wrongArgs(c)
		}
		in, err := about.about(about.repository)
		if err != nil {
			return err
		}
		request := struct {
			asked
			Path string `json:"path"`
			Name string `json:"name,omitempty"`
		}{in, args[0], first(args[1:])}
		var out struct{ Data string }
		err = f.ask(orBackground(c.Context()), x.s, extension.Secret, request, &out)
		if errors.Is(err, extension.ErrNothing) {
			return &failure{status: StatusUnreachable, err: fmt.Errorf("the extension has no secret %s for this", args[0])}
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(x.s.Out, out.Data)
		return err
	}
	return c
}
