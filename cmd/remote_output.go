package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"text/template"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/convert"
	"github.com/drone-laptop/drone/report"
)

// resultFlags say how the answer of a server is printed.
type resultFlags struct {
	output *outputFlag
	format string
}

func (r *resultFlags) register(flags *pflag.FlagSet) {
	r.output = addOutput(flags, "output", "table", outputJSON, "yaml")
	flags.StringVar(&r.format, "format", "", "print with this Go `template`, for example '{{ .Number }} {{ .Status }}'")
}

// column is one of a table, or one line about a single thing.
type column[T any] struct {
	name string
	text func(T) string
	// paint says the colour on a terminal; nil is for none.
	paint func(T) (int, bool)
	// only has it shown about a single thing, and not in tables.
	only bool
	// optional leaves its line out where it is empty.
	optional bool
}

// writeList prints things in the form that was asked for. none is said on the
// standard error where there is nothing.
func writeList[T any](s Streams, r *resultFlags, things []T, columns []column[T], none string) error {
	if things == nil {
		things = []T{} // [] and not null
	}
	if done, err := r.write(s, things, func(each func(any) error) error {
		for i := range things {
			if err := each(&things[i]); err != nil {
				return err
			}
		}
		return nil
	}); done {
		return err
	}
	if len(things) == 0 {
		s.note(none)
		return nil
	}
	return writeTable(s, things, columns)
}

// writeOne prints one thing.
func writeOne[T any](s Streams, r *resultFlags, thing T, columns []column[T]) error {
	if done, err := r.write(s, thing, func(each func(any) error) error { return each(thing) }); done {
		return err
	}
	return writeThing(s, thing, columns)
}

// write prints what is asked for as JSON, YAML or with a template, and reports
// whether that is all. Templates get the things one by one.
func (r *resultFlags) write(s Streams, all any, each func(func(any) error) error) (done bool, err error) {
	if r.format != "" {
		t, err := parseFormat(s, r.format)
		if err != nil {
			return true, err
		}
		return true, each(func(thing any) error { return writeFormat(s, t, thing) })
	}
	switch r.output.value {
	case outputJSON:
		return true, writeJSON(s.Out, all)
	case "yaml":
		return true, writeYAML(s.Out, all)
	}
	return false, nil
}

// checkForm says what is wrong with the flags of resultFlags, before anything is
// asked: an answer that cannot be printed would not undo what a server has done.
func checkForm(s Streams, flags *pflag.FlagSet) error {
	given := func(name string) bool {
		f := flags.Lookup(name)
		return f != nil && f.Changed && f.Value.String() != "" && f.Value.String() != "false"
	}
	if follow := flags.Lookup("follow"); follow != nil && given("follow") && (given("format") || given("output")) {
		return usage(errors.New("--follow shows what the build prints, so --format and --output have no effect"), "leave out --follow, or both of them")
	}
	if !given("format") {
		return nil
	}
	if given("output") {
		return usage(errors.New("--format and --output both say how to print"), "leave out one of the two")
	}
	_, err := parseFormat(s, flags.Lookup("format").Value.String())
	return err
}

// try reports what is wrong with a template for things like this one.
func (r *resultFlags) try(s Streams, thing any) error {
	if r.format == "" {
		return nil
	}
	t, err := parseFormat(s, r.format)
	if err != nil {
		return err
	}
	s.Out = io.Discard
	return writeFormat(s, t, thing)
}

// parseFormat reads a template of text, which knows the functions of the official
// command.
func parseFormat(s Streams, format string) (*template.Template, error) {
	t, err := template.New("--format").Funcs(convert.Functions(time.Now())).Funcs(template.FuncMap{
		"env":        s.getenv,
		"fileExists": exists,
		"readFile": func(name string) (string, error) {
			text, err := os.ReadFile(name)
			return string(text), err
		},
		"readDir": func(name string) ([]string, error) {
			entries, err := os.ReadDir(name)
			var names []string
			for _, e := range entries {
				names = append(names, e.Name())
			}
			return names, err
		},
		"now": time.Now,
		// Times are those of here, as in the official command; elsewhere in
		// templates they are those of UTC, as on a server.
		"time": func(seconds int64) time.Time { return time.Unix(seconds, 0) },
	}).Parse(format)
	if err != nil {
		return nil, usage(fmt.Errorf("--format is no template: %w", plainTemplateError(err)), "for example --format '{{ .Number }} {{ .Status }}', or '{{ . | jsonify }}'")
	}
	return t, nil
}

func plainTemplateError(err error) error {
	return errors.New(strings.TrimPrefix(strings.TrimPrefix(err.Error(), "template: "), "--format:"))
}

