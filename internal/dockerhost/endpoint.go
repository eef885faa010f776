package dockerhost

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/cli/cli/config"
	dcontext "github.com/docker/cli/cli/context"
	"github.com/docker/cli/cli/context/docker"
	"github.com/docker/cli/cli/context/store"
	"github.com/docker/cli/opts"
	"github.com/docker/docker/client"
)

// The sources of an address that the user gave.
const (
	SourceFlag = "the command line"
	SourceHost = "DOCKER_HOST"
)

// Endpoint is the address of an engine and how it was found.
type Endpoint struct {
	// Host is the address: unix:///var/run/docker.sock, tcp://host:2376,
	// ssh://user@host, npipe:////./pipe/docker_engine.
	Host string
	// Source says how Host was found, to be read after "found through".
	Source string
	// Context is the name of the docker context, "" when none was used.
	Context string
	// Tried are sockets that were looked for in vain; set only when the
	// default socket does not exist.
	Tried []string

	tls   *dcontext.TLSData
	skip  bool   // encrypt, do not verify
	certs string // the directory that tls is from, "" when that is a context
}

// Local reports whether the engine is reached through a socket of this
// machine, so that its paths are probably ours.
func (e Endpoint) Local() bool {
	scheme, rest, _ := strings.Cut(e.Host, "://")
	switch scheme {
	case "unix", "npipe", "fd", "":
		return true
	case "tcp", "http", "https":
		u, err := url.Parse("tcp://" + rest)
		return err == nil && (u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1" || u.Hostname() == "::1")
	}
	return false
}

// ClientOptions are the options of a client for the endpoint: address, TLS,
// ssh through the ssh program, API version negotiation. DOCKER_API_VERSION
// still fixes the version. An error names the certificate or address that
// cannot be used.
func (e Endpoint) ClientOptions() ([]client.Opt, error) {
	if err := e.checkTLS(); err != nil {
		return nil, fmt.Errorf("cannot use %s from %s: %w", e.Host, e.Source, err)
	}
	ep := docker.Endpoint{
		EndpointMeta: docker.EndpointMeta{Host: e.Host, SkipTLSVerify: e.skip},
		TLSData:      e.tls,
	}
	options, err := ep.ClientOpts()
	if err != nil {
		return nil, fmt.Errorf("cannot use %s from %s: %w", e.Host, e.Source, err)
	}
	return options, nil
}

// Error is a setting or a file of the user's that cannot be used.
type Error struct {
	Source string
	Err    error
	Hint   string
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %v", e.Source, e.Err) }

func (e *Error) Unwrap() error { return e.Err }

// Resolve finds the engine: host, which is the value of a flag and may be "",
// then DOCKER_HOST, DOCKER_CONTEXT, the current context of config.json, the
// default socket, the other known sockets. Nothing is connected to. The error
// is an *Error; a socket that does not exist is none, since connecting to it
// explains more.
func Resolve(env Environment, host string) (Endpoint, error) {
	if host != "" {
		return env.fromHost(host, SourceFlag)
	}
	if host := env.Getenv("DOCKER_HOST"); host != "" {
		return env.fromHost(host, SourceHost)
	}
	name, source := env.Getenv("DOCKER_CONTEXT"), "DOCKER_CONTEXT"
	if name == "" {
		current, err := env.currentContext()
		if err != nil {
			return Endpoint{}, err
		}
		name, source = current, "the current context of "+env.short(filepath.Join(env.configDir(), config.ConfigFileName))
	}
	if name != "" && name != "default" {
		return env.fromContext(name, source)
	}
	return env.fromSockets()
}

func (env Environment) fromHost(host, source string) (Endpoint, error) {
	parsed, err := opts.ParseHost(false, host)
	if err != nil {
		return Endpoint{}, &Error{source, fmt.Errorf("%q is not an address of an engine", host),
			"write it as unix:///path/docker.sock, tcp://host:port or ssh://user@host"}
	}
	e := Endpoint{Host: parsed, Source: source}
	return env.withTLS(e)
}

func (env Environment) currentContext() (string, error) {
	dir := env.configDir()
	if dir == "" {
		return "", nil
	}
	file, err := config.Load(dir)
	if err != nil {
		return "", configError(env, dir, err)
	}
	return file.CurrentContext, nil
}

func (env Environment) fromContext(name, source string) (Endpoint, error) {
	contexts := store.New(filepath.Join(env.configDir(), "contexts"), store.NewConfig(
		func() any { return &map[string]any{} },
		store.EndpointTypeGetter(docker.DockerEndpoint, func() any { return &docker.EndpointMeta{} }),
	))
	fail := func(err error) (Endpoint, error) {
		return Endpoint{}, &Error{source, fmt.Errorf("docker context %q cannot be used: %w", name, err),
			"`docker context ls` lists the contexts, `docker context use default` goes back to the default one"}
	}
	meta, err := contexts.GetMetadata(name)
	if errdefs.IsNotFound(err) {
		err = errors.New("there is none of this name")
	}
	if err != nil {
		return fail(err)
	}
	endpoint, err := docker.EndpointFromContext(meta)
	if err != nil {
		return fail(err)
	}
	withTLS, err := docker.WithTLSData(contexts, name, endpoint)
	if err != nil {
		return fail(err)
	}
	return Endpoint{
		Host: endpoint.Host, Context: name,
		Source: fmt.Sprintf("context %q, %s", name, source),
		tls:    withTLS.TLSData, skip: endpoint.SkipTLSVerify,
	}, nil
}
