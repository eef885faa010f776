package watch

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/remote"
)

// Passed reports a final status of a build that is no failure.
func Passed(status string) bool {
	return status == remote.StateSuccess || status == remote.StateSkipped
}

// Place is a step by its numbers, as the paths of a server have them.
type Place struct{ Stage, Step int }

// Fold makes the events of a run of what a server says of one build: states of
// the whole build, and lines of its steps. What comes late, twice or not at all
// makes no difference in the end: it goes by the version that the server counts
// for each build, stage and step, and by the position of each line.
//
// Every pipeline and step gets exactly one terminal event, and the run too, as
// exec.Event says. A status that the server takes back has been told all the
// same.
//
// The zero Fold is not ready: Emit must be set. It is not safe for concurrent
// use.
type Fold struct {
	// Name is what RunStarted calls the run.
	Name string
	// Emit gets the events, in order.
	Emit func(exec.Event)
	// Holds says of which steps the end is not told before LogEnd; nil is none.
	Holds func(Place) bool
	// Now is the clock, for what the server gives no time of. Nil is time.Now.
	Now func() time.Time

	build  remote.Build // without stages
	known  bool
	begun  bool
	over   bool
	stages []*stage // by number
}

type stage struct {
	remote.Stage // without steps
	name         string
	steps        []*step // by number
	begun, ended bool
	blocked      bool // which has been told
}

type step struct {
	remote.Step
	name         string
	begun, ended bool
	logged       bool // no line follows
	next         int  // position of the next line
	line         int  // number of the last line
}

// Snapshot takes the whole build as it was at some time, with its stages and
// their steps.
func (f *Fold) Snapshot(b *remote.Build) {
	if b == nil {
		return
	}
	if f.known && len(b.Stages) == 0 && len(f.stages) > 0 {
		return // one of a list, which says nothing of its stages
	}
	if !f.known || newer(f.build.Version, b.Version, f.build.Status, b.Status) {
		f.build, f.known = *b, true
		f.build.Stages = nil
	}
	for _, from := range b.Stages {
		f.stage(from)
	}
	f.advance()
}

// newer reports whether what is known of something gives way. Nothing that has
// ended goes on.
func newer(had, has int64, was, is string) bool {
	if remote.Finished(was) {
		return remote.Finished(is) && has > had
	}
	return has > had || has == had && rank(is) > rank(was)
}

func rank(status string) int {
	switch {
	case remote.Finished(status):
		return 2
	case status == remote.StateRunning:
		return 1
	}
	return 0
}

// stage merges what is new of a stage.
func (f *Fold) stage(from remote.Stage) {
	i, known := slices.BinarySearchFunc(f.stages, from.Number, func(s *stage, n int) int { return cmp.Compare(s.Number, n) })
	if !known {
		name := from.Name
		if slices.ContainsFunc(f.stages, func(s *stage) bool { return s.name == name }) {
			name = fmt.Sprintf("%s (%d)", name, from.Number) // events tell pipelines apart by name
		}
		f.stages = slices.Insert(f.stages, i, &stage{Stage: from, name: name})
	}
	s := f.stages[i]
	if newer(s.Version, from.Version, s.Status, from.Status) {
		s.Stage = from
	}
	s.Steps = nil
	for _, t := range from.Steps {
		s.step(t)
	}
}

func (s *stage) step(from remote.Step) {
	i, known := slices.BinarySearchFunc(s.steps, from.Number, func(t *step, n int) int { return cmp.Compare(t.Number, n) })
	if !known {
		name := from.Name
		if slices.ContainsFunc(s.steps, func(t *step) bool { return t.name == name }) {
			name = fmt.Sprintf("%s (%d)", name, from.Number)
		}
		s.steps = slices.Insert(s.steps, i, &step{Step: from, name: name})
		return
	}
	if t := s.steps[i]; newer(t.Version, from.Version, t.Status, from.Status) {
		t.Step = from
	}
}

