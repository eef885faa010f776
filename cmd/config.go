package cmd

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/internal/document"
	"github.com/drone-laptop/drone/internal/settings"
	"github.com/drone-laptop/drone/internal/similar"
	"github.com/drone-laptop/drone/report"
)

func newConfig(s Streams) *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "show and change what flags are worth when they are not given",
		Long: "Each flag of a command can be set for good. Its key is the command and the flag, as in\n" +
			"exec.timeout and runs.rm.older-than. A flag on the command line is stronger than the\n" +
			"variable DRONE_EXEC_TIMEOUT, that is stronger than the same variable in a file .env of the\n" +
			"current directory, and that than the file of settings, which `drone config path` names.\n" +
			"Secrets are not kept there. What gives pipelines access to this machine is not taken from\n" +
			"a file of the repository.",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return usage(fmt.Errorf("no command named %q", "config "+args[0]), "there are `drone config ls`, get, set, unset and path")
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newConfigLs(s), newConfigGet(s), newConfigSet(s), newConfigUnset(s), newConfigPath(s))
	return c
}

func newConfigLs(s Streams) *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:   "ls [COMMAND]",
		Short: "list settings, and where the value of each comes from",
		Long: "ls lists what is set in the environment, in .env and in the file of settings, and with\n" +
			"--all also what is not, with the value it has then. COMMAND is the beginning of a key,\n" +
			"such as exec or runs.rm.",
		Example: "  drone config ls\n  drone config ls exec --all\n  drone config ls --output json",
		Args:    argsUpTo(1, "one command"),
	}
	c.ValidArgsFunction = completeSettings(true)
	c.Flags().BoolVar(&all, "all", false, "also those that have their default value")
	output := addOutput(c.Flags(), "output", "text", "json")
	c.RunE = func(c *cobra.Command, args []string) error {
		return runConfigLs(s, c.Root(), first(args), all, output.value)
	}
	return c
}

func newConfigGet(s Streams) *cobra.Command {
	c := &cobra.Command{
		Use:     "get KEY",
		Short:   "print what a setting is worth, one value a line",
		Example: "  drone config get exec.timeout",
		Args:    exactly(1, "the key of a setting"),
	}
	c.ValidArgsFunction = completeSettings(false)
	c.RunE = func(c *cobra.Command, args []string) error { return runConfigGet(s, c.Root(), args[0]) }
	return c
}

func newConfigSet(s Streams) *cobra.Command {
	c := &cobra.Command{
		Use:   "set KEY VALUE…",
		Short: "set a flag for good, in the file of settings",
		Long: "set writes a setting to the file of settings. Several values are for flags that can be\n" +
			"repeated. Comments in the file stay.",
		Example: "  drone config set exec.timeout 30m\n  drone config set exec.secret-file ~/.drone.secrets\n  drone config set lint.strict true",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) >= 2 {
				return nil
			}
			return usage(errors.New("drone config set takes a key and a value"), "for example `drone config set exec.timeout 30m`")
		},
	}
	c.ValidArgsFunction = completeSettings(false)
	c.RunE = func(c *cobra.Command, args []string) error { return runConfigSet(s, c.Root(), args[0], args[1:]) }
	return c
}

func newConfigUnset(s Streams) *cobra.Command {
	c := &cobra.Command{
		Use:     "unset KEY",
		Short:   "remove a setting from the file of settings",
		Example: "  drone config unset exec.timeout",
		Args:    exactly(1, "the key of a setting"),
	}
	c.ValidArgsFunction = completeSettings(false)
	c.RunE = func(_ *cobra.Command, args []string) error { return runConfigUnset(s, args[0]) }
	return c
}

func newConfigPath(s Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "path",
		Short: "print the name of the file of settings",
		Args:  maxArgs(0),
		RunE: func(*cobra.Command, []string) error {
			path, err := ownSettings(s)
			if err == nil {
				_, err = fmt.Fprintln(s.Out, path)
			}
			return err
		},
	}
}

func argsUpTo(n int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) <= n {
			return nil
		}
		return usage(fmt.Errorf("%s takes %s, got %s", c.CommandPath(), what, strings.Join(args, " ")), "see `"+c.CommandPath()+" --help`")
	}
}

func exactly(n int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == n {
			return nil
		}
		return usage(fmt.Errorf("%s takes %s, got %d arguments", c.CommandPath(), what, len(args)), "see `"+c.CommandPath()+" --help`")
	}
}

