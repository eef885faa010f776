package viewer

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/logs"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares with a file of testdata.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got), rewrite it with -update if that is right:\n%s", path, diff)
	}
}

const image = "docker.io/library/golang:1.26"

// scene is a run up to the moment that is looked at, with a model of the view.
type scene struct {
	t       testing.TB
	run     *run
	now     time.Time
	sink    *logs.Sink
	writers map[key]*logs.Writer
	// done are what the view has asked for.
	done []string
	m    *model
}

func newScene(t testing.TB, look Look, pipelines ...*exec.Pipeline) *scene {
	plan := &exec.Plan{File: ".drone.yml", Event: "push", Branch: "main", Pipelines: pipelines}
	s := &scene{
		t: t, run: &run{plan: plan}, now: time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC),
		sink: logs.NewSink(logs.Options{}), writers: map[key]*logs.Writer{},
	}
	t.Cleanup(func() { s.sink.Close(time.Minute) })
	var names []string
	for _, p := range pipelines {
		p.Fixed = map[string]string{"DRONE_COMMIT_SHA": "8f51ad7884c5eb69c11d260a31da7a745e6b78e2"}
		names = append(names, p.Name)
	}
	s.add(exec.RunStarted{At: s.at(), Event: "push", File: ".drone.yml", Pipelines: names})
	all := canCancel | canCancelStep | canDetach | canCopyRun | canRerun | canShell | canSuspend
	s.m = newModel(source{
		snapshot:  func() *snapshot { return s.run.snapshot() },
		log:       s.log,
		interrupt: func() { s.done = append(s.done, "interrupt") },
		cancel: func(k key) bool {
			s.done = append(s.done, "cancel "+k.pipeline+"/"+k.step)
			return true
		},
		rerun: func(k key, on bool) {
			s.done = append(s.done, fmt.Sprintf("rerun %s/%s, on: %v", k.pipeline, k.step, on))
		},
		leave:    func() {},
		copyText: func(text string) { s.done = append(s.done, "copy "+text) },
		folder:   t.TempDir(), now: func() time.Time { return s.now }, zone: time.UTC,
	}, look, all)
	return s
}

func (s *scene) log(k key) Log {
	if w := s.writers[k]; w != nil {
		return w.Log()
	}
	return nothing{}
}

func (s *scene) at() exec.At          { return exec.At{Time: s.now} }
func (s *scene) add(e exec.Event)     { s.run.apply(e) }
func (s *scene) wait(d time.Duration) { s.now = s.now.Add(d) }

func (s *scene) print(pipeline, step string, lines ...string) {
	k := key{pipeline, step}
	if s.writers[k] == nil {
		s.writers[k] = s.sink.Writer(nil)
	}
	for _, l := range lines {
		s.writers[k].Append(s.now, l, false)
	}
}

func (s *scene) start(pipeline string, steps ...string) {
	for _, step := range steps {
		kind := exec.KindStep
		if step == "db" {
			kind = exec.KindService
		}
		s.add(exec.StepStarted{At: s.at(), Pipeline: pipeline, Step: step, Kind: kind, Image: image})
	}
}

func (s *scene) finish(pipeline, step string, status exec.Status, code int) {
	started := s.run.snapshot().find(key{pipeline, step}).Started
	s.add(exec.StepFinished{
		At: s.at(), Pipeline: pipeline, Step: step, Kind: exec.KindStep, Image: image, Status: status,
		ExitCode: code, Duration: s.now.Sub(started),
	})
}

// press gives keys to the view, as Bubble Tea names them, and what follows from
// them.
func (s *scene) press(keys ...string) {
	for _, k := range keys {
		s.send(keyMsg(k))
	}
}

// typed gives text to the view.
func (s *scene) typed(text string) {
	for _, r := range text {
		s.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}})
	}
}

func (s *scene) send(msg tea.Msg) {
	for msg != nil {
		if _, quit := msg.(tea.QuitMsg); quit {
			s.done = append(s.done, "quit")
		}
		_, cmd := s.m.Update(msg)
		if cmd == nil {
			return
		}
		msg = cmd()
	}
}

