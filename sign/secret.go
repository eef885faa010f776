package sign

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// The errors of encrypted secrets. None holds any part of a key or a value.
var (
	// ErrKeySize is a key that is not 16, 24 or 32 bytes long. The server's
	// keys, the secret of a repository, have 32.
	ErrKeySize = errors.New("the key must have 32 bytes")
	// ErrMalformed is a text that was never an encrypted secret.
	ErrMalformed = errors.New("this is no encrypted secret")
	// ErrWrongKey is a secret that was encrypted with another key, or changed
	// since.
	ErrWrongKey = errors.New("the key does not fit, or the text was changed")
)

// DecryptSecret gives the value of the `data` of a secret document: base64 of
// a nonce of 12 bytes and the AES-GCM ciphertext (reference J1). key is the
// repository's secret as the server keeps it. White space in text is ignored,
// since a folded YAML text has it. The error wraps one of those above.
func DecryptSecret(key []byte, text string) ([]byte, error) {
	sealer, err := newSealer(key)
	if err != nil {
		return nil, err
	}
	sealed, err := base64.StdEncoding.DecodeString(withoutSpace(text))
	if err != nil {
		return nil, fmt.Errorf("%w: its base64 is wrong", ErrMalformed)
	}
	n := sealer.NonceSize()
	if len(sealed) < n+sealer.Overhead() {
		return nil, fmt.Errorf("%w: it is too short", ErrMalformed)
	}
	value, err := sealer.Open(nil, sealed[:n], sealed[n:], nil)
	if err != nil {
		return nil, ErrWrongKey
	}
	return value, nil
}

// EncryptSecret gives the `data` of a secret document that DecryptSecret and
// the server read. The key must have 32 bytes, as every server's has: with a
// shorter one, such as half of it, only this program could read the result.
// random is crypto/rand.Reader but in tests: a nonce must never come twice.
func EncryptSecret(key, value []byte, random io.Reader) (string, error) {
	if len(key) != serverKeySize {
		return "", wrongSize(key)
	}
	sealer, err := newSealer(key)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, sealer.NonceSize())
	if _, err := io.ReadFull(random, nonce); err != nil {
		return "", fmt.Errorf("no random numbers: %w", err)
	}
	return base64.StdEncoding.EncodeToString(sealer.Seal(nonce, nonce, value, nil)), nil
}

// CheckEncrypted fails when text, which a server calls a value of some bytes
// encrypted, cannot be that. Nothing else must get into a configuration.
func CheckEncrypted(text string, size int) error {
	sealed, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return fmt.Errorf("%w: its base64 is wrong", ErrMalformed)
	}
	if got := len(sealed) - nonceSize - tagSize; got != size {
		return fmt.Errorf("%w: it has another length", ErrMalformed)
	}
	return nil
}

// The sizes of AES-GCM.
const nonceSize, tagSize = 12, 16

func newSealer(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, wrongSize(key)
	}
	return cipher.NewGCM(block)
}

// serverKeySize is the length of the keys of servers.
const serverKeySize = 32

func wrongSize(key []byte) error { return fmt.Errorf("%w, this one has %d", ErrKeySize, len(key)) }

func withoutSpace(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text)
}
