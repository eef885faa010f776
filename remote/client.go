package remote

import (
	"cmp"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Options say which server is talked to, and as whom.
type Options struct {
	// Server is its address, with http:// or https://.
	Server string
	// Token is that of the user.
	Token string
	// Guest allows that there is no Token: a server shows everybody what is public.
	Guest bool
	// SkipVerify accepts any certificate of the server.
	SkipVerify bool
	// CAFile is a file of certificates, in PEM, that are trusted beside those of the
	// system.
	CAFile string
	// CertFile and KeyFile are the certificate of the client and its key, in PEM; the
	// first may have both.
	CertFile, KeyFile string
	// Timeout bounds each call that is no stream; 0 is DefaultTimeout.
	Timeout time.Duration
	// SlowTimeout bounds those that have the server ask others before it answers,
	// such as one that starts a build; 0 is DefaultSlowTimeout.
	SlowTimeout time.Duration
	// Idle is how long a stream may be silent; 0 is DefaultIdle.
	Idle time.Duration
	// Proxy names the proxy for a request; nil is for none, as in http.Transport.
	Proxy func(*http.Request) (*url.URL, error)
	// SOCKS is the address of a SOCKS5 proxy, HOST:PORT or a URL with socks5://, that
	// is used for all requests instead of Proxy. It resolves the name of the server.
	SOCKS string
	// Attempts is how often a call that changes nothing is made until it is an error
	// that a connection broke or that the server or a proxy before it is busy; 0 is
	// DefaultAttempts. Others are made once.
	Attempts int
	// Trace is told of each attempt of a call, from the goroutine that makes it; nil
	// is for nobody.
	Trace func(Trace)
	// Agent is the User-Agent of all requests.
	Agent string
}

const (
	// DefaultTimeout is how long a call may take that only reads, or makes a
	// server compute something.
	DefaultTimeout = 30 * time.Second
	// DefaultSlowTimeout is how long one may take that starts a build or the like: a
	// server looks for a file that is missing for 45 seconds before it says so.
	DefaultSlowTimeout = 2 * time.Minute
	// DefaultAttempts is how often a call is made that changes nothing.
	DefaultAttempts = 3
	// connecting is how long it may take until a server is connected to.
	connecting = 10 * time.Second
)

// String names the server. Whatever prints options shows no token.
func (o Options) String() string { return o.Server }

// GoString is String, for the same reason.
func (o Options) GoString() string { return o.Server }

// LogValue is String, for the same reason.
func (o Options) LogValue() slog.Value { return slog.StringValue(o.Server) }

// Client talks to one server. It is made with New.
type Client struct {
	base     *url.URL
	token    func() string // no text of a client shows it
	agent    string
	timeout  time.Duration
	slow     time.Duration
	idle     time.Duration
	attempts int
	trace    func(Trace)
	http     *http.Client
}

// New makes a client; it asks the server nothing yet. The error is an
// *OptionError.
func New(o Options) (*Client, error) {
	base, err := parseServer(o.Server)
	if err != nil {
		return nil, err
	}
	if o.Token == "" && !o.Guest {
		return nil, &OptionError{Option: "token", Reason: "there is no token for the server"}
	}
	if strings.ContainsFunc(o.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, &OptionError{Option: "token", Reason: "the token has blanks or characters that no token has"}
	}
	transport, err := newTransport(o)
	if err != nil {
		return nil, err
	}
	return &Client{
		base: base, token: func() string { return o.Token }, agent: o.Agent,
		timeout: cmp.Or(o.Timeout, DefaultTimeout), slow: cmp.Or(o.SlowTimeout, DefaultSlowTimeout), idle: cmp.Or(o.Idle, DefaultIdle),
		attempts: cmp.Or(o.Attempts, DefaultAttempts), trace: o.Trace,
		http: &http.Client{
			Transport: transport,
			// A server does not redirect its API: it is another address, which must
			// not get the token.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Close closes connections that are kept for further calls.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// String names the server.
func (c *Client) String() string { return c.Server() }

// Server is the address that is talked to.
func (c *Client) Server() string { return c.base.String() }

func parseServer(address string) (*url.URL, error) {
	wrong := func(reason string) (*url.URL, error) {
		return nil, &OptionError{Option: "server", Reason: reason}
	}
	if address == "" {
		return wrong("there is no address of a server")
	}
	base, err := url.Parse(strings.TrimRight(address, "/"))
	switch {
	case err != nil:
		return wrong("the address of the server is no URL") // err quotes it, maybe with a password
	case base.Scheme != "http" && base.Scheme != "https":
		return wrong("the address of the server has no http:// or https://")
	case base.Host == "":
		return wrong("the address of the server names no host")
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return wrong("the address of the server has more than a scheme, a host and a path")
	}
	return base, nil
}
