package cmd

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/convert"
	"github.com/drone-laptop/drone/internal/history"
	"github.com/drone-laptop/drone/lint"
	"github.com/drone-laptop/drone/manifest"
	"github.com/drone-laptop/drone/report"
)

// Whoever presses a key waits for what comes of it: completion reads files of
// this machine, and of those only what is small. It asks no engine, no server
// and no git, and what cannot be read offers nothing, without a word.

// maxCompleted is the size beyond which a configuration is not read for names.
const maxCompleted = 256 << 10

// complete has shells offer what flags and arguments may be: the words that a
// flag takes, names of the configuration, rules, directories where one is
// wanted, and no files to commands without arguments.
func complete(c *cobra.Command) {
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if offer := offers(c, f); offer != nil {
			// It fails for a flag that has one already; here is the only place.
			_ = c.RegisterFlagCompletionFunc(f.Name, offer)
		}
	})
	if c.Args != nil && c.ValidArgsFunction == nil && c.Args(c, []string{"x"}) != nil {
		c.ValidArgsFunction = cobra.NoFileCompletions
	}
	for _, child := range c.Commands() {
		complete(child)
	}
}

// offers is what a shell offers for a flag, nil for files.
func offers(c *cobra.Command, f *pflag.Flag) cobra.CompletionFunc {
	const noFiles = cobra.ShellCompDirectiveNoFileComp
	if o, ok := f.Value.(interface{ words() []string }); ok {
		return cobra.FixedCompletions(o.words(), noFiles)
	}
	// Flags of the commands for a server have the same names and other meanings.
	if c.Flags().Lookup("pipeline") == nil && c.Name() != "lint" && c.Flags().Lookup("jpath") == nil {
		return nil
	}
	switch f.Name {
	case "event":
		return cobra.FixedCompletions(manifest.Events(), noFiles)
	case "out", "jpath", "template-dir":
		return cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs)
	case "pipeline":
		return completePipelines
	case "include", "exclude", "resume-at":
		return completeSteps
	case "secret":
		return completeSecrets
	case "explain":
		return completeRules
	case "rule":
		return completeLevels
	}
	switch f.Value.Type() {
	case "int", "int64", "uint", "duration":
		return cobra.NoFileCompletions
	}
	return nil
}

// configured are the pipelines of the configuration that a command line names,
// none when they are not to be read quickly.
func configured(args []string) (pipelines []*manifest.Pipeline) {
	name := defaultFile
	if len(args) > 0 {
		name = args[0]
	}
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxCompleted {
		return nil
	}
	source, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	switch format := convert.Detect(name, source); {
	case convert.IsLegacy(format):
		old, err := convert.Legacy(name, source, convert.LegacyOptions{Adapt: true})
		if err != nil {
			return nil
		}
		source = old.Text
	case format != convert.FormatDrone:
		return nil // what a program makes is known when it has run
	}
	file, _ := manifest.Parse(name, source, nil)
	return file.Pipelines()
}

// offer is a word with what is known of it. Words that a shell or a terminal
// could take for something else are left out.
func offer(words []cobra.Completion, word, about string) []cobra.Completion {
	odd := func(r rune) bool { return !unicode.IsPrint(r) }
	if word == "" || strings.ContainsFunc(word, odd) {
		return words
	}
	return append(words, cobra.CompletionWithDesc(word, report.Visible(about)))
}

