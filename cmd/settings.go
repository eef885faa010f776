package cmd

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/internal/secrets"
	"github.com/drone-laptop/drone/internal/settings"
	"github.com/drone-laptop/drone/internal/similar"
	"github.com/drone-laptop/drone/report"
)

// What a flag is worth where it is not given is looked up, in this order, in
// the environment, in a file .env of the current directory, and in the settings
// of the user. Nobody else is asked: above all no file of the repository may say
// what gives its pipelines access to this machine. The file .env is one of the
// repository, so only flags that can do no harm are taken from it.

// setting is a flag that can be set otherwise than on the command line.
type setting struct {
	key      string // exec.timeout
	variable string // DRONE_EXEC_TIMEOUT
	command  *cobra.Command
	flag     *pflag.Flag
}

// Flags about servers have the variables of the official command, whatever the
// command, and logins of their own.
var serverSettings = []string{"server", "token", "profile", "skip-verify", "socks-proxy", "socks-proxy-off", "autoscaler", "ca-file", "client-cert", "client-key", "verbose"}

// confirmations are said each time: that is what they are for.
var confirmations = []string{"yes", "unsafe", "force"}

// secretSettings hold secrets in their values, which a file of settings does not
// keep.
var secretSettings = []string{"secret", "netrc-password", "data", "password", "user-token"}

// runCommands are those that run, or prepare to run, what files say.
var runCommands = []string{"exec", "plan", "compile", "pull"}

// hostSettings give every file that is run access to this machine.
var hostSettings = []string{"trusted", "host", "privileged", "volume"}

// givenSettings hand secrets or variables to every file that is run.
var givenSettings = []string{"secret-file", "key-file", "key-env", "remembered-key", "env-file"}

// risk is what a setting means for files of other people, "" for most.
func (o setting) risk() string {
	switch {
	case o.command.Parent() != o.command.Root() || !slices.Contains(runCommands, o.command.Name()):
		return ""
	case slices.Contains(hostSettings, o.flag.Name):
		return "gives the pipelines of every file access to this machine from now on, whoever wrote the file"
	case slices.Contains(givenSettings, o.flag.Name):
		return "hands what it names to the pipelines of every file from now on, whoever wrote the file"
	}
	return ""
}

// harmless are the flags that a file of a repository may set: what is built,
// which of it, for how long, and how it is shown. None of them has something
// read or written on this machine, sent to somebody, or allowed.
var harmless = []string{
	"action", "author", "before", "branch", "build-number", "cron", "debug", "deploy-to", "event", "message", "param", "parent", "pr", "ref",
	"sha", "source", "source-repo", "tag", "target", "title", "trigger", "base", "instance",
	"pipeline", "include", "exclude", "resume-at", "matrix",
	"timeout", "step-timeout", "idle-timeout", "grace", "lookahead", "jobs", "isolate", "clean",
	"output", "format", "plain", "pretty", "timing", "allow-missing-secrets",
	"strict", "info", "quiet", "rule",
}

// harmlessCommands are those whose flags of these names are meant.
var harmlessCommands = []string{"exec", "plan", "compile", "lint", "env", "pull"}

// mayBeOfRepository reports whether a file of a repository may decide about it.
func (o setting) mayBeOfRepository() bool {
	if !slices.Contains(harmlessCommands, o.command.Name()) || o.command.Parent() != o.command.Root() {
		return false
	}
	// The forms of an output are words; otherwise it is a file.
	_, words := o.flag.Value.(interface{ words() []string })
	return slices.Contains(harmless, o.flag.Name) && (words || o.flag.Name != "output")
}

func (o setting) secret() bool { return slices.Contains(secretSettings, o.flag.Name) }

