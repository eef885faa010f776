package tui

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/report"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
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

const image = "docker.io/library/busybox:1.35"

// scene is a run up to the moment that is looked at.
type scene struct {
	state *state
	now   time.Time
}

// newScene begins a run of a plan with these steps, by pipeline. It starts the
// pipelines.
func newScene(pipelines ...*exec.Pipeline) *scene {
	s := &scene{newState(&exec.Plan{Pipelines: pipelines}, false), time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)}
	var names []string
	for _, p := range pipelines {
		names = append(names, p.Name)
	}
	s.add(exec.RunStarted{At: s.at(), Pipelines: names})
	for _, name := range names {
		s.add(exec.PipelineStarted{At: s.at(), Pipeline: name})
	}
	return s
}

func pipeline(name string, steps ...string) *exec.Pipeline {
	p := &exec.Pipeline{Name: name, Runs: true}
	for _, step := range steps {
		p.Steps = append(p.Steps, &exec.Step{Name: step, Image: image})
	}
	return p
}

func (s *scene) at() exec.At          { return exec.At{Time: s.now} }
func (s *scene) add(e exec.Event)     { s.state.apply(e) }
func (s *scene) wait(d time.Duration) { s.now = s.now.Add(d) }

func (s *scene) start(pipeline string, steps ...string) {
	for _, step := range steps {
		s.add(exec.StepStarted{At: s.at(), Pipeline: pipeline, Step: step, Kind: exec.KindStep, Image: image})
	}
}

func (s *scene) finish(pipeline, step string, status exec.Status) {
	s.add(exec.StepFinished{At: s.at(), Pipeline: pipeline, Step: step, Kind: exec.KindStep, Image: image, Status: status})
}

func (s *scene) frame(width, height int) frame {
	return frame{board: s.state.board(), width: width, height: height, now: s.now}
}

// The scenes. Each is made anew, since a state is changed by looking further.

func nothingYet() *scene { return newScene(pipeline("default", "build", "test", "publish")) }

func tenSteps() *scene {
	var names []string
	for i := range 10 {
		names = append(names, fmt.Sprintf("step %d", i+1))
	}
	s := newScene(pipeline("default", append(names, "after")...))
	for _, name := range names {
		s.start("default", name)
		s.wait(7 * time.Second)
	}
	return s
}

func services() *scene {
	s := newScene(pipeline("test", "db", "cache", "unit", "lint"), pipeline("report", "summary"))
	for _, name := range []string{"db", "cache"} {
		s.add(exec.StepStarted{At: s.at(), Pipeline: "test", Step: name, Kind: exec.KindService, Image: image})
	}
	s.wait(time.Hour)
	s.start("test", "unit")
	s.wait(61 * time.Second)
	return s
}

// pulls has an image that a step waits for, one of which the size is not
// known, one that is on its way for a later step, and one that is there.
func pulls() *scene {
	s := newScene(pipeline("default", "build", "test", "publish"))
	s.start("default", "build")
	for _, e := range []exec.PullProgress{
		{Image: image},
		{Image: image, Current: 1_200_000, Total: 2_500_000},
		{Image: "docker.io/plugins/docker:20", Current: 31_000_000},
		{Image: "registry.example.com/team/tools/golang:1.26-alpine", Current: 1_000, Total: 310_000_000},
		{Image: "docker.io/library/alpine:3", Current: 5, Total: 10},
		{Image: "docker.io/library/alpine:3", Current: 10, Total: 10, Done: true},
	} {
		e.At, e.Pipeline = s.at(), "default"
		s.add(e)
		s.wait(time.Second)
	}
	return s
}

// fetching is a run of nothing but pulls, of which one is done and one failed.
func fetching() *scene {
	s := &scene{newState(nil, true), time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)}
	s.add(exec.RunStarted{At: s.at()})
	for _, e := range []exec.PullProgress{
		{Image: image},
		{Image: image, Platform: "linux/arm64", Current: 4_000_000, Total: 8_000_000},
		{Image: "docker.io/library/alpine:3", Current: 5_000_000, Total: 10_000_000},
		{Image: "docker.io/library/none:3"},
		{Image: "docker.io/library/none:3", Done: true, Failed: true},
		{Image: image, Current: 1_200_000, Total: 2_500_000},
		{Image: "docker.io/library/alpine:3", Current: 10_000_000, Total: 10_000_000, Done: true},
	} {
		e.At = s.at()
		s.add(e)
		s.wait(time.Second)
	}
	return s
}

func failed() *scene {
	s := newScene(pipeline("default", "build", "flaky", "test", "publish", "notify"))
	s.start("default", "build", "flaky", "test")
	s.wait(12 * time.Second)
	s.finish("default", "build", exec.StatusSuccess)
	s.add(exec.StepFinished{At: s.at(), Pipeline: "default", Step: "flaky", Status: exec.StatusFailure, Ignored: true})
	s.finish("default", "test", exec.StatusFailure)
	s.add(exec.StepSkipped{At: s.at(), Pipeline: "default", Step: "publish", Reason: "step test failed"})
	s.start("default", "notify")
	s.wait(3 * time.Second)
	return s
}

func stopping() *scene {
	s := services()
	s.state.stopping = true
	s.finish("test", "unit", exec.StatusKilled)
	return s
}

func longNames() *scene {
	names := []string{
		strings.Repeat("a very long name ", 20),
		strings.Repeat("日本語", 40),
		strings.Repeat("👩‍👩‍👧🇩🇪⚙️", 20),
		"é and é", // the second one of two characters
		"short",
	}
	s := newScene(pipeline("default", names...))
	s.start("default", names...)
	s.wait(99 * time.Hour)
	s.finish("default", names[1], exec.StatusError)
	return s
}

