package cronspec_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/drone-laptop/drone/internal/cronspec"
)

func ExampleParse() {
	schedule, err := cronspec.Parse("0 30 4 * * 1-5")
	if err != nil {
		fmt.Println(err)
		return
	}
	sunday := time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)
	fmt.Println(schedule.Next(sunday))
	fmt.Println(schedule.Gap(sunday))
	// Output:
	// 2026-11-23 04:30:00 +0000 UTC
	// 24h0m0s
}

// A line of a crontab has five fields. A server takes it, and means something else
// by it.
func ExampleCrontabError() {
	_, err := cronspec.Parse("30 4 * * 1")
	if crontab, ok := errors.AsType[*cronspec.CrontabError](err); ok {
		fmt.Println("as crontab:", crontab.Crontab)
		fmt.Println("as a server:", crontab.Shifted)
	}
	// Output:
	// as crontab: 0 30 4 * * 1
	// as a server: 30 4 * * 1 *
}
