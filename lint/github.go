package lint

import (
	"fmt"
	"io"
	"strings"

	"github.com/drone-laptop/drone/manifest"
)

// GitHub writes findings as commands of a GitHub workflow, which shows them
// beside the lines of a pull request.
func GitHub(w io.Writer, findings []manifest.Problem) error {
	var b strings.Builder
	for _, f := range findings {
		command := string(f.Severity)
		if f.Severity == manifest.Info {
			command = "notice"
		}
		fmt.Fprintf(&b, "::%s file=%s", command, githubProperty(f.Span.Start.File))
		if f.Span.Start.Line != 0 {
			fmt.Fprintf(&b, ",line=%d,col=%d", f.Span.Start.Line, f.Span.Start.Column)
			// Of a range over several lines only lines can be told.
			if f.Span.End.Line == f.Span.Start.Line {
				fmt.Fprintf(&b, ",endColumn=%d", f.Span.End.Column)
			} else if f.Span.End.Line != 0 {
				fmt.Fprintf(&b, ",endLine=%d", f.Span.End.Line)
			}
		}
		message := f.Message
		for _, r := range f.Related {
			message += "\n" + place(r.Span.Start) + r.Message
		}
		if f.Hint != "" {
			message += "\nhint: " + f.Hint
		}
		fmt.Fprintf(&b, ",title=%s::%s\n", githubProperty(f.Rule), githubData(message))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// The escapes are those of the workflow commands of GitHub.
var (
	githubData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace
)
