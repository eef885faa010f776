package remote_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/drone-laptop/drone/remote"
	"github.com/drone-laptop/drone/remote/servertest"
)

// secure starts a server with TLS, which asks for the certificates of clients.
func secure(t *testing.T, config *tls.Config) (server *httptest.Server, ca string) {
	t.Helper()
	server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, "application/json", `{"login":"octocat"}`)
	}))
	server.TLS = config
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	t.Cleanup(server.Close)
	ca = filepath.Join(t.TempDir(), "ca.pem")
	writePEM(t, ca, "CERTIFICATE", server.Certificate().Raw)
	return server, ca
}

func writePEM(t *testing.T, name, kind string, data []byte) {
	t.Helper()
	file, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		err = errors.Join(pem.Encode(file, &pem.Block{Type: kind, Bytes: data}), file.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// certificate makes one of a client that signs itself, in a file with its key.
func certificate(t *testing.T) (name string, cert *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "octocat"}, NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true, IsCA: true,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err = x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	name = filepath.Join(t.TempDir(), "client.pem")
	writePEM(t, name, "CERTIFICATE", raw)
	writePEM(t, name, "PRIVATE KEY", secret)
	return name, cert
}

func TestCAFile(t *testing.T) {
	server, ca := secure(t, nil)
	if _, err := connect(t, remote.Options{Server: server.URL, Token: token, CAFile: ca}).Self(t.Context()); err != nil {
		t.Error(err)
	}
	_, err := connect(t, remote.Options{Server: server.URL, Token: token}).Self(t.Context())
	if gone, ok := errors.AsType[*remote.UnreachableError](err); !ok || !strings.Contains(gone.Hint, "name a file with that of its authority") {
		t.Errorf("an unknown authority: %v", err)
	}
	other := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	_, err = connect(t, remote.Options{Server: other, Token: token, CAFile: ca}).Self(t.Context())
	if gone, ok := errors.AsType[*remote.UnreachableError](err); !ok || !strings.Contains(gone.Hint, "another name") {
		t.Errorf("another name: %v", err)
	}
	plain := strings.Replace(server.URL, "https:", "http:", 1)
	_, err = connect(t, remote.Options{Server: plain, Token: token}).Self(t.Context())
	if refused, ok := errors.AsType[*remote.StatusError](err); !ok || !strings.Contains(refused.Hint(), "https://") {
		t.Errorf("without TLS: %v", err)
	}
	bare := httptest.NewServer(nil)
	defer bare.Close()
	_, err = connect(t, remote.Options{Server: strings.Replace(bare.URL, "http:", "https:", 1), Token: token}).Self(t.Context())
	if gone, ok := errors.AsType[*remote.UnreachableError](err); !ok || !strings.Contains(gone.Hint, "http://") {
		t.Errorf("with TLS, of a server that has none: %v", err)
	}
}

func TestClientCertificate(t *testing.T) {
	file, cert := certificate(t)
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	server, ca := secure(t, &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool})
	with := remote.Options{Server: server.URL, Token: token, CAFile: ca, CertFile: file}
	if _, err := connect(t, with).Self(t.Context()); err != nil {
		t.Error(err)
	}
	with.CertFile = ""
	_, err := connect(t, with).Self(t.Context())
	if gone, ok := errors.AsType[*remote.UnreachableError](err); !ok || !strings.Contains(gone.Hint, "certificate of the client") {
		t.Errorf("without a certificate: %v", err)
	}
}

