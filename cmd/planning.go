package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/convert"
	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/facts"
	"github.com/drone-laptop/drone/internal/origin"
	"github.com/drone-laptop/drone/internal/secrets"
	"github.com/drone-laptop/drone/lint"
	"github.com/drone-laptop/drone/manifest"
	"github.com/drone-laptop/drone/report"
)

// planFlags are what every command that makes a plan takes.
type planFlags struct {
	build  buildFlags
	sel    selectFlags
	progs  programFlags
	base   string
	legacy legacyFlags
	given  *pflag.FlagSet // of the command
}

func (f *planFlags) register(c *cobra.Command) {
	c.Args = maxArgs(1)
	f.build.register(c)
	f.sel.register(c)
	f.progs.register(c.Flags())
	f.legacy.register(c.Flags())
	f.given = c.Flags()
	c.Flags().StringVar(&f.base, "base", "",
		"`ref` that the changed files of `when.paths` and `trigger.paths` are counted from (default: where the branch left the default branch)")
}

// planned is a plan with what was found while it was made.
type planned struct {
	plan     *exec.Plan // nil when something found keeps it from being made
	build    compile.Build
	name     string         // of the file that was read
	text     []byte         // what is agreed to: that of the file, or what a program has made
	parsed   *manifest.File // what it became
	problems []manifest.Problem
	trusted  bool
	leftOut  []string           // see leftOut
	origin   origin.Origin      // of parsed
	legacy   *convert.Converted // of a file for an old version, else nil
	maker    string             // the program or template that has made it, "" without one
	render   string             // the command that prints what that has made
	declined bool               // the user was asked, and did not agree
}

// resolveBuild finds the facts of the build for the current directory, and the
// tree that they come from.
func (f *buildFlags) resolveBuild(s Streams) (compile.Build, *facts.Tree, error) {
	overrides, err := f.resolved()
	if err != nil {
		return compile.Build{}, nil, err
	}
	dir, err := currentDir()
	if err != nil {
		return compile.Build{}, nil, err
	}
	tree := facts.Read(dir)
	build, warnings, err := facts.Resolve(tree, overrides, time.Now())
	if err != nil {
		return build, nil, mistake(err, "")
	}
	s.warnAll(warnings)
	return build, tree, nil
}

// changedFiles looks for the changed files if the configuration asks for them.
func (m *planner) changedFiles(name string, text []byte) (*compile.ChangedFiles, error) {
	base := m.flags.base
	if compile.UsesChangedFiles(name, text) {
		changed, err := m.tree.Changes(m.opts.Build, facts.Comparison{Base: base, Committed: m.flags.sel.clone})
		return changed, mistake(err, "")
	}
	if base == "" {
		return nil, nil
	}
	m.streams.warn("--base has no effect: no condition of " + name + " is about changed files")
	return nil, mistake(m.tree.CheckBase(base), "")
}

// load reads the file that args name and makes its plan, without asking the
// user anything.
func (f *planFlags) load(ctx context.Context, s Streams, args []string) (*planned, error) {
	p, err := f.planner(s)
	if err != nil {
		return nil, err
	}
	return p.load(ctx, args)
}

// planner makes plans for one build.
type planner struct {
	flags   *planFlags
	streams Streams
	tree    *facts.Tree
	opts    compile.Options
	// mayAsk allows to ask the user what the flags do not say.
	mayAsk bool
	// admit refuses a file as it was read, before anything is made of it. It may
	// be nil.
	admit func(name string, source []byte) error
	// forgetful makes the plan from the flags alone, whatever the user has
	// agreed to before.
	forgetful bool
}

// planner finds the facts of the build. Its warnings are printed.
func (f *planFlags) planner(s Streams) (*planner, error) {
	build, tree, err := f.build.resolveBuild(s)
	if err != nil {
		return nil, err
	}
	opts, err := f.options(s, build)
	if err != nil {
		return nil, err
	}
	return &planner{flags: f, streams: s, tree: tree, opts: opts}, nil
}

