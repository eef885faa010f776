package sign

import (
	"bytes"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// What may be wrong with a JOSE signature. The errors of VerifyJOSE wrap one of
// these or are a KeyError.
var (
	// ErrJOSEMalformed is a text that is no JOSE signature.
	ErrJOSEMalformed = errors.New("this is no JOSE signature")
	// ErrJOSERefused is a signature that is not even tried, because of what it
	// asks for.
	ErrJOSERefused = errors.New("the signature is refused")
	// ErrJOSEMismatch is a signature that the key has not made, or that was
	// changed. For a detached one that may also be the file.
	ErrJOSEMismatch = errors.New("the key does not fit, or the signature was changed")
	// ErrJOSEStale is a good signature of another file.
	ErrJOSEStale = errors.New("the file was changed since it was signed")
)

// StaleError is an ErrJOSEStale with what was signed.
type StaleError struct{ Signed []byte }

func (e *StaleError) Error() string { return ErrJOSEStale.Error() }

// Is makes a StaleError an ErrJOSEStale.
func (e *StaleError) Is(target error) bool { return target == ErrJOSEStale }

const (
	// maxPayload is more than any configuration has; maxJOSE is what it comes to
	// in base64, and a header and signature.
	maxPayload = 8 << 20
	maxJOSE    = maxPayload/3*4 + maxHeader + 16<<10
	maxHeader  = 8 << 10
	maxKeyID   = 200
)

// JOSESignature is what a valid JOSE signature says of itself.
type JOSESignature struct {
	Algorithm string
	// KeyID is the name of the key, "" without one.
	KeyID string
	// Detached reports that the file is not inside.
	Detached bool
}

// JOSE signs a file, all of its bytes: a JWS in compact form (RFC 7515) with
// the file inside, or detached, without it (appendix F). With a shared secret
// it is, byte by byte, what a server of Drone 0.5 makes and reads (reference
// H1), which is never detached. There is no line end after it.
func JOSE(key *JOSEKey, file []byte, detached bool) ([]byte, error) {
	if !key.CanSign() {
		return nil, keyError("sign with the private key, and verify with this one", "a public key cannot sign")
	}
	if len(file) > maxPayload {
		return nil, fmt.Errorf("the file has more than %d MiB, too much to sign", maxPayload>>20)
	}
	signer, err := jose.NewSigner(jose.SigningKey{
		Algorithm: jose.SignatureAlgorithm(key.algorithm),
		Key:       jose.JSONWebKey{Key: key.signing(), KeyID: key.id},
	}, nil)
	if err != nil {
		return nil, keyError("", "the key cannot be used for %s", key.algorithm)
	}
	signed, err := signer.Sign(file)
	if err != nil {
		return nil, keyError("", "the key cannot sign with %s", key.algorithm)
	}
	serialize := signed.CompactSerialize
	if detached {
		serialize = signed.DetachedCompactSerialize
	}
	text, err := serialize()
	if err != nil {
		return nil, fmt.Errorf("cannot write the signature: %w", err)
	}
	return []byte(text), nil
}

// VerifyJOSE verifies what JOSE has made, or another program, as the
// signature of a file. The key decides about the algorithm, never the
// signature, and nothing that a signature says of keys is heeded. White space
// and padding in the text are passed over, as servers of Drone 0.5 do.
func VerifyJOSE(key *JOSEKey, text, file []byte) (JOSESignature, error) {
	token, err := parseToken(text)
	if err != nil {
		return JOSESignature{}, err
	}
	if err := token.header.acceptable(key); err != nil {
		return JOSESignature{}, err
	}
	result := JOSESignature{Algorithm: token.header.Algorithm, KeyID: token.header.KeyID, Detached: token.detached()}
	algorithms := []jose.SignatureAlgorithm{jose.SignatureAlgorithm(token.header.Algorithm)}
	var signed *jose.JSONWebSignature
	if result.Detached {
		signed, err = jose.ParseDetached(token.text(), append([]byte{}, file...), algorithms)
	} else {
		signed, err = jose.ParseSignedCompact(token.text(), algorithms)
	}
	if err != nil {
		return JOSESignature{}, fmt.Errorf("%w: its header is wrong", ErrJOSEMalformed)
	}
	payload := file
	if result.Detached {
		err = signed.DetachedVerify(file, key.verifying())
	} else {
		payload, err = signed.Verify(key.verifying())
	}
	switch {
	case err != nil:
		return JOSESignature{}, token.mismatch(key)
	case subtle.ConstantTimeCompare(payload, file) != 1:
		return JOSESignature{}, &StaleError{Signed: bytes.Clone(payload)}
	}
	return result, nil
}

// token is the three parts of a compact JWS, decoded.
type token struct {
	rawHeader, payload, signature []byte
	header                        joseHeader
}

// joseHeader is what matters of a header. The last fields are those that change
// what a signature means, or say with which key it shall be verified.
type joseHeader struct {
	Algorithm string
	KeyID     string
	refused   string // the first field that no signature here may have
}

// refusedFields would have the signature decide what it is verified with, or
// change what it means.
var refusedFields = []struct{ name, why string }{
	{"crit", "it demands extensions (crit), and drone has none"},
	{"b64", "it says how its payload is written (b64), which drone leaves as the standard has it"},
	{"jwk", "it brings its own key (jwk), and only yours counts"},
	{"jku", "it says where its key is (jku), and only yours counts"},
	{"x5u", "it says where its certificate is (x5u), and only your key counts"},
	{"x5c", "it brings its own certificate (x5c), and only your key counts"},
	{"enc", "it is encrypted (enc)"},
	{"zip", "it is compressed (zip)"},
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrJOSEMalformed}, args...)...)
}

