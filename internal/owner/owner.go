// Package owner tells whether the process that made something still lives.
//
// What a run makes carries the identity of its process. A later process reads
// it and asks for its State: only what surely belongs to a process that is gone
// may be removed. A process number alone says little: it is used again, it means
// nothing after the next boot, and containers and other machines have numbers of
// their own.
package owner

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"sync"
)

// Identity is what is known of a process. Text that is not known is empty.
type Identity struct {
	PID     int    `json:"pid"`
	Start   string `json:"start,omitempty"`   // when the process was started, by a clock of its machine
	PIDNS   string `json:"pidns,omitempty"`   // namespace in which PID counts
	Boot    string `json:"boot,omitempty"`    // boot of the machine
	Machine string `json:"machine,omitempty"` // the machine, without saying which one
	Host    string `json:"host,omitempty"`    // name of the machine
}

// State is what can be said of a process.
type State int

// The states. Unknown is the zero value: who cannot tell leaves things alone.
const (
	Unknown State = iota // of another machine, or another process namespace
	Alive
	Dead
)

// String is for people and for JSON.
func (s State) String() string {
	switch s {
	case Alive:
		return "alive"
	case Dead:
		return "dead"
	}
	return "unknown"
}

// Self is the identity of this process. It is found out once.
var Self = sync.OnceValue(func() Identity {
	host, _ := os.Hostname() // not known is empty
	id := Identity{
		PID: os.Getpid(), PIDNS: pidNamespace(), Boot: bootID(), Host: host, Machine: disguise(machineID()),
	}
	_, id.Start = lookUp(id.PID)
	return id
})

// Of is the identity of a process that this one has started, on the same machine
// and in the same namespace.
func Of(pid int) Identity {
	id := Self()
	id.PID = pid
	_, id.Start = lookUp(pid)
	return id
}

// disguise makes of the id of a machine one that tells its machine from others
// and nothing else: machine-id(5) asks for that where it leaves the machine.
func disguise(id string) string {
	if id == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("drone " + id))
	return hex.EncodeToString(sum[:8])
}

// State says whether the process lives, as far as this one can know.
func (id Identity) State() State { return id.seenFrom(Self(), lookUp) }

// seenFrom is State for the process self, to which look shows processes of its
// own namespace.
func (id Identity) seenFrom(self Identity, look func(pid int) (found existence, start string)) State {
	sameMachine := id.Machine != "" && id.Machine == self.Machine && id.Host == self.Host
	switch {
	case id.PID <= 0:
		return Unknown
	case id.Boot != "" && id.Boot == self.Boot:
		// The boot is that of one kernel, whatever it is called in containers.
	case id.Boot != "" && self.Boot != "" && sameMachine:
		return Dead
	case id.Boot != self.Boot || !sameMachine:
		return Unknown
	}
	if id.PIDNS != self.PIDNS {
		return Unknown
	}
	found, start := look(id.PID)
	switch {
	case found == absent:
		return Dead
	case found == hidden:
		return Unknown
	case id.Start != "" && start != "" && id.Start != start:
		return Dead // the number is that of another process now
	}
	return Alive
}

// existence is whether a process exists.
type existence int

const (
	absent existence = iota // or dead, and only its number is left
	hidden                  // exists, but nobody says when it was started
	present
)
