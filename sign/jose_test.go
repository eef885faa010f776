package sign

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"strings"
	"sync"
	"testing"
)

const (
	joseText = "pipeline:\n  build:\n    image: golang\n    commands:\n      - go test\n"
	base32ID = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSW===="
)

// joseVectors are those of reference H4.
var joseVectors = []struct{ name, key, file, token string }{
	{"V1", "secret", "hello",
		"eyJhbGciOiJIUzI1NiJ9.aGVsbG8.UYmO_lPAY5V0Wf4KZsfhiYs1SxqXPhxvjuYqellDV5A"},
	{"V2", "secret", joseText,
		"eyJhbGciOiJIUzI1NiJ9.cGlwZWxpbmU6CiAgYnVpbGQ6CiAgICBpbWFnZTogZ29sYW5nCiAgICBjb21tYW5kczoKICAgICAgLSBnbyB0ZXN0Cg.xOavglOBvBGQgZRzL2GpyZwukn-qs06dAC5WZy9uYGY"},
	{"V3", "secret", "pipeline:\n  hällo:\n    image: golang\n    commands:\n      - echo \"你好 ✓\"\n",
		"eyJhbGciOiJIUzI1NiJ9.cGlwZWxpbmU6CiAgaMOkbGxvOgogICAgaW1hZ2U6IGdvbGFuZwogICAgY29tbWFuZHM6CiAgICAgIC0gZWNobyAi5L2g5aW9IOKckyIK.tBlS9c2kcHV0ocdVgoo3a4WT26WOn_Aq9hL6YEUaPbs"},
	{"V4", "secret", strings.ReplaceAll(joseText, "\n", "\r\n"),
		"eyJhbGciOiJIUzI1NiJ9.cGlwZWxpbmU6DQogIGJ1aWxkOg0KICAgIGltYWdlOiBnb2xhbmcNCiAgICBjb21tYW5kczoNCiAgICAgIC0gZ28gdGVzdA0K.50I7XUUwdzWmZYkejb1PONQA-NVjh2phfuhK1cXBbxs"},
	{"V5", "secret", "",
		"eyJhbGciOiJIUzI1NiJ9..sd3ENUazK8vJX_adQ9xDR3N_oXk_pdfV9-OFlen2FmU"},
	{"V6", base32ID, joseText,
		"eyJhbGciOiJIUzI1NiJ9.cGlwZWxpbmU6CiAgYnVpbGQ6CiAgICBpbWFnZTogZ29sYW5nCiAgICBjb21tYW5kczoKICAgICAgLSBnbyB0ZXN0Cg.VkKccD15VKEnYTpENz0PlyRT3xsyTpz34PVrGsvRNk4"},
}

// v7 is accepted, as servers do, but not made.
const v7 = "eyJhbGciOiJIUzUxMiJ9.aGVsbG8.lLq0YUWz_bmUfAgbZ2FeIVEK2TiROdpxOJ-z0i-45IFJa7y-Rue-gov4wwEQHHw2qVQHXmuuzTu9tX6kPYa8Yg"

func secretKey(t testing.TB, text string) *JOSEKey {
	t.Helper()
	key, err := ParseJOSEKey([]byte(text))
	if err != nil || !key.Secret() {
		t.Fatalf("%q as a secret: %v, %v", text, key, err)
	}
	return key
}

// rsaKeys are made once: that takes a while.
var rsaKeys = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, minRSA) })

