package script

import (
	osexec "os/exec"
	"strings"
	"testing"
)

// FuzzTrace shows that a trace prints the command as it is, whatever it is.
func FuzzTrace(f *testing.F) {
	for _, seed := range []string{"echo 'a' \"$b\" `c`", "a\nb", `\`, "'", "''\\'", "$(x)", "\t", "%s\\c"} {
		f.Add(seed)
	}
	shell, err := osexec.LookPath("dash")
	if err != nil {
		f.Skip("no dash on this machine to try traces with")
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "\x00") || len(text) > 10_000 {
			t.Skip("no argument of a program")
		}
		out, err := osexec.Command(shell, "-c", "printf '%s\\n' "+Quote(text)).Output()
		if err != nil || string(out) != text+"\n" {
			t.Errorf("printed %q (%v), want %q", out, err, text)
		}
	})
}
