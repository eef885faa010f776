package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/convert"
	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/docker"
	"github.com/drone-laptop/drone/internal/dockerhost"
	"github.com/drone-laptop/drone/internal/isolate"
	"github.com/drone-laptop/drone/report"
)

type execOptions struct {
	planFlags
	runFlags
	output  *outputFlag
	cleanup cleanupFlag
	history historyFlags
	clock   *stopwatch // nil without --timing
	bell    bool
	again   *rerun // what is to be run next, as the view was asked; nil for nothing
}

func newExec(s Streams, version string) *cobra.Command {
	o := &execOptions{history: historyFlags{version: version}}
	c := &cobra.Command{
		Use:   "exec [FILE]",
		Short: "run the pipelines that the event selects",
		Long: "exec runs every pipeline of FILE (default .drone.yml) that the event selects, in\n" +
			"the order their dependencies ask for. The current directory is the workspace: it\n" +
			"is mounted in every step, and what they create there is yours at the end. With\n" +
			"--isolate it is a copy. Facts of the build come from git; flags override them.\n\n" +
			"Pipelines of type exec have no containers. They run on this machine, in a copy of\n" +
			"the current directory, when you agree: with --host, or asked on a terminal. What the\n" +
			"server gives trusted repositories only, such as privileged and host volumes, needs\n" +
			"--trusted, or your answer too; `drone trust` lists what you have agreed to.",
		Example: "  drone exec\n" +
			"  drone exec --event tag --tag v1.2.3\n" +
			"  drone exec --pipeline build --include test --secret-file .secrets\n" +
			"  drone exec --clean --out results",
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.isolate.resolve(c.Flags().Changed, o.sel.clone); err != nil {
				return err
			}
			return runExec(orBackground(c.Context()), s.of(c), o, args)
		},
	}
	o.planFlags.register(c)
	o.runFlags.register(c.Flags())
	o.output = addRunOutput(c.Flags())
	c.Flags().BoolVar(&o.bell, "bell", false, "ring the bell of the terminal when a step has failed, and when the run is over")
	o.cleanup.register(c.Flags())
	o.history.register(c.Flags())
	addPretty(c.Flags(), "colours and the view of the whole screen, on a terminal")
	return c
}

// runExec runs once, and again as often as somebody asks for it in the view.
func runExec(ctx context.Context, s Streams, o *execOptions, args []string) error {
	for {
		err := o.attempt(ctx, s, args)
		if o.again == nil {
			return err
		}
		_ = conclude(s, err) // the status is that of the last run
		s.note("again: drone exec " + report.Visible(strings.Join(o.again.words(), " ")))
		o.sel, o.again = o.again.of(o.sel), nil
	}
}

func (o *execOptions) attempt(ctx context.Context, s Streams, args []string) error {
	if o.timing {
		o.clock = newStopwatch()
	}
	if err := o.checkView(s); err != nil {
		return err
	}
	if err := o.limits.check(); err != nil {
		return err
	}
	o.engine.grace = o.limits.grace
	planner, err := o.planner(s)
	if err != nil {
		return err
	}
	planner.mayAsk = true
	o.history.root = planner.tree.Root
	if planner.admit, err = o.admission(ctx, s); err != nil {
		return err
	}
	p, err := planner.load(ctx, args)
	if err != nil {
		return err
	}
	if err := p.showProblems(s); err != nil {
		if p.untrusted() && !p.declined {
			p.showUnagreed(s)
		}
		return err
	}
	if err := p.advise(s); err != nil {
		return err
	}
	p.noteSkip(s)
	if err := p.refuseCommands(s); err != nil {
		return err
	}
	o.warnNoEffect(s, p.plan)
	if !o.isolate.isolate {
		if err := checkWorkspace(p.plan); err != nil {
			return err
		}
	}
	if o.isolate.clean && runs(p.plan) > 0 {
		if err := checkCommit(ctx, s); err != nil {
			return err
		}
	}
	supplied, err := o.supplied(s, p.plan)
	if err != nil {
		return err
	}
	supplied.inText = p.legacy != nil && p.legacy.Version == convert.Version05
	if err := checkSecrets(s, supplied, o.secrets.allowMissing); err != nil {
		return err
	}
	return o.run(ctx, s, p, supplied.lookup)
}

