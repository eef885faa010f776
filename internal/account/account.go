// Package account remembers the Drone servers that the user has logged in to: a
// profile for each, in a file of the user's configuration, and its token, in the
// keyring of the system or in a file that nobody else can read.
//
// It asks no server, and no error of it has any part of a token. A Store may be
// used by one goroutine at a time.
package account

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/internal/dirlock"
	"github.com/drone-laptop/drone/internal/keystore"
)

// Profile is a server, and who the user is there.
type Profile struct {
	Name   string `yaml:"name" json:"name"`
	Server string `yaml:"server" json:"server"` // as Normal has it
	Login  string `yaml:"login" json:"login"`
	// Hosts are those of the git remotes whose repositories the server builds.
	Hosts []string `yaml:"hosts,omitempty" json:"hosts"`
	// The files by which the server is reached, if any; as absolute paths.
	CAFile     string `yaml:"ca_file,omitempty" json:"ca_file,omitempty"`
	ClientCert string `yaml:"client_cert,omitempty" json:"client_cert,omitempty"`
	ClientKey  string `yaml:"client_key,omitempty" json:"client_key,omitempty"`
	// Default has the profile taken where no other is for the git remote.
	Default bool `yaml:"default,omitempty" json:"default"`
}

// ErrUnknown is a profile that there is not, or that has no token.
var ErrUnknown = errors.New("no such profile")

// FileError is the file of profiles where it cannot be read or written.
type FileError struct {
	File string
	Err  error
}

func (e *FileError) Error() string { return fmt.Sprintf("%s: %v", e.File, e.Err) }
func (e *FileError) Unwrap() error { return e.Err }

// AmbiguousError is a git remote that several profiles are for.
type AmbiguousError struct {
	Host  string
	Names []string
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("several profiles are for git remotes on %s: %s", e.Host, strings.Join(e.Names, ", "))
}

// Store is where profiles are. It may not exist yet.
type Store struct {
	file   string
	tokens *keystore.Store
}

// In is the store in the folder for the configuration of the user. Without a
// keyring, nil, tokens are in files only.
func In(config string, keyring keystore.Keyring) *Store {
	return &Store{filepath.Join(config, "drone", "profiles.yaml"), keystore.TokensIn(config, keyring)}
}

// File is the file of profiles.
func (s *Store) File() string { return s.file }

// document is the content of the file.
type document struct {
	Profiles []Profile `yaml:"profiles"`
}

// nameForm keeps names usable in a shell and as those of files.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// CheckName says what is wrong with the name of a profile.
func CheckName(name string) error {
	if !nameForm.MatchString(name) {
		return fmt.Errorf("%q is no name of a profile: it has letters, digits, dots, - and _, and begins with a letter or digit", name)
	}
	return nil
}

// Normal is the form in which addresses of servers are compared: without a
// slash at the end, the port that goes without saying, and capitals in the host.
// What is no address is returned as it is.
func Normal(server string) string {
	u, err := url.Parse(strings.TrimRight(strings.TrimSpace(server), "/"))
	if err != nil || u.Host == "" {
		return server
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	if port := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]; port != "" {
		u.Host = strings.TrimSuffix(u.Host, port)
	}
	return u.String()
}

// Profiles are those there are, by name. The error is a *FileError.
func (s *Store) Profiles() (Profiles, error) {
	text, err := os.ReadFile(s.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, s.failed(err)
	}
	var d document
	if err := yaml.Unmarshal(text, &d); err != nil {
		return nil, s.failed(errors.New("it is no YAML that lists profiles"))
	}
	for i, p := range d.Profiles {
		if err := CheckName(p.Name); err != nil {
			return nil, s.failed(err)
		}
		if slices.ContainsFunc(d.Profiles[:i], func(q Profile) bool { return q.Name == p.Name }) {
			return nil, s.failed(fmt.Errorf("it has two profiles called %s", p.Name))
		}
		d.Profiles[i].Server = Normal(p.Server)
	}
	slices.SortFunc(d.Profiles, func(a, b Profile) int { return strings.Compare(a.Name, b.Name) })
	return d.Profiles, nil
}

