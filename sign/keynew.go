package sign

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"

	"github.com/go-jose/go-jose/v4"
)

const (
	// newRSA is the size that is thought to last beyond 2030.
	newRSA = 3072
	// secretSize and secretAlphabet are those of the secret that a server makes
	// for a repository (reference I2), so that the new one fits wherever that does.
	secretSize     = 32
	secretAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
)

// GenerateKey makes a key for an algorithm of Algorithms: a shared secret of 32
// letters and digits for HS256, else a private key. random is
// crypto/rand.Reader; some algorithms take their random numbers from there
// whatever it is.
func GenerateKey(algorithm string, random io.Reader) (*JOSEKey, error) {
	var key any
	var err error
	switch algorithm {
	case HS256:
		return generateSecret(random)
	case EdDSA:
		_, key, err = ed25519.GenerateKey(random)
	case ES256:
		key, err = ecdsa.GenerateKey(elliptic.P256(), random)
	case RS256:
		key, err = rsa.GenerateKey(random, newRSA)
	default:
		return nil, keyError("", "no algorithm %q", brief(algorithm))
	}
	if err != nil {
		return nil, fmt.Errorf("cannot make a key: %w", err)
	}
	return newKey(key, "")
}

// generateSecret takes each character with the same chance.
func generateSecret(random io.Reader) (*JOSEKey, error) {
	const fair = 256 - 256%len(secretAlphabet)
	secret := make([]byte, 0, secretSize)
	for some := make([]byte, secretSize); len(secret) < secretSize; {
		if _, err := io.ReadFull(random, some); err != nil {
			return nil, fmt.Errorf("no random numbers: %w", err)
		}
		for _, b := range some {
			if int(b) < fair && len(secret) < secretSize {
				secret = append(secret, secretAlphabet[int(b)%len(secretAlphabet)])
			}
		}
	}
	return newSecretKey(secret)
}

// PEM writes the key as ParseJOSEKey reads it: PKCS #8 for a private key, PKIX
// for a public one, and the text of a shared secret, each with a line end.
func (k *JOSEKey) PEM() ([]byte, error) {
	var der []byte
	var err error
	kind := "PUBLIC KEY"
	switch {
	case k.secret != nil:
		return append(append([]byte{}, k.secret...), '\n'), nil
	case k.private != nil:
		kind = "PRIVATE KEY"
		der, err = x509.MarshalPKCS8PrivateKey(k.private)
	default:
		der, err = x509.MarshalPKIXPublicKey(k.public)
	}
	if err != nil {
		return nil, keyError("", "the key is damaged")
	}
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), nil
}

// JWK writes the key as a JSON Web Key, with its id, algorithm and use, on one
// line.
func (k *JOSEKey) JWK() ([]byte, error) {
	jwk := jose.JSONWebKey{KeyID: k.id, Algorithm: k.algorithm, Use: "sig"}
	switch {
	case k.secret != nil:
		jwk.Key = k.secret
	case k.private != nil:
		jwk.Key = k.private
	default:
		jwk.Key = k.public
	}
	text, err := json.Marshal(jwk)
	if err != nil {
		return nil, keyError("", "the key is damaged")
	}
	return append(text, '\n'), nil
}
