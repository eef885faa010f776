package dockerhost

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/distribution/reference"
	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/cli/cli/config/credentials"
	"github.com/docker/cli/cli/config/types"
	"github.com/docker/docker/api/types/registry"
)

// hubKey is the name under which docker keeps the credentials of Docker Hub.
const hubKey = "https://index.docker.io/v1/"

// Credentials are what is known of registries: the user's docker
// configuration, and documents in front of it. They are safe for concurrent
// use. The zero value knows nothing. Their String never shows a value.
type Credentials struct {
	env      Environment
	file     *configfile.ConfigFile
	front    []document    // first match wins
	patience time.Duration // for a helper
}

// document is a list of logins with the words for where it is from.
type document struct {
	source string
	auths  map[string]types.AuthConfig
}

// Login is what a registry is asked with.
type Login struct {
	// Header is the value of X-Registry-Auth, "" without a login.
	Header string
	// Source says where the login is from, to be read after "with the login of";
	// "" without one.
	Source string
}

// String implements fmt.Stringer without showing the login.
func (l Login) String() string { return "login of " + l.Source }

// GoString implements fmt.GoStringer without showing the login.
func (l Login) GoString() string { return l.String() }

// String implements fmt.Stringer without showing a value.
func (c *Credentials) String() string { return "registry credentials" }

// GoString implements fmt.GoStringer without showing a value.
func (c *Credentials) GoString() string { return c.String() }

// LoadCredentials reads the docker configuration of the user, or the file at
// path when that is not "". A missing configuration of the user is empty; a
// missing file at path is an error. The error is an *Error.
func LoadCredentials(env Environment, path string) (*Credentials, error) {
	if path != "" {
		return loadFile(env, path)
	}
	front, err := fromVariable(env.Getenv(authVariable))
	if err != nil {
		return nil, err
	}
	known := &Credentials{env: env, file: configfile.New(""), front: front, patience: helperTime}
	dir := env.configDir()
	if dir == "" {
		return known, nil
	}
	file, err := config.Load(dir)
	if err != nil {
		return nil, configError(env, dir, err)
	}
	if !file.ContainsAuth() {
		file.CredentialsStore = credentials.DetectDefaultStore(file.CredentialsStore)
	}
	known.file = file
	return known, nil
}

// authVariable holds logins that docker prefers to those of its configuration.
const authVariable = configfile.DockerEnvConfigKey

func fromVariable(text string) ([]document, error) {
	if text == "" {
		return nil, nil
	}
	file, err := config.LoadFromReader(strings.NewReader(text))
	if err != nil || len(file.AuthConfigs) == 0 {
		return nil, &Error{authVariable, errors.New("it is not a docker config.json with auths"),
			`unset it, or write it as {"auths": {"registry": {"auth": "…"}}}`}
	}
	return []document{{authVariable, file.AuthConfigs}}, nil
}

func loadFile(env Environment, path string) (*Credentials, error) {
	fail := func(err error) (*Credentials, error) {
		return nil, &Error{"the registry credentials in " + path, unreadable(err),
			"name a file in the form of docker's config.json, which `docker login` writes"}
	}
	f, err := os.Open(path)
	if err != nil {
		return fail(err)
	}
	defer f.Close()
	file := configfile.New(path)
	if err := file.LoadFromReader(f); err != nil {
		return fail(err)
	}
	return &Credentials{env: env, file: file, patience: helperTime}, nil
}

func configError(env Environment, dir string, err error) error {
	path := env.short(filepath.Join(dir, config.ConfigFileName))
	return &Error{path, unreadable(err), "repair or move the file, or choose another directory with DOCKER_CONFIG"}
}

// unreadable is why a configuration cannot be read. The text of a decoding
// error can quote the file, which may hold passwords, so it is left out.
func unreadable(err error) error {
	if inaccessible, ok := errors.AsType[*os.PathError](err); ok {
		return inaccessible.Err
	}
	return errors.New("the file is not valid JSON of docker's form")
}