func completePipelines(_ *cobra.Command, args []string, _ string) (words []cobra.Completion, _ cobra.ShellCompDirective) {
	for _, p := range configured(args) {
		kind := cmp.Or(p.Type.Value, "docker")
		words = offer(words, p.DisplayName(), fmt.Sprintf("%s, %s", kind, report.Plural(len(p.Steps), "step")))
	}
	return words, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// completeSteps offers the steps of the pipelines that --pipeline names, or of
// all.
func completeSteps(c *cobra.Command, args []string, _ string) (words []cobra.Completion, _ cobra.ShellCompDirective) {
	pipelines := configured(args)
	wanted, err := c.Flags().GetStringArray("pipeline")
	known := func(p *manifest.Pipeline) bool { return slices.Contains(wanted, p.DisplayName()) }
	if err == nil && slices.ContainsFunc(pipelines, known) {
		pipelines = slices.DeleteFunc(pipelines, func(p *manifest.Pipeline) bool { return !known(p) })
	}
	of := map[string][]string{}
	var names []string
	for _, p := range pipelines {
		for _, step := range p.Steps {
			name := step.Name.Value
			if of[name] == nil {
				names = append(names, name)
			}
			of[name] = append(of[name], p.DisplayName())
		}
	}
	for _, name := range names {
		words = offer(words, name, "of "+strings.Join(of[name], ", "))
	}
	return words, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// completeSecrets offers the names of the secrets that the configuration asks
// for, with the sign that a value follows.
func completeSecrets(_ *cobra.Command, args []string, _ string) (words []cobra.Completion, _ cobra.ShellCompDirective) {
	of := map[string]string{}
	var names []string
	for _, p := range configured(args) {
		for _, step := range slices.Concat(p.Services, p.Steps) {
			for _, name := range secretsOf(step) {
				if _, seen := of[name]; !seen {
					names = append(names, name)
					of[name] = p.DisplayName() + "/" + step.Name.Value
				}
			}
		}
	}
	for _, name := range names {
		words = offer(words, name+"=", "for "+of[name])
	}
	return words, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

func secretsOf(step *manifest.Step) (names []string) {
	for _, v := range step.Environment {
		names = append(names, v.FromSecret.Value)
	}
	for _, v := range step.Settings {
		names = append(names, v.FromSecret().Value)
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}

func completeRules(*cobra.Command, []string, string) (words []cobra.Completion, _ cobra.ShellCompDirective) {
	for _, r := range lint.Rules() {
		words = offer(words, r.ID, r.Summary)
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}

// completeLevels offers rules, and behind one the levels that it can have.
func completeLevels(_ *cobra.Command, _ []string, typed string) (words []cobra.Completion, _ cobra.ShellCompDirective) {
	id, _, found := strings.Cut(typed, "=")
	if !found {
		for _, r := range lint.Rules() {
			words = offer(words, r.ID+"=", r.Summary)
		}
		return words, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
	for _, level := range []string{"off", "info", "warning", "error"} {
		words = append(words, id+"="+level)
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}

// completeRuns offers the ids of runs, with what tells them apart.
func completeRuns(s Streams) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		const directive = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
		k, err := findKept(s)
		if err != nil {
			return nil, directive
		}
		return k.offered(args), directive
	}
}

// offered are the runs that args do not name, those of this working tree first.
func (k *kept) offered(args []string) (words []cobra.Completion) {
	here := map[string]bool{}
	for _, run := range k.tree {
		here[run.ID] = true
	}
	elsewhere := slices.DeleteFunc(slices.Clone(k.all), func(r history.Run) bool { return here[r.ID] })
	for _, run := range slices.Concat(k.tree, elsewhere) {
		if slices.Contains(args, run.ID) {
			continue
		}
		about := fmt.Sprintf("%s %s %s", run.State(), run.Branch, run.Started.Local().Format("2006-01-02 15:04"))
		if !here[run.ID] {
			about += " in " + filepath.Base(run.Tree)
		}
		words = offer(words, run.ID, about)
	}
	return words
}

// completeLog offers runs, and behind one its steps. In the first place too
// there may be a step, of the newest run.
func completeLog(s Streams) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		const directive = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
		k, err := findKept(s)
		if err != nil || len(args) > 1 {
			return nil, directive
		}
		if len(args) == 0 {
			words := k.offered(nil)
			if len(k.tree) > 0 {
				words = append(words, offeredSteps(k.tree[0], "of the newest run")...)
			}
			return words, directive
		}
		run, err := k.find(args[0])
		if err != nil {
			return nil, directive
		}
		return offeredSteps(run, string(run.State())), directive
	}
}

func offeredSteps(run history.Run, about string) (words []cobra.Completion) {
	steps, err := stepsOf(run)
	if err != nil {
		return nil
	}
	for _, name := range stepNames(steps) {
		words = offer(words, name, about)
	}
	return words
}

// completeKeys offers the repositories whose keys are remembered.
func completeKeys(s Streams) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) (words []cobra.Completion, _ cobra.ShellCompDirective) {
		store, err := keyStore(s)
		if err != nil || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		entries, _ := store.List() // of those that can be read
		for _, e := range entries {
			words = offer(words, e.Repository, "")
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}

// ownScripts has the command completion print the scripts for bash and fish that
// are made here.
func ownScripts(root, completion *cobra.Command) {
	made := map[string]func(*cobra.Command, io.Writer, bool) error{"bash": bashCompletion, "fish": fishCompletion}
	for _, c := range completion.Commands() {
		script := made[c.Name()]
		if script == nil {
			continue
		}
		c.Long = strings.Replace(c.Long, "This script depends on the 'bash-completion' package.\nIf it is not installed already, you can install it via your OS's package manager.\n\n", "", 1)
		c.RunE = func(c *cobra.Command, _ []string) error {
			plain, err := c.Flags().GetBool("no-descriptions")
			if err != nil {
				return err
			}
			return script(root, root.OutOrStdout(), !plain)
		}
	}
}

// fishCompletion makes the script for fish keep to words. It evaluates the words
// in front of the cursor, of which fish has taken away the quotes: a pipeline
// called $(reboot), completed once, would run at the next press of the key.
func fishCompletion(root *cobra.Command, out io.Writer, descriptions bool) error {
	var script strings.Builder
	if err := root.GenFishCompletion(&script, descriptions); err != nil {
		return err
	}
	const bare, quoted = "(commandline -opc)", "(commandline -opc | string escape)"
	if !strings.Contains(script.String(), bare) {
		return errors.New("the script for fish is not as expected, so its words cannot be quoted")
	}
	_, err := io.WriteString(out, strings.ReplaceAll(script.String(), bare, quoted))
	return err
}

// bashCompletion makes the script for bash work where the package
// bash-completion is not installed, which it would complain about at each key.
func bashCompletion(root *cobra.Command, out io.Writer, descriptions bool) error {
	var script strings.Builder
	if err := root.GenBashCompletionV2(&script, descriptions); err != nil {
		return err
	}
	text := strings.ReplaceAll(script.String(), `_get_comp_words_by_ref "$@" cur prev words cword`, "__drone_words")
	text = strings.ReplaceAll(text, "_filedir", "__drone_filedir")
	_, err := io.WriteString(out, text+bashFallback)
	return err
}

// bashFallback stands in for what the script uses of bash-completion.
const bashFallback = `
# Finds the words of the command line. Bash cuts them also at = and :, which
# belong to them here: what no blank separates is one word.
__drone_words() {
    if declare -F _get_comp_words_by_ref >/dev/null 2>&1; then
        _get_comp_words_by_ref -n "=:" cur prev words cword
        return
    fi
    local rest=${COMP_LINE:0:COMP_POINT} trimmed word i
    words=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        trimmed=${rest#"${rest%%[![:space:]]*}"}
        if ((i == COMP_CWORD)); then
            word=$trimmed
        fi
        if ((i > 0)) && [[ $trimmed == "$rest" ]]; then
            words[${#words[@]} - 1]+=$word
        else
            words+=("$word")
        fi
        rest=${trimmed#"$word"}
    done
    cword=$((${#words[@]} - 1))
    cur=${words[cword]}
    prev=
    if ((cword > 0)); then
        prev=${words[cword - 1]}
    fi
}

# Offers files, with -d directories, or those with one of the endings of $1.
__drone_filedir() {
    if declare -F _filedir >/dev/null 2>&1; then
        _filedir "$@"
        return
    fi
    local name kind=-f
    if [[ ${1-} == -d ]]; then
        kind=-d
    fi
    if [[ $(type -t compopt) == builtin ]]; then
        compopt -o filenames
    fi
    while IFS= read -r name; do
        COMPREPLY+=("$name")
    done < <(compgen "$kind" -- "$cur")
}

# ex: ts=4 sw=4 et filetype=sh
`
