package docker

import (
	"maps"
	"slices"
	"sync"
)

// inventory knows the containers of a session, by their names. The zero value has
// none. It is safe for concurrent use.
type inventory struct {
	mu     sync.Mutex
	closed bool
	known  map[string]*holding // those that may exist
}

// holding is what is known of a container.
type holding struct {
	discarded bool // its removal is under way, or was tried
	live      bool // something of the user's may run in it
}

// claim remembers a container that is going to be made, which has to be removed
// from then on. It refuses once the inventory is closed.
func (v *inventory) claim(name string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return errClosed
	}
	if v.known == nil {
		v.known = map[string]*holding{}
	}
	v.known[name] = &holding{}
	return nil
}

// close ends claims.
func (v *inventory) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.closed = true
}

// starts says that a process of the user's may run in a container from now on,
// and stopped that none does any more.
func (v *inventory) starts(name string) { v.note(name, func(h *holding) { h.live = true }) }

func (v *inventory) stopped(name string) { v.note(name, func(h *holding) { h.live = false }) }

// discard says that somebody removes a container.
func (v *inventory) discard(name string) { v.note(name, func(h *holding) { h.discarded = true }) }

func (v *inventory) note(name string, change func(*holding)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if h := v.known[name]; h != nil {
		change(h)
	}
}

// removed says that a container is gone.
func (v *inventory) removed(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.known, name)
}

// mayRun reports whether there is a container of which nobody knows that nothing
// runs in it.
func (v *inventory) mayRun() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, h := range v.known {
		if h.live {
			return true
		}
	}
	return false
}

// names are those of the containers, sorted, with or without those that are being
// discarded.
func (v *inventory) names(discarded bool) (names []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(v.known)) {
		if discarded || !v.known[name].discarded {
			names = append(names, name)
		}
	}
	return names
}
