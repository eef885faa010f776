package cmd

import (
	"bytes"
	"testing"
)

// TestWriteVariables: a value stays one, whatever it has that means something to
// the shell.
func TestWriteVariables(t *testing.T) {
	const value = `/home/o'neil\'; touch evil #’`
	for shell, want := range map[string]string{
		"bash":       `export DIR='/home/o'\''neil\'\''; touch evil #’'` + "\n",
		"fish":       `set -gx DIR '/home/o\'neil\\\'; touch evil #’';` + "\n",
		"powershell": `$Env:DIR = '/home/o''neil\''; touch evil #’’'` + "\n",
	} {
		var out bytes.Buffer
		x := autoscaler{asker: asker{s: Streams{Out: &out}}}
		if err := x.writeVariables(shell, [][2]string{{"DIR", value}}, nil); err != nil || out.String() != want {
			t.Errorf("%s gets %q, %v, want %q", shell, out.String(), err, want)
		}
	}
}