func (s *Store) failed(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err // the file is named already
	}
	return &FileError{s.file, err}
}

// Save keeps a profile and its token, in place of one of the same name. The
// token goes into the keyring, or, where that cannot be used, into a file; why is
// then the reason. With plain it is a file anyway. The first profile is the
// default.
func (s *Store) Save(p Profile, token string, plain bool) (entry keystore.Entry, why, err error) {
	if err := CheckName(p.Name); err != nil {
		return entry, nil, err
	}
	if _, err := s.Profiles(); err != nil {
		return entry, nil, err
	}
	// The token first: a profile without one would ask for a login each time.
	if entry, why, err = s.tokens.Set(p.Name, token, plain); err != nil {
		return entry, nil, err
	}
	p.Server = Normal(p.Server)
	return entry, why, s.change(func(list Profiles) (Profiles, error) {
		if before, ok := list.Find(p.Name); ok {
			p.Default = before.Default
		}
		list = slices.DeleteFunc(list, func(q Profile) bool { return q.Name == p.Name })
		p.Default = p.Default || !slices.ContainsFunc(list, func(q Profile) bool { return q.Default })
		return append(list, p), nil
	})
}

// Token gives the token of a profile. The error is ErrUnknown where there is
// none, or one of the store of tokens.
func (s *Store) Token(name string) (string, keystore.Place, error) {
	token, entry, err := s.tokens.Get(name)
	if errors.Is(err, keystore.ErrUnknown) {
		err = ErrUnknown
	}
	return token, entry.Place, err
}

// Remove forgets a profile and its token. The error is ErrUnknown where there is
// none. When the keyring cannot be used both stay.
func (s *Store) Remove(name string) error {
	list, err := s.Profiles()
	if err != nil {
		return err
	}
	if _, ok := list.Find(name); !ok {
		return ErrUnknown
	}
	if err := s.tokens.Remove(name); err != nil && !errors.Is(err, keystore.ErrUnknown) {
		return err
	}
	return s.change(func(list Profiles) (Profiles, error) {
		gone, _ := list.Find(name)
		list = slices.DeleteFunc(list, func(p Profile) bool { return p.Name == name })
		if gone.Default && len(list) == 1 {
			list[0].Default = true
		}
		return list, nil
	})
}

// Use makes a profile the default. The error is ErrUnknown where there is none.
func (s *Store) Use(name string) error {
	return s.change(func(list Profiles) (Profiles, error) {
		if _, ok := list.Find(name); !ok {
			return nil, ErrUnknown
		}
		for i := range list {
			list[i].Default = list[i].Name == name
		}
		return list, nil
	})
}

// change reads the profiles, has them edited and writes them, while no other
// process does. Nobody is asked for a keyring meanwhile, which may take as long
// as its user likes.
func (s *Store) change(edit func(Profiles) (Profiles, error)) error {
	if err := os.MkdirAll(filepath.Dir(s.file), 0o700); err != nil {
		return s.failed(err)
	}
	release, err := dirlock.Hold(filepath.Dir(s.file))
	if err != nil {
		return s.failed(err)
	}
	defer release()
	list, err := s.Profiles()
	if err != nil {
		return err
	}
	if list, err = edit(list); err != nil {
		return err
	}
	return s.write(list)
}

// write replaces the file as a whole. Only the user may read it, though no token
// is in it: whom one works for is nobody else's business.
func (s *Store) write(list Profiles) error {
	text, err := yaml.Marshal(document{list})
	if err != nil {
		return s.failed(err)
	}
	fresh, err := os.CreateTemp(filepath.Dir(s.file), ".new-*") // with mode 0600
	if err != nil {
		return s.failed(err)
	}
	defer os.Remove(fresh.Name()) // nothing is left to remove when all went well
	if _, err = fresh.Write(text); err == nil {
		err = fresh.Sync()
	}
	if err = errors.Join(err, fresh.Close()); err == nil {
		err = os.Rename(fresh.Name(), s.file)
	}
	if err != nil {
		return s.failed(err)
	}
	return nil
}
