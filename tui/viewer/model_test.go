package viewer

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/drone-laptop/drone/exec"
)

// shows fails unless the screen has all of texts, those with a ! in front
// excepted, which it must not have.
func (s *scene) shows(texts ...string) {
	s.t.Helper()
	screen := s.screen(s.m.width, s.m.height)
	for _, text := range texts {
		absent, not := strings.CutPrefix(text, "!")
		if not && strings.Contains(screen, absent) {
			s.t.Errorf("there is %q in\n%s", absent, screen)
		} else if !not && !strings.Contains(screen, text) {
			s.t.Errorf("there is no %q in\n%s", text, screen)
		}
	}
}

// numbered is a run with a log of n lines.
func numbered(t testing.TB, n int) *scene {
	s := newScene(t, Look{}, pipeline("default", step("compile"), step("test", "compile")))
	s.add(exec.PipelineStarted{At: s.at(), Pipeline: "default"})
	s.start("default", "compile")
	for i := range n {
		s.print("default", "compile", fmt.Sprintf("line %d of it", i+1))
	}
	s.screen(80, 24)
	s.press("2")
	return s
}

func TestLogFollowsUntilSomebodyScrolls(t *testing.T) {
	s := numbered(t, 1000)
	s.shows("line 1000 of it", "!line 979 ", "follow", "980-1000/1000")
	s.press("up")
	s.shows("line 979 of it", "!line 1000 ", "!follow ")
	s.print("default", "compile", "and more")
	s.shows("line 979 of it", "!and more", "979-999/1001")
	s.press("G")
	s.shows("and more", "follow")
	s.press("g")
	s.shows(" 1 line 1 of it", "1-21/1001", "!follow ")
	s.press("pgdown", "down")
	s.shows("22-42/1001")
	s.press("ctrl+u")
	s.shows("12-32/1001")
	s.press("f")
	s.shows("and more", "follow")
	for range 3 {
		s.press("pgup")
	}
	for range 4 {
		s.press(" ")
	}
	s.shows("follow", "and more") // who comes to the end follows again
}

func TestLogWraps(t *testing.T) {
	s := numbered(t, 3)
	s.print("default", "compile", "begin "+strings.Repeat("0123456789", 30)+" end")
	s.shows("begin 0123", "!end")
	s.press("w")
	s.shows("begin 0123", " end", "wrap")
	s.press("w", "right")
	s.shows("!begin", "column")
	s.press("0")
	s.shows("begin")
	s.press("w")
	for range 50 {
		s.print("default", "compile", strings.Repeat("wide 日本語 ", 40))
	}
	for range 700 {
		s.press("up")
	}
	s.shows(" 1 line 1 of it", "begin 0123")
	for range 700 {
		s.press("down")
	}
	s.shows("follow")
}

func TestSearch(t *testing.T) {
	s := numbered(t, 300)
	s.press("/")
	s.typed("LINE 2.* of")
	s.press("enter")
	s.shows("not found") // a capital makes case count
	s.press("/")
	s.typed(`line 2\d* of`)
	s.press("enter")
	s.shows("line 2 of it", "1/111")
	s.press("n", "n")
	s.shows("line 21 of it", "3/111")
	s.press("N", "N", "N")
	s.shows("line 299 of it", "111/111", "went on at the other end")
	s.press("n")
	s.shows("1/111", "line 2 of it")
	s.press("/")
	s.typed("(no expression")
	s.press("enter")
	s.shows("not found")
	s.press("/")
	s.typed("gone")
	s.press("ctrl+w")
	s.typed("line 7 ")
	s.press("enter")
	s.shows("1/1 ")
	s.press("esc")
	s.shows("!1/1 ")
}

func TestSearchGoesSideways(t *testing.T) {
	s := numbered(t, 3)
	s.print("default", "compile", strings.Repeat("-", 400)+"needle")
	s.press("/")
	s.typed("needle")
	s.press("enter")
	s.shows("needle", "1/1")
}

func TestSearchInTheSteps(t *testing.T) {
	s := running(t, Look{})
	s.screen(80, 24)
	s.press("/")
	s.typed("PACK")
	s.press("enter")
	if got := s.m.tree.selected.step; got != "unit" {
		t.Errorf("%q is selected for a name that there is not", got)
	}
	s.press("/")
	s.typed("pack")
	s.press("enter")
	if got := s.m.tree.selected; got != (key{"build", "package"}) {
		t.Errorf("%q is selected", got)
	}
}