// admission refuses files without the valid signatures that are asked for,
// whatever else they are. It is nil when none are.
func (o *execOptions) admission(ctx context.Context, s Streams) (func(name string, source []byte) error, error) {
	var checks []func(name string, source []byte) verdict
	if o.requireSignature {
		key, _, err := repositoryKey(s, &o.secrets.key, o.build.overrides.Repo, "")
		if err != nil {
			return nil, err
		}
		who := signerFlags{key: o.secrets.key, repo: o.build.overrides.Repo}
		by := &signer{key: key, words: who.words("")}
		checks = append(checks, func(name string, source []byte) verdict { return verifySource(ctx, by, name, source) })
	}
	if o.requireJOSE != "" {
		check, err := joseAdmission(s, o.requireJOSE)
		if err != nil {
			return nil, err
		}
		checks = append(checks, check)
	}
	if checks == nil {
		return nil, nil
	}
	return func(name string, source []byte) error {
		for _, check := range checks {
			if v := check(name, source); v.exit != StatusOK {
				return &failure{status: v.exit, err: fmt.Errorf("%s; nothing was run", v.Message), hint: v.Hint}
			}
		}
		return nil
	}, nil
}

// warnNoEffect names the flags that pipelines without containers do not heed.
func (o *execOptions) warnNoEffect(s Streams, plan *exec.Plan) {
	if !runsType(plan, "exec") {
		return
	}
	if len(o.sel.volumes) > 0 {
		s.warn("--volume has no effect on pipelines of type exec, which have no containers")
	}
	if len(o.sel.networks) > 0 {
		s.warn("--network has no effect on pipelines of type exec, which have no containers")
	}
}

// warnMissing tells of paths of --volume that do not exist: the engine makes an
// empty directory of them, which belongs to root, where a typing error is
// likelier. On other systems the engine has files that are not seen here.
func (o *execOptions) warnMissing(e engines, warn func(string)) {
	if runtime.GOOS != "linux" || e.docker == nil || !e.docker.SharesFiles() {
		return
	}
	binds, err := o.sel.binds()
	if err != nil {
		return // the plan was made with them
	}
	for _, bind := range binds {
		if _, err := os.Stat(bind.Host); errors.Is(err, os.ErrNotExist) {
			warn(fmt.Sprintf("--volume: there is no %s on this machine, so the engine makes an empty directory of that name", bind.Host))
		}
	}
}

// checkWorkspace refuses a directory that steps could not write to: every one
// of them would fail, with a message that does not name the directory. Those of
// type exec write to a copy.
func checkWorkspace(plan *exec.Plan) error {
	for _, p := range running(plan, "docker") {
		if p.Workspace.Host == "" {
			continue
		}
		if err := writable(p.Workspace.Host); err != nil {
			return usage(fmt.Errorf("the workspace %s cannot be written to: %w", p.Workspace.Host, err),
				"run drone in a directory that you may write to, or with --clone")
		}
	}
	return nil
}

// run carries the plan out. The signal handlers are in place before the engine
// is asked for anything.
func (o *execOptions) run(ctx context.Context, s Streams, p *planned, secret lookup) error {
	o.clock.lap("planning")
	limits, err := historyLimits(s)
	if err != nil {
		return err
	}
	notices := &notices{streams: s}
	ctx, signals := untilSignal(ctx, endingRun(p.plan, o.limits.grace), notices.note)
	defer signals.stop()
	dismissed := ctx.Done()
	ctx, abandon := context.WithCancelCause(ctx)
	defer abandon(nil)
	ctx, cancel := o.limits.bound(ctx)
	defer cancel()
	ending := make(chan struct{})
	// At an ordinary end readers have all the time they want.
	defer context.AfterFunc(ctx, func() { close(ending) })()
	s.bound(ending, signals.hurry)
	id := exec.NewRun()
	held := &resources{copies: &isolate.Copies{}}
	defer held.Close()
	if runs(p.plan) > 0 {
		if err := held.acquire(ctx, s, o, id, p.plan, notices); err != nil {
			return err
		}
	}
	exitStatus := func(sum *exec.Summary) int { return eventStatus(ctx, sum, held.copies) }
	record := o.history.start(s, id, p, limits, o.clock, exitStatus, notices.warn)
	defer record.end(true) // also when something panics
	form := o.form(s)
	view := s.newView(form, p.plan, ctx.Done(), dismissed, signals, func(step exec.StepName) error { return s.shell(ctx, held.engines, id, step) })
	renderer := view.renderer(record, func() report.Renderer { return o.renderer(ctx, s, form, p.plan, exitStatus, signals.hurry) })
	// Also when something panics a terminal is left as it was found.
	defer renderer.Close()
	back := notices.hand(renderer)
	defer back()
	show := showOn(renderer, abandon)
	if o.bell {
		show = s.ringing(renderer, show)
	}
	summary, err := exec.Run(ctx, p.plan, held.engines, exec.Options{
		Run: id, Secret: secret, Parallel: o.isolate.jobs, StepTimeout: o.limits.step, IdleTimeout: o.limits.idle,
		Lookahead: o.limits.lookahead, Cleanup: o.limits.grace + removal, Hurry: signals.hurry, Haste: held.haste(),
		Heir: held.heir(o.cleanup.behind(s)), Cancel: view.cancel,
	}, held.heeded(record.heed(show)))
	held.guard.over(errors.Join(err, held.copies.Failure()), signals.hurried())
	if view.shown { // which may stay for long
		record.end(signals.hurried())
		leave := time.AfterFunc(stayTime, held.guard.end)
		defer leave.Stop()
	}
	if closeErr := renderer.Close(); closeErr != nil {
		abandon(outputError{closeErr})
	}
	o.again = view.again.Load()
	back()
	isKept := record.end(signals.hurried())
	return o.finish(ctx, s, p, summary, held, isKept, err)
}

