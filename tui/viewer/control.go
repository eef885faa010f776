package viewer

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/report"
)

// Control is what can be asked of a run that goes on elsewhere, such as a build
// of a server. Its functions may take their time; they give what is to be said.
type Control struct {
	// Approve and Decline answer for a pipeline that waits for somebody, "" for all
	// that do.
	Approve, Decline func(pipeline string) (string, error)
	Cancel, Restart  func() (string, error)
	Promote          func(target string) (string, error)
}

// The actions of a Control. They stand apart so that the others keep their
// numbers.
const (
	approve action = 100 + iota
	decline
	cancelBuild
	restart
	promote
)

// canControl is for views with a Control.
const canControl ability = 1 << 7

// controls are the bindings of a Control.
var controls = []binding{
	{action: approve, keys: []string{"A"}, shown: "A", where: anywhere, short: "approve", long: "approve the pipeline if it waits for that, else all that do", needs: canControl, same: "drone build approve"},
	{action: decline, keys: []string{"D"}, shown: "D", where: anywhere, long: "decline it", needs: canControl, same: "drone build decline"},
	{action: cancelBuild, keys: []string{"X"}, shown: "X", where: anywhere, short: "cancel", long: "cancel the build", needs: canControl, same: "drone build stop"},
	{action: restart, keys: []string{"R"}, shown: "R", where: anywhere, short: "restart", long: "build the same again", needs: canControl, same: "drone build restart"},
	{action: promote, keys: []string{"P"}, shown: "P", where: anywhere, long: "promote the build to an environment", needs: canControl, same: "drone build promote"},
}

// deed is an action of a Control about something, before it is carried out.
type deed struct {
	question string
	do       func() (string, error)
}

// deedOf makes a deed. name is what is acted on, and pipeline which one is
// meant.
func (c *Control) deedOf(a action, name, pipeline string) (d deed) {
	of := ""
	if pipeline != "" {
		of = "pipeline " + report.Visible(pipeline) + " of "
	}
	switch a {
	case approve:
		return deed{"approve " + of + name + "?", func() (string, error) { return c.Approve(pipeline) }}
	case decline:
		return deed{"decline " + of + name + "?", func() (string, error) { return c.Decline(pipeline) }}
	case cancelBuild:
		return deed{"cancel " + name + "?", c.Cancel}
	case restart:
		return deed{"restart " + name + "?", c.Restart}
	}
	return deed{}
}

// ask gives the prompt before something is done, nil when the action is none of
// a Control. say is told what is going on.
func (c *Control) ask(a action, name, pipeline string, next func(*prompt), say func(string)) *prompt {
	if a == promote {
		return &prompt{question: "promote " + name + " to ", done: func(target string) tea.Cmd {
			if target = strings.TrimSpace(target); target != "" {
				d := deed{"promote " + name + " to " + report.Visible(target) + "?", func() (string, error) { return c.Promote(target) }}
				next(d.prompt(say))
			}
			return nil
		}}
	}
	if d := c.deedOf(a, name, pipeline); d.do != nil {
		return d.prompt(say)
	}
	return nil
}

// prompt asks before the deed is done.
func (d deed) prompt(say func(string)) *prompt {
	return &prompt{question: d.question + " y n ", keys: "yn", done: func(answer string) tea.Cmd {
		if answer != "y" {
			return nil
		}
		say("asking the server…")
		return func() tea.Msg {
			var text string
			err := exec.Guard(func() (err error) { text, err = d.do(); return err })
			if err != nil {
				text = err.Error()
			}
			return said(report.Visible(text))
		}
	}}
}

// controlRun asks before an action of the Control is carried out.
func (m *model) controlRun(a action) {
	if m.control == nil {
		return
	}
	pipeline := ""
	if p := m.snap.findPipeline(m.tree.selected.pipeline); p != nil && p.Status == exec.StatusPending && len(m.snap.pipelines) > 1 {
		pipeline = p.Name
	}
	asked := m.control.ask(a, report.Visible(m.snap.file), pipeline, func(p *prompt) { m.prompt = p }, func(text string) { m.message = text })
	if asked != nil {
		m.prompt = asked
	}
}

// pipelineOfPane is the pipeline that is selected, or the only one, which cannot
// be selected while it has no steps.
func (m *model) pipelineOfPane() *pipelineNode {
	if p := m.snap.findPipeline(m.tree.selected.pipeline); p != nil || len(m.snap.pipelines) != 1 {
		return p
	}
	return m.snap.pipelines[0]
}

// Expect says what is still to come, in place of Options.Plan, as far as it is
// known now. It may be called from any goroutine.
func (v *View) Expect(plan *exec.Plan) {
	v.mu.Lock()
	v.run.plan, v.made = plan, nil
	v.mu.Unlock()
	signal(v.changed)
}
