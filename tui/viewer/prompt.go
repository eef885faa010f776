package viewer

import (
	"strings"
	"unicode"

	tea "github.com/charmbracelet/bubbletea"
)

// prompt is a question in the last line.
type prompt struct {
	question string
	// text is what has been typed. A prompt with keys takes one of them instead.
	text []rune
	keys string
	// done is told the answer; "" is none.
	done func(answer string) tea.Cmd
}

// key takes a key. over says that the prompt is answered, or left.
func (p *prompt) key(k tea.KeyMsg) (cmd tea.Cmd, over bool) {
	switch {
	case k.Type == tea.KeyEsc:
		return p.done(""), true
	case p.keys != "":
		if k.Type == tea.KeyRunes && len(k.Runes) == 1 && strings.ContainsRune(p.keys, k.Runes[0]) {
			return p.done(string(k.Runes)), true
		}
		return nil, false
	case k.Type == tea.KeyEnter:
		return p.done(string(p.text)), true
	case k.Type == tea.KeyBackspace && len(p.text) == 0:
		return p.done(""), true
	case k.Type == tea.KeyBackspace:
		p.text = p.text[:len(p.text)-1]
	case k.Type == tea.KeyCtrlU:
		p.text = nil
	case k.Type == tea.KeyCtrlW:
		text := strings.TrimRight(string(p.text), " ")
		p.text = []rune(text[:strings.LastIndexByte(text, ' ')+1])
	case k.Type == tea.KeySpace, k.Type == tea.KeyRunes:
		for _, r := range k.Runes {
			if unicode.IsPrint(r) {
				p.text = append(p.text, r)
			}
		}
	}
	return nil, false
}

// view shows the end of what has been typed.
func (p *prompt) view(th *theme, width int) line {
	question := line{{th.shown(p.question), th.title}}
	if p.keys != "" {
		return question.truncate(width, th.more)
	}
	text := line{{text: th.shown(string(p.text))}}
	room := max(1, width-question.width()-1)
	if n := text.width(); n > room {
		text = text.cut(n-room, n)
	}
	return append(append(question, text...), span{text: th.edit})
}
