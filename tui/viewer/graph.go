package viewer

import (
	"slices"
	"strings"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/report"
)

// vertex is a step in the graph of its pipeline, or a pipeline in that of the
// run.
type vertex struct {
	name      string
	state     span
	status    exec.Status
	took      time.Duration
	dependsOn []int
	level     int
	critical  bool
	// background reports a service or a detached step, which nobody waits for.
	background bool
}

// stepGraph is the graph of a pipeline's steps, without those that are no part
// of the run.
func (th *theme) stepGraph(p *pipelineNode, now time.Time) []vertex {
	var vs []vertex
	var deps [][]string
	for _, s := range p.steps {
		if s.never {
			continue
		}
		vs = append(vs, vertex{name: s.Name, state: th.state(s.Status, s.Ignored), status: s.Status, took: s.took(now), background: s.background()})
		deps = append(deps, s.dependsOn())
	}
	return connect(vs, deps)
}

// runGraph is the graph of pipelines.
func (th *theme) runGraph(s *snapshot, now time.Time) []vertex {
	var vs []vertex
	var deps [][]string
	for _, p := range s.pipelines {
		vs = append(vs, vertex{name: p.Name, state: th.state(p.Status, false), status: p.Status, took: p.took(now)})
		deps = append(deps, p.dependsOn())
	}
	return connect(vs, deps)
}

// graph is the graph that is shown, and which of its vertices is selected.
func (m *model) graph() (vs []vertex, selected string) {
	if m.ofRun() {
		return m.th.runGraph(m.snap, m.now), m.tree.selected.pipeline
	}
	if p := m.snap.findPipeline(m.tree.selected.pipeline); p != nil {
		vs = m.th.stepGraph(p, m.now)
	}
	return vs, m.tree.selected.step
}

// graphMotion selects a vertex near the one that is, and reports whether the
// action is one that does.
func (m *model) graphMotion(a action) bool {
	if a != moveUp && a != moveDown && a != graphLeft && a != graphRight {
		return false
	}
	vs, selected := m.graph()
	at := slices.IndexFunc(vs, func(v vertex) bool { return v.name == selected })
	if at < 0 { // such as one that is no part of the run
		return a == graphLeft || a == graphRight
	}
	to := near(vs, at, a)
	k := key{m.tree.selected.pipeline, vs[to].name}
	if m.ofRun() {
		k = key{vs[to].name, ""}
	}
	m.tree.selected, m.tree.moved = k, true
	return true
}

// near is the vertex that an action leads to from another, which may be that
// itself.
func near(vs []vertex, at int, a action) int {
	level := func(n int) (some []int) {
		for i, v := range vs {
			if v.level == n {
				some = append(some, i)
			}
		}
		return some
	}
	own := level(vs[at].level)
	place := slices.Index(own, at)
	switch a {
	case graphLeft:
		return own[max(0, place-1)]
	case graphRight:
		return own[min(place+1, len(own)-1)]
	case moveUp:
		if len(vs[at].dependsOn) > 0 {
			return vs[at].dependsOn[0]
		}
		return at
	}
	for i, v := range vs {
		if slices.Contains(v.dependsOn, at) {
			return i
		}
	}
	if below := level(vs[at].level + 1); len(below) > 0 {
		return below[min(place, len(below)-1)]
	}
	return at
}

// connect finds the levels and the critical path. A vertex is one level below
// the lowest of those it waits for. Names that are not there are passed over,
// and so is what would make a circle: a plan has none.
func connect(vs []vertex, deps [][]string) []vertex {
	index := map[string]int{}
	for i, v := range vs {
		index[v.name] = i
	}
	for i := range vs {
		for _, d := range deps[i] {
			if j, ok := index[d]; ok && !slices.Contains(vs[i].dependsOn, j) {
				vs[i].dependsOn = append(vs[i].dependsOn, j)
			}
		}
	}
	// length is the time until the end of a vertex along its slowest way.
	length := make([]time.Duration, len(vs))
	before := make([]int, len(vs))
	done := make([]int, len(vs)) // 1 while it is being looked at
	var visit func(i int)
	visit = func(i int) {
		if done[i] != 0 {
			return
		}
		done[i] = 1
		before[i] = -1
		for _, j := range vs[i].dependsOn {
			visit(j)
			if done[j] == 1 {
				continue
			}
			vs[i].level = max(vs[i].level, vs[j].level+1)
			if before[i] < 0 || length[j] > length[before[i]] {
				before[i] = j
			}
		}
		if !vs[i].background {
			length[i] = vs[i].took
		}
		if before[i] >= 0 {
			length[i] += length[before[i]]
		}
		done[i] = 2
	}
	last := -1
	for i := range vs {
		visit(i)
		if length[i] > 0 && !vs[i].background && (last < 0 || length[i] > length[last]) {
			last = i
		}
	}
	for i := last; i >= 0; i = before[i] {
		vs[i].critical = true
	}
	return vs
}

