package keystore

import (
	"strings"
	"testing"
	"time"
)

// TestLockedKeyring gives up a keyring that waits for a password.
func TestLockedKeyring(t *testing.T) {
	over := make(chan struct{})
	defer close(over)
	_, err := bounded(10*time.Millisecond, func() (string, error) {
		<-over
		return "", nil
	})
	if err == nil || !strings.Contains(err.Error(), "may be locked") {
		t.Errorf("a keyring that does not answer: %v", err)
	}
}
