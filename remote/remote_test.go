package remote_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/drone-laptop/drone/remote"
)

const token = "t0ken-of-octocat"

var hello = remote.Slug{Owner: "octo", Name: "hello"}

// serve starts a server and gives a client of it.
func serve(t *testing.T, handler http.HandlerFunc) *remote.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return connect(t, remote.Options{Server: server.URL + "/", Token: token, Agent: "drone/test"})
}

func connect(t *testing.T, o remote.Options) *remote.Client {
	t.Helper()
	c, err := remote.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func answer(w http.ResponseWriter, status int, kind, body string) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // a client that is gone is not told
}

func TestSign(t *testing.T) {
	text := "kind: pipeline\nname: \"<流>\"\r\n"
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Data string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Data != text {
			t.Errorf("the server got %q, %v", body.Data, err)
		}
		if got := r.Method + " " + r.URL.Path; got != "POST /api/repos/octo/hello/sign" {
			t.Error(got)
		}
		if got := r.Header.Get("Authorization") + " " + r.Header.Get("User-Agent"); got != "Bearer "+token+" drone/test" {
			t.Error(got)
		}
		answer(w, 200, "application/json", `{"data":"`+strings.Repeat("0a", 32)+`"}`)
	})
	got, err := c.Sign(t.Context(), hello, []byte(text))
	if err != nil || got != strings.Repeat("0a", 32) {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := c.Sign(t.Context(), hello, []byte("a: \xff")); !errors.Is(err, remote.ErrNotUTF8) {
		t.Errorf("a text that is not UTF-8: %v", err)
	}
}

func TestEncrypt(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		answer(w, 200, "application/json", fmt.Sprintf(`{"data":%q}`, r.URL.Path))
	})
	if got, err := c.Encrypt(t.Context(), hello, []byte("x")); err != nil || got != "/api/repos/octo/hello/encrypt/secret" {
		t.Errorf("%s, %v", got, err)
	}
}

// TestAnswers has a server answer what it should not.
func TestAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		status     int
		kind, body string
		is         error // of a *StatusError
		text       string
	}{
		"unauthorized": {401, "application/json", `{"message":"Unauthorized"}`, remote.ErrUnauthorized, "401 Unauthorized to POST /api/repos/octo/hello/sign"},
		"forbidden":    {403, "application/json", `{"message":"Forbidden"}`, remote.ErrForbidden, "403"},
		"not found":    {404, "application/json", `{"message":"sql: no rows in result set"}`, remote.ErrNotFound, "sql: no rows"},
		"plain text":   {404, "text/plain", "404 page not found\n", remote.ErrNotFound, "404 page not found"},
		"broken":       {500, "application/json", `{"message":"yaml: line 1"}`, nil, "yaml: line 1"},
		"a redirect":   {302, "text/html", "<a>", nil, "leads to another address"},
		"a page":       {200, "text/html; charset=utf-8", "<html>", nil, "page for browsers"},
		"another type": {200, "application/json", `{"data":["x"]}`, nil, "not what a Drone server answers: data has the type array"},
		"no JSON":      {200, "application/json", "{", nil, "not what a Drone server answers"},
		"no signature": {200, "application/json", `{"data":"abc"}`, nil, "not 64 hexadecimal digits"},
		"nothing":      {204, "", "", nil, "not what a Drone server answers"},
		"endless":      {200, "application/json", `"` + strings.Repeat("x", 33<<20) + `"`, nil, "more than 32 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if tc.status == 302 {
					w.Header().Set("Location", "https://example.com/")
				}
				answer(w, tc.status, tc.kind, tc.body)
			})
			_, err := c.Sign(t.Context(), hello, []byte("a: b"))
			if err == nil || !strings.Contains(err.Error(), tc.text) || strings.Contains(err.Error(), token) {
				t.Errorf("%v, want %s", err, tc.text)
			}
			refused, isStatus := errors.AsType[*remote.StatusError](err)
			_, isUnreachable := errors.AsType[*remote.UnreachableError](err)
			if wantStatus := tc.status > 204; isStatus != wantStatus || isUnreachable == wantStatus {
				t.Errorf("the error is a %T", err)
			}
			if isStatus && refused.Status != tc.status {
				t.Errorf("the status is %d", refused.Status)
			}
			if tc.is != nil && !errors.Is(err, tc.is) {
				t.Errorf("%v is not %v", err, tc.is)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	c := connect(t, remote.Options{Server: server.URL, Token: token})
	_, err := c.Sign(t.Context(), hello, nil)
	gone, ok := errors.AsType[*remote.UnreachableError](err)
	if !ok || gone.Server != server.URL || gone.Hint == "" || strings.Contains(err.Error(), token) {
		t.Errorf("%v", err)
	}
}

func TestTimeout(t *testing.T) {
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	defer server.Close()
	defer close(over)
	c := connect(t, remote.Options{Server: server.URL, Token: token, Timeout: 50 * time.Millisecond})
	_, err := c.Sign(t.Context(), hello, nil)
	if gone, ok := errors.AsType[*remote.UnreachableError](err); !ok || !strings.Contains(gone.Error(), "in time") {
		t.Errorf("a server that does not answer: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Sign(ctx, hello, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a call that was given up: %v", err)
	}
}

func TestTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, "application/json", `{"data":"`+strings.Repeat("ab", 32)+`"}`)
	}))
	defer server.Close()
	server.Config.ErrorLog = nil
	_, err := connect(t, remote.Options{Server: server.URL, Token: token}).Sign(t.Context(), hello, nil)
	if gone, ok := errors.AsType[*remote.UnreachableError](err); !ok || !strings.Contains(gone.Hint, "certificate") {
		t.Errorf("an unknown certificate: %v", err)
	}
	if _, err := connect(t, remote.Options{Server: server.URL, Token: token, SkipVerify: true}).Sign(t.Context(), hello, nil); err != nil {
		t.Error(err)
	}
}

// TestRedirect sees to it that the token goes to no other server.
func TestRedirect(t *testing.T) {
	asked := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer other.Close()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	if _, err := c.Sign(t.Context(), hello, nil); err == nil || asked {
		t.Errorf("a redirect was followed: %v", err)
	}
}

func TestOptions(t *testing.T) {
	for name, tc := range map[string]struct {
		server, token, option string
	}{
		"no server":    {"", token, "server"},
		"no scheme":    {"drone.example.com", token, "server"},
		"other scheme": {"ftp://drone.example.com", token, "server"},
		"no host":      {"https:///x", token, "server"},
		"a login":      {"https://me:hunter2@drone.example.com", token, "server"},
		"no URL":       {"https://drone.example.com:x", token, "server"},
		"no token":     {"https://drone.example.com", "", "token"},
		"two lines":    {"https://drone.example.com", token + "\n", "token"},
	} {
		_, err := remote.New(remote.Options{Server: tc.server, Token: tc.token})
		wrong, ok := errors.AsType[*remote.OptionError](err)
		if !ok || wrong.Option != tc.option || strings.Contains(err.Error(), token) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := connect(t, remote.Options{Server: "https://example.com/drone/", Token: token})
	if got := c.Server(); got != "https://example.com/drone" {
		t.Error(got)
	}
}

func TestParseSlug(t *testing.T) {
	if got, err := remote.ParseSlug("octo/hello"); err != nil || got != hello || got.String() != "octo/hello" {
		t.Errorf("%v, %v", got, err)
	}
	for _, slug := range []string{"", "octo", "octo/", "/hello", "a/b/c"} {
		if _, err := remote.ParseSlug(slug); err == nil {
			t.Errorf("%q is a repository", slug)
		}
	}
}