// planningHeap is how much memory may be in use before garbage is looked for
// while a plan is made: nearly all that is allocated then is kept, so looking
// for it is work that finds none. It is what a file of 15,000 steps takes.
const planningHeap = 256 << 20

// growHeap has the heap grow to planningHeap without a look for garbage. From
// there on, or when the returned function is called, all is as usual. It does
// nothing where it was called before, or where the user has a wish of their own.
func growHeap(s Streams) (back func()) {
	if s.LookupEnv != nil && s.getenv("GOGC")+s.getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	percent := debug.SetGCPercent(-1)
	if percent < 0 {
		return func() {}
	}
	limit := debug.SetMemoryLimit(planningHeap)
	var once sync.Once
	back = func() {
		once.Do(func() {
			debug.SetMemoryLimit(limit)
			debug.SetGCPercent(percent)
		})
	}
	// The first look for garbage finds this piece of it.
	runtime.AddCleanup(new([64]byte), func(back func()) { back() }, back)
	return back
}

// load reads the file that args name and makes its plan.
func (m *planner) load(ctx context.Context, args []string) (*planned, error) {
	defer growHeap(m.streams)()
	name, source, err := readSource(m.streams, args)
	if err == nil && m.admit != nil {
		err = m.admit(name, source)
	}
	if err != nil {
		return nil, err
	}
	opts := m.opts
	given, err := m.flags.progs.options(m.streams, name, source, opts.Build, opts.Trusted)
	if err != nil {
		return nil, err
	}
	if convert.Detect(name, source) == convert.FormatDrone {
		m.warnUnused(name)
	}
	given.Legacy = convert.LegacyOptions{Link: opts.Build.Repo.Link, Local: !m.flags.sel.clone, Environment: true}
	adapted := given.Legacy
	adapted.Adapt = true
	old, err := m.flags.legacy.convert(name, source, adapted)
	if err != nil {
		return nil, err
	}
	made := &convert.Result{Name: name}
	if old != nil {
		made.Text, opts.Era = old.Text, old.Version
	} else if made, err = convert.Run(ctx, name, source, given); err != nil {
		return nil, conversionFailure(err)
	} else {
		opts.Era = made.Era()
	}
	if opts.Build.Changed, err = m.changedFiles(name, made.Text); err != nil {
		return nil, err
	}
	plan := func(opts compile.Options) (*planned, error) {
		p, err := makePlan(made.Name, made.Text, opts)
		if p != nil {
			p.name = name
			p.comesFrom(source, old, made)
			if made.Maker != "" {
				p.render = m.streams.renderCommand(m.flags.given, name)
			}
		}
		return p, err
	}
	p, err := plan(opts)
	if err != nil || m.forgetful {
		return p, err
	}
	return agreed(m.streams, p, opts, m.mayAsk, plan)
}

// warnUnused tells of flags that are for programs and templates alone.
func (m *planner) warnUnused(name string) {
	if m.flags.given == nil {
		return
	}
	for _, flag := range []string{"ext-var", "ext-code", "tla-str", "tla-code", "jpath", "template-dir", "max-execution-steps"} {
		if m.flags.given.Changed(flag) {
			m.streams.warn("--" + flag + " has no effect: " + name + " is neither a program nor uses a template")
		}
	}
}

// makePlan makes the plan of the file name with the YAML text.
func makePlan(name string, text []byte, opts compile.Options) (*planned, error) {
	parsed, found := manifest.Parse(name, text, nil)
	plan, problems, err := compile.File(parsed, found, opts)
	lint.Sort(problems)
	p := &planned{plan: plan, build: opts.Build, name: name, parsed: parsed, problems: problems, trusted: opts.Trusted}
	// What has the name may be just what could not be read, so the errors come
	// first.
	if err != nil && !p.wrong() {
		return nil, unknownName(err)
	}
	if plan != nil {
		p.leftOut = leftOut(plan, opts.Include)
	}
	return p, nil
}