// criticalPath are the vertices of it, in order, and how long they took.
func criticalPath(vs []vertex) (names []string, took time.Duration) {
	var path []vertex
	for _, v := range vs {
		if v.critical {
			path = append(path, v)
			if !v.background { // which goes on beside what follows it
				took += v.took
			}
		}
	}
	slices.SortStableFunc(path, func(a, b vertex) int { return a.level - b.level })
	for _, v := range path {
		names = append(names, v.name)
	}
	return names, took
}

// graphView draws a graph: boxes by level, from top to bottom, or a list set in
// by level where they have no room. at is the row of the vertex that is
// selected.
func (th *theme) graphView(vs []vertex, selected string, width int) (rows []line, at int) {
	if len(vs) == 0 {
		return []line{{{"nothing is known of the graph", th.dim}}}, 0
	}
	for _, most := range []int{28, 20, 14} {
		g := newGrid(th, vs, selected, most)
		if g.width <= width {
			rows, at = g.draw()
			return append(rows, th.pathLine(vs, width)...), at
		}
	}
	rows, at = th.graphList(vs, selected, width)
	return append(rows, th.pathLine(vs, width)...), at
}

// pathLine names the critical path.
func (th *theme) pathLine(vs []vertex, width int) []line {
	names, took := criticalPath(vs)
	if len(names) == 0 {
		return nil
	}
	arrow := " → "
	if th.look.ASCII {
		arrow = " -> "
	}
	shown := make([]string, len(names))
	for i, n := range names {
		shown[i] = th.shown(report.Visible(n))
	}
	text := line{{th.critical[0] + th.critical[1], th.title}, {" critical path " + clock(took) + ": ", th.dim}, {text: strings.Join(shown, arrow)}}
	return append([]line{nil}, text.rows(width)...)
}

// graphList is the graph where there is no room for boxes.
func (th *theme) graphList(vs []vertex, selected string, width int) (rows []line, at int) {
	order := make([]int, len(vs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return vs[a].level - vs[b].level })
	for _, i := range order {
		v := vs[i]
		l := append(line{{text: strings.Repeat(" ", min(v.level, max(0, width/4)))}}, th.box(v, v.name == selected, width)...)
		if v.name == selected {
			at = len(rows)
		}
		if len(v.dependsOn) > 1 {
			var names []string
			for _, j := range v.dependsOn {
				names = append(names, vs[j].name)
			}
			l = append(l, span{" after " + th.shown(joined(names)), th.dim})
		}
		rows = append(rows, l.truncate(width, th.more))
	}
	return rows, at
}

// box is a vertex, no wider than that.
func (th *theme) box(v vertex, selected bool, most int) line {
	around, look := th.node, style{}
	if v.critical {
		around, look = th.critical, th.title
	}
	text := line{v.state, {text: " "}, {th.shown(report.Visible(v.name)), look}}
	time := clockOf(v.status, v.took)
	room := most - 2
	if time != "" && room-len(time)-1 >= 8 {
		text = append(text.truncate(room-len(time)-1, th.more), span{" " + time, th.dim})
	} else {
		text = text.truncate(room, th.more)
	}
	text = append(append(line{{around[0], look}}, text...), span{around[1], look})
	if selected {
		text = text.restyled(style.chosen)
	}
	return text
}

// grid is a graph on its way to the screen. Each level has its vertices side by
// side; edges that pass a level take a place in it, too. Between two levels
// there are rows for the edges, each with those that do not get into each
// other's way.
type grid struct {
	*theme
	width  int
	levels [][]spot
	edges  [][]edge // of each level to the next one
	boxAt  int      // the level of the vertex that is selected
}

// spot is a box, or an edge that passes.
type spot struct {
	box    line // nil for an edge
	vertex int
	x      int // of its middle
	left   int
}

// edge leads from a place of one level to a place of the next.
type edge struct {
	from, to int // places
	group    int // edges of the same group may share a row
}

func newGrid(th *theme, vs []vertex, selected string, most int) *grid {
	g := &grid{theme: th}
	depth := 0
	for _, v := range vs {
		depth = max(depth, v.level+1)
	}
	g.levels, g.edges = make([][]spot, depth), make([][]edge, depth)
	at := make([]int, len(vs)) // the place of each vertex in its level
	for i, v := range vs {
		at[i] = len(g.levels[v.level])
		if v.name == selected {
			g.boxAt = v.level
		}
		g.levels[v.level] = append(g.levels[v.level], spot{box: th.box(v, v.name == selected, most), vertex: i})
	}
	// passing finds the places of an edge that goes on from a vertex.
	passing := map[[2]int]int{}
	for i, v := range vs {
		for _, j := range v.dependsOn {
			if vs[j].level >= v.level {
				continue // a circle
			}
			from := at[j]
			for level := vs[j].level + 1; level < v.level; level++ {
				k := [2]int{j, level}
				to, ok := passing[k]
				if !ok {
					to = len(g.levels[level])
					g.levels[level] = append(g.levels[level], spot{vertex: j})
					passing[k] = to
					g.edges[level-1] = append(g.edges[level-1], edge{from: from, to: to, group: j})
				}
				from = to
			}
			g.edges[v.level-1] = append(g.edges[v.level-1], edge{from: from, to: at[i], group: j})
		}
	}
	g.place()
	return g
}

