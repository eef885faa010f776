package manifest

import (
	"fmt"
	"strings"
)

// partKind tells the parts of a stream apart.
type partKind int

const (
	documentPart   partKind = iota
	separatorPart           // a line that starts with `---`
	terminatorPart          // a line that starts with `...`
	tailPart                // all that follows the terminator
)

// part is a range of a stream. The parts of a stream cover it without gaps,
// except that a document may be empty.
type part struct {
	kind       partKind
	start, end int
}

// split cuts a stream as the server does (reference §1.2): by lines, with no
// regard to the YAML in them. A leading separator makes no document, but a
// document may be empty later on, and then the server refuses the file.
func split(s string) []part {
	var parts []part
	start, seen := 0, false
	closeDocument := func(end int) {
		if end > start || seen {
			parts = append(parts, part{documentPart, start, end})
			seen = true
		}
	}
	for at := 0; at < len(s); {
		end := lineEnd(s, at)
		switch {
		case strings.HasPrefix(s[at:end], "---"):
			closeDocument(at)
			parts = append(parts, part{separatorPart, at, end})
			start = end
		case strings.HasPrefix(s[at:end], "..."):
			closeDocument(at)
			parts = append(parts, part{terminatorPart, at, end})
			if end < len(s) {
				parts = append(parts, part{tailPart, end, len(s)})
			}
			return parts
		}
		at = end
	}
	closeDocument(len(s))
	return parts
}

// lineEnd returns the offset after the line that starts at an offset.
func lineEnd(s string, start int) int {
	if i := strings.IndexByte(s[start:], '\n'); i >= 0 {
		return start + i + 1
	}
	return len(s)
}

// firstContent returns the offset of the first line in s that is neither blank
// nor a comment, or -1.
func firstContent(s string) int {
	for at := 0; at < len(s); {
		end := lineEnd(s, at)
		line := strings.TrimSpace(s[at:end])
		if line != "" && line[0] != '#' {
			return at
		}
		at = end
	}
	return -1
}

// checkParts reports what the split loses.
func (r *reader) checkParts(parts []part) {
	documents := 0
	for _, p := range parts {
		content := r.text.body[p.start:p.end]
		switch p.kind {
		case documentPart:
			documents++
			// A file of comments alone has another problem.
			if firstContent(content) < 0 && len(parts) > 1 {
				r.emptyDocument(p)
			}
		case separatorPart:
			r.checkSeparator(p)
		case terminatorPart:
			rest := strings.TrimSpace(content[len("..."):])
			if rest != "" && rest[0] != '#' {
				r.lostText(p, "text on the line of the terminator `...` is lost", "end the file with a bare `...` line, or remove it")
			}
		case tailPart:
			r.checkTail(p)
		}
	}
	if documents == 0 {
		r.add(Problem{
			Severity: Error, Rule: RuleEmptyFile, Span: r.text.span(0, 0),
			Message: "the file has no document",
			Hint:    "write a pipeline: kind: pipeline, type: docker, name, steps",
		})
	}
}

func (r *reader) checkSeparator(p part) {
	line := strings.TrimRight(r.text.body[p.start:p.end], "\r\n")
	rest := strings.TrimLeft(line, "-")
	trimmed := strings.TrimSpace(rest)
	if trimmed != "" && trimmed[0] != '#' {
		r.lostText(p, "text on the line of a separator `---` is lost", "move the text to the next line")
		return
	}
	if dashes := len(line) - len(rest); dashes > 3 {
		r.add(Problem{
			Severity: Warning, Rule: RuleSeparator, Span: r.text.span(p.start, p.start+len(line)),
			Message: fmt.Sprintf("a line that starts with %d dashes separates documents", dashes),
			Hint:    "write `---` to separate documents, or `#` before a decoration",
		})
	}
}

func (r *reader) lostText(p part, message, hint string) {
	rule := RuleSeparator
	if p.kind != separatorPart {
		rule = RuleTerminator
	}
	end := p.start + len(strings.TrimRight(r.text.body[p.start:p.end], "\r\n"))
	r.add(Problem{Severity: Error, Rule: rule, Span: r.text.span(p.start, end), Message: message, Hint: hint})
}

func (r *reader) checkTail(p part) {
	at := firstContent(r.text.body[p.start:p.end])
	if at < 0 {
		return
	}
	r.add(Problem{
		Severity: Error, Rule: RuleTerminator, Span: r.text.span(p.start+at, p.end),
		Message: "text after a line that starts with `...` is not read",
		Hint:    "`...` ends the whole file; separate documents with `---`",
	})
}

func (r *reader) emptyDocument(p part) {
	message := "a document without content makes the server refuse the file with \"missing kind attribute\""
	hint := "remove the extra `---` line"
	if p.start == 0 {
		hint = "remove the `---` after the comments and blank lines at the top, or move it to the first line"
	}
	start, end := p.start, p.end
	if start == end && start > 0 { // nothing to mark but the separator above it
		end = start - 1
		start = strings.LastIndexByte(r.text.body[:end], '\n') + 1
	}
	r.add(Problem{Severity: Warning, Rule: RuleEmptyDocument, Span: r.text.span(start, end), Message: message, Hint: hint})
}
