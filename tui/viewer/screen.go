package viewer

import (
	"fmt"
	"strings"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/report"
)

const (
	// The least terminal, and the widths from which there are two panes, and
	// two wide ones.
	minWidth, minHeight  = 20, 6
	paneWidth, wideWidth = 60, 100
	narrowTree           = 24
	leastTree, mostTree  = 30, 44
	stackHeight          = 20
	title                = "drone"
)

// Fits reports whether there is room for more than the words that there is none.
func Fits(width, height int) bool { return width >= minWidth && height >= minHeight }

// layout says where the panes are. A pane without a size is not shown.
type layout struct {
	tiny                  bool
	treeWidth, treeHeight int
	mainWidth, mainHeight int // of the pane without its title
	stacked               bool
}

func (m *model) layout() layout {
	w, h := m.width, m.height
	body := h - 2 // without the first line and the last
	both := layout{treeWidth: 0, mainWidth: w, mainHeight: body - 1}
	switch {
	case !Fits(w, h):
		return layout{tiny: true}
	case w >= paneWidth && !m.zoomed:
		tree := narrowTree
		if w >= wideWidth {
			tree = min(max(leastTree, w*3/10), mostTree)
		}
		return layout{treeWidth: tree, treeHeight: body, mainWidth: w - tree - 1, mainHeight: body - 1}
	case h >= stackHeight && !m.zoomed:
		rows := min(len(m.tree.rows(m.snap, &m.th.glyphs)), body/3)
		rows = max(1, rows)
		both.treeWidth, both.treeHeight, both.stacked = w, rows, true
		both.mainHeight = body - rows - 1
		return both
	case m.focus == inTree:
		return layout{treeWidth: w, treeHeight: body}
	}
	return both
}

// screen draws everything: as many rows as the terminal has, none wider.
func (m *model) screen() []line {
	l := m.layout()
	if l.tiny {
		return m.filled([]line{{{"too small", m.th.warn}}})
	}
	rows := []line{m.header()}
	switch {
	case m.helping:
		rows = append(rows, m.helpView(m.width, m.height-2)...)
	case l.treeWidth > 0 && l.mainWidth > 0 && !l.stacked:
		tree := m.treeView(l)
		main := m.mainView(l) // before its title, which tells where it has scrolled to
		main = append([]line{m.mainTitle(l.mainWidth)}, main...)
		for i := range m.height - 2 {
			row := at(tree, i).fit(l.treeWidth, m.th.more)
			row = append(row, span{m.th.bar, m.th.dim})
			rows = append(rows, append(row, at(main, i)...))
		}
	default:
		if l.treeWidth > 0 {
			tree := m.treeView(l)
			for i := range l.treeHeight {
				rows = append(rows, at(tree, i))
			}
		}
		if l.mainWidth > 0 {
			main := m.mainView(l)
			rows = append(rows, m.mainTitle(l.mainWidth))
			for i := range l.mainHeight {
				rows = append(rows, at(main, i))
			}
		}
	}
	return m.filled(append(m.filledTo(rows, m.height-1), m.footer()))
}

func at(rows []line, i int) line {
	if i < len(rows) {
		return rows[i]
	}
	return nil
}

func (m *model) filledTo(rows []line, n int) []line {
	for len(rows) < n {
		rows = append(rows, nil)
	}
	return rows[:max(0, n)]
}

// filled makes the rows as many as the terminal has, and none too wide.
func (m *model) filled(rows []line) []line {
	rows = m.filledTo(rows, m.height)
	for i := range rows {
		rows[i] = rows[i].truncate(m.width, m.th.more)
	}
	return rows
}

