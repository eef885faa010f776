package owner

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
)

// Everything is judged from this process: 100 runs, 200 is another process now,
// 300 belongs to somebody who hides it, and others do not exist.
var self = Identity{PID: 7, Start: "70", PIDNS: "1", Boot: "now", Machine: "m", Host: "h"}

func look(pid int) (existence, string) {
	switch pid {
	case 100:
		return present, "1000"
	case 200:
		return present, "2001"
	case 300:
		return hidden, ""
	}
	return absent, ""
}

func TestState(t *testing.T) {
	like := func(change func(*Identity)) Identity {
		id := Identity{PID: 100, Start: "1000", PIDNS: "1", Boot: "now", Machine: "m", Host: "h"}
		change(&id)
		return id
	}
	for _, tc := range []struct {
		name string
		id   Identity
		want State
	}{
		{"runs", like(func(*Identity) {}), Alive},
		{"is gone", like(func(id *Identity) { id.PID = 101 }), Dead},
		{"its number is used again", like(func(id *Identity) { id.PID, id.Start = 200, "2000" }), Dead},
		{"cannot be seen", like(func(id *Identity) { id.PID = 300 }), Unknown},
		{"runs, start not known", like(func(id *Identity) { id.Start = "" }), Alive},
		{"the machine got another name", like(func(id *Identity) { id.Host = "other" }), Alive},
		{"machine without an id", like(func(id *Identity) { id.Machine, id.PID = "", 101 }), Dead},
		{"in a container here", like(func(id *Identity) { id.PIDNS, id.PID = "2", 101 }), Unknown},
		{"before the last boot", like(func(id *Identity) { id.Boot = "then" }), Dead},
		{"before the last boot, in a container", like(func(id *Identity) { id.Boot, id.PIDNS = "then", "2" }), Dead},
		{"on another machine of the same name", like(func(id *Identity) { id.Boot, id.Machine = "there", "n" }), Unknown},
		{"on a copy of the machine", like(func(id *Identity) { id.Boot, id.Host = "there", "g" }), Unknown},
		{"another boot, machine not known", like(func(id *Identity) { id.Boot, id.Machine = "there", "" }), Unknown},
		{"boot not known", like(func(id *Identity) { id.Boot = "" }), Unknown},
		{"nothing known", Identity{}, Unknown},
		{"only a number", Identity{PID: 101}, Unknown},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.id.seenFrom(self, look); got != tc.want {
				t.Errorf("%+v is %v, want %v", tc.id, got, tc.want)
			}
		})
	}
	// A system that does not know its boots tells processes by their start.
	bootless, me := like(func(id *Identity) { id.Boot = "" }), self
	me.Boot = ""
	if got := bootless.seenFrom(me, look); got != Alive {
		t.Errorf("without boots a process that runs is %v", got)
	}
	bootless.PID = 101
	if got := bootless.seenFrom(me, look); got != Dead {
		t.Errorf("without boots a process that is gone is %v", got)
	}
}

// TestRealProcesses asks for this process, and for a child before and after it
// is reaped.
func TestRealProcesses(t *testing.T) {
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("there is no sleep here")
	}
	if me := Self(); me.PID != os.Getpid() || me.Start == "" || me.Boot == "" || me.State() != Alive {
		t.Errorf("this process is %v: %+v", me.State(), me)
	}
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	id := Self()
	id.PID = child.Process.Pid
	_, id.Start = lookUp(id.PID)
	if id.Start == "" || id.State() != Alive {
		t.Errorf("a child is %v: %+v", id.State(), id)
	}
	other := id
	other.Start += "1"
	if other.State() != Dead {
		t.Errorf("a process with the number of another one is %v", other.State())
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed
	if id.State() != Dead {
		t.Errorf("a child that has ended is %v", id.State())
	}
}

// TestOf: what is known of a process that this one has started is what that knows
// of itself.
func TestOf(t *testing.T) {
	if got, want := Of(os.Getpid()), Self(); got != want {
		t.Errorf("this process is %+v, and says of itself %+v", got, want)
	}
	if Of(os.Getppid()) == Self() {
		t.Error("the parent of this process is taken for it")
	}
}
