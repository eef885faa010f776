// Package cronspec reads the expressions of scheduled builds as a Drone server
// does: with seconds as the first field. It finds the five-field lines of crontab,
// which a server takes for something else.
package cronspec

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// servers read expressions like this: six fields, of which the last one, the day
// of the week, may be missing, or a descriptor.
var servers = cron.NewParser(cron.Second | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.DowOptional | cron.Descriptor)

// CrontabError is an expression with five fields, as crontab has them. A server
// accepts it, with another meaning.
type CrontabError struct {
	Expr string
	// Crontab is the expression that means for a server what Expr does in a
	// crontab, and Shifted the one that says what a server reads in Expr.
	Crontab, Shifted string
}

func (e *CrontabError) Error() string {
	return fmt.Sprintf("%q has five fields, and a server reads the first one as seconds, not as minutes", e.Expr)
}

// Schedule tells when a build is due.
type Schedule struct{ next cron.Schedule }

// Next is the first time after t, zero when there is none. Like a server it goes
// by the time zone of t.
func (s Schedule) Next(t time.Time) time.Time { return s.next.Next(t) }

// Gap is the shortest time between builds among the next ones after t.
func (s Schedule) Gap(t time.Time) time.Duration {
	const some = 50 // enough for an hour that has several and those around it
	gap := time.Duration(1<<63 - 1)
	last := s.Next(t)
	for range some {
		next := s.Next(last)
		if last.IsZero() || next.IsZero() {
			break
		}
		gap, last = min(gap, next.Sub(last)), next
	}
	return gap
}

// Parse reads an expression. The error of one that is for a crontab is a
// *CrontabError.
func Parse(expr string) (Schedule, error) {
	fields := strings.Fields(expr)
	if len(fields) == 0 {
		return Schedule{}, errors.New("the expression is empty")
	}
	if strings.Contains(fields[0], "TZ=") {
		return Schedule{}, fmt.Errorf("%q names a time zone, which servers do not read: they go by their own", expr)
	}
	if !strings.HasPrefix(fields[0], "@") && (len(fields) < 5 || len(fields) > 6) {
		return Schedule{}, fmt.Errorf("%q has %d fields instead of six", expr, len(fields))
	}
	next, err := servers.Parse(strings.Join(fields, " "))
	if len(fields) == 5 && (err == nil || crontab(fields)) {
		return Schedule{}, &CrontabError{
			Expr: expr, Crontab: "0 " + strings.Join(fields, " "), Shifted: strings.Join(fields, " ") + " *",
		}
	}
	if err != nil {
		return Schedule{}, fmt.Errorf("%q cannot be read: %w", expr, err)
	}
	return Schedule{next}, nil
}

// crontab reports whether fields are right in a crontab, as are the names of days
// in the fifth, which a server takes for months.
func crontab(fields []string) bool {
	_, err := cron.ParseStandard(strings.Join(fields, " "))
	return err == nil
}
