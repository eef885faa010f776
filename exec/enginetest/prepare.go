package enginetest

import (
	"context"
	"maps"
	"strings"

	"github.com/drone-laptop/drone/exec"
)

// Variables that change between the preparation of a step and its turn.
const (
	staleVariable = "DRONE_CONFORMANCE_STALE" // is gone
	newVariable   = "DRONE_CONFORMANCE_NEW"   // was not known
	lateVariable  = "DRONE_CONFORMANCE_LATE"  // has another value
)

// prepare prepares a step whose environment is env, and gives what that is when
// its turn comes.
func (s *session) prepare(ctx context.Context, st *exec.Step, env map[string]string) map[string]string {
	s.Helper()
	p, ok := s.Session.(exec.Preparer)
	if !ok {
		s.Fatalf("the session is no exec.Preparer: %T", s.Session)
	}
	before, now := maps.Clone(env), maps.Clone(env)
	if env == nil {
		before, now = map[string]string{}, map[string]string{}
	}
	before[staleVariable], before[lateVariable] = "stale", "before"
	now[newVariable], now[lateVariable] = "it's $new", "now"
	p.Prepare(ctx, st, before)
	return now
}

// prepareCases are for sessions that prepare steps, when the suite is run with
// Config.Ahead.
func prepareCases() []testCase {
	ahead := Features{ahead: true}
	return []testCase{
		{name: "prepared: nothing runs before its turn, or without one", needs: ahead, run: prepareNever},
		{name: "prepared: a step whose context ended runs all the same", needs: ahead, run: func(b *bench) {
			st := step("only", "echo ran")
			s := b.open(b.pipeline(st))
			ctx, cancel := context.WithCancel(b.context())
			s.prepare(ctx, st, nil)
			cancel()
			b.same("output", s.do(b.context(), st, nil).printed(), "ran\n")
		}},
		{name: "prepared: sees what steps did meanwhile", needs: ahead, run: func(b *bench) {
			write, read := step("write", "echo written > file"), step("read", "cat file")
			s := b.open(b.pipeline(write, read))
			s.prepare(b.context(), read, nil)
			if res := s.do(b.context(), write, nil); res.err != nil || res.Code != 0 {
				b.Fatalf("write: exit %d, error %v, output %q", res.Code, res.err, res.output)
			}
			b.same("output", s.do(b.context(), read, nil).printed(), "written\n")
		}},
		{name: "prepared: has the variables of its turn", needs: ahead, run: func(b *bench) {
			res := b.once(map[string]string{"KEPT": "a\nb"},
				`printf '%s\n' "${`+staleVariable+`-unset}" "$`+newVariable+`" "$`+lateVariable+`" "$KEPT"`,
				"env | grep -c ^DRONE_CONFORMANCE", "env | grep -c DRONE_SCRIPT || true")
			b.same("output", res.printed(), "unset\nit's $new\nnow\na\nb\n2\n0\n")
		}},
		{name: "prepared: several at the same time, in any order", needs: ahead, run: func(b *bench) {
			all := []*exec.Step{step("a", "echo a"), step("b", "echo b"), step("c", "echo c")}
			s := b.open(b.pipeline(all...))
			for _, st := range all {
				s.prepare(b.context(), st, nil)
			}
			for _, st := range []*exec.Step{all[2], all[0], all[1]} {
				b.same("output", s.do(b.context(), st, nil).printed(), st.Name+"\n")
			}
		}},
	}
}

// prepareNever leaves one step prepared until the end, and takes the
// preparation of another one back.
func prepareNever(b *bench) {
	never, skipped, last := step("never", "echo > never"), step("skipped", "echo > skipped"), step("last", "sleep 1; ls")
	s := b.open(b.pipeline(never, skipped, last))
	ctx, cancel := context.WithCancel(b.context())
	s.prepare(b.context(), never, nil)
	s.prepare(ctx, skipped, nil)
	s.prepare(b.context(), last, nil)
	first := s.do(b.context(), step("first", "ls"), nil)
	cancel()
	res := s.do(b.context(), last, nil)
	if seen := strings.TrimSpace(first.printed() + res.printed()); seen != "" || res.err != nil {
		b.Errorf("steps whose turn has not come left %q, error %v", seen, res.err)
	}
	s.end()
}
