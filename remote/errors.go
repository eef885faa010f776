package remote

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
)

// The kinds of refusals, for errors.Is with a *StatusError.
var (
	// ErrUnauthorized is a token that the server does not know, or none.
	ErrUnauthorized = errors.New("unauthorized")
	// ErrForbidden is a user who may not do that.
	ErrForbidden = errors.New("forbidden")
	// ErrNotFound is something that does not exist, or that the user may not
	// see: a server does not tell which.
	ErrNotFound = errors.New("not found")
	// ErrConflict is something that has just changed on the server: it may be asked
	// again.
	ErrConflict = errors.New("conflict")
	// ErrDuplicate is something that exists already.
	ErrDuplicate = errors.New("it exists already")
	// ErrLicense is a limit of the server's licence on users or repositories.
	ErrLicense = errors.New("limit of the licence")
	// ErrUnsupported is what the server does not have: its edition lacks it, or its
	// version is too old.
	ErrUnsupported = errors.New("not supported by the server")
)

// ErrNothingStarted is a server that has started no build, because nothing in the
// file is for that branch and event, or because the owner of the repository is
// blocked: it answers success, but no build.
var ErrNothingStarted = errors.New("the server started nothing")

// NameError is a name that no request can be made with.
type NameError struct{ Name string }

func (e *NameError) Error() string { return fmt.Sprintf("%q is no name", e.Name) }

// OptionError is an option that no client can be made with.
type OptionError struct {
	Option string // server, token, CA file, certificate or SOCKS proxy
	Reason string
}

func (e *OptionError) Error() string { return e.Reason }

// StatusError is a server that answers with something else than success.
type StatusError struct {
	Request  string // the method and the path
	Status   int
	Message  string // of the server, may be empty
	Location string // where it redirects to, without a query
	after    time.Duration
	base     string // what Location says the address of the server is, if it does
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("the server answers %d %s to %s", e.Status, http.StatusText(e.Status), e.Request)
	switch {
	case e.Location != "":
		text += ", and leads to another address: " + e.Location
	case e.Message != "" && e.Message != http.StatusText(e.Status):
		text += ": " + e.Message
	}
	return text
}

// Hint says what to do about it, whatever was asked for. It is empty where that
// depends on what was.
func (e *StatusError) Hint() string {
	switch {
	case e.base != "":
		return "the address of the server is " + e.base
	case e.Location != "":
		return "something answers before the server does, such as a page to log in on: its API must be let through, or have another address"
	}
	switch e.Status {
	case http.StatusBadRequest:
		if strings.Contains(e.Message, "HTTP request to an HTTPS server") {
			return "the address of the server begins with https://"
		}
	case http.StatusPaymentRequired:
		return "the licence of the server allows no more users or repositories: ask who runs it"
	case http.StatusMethodNotAllowed:
		return "the server is too old for this, or something before it does not let this through"
	case http.StatusConflict:
		return "it has changed on the server in the meantime: look at it, and try again"
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return "the server has no time: try again later"
	case http.StatusNotImplemented:
		return "the server is of an edition that does not have this"
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return "a proxy answers, but the server behind it does not: check whether the server is up"
	case http.StatusInternalServerError:
		if isDuplicate(e.Message) {
			return "there is one of that name already"
		}
		return "the log of the server may say more: ask who runs it"
	case http.StatusNotFound:
		if e.Message == noRoute {
			return "the server is too old for this"
		}
	}
	return ""
}

// refusal makes an error of an answer that is none of success.
func (c *Client) refusal(response *http.Response, r request) error {
	e := &StatusError{Request: r.String(), Status: response.StatusCode}
	e.after = retryAfter(response.Header.Get("Retry-After"), time.Now())
	if to, err := response.Location(); err == nil {
		to.RawQuery, to.Fragment, to.User = "", "", nil // it may have what is secret
		e.Location = c.plain(to.String())
		if base, ok := strings.CutSuffix(e.Location, "/"+strings.Join(r.path, "/")); ok && base != c.Server() {
			e.base = base
		}
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxRefusal))
	if err != nil {
		return e // the status says enough
	}
	var answer struct {
		Message string `json:"message"`
	}
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if json.Unmarshal(body, &answer) == nil {
		e.Message = c.plain(answer.Message)
	} else if kind == "text/plain" || kind == "" { // servers of Go have none when they are asked without TLS
		e.Message = c.plain(string(body))
	}
	return e
}

