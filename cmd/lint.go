package cmd

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/convert"
	"github.com/drone-laptop/drone/internal/document"
	"github.com/drone-laptop/drone/internal/origin"
	"github.com/drone-laptop/drone/internal/rewrite"
	"github.com/drone-laptop/drone/lint"
	"github.com/drone-laptop/drone/manifest"
	"github.com/drone-laptop/drone/report"
)

type lintOptions struct {
	planFlags
	format  *outputFlag
	strict  bool
	quiet   bool
	info    bool
	fix     bool
	levels  []string
	config  string
	explain string
	rules   bool
	key     keyFlags
	version string // of the program
}

func newLint(s Streams, version string) *cobra.Command {
	o := &lintOptions{version: version}
	c := &cobra.Command{
		Use:   "lint [PATH…]",
		Short: "report everything that is wrong with a file",
		Long: "lint looks at each PATH (default .drone.yml) and reports all it finds, with place and\n" +
			"remedy: errors are what a server would stumble on or get wrong without a word, warnings\n" +
			"what is probably not meant. In a folder it finds every .drone.yml and .drone/*.yml, and a\n" +
			".drone.jsonnet or .drone.star without one beside it; - is standard input.\n" +
			"A " + lint.ConfigFile + " beside a file or above it sets levels of rules, a comment\n" +
			"`# drone-lint: disable=RULE` in the file switches one off for a line or a step.\n" +
			"It exits 1 when a finding is an error, and 2 when a file cannot be read.",
		Example: "  drone lint\n  drone lint --strict --rule image-tag=off .\n  drone lint --explain unknown-key",
	}
	o.build.register(c)
	flags := c.Flags()
	o.given = flags
	o.progs.register(flags)
	o.legacy.register(flags)
	flags.BoolVar(&o.sel.trusted, "trusted", false, "the server trusts the repository: privileged, host volumes, devices … are fine")
	flags.StringArrayVar(&o.sel.privileged, "privileged", nil, "the server runs plugins of this `image` privileged, as the built-in ones (repeatable)")
	o.key.register(flags, "with which signatures are checked (stale-signature)")
	c.Args = cobra.ArbitraryArgs
	o.format = addOutput(flags, "format", "text", "json", "sarif", "github")
	flags.BoolVar(&o.strict, "strict", false, "warnings count as errors")
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "report what makes it fail only")
	flags.BoolVar(&o.info, "info", false, "report also what is merely good to know, which json and sarif always have")
	flags.BoolVar(&o.fix, "fix", false, "mend in the files what has one sure remedy, and report the rest")
	flags.StringArrayVar(&o.levels, "rule", nil, "set the level of a rule, `ID=off|info|warning|error` (repeatable)")
	flags.StringVar(&o.config, "config", "", "`file` of settings to use instead of a "+lint.ConfigFile)
	flags.StringVar(&o.explain, "explain", "", "explain the rule `ID`, with examples, and do nothing else")
	flags.BoolVar(&o.rules, "rules", false, "list the rules, and do nothing else")
	c.RunE = func(c *cobra.Command, args []string) error {
		switch {
		case o.explain != "":
			return o.explainRule(s)
		case o.rules:
			return o.listRules(s)
		}
		return runLint(orBackground(c.Context()), s, o, args)
	}
	return c
}

// linted is what came of one file.
type linted struct {
	file     string
	origin   origin.Origin // has the texts that positions refer to
	maker    string        // the program or template that was looked at, "" without one
	findings []manifest.Problem
	strict   bool
	err      error
}

// runLint checks every file, also after one that cannot be read: whoever names
// many wants to know of all.
func runLint(ctx context.Context, s Streams, o *lintOptions, args []string) error {
	l, err := newLinter(s, o)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		args = []string{""}
	}
	unread := 0
	var paths []string
	for _, arg := range args {
		found, err := l.expand(arg)
		if err != nil {
			s.fail(err)
			unread++
		}
		paths = append(paths, found...)
	}
	results := l.all(ctx, paths)
	var all []manifest.Problem
	var hints []string
	failed := 0
	for _, r := range results {
		if r.err != nil {
			s.fail(r.err)
			unread++
			continue
		}
		if r.fails() {
			failed++
		}
		shown := o.shown(r)
		all = append(all, shown...)
		if o.format.value == "text" {
			if err := lint.Text(s.Out, shown, r.origin.SourceOf, painter(s.outStyle())); err != nil {
				return err
			}
			if r.maker != "" && len(shown) > 0 {
				hints = append(hints, renderHint(s.renderCommand(o.given, r.file), r.maker))
			}
		}
	}
	if err := o.write(s, all); err != nil {
		return err
	}
	for _, hint := range hints {
		s.note(hint)
	}
	o.summary(s, results)
	switch {
	case unread > 0:
		return &failure{status: StatusUsage}
	case failed > 0:
		return &failure{status: StatusFailed}
	}
	return nil
}

