package sign

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"
)

func hmac256(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

var interopFiles = []string{"", joseText, strings.ReplaceAll(joseText, "\n", "\r\n"), "hällo 你好 ✓\x00\xff"}

// TestOtherLibrary signs with this package and verifies with another library,
// and the other way round, the keys being passed on as JWKs.
func TestOtherLibrary(t *testing.T) {
	for _, algorithm := range Algorithms() {
		key := keyFor(t, algorithm)
		public := forVerifying(t, key)
		alg, _ := jwa.LookupSignatureAlgorithm(algorithm)
		theirs := must[jwk.Key](t)(jwk.ParseKey(must[[]byte](t)(key.JWK())))
		theirPublic := must[jwk.Key](t)(jwk.ParseKey(must[[]byte](t)(public.JWK())))
		for _, file := range interopFiles {
			ours := must[[]byte](t)(JOSE(key, []byte(file), false))
			payload, err := jws.Verify(ours, jws.WithKey(alg, theirPublic))
			if err != nil || string(payload) != file {
				t.Errorf("%s: they read %q, %v", algorithm, payload, err)
			}
			ours = must[[]byte](t)(JOSE(key, []byte(file), true))
			if _, err := jws.Verify(ours, jws.WithKey(alg, theirPublic), jws.WithDetachedPayload([]byte(file))); err != nil {
				t.Errorf("%s: detached: %v", algorithm, err)
			}
			token := must[[]byte](t)(jws.Sign([]byte(file), jws.WithKey(alg, theirs)))
			if _, err := VerifyJOSE(public, token, []byte(file)); err != nil {
				t.Errorf("%s: their %s: %v", algorithm, token, err)
			}
			token = must[[]byte](t)(jws.Sign(nil, jws.WithKey(alg, theirs), jws.WithDetachedPayload([]byte(file))))
			if got, err := VerifyJOSE(public, token, []byte(file)); err != nil || !got.Detached {
				t.Errorf("%s: their detached %s: %+v, %v", algorithm, token, got, err)
			}
		}
		id := must[[]byte](t)(theirPublic.Thumbprint(5)) // crypto.SHA256
		if want := base64.RawURLEncoding.EncodeToString(id); !key.Secret() && key.ID() != want {
			t.Errorf("%s: the name of the key is %s, and they call it %s", algorithm, key.ID(), want)
		}
	}
}

// TestTheirKeys reads keys that the other library has written.
func TestTheirKeys(t *testing.T) {
	for _, algorithm := range Algorithms()[1:] {
		key := keyFor(t, algorithm)
		theirs := must[jwk.Key](t)(jwk.Import(key.private))
		text := must[[]byte](t)(json.Marshal(theirs))
		if got, err := ParseJOSEKey(text); err != nil || got.ID() != key.ID() || !got.CanSign() {
			t.Errorf("%s: JWK: %v, %v", algorithm, got, err)
		}
		text = must[[]byte](t)(jwk.Pem(theirs))
		if got, err := ParseJOSEKey(text); err != nil || got.ID() != key.ID() {
			t.Errorf("%s: PEM: %v, %v", algorithm, got, err)
		}
	}
}

// openssl runs the program in a folder of its own. A build server must have it.
type openssl struct {
	t   *testing.T
	dir string
}

func newOpenSSL(t *testing.T) *openssl {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no openssl, which a build server must have: %v", err)
		}
		t.Skip("SKIPPED: no openssl")
	}
	return &openssl{t, t.TempDir()}
}

func (o *openssl) write(name string, data []byte) {
	o.t.Helper()
	if err := os.WriteFile(filepath.Join(o.dir, name), data, 0o600); err != nil {
		o.t.Fatal(err)
	}
}

func (o *openssl) read(name string) []byte {
	o.t.Helper()
	data, err := os.ReadFile(filepath.Join(o.dir, name))
	if err != nil {
		o.t.Fatal(err)
	}
	return data
}

// run gives the standard output, or nil when openssl says no.
func (o *openssl) run(args ...string) []byte {
	o.t.Helper()
	c := exec.Command("openssl", args...)
	c.Dir = o.dir
	var out, told bytes.Buffer
	c.Stdout, c.Stderr = &out, &told
	if err := c.Run(); err != nil {
		o.t.Logf("openssl %s: %v: %s", strings.Join(args, " "), err, told.String())
		return nil
	}
	return out.Bytes()
}

func (o *openssl) must(args ...string) []byte {
	o.t.Helper()
	out := o.run(args...)
	if out == nil {
		o.t.Fatalf("openssl %s failed", strings.Join(args, " "))
	}
	return out
}

// TestOpenSSLMAC: openssl computes the MAC of what this package signs.
func TestOpenSSLMAC(t *testing.T) {
	o := newOpenSSL(t)
	for _, secret := range []string{"secret", base32ID, testKey} {
		for _, file := range interopFiles {
			token := string(must[[]byte](t)(JOSE(secretKey(t, secret), []byte(file), false)))
			cut := strings.LastIndexByte(token, '.')
			o.write("input", []byte(token[:cut]))
			mac := o.must("dgst", "-sha256", "-mac", "HMAC", "-macopt", "hexkey:"+hex.EncodeToString([]byte(secret)), "-binary", "input")
			if got := base64.RawURLEncoding.EncodeToString(mac); got != token[cut+1:] {
				t.Errorf("%q: the MAC is %s, and openssl says %s", secret, token[cut+1:], got)
			}
		}
	}
}

