package servertest

import (
	"crypto/sha1" // made-up names of commits look like these
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/drone-laptop/drone/remote"
)

// commit makes up the SHA of a commit.
func commit(text string) string {
	sum := sha1.Sum([]byte(text)) // as above
	return hex.EncodeToString(sum[:])
}

// Build is a build as it is, with stages and steps.
func (s *Server) Build(repo remote.Slug, number int64) remote.Build {
	s.mu.Lock()
	defer s.mu.Unlock()
	return copyBuild(s.mustBuild(repo, number))
}

func copyBuild(b *remote.Build) remote.Build {
	c := *b
	c.Stages = slices.Clone(b.Stages)
	for i := range c.Stages {
		c.Stages[i].Steps = slices.Clone(c.Stages[i].Steps)
	}
	return c
}

// Push starts a build as a push to a branch does, and gives its number. Build has
// what is to be other than for a push to the default branch.
func (s *Server) Push(repo remote.Slug, b remote.Build) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.must(repo)
	defaults := []struct {
		field *string
		value string
	}{
		{&b.Event, remote.EventPush}, {&b.Trigger, "@hook"}, {&b.Target, r.Branch}, {&b.Author, "octocat"},
		{&b.AuthorName, "Mona Lisa Octocat"}, {&b.AuthorEmail, "octocat@example.com"}, {&b.Sender, "octocat"},
		{&b.Message, "change something\n"},
	}
	for _, d := range defaults {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	created := s.newBuild(r, b)
	if created == nil {
		panic(repo.String() + " of the test has no pipelines")
	}
	r.hooked = append(r.hooked, created.Number)
	return created.Number
}

// newBuild starts a build, or, without pipelines, none. No event is sent of that.
func (s *Server) newBuild(r *repository, b remote.Build) *remote.Build {
	if len(r.Pipelines) == 0 && r.Error == "" {
		return nil
	}
	r.Counter++
	b.ID, b.RepoID, b.Number, b.Version = s.id(), r.ID, r.Counter, 1
	b.Created = s.now()
	b.Updated = b.Created
	b.Status = remote.StatePending
	if b.Source == "" {
		b.Source = b.Target
	}
	if b.Ref == "" {
		b.Ref = "refs/heads/" + b.Target
	}
	if b.After == "" {
		b.After = r.Branches[b.Target]
	}
	if b.After == "" {
		b.After = commit(r.Slug + b.Target)
	}
	if b.Link == "" {
		b.Link = r.Link + "/commit/" + b.After
	}
	b.Stages = nil
	if r.Error != "" {
		b.Status, b.Error, b.Finished = remote.StateError, r.Error, b.Created
	} else {
		for i, p := range r.Pipelines {
			b.Stages = append(b.Stages, s.newStage(&b, i, p))
		}
	}
	r.builds = append(r.builds, &b)
	if s.Autorun > 0 && b.Status == remote.StatePending {
		s.jobs.Go(func() { s.play(r.slug(), b.Number, s.Autorun) })
	}
	return &b
}

func (s *Server) newStage(b *remote.Build, i int, p Pipeline) remote.Stage {
	stage := remote.Stage{
		ID: s.id(), RepoID: b.RepoID, BuildID: b.ID, Number: i + 1, Name: p.Name, Kind: "pipeline", Type: "docker",
		Status: remote.StatePending, OS: "linux", Arch: "amd64", OnSuccess: true, DependsOn: p.DependsOn,
		Created: b.Created, Updated: b.Created, Version: 1,
	}
	switch {
	case p.Blocked && b.Trigger == "@hook":
		stage.Status = remote.StateBlocked
	case len(p.DependsOn) > 0:
		stage.Status = remote.StateWaiting
	}
	return stage
}

func (s *Server) mustBuild(repo remote.Slug, number int64) *remote.Build {
	if b := s.must(repo).build(number); b != nil {
		return b
	}
	panic(fmt.Sprintf("%s of the test has no build %d", repo, number))
}

