package cronspec_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/drone-laptop/drone/internal/cronspec"
)

var sunday = time.Date(2026, 11, 22, 0, 10, 0, 0, time.UTC)

func TestParse(t *testing.T) {
	for expr, want := range map[string]string{
		"0 0 1 * * *":      "2026-11-22 01:00:00",
		"0 30 4 * * 1-5":   "2026-11-23 04:30:00",
		"0 0 0 1 JAN MON":  "2027-01-01 00:00:00",
		"15 */20 * ? * *":  "2026-11-22 00:20:15",
		"  0 0  1 * * SUN": "2026-11-22 01:00:00",
		"@hourly":          "2026-11-22 01:00:00",
		"@daily":           "2026-11-23 00:00:00",
		"@weekly":          "2026-11-29 00:00:00",
		"@monthly":         "2026-12-01 00:00:00",
		"@yearly":          "2027-01-01 00:00:00",
		"@every 1h30m":     "2026-11-22 01:40:00",
	} {
		s, err := cronspec.Parse(expr)
		if err != nil {
			t.Errorf("%s: %v", expr, err)
		} else if got := s.Next(sunday).Format(time.DateTime); got != want {
			t.Errorf("%s: %s, want %s", expr, got, want)
		}
	}
}

func TestRefused(t *testing.T) {
	for expr, want := range map[string]string{
		"":                           "is empty",
		"0 1 * *":                    "has 4 fields instead of six",
		"0 0 1 * * * *":              "has 7 fields",
		"0 0 25 * * *":               "above maximum",
		"0 0 1 * * 7":                "above maximum",
		"0 0 1 * * XYZ":              "cannot be read",
		"@fortnightly":               "cannot be read",
		"@every soon":                "cannot be read",
		"CRON_TZ=UTC 0 0 1 * * *":    "time zone",
		"TZ=Europe/Berlin 0 1 * * *": "time zone",
		"61 1 * * *":                 "cannot be read",
	} {
		_, err := cronspec.Parse(expr)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", expr, err, want)
		}
	}
}

// TestCrontab has the lines of crontab that a server accepts, with a shifted
// meaning, and those that it refuses for it.
func TestCrontab(t *testing.T) {
	for _, expr := range []string{"0 1 * * *", "*/5 * * * *", "30 4 * * MON", "0 4 1 * 0"} {
		_, err := cronspec.Parse(expr)
		meant, ok := errors.AsType[*cronspec.CrontabError](err)
		if !ok || meant.Crontab != "0 "+expr || meant.Shifted != expr+" *" {
			t.Errorf("%s: %+v", expr, err)
			continue
		}
		if _, err := cronspec.Parse(meant.Crontab); err != nil {
			t.Error(err)
		}
	}
}

func TestGap(t *testing.T) {
	for expr, want := range map[string]time.Duration{
		"@every 10m": 10 * time.Minute, "0 0,50 1 * * *": 50 * time.Minute, "0 0 1 * * *": 24 * time.Hour,
		"0 0 0 30 2 *": 1<<63 - 1, // never
	} {
		s, err := cronspec.Parse(expr)
		if err != nil || s.Gap(sunday) != want {
			t.Errorf("%s: %s, %v; want %s", expr, s.Gap(sunday), err, want)
		}
	}
}
