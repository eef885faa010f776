package guard

import (
	"path/filepath"
	"syscall"
)

// detachedProcess has no console (DETACHED_PROCESS).
const detachedProcess = 0x00000008

// apart takes the guard out of the console of the run, so that closing that or
// ctrl-C does not reach it.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP | detachedProcess}
}

// rootOf is the drive of the program: no directory is held open.
func rootOf(program string) string { return filepath.VolumeName(program) + `\` }