func keyMsg(name string) tea.KeyMsg {
	for t, n := range map[tea.KeyType]string{
		tea.KeyEnter: "enter", tea.KeyEsc: "esc", tea.KeyTab: "tab", tea.KeyShiftTab: "shift+tab", tea.KeyUp: "up", tea.KeyDown: "down",
		tea.KeyLeft: "left", tea.KeyRight: "right", tea.KeyPgUp: "pgup", tea.KeyPgDown: "pgdown", tea.KeyHome: "home", tea.KeyEnd: "end",
		tea.KeyCtrlC: "ctrl+c", tea.KeyCtrlS: "ctrl+s", tea.KeyCtrlU: "ctrl+u", tea.KeyCtrlD: "ctrl+d", tea.KeyCtrlZ: "ctrl+z",
		tea.KeyBackspace: "backspace", tea.KeyCtrlW: "ctrl+w", tea.KeyCtrlB: "ctrl+b", tea.KeyCtrlF: "ctrl+f",
	} {
		if n == name {
			return tea.KeyMsg{Type: t}
		}
	}
	if name == " " {
		return tea.KeyMsg{Type: tea.KeySpace, Runes: []rune{' '}}
	}
	if len([]rune(name)) != 1 {
		panic("no key " + name)
	}
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(name)}
}

// screen is what the terminal shows at a size.
func (s *scene) screen(width, height int) string {
	s.send(tea.WindowSizeMsg{Width: width, Height: height})
	s.send(refresh{})
	var b strings.Builder
	rows := s.m.screen()
	if len(rows) != height {
		s.t.Errorf("%d rows at %dx%d", len(rows), width, height)
	}
	for _, row := range rows {
		if w := row.width(); w > width {
			s.t.Errorf("a row is %d wide at %dx%d: %q", w, width, height, row.text())
		}
		b.WriteString(strings.TrimRight(row.text(), " ") + "\n")
	}
	return b.String()
}

func step(name string, after ...string) *exec.Step {
	return &exec.Step{Name: name, Kind: exec.KindStep, Image: image, DependsOn: after, Policy: exec.OnSuccess, Commands: []string{"make " + name}}
}

func pipeline(name string, steps ...*exec.Step) *exec.Pipeline {
	return &exec.Pipeline{
		Name: name, Type: "docker", Runs: true, Steps: steps, Platform: exec.Platform{OS: "linux", Arch: "amd64"},
		Workspace: exec.Workspace{Host: "/home/me/app", Base: "/drone/src", Path: "/drone/src"},
	}
}

// build has steps beside each other, a service, and one that is left out.
func build(name string) *exec.Pipeline {
	db := step("db")
	db.Kind = exec.KindService
	never := step("publish", "package")
	never.Policy, never.Reason = exec.Never, "its conditions ask for a tag"
	return pipeline(name, db, step("compile"), step("unit", "compile"), step("vet", "compile"),
		step("integration", "compile"), step("package", "unit", "vet", "integration"), never)
}

// running is in the middle of a run, with output in colours.
func running(t testing.TB, look Look) *scene {
	docs := pipeline("docs", step("render"), step("links", "render"))
	docs.DependsOn = []string{"build"}
	nightly := pipeline("nightly", step("fuzz"))
	nightly.Runs, nightly.Reason = false, "the event is push, not cron"
	s := newScene(t, look, build("build"), docs, nightly)
	s.add(exec.PipelineStarted{At: s.at(), Pipeline: "build"})
	s.add(exec.PipelineSkipped{At: s.at(), Pipeline: "nightly", Reason: nightly.Reason})
	s.start("build", "db", "compile")
	s.print("build", "compile", "+ make compile", "go build ./...")
	s.wait(12 * time.Second)
	s.finish("build", "compile", exec.StatusSuccess, 0)
	s.start("build", "unit", "vet", "integration")
	s.wait(3 * time.Second)
	s.finish("build", "vet", exec.StatusSuccess, 0)
	for i := range 60 {
		s.wait(250 * time.Millisecond)
		s.print("build", "integration", fmt.Sprintf("\x1b[32mok\x1b[0m   example.com/app/internal/part%02d\t0.%02ds", i, i))
	}
	s.print("build", "integration", "progress   1%\rprogress  50%\rprogress 100%", "\x1b[1;31m--- FAIL: TestÜber\x1b[0m (0.01s)", "    über_test.go:12: 日本語 is not what was wanted, which is a long line that has no room in a terminal of a usual size")
	s.send(refresh{})
	return s
}