func TestTLSOptions(t *testing.T) {
	file, _ := certificate(t)
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		o      remote.Options
		option string
	}{
		"no CA file":      {remote.Options{CAFile: "absent.pem"}, "CA file"},
		"CA without any":  {remote.Options{CAFile: empty}, "CA file"},
		"no certificate":  {remote.Options{CertFile: "absent.pem"}, "certificate"},
		"not one":         {remote.Options{CertFile: file, KeyFile: empty}, "certificate"},
		"a key alone":     {remote.Options{KeyFile: file}, "certificate"},
		"SOCKS, no port":  {remote.Options{SOCKS: "proxy.example.com"}, "SOCKS proxy"},
		"SOCKS of HTTP":   {remote.Options{SOCKS: "http://me:hunter2@proxy:1080"}, "SOCKS proxy"},
		"SOCKS of no URL": {remote.Options{SOCKS: "socks5://me:hunter2@proxy:x"}, "SOCKS proxy"},
	} {
		tc.o.Server, tc.o.Token = "https://drone.example.com", token
		_, err := remote.New(tc.o)
		wrong, ok := errors.AsType[*remote.OptionError](err)
		if !ok || wrong.Option != tc.option || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// socks is a SOCKS5 proxy with a login, for IPv4 addresses. It serves one
// connection, and gives the login.
func socks(t *testing.T) (address string, logins chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	logins = make(chan string, 1)
	done := make(chan struct{})
	t.Cleanup(func() {
		listener.Close()
		<-done
	})
	go func() {
		defer close(done)
		c, err := listener.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		if err := serveSOCKS(c, logins); err != nil {
			t.Errorf("the proxy: %v", err)
		}
	}()
	return listener.Addr().String(), logins
}

func serveSOCKS(c net.Conn, logins chan<- string) error {
	read := func(n int) []byte {
		data := make([]byte, n)
		if _, err := io.ReadFull(c, data); err != nil {
			return make([]byte, n)
		}
		return data
	}
	read(int(read(2)[1]))                            // the version, and ways to log in
	if _, err := c.Write([]byte{5, 2}); err != nil { // with a password
		return err
	}
	user := read(int(read(2)[1]))
	password := read(int(read(1)[0]))
	logins <- string(user) + ":" + string(password)
	if _, err := c.Write([]byte{1, 0}); err != nil {
		return err
	}
	read(4) // connect to an IPv4 address
	target := read(6)
	out, err := net.Dial("tcp", net.JoinHostPort(net.IP(target[:4]).String(), strconv.Itoa(int(target[4])<<8|int(target[5]))))
	if err != nil {
		return err
	}
	defer out.Close()
	if _, err := c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0}); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(out, c) // ends with the other direction
		out.Close()
	}()
	_, _ = io.Copy(c, out) // as above
	return nil
}

func TestSOCKS(t *testing.T) {
	address, logins := socks(t)
	s, _ := example(t)
	c, err := remote.New(remote.Options{Server: s.URL, Token: servertest.Token, SOCKS: "socks5://me:hunter2@" + address})
	if err != nil {
		t.Fatal(err)
	}
	user, err := c.Self(t.Context())
	c.Close()
	if err != nil || user.Login != "octocat" {
		t.Fatalf("%v, %v", user, err)
	}
	if got := <-logins; got != "me:hunter2" {
		t.Errorf("the proxy is logged in to as %s", got)
	}
	gone := connect(t, remote.Options{Server: s.URL, Token: token, SOCKS: "me:hunter2@127.0.0.1:1"})
	_, err = gone.Self(t.Context())
	if e, ok := errors.AsType[*remote.UnreachableError](err); !ok || !strings.Contains(e.Hint, "proxy") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("no proxy: %v", err)
	}
}

func TestProxy(t *testing.T) {
	s, _ := example(t)
	asked := ""
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.String()
		answer(w, 200, "application/json", `{"login":"by proxy"}`)
	}))
	defer proxy.Close()
	address, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := connect(t, remote.Options{Server: s.URL, Token: token, Proxy: http.ProxyURL(address)})
	if user, err := c.Self(t.Context()); err != nil || user.Login != "by proxy" || asked != s.URL+"/api/user" {
		t.Errorf("%v, %v, asked %s", user, err, asked)
	}
	c = connect(t, remote.Options{Server: s.URL, Token: token, Proxy: func(*http.Request) (*url.URL, error) {
		return nil, errors.New("invalid proxy address http://me:hunter2@")
	}})
	_, err = c.Self(t.Context())
	if e, ok := errors.AsType[*remote.UnreachableError](err); !ok || !strings.Contains(e.Hint, "HTTP_PROXY") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("an address of a proxy that is none: %v", err)
	}
}

