// Package vigil is what a guard does as long as its parent lives: nothing. It
// waits until the pipe that is its standard input says that the run is over, and
// ends; or until the pipe breaks, because its writer is gone, however that came
// about. Then the process goes on to be the program (see Orphaned). Asked whether
// it is there to do so, it says yes.
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

// Inherit is a line that asks the guard whether it will remove what is left, when
// the pipe breaks next, of a run that has come to a good end; Heir is how it says
// on its standard output that it will. The run may be done after all.
const (
	Inherit = "inherit\n"
	Heir    = "heir\n"
)

// Orphan is what a guard has become whose parent is gone.
type Orphan struct {
	Run      string
	Settings string // what its parent has told it last
	// Heir: its parent has ended well, and makes nothing any more.
	Heir bool
}

// orphan is this process when it was a guard.
var orphan *Orphan

func init() {
	if len(os.Args) != 3 || os.Args[1] != Command || !isPipe(os.Stdin) {
		return
	}
	// It ends when the pipe says so. Whoever ends the run with a signal to
	// everything that looks like it must not end its guard as well, and who it
	// answers may be gone.
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGPIPE)
	letGo()
	rename()
	forget()
	settings, end := await(os.Stdin, os.Stdout)
	if end == over {
		os.Exit(0)
	}
	orphan = &Orphan{os.Args[2], settings, end == inherited}
	// Nobody reads what it prints.
	if nowhere, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0); err == nil {
		_ = os.Stdout.Close()
		os.Stdout = nowhere
	}
}

// end is how it came that a guard waits no more.
type end int

const (
	over      end = iota // there is nothing to do
	gone                 // its parent is gone
	inherited            // the same, after it was told that this is all
)

// await reads until the pipe says that the run is over, or is broken.
func await(pipe interface{ Read([]byte) (int, error) }, answer interface{ WriteString(string) (int, error) }) (settings string, how end) {
	text, heir := "", false
	for chunk := make([]byte, 4096); ; {
		n, err := pipe.Read(chunk)
		text += string(chunk[:n])
		if text == Done || strings.HasSuffix(text, "\n"+Done) {
			return "", over
		}
		if before, asked := strings.CutSuffix(text, "\n"+Inherit); asked {
			text, heir = before+"\n", true
			// Who does not hear it does without.
			_, _ = answer.WriteString(Heir)
		}
		if err == nil {
			continue
		}
		// A line that was cut off is none. Without any the run had not begun.
		last := strings.LastIndexByte(text, '\n')
		if last < 0 {
			return "", over
		}
		settings, how = text[strings.LastIndexByte(text[:last], '\n')+1:last], gone
		if heir {
			how = inherited
		}
		return settings, how
	}
}

func isPipe(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeNamedPipe != 0
}

// Orphaned gives what this process is when it was started as the guard of a run
// whose process is gone now, else nil.
func Orphaned() *Orphan { return orphan }