// header says what runs, how much of it is done and for how long.
func (m *model) header() line {
	th, s := m.th, m.snap
	var right line
	add := func(n int, glyph string, look style) {
		if n > 0 {
			right = append(right, span{glyph, look}, span{text: fmt.Sprintf(" %d  ", n)})
		}
	}
	add(s.counts.succeeded, th.success, th.good)
	add(s.counts.failed, th.failure, th.bad)
	add(s.counts.ignored, th.ignored, th.warn)
	add(s.counts.running, th.running, th.busy)
	add(s.counts.waiting, th.pending, th.dim)
	add(s.counts.skipped, th.skipped, th.dim)
	took := s.duration
	if !s.over && !s.started.IsZero() {
		took = m.now.Sub(s.started)
	}
	right = append(right, span{clock(took), th.title})

	left := line{{title, th.title}}
	switch {
	case s.over:
		left = append(left, span{text: " "}, th.ended(s.status), span{text: " " + string(s.status)})
	case s.stopping:
		left = append(left, span{" stopping", th.warn})
	}
	var facts []string
	if s.event != "" {
		facts = append(facts, s.event)
	}
	if branch := s.branch; branch != "" {
		if len(s.commit) >= 7 {
			branch += "@" + s.commit[:7]
		}
		facts = append(facts, branch)
	}
	if s.file != "" {
		facts = append(facts, s.file)
	}
	for _, f := range facts {
		fact := span{"  " + th.shown(report.Visible(f)), th.dim}
		if left.width()+textWidth(fact.text)+2+right.width() > m.width {
			break
		}
		left = append(left, fact)
	}
	if room := m.width - right.width() - 1; room >= len(title) {
		return append(left.fit(room+1, th.more), right...)
	}
	return right.truncate(m.width, th.more)
}

func (m *model) treeView(l layout) []line {
	return m.tree.view(m.snap, m.th, l.treeWidth, l.treeHeight, m.focus == inTree && !m.helping, m.now)
}

// mainTitle says what the main pane shows, and how.
func (m *model) mainTitle(width int) line {
	th := m.th
	var left, right line
	badge := func(text string) {
		right = append(right, span{" " + text, th.dim})
	}
	switch m.tab {
	case inGraph:
		left = line{{text: "graph of "}, {th.shown(report.Visible(m.graphName())), style{}}}
	default:
		left = m.stepTitle()
		if m.tab == inDetails {
			badge("details")
			break
		}
		pane := m.pane()
		if m.pattern != nil {
			badge(m.found())
		}
		if m.logLook.wrap {
			badge("wrap")
		} else if pane.left > 0 {
			badge(fmt.Sprintf("column %d", pane.left+1))
		}
		if pane.follow && !m.snap.over {
			badge("follow")
		}
		badge(pane.at())
	}
	if m.focus == m.tab {
		left = left.restyled(func(s style) style { return s.with(bold) })
		if len(left) > 0 {
			left = append(line{{th.cursor, th.title}}, left...)
		}
	} else {
		left = append(line{{text: " "}}, left...)
	}
	if right.width() > width*2/3 {
		right = right.cut(0, width*2/3)
	}
	return append(left.fit(max(0, width-right.width()), th.more), right...)
}

// graphName is what the graph that is shown is of.
func (m *model) graphName() string {
	if m.ofRun() {
		return "the pipelines"
	}
	return m.tree.selected.pipeline
}

// ofRun reports whether the graph is that of the pipelines.
func (m *model) ofRun() bool { return m.tree.selected.step == "" && len(m.snap.pipelines) > 1 }

// stepTitle says what is selected, and how it is.
func (m *model) stepTitle() line {
	th := m.th
	if s := m.snap.find(m.tree.selected); s != nil {
		l := line{th.state(s.Status, s.Ignored), {text: " " + th.shown(report.Visible(s.Name))}}
		return append(l, span{"  " + th.shown(stepState(s, m.now)), th.dim})
	}
	if p := m.pipelineOfPane(); p != nil {
		return line{th.state(p.Status, false), {text: " " + th.shown(report.Visible(p.Name))}, {"  " + string(p.Status), th.dim}}
	}
	return nil
}

