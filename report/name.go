package report

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Visible returns text, such as the name of a step, as it can stand within a
// line: characters that a terminal obeys, that break lines, or that are not
// seen are written as Go quotes them, for example \x1b, \n and \u202e. All
// else, backslashes too, stays as it is. Text without such characters is
// returned unchanged.
func Visible(text string) string {
	if utf8.ValidString(text) && strings.IndexFunc(text, hidden) < 0 {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		if r != utf8.RuneError && !hidden(r) {
			b.WriteRune(r)
			continue
		}
		// Of an invalid byte the rune does not say which one it was.
		_, size := utf8.DecodeRuneInString(text[i:])
		quoted := strconv.QuoteToGraphic(text[i : i+size])
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

func hidden(r rune) bool {
	const joiner = '\u200d' // holds emoji together
	return !unicode.IsGraphic(r) && r != joiner
}

// visible returns what Visible makes of each text.
func visible(texts []string) []string {
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = Visible(text)
	}
	return out
}
