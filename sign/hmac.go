package sign

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// keySize is how long the keys of a server are. It takes longer ones, too.
const keySize = 32

// The errors of signatures that are not valid. None holds a key.
var (
	// ErrMissing is a text without a signature.
	ErrMissing = errors.New("there is no signature")
	// ErrForm is a signature that is none whatever the key and the text: a
	// server says of it no more than that it is not valid.
	ErrForm = errors.New("the signature is not 64 hexadecimal digits")
	// ErrMismatch is a signature of another text or with another key. Which of
	// both it is cannot be told from the text.
	ErrMismatch = errors.New("the signature is for another text, or made with another key")
)

// HMAC is the signature of the text as a server makes it: HMAC-SHA256 of the
// Message, in lower-case hexadecimal. The error wraps ErrKeySize.
func (t *Text) HMAC(key []byte) (string, error) {
	if err := CheckKey(key); err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(t.Message())
	return hex.EncodeToString(mac.Sum(nil)), nil
}

// Verify reports whether a server with the key takes the text for signed, see
// Compare. An error that wraps ErrKeySize says nothing of the text.
func (t *Text) Verify(key []byte) error {
	want, err := t.HMAC(key)
	if err != nil {
		return err
	}
	return t.Compare(want)
}

// Compare reports whether a server whose signature of the text is want takes it
// for signed: nil, or one of the errors above for the first signature, which
// alone counts. It takes the same time whatever digits are wrong.
func (t *Text) Compare(want string) error {
	found := t.Signatures()
	if len(found) == 0 {
		return ErrMissing
	}
	return found[0].fits(want)
}

// fits compares without telling by time where a difference is.
func (s Signature) fits(want string) error {
	if _, ok := decoded(s.HMAC); !ok {
		return ErrForm
	}
	if !same(s.HMAC, want) {
		return ErrMismatch
	}
	return nil
}

// Index gives the first of the signatures that is want, 1-based, 0 when none is.
// A server that looks at the first takes no other.
func (t *Text) Index(want string) int {
	for i, s := range t.Signatures() {
		if s.fits(want) == nil {
			return i + 1
		}
	}
	return 0
}

// CheckKey refuses a key that a server would not sign with: one that is shorter
// than 32 bytes. The error wraps ErrKeySize.
func CheckKey(key []byte) error {
	if len(key) < keySize {
		return fmt.Errorf("%w, this one has %d", ErrKeySize, len(key))
	}
	return nil
}

// decoded reads 64 hexadecimal digits of either case.
func decoded(text string) ([]byte, bool) {
	sum, err := hex.DecodeString(text)
	return sum, err == nil && len(sum) == sha256.Size
}

// same reports whether two texts are the same signature.
func same(a, b string) bool {
	first, ok := decoded(a)
	second, valid := decoded(b)
	return ok && valid && hmac.Equal(first, second)
}
