package logs

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
)

// automaton decides whether an expression is in a line, at a look into a table
// for each byte: package regexp takes ten times as long, which with an expression
// that is in every one of a million lines is a second. Its states are made when
// they are needed. It belongs to one goroutine.
//
// It knows ASCII. Lines with other characters are for package regexp.
type automaton struct {
	prog *syntax.Prog
	// next has for each state and byte the state that follows, or one of those
	// below. The newline is the end of a line.
	next   []uint32
	states []autoState
	known  map[string]uint32
	resets int

	// What follows is used again and again to make a state.
	stack   []uint32
	reached []uint32
	seen    []bool
	name    []byte
}

// autoState is what the automaton has found out about a line so far.
type autoState struct {
	pcs    []uint32 // of the program, in order, before what needs no character
	before rune     // a character of the kind of the last one, -1 at the beginning
}

const (
	stateUnknown = iota // not made yet
	stateFound          // the expression is in the line
	stateAbsent         // it is not, at the end of the line
	stateBeyond         // a character that is not ASCII
	stateFirst          // the beginning of a line

	// mostStates is how many states there may be, each with a kilobyte. When
	// they are too many all are made anew, and when that has been done too often,
	// the expression is none for an automaton.
	mostStates, mostResets = 512, 64
	// mostInstructions is how large a program may be.
	mostInstructions = 2000
)

// newAutomaton gives nil for an expression that is none for it.
func newAutomaton(prog *syntax.Prog) *automaton {
	if prog == nil {
		return nil
	}
	a := &automaton{prog: prog, seen: make([]bool, len(prog.Inst))}
	a.reset()
	return a
}

// program compiles an expression for automata, nil when it is too large.
func program(re *syntax.Regexp) *syntax.Prog {
	prog, err := syntax.Compile(re)
	if err != nil || len(prog.Inst) > mostInstructions {
		return nil
	}
	return prog
}

func (a *automaton) reset() {
	a.states, a.next, a.known = make([]autoState, stateFirst, 64), make([]uint32, stateFirst<<8, 64<<8), map[string]uint32{}
	a.state([]uint32{uint32(a.prog.Start)}, -1)
}

// match reports whether the expression is in the line at the beginning of text,
// which goes to its newline. known is false where the automaton cannot tell.
func (a *automaton) match(text []byte) (found, known bool) {
	at := uint32(stateFirst)
	next := a.next
	for _, c := range text {
		to := next[at<<8|uint32(c)]
		if to == stateUnknown {
			if to = a.follow(at, c); to == stateUnknown {
				return false, false
			}
			next = a.next
		}
		if to < stateFirst {
			return to == stateFound, to != stateBeyond
		}
		at = to
	}
	return false, false // there was no newline
}

// follow finds the state that follows another with a byte.
func (a *automaton) follow(at uint32, c byte) uint32 {
	from := a.states[at]
	r := rune(c)
	switch {
	case c >= 0x80:
		a.next[at<<8|uint32(c)] = stateBeyond
		return stateBeyond
	case c == '\n':
		r = -1
	}
	to := a.step(from, r)
	if to == stateUnknown {
		// There are too many states. at is none of those to come.
		if a.resets++; a.resets > mostResets {
			return stateUnknown
		}
		a.reset()
		return a.state(slices.Clone(a.reached), kind(r))
	}
	a.next[at<<8|uint32(c)] = to
	return to
}

// step goes through all that the program may do between one character and the
// next, and with that.
func (a *automaton) step(from autoState, r rune) uint32 {
	may := syntax.EmptyOpContext(from.before, r)
	clear(a.seen)
	a.stack, a.reached = append(a.stack[:0], from.pcs...), a.reached[:0]
	for len(a.stack) > 0 {
		pc := a.stack[len(a.stack)-1]
		a.stack = a.stack[:len(a.stack)-1]
		if a.seen[pc] {
			continue
		}
		a.seen[pc] = true
		switch in := &a.prog.Inst[pc]; in.Op {
		case syntax.InstMatch:
			return stateFound
		case syntax.InstAlt, syntax.InstAltMatch:
			a.stack = append(a.stack, in.Out, in.Arg)
		case syntax.InstCapture, syntax.InstNop:
			a.stack = append(a.stack, in.Out)
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(in.Arg)&^may == 0 {
				a.stack = append(a.stack, in.Out)
			}
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			if r >= 0 && in.MatchRune(r) {
				a.reached = append(a.reached, in.Out)
			}
		}
	}
	if r < 0 {
		return stateAbsent
	}
	a.reached = append(a.reached, uint32(a.prog.Start)) // it may begin anywhere
	slices.Sort(a.reached)
	a.reached = slices.Compact(a.reached)
	return a.state(a.reached, kind(r))
}

// kind is a character that stands for all of its kind.
func kind(r rune) rune {
	if syntax.IsWordChar(r) {
		return 'a'
	}
	return ' '
}

// state finds a state, or makes it; stateUnknown when there are too many.
func (a *automaton) state(pcs []uint32, before rune) uint32 {
	a.name = append(a.name[:0], byte(before))
	for _, pc := range pcs {
		a.name = binary.LittleEndian.AppendUint32(a.name, pc)
	}
	if n, ok := a.known[string(a.name)]; ok {
		return n
	}
	n := uint32(len(a.states))
	if n >= mostStates {
		return stateUnknown
	}
	a.states = append(a.states, autoState{slices.Clone(pcs), before})
	a.next = append(a.next, make([]uint32, 256)...)
	a.known[string(a.name)] = n
	return n
}