// settingsOf are the flags of a command that can be set otherwise.
func settingsOf(c *cobra.Command) (list []setting) {
	if !c.HasParent() || !c.Runnable() || c.Hidden || slices.Contains([]string{"help", "config", "completion", "version"}, topCommand(c).Name()) {
		return nil
	}
	path := strings.Fields(c.CommandPath())[1:]
	add := func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" || slices.Contains(serverSettings, f.Name) || slices.Contains(confirmations, f.Name) || c.Root().PersistentFlags().Lookup(f.Name) == f {
			return
		}
		words := append(slices.Clone(path), f.Name)
		list = append(list, setting{key: strings.Join(words, "."), variable: variableOf(words...), command: c, flag: f})
	}
	c.NonInheritedFlags().VisitAll(add)
	return list
}

func topCommand(c *cobra.Command) *cobra.Command {
	for c.HasParent() && c.Parent() != c.Root() {
		c = c.Parent()
	}
	return c
}

// variableOf is the name of the variable for the words of a key. The name of the
// command in it keeps it apart from the variables of a build, which somebody who
// starts drone in a pipeline has set.
func variableOf(words ...string) string {
	return "DRONE_" + strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(strings.Join(words, "_")))
}

// allSettings are those of all commands, in their order.
func allSettings(root *cobra.Command) (list []setting) {
	for _, c := range root.Commands() {
		list = append(list, settingsOf(c)...)
		list = append(list, allSettings(c)...)
	}
	return list
}

// settingFrom is where what a flag is worth comes from.
type settingFrom struct {
	values []string
	// kind is environment, dotenv, file or default.
	kind string
	// place names the variable, or file and line.
	place string
}

// sources are where settings are looked up.
type settingSources struct {
	streams Streams
	dotenv  map[string]secrets.Assignment
	file    *settings.File // nil without one
	kept    map[string]settings.Setting
	// others says who else than the user may have written the file, "" where
	// nobody can have.
	others string
}

// Who else may have written the file of settings.
const (
	byRepository = "no file of a repository"
	byAnybody    = "no file that everybody can write to"
)

// settingSources opens them. What is wrong with .env is told only if it is about
// this program: others read such a file, too.
func (s Streams) settingSources() (*settingSources, error) {
	src := &settingSources{streams: s, kept: map[string]settings.Setting{}}
	var err error
	if src.dotenv, err = dotEnvSettings(); err != nil {
		s.warn(err.Error())
	}
	path := settingsFile(s)
	if path == "" {
		return src, nil
	}
	if src.file, err = settings.Open(path); err != nil {
		return nil, mistake(err, "")
	}
	list, problems := src.file.All()
	for _, p := range problems {
		s.warn(p.Error())
	}
	for _, o := range list {
		src.kept[o.Key] = o
	}
	switch {
	case len(list) == 0:
	case inWorkingTree(path):
		src.others = byRepository
	case src.file.OthersMayWrite():
		src.others = byAnybody
	}
	return src, nil
}

// settingsFile is the file of settings, "" where no directory for it is known.
func settingsFile(s Streams) string {
	dir, err := userConfigDir(s)
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "drone", "config.yaml")
}

// maxDotEnv is the size beyond which a file .env is surely none.
const maxDotEnv = 1 << 20

// dotEnvSettings are the variables in the file .env of the current directory,
// none where nothing in it is about this program.
func dotEnvSettings() (map[string]secrets.Assignment, error) {
	info, err := os.Stat(dotEnvFile)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxDotEnv {
		return nil, nil // as without one
	}
	text, err := os.ReadFile(dotEnvFile)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read, so nothing of it is used: %w", dotEnvFile, cause(err))
	}
	if !bytes.Contains(text, []byte("DRONE_")) {
		return nil, nil
	}
	if bytes.IndexByte(text, 0) >= 0 {
		return nil, fmt.Errorf("%s has a NUL character, so nothing of it is used", dotEnvFile)
	}
	entries, err := secrets.Dotenv(dotEnvFile, text)
	if err != nil { // which quotes no values
		return nil, fmt.Errorf("%w; nothing of the file is used", err)
	}
	values := map[string]secrets.Assignment{}
	for _, e := range entries {
		values[e.Name] = e
	}
	return values, nil
}