// write gives all findings to a program.
func (o *lintOptions) write(s Streams, all []manifest.Problem) error {
	switch o.format.value {
	case "json":
		return lint.JSON(s.Out, all)
	case "sarif":
		return lint.SARIF(s.Out, all, o.version)
	case "github":
		return lint.GitHub(s.Out, all)
	}
	return nil
}

// shown leaves out what the user does not want to see.
func (o *lintOptions) shown(r linted) []manifest.Problem {
	info := o.info || o.format.value == "json" || o.format.value == "sarif"
	return slices.DeleteFunc(slices.Clone(r.findings), func(f manifest.Problem) bool {
		if o.quiet {
			return !fatal(f, r.strict)
		}
		return f.Severity == manifest.Info && !info
	})
}

// summary counts the findings, in words.
func (o *lintOptions) summary(s Streams, results []linted) {
	var all []manifest.Problem
	files := 0
	for _, r := range results {
		all = append(all, r.findings...)
		if len(o.shown(r)) > 0 {
			files++
		}
	}
	failures, warnings, infos := lint.Count(all)
	var parts []string
	if failures > 0 {
		parts = append(parts, report.Plural(failures, "error"))
	}
	if warnings > 0 && !o.quiet {
		parts = append(parts, report.Plural(warnings, "warning"))
	}
	if infos > 0 && !o.quiet && (o.info || len(parts) > 0) {
		note := report.Plural(infos, "note")
		if !o.info && o.format.value == "text" {
			note += " (--info shows them)"
		}
		parts = append(parts, note)
	}
	if len(parts) == 0 {
		return
	}
	text := strings.Join(parts, ", ")
	if len(results) > 1 {
		text += fmt.Sprintf(" in %d of %d files", files, len(results))
	}
	s.note(text)
}

// fatal reports whether a finding makes the command fail.
func fatal(f manifest.Problem, strict bool) bool {
	return f.Severity == manifest.Error || strict && f.Severity == manifest.Warning
}

func (r linted) fails() bool {
	return slices.ContainsFunc(r.findings, func(f manifest.Problem) bool { return fatal(f, r.strict) })
}

// linter looks at files for one command.
type linter struct {
	streams Streams
	options *lintOptions
	compile compile.Options
	flags   map[string]lint.Level
	configs *lintConfigs
	key     []byte // of the repository, nil when it is not named
}

func newLinter(s Streams, o *lintOptions) (*linter, error) {
	planner, err := o.planner(s)
	if err != nil {
		return nil, err
	}
	l := &linter{streams: s, options: o, compile: planner.opts, flags: map[string]lint.Level{}}
	// Nothing runs, so whatever the machine and the consent, all is looked at.
	l.compile.Host = compile.Host{Consent: true}
	for _, text := range o.levels {
		id, level, found := strings.Cut(text, "=")
		if !found {
			return nil, usage(fmt.Errorf("--rule %s has no level", text), "write --rule "+text+"=off, or info, warning, error")
		}
		if l.flags[id], err = lint.ParseRuleLevel(id, level); err != nil {
			return nil, usage(fmt.Errorf("--rule %s: %w", text, err), ruleHint(err))
		}
	}
	var from string
	if l.key, from, err = o.key.read(s); err == nil && l.key != nil {
		err = checkKey(l.key, from)
	}
	if err != nil {
		return nil, err
	}
	l.configs, err = newLintConfigs(o.config)
	return l, err
}

// ruleHint helps with the name of a rule.
func ruleHint(err error) string {
	unknown, ok := errors.AsType[*lint.UnknownRuleError](err)
	switch {
	case ok && unknown.Closest != "":
		return "did you mean " + unknown.Closest + "?"
	case ok:
		return "`drone lint --rules` lists the rules"
	}
	return ""
}

// all looks at files, several at a time, and gives the results in their order.
func (l *linter) all(ctx context.Context, paths []string) []linted {
	defer growHeap(l.streams)()
	results := make([]linted, len(paths))
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(paths)) {
		wg.Go(func() {
			for i := range next {
				results[i] = l.file(ctx, paths[i])
			}
		})
	}
	for i := range paths {
		next <- i
	}
	close(next)
	wg.Wait()
	return results
}