func TestErrors(t *testing.T) {
	s := failed(t, Look{})
	s.screen(80, 24)
	s.press("g", "E")
	s.shows("--- FAIL: TestÜber", "1/1", "integration  exit code 2")
	s = numbered(t, 10)
	s.press("e")
	s.shows("not found")
}

// TestSelectionFollowsUntilTheUserMoves: afterwards nothing takes it away.
func TestSelectionFollowsUntilTheUserMoves(t *testing.T) {
	s := numbered(t, 1)
	s.press("1")
	s.finish("default", "compile", exec.StatusSuccess, 0)
	s.start("default", "test")
	s.shows("test  running for")
	s.press("up")
	s.shows("compile  success")
	s.finish("default", "test", exec.StatusFailure, 1)
	s.shows("compile  success")

	s = numbered(t, 1)
	s.finish("default", "compile", exec.StatusFailure, 1)
	s.start("default", "test") // which runs all the same
	s.shows("compile  exit code 1")
}

func TestEndOfTheRun(t *testing.T) {
	type testCase struct {
		status exec.Status
		keys   []string
		leaves bool
	}
	for name, tc := range map[string]testCase{
		"success":                  {exec.StatusSuccess, nil, true},
		"success, in another step": {exec.StatusSuccess, []string{"down"}, true},
		"success, read":            {exec.StatusSuccess, []string{"2", "g"}, false},
		"success, helped":          {exec.StatusSuccess, []string{"?"}, false},
		"failure":                  {exec.StatusFailure, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := numbered(t, 100)
			s.press("1")
			s.press(tc.keys...)
			s.finish("default", "compile", tc.status, 0)
			s.add(exec.RunFinished{At: s.at(), Status: tc.status, Duration: time.Second})
			s.send(runOver{})
			if got := slices.Contains(s.done, "quit"); got != tc.leaves {
				t.Errorf("left: %v, want %v", got, tc.leaves)
			}
			if !tc.leaves {
				s.press("esc", "q")
				if !slices.Contains(s.done, "quit") {
					t.Error("q does not leave the view")
				}
			}
		})
	}
}

func TestKeysThatAskForSomething(t *testing.T) {
	type testCase struct {
		keys []string
		done []string
	}
	for name, tc := range map[string]testCase{
		"cancel":               {[]string{"ctrl+c"}, []string{"interrupt"}},
		"cancel twice":         {[]string{"ctrl+c", "ctrl+c"}, []string{"interrupt", "interrupt"}},
		"cancel when asked":    {[]string{"q", "c"}, []string{"interrupt"}},
		"cancel over a prompt": {[]string{"/", "ctrl+c"}, []string{"interrupt"}},
		"stay when asked":      {[]string{"q", "esc"}, nil},
		"not answered":         {[]string{"q", "x", "?"}, nil},
		"leave when asked":     {[]string{"q", "d"}, []string{"quit"}},
		"detach":               {[]string{"d"}, []string{"quit"}},
		"cancel a step":        {[]string{"x", "y"}, []string{"cancel default/compile"}},
		"or rather not":        {[]string{"x", "n"}, nil},
		"a step that waits":    {[]string{"1", "down", "x", "y"}, nil},
		"nothing is over yet":  {[]string{"r", "R"}, nil},
		"copy a line":          {[]string{"g", "y"}, []string{"copy line 1 of it"}},
		"copy a run": {[]string{"Y"}, []string{"copy docker run --rm -it --platform=linux/amd64 --volume=/home/me/app:/drone/src " +
			"--env=DRONE_COMMIT_SHA=8f51ad7884c5eb69c11d260a31da7a745e6b78e2 --entrypoint=/bin/sh golang:1.26 -e -c 'make compile'"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := numbered(t, 10)
			s.press(tc.keys...)
			if !slices.Equal(s.done, tc.done) {
				t.Errorf("%q, want %q", s.done, tc.done)
			}
		})
	}
}