func parseToken(text []byte) (*token, error) {
	if len(text) > maxJOSE {
		return nil, malformed("it has more than %d MiB", maxJOSE>>20)
	}
	bare := withoutSpace(string(text))
	switch {
	case bare == "":
		return nil, malformed("it is empty")
	case bare[0] == '{':
		return nil, malformed("it is in the JSON form, and drone reads the compact one")
	case strings.HasPrefix(bare, "-----BEGIN"):
		return nil, malformed("it is PEM, perhaps a key")
	}
	parts := strings.Split(bare, ".")
	if len(parts) != 3 {
		return nil, malformed("it has %d parts between dots instead of three", len(parts))
	}
	if len(parts[0]) > maxHeader {
		return nil, malformed("its header has more than %d KiB", maxHeader>>10)
	}
	t := &token{}
	for i, into := range []*[]byte{&t.rawHeader, &t.payload, &t.signature} {
		part, err := decodePart(parts[i])
		if err != nil {
			return nil, malformed("the base64url of its %s is wrong", []string{"header", "payload", "signature"}[i])
		}
		*into = part
	}
	return t, t.readHeader()
}

// decodePart takes base64url with or without padding, and nothing else that
// means the same bytes: every other change of a character is a change.
func decodePart(part string) ([]byte, error) {
	encoding := base64.RawURLEncoding
	if strings.HasSuffix(part, "=") {
		encoding = base64.URLEncoding
	}
	return encoding.Strict().DecodeString(part)
}

func (t *token) readHeader() error {
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(t.rawHeader, &fields); err != nil || fields == nil {
		return malformed("its header is no JSON object")
	}
	for _, field := range []struct {
		name string
		into *string
	}{{"alg", &t.header.Algorithm}, {"kid", &t.header.KeyID}} {
		if value, ok := fields[field.name]; ok && json.Unmarshal(value, field.into) != nil {
			return malformed("the %s of its header is no text", field.name)
		}
	}
	if t.header.Algorithm == "" {
		return malformed("its header names no algorithm (alg)")
	}
	if len(t.header.KeyID) > maxKeyID {
		return malformed("the kid of its header has more than %d characters", maxKeyID)
	}
	for _, f := range refusedFields {
		if _, ok := fields[f.name]; ok && t.header.refused == "" {
			t.header.refused = f.why
		}
	}
	return nil
}

// acceptable fails when a signature with this header is not to be tried with a
// key.
func (h joseHeader) acceptable(key *JOSEKey) error {
	allowed := []string{key.algorithm}
	if key.Secret() {
		allowed = []string{HS256, string(jose.HS384), string(jose.HS512)}
	}
	switch {
	case strings.EqualFold(h.Algorithm, "none"):
		return fmt.Errorf("%w: its algorithm is none, so nobody has signed it", ErrJOSERefused)
	case h.refused != "":
		return fmt.Errorf("%w: %s", ErrJOSERefused, h.refused)
	case !slices.Contains(allowed, h.Algorithm):
		return fmt.Errorf("%w: it says it was made with %q, and the key is a %s", ErrJOSERefused, brief(h.Algorithm), key)
	}
	return nil
}

// mismatch names the keys where the signature and the key have names.
func (t *token) mismatch(key *JOSEKey) error {
	if id := t.header.KeyID; id != "" && key.id != "" && id != key.id {
		return fmt.Errorf("%w: it was made with the key %q, and this one is %q", ErrJOSEMismatch, id, key.id)
	}
	if t.detached() {
		return fmt.Errorf("%w, or the file was", ErrJOSEMismatch)
	}
	return ErrJOSEMismatch
}

// detached reports that there is no payload. The signature of an empty file
// looks the same, and verifies the same.
func (t *token) detached() bool { return len(t.payload) == 0 }

// text is the token as go-jose reads it.
func (t *token) text() string {
	e := base64.RawURLEncoding
	return e.EncodeToString(t.rawHeader) + "." + e.EncodeToString(t.payload) + "." + e.EncodeToString(t.signature)
}
