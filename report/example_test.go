package report_test

import (
	"fmt"
	"os"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/report"
)

// A renderer takes the events of a run as they come, here as the lines that
// `drone exec --output json` prints.
func ExampleNewJSON() {
	at := exec.At{Time: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
	renderer := report.NewJSON(os.Stdout, func(*exec.Summary) int { return 0 })
	if err := renderer.Handle(exec.StepOutput{At: at, Pipeline: "default", Step: "test", Line: 1, Text: "ok"}); err != nil {
		fmt.Println(err)
	}
	if err := renderer.Close(); err != nil {
		fmt.Println(err)
	}
	// Output: {"v":1,"time":"2026-11-22T08:00:00Z","type":"step_output","pipeline":"default","step":"test","line":1,"text":"ok"}
}
