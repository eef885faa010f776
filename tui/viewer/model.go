package viewer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/logs"
	"github.com/drone-laptop/drone/report"
)

// source is where a model gets what it shows, and whom it asks to do things.
// Every function but shell may be called at any time and returns at once.
type source struct {
	// snapshot gives the run as it is, the same one while nothing has changed.
	snapshot func() *snapshot
	// log gives the lines of a step.
	log func(key) Log
	// interrupt ends the run, and hurries when it is called again.
	interrupt func()
	// cancel ends a step, and reports whether that could be asked for.
	cancel func(key) bool
	// shell opens a shell in the place of a step, on the terminal, and returns
	// when that has ended.
	shell func(key) error
	// rerun is told what to run again, a step alone or with those after it, once
	// the view was left.
	rerun func(k key, on bool)
	// leave is told that the view is being left.
	leave func()
	// copyText puts a text where it can be pasted.
	copyText func(string)
	// folder is where files are saved.
	folder string
	now    func() time.Time
	zone   *time.Location
}

// model is the state of the view. It belongs to the goroutine of the program.
type model struct {
	source
	th      *theme
	able    ability
	control *Control // nil for a run of this machine

	snap          *snapshot
	now           time.Time
	width, height int

	tree    tree
	panes   map[key]*logPane
	logLook logLook
	// tab is what the main pane shows, and focus the pane that keys are for.
	tab, focus place
	zoomed     bool
	scrollTop  int // of the details

	pattern *logs.Pattern
	// hits are how many lines match and how many of them stand before the one
	// that was found, -1 while that is being counted.
	hits, before int
	hitsOf       key                // the step whose lines that are
	search       context.CancelFunc // ends the searches under way, or nil
	searches     int                // numbers them, so that answers that come too late are dropped

	prompt  *prompt
	message string
	helping bool
	helpTop int
	mouse   bool
	stay    bool // the view closes when somebody leaves it only
	closing bool // a run that ends with success closes the view
	left    bool // the view is to be left
}

// refresh is a message that the run may have changed, or the time has.
type refresh struct{}

// runOver is a message that nothing follows.
type runOver struct{}

// said is a message for the last line.
type said string

// foundAt is the answer to a search.
type foundAt struct {
	number  int
	key     key
	row     int
	found   bool
	wrapped bool
	err     error
}

// counted is how many lines match.
type counted struct {
	number        int
	key           key
	before, total int
}

func newModel(s source, look Look, able ability) *model {
	m := &model{
		source: s, th: newTheme(look), able: able, panes: map[key]*logPane{},
		tab: inLog, focus: inTree, width: 80, height: 24,
		logLook: logLook{numbers: true, zone: s.zone},
	}
	m.update()
	return m
}

// update takes over what has changed.
func (m *model) update() {
	m.snap, m.now = m.snapshot(), m.source.now()
	m.tree.attend(m.snap, m.tree.rows(m.snap, &m.th.glyphs))
}

func (m *model) Init() tea.Cmd { return nil }

// View implements tea.Model.
func (m *model) View() string {
	if m.left {
		return ""
	}
	var b strings.Builder
	for i, row := range m.screen() {
		if i > 0 {
			b.WriteByte('\n')
		}
		row.paint(&b, m.th.look.Colours)
	}
	return b.String()
}

// Update implements tea.Model.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case refresh:
		m.update()
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.ResumeMsg:
		m.update()
		return m, tea.ClearScreen
	case runOver:
		m.update()
		return m, m.runOver()
	case said:
		m.message = string(msg)
	case foundAt:
		return m, m.foundAt(msg)
	case counted:
		if msg.number == m.searches {
			m.hitsOf = msg.key
			m.before, m.hits = msg.before, msg.total
		}
	case tea.MouseMsg:
		return m, m.mouseEvent(msg)
	case tea.KeyMsg:
		m.now = m.source.now()
		return m, m.keys(msg)
	}
	return m, nil
}

// keys takes keys one by one: those that come in one read are one message. What
// is pasted is nothing but text.
func (m *model) keys(k tea.KeyMsg) tea.Cmd {
	if k.Paste && (m.prompt == nil || m.prompt.keys != "") {
		return nil
	}
	if k.Type != tea.KeyRunes || len(k.Runes) < 2 || k.Alt {
		return m.key(k)
	}
	var cmds []tea.Cmd
	for _, r := range k.Runes {
		cmds = append(cmds, m.key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}}))
	}
	return tea.Batch(cmds...)
}

// runOver closes the view of a run that succeeded, unless somebody reads in it.
func (m *model) runOver() tea.Cmd {
	m.closing = true
	reading := m.helping || m.prompt != nil || m.pattern != nil || m.focus != inTree && !m.pane().follow
	if m.stay {
		return nil
	}
	if m.snap.status == exec.StatusSuccess && !reading {
		return m.goAway()
	}
	m.message = "the run is over: q leaves the view"
	if m.able&canRerun != 0 {
		m.message += ", r runs the step again"
	}
	return nil
}

