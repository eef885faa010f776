package viewer

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/logs"
	"github.com/drone-laptop/drone/report"
)

// recorded plays events that the program has written with --output json, of a
// plan as `drone compile` prints it, up to the end, or to the event whose line
// has a text.
//
// They are those of a copy of testdata/demo, with this at the end of greet.sh,
// and --secret-file demo.secrets:
//
//	if [ "$1" = world ]; then
//		echo "greet.sh: error: there is nobody named $1" >&2
//		exit 3
//	fi
func recorded(t *testing.T, look Look, until string) *scene {
	t.Helper()
	plan := &exec.Plan{}
	text, err := os.ReadFile("testdata/recorded/demo.plan.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, plan); err != nil {
		t.Fatal(err)
	}
	s := &scene{t: t, run: &run{plan: plan}, sink: logs.NewSink(logs.Options{}), writers: map[key]*logs.Writer{}}
	t.Cleanup(func() { s.sink.Close(time.Minute) })
	if text, err = os.ReadFile("testdata/recorded/demo.jsonl"); err != nil {
		t.Fatal(err)
	}
	over := false
	for line := range strings.Lines(string(text)) {
		e, err := report.ReadEvent([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		s.now = e.When()
		if output, ok := e.(exec.StepOutput); ok {
			s.print(output.Pipeline, output.Step, output.Text)
		} else {
			s.add(e)
		}
		_, over = e.(exec.RunFinished)
		if until != "" && strings.Contains(line, until) {
			break
		}
	}
	if over != (until == "") {
		t.Fatalf("the run is over: %v, up to %q", over, until)
	}
	s.m = newModel(source{
		snapshot: func() *snapshot { return s.run.snapshot() }, log: s.log,
		now: func() time.Time { return s.now }, zone: time.UTC,
	}, look, canCancel|canCancelStep|canDetach|canCopyRun|canSuspend)
	if over {
		s.send(runOver{})
		s.m.message = ""
	}
	return s
}

// TestRecorded compares what is shown of a recorded run at four sizes: while it
// goes on, and at its end in each kind of terminal.
func TestRecorded(t *testing.T) {
	for _, look := range []struct {
		name string
		Look
		until string
	}{
		{"running", Look{}, "there is nobody named world"},
		{"dark", Look{Colours: true}, ""}, {"light", Look{Colours: true, Light: true}, ""},
		{"colourless", Look{}, ""}, {"ascii", Look{ASCII: true}, ""},
	} {
		t.Run(look.name, func(t *testing.T) {
			var got strings.Builder
			for _, size := range sizes {
				s := recorded(t, look.Look, look.until)
				s.screen(size[0], size[1])
				text := s.m.View()
				if !look.Colours && colourful(text) {
					t.Error("there are colours where none are wanted")
				}
				if look.ASCII && !isASCII(text) {
					t.Errorf("there is more than ASCII in\n%s", text)
				}
				fmt.Fprintf(&got, "-- %dx%d --\n%s\n", size[0], size[1], trimmed(text))
			}
			golden(t, "testdata/recorded/"+look.name+".golden", strings.ReplaceAll(got.String(), "\x1b", "ESC"))
		})
	}
}

// trimmed is a screen without the blanks at the ends of its rows.
func trimmed(text string) string {
	rows := strings.Split(text, "\n")
	for i, row := range rows {
		rows[i] = strings.TrimRight(row, " ")
	}
	return strings.TrimRight(strings.Join(rows, "\n"), "\n")
}
