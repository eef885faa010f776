//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
)

// resident is the most memory that an ended process had resident, in bytes. On
// Linux that is no less than what this program has when it starts one.
func resident(p *os.ProcessState) int64 {
	usage, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int64(usage.Maxrss)
	}
	return int64(usage.Maxrss) << 10
}
