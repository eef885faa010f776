package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
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
)

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

// Is makes the error one of those above, by its status.
func (e *StatusError) Is(target error) bool {
	switch e.Status {
	case http.StatusUnauthorized:
		return target == ErrUnauthorized
	case http.StatusForbidden:
		return target == ErrForbidden
	case http.StatusNotFound:
		return target == ErrNotFound
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
		e.Err, e.Hint = fmt.Errorf("%w (%s)", errTimeout, c.timeout), "check whether the server is up"
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
