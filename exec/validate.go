package exec

import (
	"fmt"
	"strings"
)

// Validate reports why the plan cannot be run as a graph: a name that occurs
// twice, a dependency that does not exist, or a cycle. Plans made by package
// compile have passed it; those read from elsewhere may not.
func (p *Plan) Validate() error {
	pipelines := make([]vertex, len(p.Pipelines))
	for i, pl := range p.Pipelines {
		pipelines[i] = vertex{"pipeline", pl.Name, pl.Position, pl.DependsOn}
	}
	if _, err := connect(pipelines); err != nil {
		return err
	}
	for _, pl := range p.Pipelines {
		if !pl.Runs {
			continue // what is wrong inside it hurts nobody
		}
		if _, err := connect(stepVertices(pl)); err != nil {
			return fmt.Errorf("pipeline %q: %w", pl.Name, err)
		}
	}
	return nil
}

// vertex is a pipeline or step as far as the graph is concerned.
type vertex struct {
	kind, name, position string
	dependsOn            []string
}

func (v vertex) String() string {
	if v.position == "" {
		return fmt.Sprintf("%s %q", v.kind, v.name)
	}
	return fmt.Sprintf("%s: %s %q", v.position, v.kind, v.name)
}

func stepVertices(p *Pipeline) []vertex {
	all := make([]vertex, len(p.Steps))
	for i, s := range p.Steps {
		all[i] = vertex{"step", s.Name, s.Position, s.DependsOn}
	}
	return all
}

// connect turns names into a dependency list for newGraph.
func connect(all []vertex) ([][]int, error) {
	index := make(map[string]int, len(all))
	for i, v := range all {
		if first, ok := index[v.name]; ok {
			return nil, fmt.Errorf("%v has the name of another (%v)", v, all[first])
		}
		index[v.name] = i
	}
	dependencies := make([][]int, len(all))
	for i, v := range all {
		for _, name := range v.dependsOn {
			d, ok := index[name]
			if !ok {
				return nil, fmt.Errorf("%v depends on %q, which does not exist", v, name)
			}
			dependencies[i] = append(dependencies[i], d)
		}
	}
	if cycle := newGraph(dependencies).cycle(); cycle != nil {
		return nil, cycleError(all, cycle)
	}
	return dependencies, nil
}

// cycleError names a cycle from its first member in the file on.
func cycleError(all []vertex, cycle []int) error {
	first := 0
	for i, v := range cycle {
		if v < cycle[first] {
			first = i
		}
	}
	var names []string
	for i := range len(cycle) + 1 {
		names = append(names, all[cycle[(first+i)%len(cycle)]].name)
	}
	return fmt.Errorf("%v waits for itself: %s", all[cycle[first]], strings.Join(names, " → "))
}