// comesFrom has what was found told of the file that was read, and of what that
// was made of. old is nil for a file that is not for an old version.
func (p *planned) comesFrom(source []byte, old *convert.Converted, made *convert.Result) {
	p.legacy, p.maker, p.origin = old, made.Maker, origin.Made(made)
	p.text = made.Text
	if old != nil {
		p.origin, p.text = origin.Legacy(old, source), source
	}
	if old == nil && made.Maker == "" {
		return
	}
	p.problems = warnings(origin.InSource(p.origin, p.problems))
	lint.Sort(p.problems)
	if p.plan != nil {
		p.origin.Adapt(p.plan)
	}
}

// leftOut says of each step that --include names and that does not run all the
// same why that is: a run of which nothing is left looks like a success.
func leftOut(plan *exec.Plan, include []string) (texts []string) {
	named := func(s *exec.Step) bool {
		return slices.ContainsFunc(include, func(pattern string) bool {
			ok, err := doublestar.Match(pattern, s.Name)
			return pattern == s.Name || ok && err == nil
		})
	}
	for _, p := range plan.Pipelines {
		for _, s := range p.Steps {
			if p.Runs && s.Policy == exec.Never && named(s) {
				texts = append(texts, fmt.Sprintf("--include names step %q of pipeline %q, which does not run: %s", s.Name, p.Name, s.Reason))
			}
		}
	}
	return texts
}

// conversionFailure shows the place of an error of convert, and the way there.
func conversionFailure(err error) error {
	var e *convert.Error
	if !errors.As(err, &e) {
		return usage(err, "")
	}
	text := e.Error()
	if excerpt := lint.Excerpt(sourceOnDisk(e.Pos.File), manifest.Span{Start: e.Pos, End: e.Pos}); excerpt != "" && e.Pos.Column > 0 {
		text += "\n" + strings.TrimRight(excerpt, "\n")
	}
	if trace := e.Trace(); trace != "" {
		text += "\n" + trace
	}
	return usage(&shownError{text, e}, e.Hint)
}

// shownError is an error with what is shown of it.
type shownError struct {
	text string
	error
}

func (e *shownError) Error() string { return e.text }
func (e *shownError) Unwrap() error { return e.error }

// sourceOnDisk is the text of a file that was just read, nil when it is not to be
// had any more, as that of the standard input.
func sourceOnDisk(file string) []byte {
	if file == "" {
		return nil
	}
	_, text, err := readProgram(file)
	if err != nil {
		return nil
	}
	return text
}

// unknownName explains a name that the file does not have.
func unknownName(err error) error {
	var e *compile.UnknownNameError
	if !errors.As(err, &e) {
		return usage(err, "")
	}
	hint := "there is no " + e.What + " in the file"
	if len(e.Known) > 0 {
		hint = "there is " + strings.Join(e.Known, ", ")
	}
	switch {
	case e.Closest != "" && len(e.Known) > 1:
		hint = "did you mean " + e.Closest + "? " + hint
	case e.Closest != "":
		hint = "did you mean " + e.Closest
	}
	return usage(e, hint)
}

// options turns the flags into what plans of a build are made with. Its warnings
// are printed.
func (f *planFlags) options(s Streams, build compile.Build) (compile.Options, error) {
	dir, err := currentDir()
	if err != nil {
		return compile.Options{}, err
	}
	binds, err := f.sel.binds()
	if err != nil {
		return compile.Options{}, err
	}
	env, warnings, err := secrets.Env(secrets.EnvSources{Files: f.sel.envFiles, Values: f.sel.env, Getenv: s.LookupEnv})
	if err != nil {
		return compile.Options{}, mistake(err, "")
	}
	s.warnAll(warnings)
	return compile.Options{
		Build: build, Workspace: dir, Clone: f.sel.clone,
		Pipelines: f.sel.pipelines, Include: f.sel.include, Exclude: f.sel.exclude,
		ResumeAt: f.sel.resumeAt,
		Trusted:  f.sel.trusted, Env: env, Vars: droneVars(s.Environ()), Proxy: proxyVars(s.Environ()),
		Netrc: compile.Netrc{Machine: f.sel.netrcMachine, Username: f.sel.netrcUser},
		Binds: binds, Networks: f.sel.networks, Privileged: f.sel.privileged, Machine: machine(),
		Host: compile.Host{OS: runtime.GOOS, Arch: runtime.GOARCH, Consent: f.sel.host},
	}, nil
}

