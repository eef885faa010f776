package viewer

import (
	"context"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/logs"
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
		m.mouseEvent(msg)
	case tea.KeyMsg:
		m.now = m.source.now()
		return m, oneByOne(msg, m.prompt, m.key)
	}
	return m, nil
}

// oneByOne gives keys to take: those that come in one read are one message. What
// is pasted is nothing but text, for a prompt that asks for some.
func oneByOne(k tea.KeyMsg, asked *prompt, take func(tea.KeyMsg) tea.Cmd) tea.Cmd {
	if k.Paste && (asked == nil || asked.keys != "") {
		return nil
	}
	if k.Type != tea.KeyRunes || len(k.Runes) < 2 || k.Alt {
		return take(k)
	}
	var cmds []tea.Cmd
	for _, r := range k.Runes {
		cmds = append(cmds, take(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}}))
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

func (m *model) mouseEvent(e tea.MouseMsg) {
	if m.helping || !m.mouse {
		return
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
}
