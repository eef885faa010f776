package report

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/drone-laptop/drone/exec"
)

// PlanView is a plan as `drone plan --output json` shows it. Fields may be
// added, never renamed or removed.
type PlanView struct {
	Event     string         `json:"event"`
	Ref       string         `json:"ref"`
	Branch    string         `json:"branch"`
	Pipelines []PipelineView `json:"pipelines"`

	// Changes are there when a condition is about changed files.
	Changes *ChangesView `json:"changes,omitempty"`
	// ServerSkips says why a server would not build this at all.
	ServerSkips string `json:"server_skips,omitempty"`
}

// ChangesView are the files that conditions were compared with. Either Unknown
// says why they are not known, or the rest is set.
type ChangesView struct {
	Base        string   `json:"base"`   // for people: main@1a2b3c4
	Commit      string   `json:"commit"` // of the base, "" for the empty tree
	Uncommitted bool     `json:"uncommitted"`
	Files       []string `json:"files"`
	Unknown     string   `json:"unknown,omitempty"`
}

// PipelineView is a pipeline of a PlanView.
type PipelineView struct {
	Name      string     `json:"name"`
	Type      string     `json:"type"`
	Runs      bool       `json:"runs"`
	Reason    string     `json:"reason"`
	DependsOn []string   `json:"depends_on"`
	Steps     []StepView `json:"steps"`
}

// StepView is a step of a PlanView. Runs is yes, no, on_failure or always.
type StepView struct {
	Name      string    `json:"name"`
	Kind      exec.Kind `json:"kind"`
	Runs      string    `json:"runs"`
	Reason    string    `json:"reason"`
	Image     string    `json:"image"`
	DependsOn []string  `json:"depends_on"`
}

// NewPlanView returns the view of a plan.
func NewPlanView(p *exec.Plan) PlanView {
	v := PlanView{Event: p.Event, Ref: p.Ref, Branch: p.Branch, Pipelines: []PipelineView{}}
	for _, pipe := range p.Pipelines {
		v.Pipelines = append(v.Pipelines, viewPipeline(pipe))
	}
	return v
}

func viewPipeline(p *exec.Pipeline) PipelineView {
	v := PipelineView{
		Name: p.Name, Type: p.Type, Runs: p.Runs, Reason: p.Reason,
		DependsOn: orEmpty(p.DependsOn), Steps: []StepView{},
	}
	for _, s := range p.Steps {
		step := StepView{
			Name: s.Name, Kind: s.Kind, Runs: policyWord(s.Policy), Reason: s.Reason,
			Image: s.Image, DependsOn: orEmpty(s.DependsOn),
		}
		if !p.Runs {
			step.Runs = "no"
		}
		v.Steps = append(v.Steps, step)
	}
	return v
}

func policyWord(p exec.Policy) string {
	switch p {
	case exec.OnFailure:
		return "on_failure"
	case exec.Always:
		return "always"
	case exec.Never:
		return "no"
	}
	return "yes"
}

// WritePlan writes a plan for people. build says for which build it is.
func WritePlan(w io.Writer, p *exec.Plan, build string, style Style) error {
	b := &planWriter{out: bufio.NewWriterSize(w, 64<<10), style: style}
	b.line("%s: %s", Visible(p.File), Visible(build))
	for _, pipe := range p.Pipelines {
		b.pipeline(pipe)
	}
	if len(p.Pipelines) == 0 {
		b.line("no pipeline")
	}
	return b.out.Flush()
}

type planWriter struct {
	out   *bufio.Writer // which remembers an error to the end
	style Style
	text  []byte // of the line being written
}

func (b *planWriter) line(format string, args ...any) {
	b.text = fmt.Appendf(b.text[:0], format, args...)
	b.text = append(bytes.TrimRight(b.text, " "), '\n')
	_, _ = b.out.Write(b.text)
}

