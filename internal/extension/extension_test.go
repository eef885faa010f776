package extension_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/drone-laptop/drone/internal/extension"
)

const secret = "0123456789abcdefghijklmnopqrstuvwxyz"

// TestSignature has an extension check what it is asked, in the words of the
// reference (§4.4).
func TestSignature(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != `{"path":"docker"}` {
			t.Errorf("%s, %v", body, err)
		}
		sum := sha256.Sum256(body)
		date, err := http.ParseTime(r.Header.Get("Date"))
		if err != nil || time.Since(date) > time.Minute {
			t.Error(r.Header.Get("Date"))
		}
		text := "accept: application/vnd.drone.secret.v1+json\naccept-encoding: identity\ncontent-type: application/json\ndate: " + r.Header.Get("Date") +
			"\ndigest: SHA-256=" + base64.StdEncoding.EncodeToString(sum[:])
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(text))
		want := fmt.Sprintf(`keyId="hmac-key",algorithm="hmac-sha256",signature="%s",headers="accept accept-encoding content-type date digest"`,
			base64.StdEncoding.EncodeToString(mac.Sum(nil)))
		if got := r.Header.Get("Signature"); r.Method != http.MethodPost || got != want {
			t.Errorf("%s\n%s, want\n%s", r.Method, got, want)
		}
		fmt.Fprint(w, `{"data":"x"}`)
	}))
	defer server.Close()
	var out struct{ Data string }
	c := extension.Client{Endpoint: server.URL, Secret: secret}
	if err := c.Ask(t.Context(), extension.Secret, map[string]string{"path": "docker"}, &out); err != nil || out.Data != "x" {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestAnswers(t *testing.T) {
	block, err := aes.NewCipher([]byte(secret[:32]))
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	nonce := []byte("twelve bytes")
	sealed := string(gcm.Seal(nonce, nonce, []byte(`{"data":"y"}`), nil))
	for _, tc := range []struct {
		name, encoding, body, secret, err, data string
		status                                  int
	}{
		{name: "encrypted", encoding: "aesgcm", body: sealed, secret: secret, data: "y"},
		{name: "another secret", encoding: "aesgcm", body: sealed, secret: strings.Repeat("x", 32), err: "encrypted with another secret"},
		{name: "a short secret", encoding: "aesgcm", body: sealed, secret: "t00short", err: "too short to be the key"},
		{name: "cut off", encoding: "aesgcm", body: "abc", secret: secret, err: "cut off"},
		{name: "nothing", status: 204, secret: secret, err: extension.ErrNothing.Error()},
		{name: "refused", status: 400, body: "Invalid signature\n", secret: secret, err: "answers 400 Bad Request: Invalid signature"},
		{name: "a redirect", status: 302, secret: secret, err: "answers 302 Found"},
		{name: "a page", body: "<html>", secret: secret, err: "not what such an extension answers"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if tc.encoding != "" {
					w.Header().Set("Content-Encoding", tc.encoding)
				}
				if tc.status == http.StatusFound {
					w.Header().Set("Location", "https://example.com/")
				}
				if tc.status != 0 {
					w.WriteHeader(tc.status)
				}
				_, _ = io.WriteString(w, tc.body) // whoever does not read it misses nothing
			}))
			defer server.Close()
			var out struct{ Data string }
			c := extension.Client{Endpoint: server.URL, Secret: tc.secret}
			err := c.Ask(t.Context(), extension.Secret, struct{}{}, &out)
			switch {
			case tc.err == "" && (err != nil || out.Data != tc.data):
				t.Errorf("%+v, %v", out, err)
			case tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)):
				t.Errorf("%v, want %s", err, tc.err)
			case err != nil && strings.Contains(err.Error(), tc.secret):
				t.Errorf("the secret is shown: %v", err)
			}
		})
	}
	err = (&extension.Client{Endpoint: "http://user:hunter2@127.0.0.1:1", Secret: secret}).Ask(t.Context(), extension.Secret, struct{}{}, nil)
	if gone, ok := errors.AsType[*extension.Error](err); !ok || gone.Status != 0 || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
}