// With returns credentials with the document text, in the form of docker's
// config.json, in front of c, so that the document added last wins (reference
// §7.8). source is the words for where it is from. An unreadable document is an
// error that does not quote it.
func (c *Credentials) With(source, text string) (*Credentials, error) {
	file, err := config.LoadFromReader(strings.NewReader(text))
	if err != nil {
		return nil, errors.New("not a docker config.json")
	}
	if len(file.AuthConfigs) == 0 {
		return nil, errors.New("a docker config.json without auths")
	}
	with := *c
	with.front = append([]document{{source, file.AuthConfigs}}, c.front...)
	return &with, nil
}

// For returns the login for the registry of an image; without one, nothing is
// known of it. The error says why known credentials cannot be had, for example
// that a helper is missing; pulling without may still succeed. A helper is
// waited for until ctx ends, and no longer than a minute.
func (c *Credentials) For(ctx context.Context, image string) (Login, error) {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return Login{}, nil
	}
	domain := reference.Domain(named)
	for _, d := range c.front {
		if auth, ok := match(d.auths, domain); ok {
			return login(auth, d.source)
		}
	}
	if c.file == nil {
		return Login{}, nil
	}
	return c.fromFile(ctx, domain)
}

func (c *Credentials) fromFile(ctx context.Context, domain string) (Login, error) {
	key := domain
	if domain == "docker.io" {
		key = hubKey
	}
	if suffix, setting := c.helper(key); suffix != "" {
		auth, err := c.fromHelper(ctx, domain, key, suffix, setting)
		if err == nil {
			return login(auth, fmt.Sprintf("%s (%s in %s)", helperProgram(suffix), setting, c.path()))
		}
		if !errors.Is(err, errNoCredentials) {
			return Login{}, err
		}
	}
	auth, err := credentials.NewFileStore(c.file).Get(key)
	if err != nil || empty(auth) {
		auth, _ = match(c.file.AuthConfigs, domain)
	}
	if empty(auth) {
		return Login{}, nil
	}
	return login(auth, "auths in "+c.path())
}

// path is the name of the configuration.
func (c *Credentials) path() string { return c.env.short(c.file.Filename) }

// helper is the suffix of the program that knows key, and the setting that says
// so, "" for the file itself.
func (c *Credentials) helper(key string) (suffix, setting string) {
	if h, ok := c.file.CredentialHelpers[key]; ok {
		return h, "credHelpers"
	}
	return c.file.CredentialsStore, "credsStore"
}

func (c *Credentials) fromHelper(ctx context.Context, domain, key, suffix, setting string) (types.AuthConfig, error) {
	program := helperProgram(suffix)
	path, err := c.env.LookPath(program)
	if err != nil {
		return types.AuthConfig{}, fmt.Errorf("no credentials for %s: %s has %s %q, but %s is not in PATH", domain, c.path(), setting, suffix, program)
	}
	auth, err := helper{program, path, c.patience}.ask(ctx, key)
	if err != nil && !errors.Is(err, errNoCredentials) && ctx.Err() == nil {
		err = fmt.Errorf("no credentials for %s: %w", domain, err)
	}
	return auth, err
}

func empty(auth types.AuthConfig) bool {
	return auth.Username == "" && auth.Password == "" && auth.IdentityToken == "" && auth.RegistryToken == ""
}

// match finds a registry among addresses as they are written by hand: with or
// without a scheme and a path.
func match(auths map[string]types.AuthConfig, domain string) (types.AuthConfig, bool) {
	var addresses []string
	for address := range auths {
		addresses = append(addresses, address)
	}
	slices.Sort(addresses)
	for _, address := range addresses {
		if registryOf(address) == domain {
			return auths[address], true
		}
	}
	return types.AuthConfig{}, false
}

func registryOf(address string) string {
	host := credentials.ConvertToHostname(address)
	if host == "index.docker.io" {
		return "docker.io"
	}
	return host
}

func login(auth types.AuthConfig, source string) (Login, error) {
	header, err := registry.EncodeAuthConfig(registry.AuthConfig{
		Username: auth.Username, Password: auth.Password, ServerAddress: auth.ServerAddress,
		IdentityToken: auth.IdentityToken, RegistryToken: auth.RegistryToken,
	})
	if err != nil {
		return Login{}, errors.New("the credentials cannot be encoded")
	}
	return Login{header, source}, nil
}
