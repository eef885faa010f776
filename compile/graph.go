package compile

import "slices"

// cycles returns one cycle for each group of nodes that wait for each other:
// the shortest one through the lowest node of the group, which it starts with.
// next lists, for each node, the nodes it depends on. The time is that of
// walking the edges once, so that a file with many steps stays cheap.
func cycles(next [][]int) [][]int {
	s := &groups{next: next, index: make([]int, len(next)), low: make([]int, len(next)), group: make([]int, len(next))}
	for n := range next {
		if s.index[n] == 0 {
			s.visit(n)
		}
	}
	var out [][]int
	seen := make([]bool, s.found+1)
	for n := range next {
		if g := s.group[n]; !seen[g] {
			seen[g] = true
			if c := s.shortest(n); c != nil {
				out = append(out, c)
			}
		}
	}
	return out
}

// groups finds strongly connected components as Tarjan does. Index and group
// count from 1; 0 is not visited, or still on the stack.
type groups struct {
	next              [][]int
	index, low, group []int
	stack             []int
	count, found      int
}

func (s *groups) visit(n int) {
	s.count++
	s.index[n], s.low[n] = s.count, s.count
	s.stack = append(s.stack, n)
	for _, m := range s.next[n] {
		switch {
		case s.index[m] == 0:
			s.visit(m)
			s.low[n] = min(s.low[n], s.low[m])
		case s.group[m] == 0:
			s.low[n] = min(s.low[n], s.index[m])
		}
	}
	if s.low[n] != s.index[n] {
		return
	}
	s.found++
	for {
		last := len(s.stack) - 1
		m := s.stack[last]
		s.stack = s.stack[:last]
		s.group[m] = s.found
		if m == n {
			return
		}
	}
}

// shortest returns the shortest way from start back to it, without repeating
// it at the end, or nil when there is none.
func (s *groups) shortest(start int) []int {
	from := map[int]int{}
	queue := []int{start}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		for _, m := range s.next[n] {
			if m == start {
				return wayTo(from, start, n)
			}
			if _, ok := from[m]; !ok && s.group[m] == s.group[start] {
				from[m] = n
				queue = append(queue, m)
			}
		}
	}
	return nil
}

func wayTo(from map[int]int, start, end int) []int {
	out := []int{end}
	for n := end; n != start; {
		n = from[n]
		out = append(out, n)
	}
	slices.Reverse(out)
	return out
}