func writeFormat(s Streams, t *template.Template, thing any) error {
	var text bytes.Buffer
	if err := t.Execute(&text, thing); err != nil {
		return usage(fmt.Errorf("--format: %w", plainTemplateError(err)), "there is "+fieldNames(thing))
	}
	text.WriteByte('\n')
	return s.writeForeign(text.String())
}

// writeForeign prints a text that came from a server. On a terminal it is text
// only, for whoever writes the message of a commit must not steer a terminal; a
// file or a pipe gets it as it is.
func (s Streams) writeForeign(text string) error {
	if s.OutTerminal {
		text = report.Tamed(text)
	}
	_, err := io.WriteString(s.Out, text)
	return err
}

// fieldNames names what a template can refer to.
func fieldNames(thing any) string {
	t := reflect.TypeOf(thing)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return "no field of it"
	}
	var names []string
	for _, f := range reflect.VisibleFields(t) {
		if f.IsExported() {
			names = append(names, "."+f.Name)
		}
	}
	return strings.Join(names, " ")
}

// writeTable prints a table. On a terminal what does not fit is cut from the last
// column.
func writeTable[T any](s Streams, things []T, columns []column[T]) error {
	var shown []column[T]
	for _, c := range columns {
		if !c.only {
			shown = append(shown, c)
		}
	}
	cells := make([][]string, len(things)+1)
	widths := make([]int, len(shown))
	for i, c := range shown {
		cells[0] = append(cells[0], strings.ToUpper(c.name))
		for k, thing := range things {
			cells[k+1] = append(cells[k+1], cell(c.text(thing)))
		}
		for _, row := range cells {
			widths[i] = max(widths[i], ansi.StringWidth(row[i]))
		}
	}
	room, style := 0, s.outStyle()
	if s.OutTerminal {
		room = s.width()
	}
	for k, row := range cells {
		line, used := "", 0
		for i, text := range row {
			if i > 0 {
				line, used = line+"  ", used+2
			}
			if room > 0 {
				text = ansi.Truncate(text, max(1, room-used), "…")
			}
			pad := widths[i] - ansi.StringWidth(text)
			used += widths[i]
			switch {
			case k == 0:
				text = style.Faint(text)
			case shown[i].paint != nil:
				if colour, ok := shown[i].paint(things[k-1]); ok {
					text = style.Paint(colour, text)
				}
			}
			if line += text; i < len(row)-1 {
				line += strings.Repeat(" ", max(0, pad))
			}
			if room > 0 && used+2 >= room {
				break
			}
		}
		if _, err := fmt.Fprintln(s.Out, line); err != nil {
			return err
		}
	}
	return nil
}

// cell is a text as it stands in a table.
func cell(text string) string {
	text, _, _ = strings.Cut(strings.TrimRight(text, "\n"), "\n")
	if text = report.Visible(text); text == "" {
		return "-"
	}
	return text
}

// writeThing prints a line for each column.
func writeThing[T any](s Streams, thing T, columns []column[T]) error {
	width, style := 0, s.outStyle()
	for _, c := range columns {
		width = max(width, len(c.name))
	}
	for _, c := range columns {
		text := c.text(thing)
		if text == "" && c.optional {
			continue
		}
		lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
		for i := range lines {
			lines[i] = report.Visible(lines[i])
		}
		if colour, ok := c.colour(thing); ok {
			lines[0] = style.Paint(colour, lines[0])
		}
		pad := strings.Repeat(" ", width-len(c.name)+1)
		text = strings.TrimRight(c.name+":"+pad+strings.Join(lines, "\n"+strings.Repeat(" ", width+2)), " ")
		if _, err := fmt.Fprintln(s.Out, text); err != nil {
			return err
		}
	}
	return nil
}

func (c column[T]) colour(thing T) (int, bool) {
	if c.paint == nil {
		return 0, false
	}
	return c.paint(thing)
}

// statusColour is that of a status of a server.
func statusColour(status string) (int, bool) {
	switch status {
	case "success":
		return report.Green, true
	case "failure", "error", "killed", "declined":
		return report.Red, true
	case "running":
		return report.Cyan, true
	case "pending", "blocked", "waiting_on_dependencies":
		return report.Yellow, true
	}
	return 0, false
}

// yesNo is a setting as it stands in tables.
func yesNo(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

// ago is a time of a server, in seconds since 1970, as it stands in tables.
func ago(seconds int64, now time.Time) string {
	if seconds == 0 {
		return ""
	}
	if d := now.Sub(time.Unix(seconds, 0)); d >= 0 {
		return ageText(d) + " ago"
	}
	return "in " + ageText(time.Unix(seconds, 0).Sub(now))
}

// clock is a time of a server in full.
func clock(seconds int64) string {
	if seconds == 0 {
		return ""
	}
	return time.Unix(seconds, 0).Local().Format("2006-01-02 15:04:05 -0700")
}