// file looks at one file. With --fix it is mended first.
func (l *linter) file(ctx context.Context, path string) linted {
	r := linted{file: path}
	var args []string
	if path == "" {
		r.file = defaultFile
	} else {
		args = []string{path}
	}
	name, source, err := readSource(l.streams, args)
	if err != nil {
		r.err = err
		return r
	}
	opts, err := l.optionsFor(name)
	if err != nil {
		r.err = err
		return r
	}
	r.strict = opts.Strict
	old, err := l.options.legacy.convert(name, source, convert.LegacyOptions{Link: l.compile.Build.Repo.Link})
	if err != nil {
		r.err = err
		return r
	}
	if old != nil {
		r.origin, r.findings = origin.Legacy(old, source), origin.LegacyFindings(old, name, source, opts)
		return r
	}
	made, err := l.made(ctx, name, source)
	if e, ok := errors.AsType[*convert.Error](err); ok {
		r.origin, r.findings = origin.Failed(sourceOnDisk), origin.FailedFindings(e, opts.Levels[manifest.RuleProgram])
		return r
	}
	if err != nil {
		r.err = err
		return r
	}
	r.origin, r.maker = origin.Made(made), made.Maker
	if made.Maker != "" {
		r.findings = origin.MadeFindings(made, name, source, opts)
		return r
	}
	opts.Generated, opts.Key = l.generated(ctx, name), l.key
	opts.Sign = strings.Trim(signCommand(l.options.key.words(), "--save", name), "`")
	r.findings = lint.Check(name, source, opts)
	if l.options.fix && name != "<stdin>" {
		mended, n := lint.Apply(source, r.findings)
		if n > 0 {
			if r.err = mend(name, mended); r.err != nil {
				return r
			}
			r.origin, r.findings = origin.Made(convert.Plain(name, mended)), lint.Check(name, mended, opts)
		}
	}
	return r
}

// optionsFor are the options for a file: those of the flags and those of the
// configuration that it belongs to.
func (l *linter) optionsFor(name string) (lint.Options, error) {
	opts := lint.Options{Compile: l.compile, Levels: l.flags, Strict: l.options.strict}
	config, err := l.configs.of(name)
	if err == nil && config != nil {
		opts.Levels = merged(config.Levels, l.flags)
		opts.Strict = opts.Strict || config.Strict
		opts.Compile.Trusted = opts.Compile.Trusted || config.Trusted
	}
	return opts, err
}

func mend(name string, text []byte) error {
	if err := rewrite.File(name, text); err != nil {
		return usage(fmt.Errorf("cannot mend %s: %w", name, cause(err)), "")
	}
	return nil
}

// generated runs the program beside a file that the file is probably made from,
// if there is one. What it makes must be the same for every build: a program that
// asks for one is left out, unless flags give it all that it asks for. What is
// wrong with the program itself is told to those who look at it.
func (l *linter) generated(ctx context.Context, name string) *lint.Generated {
	stem, found := strings.CutSuffix(name, ".yml")
	if !found {
		return nil
	}
	for _, ending := range []string{".jsonnet", ".star", ".starlark", ".script"} {
		program, source, err := readProgram(stem + ending)
		if err != nil {
			continue
		}
		given, err := l.options.progs.options(l.streams, program, source, l.compile.Build, false)
		if err != nil {
			return nil
		}
		given.Bare, given.Print, given.Warn = true, nil, nil // nobody has asked for the program
		made, err := convert.Run(ctx, program, source, given)
		if err != nil || made.Asked {
			return nil
		}
		return &lint.Generated{Program: filepath.Base(program), Text: made.Text}
	}
	return nil
}

func readProgram(name string) (string, []byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return name, nil, err
	}
	defer file.Close()
	source, err := readLimited(file, name, 0)
	return name, source, err
}

// made converts what is not Drone YAML yet. What no program here can convert is
// YAML as well, of which there is something to say.
func (l *linter) made(ctx context.Context, name string, source []byte) (*convert.Result, error) {
	if convert.IsLegacy(convert.Detect(name, source)) {
		return convert.Plain(name, source), nil
	}
	given, err := l.options.progs.options(l.streams, name, source, l.compile.Build, false)
	if err != nil {
		return nil, err
	}
	made, err := convert.Run(ctx, name, source, given)
	if e, ok := errors.AsType[*convert.Error](err); ok && e.Use {
		if e.Absent {
			l.streams.note(e.Error() + ", so nothing is known of what it makes")
		}
		return convert.Plain(name, source), nil
	}
	return made, err
}

func merged(below, above map[string]lint.Level) map[string]lint.Level {
	out := make(map[string]lint.Level, len(below)+len(above))
	maps.Copy(out, below)
	maps.Copy(out, above)
	return out
}

// explainRule prints all that is known of a rule.
func (o *lintOptions) explainRule(s Streams) error {
	rule, err := lint.Lookup(o.explain)
	if err != nil {
		return usage(err, ruleHint(err))
	}
	return lint.Explain(s.Out, rule)
}

// listRules prints all rules, for people or as JSON.
func (o *lintOptions) listRules(s Streams) error {
	if o.format.value == "json" {
		return document.JSON(s.Out, lint.Rules())
	}
	return lint.List(s.Out)
}