// completeSettings offers keys, or what they begin with.
func completeSettings(commands bool) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, _ string) (words []cobra.Completion, _ cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		seen := map[string]bool{}
		for _, o := range allSettings(c.Root()) {
			word, about := o.key, o.flag.Usage
			if commands {
				word, about = strings.TrimSuffix(o.key, "."+o.flag.Name), o.command.Short
			}
			if !seen[word] {
				words = offer(words, word, about)
			}
			seen[word] = true
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}

// ownSettings is settingsFile for those who need one.
func ownSettings(s Streams) (string, error) {
	path := settingsFile(s)
	if path == "" {
		return "", usage(errors.New("neither XDG_CONFIG_HOME nor a home directory is known, so no settings are kept"), "set XDG_CONFIG_HOME to a directory of yours")
	}
	return path, nil
}

// findSetting finds the flag that a key names.
func findSetting(root *cobra.Command, key string) (setting, error) {
	var keys []string
	for _, o := range allSettings(root) {
		if o.key == key {
			return o, nil
		}
		keys = append(keys, o.key)
	}
	hint := "`drone config ls --all` lists them"
	if near := similar.Word(key, keys); near != "" {
		hint = "did you mean " + near + "? " + hint
	}
	return setting{}, usage(fmt.Errorf("there is no setting %q", key), hint)
}

// settingView is a setting as `drone config ls --output json` prints it.
type settingView struct {
	Key      string   `json:"key"`
	Values   []string `json:"values"`
	Source   string   `json:"source"` // environment, dotenv, file or default
	Place    string   `json:"place"`  // the variable, or file and line
	Variable string   `json:"variable"`
	Secret   bool     `json:"secret"` // its values are hidden
}

// hiddenValue stands for the values of secrets.
const hiddenValue = "******"

func (src *settingSources) view(o setting) (settingView, error) {
	found, refused, err := src.of(o)
	for _, r := range refused {
		src.streams.warn(r.text(o.flag.Name))
	}
	v := settingView{Key: o.key, Values: found.values, Source: found.kind, Place: found.place, Variable: o.variable, Secret: o.secret()}
	if found.kind == "default" {
		v.Values = []string{}
		if text := o.flag.DefValue; text != "" && text != "[]" {
			v.Values = []string{text}
		}
		return v, err
	}
	if err == nil {
		if wrong := o.set(found.values); wrong != nil {
			err = placed(found.place, wrong)
		}
	}
	if v.Secret {
		v.Values = []string{hiddenValue}
	}
	return v, err
}

func runConfigLs(s Streams, root *cobra.Command, prefix string, all bool, form string) error {
	src, err := s.settingSources()
	if err != nil {
		return err
	}
	views := []settingView{}
	bad := false
	within := func(key string) bool { return prefix == "" || key == prefix || strings.HasPrefix(key, prefix+".") }
	var keys []string
	known := allSettings(root)
	for _, o := range known {
		keys = append(keys, o.key)
		if !within(o.key) {
			continue
		}
		v, err := src.view(o)
		if err != nil {
			s.fail(err)
			bad = true
		}
		if all || v.Source != "default" {
			views = append(views, v)
		}
	}
	if prefix != "" && !slices.ContainsFunc(keys, within) {
		return usage(fmt.Errorf("no command %q has settings", prefix), "write for example `drone config ls exec`, or runs.rm for `drone runs rm`")
	}
	src.warnUnknownKeys(known)
	if form == "json" {
		err = document.JSON(s.Out, views)
	} else {
		err = s.listSettings(views)
	}
	if err == nil && bad {
		err = &failure{status: StatusUsage}
	}
	return err
}

func (s Streams) listSettings(views []settingView) error {
	if len(views) == 0 {
		s.note("nothing is set; `drone config ls --all` lists what can be")
		return nil
	}
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	for _, v := range views {
		value, from := strings.Join(v.Values, ", "), v.Place
		if from == "" {
			from = v.Source
		}
		if value == "" {
			value = "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", v.Key, report.Visible(value), report.Visible(from))
	}
	return w.Flush()
}

func runConfigGet(s Streams, root *cobra.Command, key string) error {
	o, err := findSetting(root, key)
	if err != nil {
		return err
	}
	src, err := s.settingSources()
	if err != nil {
		return err
	}
	v, err := src.view(o)
	if err != nil {
		return err
	}
	for _, value := range v.Values {
		if _, err := fmt.Fprintln(s.Out, value); err != nil {
			return err
		}
	}
	return nil
}

func runConfigSet(s Streams, root *cobra.Command, key string, values []string) error {
	o, err := findSetting(root, key)
	if err != nil {
		return err
	}
	if o.secret() {
		return usage(fmt.Errorf("%s is a secret, which is not kept in a file of settings", key), "give it with "+o.variable+", or a file with --secret-file")
	}
	if err := o.set(values); err != nil {
		return err
	}
	path, err := ownSettings(s)
	if err != nil {
		return err
	}
	err = settings.Change(path, func(f *settings.File) error { f.Set(key, values...); return nil })
	if err != nil {
		return mistake(err, "")
	}
	s.note(fmt.Sprintf("%s is set in %s", key, path))
	if risk := o.risk(); risk != "" {
		s.warn(fmt.Sprintf("--%s %s", o.flag.Name, risk))
	}
	if s.getenv(o.variable) != "" {
		s.warn(o.variable + " is set, and stronger")
	}
	return nil
}

func runConfigUnset(s Streams, key string) error {
	path, err := ownSettings(s)
	if err != nil {
		return err
	}
	file, err := settings.Open(path)
	if err != nil {
		return mistake(err, "")
	}
	if !file.Unset(key) { // without making a folder where there is none
		return usage(fmt.Errorf("%s is not set in %s", key, path), "`drone config ls` lists what is set, and where")
	}
	err = settings.Change(path, func(f *settings.File) error { f.Unset(key); return nil })
	if err != nil {
		return mistake(err, "")
	}
	s.note(fmt.Sprintf("%s is not set any more", key))
	return nil
}