func mustStage(b *remote.Build, number int) *remote.Stage {
	if number < 1 || number > len(b.Stages) {
		panic(fmt.Sprintf("build %d of the test has no stage %d", b.Number, number))
	}
	return &b.Stages[number-1]
}

func mustStep(b *remote.Build, step remote.StepRef) *remote.Step {
	stage := mustStage(b, step.Stage)
	if step.Step < 1 || step.Step > len(stage.Steps) {
		panic(fmt.Sprintf("stage %d of build %d of the test has no step %d", step.Stage, b.Number, step.Step))
	}
	return &stage.Steps[step.Step-1]
}

// The methods below are what a runner does. Where it is too late, such as for a
// stage that was killed, they do nothing, as a server that refuses a runner.

// StartStage has a runner start a stage: only then it has steps. An event is sent.
func (s *Server) StartStage(repo remote.Slug, build int64, stage int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, b := s.must(repo), s.mustBuild(repo, build)
	st := mustStage(b, stage)
	if st.Status != remote.StatePending {
		return
	}
	st.Status, st.Machine, st.Started = remote.StateRunning, "runner", s.now()
	st.Updated = st.Started
	st.Version++
	for i, step := range r.Pipelines[stage-1].Steps {
		st.Steps = append(st.Steps, remote.Step{
			ID: s.id(), StageID: st.ID, Number: i + 1, Name: step.Name, Image: step.Image, Status: remote.StatePending, Version: 1,
		})
	}
	if b.Started == 0 {
		b.Started = st.Started
	}
	b.Status = remote.StateRunning
	b.Updated = st.Started
	b.Version++
	s.publish(r, b)
}

// StartStep starts a step; its log can be followed from now on. An event is sent.
func (s *Server) StartStep(repo remote.Slug, step remote.StepRef) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, b := s.must(repo), s.mustBuild(repo, step.Build)
	st := mustStep(b, step)
	if st.Status != remote.StatePending {
		return
	}
	st.Status, st.Started = remote.StateRunning, s.now()
	st.Version++
	r.logs[step] = newLog()
	s.publish(r, b)
}

// Print adds lines to the log of a step that runs.
func (s *Server) Print(repo remote.Slug, step remote.StepRef, lines ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if log := s.must(repo).logs[step]; log != nil && !log.closed {
		log.print(lines...)
	}
}

// FinishStep ends a step, as a success or as a failure by its exit code, stores its
// log, and ends the stream of that. An event is sent.
func (s *Server) FinishStep(repo remote.Slug, step remote.StepRef, exit int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, b := s.must(repo), s.mustBuild(repo, step.Build)
	st := mustStep(b, step)
	if st.Status != remote.StateRunning {
		return
	}
	st.Status, st.ExitCode, st.Stopped = remote.StateSuccess, exit, s.now()
	if exit != 0 {
		st.Status = remote.StateFailure
	}
	st.Version++
	r.logs[step].end()
	s.publish(r, b)
}

// SkipStep ends a step that did not run.
func (s *Server) SkipStep(repo remote.Slug, step remote.StepRef) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, b := s.must(repo), s.mustBuild(repo, step.Build)
	st := mustStep(b, step)
	if st.Status != remote.StatePending {
		return
	}
	st.Status, st.Started = remote.StateSkipped, s.now()
	st.Stopped = st.Started
	st.Version++
	s.publish(r, b)
}

// FinishStage ends a stage by the statuses of its steps. Others that have waited
// for it become pending, or skipped. When it was the last, the build ends, and an
// event is sent; else none is.
func (s *Server) FinishStage(repo remote.Slug, build int64, stage int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, b := s.must(repo), s.mustBuild(repo, build)
	st := mustStage(b, stage)
	if st.Status != remote.StateRunning {
		return
	}
	st.Status, st.Stopped = remote.StateSuccess, s.now()
	for _, step := range st.Steps {
		if step.Status == remote.StateFailure {
			st.Status, st.ExitCode = remote.StateFailure, step.ExitCode
		}
	}
	st.Updated = st.Stopped
	st.Version++
	s.settle(b)
	if remote.Finished(b.Status) {
		s.publish(r, b)
	}
}