func (b *planWriter) pipeline(p *exec.Pipeline) {
	after := ""
	if len(p.DependsOn) > 0 {
		after = " after " + strings.Join(visible(p.DependsOn), ", ")
	}
	b.line("")
	if !p.Runs {
		b.line("%s pipeline %s is skipped: %s", b.style.Paint(Grey, "○"), b.style.Bold(Visible(p.Name)), Visible(p.Reason))
		return
	}
	b.line("%s pipeline %s runs%s%s: %s", b.style.Paint(Green, "●"), b.style.Bold(Visible(p.Name)),
		after, pipelinePolicy(p.Policy), Visible(p.Reason))
	name, image := columns(p.Steps)
	graph := !serial(p.Steps)
	for _, s := range p.Steps {
		b.step(s, graph, name, image)
	}
}

func pipelinePolicy(p exec.Policy) string {
	switch p {
	case exec.OnFailure:
		return ", only after a failure"
	case exec.Always:
		return ", also after a failure"
	}
	return ""
}

// columns gives the widths that hold the names and images of steps.
func columns(steps []*exec.Step) (name, image int) {
	for _, s := range steps {
		name = min(maxPlanName, max(name, ansi.StringWidth(Visible(s.Name))))
		image = min(maxImage, max(image, ansi.StringWidth(shownImage(s.Image))))
	}
	return name, image
}

// maxImage and maxPlanName are how wide images and names may make their columns:
// a plan is read, so names are cut only where they would push all else away.
const (
	maxImage    = 40
	maxPlanName = 48
)

func (b *planWriter) step(s *exec.Step, graph bool, name, image int) {
	glyph := b.style.Paint(Green, "●")
	switch s.Policy {
	case exec.Never:
		glyph = b.style.Paint(Grey, "○")
	case exec.OnFailure:
		glyph = b.style.Paint(Yellow, "◐")
	}
	detail := stepPlanDetail(s, graph)
	b.line("  %s %s  %s  %s", glyph, pad(Visible(s.Name), name), b.style.Faint(pad(shownImage(s.Image), image)), detail)
}

// stepPlanDetail is what there is to say of a step. In a graph that includes
// what it waits for, also of a step that is skipped: others may wait for it. A
// step that waits for nothing is said to, since one depends_on elsewhere is
// enough to take a step out of the order of the list.
func stepPlanDetail(s *exec.Step, graph bool) string {
	var parts []string
	switch s.Kind {
	case exec.KindService:
		parts = append(parts, "service")
	case exec.KindClone:
		parts = append(parts, "clone")
	}
	if s.Detach && s.Kind != exec.KindService {
		parts = append(parts, "detached")
	}
	switch {
	case graph && len(s.DependsOn) > 0:
		parts = append(parts, "after "+strings.Join(visible(s.DependsOn), ", "))
	case graph && s.Kind == exec.KindStep && s.Policy != exec.Never:
		parts = append(parts, "at once")
	}
	switch s.Policy {
	case exec.Never:
		return strings.Join(append(parts, "skipped: "+Visible(s.Reason)), ", ")
	case exec.OnFailure:
		parts = append(parts, "only after a failure")
	case exec.Always:
		parts = append(parts, "also after a failure")
	}
	if s.Failure != "" {
		parts = append(parts, "failure: "+string(s.Failure))
	}
	return strings.Join(parts, ", ")
}

// serial reports steps of which each waits for the one before it and nothing
// else. That is the order in which they are listed, so it needs no words.
func serial(steps []*exec.Step) bool {
	for i, s := range steps {
		if i == 0 && len(s.DependsOn) > 0 {
			return false
		}
		if i > 0 && (len(s.DependsOn) != 1 || s.DependsOn[0] != steps[i-1].Name) {
			return false
		}
	}
	return true
}

func pad(text string, width int) string {
	text = ansi.Truncate(text, width, "…")
	return text + strings.Repeat(" ", max(0, width-ansi.StringWidth(text)))
}

// ShortImage is an image as people write it: without the default registry and
// the library of official images.
func ShortImage(image string) string {
	return strings.TrimPrefix(strings.TrimPrefix(image, "docker.io/"), "library/")
}

func shownImage(image string) string { return Visible(ShortImage(image)) }