// maxMessage is how long what a server says may be in a message.
const maxMessage = 500

// plain makes what a server says fit for a message: one line that does nothing to a
// terminal, and without the token, which a proxy may have quoted.
func (c *Client) plain(text string) string {
	if token := c.token(); token != "" {
		text = strings.ReplaceAll(text, token, "***")
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
	text = strings.TrimSpace(text)
	if runes := []rune(text); len(runes) > maxMessage {
		text = string(runes[:maxMessage]) + "…"
	}
	return text
}

// Is makes the error one of those above, by its status and, where a status has
// several meanings, by the message.
func (e *StatusError) Is(target error) bool {
	switch e.Status {
	case http.StatusUnauthorized:
		if e.Message == "Forbidden" { // a server says 401 to who is no member of an organisation
			return target == ErrForbidden
		}
		return target == ErrUnauthorized
	case http.StatusForbidden:
		return target == ErrForbidden
	case http.StatusNotFound:
		if e.Message == noRoute {
			return target == ErrUnsupported || target == ErrNotFound
		}
		return target == ErrNotFound
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return target == ErrUnsupported
	case http.StatusConflict:
		return target == ErrConflict
	case http.StatusPaymentRequired:
		return target == ErrLicense
	case http.StatusInternalServerError:
		return target == ErrDuplicate && isDuplicate(e.Message)
	}
	return false
}

// noRoute is what a server says in plain text to what its API does not have.
const noRoute = "404 page not found"

// isDuplicate recognises what databases say of a second row with the same key:
// SQLite, PostgreSQL and MySQL.
func isDuplicate(message string) bool {
	for _, words := range []string{"UNIQUE constraint failed", "duplicate key value", "Duplicate entry"} {
		if strings.Contains(message, words) {
			return true
		}
	}
	return false
}

// UnreachableError is a server that does not answer, or not as one of Drone
// does.
type UnreachableError struct {
	Server string
	Err    error
	Hint   string // what to do, may be empty
	// Unsure is set when the server may have done what it was asked to do, because it
	// was lost only then.
	Unsure bool
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("the Drone server %s cannot be used: %v", e.Server, e.Err)
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// unreachable makes an error of one of the transport. A context that the caller
// has ended is the caller's error.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // the method and the address are told already
	}
	cause := context.Cause(ctx)
	switch {
	case errors.Is(cause, errTimeout):
		return &UnreachableError{Server: c.Server(), Err: cause, Hint: "check whether the server is up"}
	case errors.Is(cause, ErrIdle):
		return &UnreachableError{Server: c.Server(), Err: ErrIdle, Hint: "check whether the server is up"}
	case cause != nil:
		return cause
	}
	e := &UnreachableError{Server: c.Server(), Err: err, Hint: transportHint(err)}
	if errors.Is(err, errPage) {
		e.Hint = "something else than a Drone server is there, or a page to log in on before it: check the address"
		if c.base.Path != "" {
			host := url.URL{Scheme: c.base.Scheme, Host: c.base.Host}
			e.Hint = "a Drone server has no path in its address: try " + host.String()
		}
	}
	return e
}

// transportHint says what to do about an error of the transport.
func transportHint(err error) string {
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "the certificate is for another name: check the address of the server"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "the certificate of the server is not trusted here: name a file with that of its authority, or have the system trust it (SSL_CERT_FILE names a file of them)"
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return "the server wants another certificate of the client, or another version of TLS"
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		switch op.Op {
		case "proxyconnect", "socks connect":
			return "check the address of the proxy, and whether it is up"
		case "remote error": // of TLS
			return "the server wants another certificate of the client, or another version of TLS"
		}
		if op.Op != "read" && op.Op != "write" {
			return "check the address of the server, and whether it is up"
		}
		return "the connection broke: try again"
	}
	switch {
	case errors.Is(err, ErrCut), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection broke: try again"
	case errors.Is(err, http.ErrSchemeMismatch):
		return "the address of the server begins with http://"
	case errors.Is(err, errProxy):
		return "check the variables HTTP_PROXY and HTTPS_PROXY"
	}
	return "check the address of the server"
}
