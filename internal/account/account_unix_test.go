//go:build unix

package account_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/drone-laptop/drone/internal/account"
)

// TestLoginsAtTheSameTime: none is lost, and one is the default.
func TestLoginsAtTheSameTime(t *testing.T) {
	config := t.TempDir()
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			p := account.Profile{Name: fmt.Sprintf("p%d", i), Server: fmt.Sprintf("https://%d.example.com", i), Login: "octocat"}
			if _, _, err := account.In(config, nil).Save(p, token, true); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	list := profiles(t, account.In(config, nil))
	first := slices.IndexFunc(list, func(p account.Profile) bool { return p.Default })
	if len(list) != 12 || first < 0 || slices.ContainsFunc(list[first+1:], func(p account.Profile) bool { return p.Default }) {
		t.Errorf("%d profiles, of which %d is the first default: %+v", len(list), first, list)
	}
}