// inWorkingTree reports whether a file is below the top of the working tree
// that the current directory belongs to.
func inWorkingTree(path string) bool {
	top, err := os.Getwd()
	if err != nil {
		return false
	}
	for up := top; ; up = filepath.Dir(up) {
		if exists(filepath.Join(up, ".git")) {
			top = up
			break
		}
		if up == filepath.Dir(up) {
			break
		}
	}
	within := func(top, path string) bool {
		relative, err := filepath.Rel(top, path)
		return err == nil && filepath.IsLocal(relative)
	}
	if within(top, path) {
		return true
	}
	// By other names, too: either may be reached through links.
	top, err = filepath.EvalSymlinks(top)
	if err != nil {
		return false
	}
	path, err = filepath.EvalSymlinks(path)
	return err == nil && within(top, path)
}

// refusal is a value that its place must not decide about.
type refusal struct{ place, by string }

func (r refusal) text(flag string) string {
	return fmt.Sprintf("%s has no effect: %s may set --%s", report.Visible(r.place), r.by, flag)
}

// of finds what a flag is worth where the command line does not say it. refused
// are places that name a value which they must not decide about.
func (src *settingSources) of(o setting) (found settingFrom, refused []refusal, err error) {
	s := src.streams
	if text := s.getenv(o.variable); text != "" {
		values, err := o.split(text)
		if err != nil {
			return found, nil, usage(fmt.Errorf("%s: %w", o.variable, err), "write several values as a,b, and one with a comma in double quotes")
		}
		return settingFrom{values, "environment", o.variable}, nil, nil
	}
	if entry := src.dotenv[o.variable]; entry.Value != "" {
		place := fmt.Sprintf("%s:%d: %s", dotEnvFile, entry.Line, o.variable)
		values, err := o.split(entry.Value)
		switch {
		case !o.mayBeOfRepository():
			refused = append(refused, refusal{place, byRepository})
		case err != nil:
			return found, nil, usage(fmt.Errorf("%s: %w", place, err), "write several values as a,b, and one with a comma in double quotes")
		default:
			return settingFrom{values, "dotenv", place}, refused, nil
		}
	}
	if kept, ok := src.kept[o.key]; ok {
		place := src.place(kept)
		switch {
		case o.secret():
			return found, refused, usage(fmt.Errorf("%s: %s is a secret, which is not kept here", place, o.key), "remove it, and give it with "+o.variable)
		case src.others != "" && !o.mayBeOfRepository():
			refused = append(refused, refusal{place + ": " + o.key, src.others})
		default:
			return settingFrom{kept.Values, "file", place}, refused, nil
		}
	}
	return settingFrom{kind: "default"}, refused, nil
}

// place is where the file has a setting.
func (src *settingSources) place(kept settings.Setting) string {
	return fmt.Sprintf("%s:%d:%d", src.file.Path, kept.Line, kept.Column)
}

// split gives the values of a variable: one, or several separated by commas for
// a flag that can be repeated.
func (o setting) split(text string) ([]string, error) {
	if !o.repeatable() {
		return []string{text}, nil
	}
	r := csv.NewReader(strings.NewReader(text))
	r.LazyQuotes = !strings.HasPrefix(text, `"`)
	values, err := r.Read()
	if err == nil {
		_, err = r.Read()
	}
	if !errors.Is(err, io.EOF) {
		return nil, errors.New("its values cannot be told apart")
	}
	return values, nil
}

func (o setting) repeatable() bool {
	_, ok := o.flag.Value.(pflag.SliceValue)
	return ok
}