// advance tells what follows from what is known.
func (f *Fold) advance() {
	if f.over || !f.known {
		return
	}
	final := remote.Finished(f.build.Status)
	if !f.begun {
		if len(f.stages) == 0 && !final {
			return // which pipelines there are is told first
		}
		f.begin()
	}
	ended := true
	for _, s := range f.stages {
		ended = f.advanceStage(s, final) && ended
	}
	if !final || !ended {
		return
	}
	f.over = true
	f.Emit(exec.RunFinished{
		At: f.at(f.build.Finished), Status: f.status(f.build.Status), Duration: between(f.build.Started, f.build.Finished),
	})
}

func (f *Fold) begin() {
	f.begun = true
	names := make([]string, len(f.stages))
	for i, s := range f.stages {
		names[i] = s.name
	}
	at := f.at(f.build.Started)
	if f.build.Started == 0 {
		at = f.at(f.build.Created)
	}
	f.Emit(exec.RunStarted{At: at, Run: f.Name, Event: f.build.Event, Pipelines: names})
	if f.build.Error != "" {
		f.Emit(exec.Warning{At: at, Message: "the server refuses the build: " + f.build.Error})
	}
}

// advanceStage reports whether the stage has ended.
func (f *Fold) advanceStage(s *stage, buildOver bool) bool {
	if s.ended {
		return true
	}
	over := buildOver || remote.Finished(s.Status)
	// What was skipped may have a time at which it began all the same.
	never := s.Status == remote.StateSkipped || s.Status == remote.StateDeclined
	ran := s.begun || s.Started > 0 && !never || s.Status == remote.StateRunning
	switch {
	case s.Status == remote.StateBlocked && !buildOver:
		if !s.blocked {
			s.blocked = true
			f.Emit(exec.Warning{At: f.at(s.Updated), Pipeline: s.name, Message: "pipeline " + s.name + " waits until somebody approves it"})
		}
		return false
	case !over && !ran:
		return false
	case over && !ran && s.Status != remote.StateSuccess && s.Status != remote.StateFailure && s.Status != remote.StateError:
		s.ended = true
		f.Emit(exec.PipelineSkipped{At: f.at(s.Stopped), Pipeline: s.name, Reason: f.whySkipped(s.Status)})
		return true
	}
	f.beginStage(s)
	ended := true
	for _, t := range s.steps {
		ended = f.advanceStep(s, t, over) && ended
	}
	if !over || !ended {
		return false
	}
	s.ended = true
	status, reason := f.status(s.Status), s.Error
	if status == exec.StatusKilled && reason == "" {
		reason = "the build was cancelled"
	}
	if status == exec.StatusSkipped { // after it had begun
		status = exec.StatusKilled
	}
	f.Emit(exec.PipelineFinished{
		At: f.at(s.Stopped), Pipeline: s.name, Status: status, Reason: reason, Duration: between(s.Started, s.Stopped),
	})
	return true
}

func (f *Fold) beginStage(s *stage) {
	if !s.begun {
		s.begun = true
		f.Emit(exec.PipelineStarted{At: f.at(s.Started), Pipeline: s.name})
	}
}

// advanceStep reports whether the step has ended.
func (f *Fold) advanceStep(s *stage, t *step, stageOver bool) bool {
	status := t.Status
	switch {
	case t.ended:
		return true
	case !remote.Finished(status) && !stageOver && status != remote.StateRunning:
		return false
	case !t.begun && (status == remote.StateSkipped || !remote.Finished(status) && status != remote.StateRunning):
		t.ended = true
		f.Emit(exec.StepSkipped{At: f.at(t.Stopped), Pipeline: s.name, Step: t.name, Kind: t.kind(), Image: t.Image, Reason: f.whySkipped(status)})
		return true
	}
	f.beginStep(s, t)
	if !remote.Finished(status) && !stageOver || f.holds(s, t) {
		return false
	}
	t.ended = true
	e := exec.StepFinished{
		At: f.at(t.Stopped), Pipeline: s.name, Step: t.name, Kind: t.kind(), Image: t.Image,
		Status: f.status(status), ExitCode: t.ExitCode, Error: t.Error, Duration: between(t.Started, t.Stopped),
	}
	switch e.Status {
	case exec.StatusSkipped: // after it had begun
		e.Status = exec.StatusKilled
	case exec.StatusFailure, exec.StatusError:
		e.Ignored = t.ErrIgnore || t.Detached
	}
	f.Emit(e)
	return true
}

