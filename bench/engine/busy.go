package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// clock tells how long processors have worked: those of a control group, by its
// directory, or all of the machine.
type clock string

// meter measures a spell.
type meter struct {
	clock clock
	began time.Time
	busy  time.Duration
}

func (c clock) begin() meter {
	busy := c.busy()
	return meter{c, time.Now(), busy}
}

func (m meter) end() spell {
	took := time.Since(m.began)
	return spell{took, m.clock.busy() - m.busy}
}

// busy is how long the processors have worked, together; 0 where that is not
// known.
func (c clock) busy() time.Duration {
	if c == "" {
		return machineBusy()
	}
	if text, err := os.ReadFile(filepath.Join(string(c), "cpuacct.usage")); err == nil {
		n, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		return time.Duration(n)
	}
	text, _ := os.ReadFile(filepath.Join(string(c), "cpu.stat"))
	var µs int64
	_, _ = fmt.Sscanf(string(text), "usage_usec %d", &µs)
	return time.Duration(µs) * time.Microsecond
}

// check makes sure that the clock goes.
func (c clock) check() error {
	if c.busy() > 0 {
		return nil
	}
	return fmt.Errorf("%s does not tell how long processors have worked", cmp.Or(string(c), "this machine"))
}

// machineBusy reads the first line of /proc/stat, in hundredths of a second.
func machineBusy() time.Duration {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	first, _, _ := bytes.Cut(text, []byte("\n"))
	var ticks int64
	for i, field := range strings.Fields(string(first))[1:] {
		n, err := strconv.ParseInt(field, 10, 64)
		// 3 and 4 are times of idleness; 8 and 9 are counted in others.
		if err != nil || i == 3 || i == 4 || i > 7 {
			continue
		}
		ticks += n
	}
	return time.Duration(ticks) * (time.Second / 100)
}