// stepState is how a step is, in a few words.
func stepState(s *stepNode, now time.Time) string {
	took := clock(s.took(now))
	switch {
	case s.Status == exec.StatusPending:
		return "waiting"
	case s.Status == exec.StatusRunning && s.pulling != "":
		return "pulling " + s.pulling
	case s.Status == exec.StatusRunning:
		return "running for " + took
	case s.Status == exec.StatusSuccess:
		return "success in " + took
	case s.Status == exec.StatusSkipped:
		return "skipped"
	case s.Status == exec.StatusKilled:
		return "killed after " + took
	case s.Status == exec.StatusError && s.Phase != "":
		return string(s.Phase) + " failed after " + took
	}
	text := fmt.Sprintf("exit code %d after %s", s.ExitCode, took)
	if s.OOMKilled {
		text += ", out of memory"
	}
	if s.Ignored {
		text += ", does not count"
	}
	return text
}

func (m *model) mainView(l layout) []line {
	switch m.tab {
	case inGraph:
		return m.graphRows(l)
	case inDetails:
		rows := m.details(l.mainWidth)
		m.scrollTop = max(0, min(m.scrollTop, len(rows)-l.mainHeight))
		return rows[m.scrollTop:]
	}
	pane := m.pane()
	if pane.log.Len() == 0 {
		return m.emptyLog(l.mainWidth)
	}
	return pane.view(m.logFrame())
}

func (m *model) graphRows(l layout) []line {
	vs, selected := m.graph()
	rows, row := m.th.graphView(vs, selected, l.mainWidth)
	// What is selected stays in view, with what surrounds it.
	top := max(0, min(row-l.mainHeight/2, len(rows)-l.mainHeight))
	return rows[top:]
}

// emptyLog says why there are no lines.
func (m *model) emptyLog(width int) []line {
	th := m.th
	s := m.snap.find(m.tree.selected)
	if s == nil {
		if p := m.pipelineOfPane(); p != nil && p.Reason != "" {
			return words(th.shown(report.Visible(p.Reason)), width, th.dim)
		} else if p != nil && m.control != nil && p.plan != nil && p.Status == exec.StatusPending {
			return words(th.shown(p.plan.Reason), width, th.warn)
		}
		return nil
	}
	var text string
	switch {
	case s.Status == exec.StatusPending && len(s.dependsOn()) > 0:
		text = "waits for " + joined(s.dependsOn())
	case s.Status == exec.StatusPending:
		text = "waits for its turn"
	case s.Status == exec.StatusRunning && s.pulling != "":
		text = "pulling " + s.pulling
	case s.Status == exec.StatusRunning:
		text = "nothing printed yet"
	case s.Status == exec.StatusSkipped:
		text = "skipped: " + report.Visible(s.Reason)
	default:
		text = "nothing was printed"
	}
	rows := words(th.shown(text), width, th.dim)
	return append(rows, m.failure(s, width)...)
}

// failure is what is known of why a step failed, apart from its log.
func (m *model) failure(s *stepNode, width int) (rows []line) {
	th := m.th
	if s.Error != "" {
		rows = append(rows, words(th.shown(report.Visible(s.Error)), width, th.bad)...)
	}
	if s.Position != "" {
		rows = append(rows, line{{th.shown("at " + report.Visible(s.Position)), th.dim}})
	}
	if s.Hint != "" {
		rows = append(rows, words(th.shown("hint: "+report.Visible(s.Hint)), width, th.warn)...)
	}
	return rows
}