func (f *Fold) beginStep(s *stage, t *step) {
	f.beginStage(s)
	if !t.begun {
		t.begun = true
		f.Emit(exec.StepStarted{At: f.at(t.Started), Pipeline: s.name, Step: t.name, Kind: t.kind(), Image: t.Image})
	}
}

func (f *Fold) holds(s *stage, t *step) bool {
	return f.Holds != nil && !t.logged && f.Holds(Place{s.Number, t.Number})
}

// kind is what the step is, as far as a server tells: it does not tell services
// from detached steps.
func (t *step) kind() exec.Kind {
	switch {
	case t.Detached:
		return exec.KindService
	case t.Name == "clone" && t.Number == 1:
		return exec.KindClone
	}
	return exec.KindStep
}

// whySkipped says why something never ran. A server does not tell.
func (f *Fold) whySkipped(status string) string {
	switch {
	case status == remote.StateDeclined || f.build.Status == remote.StateDeclined:
		return "it was declined"
	case f.build.Status == remote.StateKilled:
		return "the build was cancelled"
	case remote.Finished(status):
		return "the server skipped it"
	}
	return "its turn had not come when the rest ended"
}

// status is a final status as events have it.
func (f *Fold) status(status string) exec.Status {
	switch s := exec.Status(status); s {
	case exec.StatusSuccess, exec.StatusFailure, exec.StatusError, exec.StatusKilled, exec.StatusSkipped:
		return s
	case remote.StateDeclined:
		return exec.StatusKilled // somebody has ended it
	}
	return exec.StatusKilled // its build ended without it
}

// Line takes a line of a step. Each position is taken once, and none before one
// that was taken; it reports whether the line was. Those between that have not
// come are told of. A step that is not known, or that has ended, has none.
func (f *Fold) Line(at Place, l remote.Line) bool {
	s, t := f.find(at)
	if t == nil || !f.begun || t.ended || t.logged || l.Number < t.next {
		return false
	}
	f.beginStep(s, t)
	when := f.at(0)
	if t.Started > 0 {
		when.Time = time.Unix(t.Started+l.Timestamp, 0)
	}
	if l.Number > t.next {
		f.Emit(exec.Warning{At: when, Pipeline: s.name, Step: t.name, Message: missing(t.next, l.Number)})
		t.line = max(t.line, l.Number)
	}
	t.next = l.Number + 1
	for text := range lineTexts(l) {
		t.line++
		f.Emit(exec.StepOutput{At: when, Pipeline: s.name, Step: t.name, Line: t.line, Text: text})
	}
	return true
}

// lineTexts are what a line of a server prints: one line, as a rule.
func lineTexts(l remote.Line) iter.Seq[string] {
	return strings.SplitSeq(strings.TrimSuffix(l.Message, "\n"), "\n")
}

func missing(from, to int) string {
	if to-from == 1 {
		return fmt.Sprintf("line %d is missing: the server has let go of it", to)
	}
	return fmt.Sprintf("lines %d to %d are missing: the server has let go of them", from+1, to)
}

// LogEnd says that no line of a step follows. Its end is then told, once it is
// known. A note says what is to be known of the log, such as why it is not
// complete.
func (f *Fold) LogEnd(at Place, note string) {
	s, t := f.find(at)
	if t == nil || t.logged || t.ended || f.over {
		return
	}
	t.logged = true
	if note != "" && f.begun {
		f.beginStep(s, t)
		f.Emit(exec.Warning{At: f.at(t.Stopped), Pipeline: s.name, Step: t.name, Message: note})
	}
	f.advance()
}

