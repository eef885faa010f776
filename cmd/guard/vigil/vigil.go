// Package vigil is what a guard does as long as its parent lives: nothing. It
// waits until the pipe that is its standard input says that the run is over, and
// ends; or until the pipe breaks, because its writer is gone, however that came
// about. Then the process goes on to be the program (see Orphaned).
//
// Waiting is all that most guards ever do, so it is done before the rest of the
// program is set up, which would take several times the memory: while this package is
// initialised. Go does that as soon as the packages are that it imports, in the
// order of their names, so it must import next to nothing, and nothing late.
package vigil

import (
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// Command is the first argument of a guard; the second is the run. They are for
// whoever looks at the list of processes.
const Command = "guard-of"

// Done is the last line on the pipe of a run that is over. The line before holds
// what the guard has to know.
const Done = "done\n"

// orphan is what this process has become when it was a guard.
var orphan struct {
	run, settings string
	is            bool
}

func init() {
	if len(os.Args) != 3 || os.Args[1] != Command || !isPipe(os.Stdin) {
		return
	}
	// It ends when the pipe says so. Whoever ends the run with a signal to
	// everything that looks like it must not end its guard as well.
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	letGo()
	rename()
	forget()
	settings, over := await(os.Stdin)
	if over {
		os.Exit(0)
	}
	orphan.run, orphan.settings, orphan.is = os.Args[2], settings, true
}

// await reads until the pipe says that the run is over, or is broken.
func await(pipe interface{ Read([]byte) (int, error) }) (settings string, over bool) {
	text := ""
	for chunk := make([]byte, 4096); ; {
		n, err := pipe.Read(chunk)
		text += string(chunk[:n])
		if text == Done || strings.HasSuffix(text, "\n"+Done) {
			return "", true
		}
		if err == nil {
			continue
		}
		// A line that was cut off is none. Without any the run had not begun.
		end := strings.LastIndexByte(text, '\n')
		if end < 0 {
			return "", true
		}
		return text[strings.LastIndexByte(text[:end], '\n')+1 : end], false
	}
}

func isPipe(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeNamedPipe != 0
}

// Orphaned reports whether this process was started as the guard of a run whose
// process is gone now, and gives what that has told it last.
func Orphaned() (run, settings string, ok bool) { return orphan.run, orphan.settings, orphan.is }