// keyFor makes a key that can sign.
func keyFor(t testing.TB, algorithm string) *JOSEKey {
	t.Helper()
	if algorithm == RS256 {
		private, err := rsaKeys()
		if err != nil {
			t.Fatal(err)
		}
		key, err := newKey(private, "")
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	key, err := GenerateKey(algorithm, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// forVerifying gives the public key where there is one.
func forVerifying(t testing.TB, key *JOSEKey) *JOSEKey {
	t.Helper()
	if key.Secret() {
		return key
	}
	public, err := key.Public()
	if err != nil {
		t.Fatal(err)
	}
	return public
}

func TestJOSEVectors(t *testing.T) {
	for _, v := range joseVectors {
		key := secretKey(t, v.key+"\n")
		got, err := JOSE(key, []byte(v.file), false)
		if err != nil || string(got) != v.token {
			t.Errorf("%s: signed as %s, %v", v.name, got, err)
		}
		signature, err := VerifyJOSE(key, []byte(v.token), []byte(v.file))
		if err != nil || signature.Algorithm != HS256 || signature.KeyID != "" || signature.Detached != (v.file == "") {
			t.Errorf("%s: verified as %+v, %v", v.name, signature, err)
		}
	}
	if signature, err := VerifyJOSE(secretKey(t, "secret"), []byte(v7), []byte("hello")); err != nil || signature.Algorithm != "HS512" {
		t.Errorf("V7: verified as %+v, %v", signature, err)
	}
}

// TestJOSESize is what reference H1 says of the size, which tells that nothing
// is in the token but header, file and MAC.
func TestJOSESize(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 1000, 1 << 20} {
		file := bytes.Repeat([]byte("x"), n)
		got, err := JOSE(keyFor(t, HS256), file, false)
		if err != nil {
			t.Fatal(err)
		}
		if want := base64.RawURLEncoding.EncodedLen(n) + 65; len(got) != want {
			t.Errorf("%d bytes are signed in %d, want %d", n, len(got), want)
		}
	}
	if _, err := JOSE(keyFor(t, HS256), make([]byte, maxPayload+1), false); err == nil {
		t.Error("too large a file was signed")
	}
	largest := make([]byte, maxPayload)
	token, err := JOSE(keyFor(t, HS256), largest, false)
	if err != nil || len(token) > maxJOSE {
		t.Errorf("the largest file comes to %d bytes, %v", len(token), err)
	}
}

// TestJOSEForms are the forms that servers of Drone 0.5 read (reference H3), and
// those that they do not.
func TestJOSEForms(t *testing.T) {
	key := secretKey(t, "secret")
	header, rest, _ := strings.Cut(joseVectors[0].token, ".")
	payload, mac, _ := strings.Cut(rest, ".")
	e := base64.RawURLEncoding
	// made signs with a header of its own, which go-jose would not write.
	made := func(header string) string { return macToken(t, key, header, "hello") }
	for name, tc := range map[string]struct {
		token string
		want  error
	}{
		"a line end":                 {joseVectors[0].token + "\r\n", nil},
		"white space anywhere":       {" " + header[:5] + "\n" + header[5:] + " .\t" + payload + ".\n" + mac[:9] + " " + mac[9:], nil},
		"padding":                    {header + "." + payload + "=." + mac + "=", nil},
		"typ and blanks":             {made(`{ "typ": "JWS", "alg" : "HS256" }`), nil},
		"a name of a key":            {made(`{"alg":"HS256","kid":"x"}`), nil},
		"nothing":                    {"", ErrJOSEMalformed},
		"blanks":                     {" \n", ErrJOSEMalformed},
		"a word":                     {"hello", ErrJOSEMalformed},
		"two parts":                  {header + "." + payload, ErrJOSEMalformed},
		"four parts":                 {joseVectors[0].token + ".", ErrJOSEMalformed},
		"five parts":                 {joseVectors[0].token + "..", ErrJOSEMalformed},
		"dots":                       {"..", ErrJOSEMalformed},
		"other base64":               {header + "." + payload + "." + strings.ReplaceAll(mac, "_", "/"), ErrJOSEMalformed},
		"wrong padding":              {header + "." + payload + "==." + mac, ErrJOSEMalformed},
		"bits beyond the end":        {header + "." + payload[:len(payload)-1] + "9." + mac, ErrJOSEMalformed},
		"header of another kind":     {e.EncodeToString([]byte(`"HS256"`)) + "." + payload + "." + mac, ErrJOSEMalformed},
		"header is null":             {e.EncodeToString([]byte(`null`)) + "." + payload + "." + mac, ErrJOSEMalformed},
		"header with a tail":         {made(`{"alg":"HS256"}{}`), ErrJOSEMalformed},
		"header without alg":         {made(`{"typ":"JWS"}`), ErrJOSEMalformed},
		"alg in capitals":            {made(`{"ALG":"HS256"}`), ErrJOSEMalformed},
		"alg is a number":            {made(`{"alg":256}`), ErrJOSEMalformed},
		"two algs":                   {made(`{"alg":"HS256","alg":"HS256"}`), ErrJOSEMalformed},
		"kid is a list":              {made(`{"alg":"HS256","kid":[]}`), ErrJOSEMalformed},
		"kid without end":            {made(`{"alg":"HS256","kid":"` + strings.Repeat("x", 201) + `"}`), ErrJOSEMalformed},
		"header without end":         {made(`{"alg":"HS256","x":"` + strings.Repeat("x", maxHeader) + `"}`), ErrJOSEMalformed},
		"flattened JSON":             {`{"protected":"` + header + `","payload":"` + payload + `","signature":"` + mac + `"}`, ErrJOSEMalformed},
		"PEM":                        {"-----BEGIN PUBLIC KEY-----\n", ErrJOSEMalformed},
		"oversize":                   {strings.Repeat("x", maxJOSE+1), ErrJOSEMalformed},
		"none":                       {made(`{"alg":"none"}`), ErrJOSERefused},
		"None":                       {made(`{"alg":"nOnE"}`), ErrJOSERefused},
		"none without signature":     {e.EncodeToString([]byte(`{"alg":"none"}`)) + "." + payload + ".", ErrJOSERefused},
		"crit":                       {made(`{"alg":"HS256","crit":["exp"],"exp":1}`), ErrJOSERefused},
		"crit of nothing":            {made(`{"alg":"HS256","crit":[]}`), ErrJOSERefused},
		"b64":                        {made(`{"alg":"HS256","b64":false,"crit":["b64"]}`), ErrJOSERefused},
		"b64 without crit":           {made(`{"alg":"HS256","b64":false}`), ErrJOSERefused},
		"b64 as usual":               {made(`{"alg":"HS256","b64":true}`), ErrJOSERefused},
		"jwk":                        {made(`{"alg":"HS256","jwk":{"kty":"oct","k":"c2VjcmV0"}}`), ErrJOSERefused},
		"jku":                        {made(`{"alg":"HS256","jku":"http://localhost/"}`), ErrJOSERefused},
		"x5u":                        {made(`{"alg":"HS256","x5u":"http://localhost/"}`), ErrJOSERefused},
		"x5c":                        {made(`{"alg":"HS256","x5c":["AAAA"]}`), ErrJOSERefused},
		"zip":                        {made(`{"alg":"HS256","zip":"DEF"}`), ErrJOSERefused},
		"an algorithm for key pairs": {made(`{"alg":"RS256"}`), ErrJOSERefused},
		"an unknown algorithm":       {made(`{"alg":"HS1"}`), ErrJOSERefused},
		"a cut MAC":                  {header + "." + payload + "." + mac[:20], ErrJOSEMismatch},
		"no MAC":                     {header + "." + payload + ".", ErrJOSEMismatch},
		"another file":               {joseVectors[1].token, ErrJOSEStale},
	} {
		if _, err := VerifyJOSE(key, []byte(tc.token), []byte("hello")); !errors.Is(err, tc.want) || (err == nil) != (tc.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		} else if err != nil {
			checkSentence(t, err.Error())
		}
	}
}

// checkSentence is what every error of this project looks like.
func checkSentence(t *testing.T, text string) {
	t.Helper()
	if strings.ContainsAny(text, "\n\r") || strings.HasSuffix(text, ".") || len(text) > 250 || text == "" {
		t.Errorf("not one sentence: %q", text)
	}
}

// macToken signs with any header, by hand.
func macToken(t testing.TB, key *JOSEKey, header, payload string) string {
	t.Helper()
	e := base64.RawURLEncoding
	input := e.EncodeToString([]byte(header)) + "." + e.EncodeToString([]byte(payload))
	return input + "." + e.EncodeToString(hmac256(key.secret, input))
}

// TestJOSEConfusion shows that the signature does not choose the algorithm.
func TestJOSEConfusion(t *testing.T) {
	const file = "kind: pipeline\n"
	algorithms := []string{HS256, EdDSA, ES256, RS256}
	for _, signing := range algorithms {
		token, err := JOSE(keyFor(t, signing), []byte(file), false)
		if err != nil {
			t.Fatal(err)
		}
		for _, verifying := range algorithms {
			want := ErrJOSERefused
			if signing == verifying {
				if want = ErrJOSEMismatch; signing == RS256 {
					continue // there is one key in these tests
				}
			}
			_, err := VerifyJOSE(forVerifying(t, keyFor(t, verifying)), token, []byte(file))
			if !errors.Is(err, want) {
				t.Errorf("signed with %s, verified with a key for %s: %v, want %v", signing, verifying, err, want)
			}
		}
	}
	// Whoever knows a public key could sign with it as a secret.
	for _, algorithm := range algorithms[1:] {
		key := keyFor(t, algorithm)
		public := forVerifying(t, key)
		for name, text := range publicTexts(t, public) {
			secret, err := newSecretKey(text)
			if err != nil {
				t.Fatal(err)
			}
			forged := macToken(t, secret, `{"alg":"HS256"}`, file)
			if _, err := VerifyJOSE(public, []byte(forged), []byte(file)); !errors.Is(err, ErrJOSERefused) {
				t.Errorf("%s: %s as a secret: %v", algorithm, name, err)
			}
			read, err := ParseJOSEKey(text)
			if err == nil && read.Secret() {
				t.Errorf("%s: %s is read as a secret", algorithm, name)
			}
		}
	}
}

// publicTexts are forms in which a public key may be in a file.
func publicTexts(t *testing.T, public *JOSEKey) map[string][]byte {
	t.Helper()
	armored, err := public.PEM()
	if err != nil {
		t.Fatal(err)
	}
	jwk, err := public.JWK()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(armored)), "\n")
	body := strings.Join(lines[1:len(lines)-1], "\n")
	der, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(body, "\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	utf16 := []byte{0xff, 0xfe}
	for _, b := range armored {
		utf16 = append(utf16, b, 0)
	}
	return map[string][]byte{
		"PEM": armored, "PEM without line end": bytes.TrimSpace(armored), "PEM with CRLF": bytes.ReplaceAll(armored, []byte("\n"), []byte("\r\n")),
		"PEM of an editor": append([]byte("\ufeff"), armored...), "PEM with text": append([]byte("my key\n"), armored...),
		"PEM in UTF-16": utf16, "JWK": jwk, "DER": der, "base64": []byte(body),
		"a set of JWKs": []byte(`{"keys":[` + string(jwk) + `]}`), "half of it": armored[:len(armored)/2],
	}
}

// TestJOSERoundTrip: what one key signs, its other half verifies, with and
// without the file inside, and no other file.
func TestJOSERoundTrip(t *testing.T) {
	files := []string{"", "x", joseText, "\xff\xfe\x00", strings.Repeat("kind: pipeline\r\n", 5000)}
	for _, algorithm := range Algorithms() {
		key := keyFor(t, algorithm)
		public := forVerifying(t, key)
		for _, file := range files {
			for _, detached := range []bool{false, true} {
				token, err := JOSE(key, []byte(file), detached)
				if err != nil {
					t.Fatalf("%s: %v", algorithm, err)
				}
				got, err := VerifyJOSE(public, token, []byte(file))
				want := JOSESignature{Algorithm: algorithm, KeyID: key.ID(), Detached: detached || file == ""}
				if err != nil || got != want {
					t.Errorf("%s: got %+v, %v, want %+v", algorithm, got, err, want)
				}
				_, err = VerifyJOSE(public, token, []byte(file+"\n"))
				var stale *StaleError
				switch {
				case want.Detached && !errors.Is(err, ErrJOSEMismatch):
					t.Errorf("%s: detached, of another file: %v", algorithm, err)
				case !want.Detached && (!errors.As(err, &stale) || !errors.Is(err, ErrJOSEStale) || string(stale.Signed) != file):
					t.Errorf("%s: of another file: %v", algorithm, err)
				}
			}
		}
	}
}

func TestJOSENames(t *testing.T) {
	key, other := keyFor(t, EdDSA), forVerifying(t, keyFor(t, EdDSA))
	token, err := JOSE(key, []byte("x"), false)
	if err != nil {
		t.Fatal(err)
	}
	_, err = VerifyJOSE(other, token, []byte("x"))
	if !errors.Is(err, ErrJOSEMismatch) || !strings.Contains(err.Error(), key.ID()) || !strings.Contains(err.Error(), other.ID()) {
		t.Errorf("the keys are not named: %v", err)
	}
	if _, err := JOSE(other, nil, false); !errors.Is(err, ErrKey) {
		t.Errorf("a public key has signed: %v", err)
	}
}

// FuzzJOSE: a signature is valid, and none of its bytes can be changed.
func FuzzJOSE(f *testing.F) {
	var keys []*JOSEKey
	for _, algorithm := range Algorithms() {
		keys = append(keys, keyFor(f, algorithm))
	}
	for i := range keys {
		f.Add(uint(i), []byte(joseText), uint(3), byte('A'), false)
		f.Add(uint(i), []byte(joseText), uint(25), byte('='), false)
		f.Add(uint(i), []byte(""), uint(21), byte(' '), true)
		f.Add(uint(i), []byte("x"), uint(1<<20), byte('.'), true)
	}
	f.Fuzz(func(t *testing.T, which uint, file []byte, at uint, b byte, detached bool) {
		key := keys[which%uint(len(keys))]
		token, err := JOSE(key, file, detached)
		if err != nil {
			t.Fatal(err)
		}
		public := forVerifying(t, key)
		if _, err := VerifyJOSE(public, token, file); err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		if i := at % uint(len(token)); token[i] != b {
			changed := bytes.Clone(token)
			changed[i] = b
			if _, err := VerifyJOSE(public, changed, file); err == nil {
				t.Errorf("%s: byte %d of %s can be %q", key, i, token, b)
			}
		}
		if len(file) == 0 {
			return
		}
		if i := at % uint(len(file)); file[i] != b {
			changed := bytes.Clone(file)
			changed[i] = b
			if _, err := VerifyJOSE(public, token, changed); err == nil {
				t.Errorf("%s: byte %d of the file can be %q", key, i, b)
			}
		}
	})
}

// FuzzVerifyJOSE: nothing makes it panic, and nothing that was not signed is
// valid. What is valid with a known secret is so by its MAC.
func FuzzVerifyJOSE(f *testing.F) {
	for _, v := range joseVectors {
		f.Add(v.token, v.file)
	}
	f.Add(v7, "hello")
	f.Add("eyJhbGciOiJub25lIn0.aGVsbG8.", "hello")
	f.Add(`{"protected":"","payload":"","signature":""}`, "")
	unknown := keyFor(f, HS256)
	pairs := []*JOSEKey{forVerifying(f, keyFor(f, EdDSA)), forVerifying(f, keyFor(f, ES256)), forVerifying(f, keyFor(f, RS256))}
	f.Fuzz(func(t *testing.T, token, file string) {
		for _, key := range append(pairs, unknown) {
			if _, err := VerifyJOSE(key, []byte(token), []byte(file)); err == nil {
				t.Errorf("%s: %s is valid", key, token)
			}
		}
		known := secretKey(t, "secret")
		if got, err := VerifyJOSE(known, []byte(token), []byte(file)); err == nil && !hasMAC(known, got.Algorithm, token, file) {
			t.Errorf("%s is valid without its MAC", token)
		}
	})
}

// hasMAC looks for the MAC in a token by itself.
func hasMAC(key *JOSEKey, algorithm, token, file string) bool {
	hashes := map[string]func() hash.Hash{"HS256": sha256.New, "HS384": sha512.New384, "HS512": sha512.New}
	parts := strings.Split(strings.ReplaceAll(withoutSpace(token), "=", ""), ".")
	mac := hmac.New(hashes[algorithm], key.secret)
	mac.Write([]byte(parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(file))))
	return len(parts) == 3 && parts[2] == base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// FuzzParseJOSEKey: nothing makes it panic, and no error tells what was read.
func FuzzParseJOSEKey(f *testing.F) {
	for _, algorithm := range Algorithms() {
		key := keyFor(f, algorithm)
		for _, write := range []func() ([]byte, error){key.PEM, key.JWK} {
			text, err := write()
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END PRIVATE KEY-----\n"))
	f.Add([]byte(`{"kty":"RSA","n":"AQAB","e":"AQAB"}`))
	f.Add([]byte(`{"kty":"OKP","crv":"Ed25519","x":"","d":""}`))
	f.Add([]byte("ssh-ed25519 AAAA me"))
	f.Fuzz(func(t *testing.T, text []byte) {
		key, err := ParseJOSEKey(text)
		if err != nil {
			if !errors.Is(err, ErrKey) {
				t.Errorf("%q: %v is no error of a key", text, err)
			}
			return
		}
		if got := fmt.Sprintf("%v %+v %#v %s", key, key, key, key); len(got) > 4*len("private key for RS256 ") {
			t.Errorf("printed as %s", got)
		}
		if key.CanSign() {
			if _, err := JOSE(key, text, false); err != nil {
				t.Errorf("%s cannot sign: %v", key, err)
			}
		}
	})
}
