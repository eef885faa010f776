package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/history"
	"github.com/drone-laptop/drone/internal/similar"
	"github.com/drone-laptop/drone/report"
)

type logOptions struct {
	output                     *outputFlag
	failed, follow, timestamps bool
	back                       func() []string
}

func newLog(s Streams) *cobra.Command {
	o := &logOptions{}
	c := &cobra.Command{
		Use:   "log [RUN] [PIPELINE/STEP]",
		Short: "show what a run has printed",
		Long: "log shows a run that `drone exec` has kept: on a terminal in the view of exec, otherwise,\n" +
			"or with any of the flags, as lines; with a step what that step has printed and nothing\n" +
			"else. RUN is an id as `drone runs` lists it, the beginning of one, last (the default), or\n" +
			"-1 to -9 counted from the newest of this working tree. STEP alone is enough where one\n" +
			"pipeline has such a step, and PIPELINE stands for all its steps.\n\n" +
			"view, follow and failed show builds of a server instead.",
		Example: "  drone log\n  drone log --failed\n  drone log last build/test\n  drone log -2 --timestamps\n" +
			"  drone log --follow          # of a run in another terminal\n  drone log --output json | jq .text\n" +
			"  drone log --output plain    # as lines, also on a terminal",
		Args: cobra.MaximumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return runLog(orBackground(c.Context()), s.of(c), o, append(o.back(), args...))
		},
		ValidArgsFunction: completeLog(s),
	}
	flags := c.Flags()
	flags.BoolVar(&o.failed, "failed", false, "only the output of steps that failed")
	flags.BoolVarP(&o.follow, "follow", "f", false, "go on while the run does")
	flags.BoolVarP(&o.timestamps, "timestamps", "t", false, "put the time in front of each line")
	o.output = &outputFlag{choice{value: outputAuto, kind: "form", of: []string{outputAuto, outputView, outputPlain, outputJSON, outputText}}}
	flags.Var(o.output, "output", "`form` of the output: auto (tui on a terminal, otherwise plain), tui (the whole screen), plain (lines), json")
	o.back = addBack(flags)
	addPretty(flags, "colours, on a terminal")
	c.AddCommand(newLogView(s), newLogFollow(s), newLogFailed(s), newLogPurge(s))
	return c
}

// addBack has -1 to -9 name runs, which a parser of flags would refuse
// otherwise. The returned function gives those that were given.
func addBack(flags *pflag.FlagSet) func() []string {
	var given [10]bool
	for n := 1; n < len(given); n++ {
		digit := strconv.Itoa(n)
		flags.BoolVarP(&given[n], "back-"+digit, digit, false, "the run that many back from the newest")
		flags.Lookup("back-" + digit).Hidden = true
	}
	return func() (words []string) {
		for n, is := range given {
			if is {
				words = append(words, "-"+strconv.Itoa(n))
			}
		}
		return words
	}
}

func runLog(ctx context.Context, s Streams, o *logOptions, words []string) error {
	switch {
	case len(words) > 2:
		return usage(fmt.Errorf("drone log takes a run and a step, got %s", strings.Join(words, " ")), "see `drone log --help`")
	case o.failed && o.follow:
		return usage(errors.New("--failed and --follow contradict each other: which steps fail is known afterwards"), "leave out one of the two")
	case o.failed && len(words) == 2:
		return usage(errors.New("--failed chooses the steps, so none can be named"), "leave out one of the two")
	case o.timestamps && o.output.value == "json":
		return usage(errors.New("--timestamps has no effect on JSON, which has the time of each line"), "leave it out")
	}
	k, err := findKept(s)
	if err != nil {
		return err
	}
	k.tellDamage(s)
	run, word, err := k.choose(words)
	if err != nil {
		return err
	}
	if o.inView(s, word) {
		return o.onScreen(ctx, s, run, word)
	}
	l := &logView{logOptions: o, streams: s, run: run}
	if word != "" {
		if l.steps, err = chooseSteps(run, word); err != nil {
			return err
		}
	}
	if o.failed {
		if l.steps, err = failedSteps(run); err != nil {
			return err
		}
		if len(l.steps) == 0 {
			s.note("no step of run " + run.ID + " has failed")
			l.tellState(&exec.Summary{})
			return nil
		}
	}
	return l.show(ctx)
}

