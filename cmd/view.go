package cmd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/report"
	"github.com/drone-laptop/drone/tui/viewer"
)

// The forms of what a run prints. text is another name for board.
const (
	outputAuto  = "auto"
	outputView  = "tui"
	outputBoard = "board"
	outputPlain = "plain"
	outputJSON  = "json"
	outputQuiet = "quiet"
	outputText  = "text"
)

func addRunOutput(flags *pflag.FlagSet) *outputFlag {
	o := &outputFlag{choice{value: outputAuto, kind: "form", of: []string{outputAuto, outputView, outputBoard, outputPlain, outputJSON, outputQuiet, outputText}}}
	flags.Var(o, "output", "`form` of the output: auto (tui on a terminal, otherwise plain), tui (the whole screen), board (lines, and on a terminal what runs beneath them), plain (lines), json, quiet (nothing, unless it fails)")
	return o
}

// form is what the run prints: what was asked for, as far as the streams allow.
func (o *execOptions) form(s Streams) string {
	form := o.output.value
	switch {
	case form == outputJSON || form == outputQuiet || form == outputView:
		return form
	case o.plain || form == outputPlain || !s.live():
		return outputPlain
	case form == outputAuto && s.mayView():
		return outputView
	}
	return outputBoard
}

// mayView reports whether the whole screen is drawn on when nobody has said: the
// terminal must be known to be large enough for more than a word, and be this
// program's at the moment.
func (s Streams) mayView() bool {
	if s.whyNoView() != "" {
		return false
	}
	width, height, err := term.GetSize(int(s.Terminal.Fd()))
	return err == nil && viewer.Fits(width, height) && foreground(s.Terminal)
}

// summarises reports whether there is a table at the end.
func (o *execOptions) summarises(s *exec.Summary) bool {
	switch o.output.value {
	case outputJSON:
		return false
	case outputQuiet:
		return s.Status != exec.StatusSuccess
	}
	return true
}

// checkView refuses to show a view where there is nowhere to.
func (o *execOptions) checkView(s Streams) error {
	if o.output.value != outputView {
		return nil
	}
	if o.plain {
		return usage(errors.New("--plain and --output tui contradict each other"), "leave one of them out")
	}
	if why := s.whyNoView(); why != "" {
		return usage(errors.New("--output tui cannot be shown: "+why), "leave it out, or choose --output plain")
	}
	return nil
}

// whyNoView says why the whole screen cannot be drawn on, or nothing.
func (s Streams) whyNoView() string {
	switch {
	case runtime.GOOS == "windows":
		return "it does not know the console of Windows"
	case s.getenv("CI") != "":
		return "CI is set, so nobody is there to look at it"
	case s.Terminal == nil || !s.Dialogue:
		return "standard input, output and error are not one terminal"
	case s.getenv("TERM") == "" || s.getenv("TERM") == "dumb":
		return fmt.Sprintf("TERM is %q, a terminal that cannot be drawn on", s.getenv("TERM"))
	}
	if _, ok := s.In.(*os.File); !ok {
		return "standard input is no terminal"
	}
	return ""
}

// view is the whole screen for a run, when there is to be one.
type view struct {
	streams Streams
	shown   bool
	plan    *exec.Plan
	// stopping is closed when the run is being ended early, and dismissed when
	// drone itself is to end.
	stopping, dismissed <-chan struct{}
	signals             signals
	// cancel has the steps that are to be ended.
	cancel chan exec.StepName
	again  atomic.Pointer[rerun] // what somebody wants to be run again
	// shell opens one in the container of a step.
	shell func(exec.StepName) error
}

// rerun is a step that is to be run again, alone or with those after it.
type rerun struct {
	pipeline, step string
	on             bool
}

// of gives the flags for it, made of those of the run before.
func (r *rerun) of(sel selectFlags) selectFlags {
	sel.pipelines = []string{r.pipeline}
	if r.on {
		sel.include, sel.resumeAt = nil, r.step
	} else {
		sel.include, sel.resumeAt = []string{r.step}, ""
	}
	return sel
}

// words are the flags as they are written, beside those of the run before.
func (r *rerun) words() []string {
	flag := "--include"
	if r.on {
		flag = "--resume-at"
	}
	return []string{"--pipeline", shellWord(r.pipeline), flag, shellWord(r.step)}
}

// manySteps is how many steps can wait to be ended.
const manySteps = 16

func (s Streams) newView(form string, plan *exec.Plan, stopping, dismissed <-chan struct{}, signals signals, shell func(exec.StepName) error) *view {
	v := &view{streams: s, shown: form == outputView, plan: plan, stopping: stopping, dismissed: dismissed, signals: signals, shell: shell}
	if v.shown {
		v.cancel = make(chan exec.StepName, manySteps)
	}
	return v
}

// renderer is the view, or what otherwise gives. Where the run is kept the view
// reads its lines from there.
func (v *view) renderer(record *recorder, otherwise func() report.Renderer) report.Renderer {
	if !v.shown {
		return otherwise()
	}
	s := v.streams
	terminal := newOutlet(s.Terminal)
	terminal.bound(v.stopping, v.signals.hurry)
	var log func(pipeline, step string) viewer.Log
	if record != nil {
		log = func(pipeline, step string) viewer.Log {
			if l := record.Log(pipeline, step); l != nil {
				return l
			}
			return nil
		}
	}
	return viewer.New(viewer.Options{
		Input: s.In, Terminal: s.Terminal, Output: terminal, Plan: v.plan, Look: s.look(), Log: log,
		Interrupt: v.signals.interrupt,
		CancelStep: func(pipeline, step string) bool {
			select {
			case v.cancel <- exec.StepName{Pipeline: pipeline, Step: step}:
				return true
			default:
				return false
			}
		},
		Shell:    func(pipeline, step string) error { return v.shell(exec.StepName{Pipeline: pipeline, Step: step}) },
		Rerun:    func(pipeline, step string, on bool) { v.again.Store(&rerun{pipeline, step, on}) },
		Plain:    report.NewPlain(s.Out, s.Err, s.outStyle(), s.errStyle()),
		Stopping: v.stopping, Dismissed: v.dismissed,
		Note: func(text string) { _, _ = io.WriteString(s.Err, text+"\n") },
	})
}

// look is what the terminal can show, as its variables tell.
func (s Streams) look() viewer.Look {
	return viewer.Look{Colours: s.colour(s.OutTerminal), Light: light(s.getenv("COLORFGBG")), ASCII: s.onlyASCII()}
}

// light reads COLORFGBG, in which some terminals write the numbers of their
// colours, that of the background last.
func light(colours string) bool {
	n, err := strconv.Atoi(colours[strings.LastIndexByte(colours, ';')+1:])
	return err == nil && (n == 7 || n > 8)
}

// onlyASCII reports a locale or a terminal that has no further characters. One
// that says nothing is taken for one of today.
func (s Streams) onlyASCII() bool {
	if s.getenv("TERM") == "linux" {
		return true
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToLower(s.getenv(name)); locale != "" {
			return !strings.Contains(locale, "utf-8") && !strings.Contains(locale, "utf8")
		}
	}
	return false
}
