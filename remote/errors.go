package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
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
	Option string // server or token
	Reason string
}

func (e *OptionError) Error() string { return e.Reason }

// StatusError is a server that answers with something else than success.
type StatusError struct {
	Request  string // the method and the path
	Status   int
	Message  string // of the server, may be empty
	Location string // where it redirects to
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("the server answers %d %s to %s", e.Status, http.StatusText(e.Status), e.Request)
	switch {
	case e.Location != "":
		text += ", and leads to another address"
	case e.Message != "" && e.Message != http.StatusText(e.Status):
		text += ": " + e.Message
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
	e := &UnreachableError{Server: c.Server(), Err: err, Hint: "check the address of the server"}
	cause := context.Cause(ctx)
	switch {
	case errors.Is(cause, errTimeout):
		e.Err, e.Hint = cause, "check whether the server is up"
		return e
	case cause != nil:
		return cause
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		e.Hint = "the certificate of the server is not trusted here: have the system trust its authority (SSL_CERT_FILE names a file of them)"
	} else if _, ok := errors.AsType[*net.OpError](err); ok {
		e.Hint = "check the address of the server, and whether it is up"
	}
	return e
}