// opensslPairs are keys as openssl makes them, and how it signs and verifies
// with them.
var opensslPairs = []struct {
	name, algorithm string
	make            [][]string // into k.pem
	sign, verify    []string
	der             bool // its signatures are a pair of numbers in DER
}{
	{
		"Ed25519", EdDSA, [][]string{{"genpkey", "-algorithm", "ed25519", "-out", "k.pem"}},
		[]string{"pkeyutl", "-sign", "-inkey", "k.pem", "-rawin", "-in", "input"},
		[]string{"pkeyutl", "-verify", "-pubin", "-inkey", "p.pem", "-rawin", "-in", "input", "-sigfile", "sig"}, false,
	},
	{
		"P-256, PKCS #8", ES256, [][]string{{"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "k.pem"}},
		[]string{"dgst", "-sha256", "-sign", "k.pem", "input"}, []string{"dgst", "-sha256", "-verify", "p.pem", "-signature", "sig", "input"}, true,
	},
	{
		"P-256, SEC 1 with its curve", ES256, [][]string{{"ecparam", "-name", "prime256v1", "-genkey", "-out", "k.pem"}},
		[]string{"dgst", "-sha256", "-sign", "k.pem", "input"}, []string{"dgst", "-sha256", "-verify", "p.pem", "-signature", "sig", "input"}, true,
	},
	{
		"RSA, PKCS #1", RS256, [][]string{{"genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "k8.pem"}, {"rsa", "-in", "k8.pem", "-traditional", "-out", "k.pem"}},
		[]string{"dgst", "-sha256", "-sign", "k.pem", "input"}, []string{"dgst", "-sha256", "-verify", "p.pem", "-signature", "sig", "input"}, false,
	},
}

// TestOpenSSLPairs: with keys of openssl, what it signs this package verifies,
// and the other way round.
func TestOpenSSLPairs(t *testing.T) {
	for _, pair := range opensslPairs {
		t.Run(pair.name, func(t *testing.T) {
			o := newOpenSSL(t)
			for _, args := range pair.make {
				o.must(args...)
			}
			o.must("pkey", "-in", "k.pem", "-pubout", "-out", "p.pem")
			private := must[*JOSEKey](t)(ParseJOSEKey(o.read("k.pem")))
			public := must[*JOSEKey](t)(ParseJOSEKey(o.read("p.pem")))
			if private.Algorithm() != pair.algorithm || !private.CanSign() || public.CanSign() || public.ID() != private.ID() {
				t.Fatalf("read as %v and %v", private, public)
			}
			e := base64.RawURLEncoding
			for _, file := range interopFiles {
				input := e.EncodeToString([]byte(`{"alg":"`+pair.algorithm+`"}`)) + "." + e.EncodeToString([]byte(file))
				o.write("input", []byte(input))
				signature := o.must(pair.sign...)
				if pair.der {
					signature = fromDER(t, signature)
				}
				if _, err := VerifyJOSE(public, []byte(input+"."+e.EncodeToString(signature)), []byte(file)); err != nil {
					t.Errorf("of openssl: %v", err)
				}

				token := string(must[[]byte](t)(JOSE(private, []byte(file), false)))
				cut := strings.LastIndexByte(token, '.')
				signature = must[[]byte](t)(e.DecodeString(token[cut+1:]))
				if pair.der {
					signature = toDER(t, signature)
				}
				o.write("sig", signature)
				o.write("input", []byte(token[:cut]))
				o.must(pair.verify...)
				o.write("input", []byte(token[:cut]+"A"))
				if out := o.run(pair.verify...); out != nil {
					t.Errorf("openssl takes any signature: %s", out)
				}
			}
		})
	}
}

// TestOpenSSLForms reads the forms in which openssl writes keys, and refuses
// those with a passphrase.
func TestOpenSSLForms(t *testing.T) {
	o := newOpenSSL(t)
	o.write("k8.pem", must[[]byte](t)(keyFor(t, RS256).PEM()))
	o.must("rsa", "-in", "k8.pem", "-RSAPublicKey_out", "-out", "public.pem")
	if key, err := ParseJOSEKey(o.read("public.pem")); err != nil || key.CanSign() || key.ID() != keyFor(t, RS256).ID() {
		t.Errorf("PKCS #1: %v, %v", key, err)
	}
	o.must("pkey", "-in", "k8.pem", "-aes-256-cbc", "-passout", "pass:1234", "-out", "encrypted8.pem")
	o.must("rsa", "-in", "k8.pem", "-traditional", "-aes-256-cbc", "-passout", "pass:1234", "-out", "encrypted1.pem")
	o.must("pkey", "-in", "k8.pem", "-pubout", "-outform", "DER", "-out", "public.der")
	o.must("pkey", "-in", "k8.pem", "-outform", "DER", "-out", "private.der")
	o.must("req", "-x509", "-key", "k8.pem", "-subj", "/CN=me", "-out", "certificate.pem")
	for name, want := range map[string]string{
		"encrypted8.pem": "passphrase", "encrypted1.pem": "passphrase", "public.der": "DER", "private.der": "DER", "certificate.pem": "certificate",
	} {
		if key, err := ParseJOSEKey(o.read(name)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v, want %s", name, key, err, want)
		}
	}
}

type pairOfNumbers struct{ R, S *big.Int }

func fromDER(t *testing.T, der []byte) []byte {
	t.Helper()
	var pair pairOfNumbers
	if rest, err := asn1.Unmarshal(der, &pair); err != nil || len(rest) > 0 {
		t.Fatalf("no signature: %v", err)
	}
	out := make([]byte, 64)
	pair.R.FillBytes(out[:32])
	pair.S.FillBytes(out[32:])
	return out
}

func toDER(t *testing.T, raw []byte) []byte {
	t.Helper()
	return must[[]byte](t)(asn1.Marshal(pairOfNumbers{new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])}))
}
