package viewer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/drone-laptop/drone/exec"
)

// buildsScene is a list of builds without a terminal.
type buildsScene struct {
	t     *testing.T
	m     *buildsModel
	rows  []Build
	note  string
	asked []string
}

func newBuildsScene(t *testing.T, look Look) *buildsScene {
	now := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	s := &buildsScene{t: t}
	s.rows = []Build{
		{Number: 43, Status: "blocked", Event: "pull_request", Branch: "main", Commit: "8f51ad7884c5", Author: "octocat", Message: "add a thing\n\nin detail", Created: now.Add(-5 * time.Second)},
		{Number: 42, Status: "running", Event: "push", Branch: "main", Commit: "8f51ad7884c5", Author: "octocat", Message: "add a thing", Created: now.Add(-90 * time.Second), Started: now.Add(-80 * time.Second)},
		{Number: 41, Status: "failure", Event: "push", Branch: "feature/with-a-name-that-goes-on-and-on", Commit: "1234567890", Message: "\x1b[2Jwipe", Created: now.Add(-3 * time.Hour), Started: now.Add(-3 * time.Hour), Finished: now.Add(-3*time.Hour + 95*time.Second)},
		{Number: 9, Status: "declined", Event: "custom", Branch: "main", Commit: "12345", Author: "hubot", Message: "no", Created: now.Add(-80 * time.Hour)},
		{Number: 8, Status: "success", Event: "tag", Branch: "v1.0.0", Commit: "1234567890", Author: "hubot", Message: "release", Created: now.Add(-90 * 24 * time.Hour), Started: now, Finished: now.Add(time.Minute)},
	}
	b := NewBuilds(BuildsOptions{
		Look: look, Title: "octo/cat, branch main", Empty: "there is no build of the branch main yet", Now: func() time.Time { return now },
		Control: func(number int64) *Control {
			tell := func(what string) (string, error) {
				s.asked = append(s.asked, fmt.Sprint(what, " ", number))
				return what + " it is", nil
			}
			return &Control{
				Approve: func(string) (string, error) { return tell("approve") },
				Decline: func(string) (string, error) { return "", errors.New("the server answers 403") },
				Cancel:  func() (string, error) { return tell("cancel") },
				Restart: func() (string, error) { panic("oops") },
				Promote: func(target string) (string, error) { return tell("promote " + target) },
			}
		},
	})
	s.m = b.model
	s.m.source = func() ([]Build, string) { return s.rows, s.note }
	s.m.update()
	return s
}

// press gives keys, and does what they ask for.
func (s *buildsScene) press(keys ...string) {
	for _, k := range keys {
		msg := tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(k)}
		switch k {
		case "enter":
			msg = tea.KeyMsg{Type: tea.KeyEnter}
		case "esc":
			msg = tea.KeyMsg{Type: tea.KeyEsc}
		}
		if _, cmd := s.m.Update(msg); cmd != nil {
			s.m.Update(cmd())
		}
	}
}

func (s *buildsScene) screen(width, height int) string {
	s.m.Update(tea.WindowSizeMsg{Width: width, Height: height})
	rows := s.m.screen()
	if len(rows) > height {
		s.t.Errorf("%d rows on %d", len(rows), height)
	}
	var b strings.Builder
	for _, row := range rows {
		row = row.truncate(width, s.m.th.more)
		b.WriteString(strings.TrimRight(row.text(), " ") + "\n")
	}
	return b.String()
}

func TestBuildsScreens(t *testing.T) {
	for _, size := range [][2]int{{120, 20}, {80, 24}, {59, 10}, {24, 6}} {
		s := newBuildsScene(t, Look{})
		s.press("j")
		golden(t, fmt.Sprintf("testdata/builds/%dx%d.txt", size[0], size[1]), s.screen(size[0], size[1]))
	}
	s := newBuildsScene(t, Look{ASCII: true})
	golden(t, "testdata/builds/ascii.txt", s.screen(80, 12))
	s.press("?")
	golden(t, "testdata/builds/help.txt", s.screen(80, 24))
	s.rows, s.note = nil, "the server does not answer"
	s.press("q")
	s.m.Update(refresh{})
	golden(t, "testdata/builds/empty.txt", s.screen(80, 6))
}

