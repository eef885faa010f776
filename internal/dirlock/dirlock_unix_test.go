//go:build unix

package dirlock_test

import (
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/drone-laptop/drone/internal/dirlock"
)

func TestHold(t *testing.T) {
	dir := t.TempDir()
	inside, most := 0, 0
	var count sync.Mutex
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			release, err := dirlock.Hold(dir)
			if err != nil {
				t.Error(err)
				return
			}
			defer release()
			count.Lock()
			inside++
			most = max(most, inside)
			count.Unlock()
			time.Sleep(time.Millisecond)
			count.Lock()
			inside--
			count.Unlock()
		})
	}
	all.Wait()
	if most != 1 {
		t.Errorf("%d hold the lock at once", most)
	}
	if _, err := dirlock.Hold(filepath.Join(dir, "absent")); err == nil {
		t.Error("there is a lock of a directory that is not there")
	}
}
