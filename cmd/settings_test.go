package cmd

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/internal/facts"
	"github.com/drone-laptop/drone/manifest"
)

// TestVariablesOfSettings sees to it that a variable names one setting, and none
// that somebody who starts drone in a pipeline has set.
func TestVariablesOfSettings(t *testing.T) {
	build := map[string]bool{}
	for _, event := range manifest.Events() {
		resolved, _, err := facts.Resolve(facts.Read(t.TempDir()), facts.Overrides{
			Event: event, Tag: map[bool]string{true: "v1.2.3"}[event == "tag"], PullRequest: map[bool]string{true: "1"}[event == "pull_request"],
			DeployTo: map[bool]string{true: "x"}[event == "promote" || event == "rollback"], Cron: map[bool]string{true: "x"}[event == "cron"],
		}, time.Now())
		if err != nil {
			t.Fatal(event, err)
		}
		for _, v := range compile.Variables(resolved, compile.Stage{}) {
			build[v.Name] = true
		}
	}
	if len(build) < 50 {
		t.Fatalf("only %d variables of builds are known", len(build))
	}
	seen := map[string]string{}
	for _, o := range allSettings(New(Streams{}, Build{})) {
		if build[o.variable] {
			t.Errorf("%s: %s is a variable of a build", o.key, o.variable)
		}
		if other := seen[o.variable]; other != "" {
			t.Errorf("%s and %s have the same variable %s", o.key, other, o.variable)
		}
		seen[o.variable] = o.key
	}
	for _, name := range []string{"DRONE_EXEC_TIMEOUT", "DRONE_RUNS_RM_OLDER_THAN", "DRONE_LINT_STRICT"} {
		if seen[name] == "" {
			t.Errorf("%s sets nothing", name)
		}
	}
}

// TestWhatARepositoryMaySet lists it: a flag that is new is not added by itself.
func TestWhatARepositoryMaySet(t *testing.T) {
	known := map[string]bool{}
	for _, o := range allSettings(New(Streams{}, Build{})) {
		if o.mayBeOfRepository() {
			known[o.flag.Name] = true
		}
	}
	for _, name := range harmless {
		if !known[name] {
			t.Errorf("--%s is no flag of %s", name, strings.Join(harmlessCommands, ", "))
		}
	}
	for name := range known {
		if slices.Contains(slices.Concat(hostSettings, secretSettings, []string{
			"docker-host", "env", "env-file", "secret-file", "registry", "key-file", "key-env", "remembered-key", "out", "jpath", "template-dir",
			"require-signature", "require-jose", "network", "netrc-machine", "netrc-username", "ext-var", "write", "fix", "config", "repo",
		}), name) {
			t.Errorf("a file of a repository may set --%s", name)
		}
	}
}

// commandsOf are the commands that run something, those below others too.
func commandsOf(c *cobra.Command) (list []*cobra.Command) {
	for _, child := range c.Commands() {
		if child.Runnable() && !child.Hidden {
			list = append(list, child)
		}
		list = append(list, commandsOf(child)...)
	}
	return list
}

// TestEveryFlagCanBeSet goes over all flags of all commands: one that is new can
// be set, or is named as an exception.
func TestEveryFlagCanBeSet(t *testing.T) {
	root := New(Streams{}, Build{})
	exceptions := slices.Concat(serverSettings, confirmations, []string{"help"})
	used := map[string]bool{"help": true, "trace": true}
	n := 0
	for _, c := range commandsOf(root) {
		if slices.Contains([]string{"help", "config", "completion", "version"}, topCommand(c).Name()) {
			continue
		}
		can := map[string]bool{}
		for _, o := range settingsOf(c) {
			can[o.flag.Name] = true
		}
		flags := pflag.NewFlagSet("", pflag.ContinueOnError)
		flags.AddFlagSet(c.NonInheritedFlags())
		flags.AddFlagSet(c.InheritedFlags())
		flags.VisitAll(func(f *pflag.Flag) {
			n++
			excepted := slices.Contains(exceptions, f.Name)
			used[f.Name] = true
			if !f.Hidden && can[f.Name] == excepted {
				t.Errorf("%s --%s: it can be set: %t, it is an exception: %t", c.CommandPath(), f.Name, can[f.Name], excepted)
			}
		})
	}
	if n < 500 {
		t.Fatalf("only %d flags were found", n)
	}
	for _, name := range exceptions {
		if !used[name] {
			t.Errorf("there is no flag --%s, which is an exception", name)
		}
	}
}

