package viewer

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/report"
)

func (m *model) copyLine() {
	pane := m.pane()
	row := max(pane.found, pane.top)
	lines, err := pane.log.Lines(row, 1)
	if err != nil || len(lines) == 0 {
		m.tell(err)
		return
	}
	m.copyText(emulate(lines[0].Text).text())
	m.message = fmt.Sprintf("line %d is copied", lines[0].Number)
}

func (m *model) copyRun() {
	s, p := m.snap.find(m.tree.selected), m.snap.findPipeline(m.tree.selected.pipeline)
	run := ""
	if s != nil && p != nil {
		run = dockerRun(p.plan, s.plan)
	}
	if run == "" {
		m.message = "there is no docker run that does the same"
		return
	}
	m.copyText(run)
	m.message = "the docker run of " + report.Visible(s.Name) + " is copied; the details (4) show it"
}

// askCancel asks before a step is ended.
func (m *model) askCancel() {
	s := m.snap.find(m.tree.selected)
	if s == nil || s.Status != exec.StatusRunning {
		m.message = "only a step that runs can be cancelled"
		return
	}
	m.prompt = &prompt{question: "cancel step " + report.Visible(s.Name) + "? y n ", keys: "yn", done: func(answer string) tea.Cmd {
		switch {
		case answer != "y":
		case m.cancel(s.key()):
			m.message = "cancelling " + report.Visible(s.Name)
		default:
			m.message = "too many steps are being cancelled: try again in a moment"
		}
		return nil
	}}
}

// openShell gives the terminal to a shell for a while.
func (m *model) openShell() tea.Cmd {
	s := m.snap.find(m.tree.selected)
	switch {
	case s == nil:
		m.message = "select the step to have a shell in"
		return nil
	case s.Status != exec.StatusRunning:
		// One made anew would lack what the step has done to its own.
		m.message = "only a step that runs has a container; Y copies a docker run that makes one like it"
		return nil
	}
	k := s.key()
	return tea.Exec(outing(func() error { return m.shell(k) }), func(err error) tea.Msg {
		if err != nil {
			return said("no shell: " + err.Error())
		}
		return refresh{}
	})
}

// runAgain leaves the view of a run that is over, to run the selected step again.
func (m *model) runAgain(on bool) tea.Cmd {
	s := m.snap.find(m.tree.selected)
	switch {
	case !m.snap.over && !m.closing:
		m.message = "steps are run again when the run is over"
	case s == nil:
		m.message = "select the step to be run again"
	case s.never || s.service():
		m.message = "no such step is run by itself"
	default:
		m.rerun(s.key(), on)
		return m.goAway()
	}
	return nil
}

// askSave asks where to, and saves the log there beside everything else. A
// file that is there is left alone.
func (m *model) askSave() {
	k := m.tree.selected
	if k.step == "" {
		m.message = "select the step whose log is to be saved"
		return
	}
	log, name := m.pane().log, fileName(k)
	m.prompt = &prompt{question: "save as ", text: []rune(name), done: func(answer string) tea.Cmd {
		if answer == "" {
			return nil
		}
		path := answer
		if !filepath.IsAbs(path) {
			path = filepath.Join(m.folder, path)
		}
		return func() tea.Msg {
			n, err := save(log, path)
			if err != nil {
				return said(err.Error())
			}
			return said(report.Plural(n, "line") + " in " + path)
		}
	}}
}

// fileName is one for the log of a step.
func fileName(k key) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>| `, r) || r < ' ' {
			return '-'
		}
		return r
	}, strings.TrimLeft(k.pipeline+"-"+k.step, ".")) + ".log"
}

// save writes a log as it came, and gives how many lines it has.
func save(log Log, path string) (n int, err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	const batch = 4096
	open := 0 // the line whose newline has not come
	for row, end := 0, log.Len(); row < end; row += batch {
		lines, err := readable(log, row, min(batch, end-row))
		if err != nil {
			return n, err
		}
		var b strings.Builder
		for _, l := range lines {
			if open != 0 && open != l.Number {
				b.WriteByte('\n')
			}
			if open != l.Number {
				n++
			}
			b.WriteString(l.Text)
			open = l.Number
			if !l.Partial {
				b.WriteByte('\n')
				open = 0
			}
		}
		if _, err := io.WriteString(f, b.String()); err != nil {
			return n, err
		}
	}
	return n, nil
}
