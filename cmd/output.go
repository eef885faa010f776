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

	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/convert"
	"github.com/drone-laptop/drone/internal/document"
	"github.com/drone-laptop/drone/internal/table"
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

// writeList prints things in the form that was asked for. none is said on the
// standard error where there is nothing.
func writeList[T any](s Streams, r *resultFlags, things []T, columns []table.Column[T], none string) error {
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
	return table.Write(s.Out, things, columns, s.outForm())
}

// writeOne prints one thing.
func writeOne[T any](s Streams, r *resultFlags, thing *T, columns []table.Column[T]) error {
	if done, err := r.writeAs(s, thing); done {
		return err
	}
	return table.WriteOne(s.Out, thing, columns, s.outForm())
}

// writeAs prints one thing if it is asked for as JSON, YAML or with a template, and
// reports whether that is all.
func (r *resultFlags) writeAs(s Streams, thing any) (done bool, err error) {
	return r.write(s, thing, func(each func(any) error) error { return each(thing) })
}

// outForm is how tables are written. On a terminal what does not fit is cut.
func (s Streams) outForm() table.Form {
	form := table.Form{Style: s.outStyle()}
	if s.OutTerminal {
		form.Width = s.width()
	}
	return form
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
		return true, document.JSON(s.Out, all)
	case "yaml":
		return true, document.YAML(s.Out, all)
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
		return table.Age(d) + " ago"
	}
	return "in " + table.Age(time.Unix(seconds, 0).Sub(now))
}

// clock is a time of a server in full.
func clock(seconds int64) string {
	if seconds == 0 {
		return ""
	}
	return time.Unix(seconds, 0).Local().Format("2006-01-02 15:04:05 -0700")
}
