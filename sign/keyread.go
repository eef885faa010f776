package sign

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// ParseJOSEKey reads a key: PEM with PKCS #1, PKCS #8, SEC 1 or PKIX inside, a
// JWK, or else a shared secret, which is one line without its end.
//
// What looks like a key of another form is an error and never a secret: who
// took a public key for a secret would let everybody sign who knows it. The
// error is a KeyError.
func ParseJOSEKey(data []byte) (*JOSEKey, error) {
	if len(data) > maxKeyFile {
		return nil, keyError("", "the key has more than %d KiB, too much for a key", maxKeyFile>>10)
	}
	text := bytes.TrimSpace(data)
	switch {
	case bytes.Contains(text, []byte("-----BEGIN")):
		return parsePEM(data)
	case bytes.HasPrefix(text, []byte("{")) && json.Valid(text):
		return parseJWK(text)
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}), bytes.HasPrefix(data, []byte{0xfe, 0xff}), bytes.HasPrefix(data, []byte("\ufeff")):
		return nil, keyError("save it as UTF-8 without one", "the key begins with the byte order mark of an editor")
	case looksLikeDER(data), looksLikeDER(unbase64(text)):
		return nil, keyError("`openssl pkey -inform DER` makes PEM of it, with -pubin for a public one", "the key is in bare DER or base64, and drone reads PEM and JWK")
	case looksLikeSSH(text):
		return nil, keyError("`ssh-keygen -e -m PKCS8 -f FILE` makes PEM of an RSA or ECDSA one", "the key is a public key for SSH, and drone reads PEM and JWK")
	}
	secret := bytes.TrimRight(data, "\r\n")
	if bytes.ContainsAny(secret, "\r\n\x00") {
		return nil, keyError("a shared secret is text on one line; for other bytes write a JWK (kty oct)", "the key is neither PEM nor a JWK, and has too many lines for a shared secret")
	}
	return newSecretKey(secret)
}

func looksLikeDER(data []byte) bool {
	for _, parse := range []func([]byte) error{
		func(b []byte) error { _, err := x509.ParsePKIXPublicKey(b); return err },
		func(b []byte) error { _, err := x509.ParsePKCS8PrivateKey(b); return err },
		func(b []byte) error { _, err := x509.ParsePKCS1PublicKey(b); return err },
		func(b []byte) error { _, err := x509.ParsePKCS1PrivateKey(b); return err },
		func(b []byte) error { _, err := x509.ParseECPrivateKey(b); return err },
		func(b []byte) error { _, err := x509.ParseCertificate(b); return err },
	} {
		if parse(data) == nil {
			return true
		}
	}
	return false
}

// unbase64 gives what is inside of PEM that has lost its first and last line.
func unbase64(text []byte) []byte {
	der, err := base64.StdEncoding.DecodeString(withoutSpace(string(text)))
	if err != nil {
		return nil
	}
	return der
}

func looksLikeSSH(text []byte) bool {
	kind, _, found := strings.Cut(string(text), " ")
	return found && (strings.HasPrefix(kind, "ssh-") || strings.HasPrefix(kind, "ecdsa-sha2-") || strings.HasPrefix(kind, "sk-"))
}

// parsePEM reads the one key of a PEM file. openssl writes the curve in front of
// some.
func parsePEM(data []byte) (*JOSEKey, error) {
	var key *pem.Block
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "EC PARAMETERS" {
			continue
		}
		if key != nil {
			return nil, keyError("give a file with one of them", "the file has more than one key")
		}
		key = block
	}
	if key == nil {
		return nil, keyError("", "the PEM of the key is damaged")
	}
	return parseBlock(key)
}

func parseBlock(block *pem.Block) (*JOSEKey, error) {
	if block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
		return nil, keyError("`openssl pkey -in FILE -out FILE.clear` asks for the passphrase and takes it off",
			"the key is protected by a passphrase, and drone asks for none")
	}
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		return nil, keyError("`openssl x509 -in FILE -pubkey -noout` prints its public key", "the file is a certificate and no key")
	case "OPENSSH PRIVATE KEY":
		return nil, keyError("`drone key new` makes one; `ssh-keygen -p -m PKCS8 -f FILE` rewrites an RSA or ECDSA one", "the key is one for SSH, and drone reads PEM and JWK")
	default:
		return nil, keyError(newKeyHint, "the PEM is a %q and no key that drone knows", brief(block.Type))
	}
	if err != nil {
		// What x509 says may quote bytes of the key.
		return nil, keyError(newKeyHint, "the key is damaged, or of a kind that makes no signatures drone knows: Ed25519, P-256 and RSA do")
	}
	return newKey(key, "")
}

// jwkUse is what a JWK says about its use, which go-jose passes over in part.
type jwkUse struct {
	Type       string          `json:"kty"`
	Curve      string          `json:"crv"`
	Use        string          `json:"use"`
	Algorithm  string          `json:"alg"`
	Operations []string        `json:"key_ops"`
	Keys       json.RawMessage `json:"keys"`
}

func parseJWK(text []byte) (*JOSEKey, error) {
	var use jwkUse
	if err := json.Unmarshal(text, &use); err != nil {
		return nil, keyError("", "the key is JSON and no JWK")
	}
	switch {
	case use.Keys != nil:
		return nil, keyError("give a file with one of its keys", "the file is a set of JWKs")
	case use.Type == "":
		return nil, keyError("", "the key is JSON and no JWK: it has no kty")
	case use.Use != "" && use.Use != "sig":
		return nil, keyError("", "the JWK is not for signatures: its use is %q", brief(use.Use))
	case use.Type == "EC" && use.Curve != "P-256":
		return nil, keyError(newKeyHint, "the key is of the curve %s, and ES256 needs P-256", brief(use.Curve))
	case use.Type == "OKP" && use.Curve != "Ed25519":
		return nil, keyError(newKeyHint, "the key is of the curve %s, and EdDSA needs Ed25519", brief(use.Curve))
	}
	var jwk jose.JSONWebKey
	if err := jwk.UnmarshalJSON(text); err != nil {
		// What it says may quote the key.
		if errors.Is(err, jose.ErrUnsupportedKeyType) {
			return nil, keyError(newKeyHint, "the JWK is of a kind (%q) that makes no signatures drone knows", brief(use.Type))
		}
		return nil, keyError("", "the JWK is damaged, or holds what drone does not know")
	}
	key, err := keyOf(jwk)
	if err != nil {
		return nil, err
	}
	if err := use.allows(key); err != nil {
		return nil, err
	}
	return key, nil
}

func keyOf(jwk jose.JSONWebKey) (*JOSEKey, error) {
	if len(jwk.KeyID) > maxKeyID {
		return nil, keyError("", "the kid of the JWK has more than %d characters", maxKeyID)
	}
	secret, ok := jwk.Key.([]byte)
	if !ok {
		return newKey(jwk.Key, jwk.KeyID)
	}
	return newSecretKey(secret)
}

// allows fails when the JWK says that it is for something else.
func (u jwkUse) allows(key *JOSEKey) error {
	if u.Algorithm != "" && u.Algorithm != key.algorithm {
		return keyError("", "the JWK is for %q, and drone would use it for %s", brief(u.Algorithm), key.algorithm)
	}
	if u.Operations == nil {
		return nil
	}
	for _, operation := range u.Operations {
		if operation == "verify" && !key.CanSign() || operation == "sign" && key.CanSign() {
			return nil
		}
	}
	return keyError("", "the JWK is not for signatures: its key_ops say so")
}

// brief is text of somebody else as it can stand in a message.
func brief(text string) string {
	const most = 40
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
