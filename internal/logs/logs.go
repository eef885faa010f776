// Package logs keeps what steps print: a Sink writes the lines of any number of
// steps, each to a file of its own, and a Log reads them, from the file while it
// is written or afterwards, or from the Writer in the same process. A million
// lines cost next to no memory, and any of them is found at once.
//
// The files are compressed in chunks of about 64 KiB of text, and only ever
// appended to. Whoever reads one while it is written sees all that is older than
// a quarter of a second; whatever ends the writer, no more than that is lost.
// What is damaged is left out, and told, and the rest is read.
//
// Where a file cannot be written the lines are kept in memory, as many of the
// last ones as fit, so that those who watch still see them.
//
// It knows nothing of runs, steps or secrets: text must come masked.
package logs

import (
	"errors"
	"fmt"
	"time"
)

// Line is one row of a log: a line of a step, or a piece of one.
type Line struct {
	// Row is its position in the log, from 0.
	Row int
	// Number is that of the line, from 1. The pieces of a long line have the
	// same.
	Number int
	Time   time.Time
	Text   string
	// Partial reports text without a newline: the last line of a step, or a
	// piece of a line that a further piece follows.
	Partial bool
}

const (
	// chunkText is how much text makes a chunk full. One with a longer line is
	// longer.
	chunkText = 64 << 10
	// maxText is the longest text in a chunk, a longer row is cut into pieces.
	maxText = 32 << 20
	// flushEvery is the most time that a line waits for others of its chunk.
	flushEvery = 250 * time.Millisecond
	// defaultMemory is how much of what is not in files is kept, compressed.
	defaultMemory = 16 << 20
)

// DamageError is a part of a log that cannot be read. Lines before and after it
// may still be.
type DamageError struct {
	Path string
	// Row is the first that is missing, and Rows how many are. 0 means all that
	// follow, as many as there may have been.
	Row, Rows int
	Why       string
}

func (e *DamageError) Error() string {
	if e.Rows == 0 {
		return fmt.Sprintf("%s is damaged after row %d: %s", e.Path, e.Row, e.Why)
	}
	return fmt.Sprintf("%s is damaged in rows %d to %d: %s", e.Path, e.Row+1, e.Row+e.Rows, e.Why)
}

// ErrFull is given to Options.Failed when the files have reached Options.Limit.
var ErrFull = errors.New("the limit for the logs of one run is reached")

// ErrStuck is given to Options.Failed when a file takes nothing for a second.
var ErrStuck = errors.New("writing takes too long")