func (m *model) goAway() tea.Cmd {
	m.left = true
	m.leave()
	m.endSearch()
	return tea.Quit
}

// pane is that of the log of the selected step.
func (m *model) pane() *logPane {
	k := m.tree.selected
	p := m.panes[k]
	if p == nil {
		p = newLogPane(m.log(k))
		m.panes[k] = p
	} else if _, none := p.log.(nothing); none {
		p.log = m.log(k)
	}
	return p
}

func (m *model) logFrame() logFrame {
	l := m.layout()
	return logFrame{theme: m.th, logLook: m.logLook, pattern: m.pattern, width: max(1, l.mainWidth), height: max(1, l.mainHeight)}
}

func (m *model) key(k tea.KeyMsg) tea.Cmd {
	name := k.String()
	if m.prompt != nil && name != "ctrl+c" && name != "ctrl+z" {
		asked := m.prompt
		cmd, over := asked.key(k)
		if over && m.prompt == asked {
			m.prompt = nil
		}
		return cmd
	}
	m.message = ""
	if name == "ctrl+c" && m.able&canCancel == 0 {
		return m.goAway() // there is nothing else to end
	}
	if m.helping {
		return m.helpKey(name)
	}
	return m.do(lookup(name, m.focus, m.able))
}

func (m *model) helpKey(name string) tea.Cmd {
	page := m.height - 2
	switch a := lookup(name, inLog, m.able); a {
	case moveUp:
		m.helpTop--
	case moveDown:
		m.helpTop++
	case pageUp, halfUp:
		m.helpTop -= page
	case pageDown, halfDown:
		m.helpTop += page
	case goFirst:
		m.helpTop = 0
	case goLast:
		m.helpTop += 1 << 16
	case cancelRun, suspend:
		return m.do(a)
	case help, goBack, quit, openIt:
		m.helping = false
	}
	return nil
}

// do carries an action out.
func (m *model) do(a action) tea.Cmd {
	if m.motion(a) || m.arrangement(a) {
		return nil
	}
	switch a {
	case find:
		m.ask()
	case findNext:
		return m.again(false)
	case findPrevious:
		return m.again(true)
	case nextError, firstError:
		return m.errors(a == firstError)
	case copyLine:
		m.copyLine()
	case saveLog:
		m.askSave()
	case copyRun:
		m.copyRun()
	case cancelStep:
		m.askCancel()
	case openShell:
		return m.openShell()
	case rerunStep, rerunOn:
		return m.runAgain(a == rerunOn)
	case detach:
		return m.goAway()
	case mouse:
		m.mouse = !m.mouse
		if m.mouse {
			m.message = "the mouse scrolls and selects; m leaves it to the terminal"
			return tea.EnableMouseCellMotion
		}
		return tea.DisableMouse
	case suspend:
		return tea.Suspend
	case cancelRun:
		if m.snap.over || m.closing {
			return m.goAway()
		}
		m.interrupt()
		m.prompt = nil
	case quit:
		return m.quit()
	default:
		m.controlRun(a)
	}
	return nil
}

// quit leaves the view, and asks before that while the run goes on.
func (m *model) quit() tea.Cmd {
	if m.snap.over || m.closing || m.able&canCancel == 0 {
		return m.goAway()
	}
	m.prompt = &prompt{question: "the run goes on: d plain lines, c cancel it, esc stay ", keys: "dc", done: func(answer string) tea.Cmd {
		switch answer {
		case "d":
			return m.do(detach)
		case "c":
			m.interrupt()
		}
		return nil
	}}
	return nil
}

// arrangement is what changes how things are shown, not what.
func (m *model) arrangement(a action) bool {
	tabs := []place{inLog, inGraph, inDetails}
	turn := func(by int) {
		for i, t := range tabs {
			if t == m.tab {
				m.show(tabs[(i+by+len(tabs))%len(tabs)])
				return
			}
		}
	}
	switch a {
	case nextPane, previousPane:
		if m.focus == inTree {
			m.focus = m.tab
		} else {
			m.focus = inTree
		}
	case showSteps:
		m.focus = inTree
	case showLog:
		m.show(inLog)
		m.focus = inLog
	case showGraph:
		m.show(inGraph)
		m.focus = inGraph
	case showDetails:
		m.show(inDetails)
		m.focus = inDetails
	case nextTab:
		turn(1)
	case previousTab:
		turn(-1)
	case zoom:
		m.zoomed = !m.zoomed
	case goBack:
		if m.pattern != nil {
			m.endSearch()
			m.pattern = nil
		} else {
			m.focus, m.zoomed = inTree, false
		}
	case follow:
		m.pane().follow = !m.pane().follow
	case wrap:
		m.logLook.wrap = !m.logLook.wrap
		m.pane().sub, m.pane().left = 0, 0
	case times:
		m.logLook.times = !m.logLook.times
	case lineNumbers:
		m.logLook.numbers = !m.logLook.numbers
	case lessSteps:
		m.tree.detail = (m.tree.detail + 1) % details
		m.message = m.tree.detail.String()
	case help:
		m.helping, m.helpTop = true, 0
	default:
		return false
	}
	return true
}

