package cmd

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/drone-laptop/drone/remote"
)

// fail gives an error of a call its status and hint. subject is what the call was
// about, as a user names it, such as a repository.
func (c *session) fail(err error, subject string) error {
	return serverFailure(err, subject, c.access)
}

// remoteFailure is fail for callers that know no more than the repository.
func remoteFailure(err error, repo remote.Slug) error {
	return serverFailure(err, repo.String(), access{})
}

func serverFailure(err error, subject string, a access) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*failure](err); ok {
		return err
	}
	if gone, ok := errors.AsType[*remote.UnreachableError](err); ok {
		hint := gone.Hint
		if a.serverFrom != "" && a.serverFrom != fromServerFlag {
			hint += fmt.Sprintf("; the address is that of %s", a.serverFrom)
		}
		return &failure{status: StatusUnreachable, err: err, hint: hint}
	}
	if errors.Is(err, remote.ErrNothingStarted) {
		return &failure{status: StatusFailed, err: fmt.Errorf("the server has started no build for %s", subject),
			hint: "no pipeline of the file is for this branch and event, or the owner of the repository is not active: `drone plan` shows what would run"}
	}
	if _, ok := errors.AsType[*remote.StatusError](err); !ok {
		return mistake(err, "")
	}
	return &failure{status: StatusUnreachable, err: err, hint: refusalHint(err, subject, a)}
}

// refusalHint says what to do about a server that refuses.
func refusalHint(err error, subject string, a access) string {
	token := "the token"
	if a.tokenFrom != "" {
		token += " of " + a.tokenFrom
	}
	switch {
	case errors.Is(err, remote.ErrUnauthorized):
		return "the server does not know " + token + ": set " + tokenVar + " to the one that your account page there shows, or log in again with `drone login`"
	case errors.Is(err, remote.ErrUnsupported):
		return "this server is of an edition or a version that cannot do that; or its address has a path too many"
	case errors.Is(err, remote.ErrForbidden) && adminOnly(err):
		return "only an administrator of the server may do that"
	case errors.Is(err, remote.ErrForbidden):
		return "you may not do that on " + subject
	case errors.Is(err, remote.ErrNotFound):
		return "check the name: there is no " + subject + " there, or it is not enabled, or you have no write access to it"
	}
	if refused, ok := errors.AsType[*remote.StatusError](err); ok {
		return refused.Hint()
	}
	return ""
}

// adminOnly reports whether a refusal is about what only administrators may: all
// that is not of a repository or an organization.
func adminOnly(err error) bool {
	refused, ok := errors.AsType[*remote.StatusError](err)
	if !ok || refused.Status != http.StatusForbidden {
		return false
	}
	for _, part := range []string{"/api/users", "/api/queue", "/api/builds", "/api/system", "/api/repos "} {
		if strings.Contains(refused.Request+" ", part) {
			return true
		}
	}
	return false
}