// Wanted reports whether a step is one of some.
func (f *Fold) Wanted(at Place, some func(*remote.Stage, *remote.Step) bool) bool {
	s, t := f.find(at)
	return t != nil && some(&s.Stage, &t.Step)
}

// Over reports whether the end of the run was told.
func (f *Fold) Over() bool { return f.over }

// Build is what is known of the build, without stages; nil before there is
// anything.
func (f *Fold) Build() *remote.Build {
	if !f.known {
		return nil
	}
	b := f.build
	return &b
}

// Step is what is known of a step, nil when there is none.
func (f *Fold) Step(at Place) *remote.Step {
	if _, t := f.find(at); t != nil {
		known := t.Step
		return &known
	}
	return nil
}

// Places are the steps that are known, in order.
func (f *Fold) Places() (places []Place) {
	for _, s := range f.stages {
		for _, t := range s.steps {
			places = append(places, Place{s.Number, t.Number})
		}
	}
	return places
}

// Names are how events name a step.
func (f *Fold) Names(at Place) (pipeline, name string) {
	if s, t := f.find(at); t != nil {
		return s.name, t.name
	}
	return "", ""
}

// stopped reports a step of which no line is printed any more.
func (f *Fold) stopped(at Place) bool {
	s, t := f.find(at)
	return t != nil && (remote.Finished(t.Status) || remote.Finished(s.Status) || remote.Finished(f.build.Status))
}

// ran reports a step that has been started.
func (f *Fold) ran(at Place) bool {
	_, t := f.find(at)
	return t != nil && t.begun
}

func (f *Fold) find(at Place) (*stage, *step) {
	for _, s := range f.stages {
		if s.Number != at.Stage {
			continue
		}
		for _, t := range s.steps {
			if t.Number == at.Step {
				return s, t
			}
		}
		return s, nil
	}
	return nil, nil
}

// Plan is what is known of the build as a plan: what is still to come, and what
// waits for what. Steps are known from the start of their pipeline on. There is
// nothing in it to run.
func (f *Fold) Plan() *exec.Plan {
	plan := &exec.Plan{
		Version: exec.Version, File: f.Name, Event: f.build.Event, Ref: f.build.Ref, Branch: f.build.Target,
	}
	for _, s := range f.stages {
		p := &exec.Pipeline{
			Name: s.name, Type: s.Type, Runs: true, DependsOn: s.DependsOn, Reason: stageReason(s.Status),
			Fixed: map[string]string{"DRONE_COMMIT_SHA": f.build.After},
		}
		// Without any dependency steps come one after the other.
		graph := slices.ContainsFunc(s.steps, func(t *step) bool { return len(t.DependsOn) > 0 })
		var before []string
		for _, t := range s.steps {
			after := t.DependsOn
			if !graph {
				after = before
			}
			p.Steps = append(p.Steps, &exec.Step{
				Name: t.name, Number: t.Number, Kind: t.kind(), Image: t.Image, DependsOn: after,
				Policy: exec.Always, Detach: t.Detached,
			})
			if !t.Detached {
				before = []string{t.name}
			}
		}
		plan.Pipelines = append(plan.Pipelines, p)
	}
	return plan
}

func stageReason(status string) string {
	switch status {
	case remote.StateBlocked:
		return "it waits until somebody approves it"
	case remote.StateWaiting:
		return "it waits for the pipelines before it"
	case remote.StatePending:
		return "it waits for a runner"
	}
	return ""
}

func (f *Fold) at(unix int64) exec.At {
	if unix > 0 {
		return exec.At{Time: time.Unix(unix, 0)}
	}
	if f.Now != nil {
		return exec.At{Time: f.Now()}
	}
	return exec.At{Time: time.Now()}
}

func between(started, stopped int64) time.Duration {
	if started <= 0 || stopped < started {
		return 0
	}
	return time.Duration(stopped-started) * time.Second
}
