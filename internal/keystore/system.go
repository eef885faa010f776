package keystore

import (
	"errors"
	"fmt"
	"time"

	"github.com/zalando/go-keyring"
)

// What the entries in the keyring are for: their service, as keyrings call it.
const (
	KeyService   = "drone: keys of repositories"
	TokenService = "drone: tokens of servers"
)

// unlocking is how long a keyring may take: it may have to ask the user for a
// password.
const unlocking = time.Minute

// System is the keyring of the system: the Keychain of macOS, the Credential
// Manager of Windows, or what serves the Secret Service elsewhere. It may ask
// the user to unlock it, for a minute; one that does not answer is given up then.
type System struct{ Service string }

// Get reads a key.
func (k System) Get(repository string) (string, error) {
	return bounded(unlocking, func() (string, error) { return keyring.Get(k.Service, repository) })
}

// Set keeps a key.
func (k System) Set(repository, key string) error {
	_, err := bounded(unlocking, func() (string, error) { return "", keyring.Set(k.Service, repository, key) })
	return err
}

// Delete forgets a key.
func (k System) Delete(repository string) error {
	_, err := bounded(unlocking, func() (string, error) { return "", keyring.Delete(k.Service, repository) })
	return err
}

// bounded waits for ask, which cannot be ended, no longer than limit. A call that
// is given up waits on for nobody until the program ends.
func bounded(limit time.Duration, ask func() (string, error)) (string, error) {
	type answer struct {
		key string
		err error
	}
	answers := make(chan answer, 1)
	go func() {
		key, err := ask()
		answers <- answer{key, err}
	}()
	late := time.NewTimer(limit)
	defer late.Stop()
	select {
	case a := <-answers:
		if errors.Is(a.err, keyring.ErrNotFound) {
			return "", ErrUnknown
		}
		return a.key, a.err
	case <-late.C:
		return "", fmt.Errorf("it did not answer within %s, and may be locked", limit)
	}
}