// machine is the name of this machine, "" when it has none: the variable is then
// absent, as on a server without a name.
func machine() string {
	host, err := os.Hostname()
	if err != nil {
		return ""
	}
	return host
}

// droneVars picks the variables that substitution may see (reference §4.1), but
// for those with a secret in them: a plan holds none.
func droneVars(environ []string) map[string]string {
	return pick(environ, func(name string) bool {
		kind := name[strings.LastIndex(name, "_")+1:]
		value := strings.HasSuffix(name, "_ADD_DATA") || strings.HasSuffix(name, "_UPDATE_DATA") // of `drone secret add --data`
		return strings.HasPrefix(name, "DRONE_") && !value && !slices.Contains([]string{"TOKEN", "SECRET", "PASSWORD"}, kind)
	})
}

// proxyVars picks the variables that every step inherits (reference §5.1).
func proxyVars(environ []string) map[string]string {
	return pick(environ, func(name string) bool {
		switch strings.ToLower(name) {
		case "http_proxy", "https_proxy", "no_proxy", "all_proxy":
			return true
		}
		return false
	})
}

func pick(environ []string, want func(string) bool) map[string]string {
	out := map[string]string{}
	for _, kv := range environ {
		if name, value, ok := strings.Cut(kv, "="); ok && want(name) {
			out[name] = value
		}
	}
	return out
}

// showProblems prints what was found and fails when the plan must not be run.
func (p *planned) showProblems(s Streams) error {
	p.writeProblems(s)
	if err := p.refuse(); err != nil {
		return err
	}
	s.warnAll(p.leftOut)
	return nil
}

// advise prints what a server would take without a word and get wrong: the errors
// of the linter that do not keep the file from being run.
func (p *planned) advise(s Streams) error {
	configs, err := newLintConfigs("")
	if err != nil {
		return err
	}
	config, err := configs.of(p.name)
	if err != nil {
		return err
	}
	opts := lint.Options{Compile: compile.Options{Trusted: p.trusted}}
	if config != nil {
		opts.Levels = config.Levels
	}
	advice := slices.DeleteFunc(lint.Advice(p.parsed, p.plan, opts), func(f manifest.Problem) bool { return f.Severity != manifest.Error })
	if advice = origin.Translated(p.origin, advice); len(advice) == 0 {
		return nil
	}
	// Whoever cannot read it has nobody to be told of that.
	_ = lint.Text(s.Err, advice, p.origin.SourceOf, painter(s.errStyle()))
	s.note("a server takes this without a word, so it runs; `drone lint --explain RULE` tells more of a rule")
	return nil
}

// wrong reports whether something found is an error.
func (p *planned) wrong() bool {
	n, _, _ := lint.Count(p.problems)
	return n > 0
}

// refuse fails when something found is an error.
func (p *planned) refuse() error {
	if !p.wrong() {
		return nil
	}
	n, _, _ := lint.Count(p.problems)
	switch all := !p.otherwiseWrong(); {
	case all && p.declined:
		return usage(fmt.Errorf("you have not agreed to what %s asks for, so nothing was run", p.name), "")
	case all:
		return usage(fmt.Errorf("%s asks for %s that nobody has agreed to, so nothing was run", p.name, report.Plural(n, "privilege")),
			"read what it asks for, then run it with "+p.consentFlags()+" if you trust it; on a terminal `drone exec` asks, and can remember the answer")
	}
	hint := ""
	if p.maker != "" {
		hint = renderHint(p.render, p.maker)
	}
	return usage(fmt.Errorf("%s has %s and was not run", p.name, report.Plural(n, "error")), hint)
}

