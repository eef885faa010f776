package exec

import "slices"

// graph knows which of the vertices 0 … n-1 wait for which. It has no opinion
// on what a vertex is or how it ended.
type graph struct {
	dependents [][]int
	waiting    []int // dependencies of a vertex that are not done
	left       int   // vertices that are not done
}

// newGraph makes the graph in which vertex i waits for the vertices of
// dependencies[i]. Naming one twice is harmless.
func newGraph(dependencies [][]int) *graph {
	n := len(dependencies)
	g := &graph{dependents: make([][]int, n), waiting: make([]int, n), left: n}
	for i, all := range dependencies {
		for _, d := range all {
			g.dependents[d] = append(g.dependents[d], i)
			g.waiting[i]++
		}
	}
	return g
}

// clone copies a graph.
func (g *graph) clone() *graph {
	return &graph{dependents: g.dependents, waiting: slices.Clone(g.waiting), left: g.left}
}

// ready lists the vertices that wait for nothing, in order. It is what may
// start first.
func (g *graph) ready() []int {
	var free []int
	for i, n := range g.waiting {
		if n == 0 {
			free = append(free, i)
		}
	}
	return free
}

// done says that vertex i is done, and lists what waited for it last, in
// order. It must be called once for each vertex.
func (g *graph) done(i int) []int {
	g.left--
	var free []int
	for _, d := range g.dependents[i] {
		if g.waiting[d]--; g.waiting[d] == 0 {
			free = append(free, d)
		}
	}
	return free
}

// cycle lists the vertices of a cycle, each waiting for the next, or nil. It
// uses the graph up.
func (g *graph) cycle() []int {
	for queue := g.ready(); len(queue) > 0; queue = queue[1:] {
		queue = append(queue, g.done(queue[0])...)
	}
	if g.left == 0 {
		return nil
	}
	// Whatever still waits does so for another that still waits. Walking that
	// way from any of them must come back to a place seen before.
	before := make(map[int]int)
	for i := range g.dependents {
		if g.waiting[i] == 0 {
			continue
		}
		for _, d := range g.dependents[i] {
			if g.waiting[d] > 0 {
				before[d] = i
			}
		}
	}
	at := 0
	for g.waiting[at] == 0 {
		at++
	}
	seen := make(map[int]int)
	var path []int
	for {
		if from, ok := seen[at]; ok {
			return path[from:]
		}
		seen[at] = len(path)
		path = append(path, at)
		at = before[at]
	}
}