// rudeNames would move the cursor, change the title or break the line if they
// came to the terminal as they are.
func rudeNames() *scene {
	names := []string{
		"\x1b[31mred\x1b[0m", "clear\x1b[2J\x1b[H", "\x1b]0;title\x07title", "two\nlines", "back\rward\b\b\b",
		"tab\tstop", "bad \xff byte", "c1 \u009b31m", "right \u202eto left", "",
	}
	s := newScene(pipeline("p\x1b[31m", names...), pipeline("q\n"))
	s.start("p\x1b[31m", names...)
	s.add(exec.PullProgress{At: s.at(), Pipeline: "q\n", Image: "image\x1b[2J\n"})
	s.finish("p\x1b[31m", names[0], exec.StatusFailure)
	return s
}

func ended() *scene {
	s := newScene(pipeline("one", "a", "b"), pipeline("two", "c"))
	s.start("one", "a")
	s.add(exec.PullProgress{At: s.at(), Pipeline: "one", Image: image})
	s.finish("one", "a", exec.StatusSuccess)
	s.add(exec.PipelineFinished{At: s.at(), Pipeline: "one", Status: exec.StatusError})
	s.wait(2 * time.Minute)
	return s
}

var scenes = map[string]func() *scene{
	"nothing": nothingYet, "ten": tenSteps, "services": services, "pulls": pulls, "fetching": fetching, "failed": failed,
	"stopping": stopping, "long": longNames, "rude": rudeNames, "ended": ended,
}

// TestView compares each scene at four sizes, and at that of a terminal that
// does not tell it.
func TestView(t *testing.T) {
	sizes := [][2]int{{120, 40}, {80, 24}, {40, 10}, {20, 5}, {0, 0}}
	for name, scene := range scenes {
		t.Run(name, func(t *testing.T) {
			var got strings.Builder
			for _, size := range sizes {
				fmt.Fprintf(&got, "-- %dx%d --\n", size[0], size[1])
				for line := range strings.Lines(view(scene().frame(size[0], size[1]), report.Style{})) {
					text, erased := strings.CutSuffix(strings.TrimSuffix(line, "\n"), ansi.EraseLineRight)
					if !erased {
						t.Errorf("%q does not remove what stood behind it", line)
					}
					got.WriteString(text + "\n")
				}
			}
			golden(t, name+".golden", got.String())
		})
	}
}

func TestViewInColour(t *testing.T) {
	text := view(pulls().frame(80, 24), report.NewStyle(true)) + "\n" + view(stopping().frame(80, 24), report.NewStyle(true))
	golden(t, "colour.golden", strings.ReplaceAll(text, "\x1b", "ESC")+"\n")
}

// TestViewFits looks at small and usual sizes: no line may be as wide as the
// terminal, no board higher than half of it, and nothing but the board's own
// sequences may be in it.
func TestViewFits(t *testing.T) {
	for name, scene := range scenes {
		for _, style := range []report.Style{{}, report.NewStyle(true)} {
			board := scene().frame(0, 0)
			for width := 2; width <= 130; width += 1 + width/40 {
				for height := 1; height <= 50; height += 1 + height/8 {
					board.width, board.height = width, height
					checkFit(t, name, board, view(board, style))
				}
				if t.Failed() {
					return
				}
			}
		}
	}
}

func checkFit(t *testing.T, name string, f frame, text string) {
	lines := strings.Split(text, "\n")
	if len(lines) > max(1, f.height/2) {
		t.Errorf("%s at %dx%d has %d lines:\n%s", name, f.width, f.height, len(lines), text)
	}
	for _, line := range lines {
		if w := ansi.StringWidth(line); w >= f.width {
			t.Errorf("%s at %dx%d: a line is %d wide: %q", name, f.width, f.height, w, line)
		}
		if left := ansi.Strip(strings.ReplaceAll(line, ansi.EraseLineRight, "")); strings.ContainsFunc(left, isControl) {
			t.Errorf("%s at %dx%d: a line holds a control character: %q", name, f.width, f.height, line)
		}
	}
}

func isControl(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u202e' }

func TestViewOfNothing(t *testing.T) {
	if got := view(frame{width: 80, height: 24}, report.Style{}); got != "" {
		t.Errorf("the zero frame draws %q", got)
	}
}

// TestSpinnerMoves shows that a board on which nothing happens is seen to live,
// also when the clock is wrong.
func TestSpinnerMoves(t *testing.T) {
	f := tenSteps().frame(80, 24)
	before := view(f, report.Style{})
	f.now = f.now.Add(spinEvery)
	if view(f, report.Style{}) == before {
		t.Error("the board is the same after a spin")
	}
	f.now = time.Time{} // long before the run began
	if got := view(f, report.Style{}); !strings.Contains(got, " 0s") {
		t.Errorf("a clock that was set back gives\n%s", got)
	}
}

func TestElapsed(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Hour: "0s", 0: "0s", 59*time.Second + 999*time.Millisecond: "59s", time.Minute: "1:00",
		59*time.Minute + 59*time.Second: "59:59", time.Hour: "1:00:00", 100*time.Hour + 61*time.Second: "100:01:01",
	} {
		if got := elapsed(d); got != want {
			t.Errorf("elapsed(%s) = %q, want %q", d, got, want)
		}
	}
}
