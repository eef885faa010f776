//go:build unix

package main

import (
	"fmt"
	"html"
	"strings"

	"github.com/drone-laptop/drone/tui/termtest"
)

// What a cell measures, and what is around all of them.
const (
	cellWidth, cellHeight = 8.4, 16.4
	fontSize              = 14
	margin                = 14.0
)

// The colours of the terminal, dark, its own first.
var (
	foregrounds = [...]string{
		"#d0d4dc", "#3b4048", "#e8686f", "#93c66b", "#e3b867", "#6aaef0", "#c787dd", "#58b8c4", "#b4bac6",
		"#6d7482", "#f28b91", "#aedb8a", "#f0cf8e", "#90c6f7", "#d9a7ea", "#82d1da", "#ffffff",
	}
	background = "#1d2026"
)

// picture draws a screen.
func picture(s *termtest.Screen) string {
	cells := s.Cells()
	for len(cells) > 0 && len(cells[0]) == 0 {
		cells = cells[1:]
	}
	width := 2*margin + columns*cellWidth
	height := 2*margin + float64(len(cells))*cellHeight
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f">`+"\n", width, height, width, height)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="8" fill="%s"/>`+"\n", background)
	fmt.Fprintf(&b, `<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="%d" fill="%s" xml:space="preserve">`+"\n", fontSize, foregrounds[0])
	for row, line := range cells {
		for at := 0; at < len(line); {
			end := at + 1
			for end < len(line) && line[end].Look == line[at].Look {
				end++
			}
			writeRun(&b, line[at:end], at, row)
			at = end
		}
	}
	b.WriteString("</g>\n</svg>\n")
	return b.String()
}

// writeRun draws cells that look the same.
func writeRun(b *strings.Builder, cells []termtest.Cell, column, row int) {
	var text strings.Builder
	for _, c := range cells {
		text.WriteString(c.Text)
	}
	look := cells[0].Look
	front, back := foregrounds[look.Foreground], ""
	if look.Background > 0 {
		back = foregrounds[look.Background]
	}
	if look.Reverse {
		if back == "" {
			back = background
		}
		front, back = back, front
	}
	x, y := margin+float64(column)*cellWidth, margin+float64(row)*cellHeight
	if back != "" {
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", x, y, float64(len(cells))*cellWidth, cellHeight, back)
	}
	shown := strings.TrimRight(text.String(), " ")
	if shown == "" {
		return
	}
	// Blanks at the beginning would be lost, and take no place of their own.
	lead := len(shown) - len(strings.TrimLeft(shown, " "))
	shown = shown[lead:]
	x += float64(lead) * cellWidth
	attributes := ""
	if front != foregrounds[0] {
		attributes += fmt.Sprintf(` fill="%s"`, front)
	}
	if look.Bold {
		attributes += ` font-weight="bold"`
	}
	if look.Faint {
		attributes += ` opacity="0.6"`
	}
	if look.Underline {
		attributes += ` text-decoration="underline"`
	}
	// Each font is made as wide as the cells are.
	wide := len(cells) - lead - (text.Len() - len(strings.TrimRight(text.String(), " ")))
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" textLength="%.1f" lengthAdjust="spacingAndGlyphs"%s>%s</text>`+"\n",
		x, y+cellHeight*0.78, float64(wide)*cellWidth, attributes, html.EscapeString(shown))
}
