package exec

import "time"

// WithHurryTime has an engine that hangs given d once Options.Hurry is closed.
func WithHurryTime(o Options, d time.Duration) Options {
	o.hurryTime = d
	return o
}