// stayTime is after what time a view that has not closed is one that stays: then
// the guard is left to its work, or ended, for nobody knows how long it stays.
const stayTime = time.Second

// showOn passes events to renderer. Once that cannot show one the run is
// abandoned, and output is no longer passed: millions of lines may still wait,
// for nobody.
func showOn(renderer report.Renderer, abandon context.CancelCauseFunc) func(exec.Event) {
	untaken := false
	return func(e exec.Event) {
		if _, output := e.(exec.StepOutput); output && untaken {
			return
		}
		if err := renderer.Handle(e); err != nil {
			untaken = true
			abandon(outputError{err})
		}
	}
}

// outputError is the cause of a run that ended because nobody takes its output.
type outputError struct{ error }

// Error names what the caller knows: that the reader has gone away, as head does.
func (e outputError) Error() string {
	if unread(e.error) {
		return "nobody reads the output any more"
	}
	return e.error.Error()
}

func (e outputError) Unwrap() error { return e.error }

func (o *execOptions) renderer(ctx context.Context, s Streams, form string, plan *exec.Plan, status func(*exec.Summary) int, hurry <-chan struct{}) report.Renderer {
	switch form {
	case outputJSON:
		return report.NewJSON(s.Out, status).WithTiming(o.clock.timing())
	case outputQuiet:
		return report.NewQuiet(s.Err, s.errStyle())
	case outputBoard:
		return s.liveRenderer(plan, ctx.Done(), hurry)
	}
	return report.NewPlain(s.Out, s.Err, s.outStyle(), s.errStyle())
}

// finish shows the summary and decides the exit status.
func (o *execOptions) finish(ctx context.Context, s Streams, p *planned, summary *exec.Summary, held *resources, isKept bool, err error) error {
	copies := held.copies
	var unreachable *exec.UnreachableError
	ran := runs(p.plan) > 0
	gone := errors.As(err, &unreachable)
	if gone && !began(summary) {
		return engineFailure(ctx, err)
	}
	defect, broken := errors.AsType[*exec.PanicError](err)
	if err != nil && !broken && !gone {
		return &failure{status: StatusFailed, err: err}
	}
	if !ran {
		s.note(nothingRuns(p, o.sel.pipelines))
	}
	if ran && o.summarises(summary) {
		options := report.SummaryOptions{Style: s.errStyle(), Width: s.width()}
		if err := report.WriteSummary(s.Err, summary, options); err != nil {
			// Nobody reads what there is to say, but the status is still true.
			return &failure{status: max(StatusFailed, runStatus(ctx, summary))}
		}
	}
	if t := o.clock.timing(); t != nil && ran && o.output.value != outputJSON {
		// Whoever does not take it has not taken the summary either.
		_ = report.WriteTiming(s.Err, summary, *t, s.errStyle())
	}
	if isKept && ran && o.summarises(summary) {
		s.noteLog(summary)
	}
	s.noteLeft(summary, held.guard.works())
	if broken {
		return internalError(defect)
	}
	status := runStatus(ctx, summary)
	why := o.ending(ctx, status)
	if status == StatusTimeout {
		why = o.limits.failure(ctx, summary)
	}
	switch lost := copies.Failure(); {
	case lost == nil:
	case status == StatusOK && why == nil:
		why = lost
	default:
		s.warn(lost.Error())
	}
	if gone && status == StatusUnreachable {
		return engineFailure(ctx, err)
	}
	if status == StatusOK && why != nil {
		status = StatusFailed
	}
	if status == StatusOK {
		return nil
	}
	if f, ok := errors.AsType[*failure](why); ok {
		return f
	}
	return &failure{status: status, err: why}
}

