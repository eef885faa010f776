//go:build unix

package fileowner

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func (p place) enter(state string) *Share {
	p.Helper()
	s, err := Enter(p.Context(), state, p.dir, me.UID, func() (*Tree, error) { return Look(p.Context(), p.dir, me.UID) })
	p.check(err)
	p.Cleanup(s.Close)
	return s
}

// TestShare: who comes second takes what was there before the first one, and
// who leaves last gives back what both have left.
func TestShare(t *testing.T) {
	p := newPlace(t)
	state := filepath.Join(t.TempDir(), "state", "share")
	p.write("theirs/\xff")
	p.check(os.Chmod(p.path("theirs"), 0))
	first := p.enter(state)
	p.write("of the first")
	second := p.enter(state)
	p.write("of the second")
	if first.Last() {
		t.Error("the first one is the last")
	}
	first.Close()
	third := p.enter(state)
	if second.Last() {
		t.Error("the second one is the last")
	}
	second.Close()
	if !third.Last() {
		t.Fatal("the third one is not the last")
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errOther)
	defer cancel()
	if _, err := Enter(ctx, state, p.dir, me.UID, nil); !errors.Is(err, errOther) {
		t.Errorf("one gets in while files are given back: %v", err)
	}
	p.giveBack(third.Tree, Options{})
	third.Close()
	p.owned(me, "of the first", "of the second")
	p.owned(Owner{}, "theirs", "theirs/\xff")
	if left, err := os.ReadDir(state); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if s := p.enter(state); !s.Last() {
		t.Error("one alone is not the last")
	}
}

// TestOrphaned takes over from a process that was killed, which is one whose
// lock is gone and whose file is there.
func TestOrphaned(t *testing.T) {
	p := newPlace(t)
	state := t.TempDir()
	if s, err := Orphaned(state, p.dir, me.UID); s != nil || err != nil {
		t.Errorf("of nobody: %v, %v", s, err)
	}
	p.write("theirs")
	killed, other := p.enter(state), p.enter(state)
	p.write("new")
	killed.file.Close()
	if s, err := Orphaned(state, p.dir, me.UID); s != nil || err != nil {
		t.Errorf("while another one works: %v, %v", s, err)
	}
	other.file.Close()
	s, err := Orphaned(state, p.dir, me.UID)
	p.check(err)
	p.giveBack(s.Tree, Options{})
	s.Close()
	p.owned(me, "new")
	p.owned(Owner{}, "theirs")
	// Whoever comes later looks anew: what is there then may be of others.
	killed = p.enter(state)
	killed.file.Close()
	p.write("later")
	s = p.enter(state)
	if !s.Tree.knew(File{Path: "later"}) {
		t.Error("an old record counts")
	}
	s.file.Close()
	p.check(os.Truncate(s.path, 0))
	if s, err := Orphaned(state, p.dir, me.UID); s != nil || err != nil {
		t.Errorf("of one that had not looked: %v, %v", s, err)
	}
}

// TestShareWithoutState works alone where nothing can be shared.
func TestShareWithoutState(t *testing.T) {
	p := newPlace(t)
	for _, state := range []string{"", filepath.Join(p.path(p.write("file")), "below")} {
		if s := p.enter(state); !s.Last() || s.file != nil {
			t.Errorf("%q: got %+v", state, s)
		}
	}
}

// TestSharesEnd has many leave at the same time: of those who are there
// together exactly one is the last.
func TestSharesEnd(t *testing.T) {
	p := newPlace(t)
	state := t.TempDir()
	for range 50 {
		var shares [4]*Share
		for i := range shares {
			shares[i] = p.enter(state)
		}
		var last atomic.Int32
		var leaving sync.WaitGroup
		for _, s := range shares {
			leaving.Go(func() {
				if s.Last() {
					last.Add(1)
				}
				s.Close()
			})
		}
		leaving.Wait()
		if last.Load() != 1 {
			t.Fatalf("%d are the last", last.Load())
		}
	}
}
