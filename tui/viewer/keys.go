package viewer

import (
	"slices"
	"strings"
)

// place is where keys mean something: a pane, or several.
type place uint8

const (
	inTree place = 1 << iota
	inLog
	inGraph
	inDetails
	inText   = inLog | inDetails
	anywhere = inTree | inLog | inGraph | inDetails
)

// action is what a key does.
type action int

const (
	doNothing action = iota
	moveUp
	moveDown
	pageUp
	pageDown
	halfUp
	halfDown
	goFirst
	goLast
	openIt
	goBack
	fold
	unfold
	scrollLeft
	scrollRight
	scrollStart
	graphLeft
	graphRight
	nextPane
	previousPane
	showSteps
	showLog
	showGraph
	showDetails
	nextTab
	previousTab
	lessSteps
	zoom
	find
	findNext
	findPrevious
	follow
	wrap
	times
	lineNumbers
	nextError
	firstError
	copyRun
	copyLine
	saveLog
	cancelStep
	openShell
	rerunStep
	rerunOn
	detach
	mouse
	help
	suspend
	cancelRun
	quit
)

// ability is what a view can do only where somebody gives it the means.
type ability uint8

const (
	canCancel     ability = 1 << iota // the run
	canCancelStep                     // a step of it
	canDetach
	canCopyRun // a plan is known
	canRerun   // a step, when the run is over
	canShell   // in a step that runs
	canSuspend
)

// binding is a row of the key table. Everything that is said of keys, on the
// screen and in docs/keys.md, comes from there.
type binding struct {
	action action
	keys   []string // as Bubble Tea names them
	shown  string   // as people write them
	where  place
	short  string // for the line at the bottom, "" for keys that are left to the help
	long   string
	needs  ability
	same   string // the command that does the same
}

