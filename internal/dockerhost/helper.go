package dockerhost

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/docker/cli/cli/config/types"
	"github.com/docker/docker-credential-helpers/credentials"
)

const (
	// helperTime bounds a credential helper; some ask the user for a password or
	// a finger.
	helperTime = time.Minute
	// helperRest is how long what a helper has started may keep its output open
	// after the helper has ended.
	helperRest = time.Second
	// identityUser is the name under which helpers keep identity tokens.
	identityUser = "<token>"
)

func helperProgram(suffix string) string { return "docker-credential-" + suffix }

// errNoCredentials is a helper that knows nothing of a registry.
var errNoCredentials = errors.New("no credentials")

// helper is a program that knows credentials.
type helper struct {
	name, path string
	patience   time.Duration
}

// ask has the helper look up key. It is ended when ctx ends or patience is over.
// The error is errNoCredentials, the cause of ctx, or a sentence that begins
// with the name of the program and holds no credentials.
func (h helper) ask(ctx context.Context, key string) (types.AuthConfig, error) {
	bounded, cancel := context.WithTimeout(ctx, h.patience)
	defer cancel()
	var out, complaint bytes.Buffer
	command := exec.CommandContext(bounded, h.path, credentials.ActionGet)
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(key), &out, &complaint
	command.WaitDelay = helperRest
	err := command.Run()
	switch {
	case ctx.Err() != nil:
		return types.AuthConfig{}, context.Cause(ctx)
	case bounded.Err() != nil:
		return types.AuthConfig{}, fmt.Errorf("%s did not answer within %v", h.name, h.patience)
	case err != nil && credentials.IsErrCredentialsNotFoundMessage(out.String()):
		return types.AuthConfig{}, errNoCredentials
	case err != nil:
		return types.AuthConfig{}, fmt.Errorf("%s failed: %s", h.name, complaintOf(out.String(), complaint.String(), err))
	}
	return readHelper(h.name, out.Bytes())
}

func readHelper(program string, answer []byte) (types.AuthConfig, error) {
	if len(bytes.TrimSpace(answer)) == 0 {
		return types.AuthConfig{}, fmt.Errorf("%s answered nothing", program)
	}
	var found credentials.Credentials
	// The text of a decoding error could quote the answer.
	if json.Unmarshal(answer, &found) != nil {
		return types.AuthConfig{}, fmt.Errorf("%s answered something else than credentials", program)
	}
	auth := types.AuthConfig{ServerAddress: found.ServerURL}
	if found.Username == identityUser {
		auth.IdentityToken = found.Secret
	} else {
		auth.Username, auth.Password = found.Username, found.Secret
	}
	if empty(auth) {
		return types.AuthConfig{}, errNoCredentials
	}
	return auth, nil
}

// complaintOf is what a failed helper says, which by its protocol is on
// standard output, in one line. Credentials that it prints all the same are
// left out.
func complaintOf(out, stderr string, err error) string {
	for _, text := range []string{out, stderr} {
		text = strings.Join(strings.Fields(text), " ")
		if text == "" || strings.Contains(text, `"Secret"`) {
			continue
		}
		const most = 200
		if short := []rune(text); len(short) > most {
			text = string(short[:most]) + "…"
		}
		return text
	}
	return err.Error()
}