func TestRunAgain(t *testing.T) {
	for keys, want := range map[string][]string{
		"r": {"rerun build/integration, on: false", "quit"}, "R": {"rerun build/integration, on: true", "quit"},
		"gR": nil, "gjr": nil, // the pipeline, and a service
	} {
		s := failed(t, Look{})
		for _, k := range keys {
			s.press(string(k))
		}
		if !slices.Equal(s.done, want) {
			t.Errorf("%s: %q, want %q", keys, s.done, want)
		}
	}
}

func TestGraphMotion(t *testing.T) {
	s := running(t, Look{})
	s.screen(120, 40)
	s.press("3")
	for _, tc := range []struct{ key, step string }{
		{"right", "vet"}, {"right", "integration"}, {"right", "integration"}, {"down", "package"}, {"down", "package"},
		{"up", "unit"}, {"up", "compile"}, {"left", "db"}, {"left", "db"}, {"up", "db"}, {"down", "unit"},
	} {
		s.press(tc.key)
		if got := s.m.tree.selected; got != (key{"build", tc.step}) {
			t.Fatalf("%s selects %q, want %q", tc.key, got, tc.step)
		}
	}
	s.press("1", "g", "3", "down")
	if got := s.m.tree.selected; got != (key{"docs", ""}) {
		t.Errorf("down from the first pipeline selects %q", got)
	}
}

// TestUnfinishedSteps of a run whose program was killed stand still.
func TestUnfinishedSteps(t *testing.T) {
	s := running(t, Look{})
	s.add(exec.RunFinished{At: s.at(), Status: "interrupted", Duration: 30 * time.Second})
	s.wait(time.Hour)
	s.screen(80, 24)
	s.shows("drone ■ interrupted", "■ integration     18s", "■ build           30s", "!●")
}

func TestFewerSteps(t *testing.T) {
	s := running(t, Look{})
	s.screen(80, 24)
	s.press("v")
	s.shows("steps that are part of the run", "!nightly", "!publish", "○ package", "○ links")
	s.press("v")
	s.shows("steps that run or have failed", "● build", "● unit", "● integration", "!vet", "!package", "!docs")
	s.press("j", "j", "v")
	s.shows("all steps", "nightly", "publish")
}

func TestSave(t *testing.T) {
	s := numbered(t, 5000)
	w := s.writers[key{"default", "compile"}]
	w.Append(s.now, "a line ", true)
	w.Append(s.now, "of two pieces", false)
	w.Append(s.now, "\x1b[31mno newline", true)
	s.press("ctrl+s")
	s.shows("save as default-compile.log")
	s.press("enter")
	s.shows("5002 lines in ")
	saved, err := os.ReadFile(filepath.Join(s.m.folder, "default-compile.log"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(saved), "\n")
	if len(lines) != 5002 || lines[4999] != "line 5000 of it" || lines[5000] != "a line of two pieces" || lines[5001] != "\x1b[31mno newline" {
		t.Errorf("%d lines, the last ones %q", len(lines), lines[max(0, len(lines)-3):])
	}
	s.press("ctrl+s", "enter")
	s.shows("file exists") // and is left as it is
}

// TestEveryScreenFits goes through scenes, sizes and keys. No row may be wider
// than the terminal, and there are as many as it has: scene.screen looks.
func TestEveryScreenFits(t *testing.T) {
	long := func(t testing.TB, look Look) *scene {
		var steps []*exec.Step
		for i, name := range []string{strings.Repeat("a very long name ", 9), strings.Repeat("日本語", 30), "\x1b[2Jclear", "two\nlines", "👩‍👩‍👧"} {
			steps = append(steps, step(name))
			if i > 2 {
				steps[i].DependsOn = []string{steps[0].Name, steps[1].Name}
			}
		}
		s := newScene(t, look, pipeline("p\x1b[31m", steps...), pipeline("", steps...))
		s.start("p\x1b[31m", steps[0].Name, steps[2].Name)
		return s
	}
	all := append(slices.Clone(scenes), struct {
		name string
		make func(testing.TB, Look) *scene
		keys []string
	}{"long", long, nil})
	for _, sc := range all {
		s := sc.make(t, Look{})
		for _, keys := range [][]string{nil, {"2", "t"}, {"w"}, {"3"}, {"4"}, {"z"}, {"z", "1", "down"}, {"?"}, {"esc", "/"}, {"esc", "q"}} {
			s.press(keys...)
			for width := 1; width <= 130; width += 1 + width/3 {
				for height := 1; height <= 50; height += 1 + height/2 {
					s.screen(width, height)
				}
			}
			for _, row := range s.m.screen() {
				if strings.ContainsFunc(row.text(), func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }) {
					t.Errorf("%s: a row holds a control character: %q", sc.name, row.text())
				}
			}
		}
	}
}