// otherwiseWrong reports whether something but privileges is an error.
func (p *planned) otherwiseWrong() bool {
	n, _, _ := lint.Count(p.problems)
	return p.refused() != n
}

// consentFlags are those that stand for the user's word.
func (p *planned) consentFlags() string {
	if len(p.unagreed()) > 0 {
		return "--trusted, and --host for its commands,"
	}
	return "--trusted"
}

// untrusted reports whether the plan wants privileges that it does not get.
func (p *planned) untrusted() bool { return p.refused() > 0 }

// refused counts the privileges that the plan wants and does not get.
func (p *planned) refused() (n int) {
	for _, f := range p.problems {
		if f.Rule == compile.RuleUntrusted {
			n++
		}
	}
	return n
}

// writeProblems prints every error and one warning of each kind: whoever runs a
// file wants to be told, not to read the same twenty times. When standard error
// takes nothing there is nobody to tell that to.
func (p *planned) writeProblems(s Streams) {
	brief, left := lint.Brief(p.problems)
	if p.declined && !p.otherwiseWrong() { // the question has shown them
		brief = slices.DeleteFunc(brief, func(f manifest.Problem) bool { return f.Rule == compile.RuleUntrusted })
	}
	for i := range brief {
		if brief[i].Rule == compile.RuleUntrusted {
			brief[i].Hint = "" // the last line says it once for all
		}
	}
	_ = lint.Text(s.Err, brief, p.origin.SourceOf, painter(s.errStyle()))
	if left > 0 {
		s.note(report.Plural(left, "more warning") + " of the same kinds; `drone lint" + p.argument() + "` shows all")
	}
	if left := p.origin.LeftOut(); len(left) > 0 {
		s.note("left out, for their `local: false`: " + strings.Join(left, ", "))
	}
}

// argument is how the file is named to a command, with a space before it.
func (p *planned) argument() string {
	if p.name != defaultFile && p.name != "<stdin>" {
		return " " + p.name
	}
	return ""
}

func painter(style report.Style) lint.Painter {
	return lint.Painter{
		Error:   func(t string) string { return style.Paint(report.Red, t) },
		Warning: func(t string) string { return style.Paint(report.Yellow, t) },
		Info:    func(t string) string { return style.Paint(report.Cyan, t) },
		Faint:   style.Faint,
	}
}

// warn prints one warning that belongs to no place in the file.
func (s Streams) warn(text string) {
	fmt.Fprintf(s.Err, "drone: %s %s\n", s.errStyle().Paint(report.Yellow, "warning:"), report.Visible(text))
}

func (s Streams) warnAll(texts []string) {
	for _, text := range texts {
		s.warn(text)
	}
}

// note prints something that is good to know.
func (s Streams) note(text string) {
	fmt.Fprintf(s.Err, "drone: %s\n", report.Visible(text))
}

// noteSkip says that a server would not have this build. A run that was asked
// for is not refused for what is written in a message.
func (p *planned) noteSkip(s Streams) {
	if why := p.build.SkipDirective(); why != "" {
		s.note("a server would skip this build: " + why)
	}
}

// describeBuild says in a few words which build is pretended.
func describeBuild(b compile.Build) string {
	text := "event " + b.Event
	switch {
	case b.Event == "tag" || b.Branch == "" && b.Ref != "":
		text += ", ref " + b.Ref
	case b.Branch != "":
		text += ", branch " + b.Branch
	}
	return text + describeChanges(b.Changed)
}

// describeChanges says what conditions on changed files were compared with.
func describeChanges(c *compile.ChangedFiles) string {
	if c == nil || c.Unknown != "" {
		return ""
	}
	text := fmt.Sprintf(", %s changed since %s", report.Plural(len(c.Files), "file"), c.Base)
	if c.Uncommitted && len(c.Files) > 0 {
		text += ", uncommitted ones included"
	}
	return text
}
