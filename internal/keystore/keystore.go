// Package keystore remembers the keys of repositories, and the tokens of servers,
// for the user: in the keyring of the system, or, where there is none, in a file
// that nobody else can read.
//
// Beside them it keeps a file for each repository, which tells where the key is;
// no keyring can be asked for all that is in it. It knows nothing of what keys
// are for, and no error of it has any part of one. What is said here of keys and
// repositories holds for tokens and the names they are kept under.
package keystore

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Keyring keeps keys by repository. Get and Delete return ErrUnknown for a key
// that it does not have; any other error means that it cannot be used.
type Keyring interface {
	Get(repository string) (string, error)
	Set(repository, key string) error
	Delete(repository string) error
}

// ErrUnknown is a repository whose key is not remembered.
var ErrUnknown = errors.New("no key is remembered")

// Place is where a key is.
type Place string

// The places.
const (
	InKeyring Place = "keyring" // of the system
	InFile    Place = "file"
)

// Entry is a repository whose key is remembered.
type Entry struct {
	Repository string `json:"repository"`
	Place      Place  `json:"place"`
	// File is that of the entry, which holds the key itself with InFile.
	File string `json:"file"`
}

// Error is a file of the store that cannot be used.
type Error struct {
	File string
	Err  error
	Hint string // what to do, may be empty
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %v", e.File, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// Store is a folder of entries and a keyring. It may not exist yet.
type Store struct {
	dir     string
	keyring Keyring
	what    string // key or token, for messages
}

// In is the store in the folder for the configuration of the user. Without a
// keyring, nil, keys are in files only.
func In(config string, keyring Keyring) *Store {
	return &Store{filepath.Join(config, "drone", "keys"), keyring, "key"}
}

// TokensIn is the store of tokens beside that of In.
func TokensIn(config string, keyring Keyring) *Store {
	return &Store{filepath.Join(config, "drone", "tokens"), keyring, "token"}
}

// record is the content of a file.
type record struct {
	Version    int    `json:"version"`
	Repository string `json:"repository"`
	Place      Place  `json:"place"`
	Key        string `json:"key,omitempty"` // with InFile
}

const version = 1

func (s *Store) file(repository string) string {
	return filepath.Join(s.dir, url.PathEscape(repository)+".json")
}

// Set remembers a key: in the keyring, or, where that cannot be used, in a file;
// why is then the reason. With plain it is a file anyway.
func (s *Store) Set(repository, key string, plain bool) (entry Entry, why, err error) {
	r := record{Version: version, Repository: repository, Place: InKeyring}
	switch {
	case plain:
		r.Place, r.Key = InFile, key
	case s.keyring == nil:
		why = errors.New("there is no keyring")
	default:
		why = s.keyring.Set(repository, key)
	}
	if why != nil {
		r.Place, r.Key = InFile, key
	}
	entry = Entry{repository, r.Place, s.file(repository)}
	return entry, why, s.write(r)
}

// write replaces the file of a repository as a whole. Only the user may read it.
func (s *Store) write(r record) error {
	name := s.file(r.Repository)
	failed := func(err error) error { return &Error{File: name, Err: plainCause(err)} }
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return failed(err)
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return failed(err)
	}
	fresh, err := os.CreateTemp(s.dir, ".new-*") // with mode 0600
	if err != nil {
		return failed(err)
	}
	defer os.Remove(fresh.Name()) // nothing is left to remove when all went well
	if _, err = fresh.Write(append(text, '\n')); err == nil {
		err = fresh.Sync()
	}
	if err = errors.Join(err, fresh.Close()); err != nil {
		return failed(err)
	}
	if err := os.Rename(fresh.Name(), name); err != nil {
		return failed(err)
	}
	return nil
}

// Get gives the key of a repository. The error is ErrUnknown, an *Error, or one
// of the keyring.
func (s *Store) Get(repository string) (key string, entry Entry, err error) {
	r, err := s.read(s.file(repository))
	if err != nil {
		return "", Entry{}, err
	}
	entry = Entry{repository, r.Place, s.file(repository)}
	if r.Place == InFile {
		return r.Key, entry, nil
	}
	if s.keyring == nil {
		return "", entry, s.errNoKeyring(repository)
	}
	key, err = s.keyring.Get(repository)
	if err != nil && !errors.Is(err, ErrUnknown) {
		err = fmt.Errorf("the keyring with the %s of %s cannot be used: %w", s.what, repository, err)
	}
	return key, entry, err
}

func (s *Store) errNoKeyring(repository string) error {
	return fmt.Errorf("the %s of %s is in the keyring of the system, which cannot be reached from here", s.what, repository)
}

// Has reports whether a key of the repository is remembered, without asking the
// keyring for it.
func (s *Store) Has(repository string) bool {
	_, err := s.read(s.file(repository))
	return err == nil
}

// read reads the file of a repository. One with a key that others can read is
// refused, as ssh does.
func (s *Store) read(name string) (record, error) {
	var r record
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return r, ErrUnknown
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(name)
	}
	if err != nil {
		return r, &Error{File: name, Err: plainCause(err)}
	}
	if err := json.Unmarshal(text, &r); err != nil || r.Version != version || r.Repository == "" || r.Place != InKeyring && r.Place != InFile {
		return r, &Error{name, errors.New("it is no " + s.what + " that this version can read"), "remove it, and set the " + s.what + " again"}
	}
	if mode := info.Mode().Perm(); r.Place == InFile && mode&0o077 != 0 && runtime.GOOS != "windows" {
		return r, &Error{name, fmt.Errorf("others can read it (mode %04o), so the %s in it is not used", mode, s.what), "`chmod 600 " + name + "`, if you think that nobody has"}
	}
	return r, nil
}

// List gives all entries, by repository. Files that cannot be read are told as
// an error, beside the others.
func (s *Store) List() ([]Entry, error) {
	files, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &Error{File: s.dir, Err: plainCause(err)}
	}
	var list []Entry
	var wrong []error
	for _, f := range files {
		if strings.HasPrefix(f.Name(), ".") || !strings.HasSuffix(f.Name(), ".json") {
			continue
		}
		name := filepath.Join(s.dir, f.Name())
		r, err := s.read(name)
		if r.Repository == "" {
			wrong = append(wrong, err)
			continue
		}
		list = append(list, Entry{r.Repository, r.Place, name})
	}
	return list, errors.Join(wrong...)
}

// Remove forgets the key of a repository. The error is ErrUnknown where there is
// none. When the keyring cannot be used the key stays, here and there.
func (s *Store) Remove(repository string) error {
	name := s.file(repository)
	r, err := s.read(name)
	if errors.Is(err, ErrUnknown) {
		return err
	}
	switch {
	case r.Place == InKeyring && s.keyring == nil:
		return s.errNoKeyring(repository)
	case r.Place == InKeyring:
		if err := s.keyring.Delete(repository); err != nil && !errors.Is(err, ErrUnknown) {
			return fmt.Errorf("the keyring with the %s of %s cannot be used: %w", s.what, repository, err)
		}
	}
	if err := os.Remove(name); err != nil {
		return &Error{File: name, Err: plainCause(err)}
	}
	return nil
}

// plainCause strips the operation and path that os errors repeat.
func plainCause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
