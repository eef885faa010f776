package viewer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/report"
)

// Build is a row of a list of builds.
type Build struct {
	Number int64
	// Status is as a server has it: also blocked, declined and
	// waiting_on_dependencies.
	Status                                 string
	Event, Branch, Commit, Author, Message string
	// Created, Started and Finished are zero while they are not known.
	Created, Started, Finished time.Time
}

// BuildsOptions are what a list of builds needs. Input and Terminal must be set.
type BuildsOptions struct {
	Input    io.Reader
	Terminal *os.File
	Output   io.Writer // the way to the Terminal where that is another one
	Look     Look
	// Title says whose builds they are, and Empty what is shown while there are
	// none.
	Title, Empty string
	// Control is what can be asked of a build.
	Control func(number int64) *Control
	Now     func() time.Time // time.Now when nil
}

// Builds is a list of builds on the whole screen of a terminal, of which one may
// be chosen. Set may be called from any goroutine, Choose from one at a time.
type Builds struct {
	opts BuildsOptions

	mu      sync.Mutex
	program *tea.Program // nil while the list is not shown
	rows    []Build
	note    string

	model *buildsModel // keeps what is selected from one Choose to the next
}

// NewBuilds returns a list without builds. Nothing is drawn before Choose.
func NewBuilds(o BuildsOptions) *Builds {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Output == nil {
		o.Output = o.Terminal
	}
	b := &Builds{opts: o}
	b.model = &buildsModel{opts: o, th: newTheme(o.Look), width: 80, height: 24, now: o.Now()}
	return b
}

// Set says what the builds are, the newest first. A note stands in the first
// line, such as that the server does not answer.
func (b *Builds) Set(rows []Build, note string) {
	b.mu.Lock()
	b.rows, b.note = slices.Clone(rows), note
	p := b.program
	b.mu.Unlock()
	if p != nil {
		// A program that has just ended takes no message.
		go func() { _ = exec.Guard(func() error { p.Send(refresh{}); return nil }) }()
	}
}

// Choose shows the list until a build is chosen, or the list is left or ctx is
// done: then the number is 0.
func (b *Builds) Choose(ctx context.Context) (number int64, err error) {
	m := b.model
	m.chosen, m.left, m.message, m.prompt = 0, false, "", nil
	m.source = b.state
	m.update()
	out := &screenWriter{File: b.opts.Terminal, fd: b.opts.Terminal.Fd(), out: b.opts.Output}
	p := tea.NewProgram(m, tea.WithInput(b.opts.Input), tea.WithOutput(out), tea.WithFPS(frameRate),
		tea.WithoutSignalHandler(), tea.WithoutCatchPanics(), tea.WithAltScreen())
	b.mu.Lock()
	b.program = p
	b.mu.Unlock()
	over := make(chan struct{})
	var beside sync.WaitGroup
	beside.Go(func() { // the ages of builds go on
		tick := time.NewTicker(clockEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				p.Send(refresh{})
			case <-ctx.Done():
				p.Quit()
				return
			case <-over:
				return
			}
		}
	})
	err = exec.Guard(func() error { _, err := p.Run(); return err })
	close(over)
	beside.Wait()
	b.mu.Lock()
	b.program = nil
	b.mu.Unlock()
	if _, defect := errors.AsType[*exec.PanicError](err); defect {
		_ = p.ReleaseTerminal() // the program could not any more
	}
	return m.chosen, err
}

func (b *Builds) state() ([]Build, string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rows, b.note
}

// buildsModel is the state of the list. It belongs to the goroutine of the
// program.
type buildsModel struct {
	opts   BuildsOptions
	th     *theme
	source func() ([]Build, string)

	rows          []Build
	note          string
	now           time.Time
	width, height int

	selected, top int
	number        int64 // of the selected build, by which it is found again
	prompt        *prompt
	message       string
	helping       bool
	helpTop       int
	chosen        int64
	left          bool
}