// place gives every box its columns: levels are centred beneath each other.
func (g *grid) place() {
	const gap = 2
	widths := make([]int, len(g.levels))
	for i, level := range g.levels {
		for _, p := range level {
			widths[i] += max(1, p.box.width()) + gap
		}
		widths[i] -= gap
		g.width = max(g.width, widths[i])
	}
	for i, level := range g.levels {
		x := (g.width - widths[i]) / 2
		for j := range level {
			w := max(1, level[j].box.width())
			level[j].left, level[j].x = x, x+(w-1)/2
			x += w + gap
		}
	}
}

// draw gives the rows, and which of them is selected.
func (g *grid) draw() (rows []line, at int) {
	for i, level := range g.levels {
		if i == g.boxAt {
			at = len(rows)
		}
		row, column := line{}, 0
		for _, p := range level {
			row = append(row, span{text: strings.Repeat(" ", max(0, p.left-column))})
			if p.box == nil {
				row = append(row, span{g.joints[up|down], g.dim})
				column = p.left + 1
				continue
			}
			row = append(row, p.box...)
			column = p.left + p.box.width()
		}
		rows = append(rows, row)
		if i < len(g.levels)-1 {
			rows = append(rows, g.between(i)...)
		}
	}
	return rows, at
}

// between draws the edges of a level to the next one. Those that come from one
// vertex, or lead to the same ones, share a row; others get one of their own
// where they would meet.
func (g *grid) between(level int) []line {
	buses := g.buses(level)
	rows := make([]line, spread(buses))
	for track := range rows {
		rows[track] = g.row(buses, track)
	}
	return rows
}

// bus is a line to which everything above and below it that belongs together is
// connected.
type bus struct {
	from, to    []int // columns
	first, last int
	track       int // its row
}

// buses are those beneath a level. Places with the same targets share one.
func (g *grid) buses(level int) (buses []*bus) {
	above, below := g.levels[level], g.levels[level+1]
	targets := map[int][]int{}
	for _, e := range g.edges[level] {
		targets[e.from] = append(targets[e.from], e.to)
	}
	var sets [][]int
	for from := range above {
		to := targets[from]
		if len(to) == 0 {
			continue
		}
		slices.Sort(to)
		to = slices.Compact(to)
		i := slices.IndexFunc(sets, func(s []int) bool { return slices.Equal(s, to) })
		if i < 0 {
			i = len(sets)
			sets = append(sets, to)
			b := &bus{}
			for _, t := range to {
				b.to = append(b.to, below[t].x)
			}
			buses = append(buses, b)
		}
		buses[i].from = append(buses[i].from, above[from].x)
	}
	return buses
}

// spread puts buses that would touch on different tracks, and gives the number of
// tracks.
func spread(buses []*bus) (tracks int) {
	for i, b := range buses {
		all := append(slices.Clone(b.from), b.to...)
		b.first, b.last = slices.Min(all), slices.Max(all)
		for used := true; used; {
			used = false
			for _, other := range buses[:i] {
				if other.track == b.track && b.first <= other.last+1 && other.first <= b.last+1 {
					b.track++
					used = true
				}
			}
		}
		tracks = max(tracks, b.track+1)
	}
	return tracks
}

// row draws one track: its buses, and what passes on its way to others.
func (g *grid) row(buses []*bus, track int) line {
	sides, owner := make([]int, g.width+1), make([]int, g.width+1)
	touch := func(x, side, who int) {
		if sides[x] != 0 && owner[x] != who {
			// Two that cross do not touch: the one that goes down is on top.
			sides[x], owner[x] = up|down, who
			return
		}
		sides[x], owner[x] = sides[x]|side, who
	}
	for i, b := range buses {
		if b.track != track {
			continue
		}
		for x := b.first; x <= b.last; x++ {
			touch(x, b.sides(x), i)
		}
	}
	for i, b := range buses {
		columns := b.from // those on their way to a row further down
		if b.track < track {
			columns = b.to
		}
		if b.track != track {
			for _, x := range columns {
				touch(x, up|down, i)
			}
		}
	}
	var text strings.Builder
	for _, s := range sides {
		text.WriteString(g.joints[s])
	}
	return line{{strings.TrimRight(text.String(), " "), g.dim}}
}

// sides are the directions in which a bus goes on from a column of it.
func (b *bus) sides(x int) (sides int) {
	if x > b.first {
		sides |= left
	}
	if x < b.last {
		sides |= right
	}
	if slices.Contains(b.from, x) {
		sides |= up
	}
	if slices.Contains(b.to, x) {
		sides |= down
	}
	return sides
}
