package sign

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
)

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// TestKeyForms: a key is the same in every form in which it is written.
func TestKeyForms(t *testing.T) {
	for _, algorithm := range Algorithms() {
		key := keyFor(t, algorithm)
		forms := map[string][]byte{"PEM": must[[]byte](t)(key.PEM()), "JWK": must[[]byte](t)(key.JWK())}
		switch private := key.private.(type) {
		case *rsa.PrivateKey:
			forms["PKCS #1"] = block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(private))
			forms["after text"] = append([]byte("key of me\n"), forms["PKCS #1"]...)
		case *ecdsa.PrivateKey:
			sec1 := block("EC PRIVATE KEY", must[[]byte](t)(x509.MarshalECPrivateKey(private)))
			forms["SEC 1"] = sec1
			forms["with the curve"] = append(block("EC PARAMETERS", []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7}), sec1...)
		}
		for name, text := range forms {
			got, err := ParseJOSEKey(text)
			if err != nil || got.Algorithm() != algorithm || got.ID() != key.ID() || !got.CanSign() || got.Secret() != (algorithm == HS256) {
				t.Errorf("%s as %s: %v, %v", algorithm, name, got, err)
				continue
			}
			token := must[[]byte](t)(JOSE(got, []byte("x"), false))
			if _, err := VerifyJOSE(key, token, []byte("x")); err != nil {
				t.Errorf("%s as %s is another key: %v", algorithm, name, err)
			}
		}
	}
}

func TestPublicKeyForms(t *testing.T) {
	for _, algorithm := range Algorithms()[1:] {
		key := keyFor(t, algorithm)
		public := forVerifying(t, key)
		forms := map[string][]byte{"PEM": must[[]byte](t)(public.PEM()), "JWK": must[[]byte](t)(public.JWK())}
		if rsaKey, ok := public.public.(*rsa.PublicKey); ok {
			forms["PKCS #1"] = block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(rsaKey))
		}
		token := must[[]byte](t)(JOSE(key, []byte("x"), true))
		for name, text := range forms {
			got, err := ParseJOSEKey(text)
			if err != nil || got.CanSign() || got.ID() != key.ID() {
				t.Errorf("%s as %s: %v, %v", algorithm, name, got, err)
				continue
			}
			if _, err := VerifyJOSE(got, token, []byte("x")); err != nil {
				t.Errorf("%s as %s: %v", algorithm, name, err)
			}
		}
	}
	if _, err := keyFor(t, HS256).Public(); !errors.Is(err, ErrKey) {
		t.Errorf("a secret has a public half: %v", err)
	}
}

