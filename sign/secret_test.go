package sign

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

const testKey = "0123456789abcdefghijklmnopqrstuv"

// vectors are those of reference J1.
var vectors = []struct{ nonce, value, data string }{
	{"000102030405060708090a0b", "correct-horse-battery-staple", "AAECAwQFBgcICQoLq/xQTs4lV8Sl3teN1pLJ2D4nUg9d9/zCacAeaPzOBD0qXvxlC/SGJ3+bU7Q="},
	{"101112131415161718191a1b", "pässwörd\n", "EBESExQVFhcYGRobNbBdIdpFwZCIZyKXii/UJlZ/0Bxc06j3rRZq"},
	{"000000000000000000000000", "", "AAAAAAAAAAAAAAAAmbPVQ2ZwmB3VPk38/pO04A=="},
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		got, err := DecryptSecret([]byte(testKey), v.data)
		if err != nil || string(got) != v.value {
			t.Errorf("decrypting %s gives %q, %v", v.data, got, err)
		}
		nonce, err := hex.DecodeString(v.nonce)
		if err != nil {
			t.Fatal(err)
		}
		data, err := EncryptSecret([]byte(testKey), []byte(v.value), bytes.NewReader(nonce))
		if err != nil || data != v.data {
			t.Errorf("encrypting %q gives %s, %v, want %s", v.value, data, err, v.data)
		}
	}
}

func TestFoldedText(t *testing.T) {
	data := vectors[0].data
	got, err := DecryptSecret([]byte(testKey), data[:20]+" "+data[20:40]+"\r\n\t"+data[40:]+"\n")
	if err != nil || string(got) != vectors[0].value {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestDecryptErrors(t *testing.T) {
	data := vectors[0].data
	for name, tc := range map[string]struct {
		key, text string
		want      error
	}{
		"key too short":  {testKey[:31], data, ErrKeySize},
		"no key":         {"", data, ErrKeySize},
		"no base64":      {testKey, "not base64!", ErrMalformed},
		"nothing":        {testKey, "", ErrMalformed},
		"a nonce only":   {testKey, data[:16], ErrMalformed},
		"cut":            {testKey, data[:len(data)-8], ErrWrongKey},
		"wrong key":      {strings.ToUpper(testKey), data, ErrWrongKey},
		"changed text":   {testKey, "B" + data[1:], ErrWrongKey},
		"of another key": {testKey[:16], data, ErrWrongKey},
	} {
		if got, err := DecryptSecret([]byte(tc.key), tc.text); !errors.Is(err, tc.want) || got != nil {
			t.Errorf("%s: got %q, %v, want %v", name, got, err, tc.want)
		}
	}
	for _, key := range []string{"", testKey[:16], testKey[:31], testKey + "w"} {
		if _, err := EncryptSecret([]byte(key), []byte("x"), rand.Reader); !errors.Is(err, ErrKeySize) {
			t.Errorf("encrypted with a key of %d bytes: %v", len(key), err)
		}
	}
	if _, err := EncryptSecret([]byte(testKey), nil, strings.NewReader("short")); err == nil {
		t.Error("a secret was encrypted without a nonce")
	}
}

func TestCheckEncrypted(t *testing.T) {
	for _, v := range vectors {
		if err := CheckEncrypted(v.data, len(v.value)); err != nil {
			t.Errorf("%s: %v", v.data, err)
		}
		for _, wrong := range []string{"", v.data[1:], v.data + "AAAA", v.data + "\n", v.data[:20] + "\n" + v.data[20:], "\n---\nkind: pipeline\n"} {
			if err := CheckEncrypted(wrong, len(v.value)); !errors.Is(err, ErrMalformed) {
				t.Errorf("%q is taken: %v", wrong, err)
			}
		}
	}
}

func FuzzDecryptSecret(f *testing.F) {
	for _, v := range vectors {
		f.Add([]byte(v.value), v.data)
	}
	f.Fuzz(func(t *testing.T, value []byte, text string) {
		_, _ = DecryptSecret([]byte(testKey), text)
		data, err := EncryptSecret([]byte(testKey), value, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := DecryptSecret([]byte(testKey), data); err != nil || !bytes.Equal(got, value) {
			t.Errorf("%q came back as %q, %v", value, got, err)
		}
	})
}