func TestRetry(t *testing.T) {
	busy := servertest.Refuse("GET /api/user", 503, "busy")
	for name, tc := range map[string]struct {
		fault servertest.Fault
		times int // of the fault
		want  int // attempts
		fails bool
		post  bool
	}{
		"busy once":         {busy, 1, 2, false, false},
		"busy twice":        {busy, 2, 3, false, false},
		"busy for long":     {busy, 9, 3, true, false},
		"a broken gateway":  {servertest.Refuse("GET /api/user", 502, ""), 1, 2, false, false},
		"no answer":         {servertest.Fault{Match: "GET /api/user", Drop: true}, 1, 2, false, false},
		"half an answer":    {servertest.Fault{Match: "GET /api/user", Truncate: true, Text: "{"}, 1, 2, false, false},
		"an error":          {servertest.Refuse("GET /api/user", 500, "boom"), 1, 1, true, false},
		"not known":         {servertest.Refuse("GET /api/user", 401, "Unauthorized"), 1, 1, true, false},
		"a page":            {servertest.HTML("GET /api/user"), 1, 1, true, false},
		"what changes some": {servertest.Refuse("POST /api/user/token", 503, "busy"), 1, 1, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := servertest.Example()
			defer s.Close()
			tc.fault.Times = tc.times
			s.Fault(tc.fault)
			var traces []remote.Trace
			c := connect(t, remote.Options{Server: s.URL, Token: servertest.Token, Trace: func(t remote.Trace) { traces = append(traces, t) }})
			var err error
			if tc.post {
				_, err = c.SelfToken(t.Context(), false)
			} else {
				_, err = c.Self(t.Context())
			}
			if (err != nil) != tc.fails {
				t.Error(err)
			}
			if got := len(s.Requests()); got != tc.want || len(traces) != tc.want {
				t.Errorf("%d attempts, %d told, want %d", got, len(traces), tc.want)
			}
			last := traces[len(traces)-1]
			if last.Again != 0 || (last.Err != nil) != tc.fails || last.Attempt != tc.want || tc.want > 1 && traces[0].Again == 0 {
				t.Errorf("told %+v", traces)
			}
		})
	}
}

// TestUnsure loses the server when it may have started a build.
func TestUnsure(t *testing.T) {
	const match = "POST /api/repos/octo/hello/builds"
	for name, tc := range map[string]struct {
		fault  servertest.Fault
		unsure bool
	}{
		"no answer":      {servertest.Fault{Match: match, Drop: true}, true},
		"half an answer": {servertest.Fault{Match: match, Truncate: true, Text: "{"}, true},
		"in time":        {servertest.Fault{Match: match, Hang: true}, true},
		"another answer": {servertest.HTML(match), false},
	} {
		s := servertest.Example()
		s.Fault(tc.fault)
		c := connect(t, remote.Options{Server: s.URL, Token: servertest.Token, SlowTimeout: 100 * time.Millisecond})
		_, err := c.BuildCreate(t.Context(), hello, remote.NewBuild{})
		gone, ok := errors.AsType[*remote.UnreachableError](err)
		if !ok || gone.Unsure != tc.unsure || strings.Contains(gone.Hint, "all the same") != tc.unsure {
			t.Errorf("%s: %v", name, err)
		}
		if got := len(s.Requests()); got != 1 {
			t.Errorf("%s: asked %d times", name, got)
		}
		s.Close()
	}
	c := connect(t, remote.Options{Server: "http://127.0.0.1:1", Token: token})
	_, err := c.BuildCreate(t.Context(), hello, remote.NewBuild{})
	if gone, ok := errors.AsType[*remote.UnreachableError](err); !ok || gone.Unsure {
		t.Errorf("a server that is not there: %v", err)
	}
}

