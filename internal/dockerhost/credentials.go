package dockerhost

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

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
	env   Environment
	file  *configfile.ConfigFile
	front []map[string]types.AuthConfig // first match wins
}

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
	dir := env.configDir()
	if dir == "" {
		return &Credentials{env: env, file: configfile.New("")}, nil
	}
	file, err := config.Load(dir)
	if err != nil {
		return nil, configError(env, dir, err)
	}
	if !file.ContainsAuth() {
		file.CredentialsStore = credentials.DetectDefaultStore(file.CredentialsStore)
	}
	return &Credentials{env: env, file: file}, nil
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
	return &Credentials{env: env, file: file}, nil
}

func configError(env Environment, dir string, err error) error {
	path := env.short(filepath.Join(dir, config.ConfigFileName))
	return &Error{path, unreadable(err), "repair or move the file, or choose another directory with DOCKER_CONFIG"}
}

// unreadable is why a configuration cannot be read. The text of a decoding
// error can quote the file, which may hold passwords, so it is left out.
func unreadable(err error) error {
	var inaccessible *os.PathError
	if errors.As(err, &inaccessible) {
		return inaccessible.Err
	}
	return errors.New("the file is not valid JSON of docker's form")
}

// With returns credentials with the document text, in the form of docker's
// config.json, in front of c, so that the document added last wins (reference
// §7.8). An unreadable document is an error that does not quote it.
func (c *Credentials) With(text string) (*Credentials, error) {
	file, err := config.LoadFromReader(strings.NewReader(text))
	if err != nil {
		return nil, errors.New("not a docker config.json")
	}
	if len(file.AuthConfigs) == 0 {
		return nil, errors.New("a docker config.json without auths")
	}
	front := append([]map[string]types.AuthConfig{file.AuthConfigs}, c.front...)
	return &Credentials{env: c.env, file: c.file, front: front}, nil
}

// For returns the X-Registry-Auth value for the registry of an image, "" when
// nothing is known of it. The error says why known credentials cannot be had,
// for example that a helper is missing; pulling without may still succeed.
func (c *Credentials) For(image string) (string, error) {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return "", nil
	}
	domain := reference.Domain(named)
	for _, auths := range c.front {
		if auth, ok := match(auths, domain); ok {
			return encode(auth)
		}
	}
	if c.file == nil {
		return "", nil
	}
	auth, err := c.fromFile(domain)
	if err != nil || auth == (types.AuthConfig{}) {
		return "", err
	}
	return encode(auth)
}

func (c *Credentials) fromFile(domain string) (types.AuthConfig, error) {
	key := domain
	if domain == "docker.io" {
		key = hubKey
	}
	if err := c.helperMissing(key); err != nil {
		return types.AuthConfig{}, err
	}
	auth, err := c.file.GetAuthConfig(key)
	if err != nil {
		return types.AuthConfig{}, fmt.Errorf("no credentials for %s: %s failed: %w", domain, helperProgram(c.helper(key)), err)
	}
	if auth.Username == "" && auth.Password == "" && auth.IdentityToken == "" && auth.RegistryToken == "" {
		found, _ := match(c.file.AuthConfigs, domain)
		return found, nil
	}
	return auth, nil
}

// helper is the suffix of the program that knows key, "" for the file itself.
func (c *Credentials) helper(key string) string {
	if h, ok := c.file.CredentialHelpers[key]; ok {
		return h
	}
	return c.file.CredentialsStore
}

func helperProgram(suffix string) string { return "docker-credential-" + suffix }

func (c *Credentials) helperMissing(key string) error {
	suffix := c.helper(key)
	if suffix == "" {
		return nil
	}
	program := helperProgram(suffix)
	if _, err := c.env.LookPath(program); err == nil {
		return nil
	}
	setting := "credsStore"
	if _, ok := c.file.CredentialHelpers[key]; ok {
		setting = "credHelpers"
	}
	name := key
	if key == hubKey {
		name = "docker.io"
	}
	return fmt.Errorf("no credentials for %s: %s has %s %q, but %s is not in PATH",
		name, c.env.short(c.file.Filename), setting, suffix, program)
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

func encode(auth types.AuthConfig) (string, error) {
	text, err := registry.EncodeAuthConfig(registry.AuthConfig{
		Username: auth.Username, Password: auth.Password, ServerAddress: auth.ServerAddress,
		IdentityToken: auth.IdentityToken, RegistryToken: auth.RegistryToken,
	})
	if err != nil {
		return "", errors.New("the credentials cannot be encoded")
	}
	return text, nil
}