// set gives the flag its values, as if they stood on the command line.
func (o setting) set(values []string) error {
	if len(values) != 1 && !o.repeatable() {
		return usage(fmt.Errorf("%s takes one value, got %d", o.key, len(values)), "see `"+o.command.CommandPath()+" --help`")
	}
	for _, value := range values {
		if o.flag.Value.Type() == "bool" {
			switch strings.ToLower(value) {
			case "yes", "on":
				value = "true"
			case "no", "off":
				value = "false"
			}
		}
		if err := o.command.Flags().Set(o.flag.Name, value); err != nil {
			return flagError(o.command, err)
		}
	}
	return nil
}

// applySettings gives the flags of a command that are not on the command line
// what they are worth otherwise.
func (s Streams) applySettings(c *cobra.Command) error {
	list := settingsOf(c)
	if len(list) == 0 {
		return nil
	}
	src, err := s.settingSources()
	if err != nil {
		return err
	}
	for _, o := range list {
		if o.flag.Changed {
			continue
		}
		found, refused, err := src.of(o)
		for _, r := range refused {
			s.warn(r.text(o.flag.Name))
		}
		if err == nil && found.kind != "default" {
			if err = o.set(found.values); err != nil {
				err = placed(found.place, err)
			}
		}
		if err != nil {
			return err
		}
	}
	src.warnUnknown(c, list)
	return nil
}

// placed says in front of an error which setting it is about.
func placed(place string, err error) error {
	f, ok := errors.AsType[*failure](err)
	if !ok {
		return fmt.Errorf("%s: %w", place, err)
	}
	return &failure{status: f.status, err: fmt.Errorf("%s: %w", place, f.err), hint: f.hint}
}

// warnUnknown tells of settings that nothing reads, and of variables that
// nearly are those of the command.
func (src *settingSources) warnUnknown(c *cobra.Command, list []setting) {
	s := src.streams
	if len(src.kept) > 0 {
		src.warnUnknownKeys(allSettings(c.Root()))
	}
	if len(list) == 0 {
		return
	}
	prefix := strings.TrimSuffix(list[0].variable, variableOf(list[0].flag.Name)[len("DRONE_"):])
	var known []string
	for _, o := range list {
		known = append(known, o.variable)
	}
	nearly := func(place, name, value string) {
		if value == "" || !strings.HasPrefix(name, prefix) || slices.Contains(known, name) {
			return
		}
		// Others may have variables that begin like this.
		if near := similar.Word(strings.TrimPrefix(name, prefix), trimmed(known, prefix)); near != "" {
			s.warn(fmt.Sprintf("%sthere is no setting %s%s", place, report.Visible(name), maybe(prefix+near)))
		}
	}
	if s.Environ != nil {
		for _, entry := range s.Environ() {
			name, value, _ := strings.Cut(entry, "=")
			nearly("", name, value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(src.dotenv)) {
		entry := src.dotenv[name]
		nearly(fmt.Sprintf("%s:%d: ", dotEnvFile, entry.Line), name, entry.Value)
	}
}

// warnUnknownKeys tells of what the file has and no flag is called.
func (src *settingSources) warnUnknownKeys(all []setting) {
	known := map[string]bool{}
	var keys []string
	for _, o := range all {
		known[o.key] = true
		keys = append(keys, o.key)
	}
	for _, o := range src.keptInOrder() {
		if !known[o.Key] {
			src.streams.warn(fmt.Sprintf("%s: there is no setting %s%s", src.place(o), report.Visible(o.Key), maybe(similar.Word(o.Key, keys))))
		}
	}
}

func trimmed(words []string, prefix string) (short []string) {
	for _, w := range words {
		short = append(short, strings.TrimPrefix(w, prefix))
	}
	return short
}

func maybe(near string) string {
	if near == "" {
		return ""
	}
	return "; did you mean " + near + "?"
}

func (src *settingSources) keptInOrder() []settings.Setting {
	if src.file == nil {
		return nil
	}
	list, _ := src.file.All() // what is wrong was told
	return list
}
