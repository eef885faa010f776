package main

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// stamp finds what stamps prints, wherever in a line: programs put the names of
// steps, or their own time, in front.
var stamp = regexp.MustCompile(`mark-(begin|again|end) tv_sec: *([0-9]+) +tv_usec: *([0-9]+)`)

// mark is one time that a step printed.
type mark struct {
	begin bool
	at    time.Time
	// taking is how long it took to take a time, which a step that tells its
	// begin twice shows; else 0.
	taking time.Duration
}

// marks reads the times that steps printed, in order. A program that shows
// commands as its shell does shows each twice.
func marks(output []byte) (all []mark) {
	for _, found := range stamp.FindAllSubmatch(output, -1) {
		seconds, _ := strconv.ParseInt(string(found[2]), 10, 64)
		micros, _ := strconv.ParseInt(string(found[3]), 10, 64)
		at := time.UnixMicro(seconds*1_000_000 + micros)
		last := len(all) - 1
		switch name := string(found[1]); {
		case name == "again" && last >= 0:
			all[last].taking = at.Sub(all[last].at)
		case last < 0 || all[last].at != at || all[last].begin != (name == "begin"):
			all = append(all, mark{begin: name == "begin", at: at})
		}
	}
	return all
}

// gaps are the times from the end of a step to the first instruction of the
// next, less what it takes to tell them: programs are started for that, after
// the last instruction of the one step and before the first of the next.
func gaps(o outcome) (out []time.Duration, err error) {
	all := marks(o.output)
	for i := 1; i < len(all); i++ {
		if all[i].begin == all[i-1].begin {
			return nil, errors.New("its steps did not run one after another")
		}
		if all[i].begin {
			out = append(out, all[i].at.Sub(all[i-1].at)-all[i].taking)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("its steps did not tell their times")
	}
	return out, nil
}

// tail is the time from the end of the last step to that of the program.
func tail(o outcome) ([]time.Duration, error) { return fromLast(o.output, o.ended) }

// emptied is the time from the end of the last step until nothing is left of the
// run, also where that comes after the end of the program.
func emptied(o outcome) ([]time.Duration, error) { return fromLast(o.output, o.clean) }

func fromLast(output []byte, to time.Time) ([]time.Duration, error) {
	all := marks(output)
	if len(all) == 0 || all[len(all)-1].begin {
		return nil, errors.New("its last step did not tell its end")
	}
	return []time.Duration{to.Sub(all[len(all)-1].at)}, nil
}

// printed is the number of nanoseconds that a subject printed in its last line.
func printed(o outcome) ([]time.Duration, error) {
	text := lastLine(string(bytes.TrimSpace(o.output)))
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil {
		return nil, fmt.Errorf("it printed %q, which is no number of nanoseconds", text)
	}
	return []time.Duration{time.Duration(n)}, nil
}