// fitting are values that a flag takes, of which neighbours differ, the first
// one also from the default.
func fitting(t *testing.T, f *pflag.Flag, n int) (values []string) {
	t.Helper()
	offer := []string{"v%d", "%d", "%ds", "a%d=x"}
	if o, ok := f.Value.(interface{ words() []string }); ok {
		offer = slices.DeleteFunc(slices.Clone(o.words()), func(word string) bool { return word == f.DefValue })
		if f.DefValue != "" {
			offer = append(offer, f.DefValue)
		}
	}
	if f.Value.Type() == "bool" {
		offer = []string{fmt.Sprint(f.DefValue != "true"), f.DefValue}
	}
	if _, ok := f.Value.(interface{ words() []string }); ok || f.Value.Type() == "bool" {
		for i := range n {
			values = append(values, offer[i%len(offer)])
		}
		return values
	}
	for _, form := range offer {
		if f.Value.Set(fmt.Sprintf(form, 7)) == nil {
			for i := range n {
				values = append(values, fmt.Sprintf(form, 7+i))
			}
			return values
		}
	}
	t.Fatalf("no value is known that --%s takes, which is %s", f.Name, f.Value.Type())
	return nil
}

// TestPrecedence has every flag of every command be worth something else in each
// place, and takes away the strongest of them one after the other.
func TestPrecedence(t *testing.T) {
	home := t.TempDir()
	t.Chdir(t.TempDir())
	const line, environment, dotenv, file, nowhere = 4, 3, 2, 1, 0
	values := map[string][]string{} // by the key of a setting, from the file on
	var dot strings.Builder
	kept := map[string]any{}
	for _, o := range allSettings(New(Streams{}, Build{})) {
		v := append([]string{""}, fitting(t, o.flag, 4)...)
		values[o.key] = v
		fmt.Fprintf(&dot, "%s=%s\n", o.variable, v[dotenv])
		if !o.secret() {
			kept[o.key] = v[file]
		}
	}
	text, err := yaml.Marshal(kept)
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(home, "drone", "config.yaml")
	if err := os.MkdirAll(filepath.Dir(config), 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(config, string(text))
	write(".env", dot.String())
	for from := line; from >= nowhere; from-- {
		switch from {
		case dotenv - 1:
			write(".env", "")
		case file - 1:
			write(config, "")
		}
		var errs bytes.Buffer
		s := Streams{Out: &errs, Err: &errs}
		root, reference := New(s, Build{}), New(s, Build{})
		variables := map[string]string{"XDG_CONFIG_HOME": home}
		if from >= environment {
			for _, o := range allSettings(root) {
				variables[o.variable] = values[o.key][environment]
			}
		}
		s.LookupEnv = func(name string) (string, bool) { value, ok := variables[name]; return value, ok }
		wanted := map[string]setting{}
		for _, o := range allSettings(reference) {
			wanted[o.key] = o
		}
		for _, c := range commandsOf(root) {
			list := settingsOf(c)
			if from == line {
				var args []string
				for _, o := range list {
					args = append(args, "--"+o.flag.Name+"="+values[o.key][line])
				}
				if err := c.ParseFlags(args); err != nil {
					t.Fatalf("%s: %v", c.CommandPath(), err)
				}
			}
			if err := s.applySettings(c); err != nil {
				t.Errorf("%d: %s: %v", from, c.CommandPath(), err)
			}
			for _, o := range list {
				at := from
				if at == dotenv && !o.mayBeOfRepository() {
					at = file
				}
				if at == file && o.secret() {
					at = nowhere
				}
				want := wanted[o.key]
				if at != nowhere {
					if err := want.flag.Value.Set(values[o.key][at]); err != nil {
						t.Fatal(err)
					}
				}
				if got := o.flag.Value.String(); got != want.flag.Value.String() || o.flag.Changed != (at != nowhere) {
					t.Errorf("%d: %s is %q, want %q", from, o.key, got, want.flag.Value)
				}
			}
		}
	}
	if len(values) < 400 {
		t.Errorf("only %d settings were tried", len(values))
	}
}

// TestRisks has `drone config set` warn of what holds for files of other people.
func TestRisks(t *testing.T) {
	var risky []string
	for _, o := range allSettings(New(Streams{}, Build{})) {
		if o.risk() != "" && o.command.Name() == "exec" {
			risky = append(risky, o.flag.Name)
		}
	}
	want := []string{"env-file", "host", "key-env", "key-file", "privileged", "remembered-key", "secret-file", "trusted", "volume"}
	slices.Sort(risky)
	if !reflect.DeepEqual(risky, want) {
		t.Errorf("got %v, want %v", risky, want)
	}
}
