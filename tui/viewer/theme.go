package viewer

import (
	"strings"

	"github.com/drone-laptop/drone/exec"
)

// Look says what the terminal can show. The zero Look is a terminal of today
// with a dark background, shown without colours.
type Look struct {
	// Colours allows colours of the terminal's own palette. Bold, reversed and
	// underlined text is used without it, too.
	Colours bool
	// Light reports a light background.
	Light bool
	// ASCII draws with ASCII only, and replaces what steps print beyond it.
	ASCII bool
}

// glyphs are what states and borders are drawn with. Each state has a shape of
// its own, so that colours are never needed to tell them apart.
type glyphs struct {
	pending, running, success, failure, ignored, skipped, killed string
	pull, open, closed, cursor, more, bar, rule, edit            string
	// beside marks steps that run at the same time: the first, one between, and
	// the last of them.
	beside [3]string
	// node stands around a step of the graph, critical around one on the
	// critical path.
	node, critical [2]string
	// joints are lines of the graph by the sides that they touch.
	joints [16]string
}

const (
	up = 1 << iota
	down
	left
	right
)

var unicodeGlyphs = glyphs{
	pending: "○", running: "●", success: "✔", failure: "✘", ignored: "!", skipped: "–", killed: "■",
	pull: "↓", open: "▾", closed: "▸", cursor: "▌", more: "…", bar: "│", rule: "─", edit: "▏",
	beside: [3]string{"╭", "│", "╰"},
	node:   [2]string{"[", "]"}, critical: [2]string{"❰", "❱"},
	joints: [16]string{
		0: " ", up: "│", down: "│", up | down: "│", left: "─", right: "─", left | right: "─",
		up | left: "╯", up | right: "╰", down | left: "╮", down | right: "╭",
		up | down | left: "┤", up | down | right: "├", up | left | right: "┴", down | left | right: "┬",
		up | down | left | right: "┼",
	},
}

var asciiGlyphs = glyphs{
	pending: ".", running: "*", success: "+", failure: "x", ignored: "!", skipped: "-", killed: "#",
	pull: "v", open: "v", closed: ">", cursor: ">", more: "~", bar: "|", rule: "-", edit: "_",
	beside: [3]string{"/", "|", "\\"},
	node:   [2]string{"[", "]"}, critical: [2]string{"{", "}"},
	joints: [16]string{
		0: " ", up: "|", down: "|", up | down: "|", left: "-", right: "-", left | right: "-",
		up | left: "'", up | right: "'", down | left: ".", down | right: ".",
		up | down | left: "+", up | down | right: "+", up | left | right: "+", down | left | right: "+",
		up | down | left | right: "+",
	},
}

// theme is a Look made of glyphs and styles.
type theme struct {
	glyphs
	look Look

	good, bad, busy, dim, title, chosen, dull, found, hit, warn style
}

func newTheme(l Look) *theme {
	t := &theme{glyphs: unicodeGlyphs, look: l}
	if l.ASCII {
		t.glyphs = asciiGlyphs
	}
	t.good, t.bad = style{fg: palette(2)}, style{fg: palette(1)}
	t.busy, t.dim = style{fg: palette(3)}, style{attr: faint}
	t.title = style{attr: bold}
	t.chosen = style{attr: reverse}
	t.dull = style{attr: bold}
	t.warn = style{fg: palette(3)}
	t.found = style{fg: palette(0), bg: palette(3)}
	t.hit = style{fg: palette(0), bg: palette(6), attr: bold}
	if l.Light {
		// Yellow cannot be read on white.
		t.busy, t.warn = style{fg: palette(4)}, style{fg: palette(5)}
		t.hit = style{fg: palette(15), bg: palette(4), attr: bold}
	}
	if !l.Colours {
		t.found, t.hit = style{attr: underline}, style{attr: reverse | bold}
	}
	return t
}

// state is the glyph of a step's or a pipeline's status, with its style.
func (t *theme) state(status exec.Status, ignored bool) span {
	switch {
	case ignored && (status == exec.StatusFailure || status == exec.StatusError):
		return span{t.ignored, t.warn}
	case status == exec.StatusSuccess:
		return span{t.success, t.good}
	case status == exec.StatusFailure || status == exec.StatusError:
		return span{t.failure, t.bad}
	case status == exec.StatusKilled:
		return span{t.killed, t.bad}
	case status == exec.StatusRunning:
		return span{t.running, t.busy}
	case status == exec.StatusSkipped:
		return span{t.skipped, t.dim}
	}
	return span{t.pending, t.dim}
}

// ended is the glyph of a run that is over, also of one of which nobody knows how
// it ended.
func (t *theme) ended(status exec.Status) span {
	if s := t.state(status, false); s.text != t.pending {
		return s
	}
	return span{t.killed, t.warn}
}

// shown is text as the terminal can show it.
func (t *theme) shown(text string) string {
	if !t.look.ASCII || isASCII(text) {
		return text
	}
	var b strings.Builder
	for text != "" {
		char, width := cluster(text)
		text = text[len(char):]
		if isASCII(char) {
			b.WriteString(char)
		} else {
			b.WriteString(strings.Repeat("?", width))
		}
	}
	return b.String()
}

func (t *theme) shownLine(l line) line {
	if !t.look.ASCII {
		return l
	}
	changed := make(line, len(l))
	for i, s := range l {
		changed[i] = span{t.shown(s.text), s.style}
	}
	return changed
}