// inView reports whether the run is shown on the whole screen. Whoever asks for a
// part of it, or for lines of a certain kind, gets lines.
func (o *logOptions) inView(s Streams, step string) bool {
	if o.output.value != outputAuto {
		return o.output.value == outputView
	}
	part := step != "" || o.failed || o.follow || o.timestamps
	return !part && s.mayView()
}

// choose finds the run that words name, and the word for a step in it. A single
// word may be either: one that is no run is taken for a step of the last one.
func (k *kept) choose(words []string) (history.Run, string, error) {
	switch len(words) {
	case 0:
		run, err := k.find(history.Last)
		return run, "", err
	case 1:
		run, err := k.find(words[0])
		if err == nil || len(k.tree) == 0 {
			return run, "", err
		}
		if none, ok := errors.AsType[*history.NotFoundError](err); ok && len(none.Among) == 0 && !strings.HasPrefix(words[0], "-") {
			steps, unread := stepsOf(k.tree[0])
			names := slices.Concat(stepNames(steps), bareNames(steps), pipelineNames(steps))
			// What is wrong with a step is for others to say.
			if unread == nil && (strings.Contains(words[0], "/") || slices.Contains(names, words[0])) {
				return k.tree[0], words[0], nil
			}
		}
		return run, "", err
	}
	run, err := k.find(words[0])
	return run, words[1], err
}

// stepsOf are the steps that a run has, as its plan tells, and its events where
// there is no plan.
func stepsOf(run history.Run) ([]history.Step, error) {
	var steps []history.Step
	if plan := keptPlan(run); plan != nil {
		for _, p := range plan.Pipelines {
			for _, t := range p.Steps {
				steps = append(steps, history.Step{Pipeline: p.Name, Step: t.Name})
			}
		}
		return steps, nil
	}
	_, reader, err := foldEvents(run)
	if err != nil {
		return nil, err
	}
	return reader.Steps(), nil
}

// foldEvents reads the events of a run.
func foldEvents(run history.Run) (*exec.Summary, *history.Reader, error) {
	reader, err := run.Open()
	if err != nil {
		return nil, nil, unreadable(run, err)
	}
	defer reader.Close()
	records, err := reader.Read()
	if err != nil {
		return nil, nil, unreadable(run, err)
	}
	summary := &exec.Summary{}
	for _, r := range records {
		summary.Apply(r.Event)
	}
	return summary, reader, nil
}

func unreadable(run history.Run, err error) error {
	return usage(fmt.Errorf("run %s cannot be read: %w", run.ID, err), "`drone runs rm "+run.ID+"` removes it")
}

// failedSteps are those whose failure counts.
func failedSteps(run history.Run) (steps []history.Step, err error) {
	summary, _, err := foldEvents(run)
	if err != nil {
		return nil, err
	}
	for _, p := range summary.Pipelines {
		for _, t := range p.Failed() {
			steps = append(steps, history.Step{Pipeline: p.Name, Step: t.Name})
		}
	}
	return steps, nil
}

// chooseSteps finds the steps that a word names.
func chooseSteps(run history.Run, word string) ([]history.Step, error) {
	all, err := stepsOf(run)
	if err != nil {
		return nil, err
	}
	matching := func(is func(history.Step) bool) (some []history.Step) {
		for _, step := range all {
			if is(step) {
				some = append(some, step)
			}
		}
		return some
	}
	if exact := matching(func(t history.Step) bool { return t.Pipeline+"/"+t.Step == word }); len(exact) > 0 {
		return exact, nil
	}
	named := matching(func(t history.Step) bool { return t.Step == word })
	if len(named) == 1 {
		return named, nil
	}
	if len(named) > 1 {
		return nil, usage(fmt.Errorf("several pipelines of run %s have a step %q", run.ID, word), "write one of "+strings.Join(stepNames(named), ", "))
	}
	if pipeline := matching(func(t history.Step) bool { return t.Pipeline == word }); len(pipeline) > 0 {
		return pipeline, nil
	}
	names := stepNames(all)
	hint := "it has " + strings.Join(names[:min(8, len(names))], ", ")
	if len(names) > 8 {
		hint += fmt.Sprintf(" and %d more", len(names)-8)
	}
	if near := similar.Word(word, append(names, bareNames(all)...)); near != "" {
		hint = fmt.Sprintf("did you mean %q", near)
	}
	return nil, usage(fmt.Errorf("run %s has no step %q", run.ID, word), hint)
}

