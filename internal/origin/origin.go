// Package origin leads from Drone YAML back to the files that people have written:
// files of today, those for old versions of Drone, programs, and templates.
//
// What is found in the YAML becomes what is wrong in those files. It reads none of
// them, and knows neither flags nor how findings are shown. Its functions are safe
// for concurrent use.
package origin

import (
	"slices"

	"github.com/drone-laptop/drone/convert"
	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/manifest"
	"github.com/drone-laptop/drone/report"
)

// Origin is the way from YAML back to the files that it comes from.
type Origin interface {
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

// Legacy is the way back to source, a file for an old version of Drone.
func Legacy(old *convert.Converted, source []byte) Origin { return legacy{old, source} }

type legacy struct {
	*convert.Converted
	source []byte
}

func (o legacy) SourceOf(string) []byte    { return o.source }
func (o legacy) Notes() []manifest.Problem { return o.Converted.Notes }
func (o legacy) LeftOut() []string         { return o.Converted.LeftOut }

// Made is the way back to a file of today, a program, or the use of a template.
func Made(r *convert.Result) Origin { return made{r} }

type made struct{ *convert.Result }

// Failed is that of a program or template that has made nothing. read gives the
// texts of its files.
func Failed(read func(file string) []byte) Origin { return failed{read} }

type failed struct{ read func(string) []byte }

func (failed) Problem(p manifest.Problem) manifest.Problem { return p }
func (failed) Adapt(*exec.Plan)                            {}
func (o failed) SourceOf(file string) []byte               { return o.read(file) }
func (failed) Notes() []manifest.Problem                   { return nil }
func (failed) LeftOut() []string                           { return nil }

// InSource gives problems of YAML as those of the files that it comes from, with
// the notes of the way. What is wrong in all that was made of one place is told
// once.
func InSource(from Origin, problems []manifest.Problem) []manifest.Problem {
	type id struct {
		start         manifest.Pos
		rule, message string
	}
	seen := map[id]int{}
	more := map[int]int{}
	var out []manifest.Problem
	for _, p := range slices.Concat(from.Notes(), Translated(from, problems)) {
		if _, old := from.(legacy); old && p.Rule == "never-together" {
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
	if _, isMade := from.(made); isMade {
		for i, n := range more {
			out[i].Related = append(out[i].Related, manifest.Related{Message: "and in " + report.Plural(n, "other place") + " of what it makes"})
		}
	}
	return out
}

// Translated are problems of YAML as those of the files that it comes from.
func Translated(from Origin, problems []manifest.Problem) []manifest.Problem {
	out := make([]manifest.Problem, len(problems))
	for i, p := range problems {
		out[i] = from.Problem(p)
	}
	return out
}
