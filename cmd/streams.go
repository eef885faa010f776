package cmd

import (
	"io"
	"os"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/drone-laptop/drone/report"
)

const red = report.Red

// Streams are what a command reads and writes: results go to Out, everything
// else to Err.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	// OutTerminal and ErrTerminal report terminals.
	OutTerminal, ErrTerminal bool
	// Columns is how wide the terminal behind Err is at the moment, 0 when that
	// is not known. It may be nil.
	Columns func() int
	// Terminal is what both Out and Err are, nil when they are not the same
	// terminal, or one that cannot be drawn on.
	Terminal *os.File
	// Dialogue reports that In and Err are terminals, so that there is somebody
	// to answer a question.
	Dialogue bool
	// LookupEnv reads the caller's environment; Environ lists it.
	LookupEnv func(string) (string, bool)
	Environ   func() []string
	// Program is the file of this program, with which it starts itself, or "".
	Program string

	colourless bool // whatever the environment says
	outlets    []*outlet
}

// patient gives streams whose writers can be given up.
func (s Streams) patient() Streams {
	out, err := newOutlet(s.Out), newOutlet(s.Err)
	s.Out, s.Err, s.outlets = out, err, []*outlet{out, err}
	return s
}

// bound gives up writers that take nothing: after a while when ending is
// closed, at once when hurry is.
func (s Streams) bound(ending, hurry <-chan struct{}) {
	for _, o := range s.outlets {
		o.bound(ending, hurry)
	}
}

// StandardStreams returns the streams of the process.
func StandardStreams() Streams {
	s := Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		OutTerminal: term.IsTerminal(int(os.Stdout.Fd())),
		ErrTerminal: term.IsTerminal(int(os.Stderr.Fd())),
		Terminal:    sharedTerminal(),
		Dialogue:    term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stderr.Fd())),
		LookupEnv:   os.LookupEnv,
		Environ:     os.Environ,
	}
	if program, err := os.Executable(); err == nil {
		s.Program = program
	}
	if s.ErrTerminal {
		s.Columns = func() int {
			width, _, err := term.GetSize(int(os.Stderr.Fd()))
			if err != nil {
				return 0
			}
			return width
		}
	}
	return s
}

// width is how wide the terminal is now: it may have changed during a run.
func (s Streams) width() int {
	if s.Columns == nil {
		return 0
	}
	return s.Columns()
}

// paragraph breaks a line between words where it is wider than the terminal,
// and sets in what follows by four columns. Nothing but the spaces at the breaks
// is changed.
func (s Streams) paragraph(line string) string {
	const indent = "    "
	width := s.width()
	if width <= 2*len(indent) {
		return line
	}
	var b strings.Builder
	for room := width; ansi.StringWidth(line) > room; room = width - len(indent) {
		fits := len(ansi.Truncate(line, room, ""))
		end, next := fits, fits
		if line[fits] == ' ' {
			next++
		} else if space := strings.LastIndexByte(line[:fits], ' '); strings.TrimSpace(line[:max(0, space)]) != "" {
			end, next = space, space+1
		}
		b.WriteString(line[:end] + "\n" + indent)
		line = line[next:]
	}
	return b.String() + line
}

// getenv reads a variable, "" when it is not set.
func (s Streams) getenv(name string) string {
	value, _ := s.LookupEnv(name)
	return value
}

// prettyFlag is the flag that asks for colours and whatever else only people
// want.
const prettyFlag = "pretty"

func addPretty(flags *pflag.FlagSet, help string) {
	flags.Bool(prettyFlag, true, help)
}

// of gives the streams as a command shall use them: plain with --pretty=false.
func (s Streams) of(c *cobra.Command) Streams {
	if pretty := c.Flags().Lookup(prettyFlag); pretty != nil && pretty.Value.String() == "false" {
		s.Terminal, s.colourless = nil, true
	}
	return s
}

// colour decides for one stream, by the conventions NO_COLOR and
// CLICOLOR_FORCE. A flag that the user gave is stronger than either.
func (s Streams) colour(terminal bool) bool {
	if s.colourless || s.getenv("NO_COLOR") != "" {
		return false
	}
	if force := s.getenv("CLICOLOR_FORCE"); force != "" && force != "0" {
		return true
	}
	return terminal && s.getenv("TERM") != "dumb"
}

func (s Streams) outStyle() report.Style { return s.style(s.OutTerminal) }
func (s Streams) errStyle() report.Style { return s.style(s.ErrTerminal) }

func (s Streams) style(terminal bool) report.Style {
	return report.NewStyle(s.colour(terminal)).OnTerminal(terminal)
}
