package cmd

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/remote"
)

// serverFlags say which server is asked, as whom, and how it is reached.
type serverFlags struct {
	server, token, profile string
	caFile, cert, key      string
	socks                  string
	socksOff, skipVerify   bool
	verbose                bool
}

// The variables of the official command for them, and one of a profile.
const (
	serverVar     = "DRONE_SERVER"
	tokenVar      = "DRONE_TOKEN"
	profileVar    = "DRONE_PROFILE"
	skipVerifyVar = "DRONE_SKIP_VERIFY"
	socksVar      = "SOCKS_PROXY"
	socksOffVar   = "SOCKS_PROXY_OFF"
)

const (
	serverHelp     = "`address` of the Drone server (default: $" + serverVar + ", else that of a login)"
	tokenHelp      = "your token there; a `value` here is seen in the process list, $" + tokenVar + " is not"
	skipVerifyHelp = "accept any certificate of the server, also one of an attacker"
	socksHelp      = "reach the server through the SOCKS5 proxy at this `address` (default: $" + socksVar + ")"
	socksOffHelp   = "heed no $" + socksVar
)

func (f *serverFlags) register(flags *pflag.FlagSet) {
	flags.StringVarP(&f.server, "server", "s", "", serverHelp)
	flags.StringVarP(&f.token, "token", "t", "", tokenHelp)
	f.registerRest(flags)
}

// registerLong is register without the short names, for commands that have
// others.
func (f *serverFlags) registerLong(flags *pflag.FlagSet) {
	flags.StringVar(&f.server, "server", "", serverHelp)
	flags.StringVar(&f.token, "token", "", tokenHelp)
	f.registerRest(flags)
}

func (f *serverFlags) registerRest(flags *pflag.FlagSet) {
	flags.StringVar(&f.profile, "profile", "", "the server and the token of this login, by `name` (default: $"+profileVar+", else by the git remote)")
	flags.StringVar(&f.caFile, "ca-file", "", "trust also the certificate authorities in this PEM `file`")
	flags.StringVar(&f.cert, "client-cert", "", "show the server the certificate in this PEM `file`")
	flags.StringVar(&f.key, "client-key", "", "`file` with the key of --client-cert")
	flags.BoolVar(&f.skipVerify, "skip-verify", false, skipVerifyHelp)
	flags.StringVar(&f.socks, "socks-proxy", "", socksHelp)
	flags.BoolVar(&f.socksOff, "socks-proxy-off", false, socksOffHelp)
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "tell which server is asked, where its address and the token are from, and each request")
	for _, name := range []string{"socks-proxy", "socks-proxy-off"} {
		flags.Lookup(name).Hidden = true // as in the official command
	}
}

// registerGlobal has all commands take the global flags of the official one, in
// front of the command, too, so that an alias with them works. Commands that ask
// a server have flags of their own with these names.
func registerGlobal(root *cobra.Command) {
	f, flags := &serverFlags{}, pflag.NewFlagSet("", pflag.ContinueOnError)
	f.registerLong(flags)
	flags.String("autoscaler", "", "")
	root.PersistentFlags().BoolVar(&f.skipVerify, "skip-verify", false, skipVerifyHelp)
	for _, name := range []string{"server", "token", "socks-proxy", "socks-proxy-off", "autoscaler"} {
		root.PersistentFlags().AddFlag(flags.Lookup(name))
	}
	for _, name := range []string{"server", "token", "skip-verify", "socks-proxy", "socks-proxy-off", "autoscaler"} {
		root.PersistentFlags().Lookup(name).Hidden = true
	}
}

// session is a client of a server, and where its address and token are from.
type session struct {
	*remote.Client
	access access
}

// open makes the client of the server that the flags, the environment, a file
// .env or a login name.
func (f *serverFlags) open(s Streams) (*session, error) {
	a, err := f.access(s)
	if err != nil {
		return nil, err
	}
	if f.verbose {
		s.note(a.explain())
	}
	c, err := f.connect(s, a)
	if err != nil {
		return nil, err
	}
	a.warnOfStray(s)
	return &session{c, a}, nil
}

// client is open for callers that need nothing but the client.
func (f *serverFlags) client(s Streams) (*remote.Client, error) {
	c, err := f.open(s)
	if err != nil {
		return nil, err
	}
	return c.Client, nil
}

// connect makes a client of the server of a.
func (f *serverFlags) connect(s Streams, a access) (*remote.Client, error) {
	o := remote.Options{
		Server: a.server, Token: a.token, Proxy: http.ProxyFromEnvironment, Agent: "drone",
	}
	if err := f.transport(s, a, &o); err != nil {
		return nil, err
	}
	if f.verbose {
		o.Trace = func(t remote.Trace) { s.note(traceText(t)) }
	}
	c, err := remote.New(o)
	if wrong, ok := errors.AsType[*remote.OptionError](err); ok {
		return nil, usage(wrong, a.optionHint(wrong.Option))
	}
	return c, err
}

// traceText is an attempt of a call as --verbose shows it. It has neither the token
// nor what was sent.
func traceText(t remote.Trace) string {
	text := fmt.Sprintf("%s: %d, %s", t.Request, t.Status, t.Took.Round(time.Millisecond))
	if t.Status == 0 {
		text = fmt.Sprintf("%s: %v, %s", t.Request, t.Err, t.Took.Round(time.Millisecond))
	}
	if t.Again > 0 {
		text += ", once more in " + t.Again.Round(time.Millisecond).String()
	}
	return text
}

// boolVar reads a variable that is true or false, false when it is not set
// or there is none, "".
func boolVar(s Streams, name string) (bool, error) {
	text := ""
	if name != "" {
		text = s.getenv(name)
	}
	if text == "" {
		return false, nil
	}
	is, err := strconv.ParseBool(text)
	if err != nil {
		return false, usage(fmt.Errorf("%s is %q, which is neither true nor false", name, text), "")
	}
	return is, nil
}
