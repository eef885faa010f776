package lint

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/drone-laptop/drone/manifest"
)

// The rules about comments for the linter itself.
const (
	ruleComment = "lint-comment"
	ruleUnused  = "unused-comment"
)

// lintRules are about linting itself. Their findings are made in suppress.
func lintRules() []Rule {
	return []Rule{{
		ID: ruleComment, Group: groupLint, Severity: manifest.Warning,
		Summary: "a comment for the linter that it does not understand",
		Explanation: "Write `# drone-lint: disable=rule` with one or more rules, separated by commas: at the end of a line for " +
			"that line, above a step for the step, above any other line for it, above the first line of a document for the document, " +
			"and above the first one of the file for the file. Without rules it stands for all of them.",
		Bad: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26 # drone-lint: disable=image-tags
  commands: [go test ./...]
`,
		Good: `kind: pipeline
name: default
steps:
- name: test
  image: golang # drone-lint: disable=image-tag
  commands: [go test ./...]
`,
	}, {
		ID: ruleUnused, Group: groupLint, Severity: manifest.Info,
		Summary:     "a comment for the linter that has no effect",
		Explanation: "Nothing that the comment switches off would be reported. Remove it, or look whether it stands at the right place.",
		Bad: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26 # drone-lint: disable=image-tag
  commands: [go test ./...]
`,
		Good: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  commands: [go test ./...]
`,
	}}
}

// directive is one comment for the linter.
type directive struct {
	span  manifest.Span // of the comment
	ids   []string      // none means all
	lines [2]int        // the first and the last line it is for
	used  bool
}

var directivePattern = regexp.MustCompile(`#[ \t]*drone-lint:[ \t]*(.*)`)

// suppress leaves out what comments in the file switch off, and adds what is
// wrong with those comments.
func suppress(file *manifest.File, found []manifest.Problem, levels map[string]Level) []manifest.Problem {
	if !bytes.Contains(file.Source, []byte("drone-lint:")) {
		return found
	}
	directives, wrong := directivesOf(file)
	found = slices.DeleteFunc(found, func(f manifest.Problem) bool {
		dropped := false
		for i := range directives {
			if directives[i].covers(f) {
				directives[i].used, dropped = true, true
			}
		}
		return dropped
	})
	for _, d := range directives {
		if !d.used && !slices.ContainsFunc(d.ids, func(id string) bool { return levels[id] == Off }) {
			wrong = append(wrong, manifest.Problem{
				Severity: manifest.Info, Rule: ruleUnused, Span: d.span,
				Message: "the comment switches off what is not reported here", Hint: "remove it, or move it to where it is meant",
			})
		}
	}
	for _, f := range wrong {
		switch level, ok := levels[f.Rule]; {
		case level == Off:
			continue
		case ok:
			f.Severity = manifest.Severity(level)
		}
		found = append(found, f)
	}
	return found
}

func (d *directive) covers(f manifest.Problem) bool {
	at := f.Span.Start.Line
	return d.lines[0] <= at && at <= d.lines[1] && (len(d.ids) == 0 || slices.Contains(d.ids, f.Rule))
}

// directivesOf reads the comments for the linter of a file.
func directivesOf(file *manifest.File) (directives []directive, wrong []manifest.Problem) {
	lines := strings.Split(string(file.Source), "\n")
	offset := 0
	for i, text := range lines {
		if at := directivePattern.FindStringSubmatchIndex(text); at != nil {
			d := directive{span: lineSpan(file.Name, i+1, offset, text, at[0], len(strings.TrimRight(text, "\r \t")))}
			ids, unknown := parseDirective(text[at[2]:at[3]])
			wrong = append(wrong, unknownDirectives(d.span, unknown)...)
			if len(unknown) == 0 || len(ids) > 0 {
				d.ids = ids
				d.lines = reach(file, lines, i, strings.TrimSpace(text[:at[0]]) == "")
				directives = append(directives, d)
			}
		}
		offset += len(text) + 1
	}
	return directives, wrong
}

// parseDirective reads what follows "drone-lint:". Words that it does not know
// are in unknown.
func parseDirective(text string) (ids, unknown []string) {
	text = strings.TrimSpace(text)
	command, list, _ := strings.Cut(text, "=")
	if strings.TrimSpace(command) != "disable" {
		return nil, []string{text}
	}
	for id := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\r' }) {
		if _, err := Lookup(id); err != nil {
			unknown = append(unknown, id)
			continue
		}
		ids = append(ids, id)
	}
	return ids, unknown
}

func unknownDirectives(span manifest.Span, unknown []string) (wrong []manifest.Problem) {
	for _, word := range unknown {
		hint := "`drone lint --rules` lists them; write `# drone-lint: disable=rule`"
		if best := closest(word); best != "" {
			hint = fmt.Sprintf("did you mean `%s`?", best)
		}
		wrong = append(wrong, manifest.Problem{
			Severity: manifest.Warning, Rule: ruleComment, Span: span,
			Message: fmt.Sprintf("the comment names no rule: %q", word), Hint: hint,
		})
	}
	return wrong
}

// reach finds the lines, counted from 1, that the comment in the line with
// index i is for.
func reach(file *manifest.File, lines []string, i int, alone bool) [2]int {
	if !alone {
		return [2]int{i + 1, i + 1}
	}
	next := i + 1
	for next < len(lines) && !content(lines[next]) {
		next++
	}
	line := next + 1
	first := !slices.ContainsFunc(lines[:i], content)
	if first {
		return [2]int{1, len(lines)}
	}
	for _, d := range file.Documents {
		start, end := d.Span.Start.Line, d.Span.End.Line
		if line < start || line > end {
			continue
		}
		if !slices.ContainsFunc(lines[start-1:min(i, len(lines))], content) {
			return [2]int{i + 1, end}
		}
		if d.Pipeline == nil {
			break
		}
		for e := range elements(d.Pipeline) {
			if e.Span.Start.Line == line {
				return [2]int{line, e.Span.End.Line}
			}
		}
	}
	return [2]int{line, line}
}

// content reports whether a line holds more than blanks, a comment or the
// separator of documents.
func content(line string) bool {
	line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
	return line != "" && line != "---" && line[0] != '#'
}

// lineSpan is the span from byte column start to byte column end of a line.
func lineSpan(file string, line, offset int, text string, start, end int) manifest.Span {
	at := func(column int) manifest.Pos {
		before := strings.TrimPrefix(text[:column], "\ufeff")
		return manifest.Pos{File: file, Line: line, Column: len([]rune(before)) + 1, Offset: offset + column}
	}
	return manifest.Span{Start: at(start), End: at(end)}
}