// TestBuildsKeepSelection: builds come and go, and the one that was selected stays
// so; who is on the newest one stays there.
func TestBuildsKeepSelection(t *testing.T) {
	s := newBuildsScene(t, Look{})
	newer := Build{Number: 44, Status: "pending"}
	s.rows = append([]Build{newer}, s.rows...)
	s.m.Update(refresh{})
	if s.m.number != 44 {
		t.Errorf("%d is selected, not the newest build", s.m.number)
	}
	s.press("j", "j")
	s.rows = append([]Build{{Number: 45}}, s.rows...)
	s.m.Update(refresh{})
	if s.m.number != 42 {
		t.Errorf("%d is selected, it was 42", s.m.number)
	}
	s.press("G")
	s.rows = s.rows[:2]
	s.m.Update(refresh{})
	if s.m.number != 44 {
		t.Errorf("%d is selected, though the last is 44", s.m.number)
	}
	s.press("enter")
	if s.m.chosen != 44 || !s.m.left {
		t.Errorf("%d is chosen, left %v", s.m.chosen, s.m.left)
	}
}

// TestBuildsControl: nothing is asked of the server without a yes, and what it
// says is shown.
func TestBuildsControl(t *testing.T) {
	tests := []struct {
		keys   []string
		asked  string
		screen string
	}{
		{[]string{"A"}, "", "approve build 42? y n"},
		{[]string{"A", "n", "y"}, "", "enter open"},
		{[]string{"A", "esc", "j"}, "", "enter open"},
		{[]string{"A", "y"}, "approve 42", "approve it is"},
		{[]string{"D", "y"}, "", "the server answers 403"},
		{[]string{"X", "y"}, "cancel 42", "cancel it is"},
		{[]string{"R", "y"}, "", "oops"},
		{[]string{"P", "production"}, "", "promote build 42 to production"},
		{[]string{"P", "production", "enter"}, "", "promote build 42 to production? y n"},
		{[]string{"P", "production", "enter", "y"}, "promote production 42", "promote production it is"},
		{[]string{"P", "enter"}, "", "enter open"},
	}
	for _, tt := range tests {
		s := newBuildsScene(t, Look{})
		s.press("j")
		s.press(tt.keys...)
		got := strings.Join(s.asked, " ")
		if screen := s.screen(100, 12); got != tt.asked || !strings.Contains(screen, tt.screen) {
			t.Errorf("after %v the server was asked %q, want %q, and there is no %q in\n%s", tt.keys, got, tt.asked, tt.screen, screen)
		}
	}
}

// TestControlOfRun: in the view of a build the pipeline that is selected is
// approved while it waits, else all of them.
func TestControlOfRun(t *testing.T) {
	var asked []string
	s := newScene(t, Look{}, pipeline("build", step("compile")), pipeline("deploy", step("copy")))
	s.m.able, s.m.control = canControl, &Control{
		Approve: func(pipeline string) (string, error) {
			asked = append(asked, "approve "+pipeline)
			return "approved", nil
		},
	}
	s.add(exec.PipelineStarted{At: s.at(), Pipeline: "build"})
	s.start("build", "compile")
	s.run.plan.Pipelines[1].Reason = "it waits until somebody approves it"
	s.screen(80, 24)
	s.press("A")
	s.shows("approve .drone.yml? y n")
	s.press("n", "A", "y")
	s.shows("approved")
	s.press("G", "k")
	s.shows("it waits until somebody approves it")
	s.press("A")
	s.shows("approve pipeline deploy of .drone.yml? y n")
	s.press("y")
	if want := []string{"approve ", "approve deploy"}; !slices.Equal(asked, want) {
		t.Errorf("asked %q, want %q", asked, want)
	}
	s.m.control, s.m.able = nil, 0
	s.press("A", "R", "X")
	s.shows("!y n")
}

// TestOnlyPipelineWithoutSteps: a build that waits for an approval has no steps
// yet, and says what it waits for.
func TestOnlyPipelineWithoutSteps(t *testing.T) {
	s := newScene(t, Look{}, pipeline("build"))
	s.m.able, s.m.control = canControl, &Control{}
	s.run.plan.Pipelines[0].Reason = "it waits until somebody approves it"
	s.shows("○ build  pending", "it waits until somebody approves it")
	s.press("A")
	s.shows("approve .drone.yml? y n")
}