// groups are the bindings in the order of the help.
var groups = []struct {
	name     string
	bindings []binding
}{
	{"Moving", []binding{
		{action: moveUp, keys: []string{"up", "k"}, shown: "↑ k", where: anywhere, long: "up"},
		{action: moveDown, keys: []string{"down", "j"}, shown: "↓ j", where: anywhere, short: "move", long: "down"},
		{action: pageUp, keys: []string{"pgup", "ctrl+b"}, shown: "pgup ctrl-b", where: anywhere, long: "a page up"},
		{action: pageDown, keys: []string{"pgdown", "ctrl+f", " "}, shown: "pgdn ctrl-f space", where: anywhere, long: "a page down"},
		{action: halfUp, keys: []string{"ctrl+u"}, shown: "ctrl-u", where: anywhere, long: "half a page of the log up, from any pane"},
		{action: halfDown, keys: []string{"ctrl+d"}, shown: "ctrl-d", where: anywhere, long: "half a page of the log down, from any pane"},
		{action: goFirst, keys: []string{"g", "home"}, shown: "g home", where: anywhere, long: "to the beginning"},
		{action: goLast, keys: []string{"G", "end"}, shown: "G end", where: anywhere, long: "to the end; a log then follows"},
		{action: scrollLeft, keys: []string{"left", "h"}, shown: "← h", where: inLog, long: "to the left"},
		{action: scrollRight, keys: []string{"right", "l"}, shown: "→ l", where: inLog, long: "to the right, where long lines are not wrapped"},
		{action: scrollStart, keys: []string{"0"}, shown: "0", where: inLog, long: "back to the first column"},
		{action: graphLeft, keys: []string{"left", "h"}, shown: "← h", where: inGraph, long: "the one at the left; up and down follow the lines"},
		{action: graphRight, keys: []string{"right", "l"}, shown: "→ l", where: inGraph, long: "the one at the right"},
	}},
	{"Panes", []binding{
		{action: openIt, keys: []string{"enter"}, shown: "enter", where: inTree | inGraph, short: "log", long: "the log of the step; folds and unfolds a pipeline"},
		{action: goBack, keys: []string{"esc"}, shown: "esc", where: inText | inGraph, short: "back", long: "back to the steps; first ends a search"},
		{action: fold, keys: []string{"left", "h"}, shown: "← h", where: inTree, long: "fold the pipeline"},
		{action: unfold, keys: []string{"right", "l"}, shown: "→ l", where: inTree, long: "unfold the pipeline, or go to the log"},
		{action: nextPane, keys: []string{"tab"}, shown: "tab", where: anywhere, long: "the next pane"},
		{action: previousPane, keys: []string{"shift+tab"}, shown: "shift-tab", where: anywhere, long: "the pane before"},
		{action: showSteps, keys: []string{"1"}, shown: "1", where: anywhere, long: "the steps"},
		{action: showLog, keys: []string{"2"}, shown: "2", where: anywhere, long: "the log"},
		{action: showGraph, keys: []string{"3"}, shown: "3", where: anywhere, short: "graph", long: "the graph, with the critical path"},
		{action: showDetails, keys: []string{"4"}, shown: "4", where: anywhere, short: "details", long: "all that is known of the step", same: "drone compile"},
		{action: previousTab, keys: []string{"["}, shown: "[", where: anywhere, long: "log, graph or details: the one before"},
		{action: nextTab, keys: []string{"]"}, shown: "]", where: anywhere, long: "log, graph or details: the next one"},
		{action: lessSteps, keys: []string{"v"}, shown: "v", where: anywhere, long: "list all steps, those that are part of the run, or those that run or have failed"},
		{action: zoom, keys: []string{"z", "+"}, shown: "z +", where: anywhere, short: "zoom", long: "the pane alone, or all"},
	}},
	{"Logs", []binding{
		{action: find, keys: []string{"/"}, shown: "/", where: anywhere, short: "search", long: "search: a regular expression, in any case unless it has capitals; in the steps it looks for names"},
		{action: findNext, keys: []string{"n"}, shown: "n", where: anywhere, long: "the next place that was searched for"},
		{action: findPrevious, keys: []string{"N"}, shown: "N", where: anywhere, long: "the place before"},
		{action: nextError, keys: []string{"e"}, shown: "e", where: anywhere, short: "error", long: "the next line that looks like an error"},
		{action: firstError, keys: []string{"E"}, shown: "E", where: anywhere, long: "the first step that failed, and the first such line of it"},
		{action: follow, keys: []string{"f"}, shown: "f", where: anywhere, short: "follow", long: "follow the end of the log, or not"},
		{action: wrap, keys: []string{"w"}, shown: "w", where: anywhere, short: "wrap", long: "wrap long lines, or not"},
		{action: times, keys: []string{"t"}, shown: "t", where: anywhere, short: "times", long: "when each line came"},
		{action: lineNumbers, keys: []string{"#"}, shown: "#", where: anywhere, long: "numbers of lines"},
		{action: copyLine, keys: []string{"y"}, shown: "y", where: inText, long: "copy the line at the top, or that which was found"},
		{action: saveLog, keys: []string{"ctrl+s"}, shown: "ctrl-s", where: anywhere, long: "save the log of the step in a file"},
	}},
	{"The run", []binding{
		{action: copyRun, keys: []string{"Y"}, shown: "Y", where: anywhere, long: "copy a `docker run` that does what the step does; the details show it", needs: canCopyRun},
		{action: cancelStep, keys: []string{"x"}, shown: "x", where: anywhere, long: "end the step; the pipeline goes on as after a failure", needs: canCancelStep},
		{action: openShell, keys: []string{"s"}, shown: "s", where: anywhere, long: "a shell in the container of the step while it runs; exit comes back", needs: canShell, same: "docker exec -it CONTAINER sh"},
		{action: rerunStep, keys: []string{"r"}, shown: "r", where: anywhere, short: "run again", long: "when the run is over: run the step again", needs: canRerun, same: "drone exec --include STEP"},
		{action: rerunOn, keys: []string{"R"}, shown: "R", where: anywhere, long: "when the run is over: run again from the step on", needs: canRerun, same: "drone exec --resume-at STEP"},
		{action: detach, keys: []string{"d"}, shown: "d", where: anywhere, long: "leave the view; the run goes on in plain lines", needs: canDetach, same: "drone exec --output plain"},
		{action: cancelRun, keys: []string{"ctrl+c"}, shown: "ctrl-c", where: anywhere, short: "cancel", long: "end the run; a second time at once", needs: canCancel},
		{action: suspend, keys: []string{"ctrl+z"}, shown: "ctrl-z", where: anywhere, long: "suspend the view; fg comes back", needs: canSuspend},
		{action: mouse, keys: []string{"m"}, shown: "m", where: anywhere, long: "take the mouse, or leave it to the terminal, which then selects text"},
		{action: help, keys: []string{"?"}, shown: "?", where: anywhere, short: "help", long: "this help"},
		{action: quit, keys: []string{"q"}, shown: "q", where: anywhere, short: "quit", long: "leave the view; asks while the run goes on"},
	}},
	{"A build of a server", controls},
}

// lookup gives what a key does in a place, for who has those abilities.
func lookup(key string, where place, able ability) action {
	for _, g := range groups {
		for _, b := range g.bindings {
			if b.where&where != 0 && able&b.needs == b.needs && slices.Contains(b.keys, key) {
				return b.action
			}
		}
	}
	return doNothing
}

// shownKeys are the keys of a binding, where need be in ASCII.
func (t *theme) shownKeys(b binding) string {
	if !t.look.ASCII {
		return b.shown
	}
	return strings.NewReplacer("↑", "up", "↓", "down", "←", "left", "→", "right").Replace(b.shown)
}

func placeName(p place) string {
	if p == anywhere {
		return "every pane"
	}
	var names []string
	for i, name := range []string{"steps", "log", "graph", "details"} {
		if p&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}