// buildsKeys are the keys of the list.
var buildsKeys = slices.Concat([]binding{
	{action: moveUp, keys: []string{"up", "k"}, shown: "↑ k", long: "up"},
	{action: moveDown, keys: []string{"down", "j"}, shown: "↓ j", short: "move", long: "down"},
	{action: pageUp, keys: []string{"pgup", "ctrl+b"}, shown: "pgup ctrl-b", long: "a page up"},
	{action: pageDown, keys: []string{"pgdown", "ctrl+f", " "}, shown: "pgdn ctrl-f space", long: "a page down"},
	{action: goFirst, keys: []string{"g", "home"}, shown: "g home", long: "to the newest build"},
	{action: goLast, keys: []string{"G", "end"}, shown: "G end", long: "to the oldest one"},
	{action: openIt, keys: []string{"enter", "right", "l"}, shown: "enter → l", short: "open", long: "open the build: its pipelines, steps and logs", same: "drone log follow"},
}, controls, []binding{
	{action: suspend, keys: []string{"ctrl+z"}, shown: "ctrl-z", long: "suspend the list; fg comes back"},
	{action: help, keys: []string{"?"}, shown: "?", short: "help", long: "this help"},
	{action: quit, keys: []string{"q", "esc", "ctrl+c"}, shown: "q esc ctrl-c", short: "quit", long: "leave the list"},
})

// update takes over what has changed. What is selected stays so.
func (m *buildsModel) update() {
	m.now = m.opts.Now()
	m.rows, m.note = m.source()
	if i := slices.IndexFunc(m.rows, func(b Build) bool { return b.Number == m.number }); i >= 0 && m.selected > 0 {
		m.selected = i
	}
	m.choose(m.selected)
}

// choose selects a row. Who is on the first one stays with the newest build.
func (m *buildsModel) choose(i int) {
	m.selected = max(0, min(i, len(m.rows)-1))
	if len(m.rows) > 0 {
		m.number = m.rows[m.selected].Number
	}
}

func (m *buildsModel) Init() tea.Cmd { return nil }

// Update implements tea.Model.
func (m *buildsModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case refresh:
		m.update()
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.ResumeMsg:
		m.update()
		return m, tea.ClearScreen
	case said:
		m.message = string(msg)
		m.update()
	case tea.KeyMsg:
		return m, oneByOne(msg, m.prompt, m.key)
	}
	return m, nil
}

func (m *buildsModel) key(k tea.KeyMsg) tea.Cmd {
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
	i := slices.IndexFunc(buildsKeys, func(b binding) bool { return slices.Contains(b.keys, name) })
	if i < 0 || m.left {
		return nil
	}
	return m.do(buildsKeys[i].action)
}

func (m *buildsModel) do(a action) tea.Cmd {
	page := max(1, m.height-3)
	if m.helping && a != suspend && a != quit {
		switch a {
		case moveUp, pageUp:
			m.helpTop -= page / 2
		case moveDown, pageDown:
			m.helpTop += page / 2
		default:
			m.helping = false
		}
		return nil
	}
	switch a {
	case moveUp:
		m.choose(m.selected - 1)
	case moveDown:
		m.choose(m.selected + 1)
	case pageUp:
		m.choose(m.selected - page)
	case pageDown:
		m.choose(m.selected + page)
	case goFirst:
		m.choose(0)
	case goLast:
		m.choose(len(m.rows))
	case help:
		m.helping, m.helpTop = true, 0
	case suspend:
		return tea.Suspend
	case quit:
		if m.helping {
			m.helping = false
			return nil
		}
		m.left = true
		return tea.Quit
	case openIt:
		if len(m.rows) > 0 {
			m.chosen, m.left = m.number, true
			return tea.Quit
		}
	default:
		m.control(a)
	}
	return nil
}

// control asks before something is done about the selected build.
func (m *buildsModel) control(a action) {
	if len(m.rows) == 0 || m.opts.Control == nil {
		return
	}
	c := m.opts.Control(m.number)
	m.prompt = c.ask(a, fmt.Sprintf("build %d", m.number), "", func(p *prompt) { m.prompt = p }, func(text string) { m.message = text })
}

// View implements tea.Model.
func (m *buildsModel) View() string {
	if m.left {
		return ""
	}
	var b strings.Builder
	for i, row := range m.screen() {
		if i > 0 {
			b.WriteByte('\n')
		}
		row.truncate(m.width, m.th.more).paint(&b, m.th.look.Colours)
	}
	return b.String()
}

// screen draws as many rows as the terminal has.
func (m *buildsModel) screen() []line {
	th := m.th
	if !Fits(m.width, m.height) {
		return []line{{{"too small", th.warn}}}
	}
	rows := []line{m.header()}
	body := m.height - 2
	switch {
	case m.helping:
		rows = append(rows, m.helpRows(body)...)
	case len(m.rows) == 0:
		rows = append(rows, words(th.shown(m.opts.Empty), m.width, th.dim)...)
	default:
		m.top = max(min(m.top, m.selected), m.selected-body+1)
		m.top = max(0, min(m.top, len(m.rows)-body))
		widths := m.widths()
		for i := m.top; i < min(len(m.rows), m.top+body); i++ {
			row := m.row(m.rows[i], widths)
			if i == m.selected {
				row = append(line{{th.cursor, th.title}}, row...).fit(m.width, th.more).restyled(func(s style) style { return s.with(reverse) })
			} else {
				row = append(line{{text: " "}}, row...)
			}
			rows = append(rows, row)
		}
	}
	for len(rows) < m.height-1 {
		rows = append(rows, nil)
	}
	return append(rows[:m.height-1], m.footer())
}