func stepNames(steps []history.Step) (names []string) {
	for _, t := range steps {
		names = append(names, t.Pipeline+"/"+t.Step)
	}
	return names
}

func bareNames(steps []history.Step) (names []string) {
	for _, t := range steps {
		names = append(names, t.Step)
	}
	return names
}

func pipelineNames(steps []history.Step) (names []string) {
	for _, t := range steps {
		names = append(names, t.Pipeline)
	}
	return names
}

// logView shows one run.
type logView struct {
	*logOptions
	streams Streams
	run     history.Run
	steps   []history.Step // nil is all
}

func (l *logView) wants(step history.Step) bool {
	return l.steps == nil || slices.Contains(l.steps, step)
}

// show prints the run, or the steps of it that are wanted.
func (l *logView) show(ctx context.Context) error {
	reader, err := l.run.Open()
	if err != nil {
		return unreadable(l.run, err)
	}
	defer reader.Close()
	s := l.streams
	summary := &exec.Summary{}
	renderer, emit := l.renderer()
	err = history.Replay{
		Follow: l.follow, Step: l.wants,
		Emit: func(r history.Record) error {
			summary.Apply(r.Event)
			return emit(r)
		},
		Damaged: func(err error) { s.warn(err.Error()) },
	}.Run(ctx, reader)
	if closeErr := renderer.Close(); err == nil {
		err = closeErr
	}
	switch {
	case unread(err):
		return &failure{status: StatusFailed} // nobody reads any more
	case err != nil:
		return &failure{status: StatusFailed, err: err}
	}
	if l.output.value != outputJSON && l.steps == nil && summary.Status != exec.StatusRunning && summary.Status != "" {
		if err := report.WriteSummary(s.Err, summary, report.SummaryOptions{Style: s.errStyle(), Width: s.width()}); err != nil {
			return &failure{status: StatusFailed}
		}
	}
	l.tellState(summary)
	return nil
}

// tellState says what cannot be seen from what was printed.
func (l *logView) tellState(summary *exec.Summary) {
	s := l.streams
	switch state := l.run.State(); {
	case state == exec.StatusRunning && (summary.Status == exec.StatusRunning || summary.Status == "") && !l.follow:
		s.note("the run goes on; `drone log --follow` shows what is to come")
	case state == history.Interrupted:
		s.note("the run was interrupted: its drone was killed before it could end it")
	case state == history.Unknown:
		s.note("whether the run goes on cannot be told: it belongs to another machine or a container")
	}
	if l.run.Incomplete != "" {
		s.warn("not all of this run was kept: " + l.run.Incomplete)
	}
}

// renderer shows events in the form that was asked for.
func (l *logView) renderer() (report.Renderer, func(history.Record) error) {
	s := l.streams
	if l.output.value == "json" {
		j := report.NewJSON(s.Out, func(*exec.Summary) int { return 0 })
		return j, func(r history.Record) error {
			if !l.about(r.Event) {
				return nil
			}
			if r.Raw != nil {
				return j.Raw(r.Raw)
			}
			return j.Handle(r.Event)
		}
	}
	var renderer report.Renderer
	if len(l.steps) == 1 {
		renderer = report.NewText(s.Out, s.outStyle())
	} else {
		renderer = report.NewPlain(s.Out, s.Err, s.outStyle(), s.errStyle())
	}
	if l.timestamps {
		renderer = report.Stamped(renderer)
	}
	return renderer, func(r history.Record) error {
		if !l.about(r.Event) {
			return nil
		}
		return renderer.Handle(r.Event)
	}
}

// about leaves out what concerns other steps than those that are wanted.
func (l *logView) about(e exec.Event) bool {
	if l.steps == nil {
		return true
	}
	switch e := e.(type) {
	case exec.StepStarted:
		return l.wants(history.Step{Pipeline: e.Pipeline, Step: e.Step})
	case exec.StepFinished:
		return l.wants(history.Step{Pipeline: e.Pipeline, Step: e.Step})
	case exec.StepSkipped:
		return l.wants(history.Step{Pipeline: e.Pipeline, Step: e.Step})
	case exec.PipelineStarted, exec.PipelineFinished, exec.PipelineSkipped, exec.PullProgress, exec.Warning:
		return false
	}
	return true
}
