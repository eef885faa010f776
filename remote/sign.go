package remote

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Repo is a repository.
type Repo struct{ Owner, Name string }

// ParseRepo reads OWNER/NAME.
func ParseRepo(slug string) (Repo, error) {
	owner, name, ok := strings.Cut(slug, "/")
	if !ok || owner == "" || name == "" || strings.Contains(name, "/") {
		return Repo{}, fmt.Errorf("%q is no repository: it is not OWNER/NAME", slug)
	}
	return Repo{owner, name}, nil
}

func (r Repo) String() string { return r.Owner + "/" + r.Name }

func (r Repo) path(more ...string) []string {
	return append([]string{"api", "repos", r.Owner, r.Name}, more...)
}

// sealed is the body of the calls that compute something of a text, and of
// their answers.
type sealed struct {
	Data string `json:"data"`
}

// ErrNotUTF8 is a text that JSON cannot carry: the server would sign another.
var ErrNotUTF8 = errors.New("the text is not UTF-8, so the server would get another")

var hexMAC = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Sign has the server sign a configuration file: the result is the HMAC of its
// signature document. The user needs write access to the repository.
func (c *Client) Sign(ctx context.Context, repo Repo, text []byte) (string, error) {
	if !utf8.Valid(text) {
		return "", ErrNotUTF8
	}
	var answer sealed
	if err := c.call(ctx, http.MethodPost, repo.path("sign"), sealed{string(text)}, &answer); err != nil {
		return "", err
	}
	if !hexMAC.MatchString(answer.Data) {
		return "", c.unreachable(ctx, errors.New("what it calls a signature is not 64 hexadecimal digits"))
	}
	return answer.Data, nil
}

// Encrypt has the server encrypt a value with the key of a repository, for the
// `data` of a secret document. The user needs write access to the repository.
func (c *Client) Encrypt(ctx context.Context, repo Repo, value []byte) (string, error) {
	if !utf8.Valid(value) {
		return "", ErrNotUTF8
	}
	var answer sealed
	if err := c.call(ctx, http.MethodPost, repo.path("encrypt", "secret"), sealed{string(value)}, &answer); err != nil {
		return "", err
	}
	if answer.Data == "" {
		return "", c.unreachable(ctx, errors.New("what it calls an encrypted secret is empty"))
	}
	return answer.Data, nil
}