// details is all that is known of what is selected.
func (m *model) details(width int) (rows []line) {
	th := m.th
	add := func(name, value string) {
		if value == "" {
			return
		}
		l := line{{fmt.Sprintf("%-11s ", name), th.dim}, {text: th.shown(report.Visible(value))}}
		rows = append(rows, l.rows(width)...)
	}
	p := m.snap.findPipeline(m.tree.selected.pipeline)
	s := m.snap.find(m.tree.selected)
	if s == nil {
		if p != nil {
			add("pipeline", p.Name)
			add("status", string(p.Status))
			add("reason", p.Reason)
			add("hint", p.Hint)
			add("after", joined(p.dependsOn()))
		}
		return rows
	}
	add("step", s.Name)
	add("pipeline", s.pipeline)
	add("kind", string(s.Kind))
	add("status", string(s.Status))
	add("reason", s.Reason)
	if s.plan != nil && s.Reason == "" {
		add("reason", s.plan.Reason)
	}
	add("image", s.Image)
	add("after", joined(s.dependsOn()))
	rows = append(rows, m.failure(s, width)...)
	for _, spent := range s.Spent {
		add(string(spent.Phase), report.Duration(spent.Duration))
	}
	if s.plan == nil {
		return rows
	}
	for i, c := range s.plan.Commands {
		name := "commands"
		if i > 0 {
			name = ""
		}
		add(name, c)
	}
	if run := dockerRun(p.plan, s.plan); run != "" {
		rows = append(rows, nil, line{{"by hand (Y copies it)", th.dim}})
		for row := range strings.SplitSeq(run, "\n") {
			rows = append(rows, line{{text: th.shown(report.Visible(row))}}.rows(width)...)
		}
	}
	return rows
}

// footer is what is asked or said, or else the keys of the pane.
func (m *model) footer() line {
	th := m.th
	switch {
	case m.prompt != nil:
		return m.prompt.view(th, m.width)
	case m.message != "":
		return line{{th.shown(m.message), th.warn}}
	}
	var l line
	item := func(b binding) line {
		return line{{strings.Fields(th.shownKeys(b))[0], th.title}, {" " + b.short + "  ", th.dim}}
	}
	// The help tells of all others, so it has its place in any case, and so has
	// the way out.
	exit := cancelRun
	if m.snap.over || m.able&canCancel == 0 {
		exit = quit
	}
	var last line
	keys := footerKeys(m.focus, m.able)
	for _, b := range keys {
		if b.action == help || b.action == exit {
			last = append(last, item(b)...)
		}
	}
	for _, b := range keys {
		if b.action == help || b.action == cancelRun || b.action == quit || b.action == rerunStep && !m.snap.over {
			continue
		}
		if next := item(b); l.width()+next.width()+last.width() <= m.width+1 {
			l = append(l, next...)
		}
	}
	return append(l, last...).cut(0, m.width)
}

// footerKeys are the bindings that the last line tells of.
func footerKeys(where place, able ability) (keys []binding) {
	for _, g := range groups {
		for _, b := range g.bindings {
			if b.short != "" && b.where&where != 0 && able&b.needs == b.needs {
				keys = append(keys, b)
			}
		}
	}
	return keys
}

// helpView lists every key of the table, in as many columns as fit.
func (m *model) helpView(width, height int) []line {
	th := m.th
	var rows []line
	for _, g := range groups {
		if len(rows) > 0 {
			rows = append(rows, nil)
		}
		rows = append(rows, line{{g.name, th.title}})
		for _, b := range g.bindings {
			if m.able&b.needs != b.needs {
				continue
			}
			text := b.long
			if b.where != anywhere {
				text += " (" + placeName(b.where) + ")"
			}
			if b.same != "" {
				text += "; " + b.same
			}
			const keys = 20
			for i, row := range words(text, max(10, width-keys), style{}) {
				head := ""
				if i == 0 {
					head = th.shownKeys(b)
				}
				rows = append(rows, append(line{{text: "  "}, {head, th.title}}.fit(keys, th.more), row...))
			}
		}
	}
	m.helpTop = max(0, min(m.helpTop, len(rows)-height))
	return rows[m.helpTop:min(len(rows), m.helpTop+height)]
}