func TestRetryEnds(t *testing.T) {
	s, c := example(t)
	s.Fault(servertest.Fault{Match: "GET /api/user", Status: 429, Message: "slowly", RetryAfter: "9"})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := c.Self(ctx)
	refused(t, err, 429, nil, "slowly")
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("whoever has no time waits for %s", took)
	}
}

// TestRetrySign makes a call again that is no GET and changes nothing.
func TestRetrySign(t *testing.T) {
	s, c := example(t)
	s.Fault(servertest.Fault{Match: "POST /api/repos/octo/hello/sign", Times: 1, Drop: true})
	if _, err := c.Sign(t.Context(), hello, []byte("kind: pipeline\n")); err != nil || len(s.Requests()) != 2 {
		t.Errorf("%v, asked %d times", err, len(s.Requests()))
	}
}

func TestBackoff(t *testing.T) {
	b := remote.Backoff{Min: time.Second, Max: 5 * time.Second}
	for range 2 {
		for i, most := range []time.Duration{1, 2, 4, 5, 5} {
			if got := b.Next(); got > most*time.Second || got < most*time.Second*3/4 {
				t.Errorf("%d: %s", i, got)
			}
		}
		b.Reset()
	}
	long := remote.Backoff{Min: time.Hour, Max: 1000 * time.Hour}
	for range 100 {
		if got := long.Next(); got < 45*time.Minute || got > 1000*time.Hour {
			t.Fatal(got)
		}
	}
	var zero remote.Backoff
	for range 100 {
		if got := zero.Next(); got <= 0 || got > 30*time.Second {
			t.Fatal(got)
		}
	}
}

// TestHints looks at what is said about each status.
func TestHints(t *testing.T) {
	s, c := example(t)
	for name, tc := range map[string]struct {
		fault servertest.Fault
		want  string
		is    error
	}{
		"402":         {servertest.Refuse("", 402, "repository limit"), "licence", remote.ErrLicense},
		"405":         {servertest.Refuse("", 405, ""), "too old", remote.ErrUnsupported},
		"409":         {servertest.Refuse("", 409, "Optimistic Lock Error"), "try again", remote.ErrConflict},
		"429":         {servertest.Refuse("", 429, ""), "try again later", nil},
		"500":         {servertest.Refuse("", 500, "boom"), "log of the server", nil},
		"duplicate":   {servertest.Refuse("", 500, `pq: duplicate key value violates unique constraint "secrets"`), "one of that name", remote.ErrDuplicate},
		"MySQL":       {servertest.Refuse("", 500, "Error 1062: Duplicate entry 'a'"), "one of that name", remote.ErrDuplicate},
		"501":         {servertest.Refuse("", 501, "Not Implemented"), "edition", remote.ErrUnsupported},
		"502":         {servertest.Fault{Status: 502, Text: "<html>", Type: "text/html"}, "proxy", nil},
		"no route":    {servertest.Fault{Status: 404, Text: "404 page not found\n", Type: "text/plain"}, "too old", remote.ErrUnsupported},
		"to TLS":      {servertest.Fault{Status: 301, Location: "https://drone.example.com/api/user?x=" + token}, "is https://drone.example.com", nil},
		"to a log-in": {servertest.Fault{Status: 302, Location: "https://sso.example.com/login"}, "page to log in", nil},
	} {
		t.Run(name, func(t *testing.T) {
			tc.fault.Match = "PATCH /api/user"
			s.ClearFaults()
			s.Fault(tc.fault)
			_, err := c.SelfUpdate(t.Context(), "a@b")
			refused, ok := errors.AsType[*remote.StatusError](err)
			if !ok || !strings.Contains(refused.Hint(), tc.want) || tc.is != nil && !errors.Is(err, tc.is) || strings.Contains(err.Error(), token) {
				t.Errorf("%v, hint %q", err, refused.Hint())
			}
		})
	}
}

