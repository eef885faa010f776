package cmd

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/remote"
)

// serverFlags say which server is asked.
type serverFlags struct {
	server, token string
	skipVerify    bool
}

// The variables of the official command for them.
const (
	serverVar     = "DRONE_SERVER"
	tokenVar      = "DRONE_TOKEN"
	skipVerifyVar = "DRONE_SKIP_VERIFY"
)

func (f *serverFlags) register(flags *pflag.FlagSet) {
	flags.StringVarP(&f.server, "server", "s", "", "`address` of the Drone server (default: $"+serverVar+")")
	flags.StringVarP(&f.token, "token", "t", "", "your token there; a `value` here is seen in the process list, $"+tokenVar+" is not")
	flags.BoolVar(&f.skipVerify, "skip-verify", false, "accept any certificate of the server, also one of an attacker")
}

// client makes the client of the server that the flags or the environment name.
func (f *serverFlags) client(s Streams) (*remote.Client, error) {
	o := remote.Options{
		Server: f.server, Token: f.token, SkipVerify: f.skipVerify, Proxy: http.ProxyFromEnvironment, Agent: "drone",
	}
	if o.Server == "" {
		o.Server = s.getenv(serverVar)
	}
	if o.Token == "" {
		o.Token = s.getenv(tokenVar)
	}
	if skip, err := strconv.ParseBool(s.getenv(skipVerifyVar)); err == nil && skip {
		o.SkipVerify = true
	}
	c, err := remote.New(o)
	if wrong, ok := errors.AsType[*remote.OptionError](err); ok {
		hint := "set " + serverVar + ", or add --server; for example https://drone.example.com"
		if wrong.Option == "token" {
			hint = "set " + tokenVar + "; your account page on the server shows the token"
		}
		return nil, usage(wrong, hint)
	}
	return c, err
}

// remoteFailure gives an error of a call to the server its status and hint.
func remoteFailure(err error, repo remote.Slug) error {
	f := &failure{status: StatusUnreachable, err: err}
	if gone, ok := errors.AsType[*remote.UnreachableError](err); ok {
		f.hint = gone.Hint
		return f
	}
	if _, ok := errors.AsType[*remote.StatusError](err); !ok {
		return usage(err, "")
	}
	switch {
	case errors.Is(err, remote.ErrUnauthorized):
		f.hint = "the server does not know the token: set " + tokenVar + " to the one that your account page there shows"
	case errors.Is(err, remote.ErrForbidden):
		f.hint = "you may not do that on " + repo.String()
	case errors.Is(err, remote.ErrNotFound):
		f.hint = "check the name: there is no " + repo.String() + " there, or it is not enabled, or you have no write access to it"
	}
	return f
}