// show brings a tab to the front. The keys follow when they were for the other.
func (m *model) show(tab place) {
	if m.focus != inTree {
		m.focus = tab
	}
	m.tab = tab
}

// motion moves in the pane that keys are for.
func (m *model) motion(a action) bool {
	l := m.layout()
	switch a {
	case halfUp, halfDown:
		by := max(1, l.mainHeight/2)
		if a == halfUp {
			by = -by
		}
		m.scroll(by)
		return true
	case scrollLeft, scrollRight, scrollStart:
		m.sideways(a)
		return true
	}
	switch {
	case m.focus == inGraph && m.graphMotion(a):
		return true
	case m.focus == inTree || m.focus == inGraph:
		return m.treeMotion(a, l)
	}
	page := max(1, l.mainHeight-1)
	switch a {
	case moveUp:
		m.scroll(-1)
	case moveDown:
		m.scroll(1)
	case pageUp:
		m.scroll(-page)
	case pageDown:
		m.scroll(page)
	case goFirst:
		m.scrollTop = 0
		if m.tab == inLog {
			m.pane().first()
		}
	case goLast:
		m.scrollTop = 1 << 30
		if m.tab == inLog {
			m.pane().follow = true
		}
	default:
		return false
	}
	return true
}

func (m *model) sideways(a action) {
	p := m.pane()
	by := max(1, m.layout().mainWidth/2)
	switch {
	case m.tab != inLog || m.logLook.wrap:
	case a == scrollLeft:
		p.left = max(0, p.left-by)
	case a == scrollRight:
		p.left = min(maxColumns, p.left+by)
	default:
		p.left = 0
	}
}

// scroll moves the text in the main pane.
func (m *model) scroll(rows int) {
	if m.tab != inLog {
		m.scrollTop += rows
		return
	}
	m.tell(m.pane().scroll(m.logFrame(), rows))
}

// tell shows an error of a log in the last line.
func (m *model) tell(err error) {
	if err != nil {
		m.message = "the log cannot be read: " + err.Error()
	}
}

func (m *model) treeMotion(a action, l layout) bool {
	rows := m.tree.rows(m.snap, &m.th.glyphs)
	page := max(1, l.treeHeight-1)
	switch a {
	case moveUp:
		m.tree.move(rows, -1)
	case moveDown:
		m.tree.move(rows, 1)
	case pageUp:
		m.tree.move(rows, -page)
	case pageDown:
		m.tree.move(rows, page)
	case goFirst:
		m.tree.move(rows, -len(rows))
	case goLast:
		m.tree.move(rows, len(rows))
	case fold, unfold, openIt:
		m.open(a, rows)
	default:
		return false
	}
	m.scrollTop = 0
	return true
}

// open folds and unfolds pipelines, and goes to the log of steps.
func (m *model) open(a action, rows []treeRow) {
	if len(rows) == 0 {
		return
	}
	row := rows[m.tree.index(rows)]
	folded := m.tree.isFolded(row.pipeline)
	switch {
	case a == fold && len(m.snap.pipelines) > 1:
		m.tree.fold(row.pipeline.Name, true)
		m.tree.selected, m.tree.moved = key{row.pipeline.Name, ""}, true
	case a == fold:
	case row.step == nil && (a == openIt || folded):
		m.tree.fold(row.pipeline.Name, !folded)
	case row.step != nil:
		m.tab, m.focus, m.tree.moved = inLog, inLog, true
	}
}

func (m *model) mouseEvent(e tea.MouseMsg) tea.Cmd {
	if m.helping || !m.mouse {
		return nil
	}
	l := m.layout()
	inMain := l.mainWidth > 0 && (l.treeWidth == 0 || !l.stacked && e.X > l.treeWidth || l.stacked && e.Y > l.treeHeight)
	const wheel = 3
	switch {
	case e.Button == tea.MouseButtonWheelUp && inMain:
		m.scroll(-wheel)
	case e.Button == tea.MouseButtonWheelDown && inMain:
		m.scroll(wheel)
	case e.Button == tea.MouseButtonWheelUp:
		m.treeMotion(moveUp, l)
	case e.Button == tea.MouseButtonWheelDown:
		m.treeMotion(moveDown, l)
	case e.Button == tea.MouseButtonLeft && e.Action == tea.MouseActionPress && inMain:
		m.focus = m.tab
	case e.Button == tea.MouseButtonLeft && e.Action == tea.MouseActionPress:
		m.focus = inTree
		rows := m.tree.rows(m.snap, &m.th.glyphs)
		if i := m.tree.top + e.Y - 1; e.Y >= 1 && i < len(rows) {
			m.tree.selected, m.tree.moved = rows[i].key(), true
		}
	}
	return nil
}

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
	p, err := logs.Query{Text: errorWords, Regexp: true, Case: logs.IgnoreCase}.Compile()
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

func (m *model) copyLine() {
	pane := m.pane()
	row := pane.found
	if row < pane.top {
		row = pane.top
	}
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