func TestMouse(t *testing.T) {
	s := numbered(t, 100)
	s.press("m")
	s.send(tea.MouseMsg{X: 40, Y: 5, Button: tea.MouseButtonWheelUp})
	s.shows("line 77 of it", "!line 98 ")
	s.send(tea.MouseMsg{X: 3, Y: 2, Button: tea.MouseButtonLeft, Action: tea.MouseActionPress})
	s.shows("waits for compile")
	s.press("m")
	s.send(tea.MouseMsg{X: 3, Y: 1, Button: tea.MouseButtonLeft, Action: tea.MouseActionPress})
	s.shows("waits for compile")
}

// TestLostLines are those that have made room for others.
func TestLostLines(t *testing.T) {
	s := numbered(t, 5)
	s.m.panes[s.m.tree.selected] = newLogPane(lossy{s.m.pane().log, 3})
	s.shows("… 3 lines not kept", "line 4 of it", "(3 lost)")
}

// TestKeyTable: every action has one key in each place, and every key one
// action.
func TestDamagedLines(t *testing.T) {
	for _, wrapped := range []bool{false, true} {
		s := numbered(t, 1000)
		pane := s.m.pane()
		pane.log = torn{pane.log, 100, 50}
		if wrapped {
			s.press("w")
		}
		s.shows("line 1000 of it")
		s.press("g")
		for range 5 {
			s.press("pgdown")
		}
		s.shows("not kept", "!cannot be read") // 101 to 121, of which none is there
		s.press("up")
		s.shows("line 100 of it", "not kept", "!line 1 of")
		s.press("pgdown", "pgdown", "pgdown", "pgdown")
		s.shows("!not kept", "!cannot be read")
		s.press("pgup", "pgup", "pgup")
		s.shows("not kept", "!line 1 of")
	}
}

// What was counted in one step is not told of another.
func TestMatchesBelongToTheirStep(t *testing.T) {
	s := numbered(t, 10)
	s.press("/")
	s.typed("line [12] of")
	s.press("enter")
	s.shows("1/2")
	s.print("default", "test", "line 1 of the test")
	s.press("1", "down")
	s.shows("line 1 of the test", "search", "!1/2")
	s.press("2", "n")
	s.shows("1/1")
	s.press("/")
	s.typed("nowhere")
	s.press("enter", "w")
	s.shows("not found")
}

// A detached step goes on beside those that it is followed by.
func TestCriticalPathWithoutWhatGoesOnBeside(t *testing.T) {
	vs := connect([]vertex{
		{name: "db", took: 9 * time.Second, background: true}, {name: "compile", took: 2 * time.Second}, {name: "test", took: 3 * time.Second},
	}, [][]string{nil, {"db"}, {"compile"}})
	names, took := criticalPath(vs)
	if strings.Join(names, " ") != "db compile test" || took != 5*time.Second {
		t.Errorf("%s take %s", names, took)
	}
}

func TestKeyTable(t *testing.T) {
	for _, where := range []place{inTree, inLog, inGraph, inDetails} {
		seen := map[string]binding{}
		for _, g := range groups {
			for _, b := range g.bindings {
				if b.long == "" || b.shown == "" || len(b.keys) == 0 || b.action == doNothing {
					t.Errorf("%q is not complete", b.long)
				}
				for _, k := range b.keys {
					if b.where&where == 0 {
						continue
					}
					// What runs elsewhere is not run again by this program.
					const never = canControl | canRerun
					if other, ok := seen[k]; ok && (other.needs|b.needs)&never != never {
						t.Errorf("%q does %q and %q in the %s", k, other.long, b.long, placeName(where))
					}
					seen[k] = b
				}
			}
		}
	}
}
