package remote

import (
	"context"
	"errors"
	"regexp"
	"unicode/utf8"
)

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
func (c *Client) Sign(ctx context.Context, repo Slug, text []byte) (string, error) {
	if !utf8.Valid(text) {
		return "", ErrNotUTF8
	}
	var answer sealed
	if err := c.do(ctx, repo.post("sign").sending(sealed{string(text)}).purely(), &answer); err != nil {
		return "", err
	}
	if !hexMAC.MatchString(answer.Data) {
		return "", c.unreachable(ctx, errors.New("what it calls a signature is not 64 hexadecimal digits"))
	}
	return answer.Data, nil
}

// Encrypt has the server encrypt a value with the key of a repository, for the
// `data` of a secret document. The user needs write access to the repository.
func (c *Client) Encrypt(ctx context.Context, repo Slug, value []byte) (string, error) {
	if !utf8.Valid(value) {
		return "", ErrNotUTF8
	}
	var answer sealed
	if err := c.do(ctx, repo.post("encrypt", "secret").sending(sealed{string(value)}).purely(), &answer); err != nil {
		return "", err
	}
	if answer.Data == "" {
		return "", c.unreachable(ctx, errors.New("what it calls an encrypted secret is empty"))
	}
	return answer.Data, nil
}