// TestKeyRefused: each is told by its own sentence.
func TestKeyRefused(t *testing.T) {
	ed := string(must[[]byte](t)(keyFor(t, EdDSA).PEM()))
	p384 := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	x25519 := must[*ecdh.PrivateKey](t)(ecdh.X25519().GenerateKey(rand.Reader))
	weak := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 1023, 1), E: 65537}
	pkix := func(key any) string {
		return string(block("PUBLIC KEY", must[[]byte](t)(x509.MarshalPKIXPublicKey(key))))
	}
	for name, tc := range map[string]struct{ text, want string }{
		"nothing":             {"", "the key is empty"},
		"a line end":          {"\r\n", "the key is empty"},
		"too large":           {strings.Repeat("x", maxKeyFile+1), "more than 64 KiB"},
		"damaged PEM":         {"-----BEGIN PUBLIC KEY-----\nAAAA\n", "the PEM of the key is damaged"},
		"PEM of nothing":      {string(block("PUBLIC KEY", nil)), "the key is damaged"},
		"PEM of something":    {string(block("X509 CRL", []byte("x"))), `the PEM is a "X509 CRL"`},
		"two keys":            {ed + ed, "more than one key"},
		"a certificate":       {string(block("CERTIFICATE", []byte("x"))), "a certificate and no key"},
		"SSH, private":        {string(block("OPENSSH PRIVATE KEY", []byte("x"))), "one for SSH"},
		"SSH, public":         {"ssh-ed25519 AAAAC3 me@home\n", "public key for SSH"},
		"with a passphrase":   {string(block("ENCRYPTED PRIVATE KEY", []byte("x"))), "protected by a passphrase"},
		"the same before":     {"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n", "protected by a passphrase"},
		"a wrong curve":       {pkix(&p384.PublicKey), "curve P-384, and ES256 needs P-256"},
		"for agreeing":        {pkix(x25519.PublicKey()), "makes no signatures"},
		"weak RSA":            {pkix(weak), "has 1024 bits, and RS256 needs 2048 to 8192"},
		"a configuration":     {"kind: pipeline\nname: x\n", "too many lines for a shared secret"},
		"JSON":                {`{"a":1}`, "has no kty"},
		"JSON of other types": {`{"kty":1}`, "JSON and no JWK"},
		"a set":               {`{"keys":[{"kty":"oct","k":"AAAA"}]}`, "a set of JWKs"},
		"a JWK to encrypt":    {`{"kty":"oct","k":"AAAA","use":"enc"}`, `its use is "enc"`},
		"a JWK of another":    {`{"kty":"oct","k":"AAAA","alg":"HS512"}`, `for "HS512"`},
		"a JWK to verify":     {`{"kty":"oct","k":"AAAA","key_ops":["verify"]}`, "key_ops"},
		"a JWK without key":   {`{"kty":"oct"}`, "the JWK is damaged"},
		"a JWK of P-384":      {`{"kty":"EC","crv":"P-384","x":"","y":""}`, "curve P-384"},
		"a JWK of X25519":     {`{"kty":"OKP","crv":"X25519","x":"AAAA"}`, "curve X25519"},
		"a JWK off the curve": {`{"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"}`, "damaged"},
		"a JWK of a new kind": {`{"kty":"LATER"}`, "of a kind"},
		"a weak JWK":          {`{"kty":"RSA","n":"wAAAAAAAAAAAAAAAAAAAAAE","e":"AQAB"}`, "bits, and RS256 needs"},
		"a JWK of half a key": {`{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQAB"}`, "the JWK is damaged"},
	} {
		key, err := ParseJOSEKey([]byte(tc.text))
		if key != nil || !errors.Is(err, ErrKey) || !strings.Contains(fmt.Sprint(err), tc.want) {
			t.Errorf("%s: %v, %v, want %s", name, key, err, tc.want)
			continue
		}
		checkSentence(t, err.Error())
	}
}

// TestKeySilent: no form of printing shows a key.
func TestKeySilent(t *testing.T) {
	for _, algorithm := range Algorithms() {
		key := keyFor(t, algorithm)
		text := must[[]byte](t)(json.Marshal(struct{ Key *JOSEKey }{key}))
		printed := fmt.Sprintf("%v %+v %#v %s %q %s", key, key, key, key, key, text)
		for _, part := range []string{string(key.secret), algorithm + "{", "0x", "["} {
			if part != "" && strings.Contains(printed, part) {
				t.Errorf("%s: %q is in %s", algorithm, part, printed)
			}
		}
	}
}

func TestGenerateKey(t *testing.T) {
	secret := must[*JOSEKey](t)(GenerateKey(HS256, rand.Reader))
	if len(secret.secret) != 32 || strings.Trim(string(secret.secret), secretAlphabet) != "" || secret.Short() {
		t.Errorf("the new secret has %d characters, or others than letters and digits", len(secret.secret))
	}
	if _, err := EncryptSecret(secret.secret, []byte("x"), rand.Reader); err != nil {
		t.Errorf("the new secret cannot encrypt: %v", err)
	}
	// Bytes that would make some characters likelier are passed over.
	some := append(bytes.Repeat([]byte{255}, 20), bytes.Repeat([]byte{61}, 44)...)
	if got := must[*JOSEKey](t)(GenerateKey(HS256, bytes.NewReader(some))); string(got.secret) != strings.Repeat("9", 32) {
		t.Error("the new secret is not made of the random numbers that are fair")
	}
	if _, err := GenerateKey(HS256, strings.NewReader("short")); err == nil {
		t.Error("a secret was made without random numbers")
	}
	if _, err := GenerateKey("HS1", rand.Reader); !errors.Is(err, ErrKey) {
		t.Errorf("a key for no algorithm: %v", err)
	}
	if !secretKey(t, "secret").Short() || secretKey(t, base32ID).Short() {
		t.Error("short secrets are not told from long ones")
	}
}
