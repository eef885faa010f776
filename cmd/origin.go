package cmd

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/convert"
	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/manifest"
	"github.com/drone-laptop/drone/report"
)

// origin is the way from YAML back to the files that it comes from.
type origin interface {
	// Problem gives a problem of the YAML as one of those files.
	Problem(manifest.Problem) manifest.Problem
	// Adapt gives a plan of the YAML what that has no words for, such as the
	// places in those files.
	Adapt(*exec.Plan)
	// SourceOf is the text of one of those files, nil for any other.
	SourceOf(file string) []byte
	// Notes are what is to be told of the way.
	Notes() []manifest.Problem
	// LeftOut are steps that were lost on it.
	LeftOut() []string
}

// legacyOrigin is a file for an old version of Drone.
type legacyOrigin struct {
	*convert.Converted
	source []byte
}

func (o legacyOrigin) SourceOf(string) []byte    { return o.source }
func (o legacyOrigin) Notes() []manifest.Problem { return o.Converted.Notes }
func (o legacyOrigin) LeftOut() []string         { return o.Converted.LeftOut }

// madeOrigin is a file of today, a program, or the use of a template.
type madeOrigin struct{ *convert.Result }

// failedOrigin is a program or template that has made nothing.
type failedOrigin struct{ madeOrigin }

func (failedOrigin) SourceOf(file string) []byte { return sourceOnDisk(file) }

// inSource gives problems of YAML as those of the files that it comes from, with
// the notes of the way. What is wrong in all that was made of one place is told
// once.
func inSource(from origin, problems []manifest.Problem) []manifest.Problem {
	type id struct {
		start         manifest.Pos
		rule, message string
	}
	seen := map[id]int{}
	more := map[int]int{}
	var out []manifest.Problem
	for _, p := range slices.Concat(from.Notes(), translated(from, problems)) {
		if _, old := from.(legacyOrigin); old && p.Rule == "never-together" {
			continue // the order of the steps is what it was, and was not chosen
		}
		key := id{p.Span.Start, p.Rule, p.Message}
		if first, known := seen[key]; known && p.Span.Start.Line > 0 {
			more[first]++
			continue
		}
		seen[key] = len(out)
		out = append(out, p)
	}
	if _, made := from.(madeOrigin); made {
		for i, n := range more {
			out[i].Related = append(out[i].Related, manifest.Related{Message: "and in " + report.Plural(n, "other place") + " of what it makes"})
		}
	}
	return out
}

// translated are problems of YAML as those of the files that it comes from.
func translated(from origin, problems []manifest.Problem) []manifest.Problem {
	out := make([]manifest.Problem, len(problems))
	for i, p := range problems {
		out[i] = from.Problem(p)
	}
	return out
}

// renderHint tells how to see what was made of a file.
func renderHint(command, maker string) string {
	return "`" + command + "` prints what " + maker + " makes"
}

// renderCommand is the command that prints what is made of a file for the build
// that flags of another command say. Values that can be anything are left for
// the user to fill in.
func (s Streams) renderCommand(given *pflag.FlagSet, file string) string {
	words := []string{"drone", "render"}
	if given != nil {
		known := newRender(s).Flags()
		given.Visit(func(f *pflag.Flag) {
			if known.Lookup(f.Name) == nil {
				return
			}
			values := []string{f.Value.String()}
			if list, ok := f.Value.(pflag.SliceValue); ok {
				values = list.GetSlice()
			}
			for _, value := range values {
				name, _, isPair := strings.Cut(value, "=")
				switch {
				case f.Value.Type() == "bool" && value == "true":
					words = append(words, "--"+f.Name)
					continue
				case isPair && f.Name != "jpath" && f.Name != "template-dir":
					value = name + "=…"
				}
				words = append(words, "--"+f.Name, shellWord(value))
			}
		})
	}
	if file == "<stdin>" {
		file = "-"
	}
	return strings.Join(append(words, shellWord(file)), " ")
}

var plainWord = regexp.MustCompile(`^[\w@%+=:,./…-]+$`)

// shellWord is a word as a shell wants it written.
func shellWord(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