// ending explains what no step is to blame for: that the run was ended, or
// that not all of it was shown. A reader that has gone away wants to know
// neither.
func (o *execOptions) ending(ctx context.Context, status int) error {
	var lost outputError
	if defect, ok := errors.AsType[*exec.PanicError](context.Cause(ctx)); ok {
		return internalError(defect)
	}
	switch {
	case !errors.As(context.Cause(ctx), &lost) || unread(lost):
		return nil
	case status == StatusOK:
		return fmt.Errorf("the run succeeded, but not all of its output could be written: %w", lost)
	}
	return fmt.Errorf("the run was ended because its output could not be written: %w", lost)
}

// noteLeft says what becomes of what was not removed; warnings named it.
func (s Streams) noteLeft(summary *exec.Summary, guarded bool) {
	switch {
	case !slices.ContainsFunc(summary.Warnings, func(w exec.Warning) bool { return w.Left }):
	case guarded:
		s.note("some of what the run made is left: its guard goes on to remove it; `drone clean` shows, and removes, what stays")
	default:
		s.note("some of what the run made is left: `drone clean` removes it")
	}
}

// began reports whether any step was started.
func began(s *exec.Summary) bool {
	return slices.ContainsFunc(s.Pipelines, func(p *exec.PipelineSummary) bool {
		return slices.ContainsFunc(p.Steps, func(t *exec.StepSummary) bool { return !t.Started.IsZero() })
	})
}

func runs(plan *exec.Plan) int {
	n := 0
	for _, p := range plan.Pipelines {
		if p.Runs {
			n++
		}
	}
	return n
}

// nothingRuns says that, and what to do about it; named are the names given with
// --pipeline.
func nothingRuns(p *planned, named []string) string {
	able := canRun(p.plan)
	some := "one"
	if len(able) < len(p.plan.Pipelines) {
		some = "one of " + strings.Join(able, ", ")
	}
	switch {
	case len(able) == 0:
		return "no pipeline of " + p.name + " can run on this machine: those of type docker for linux can, and those of type exec for it"
	case len(named) > 0:
		return "no pipeline of " + p.name + " that --pipeline names runs; on this machine these can: " + strings.Join(able, ", ")
	}
	return fmt.Sprintf("no pipeline of %s runs for %s; try another --event or --branch, or name %s with --pipeline", p.name, describeBuild(p.build), some)
}

// canRun names the pipelines that this program runs, whatever else decides.
func canRun(plan *exec.Plan) (names []string) {
	for _, p := range plan.Pipelines {
		here := p.Platform.OS == runtime.GOOS && (p.Platform.Arch == "" || p.Platform.Arch == runtime.GOARCH)
		if p.Type == "docker" && p.Platform.OS == "linux" || p.Type == "exec" && here {
			names = append(names, p.Name)
		}
	}
	return names
}

// patience is how long an engine may take to answer before that is said.
const patience = 5 * time.Second

// open connects to the engine. When that takes long, say is told what is waited
// for.
func (f *engineFlags) open(ctx context.Context, s Streams, say func(string)) (*docker.Engine, error) {
	env := dockerhost.Process()
	endpoint, err := dockerhost.Resolve(env, f.host)
	if err != nil {
		return nil, err
	}
	credentials, err := dockerhost.LoadCredentials(env, f.registry)
	if err != nil {
		return nil, err
	}
	waiting := time.AfterFunc(patience, func() {
		say(fmt.Sprintf("waiting for the engine at %s, found through %s", endpoint.Host, endpoint.Source))
	})
	defer waiting.Stop()
	return docker.New(ctx, docker.Options{
		Endpoint: endpoint, Credentials: credentials, Helper: helper(), State: shareDir(s), Offline: f.offline, Grace: f.grace,
	})
}
