// Package extension asks the extensions of a Drone server: services that it asks
// for secrets, registries, configurations and the like. A request is signed with
// the secret that both share, as a server signs it, and an answer may be encrypted
// with it.
//
// It neither prints nor reads flags or the environment, and no error of it has the
// secret.
package extension

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The kinds of extensions, as they are named in the header Accept.
const (
	Admission   = "application/vnd.drone.admission.v1+json"
	Config      = "application/vnd.drone.config.v1+json"
	Convert     = "application/vnd.drone.convert.v1+json"
	Environment = "application/vnd.drone.env.v2+json"
	Registry    = "application/vnd.drone.registry.v1+json"
	Secret      = "application/vnd.drone.secret.v1+json"
)

// ErrNothing is an extension that has nothing to say (204).
var ErrNothing = errors.New("the extension has no answer")

// Error is an extension that cannot be asked, or refuses.
type Error struct {
	Endpoint string // without what may be secret in it
	Status   int    // 0 when nothing answers
	Message  string
}

func (e *Error) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("the extension %s cannot be used: %s", e.Endpoint, e.Message)
	}
	text := fmt.Sprintf("the extension %s answers %d %s", e.Endpoint, e.Status, http.StatusText(e.Status))
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// limit is how long an extension may take to answer.
const limit = time.Minute

// Client asks one extension. Secret is what it shares with the server.
type Client struct {
	Endpoint, Secret string
	SkipVerify       bool
	Proxy            func(*http.Request) (*url.URL, error)
}

const (
	maxAnswer  = 16 << 20
	maxMessage = 500
)

// Ask sends a request of a kind and reads the answer into out. The error is
// ErrNothing or an *Error.
func (c *Client) Ask(ctx context.Context, kind string, in, out any) error {
	endpoint, err := url.Parse(c.Endpoint)
	if err != nil || endpoint.Host == "" || endpoint.Scheme != "http" && endpoint.Scheme != "https" {
		return &Error{Endpoint: "at this endpoint", Message: "its address is no URL with http:// or https://"}
	}
	failed := func(status int, message string) error {
		if len(message) > maxMessage {
			message = message[:maxMessage]
		}
		return &Error{Endpoint: endpoint.Redacted(), Status: status, Message: strings.TrimSpace(strings.ToValidUTF8(message, "\ufffd"))}
	}
	body, err := json.Marshal(in)
	if err != nil {
		return failed(0, err.Error())
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Endpoint, bytes.NewReader(body))
	if err != nil {
		return failed(0, "the request cannot be made")
	}
	c.sign(request, kind, body, time.Now())
	transport := &http.Transport{
		Proxy:           c.Proxy,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: c.SkipVerify}, // the user asks for it
	}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // the address is told already
		}
		return failed(0, err.Error())
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return failed(0, err.Error())
	case len(text) > maxAnswer:
		return failed(0, fmt.Sprintf("its answer has more than %d MiB", maxAnswer>>20))
	case response.StatusCode == http.StatusNoContent:
		return ErrNothing
	case response.StatusCode > 299:
		return failed(response.StatusCode, string(text))
	}
	if response.Header.Get("Content-Encoding") == "aesgcm" {
		if text, err = open(text, c.Secret); err != nil {
			return failed(0, err.Error())
		}
	}
	if err := json.Unmarshal(text, out); err != nil {
		return failed(0, "its answer is not what such an extension answers")
	}
	return nil
}

// signed are the headers that are signed, in this order.
var signed = []string{"accept", "accept-encoding", "content-type", "date", "digest"}

// sign adds the headers that tell an extension who asks.
func (c *Client) sign(r *http.Request, kind string, body []byte, now time.Time) {
	digest := sha256.Sum256(body)
	r.Header.Set("Accept", kind)
	r.Header.Set("Accept-Encoding", "identity")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Date", now.UTC().Format(http.TimeFormat))
	r.Header.Set("Digest", "SHA-256="+base64.StdEncoding.EncodeToString(digest[:]))
	var lines []string
	for _, name := range signed {
		lines = append(lines, name+": "+r.Header.Get(name))
	}
	mac := hmac.New(sha256.New, []byte(c.Secret))
	mac.Write([]byte(strings.Join(lines, "\n")))
	r.Header.Set("Signature", fmt.Sprintf(`keyId="hmac-key",algorithm="hmac-sha256",signature="%s",headers="%s"`,
		base64.StdEncoding.EncodeToString(mac.Sum(nil)), strings.Join(signed, " ")))
}

// open decrypts an answer: nonce, then AES-256-GCM with the beginning of the secret
// as key.
func open(text []byte, secret string) ([]byte, error) {
	const key = 32
	if len(secret) < key {
		return nil, errors.New("its answer is encrypted, and the secret is too short to be the key")
	}
	block, err := aes.NewCipher([]byte(secret[:key]))
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	if len(text) < gcm.NonceSize() {
		return nil, errors.New("its answer is encrypted, and cut off")
	}
	plain, err := gcm.Open(nil, text[:gcm.NonceSize()], text[gcm.NonceSize():], nil)
	if err != nil {
		return nil, errors.New("its answer is encrypted with another secret")
	}
	return plain, nil
}
