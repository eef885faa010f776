package history

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/drone-laptop/drone/exec"
)

// To look through old runs, and to remove many, may take any time. This run is
// complete all the same.
func TestMakingRoomHoldsNothingUp(t *testing.T) {
	t.Parallel()
	store := In(t.TempDir())
	stuck := filepath.Join(store.dir, "stuck", runFile)
	if err := os.MkdirAll(filepath.Dir(stuck), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(stuck, 0o600); err != nil {
		t.Fatal(err)
	}
	o := recording(t, store, "run1", begin)
	o.Limits = Limits{Runs: 1, Bytes: 1}
	r := record(t, o, scene("run1", &clock{begin}, 20))
	if err := r.Close(time.Second); err != nil {
		t.Error(err)
	}
	run, err := store.read("run1")
	if err != nil || run.Status != exec.StatusFailure || run.Finished == nil || run.Incomplete != "" {
		t.Errorf("%+v (%v)", run.Meta, err)
	}
	// Whoever reads it can go on now, and nobody is left behind.
	w, err := os.OpenFile(stuck, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	<-r.pruning
}