// failed is over, with a failure.
func failed(t testing.TB, look Look) *scene {
	s := running(t, look)
	s.finish("build", "unit", exec.StatusSuccess, 0)
	s.finish("build", "integration", exec.StatusFailure, 2)
	s.add(exec.StepSkipped{At: s.at(), Pipeline: "build", Step: "package", Image: image, Kind: exec.KindStep, Reason: "step integration failed"})
	s.finish("build", "db", exec.StatusSuccess, 0)
	s.add(exec.PipelineFinished{At: s.at(), Pipeline: "build", Status: exec.StatusFailure, Duration: 31 * time.Second})
	s.add(exec.PipelineSkipped{At: s.at(), Pipeline: "docs", Reason: "pipeline build failed"})
	s.add(exec.RunFinished{At: s.at(), Status: exec.StatusFailure, Duration: 75 * time.Second})
	s.send(runOver{})
	return s
}

// pulling waits for an image.
func pulling(t testing.TB, look Look) *scene {
	s := newScene(t, look, pipeline("default", step("compile"), step("test", "compile"), step("package", "test")))
	s.add(exec.PipelineStarted{At: s.at(), Pipeline: "default"})
	s.start("default", "compile")
	s.wait(2 * time.Second)
	s.add(exec.PullProgress{At: s.at(), Pipeline: "default", Image: image, Current: 31_000_000, Total: 310_000_000})
	return s
}

// broken could not be run.
func broken(t testing.TB, look Look) *scene {
	s := pulling(t, look)
	s.add(exec.PullProgress{At: s.at(), Pipeline: "default", Image: image, Done: true, Failed: true})
	s.add(exec.StepFinished{
		At: s.at(), Pipeline: "default", Step: "compile", Image: image, Status: exec.StatusError, Phase: exec.PhasePull, Duration: 2 * time.Second,
		Error: "image golang:1.26 cannot be fetched: no such host", Hint: "look at the network, or fetch it with drone pull", Position: ".drone.yml:7:10",
	})
	return s
}

// scenes by name, each with the keys that are pressed.
var scenes = []struct {
	name string
	make func(testing.TB, Look) *scene
	keys []string
}{
	{"running", running, nil},
	{"log", running, []string{"2", "t", "#", "w"}},
	{"graph", running, []string{"3"}},
	{"details", running, []string{"4"}},
	{"failed", failed, nil},
	{"search", failed, []string{"2", "E"}},
	{"help", running, []string{"?"}},
	{"pulling", pulling, nil},
	{"broken", broken, nil},
	{"folded", running, []string{"left", "G"}},
	{"pipelines", running, []string{"left", "3"}},
	{"quit", running, []string{"q"}},
}

var sizes = [][2]int{{120, 40}, {80, 24}, {60, 30}, {40, 12}}

// TestScreens compares what is shown at four sizes, and with ASCII.
func TestScreens(t *testing.T) {
	for _, sc := range scenes {
		t.Run(sc.name, func(t *testing.T) {
			var got strings.Builder
			for _, size := range sizes {
				s := sc.make(t, Look{})
				s.screen(size[0], size[1])
				s.press(sc.keys...)
				fmt.Fprintf(&got, "-- %dx%d --\n%s", size[0], size[1], s.screen(size[0], size[1]))
			}
			s := sc.make(t, Look{ASCII: true})
			s.screen(80, 24)
			s.press(sc.keys...)
			ascii := s.screen(80, 24)
			if !isASCII(ascii) {
				t.Errorf("there is more than ASCII in\n%s", ascii)
			}
			fmt.Fprintf(&got, "-- 80x24 ASCII --\n%s", ascii)
			golden(t, "testdata/"+sc.name+".golden", got.String())
		})
	}
}

// TestColours compares the sequences at 80x24, on dark and light and without
// colours.
func TestColours(t *testing.T) {
	for name, look := range map[string]Look{"dark": {Colours: true}, "light": {Colours: true, Light: true}, "none": {}} {
		t.Run(name, func(t *testing.T) {
			s := failed(t, look)
			s.screen(80, 24)
			s.press("2", "E")
			text := s.m.View()
			if !look.Colours && colourful(text) {
				t.Error("there are colours where none are wanted")
			}
			golden(t, "testdata/colours-"+name+".golden", strings.ReplaceAll(text, "\x1b", "ESC")+"\n")
		})
	}
}

// colourful reports a text that selects a colour.
func colourful(text string) bool {
	for _, part := range strings.Split(text, "\x1b[")[1:] {
		params, _, _ := strings.Cut(part, "m")
		for p := range strings.SplitSeq(params, ";") {
			if len(p) >= 2 {
				return true
			}
		}
	}
	return false
}