// settle decides about stages that wait, and ends a build of which all have ended.
func (s *Server) settle(b *remote.Build) {
	for again := true; again; {
		again = false
		for i := range b.Stages {
			if b.Stages[i].Status == remote.StateWaiting {
				if next := after(b, i); next != "" {
					b.Stages[i].Status = next
					b.Stages[i].Version++
					again = true
				}
			}
		}
	}
	b.Status = remote.StateSuccess
	for _, st := range slices.Backward(b.Stages) {
		switch st.Status {
		case remote.StateKilled, remote.StateFailure, remote.StateError:
			b.Status = st.Status // the first of them counts
		}
	}
	for _, st := range b.Stages {
		if !remote.Finished(st.Status) {
			b.Status = remote.StateRunning
		}
	}
	if remote.Finished(b.Status) {
		b.Finished = s.now()
		b.Updated = b.Finished
	}
	b.Version++
}

// after is what becomes of a stage that waits, empty while it has to.
func after(b *remote.Build, i int) string {
	for _, name := range b.Stages[i].DependsOn {
		for _, st := range b.Stages {
			switch {
			case st.Name != name:
			case !remote.Finished(st.Status):
				return ""
			case st.Status != remote.StateSuccess:
				return remote.StateSkipped
			}
		}
	}
	return remote.StatePending
}

// AutoCancel is a build that a newer one has cancelled: unlike a cancel that a
// client asks for it sends an event.
func (s *Server) AutoCancel(repo remote.Slug, build int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, b := s.must(repo), s.mustBuild(repo, build)
	s.kill(b)
	s.publish(r, b)
}

// kill ends what has not ended. The streams of logs stay as they are.
func (s *Server) kill(b *remote.Build) {
	if remote.Finished(b.Status) {
		return
	}
	now := s.now()
	ended := func(started int64) string {
		if started == 0 {
			return remote.StateSkipped
		}
		return remote.StateKilled
	}
	for i := range b.Stages {
		st := &b.Stages[i]
		if remote.Finished(st.Status) {
			continue
		}
		st.Status, st.Stopped = ended(st.Started), now
		st.Version++
		for j := range st.Steps {
			step := &st.Steps[j]
			if !remote.Finished(step.Status) {
				step.Status, step.Stopped, step.ExitCode = ended(step.Started), now, 130
				step.Version++
			}
		}
	}
	b.Status, b.Finished, b.Updated = remote.StateKilled, now, now
	b.Version++
}

// Play runs what can run of a build, one pipeline after the other, with the output
// and the exit codes that its repository says.
func (s *Server) Play(repo remote.Slug, build int64) { s.play(repo, build, 0) }

func (s *Server) play(repo remote.Slug, build int64, pause time.Duration) {
	wait := func() bool {
		select {
		case <-time.After(pause):
			return true
		case <-s.stop:
			return false
		}
	}
	for {
		stage, steps := s.pending(repo, build)
		if stage == 0 || !wait() {
			return
		}
		s.StartStage(repo, build, stage)
		failed := false
		for i, step := range steps {
			ref := remote.StepRef{Build: build, Stage: stage, Step: i + 1}
			if failed {
				s.SkipStep(repo, ref)
				continue
			}
			if !wait() {
				return
			}
			s.StartStep(repo, ref)
			for _, line := range step.Output {
				if !wait() {
					return
				}
				s.Print(repo, ref, line)
			}
			if !wait() {
				return
			}
			s.FinishStep(repo, ref, step.Exit)
			failed = step.Exit != 0
		}
		s.FinishStage(repo, build, stage)
	}
}

// pending is the next stage of a build that can run, 0 for none, and its steps.
func (s *Server) pending(repo remote.Slug, build int64) (int, []Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.must(repo)
	for i, st := range s.mustBuild(repo, build).Stages {
		if st.Status == remote.StatePending && i < len(r.Pipelines) {
			return i + 1, slices.Clone(r.Pipelines[i].Steps)
		}
	}
	return 0, nil
}
