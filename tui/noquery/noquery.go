// Package noquery keeps the start of the program from asking the terminal for
// its background colour.
//
// Bubble Tea v1 does so when it is loaded, in every command and before main:
// it changes the terminal's modes, writes a question, and reads the keyboard
// for up to five seconds until a terminal answers, which not all do. It asks
// nothing where the variable CI is set. So CI is set while Bubble Tea is being
// loaded, and is then what the caller made it.
//
// This relies on the order in which Go loads packages: by import path, each
// after what it imports. This one imports only the standard library, and its
// path comes before that of a package that Bubble Tea needs
// (github.com/muesli/termenv). A test of the real program in a terminal fails
// when that is no longer so. Bubble Tea v2 asks nothing unless told to; with
// it this package can go.
//
// See https://github.com/charmbracelet/bubbletea/blob/v1.3.10/tea_init.go.
package noquery

import "os"

const variable = "CI"

// callers is the variable as the caller set it.
var callers = pretend()

type setting struct {
	value string
	set   bool
}

func pretend() setting {
	value, set := os.LookupEnv(variable)
	if value == "" {
		// Should this fail the question is asked, which harms nothing.
		_ = os.Setenv(variable, "true")
	}
	return setting{value, set}
}

// Restore gives the caller's environment back. It is for the package that
// imports Bubble Tea, while it is loaded itself, and returns nothing of use.
func Restore() struct{} {
	if callers.set {
		_ = os.Setenv(variable, callers.value)
	} else {
		_ = os.Unsetenv(variable)
	}
	return struct{}{}
}
