package sign

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// The algorithms that signatures are made with. Those made with a shared secret
// are verified for HS384 and HS512, too, as a server of Drone 0.5 does.
const (
	HS256 = "HS256" // HMAC with SHA-256 and a shared secret
	EdDSA = "EdDSA" // Ed25519
	ES256 = "ES256" // ECDSA with P-256 and SHA-256
	RS256 = "RS256" // RSA PKCS #1 v1.5 with SHA-256
)

// Algorithms lists them.
func Algorithms() []string { return []string{HS256, EdDSA, ES256, RS256} }

const (
	// maxKeyFile is the size beyond which a file is surely no key.
	maxKeyFile = 64 << 10
	// fullSecret is how long a secret has to be for HS256 (RFC 7518 §3.2).
	fullSecret = 32
	minRSA     = 2048
	maxRSA     = 8192
)

// ErrKey is a key that cannot be read, or cannot be used. No error of this
// package holds any part of a key.
var ErrKey = errors.New("unusable key")

// KeyError is a key that cannot be used, and what may help. It is an ErrKey.
type KeyError struct{ Reason, Hint string }

func (e *KeyError) Error() string { return e.Reason }

// Is makes a KeyError an ErrKey.
func (e *KeyError) Is(target error) bool { return target == ErrKey }

func keyError(hint, format string, args ...any) error {
	return &KeyError{Reason: fmt.Sprintf(format, args...), Hint: hint}
}

// JOSEKey is a key for JOSE signatures: a shared secret, or a private or public
// key of one algorithm. It is immutable, and shows nothing of itself when it is
// printed.
type JOSEKey struct {
	algorithm string
	id        string
	secret    []byte
	private   crypto.Signer
	public    crypto.PublicKey
}

// newSecretKey gives the key for HS256 that is a shared secret, taken as it is.
func newSecretKey(secret []byte) (*JOSEKey, error) {
	if len(secret) == 0 {
		return nil, keyError("", "the key is empty")
	}
	return &JOSEKey{algorithm: HS256, secret: bytes.Clone(secret)}, nil
}

// newKey checks a private or public key and gives it its algorithm. id may be
// empty; it is then the thumbprint of RFC 7638.
func newKey(key any, id string) (*JOSEKey, error) {
	k := &JOSEKey{id: id}
	switch key := key.(type) {
	case ed25519.PrivateKey:
		k.private, k.public = key, key.Public()
	case *ecdsa.PrivateKey:
		k.private, k.public = key, key.Public()
	case *rsa.PrivateKey:
		k.private, k.public = key, key.Public()
	default:
		k.public = key
	}
	switch public := k.public.(type) {
	case ed25519.PublicKey:
		k.algorithm = EdDSA
	case *ecdsa.PublicKey:
		if public.Curve != elliptic.P256() {
			return nil, keyError(newKeyHint, "the key is of the curve %s, and ES256 needs P-256", public.Params().Name)
		}
		k.algorithm = ES256
	case *rsa.PublicKey:
		if n := public.N.BitLen(); n < minRSA || n > maxRSA {
			return nil, keyError(newKeyHint, "the RSA key has %d bits, and RS256 needs %d to %d", n, minRSA, maxRSA)
		}
		k.algorithm = RS256
	default:
		return nil, keyError(newKeyHint, "the key is of a kind that makes no signatures drone knows: Ed25519, P-256 and RSA do")
	}
	if k.id == "" {
		print, err := (&jose.JSONWebKey{Key: k.public}).Thumbprint(crypto.SHA256)
		if err != nil {
			return nil, keyError("", "the key is damaged")
		}
		k.id = base64.RawURLEncoding.EncodeToString(print)
	}
	return k, nil
}

const newKeyHint = "`drone key new` makes one"

// Algorithm is that of the signatures the key makes or verifies.
func (k *JOSEKey) Algorithm() string { return k.algorithm }

// ID names the key without telling anything of a private one: what a JWK calls
// itself, else the thumbprint of RFC 7638. A secret has none.
func (k *JOSEKey) ID() string { return k.id }

// Secret reports whether the key is a shared secret.
func (k *JOSEKey) Secret() bool { return k.secret != nil }

// CanSign reports whether the key is a shared or private one.
func (k *JOSEKey) CanSign() bool { return k.secret != nil || k.private != nil }

// Short reports whether the key is a secret that is shorter than HS256 wants, so
// that somebody could find it by trying.
func (k *JOSEKey) Short() bool { return k.secret != nil && len(k.secret) < fullSecret }

// Public gives the public half. A secret has none, which is an error.
func (k *JOSEKey) Public() (*JOSEKey, error) {
	if k.secret != nil {
		return nil, keyError("make a pair of keys with `drone key new`", "a shared secret has no public key")
	}
	return &JOSEKey{algorithm: k.algorithm, id: k.id, public: k.public}, nil
}

// String says of which kind the key is, and nothing else.
func (k *JOSEKey) String() string {
	switch {
	case k.secret != nil:
		return "shared secret"
	case k.private != nil:
		return "private key for " + k.algorithm
	}
	return "public key for " + k.algorithm
}

// GoString is String, for %#v.
func (k *JOSEKey) GoString() string { return k.String() }

// signing gives the key to sign with. verifying gives the one to verify with.
func (k *JOSEKey) signing() any {
	if k.secret != nil {
		return k.padded()
	}
	return k.private
}

func (k *JOSEKey) verifying() any {
	if k.secret != nil {
		return k.padded()
	}
	return k.public
}

// padded is the secret with zeros up to the length that go-jose insists on for
// every algorithm. HMAC itself adds them up to the block of the hash, 64 bytes
// or more, so they change nothing; whether a short secret will do is for the
// caller to say.
func (k *JOSEKey) padded() []byte {
	if len(k.secret) >= 2*sha256.Size {
		return k.secret
	}
	return append(bytes.Clone(k.secret), make([]byte, 2*sha256.Size-len(k.secret))...)
}