// TestNoTokenIsShown prints what a program may print, and has a server say the
// token.
func TestNoTokenIsShown(t *testing.T) {
	s := servertest.Example()
	defer s.Close()
	o := remote.Options{Server: s.URL, Token: servertest.Token}
	c := connect(t, o)
	s.Fault(servertest.Fault{Match: "GET /api/user", Status: 400, Text: "Authorization: Bearer " + servertest.Token + "\x1b[2J\r\nHost: x", Type: "text/plain"})
	_, err := c.Self(t.Context())
	if got := err.Error(); strings.ContainsAny(got, "\x1b\n\r") || !strings.Contains(got, "Bearer ***") {
		t.Errorf("%q", got)
	}
	user := remote.User{Login: "octocat", Token: servertest.Token}
	machine := remote.Server{Name: "a", Secret: servertest.Token, TLSKey: []byte(servertest.Token)}
	values := []any{
		o, c, err, user, &user, []remote.User{user}, remote.UserInput{Login: "a", Token: servertest.Token},
		remote.SecretInput{Name: "a", Data: servertest.Token}, machine, &machine,
	}
	var log strings.Builder
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	numbers := fmt.Sprintf("%v", []byte(servertest.Token)) // as bytes are printed
	for _, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			text := fmt.Sprintf(verb, value)
			if strings.Contains(text, servertest.Token) || strings.Contains(text, numbers) {
				t.Errorf("%s of a %T: %s", verb, value, text)
			}
		}
		if _, list := value.([]remote.User); !list { // which is written as JSON, as a command has to write it
			logger.Info("x", "value", value)
		}
	}
	if strings.Contains(log.String(), servertest.Token) {
		t.Errorf("logged: %s", log.String())
	}
}

func TestLogLines(t *testing.T) {
	const match = "GET /api/repos/octo/hello/builds/1/logs"
	step := remote.StepRef{Build: 1, Stage: 1, Step: 2}
	for name, tc := range map[string]struct {
		fault servertest.Fault
		lines int
		want  string
	}{
		"cut":       {servertest.Fault{Truncate: true, Text: `[{"pos":0},{"pos":1},`}, 2, "unexpected EOF"},
		"not whole": {servertest.Fault{Text: `[{"pos":0}`}, 1, "not what a Drone server answers"},
		"no list":   {servertest.Fault{Text: `{"pos":0}`}, 0, "not what a Drone server answers"},
		"a page":    {servertest.HTML(match), 0, "page for browsers"},
		"hangs":     {servertest.Fault{Hang: true}, 0, "in time"},
	} {
		t.Run(name, func(t *testing.T) {
			s := servertest.Example()
			defer s.Close()
			tc.fault.Match = match
			s.Fault(tc.fault)
			c := connect(t, remote.Options{Server: s.URL, Token: servertest.Token, Timeout: 300 * time.Millisecond})
			lines, failed := 0, error(nil)
			for _, err := range c.LogLines(t.Context(), hello, step) {
				if failed = err; err == nil {
					lines++
				}
			}
			if lines != tc.lines || failed == nil || !strings.Contains(failed.Error(), tc.want) {
				t.Errorf("%d lines, %v", lines, failed)
			}
		})
	}
}

// TestConcurrentUse has a client be used by several, as its documentation says.
func TestConcurrentUse(t *testing.T) {
	_, c := example(t)
	var failed atomic.Int32
	done := make(chan struct{})
	for range 8 {
		go func() {
			defer func() { done <- struct{}{} }()
			for range 20 {
				if _, err := c.Build(t.Context(), hello, 1); err != nil {
					failed.Add(1)
				}
			}
		}()
	}
	for range 8 {
		<-done
	}
	if failed.Load() > 0 {
		t.Errorf("%d calls failed", failed.Load())
	}
}
