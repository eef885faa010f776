package viewer

import (
	"context"
	"errors"
	"fmt"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/drone-laptop/drone/internal/logs"
)

// ask asks what to search for.
func (m *model) ask() {
	where := m.focus
	m.prompt = &prompt{question: "/", done: func(text string) tea.Cmd {
		if text == "" {
			return nil
		}
		p, err := newPattern(text)
		if err != nil {
			m.message = err.Error()
			return nil
		}
		m.pattern = p
		if where == inTree || where == inGraph {
			m.endSearch() // what was counted is not of this pattern
			if !m.tree.search(m.tree.rows(m.snap, &m.th.glyphs), p, false) {
				m.message = "no step with " + text
			}
			return nil
		}
		m.show(inLog)
		pane := m.pane()
		from := pane.top
		if pane.follow {
			from = 0
		}
		return m.look(p, from, false, true)
	}}
}

// again looks for the next place, or the one before.
func (m *model) again(backwards bool) tea.Cmd {
	if m.pattern == nil {
		m.message = "nothing was searched for yet: / does"
		return nil
	}
	if m.focus == inTree || m.focus == inGraph {
		m.tree.search(m.tree.rows(m.snap, &m.th.glyphs), m.pattern, backwards)
		return nil
	}
	pane := m.pane()
	from := pane.found
	switch {
	case from < 0:
		from = pane.top
	case backwards:
		from--
	default:
		from++
	}
	return m.look(m.pattern, from, backwards, true)
}

// errors goes to the next line that looks like an error, or to the first one of
// the first step that failed.
func (m *model) errors(first bool) tea.Cmd {
	p, err := logs.Query{Text: errorWords, Regexp: true, IgnoreCase: true}.Compile()
	if err != nil {
		m.message = err.Error()
		return nil
	}
	from := m.pane().found + 1
	if first {
		from = 0
		for _, pipeline := range m.snap.pipelines {
			for _, s := range pipeline.steps {
				if s.bad() {
					m.tree.selected, m.tree.moved = s.key(), true
					return m.lookFor(p, from)
				}
			}
		}
	}
	return m.lookFor(p, from)
}

func (m *model) lookFor(p *logs.Pattern, from int) tea.Cmd {
	m.pattern = p
	m.show(inLog)
	return m.look(p, from, false, true)
}

func (m *model) endSearch() {
	if m.search != nil {
		m.search()
		m.search = nil
	}
	m.searches++
	m.hits, m.before = -1, -1
}

// look searches the log of the selected step, beside everything else.
func (m *model) look(p *logs.Pattern, from int, backwards, around bool) tea.Cmd {
	m.endSearch()
	ctx, cancel := context.WithCancel(context.Background())
	m.search = cancel
	log, k, number := m.pane().log, m.tree.selected, m.searches
	return func() tea.Msg {
		a := foundAt{number: number, key: k, row: -1}
		if backwards && from < 0 || !backwards && from >= log.Len() {
			a.wrapped = true
			from = 0
			if backwards {
				from = log.Len() - 1
			}
		}
		a.row, a.found, a.err = log.Search(ctx, p, from, backwards)
		if !a.found && a.err == nil && around && !a.wrapped {
			a.wrapped = true
			from = 0
			if backwards {
				from = log.Len() - 1
			}
			a.row, a.found, a.err = log.Search(ctx, p, from, backwards)
		}
		return a
	}
}

// foundAt shows what was found, and has it counted.
func (m *model) foundAt(a foundAt) tea.Cmd {
	if a.number != m.searches || a.key != m.tree.selected || m.pattern == nil {
		return nil
	}
	switch {
	case errors.Is(a.err, context.Canceled):
		return nil
	case a.err != nil:
		m.tell(a.err)
		return nil
	case !a.found:
		m.message, m.hits, m.hitsOf = "not found", 0, a.key
		return nil
	case a.wrapped:
		m.message = "went on at the other end"
	}
	pane := m.pane()
	m.tell(pane.show(m.logFrame(), a.row))
	ctx, cancel := context.WithCancel(context.Background())
	m.search = cancel
	log, p := pane.log, m.pattern
	return func() tea.Msg {
		before, total, err := log.Count(ctx, p, a.row)
		if err != nil {
			return nil
		}
		return counted{a.number, a.key, before, total}
	}
}

// found says which of the places that were searched for is shown. Those of
// another step have not been counted.
func (m *model) found() string {
	switch {
	case m.hits < 0 || m.hitsOf != m.tree.selected:
		return "search"
	case m.hits == 0:
		return "not found"
	}
	return fmt.Sprintf("%d/%d", m.before+1, m.hits)
}
