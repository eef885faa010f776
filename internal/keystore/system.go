package keystore

import (
	"errors"

	"github.com/zalando/go-keyring"
)

// service is what the entries in the keyring are for.
const service = "drone: keys of repositories"

// System is the keyring of the system: the Keychain of macOS, the Credential
// Manager of Windows, or what serves the Secret Service elsewhere. It may ask
// the user to unlock it.
type System struct{}

// Get reads a key.
func (System) Get(repository string) (string, error) {
	key, err := keyring.Get(service, repository)
	return key, known(err)
}

// Set keeps a key.
func (System) Set(repository, key string) error { return known(keyring.Set(service, repository, key)) }

// Delete forgets a key.
func (System) Delete(repository string) error { return known(keyring.Delete(service, repository)) }

func known(err error) error {
	if errors.Is(err, keyring.ErrNotFound) {
		return ErrUnknown
	}
	return err
}