func (m *buildsModel) header() line {
	th := m.th
	l := line{{title, th.title}, {text: "  builds of " + th.shown(report.Visible(m.opts.Title))}}
	if m.note != "" {
		l = append(l, span{"  " + th.shown(report.Visible(m.note)), th.warn})
	}
	return l
}

// columns are the texts of a row, apart from the state in front and the message
// behind.
func (m *buildsModel) columns(b Build) [5]string {
	took := ""
	switch {
	case !b.Finished.IsZero() && !b.Started.IsZero():
		took = clock(b.Finished.Sub(b.Started))
	case !b.Started.IsZero():
		took = clock(max(0, m.now.Sub(b.Started)))
	}
	commit := b.Commit[:min(len(b.Commit), 7)]
	age := ""
	if !b.Created.IsZero() {
		age = shortAge(m.now.Sub(b.Created))
	}
	return [5]string{fmt.Sprintf("#%d", b.Number), report.Visible(b.Event), report.Visible(b.Branch) + "@" + report.Visible(commit), age, took}
}

// widest bounds the columns, by how much room there is.
func (m *buildsModel) widest() [5]int {
	switch {
	case m.width < paneWidth:
		return [5]int{10, 0, 12, 4, 0}
	case m.width < wideWidth:
		return [5]int{10, 6, 20, 4, 6}
	}
	return [5]int{10, 12, 32, 4, 8}
}

func (m *buildsModel) widths() (widths [5]int) {
	widest := m.widest()
	for _, b := range m.rows {
		for i, text := range m.columns(b) {
			widths[i] = max(widths[i], min(widest[i], textWidth(text)))
		}
	}
	return widths
}

func (m *buildsModel) row(b Build, widths [5]int) line {
	th := m.th
	row := line{th.buildState(b.Status), {text: " "}}
	for i, text := range m.columns(b) {
		if widths[i] == 0 {
			continue
		}
		cell := line{{th.shown(text), style{}}}.fit(widths[i], th.more)
		if i > 2 {
			cell = cell.restyled(func(s style) style { return s.with(faint) })
		}
		row = append(append(row, cell...), span{text: "  "})
	}
	text, _, _ := strings.Cut(b.Message, "\n")
	switch b.Status {
	case "blocked", "declined":
		row = append(row, span{b.Status + "  ", th.warn})
	}
	return append(row, span{th.shown(report.Visible(text)), style{}}, span{"  " + th.shown(report.Visible(b.Author)), th.dim})
}

// buildState is the glyph of a status of a server.
func (t *theme) buildState(status string) span {
	switch status {
	case "blocked":
		return span{t.ignored, t.warn}
	case "declined":
		return span{t.killed, t.bad}
	}
	return t.state(exec.Status(status), false)
}

// shortAge is a time that has gone by, in one unit.
func shortAge(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", max(0, int(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

// footer is what is asked or said, or else the keys.
func (m *buildsModel) footer() line {
	th := m.th
	switch {
	case m.prompt != nil:
		return m.prompt.view(th, m.width)
	case m.message != "":
		return line{{th.shown(m.message), th.warn}}
	}
	var l, last line
	for _, b := range buildsKeys {
		item := line{{strings.Fields(th.shownKeys(b))[0], th.title}, {" " + b.short + "  ", th.dim}}
		switch {
		case b.short == "":
		case b.action == help || b.action == quit:
			last = append(last, item...)
		case l.width()+item.width()+20 <= m.width:
			l = append(l, item...)
		}
	}
	return append(l, last...)
}

func (m *buildsModel) helpRows(height int) []line {
	th := m.th
	var rows []line
	const keys = 20
	for _, b := range buildsKeys {
		text := b.long
		if b.same != "" {
			text += "; " + b.same
		}
		for i, row := range words(text, max(10, m.width-keys), style{}) {
			head := ""
			if i == 0 {
				head = th.shownKeys(b)
			}
			rows = append(rows, append(line{{text: "  "}, {head, th.title}}.fit(keys, th.more), row...))
		}
	}
	m.helpTop = max(0, min(m.helpTop, len(rows)-height))
	return rows[m.helpTop:min(len(rows), m.helpTop+height)]
}
