// Package consent remembers for which files of which working trees the user has
// agreed that commands run on this machine.
//
// The agreement is for a text as it is, in a working tree as it is called: when
// either changes the user has to agree again. It says nothing about what the
// commands call, such as scripts of the tree.
package consent

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// most is how many texts are remembered for a working tree. Branches have
// different ones; old ones make room.
const most = 20

// version is that of the file.
const version = 1

// Store is the file that remembers. It may not exist yet.
type Store struct{ file string }

// Error is a file, or its directory, that cannot be used.
type Error struct {
	File string
	Err  error
	Hint string // what to do, may be empty
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %v", e.File, e.Err) }

func (e *Error) Unwrap() error { return e.Err }

// In is the store in the state directory of the user.
func In(state string) Store { return Store{filepath.Join(state, "drone", "consent.json")} }

// record is the content of the file.
type record struct {
	Version int `json:"version"`
	// Trees are the sums of texts, in hexadecimal, oldest first, by the
	// absolute path of the working tree.
	Trees map[string][]string `json:"trees"`
}

// Has reports whether the user has agreed to a text in a working tree. The
// error is an *Error: a file that others could have written says nothing.
func (s Store) Has(tree string, text []byte) (bool, error) {
	r, err := s.read()
	return slices.Contains(r.Trees[tree], sum(text)), err
}

// Add remembers that the user agrees. The error is an *Error.
func (s Store) Add(tree string, text []byte) error {
	r, err := s.read()
	if err != nil {
		return err
	}
	sums := append(slices.DeleteFunc(r.Trees[tree], func(old string) bool { return old == sum(text) }), sum(text))
	r.Trees[tree] = sums[max(0, len(sums)-most):]
	err = s.write(r)
	if failed, ok := errors.AsType[*Error](err); ok {
		return failed
	}
	if err != nil {
		return &Error{File: s.file, Err: err}
	}
	return nil
}

func sum(text []byte) string {
	s := sha256.Sum256(text)
	return hex.EncodeToString(s[:])
}

func (s Store) read() (record, error) {
	empty := record{Version: version, Trees: map[string][]string{}}
	text, err := s.load()
	if errors.Is(err, fs.ErrNotExist) {
		return empty, nil
	}
	if failed, ok := errors.AsType[*Error](err); ok {
		return empty, failed
	}
	if err != nil {
		return empty, &Error{File: s.file, Err: err}
	}
	r := empty
	if err := json.Unmarshal(text, &r); err != nil || r.Version != version {
		return empty, &Error{s.file, errors.New("it is not a list of what was agreed to that this version can read"), "remove it; drone asks again then"}
	}
	if r.Trees == nil {
		r.Trees = map[string][]string{}
	}
	return r, nil
}

// load reads the file, when it and its directory are such that only the user can
// have written it.
func (s Store) load() ([]byte, error) {
	file, err := openFile(s.file)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	// What was opened is looked at, not what may have its name by now.
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &Error{s.file, errors.New("it is no regular file, so it counts for nothing"), "remove it; drone asks again then"}
	}
	if why, hint := exposed(s.file, info); why != "" {
		return nil, &Error{s.file, errors.New(why + ", so it counts for nothing"), hint}
	}
	if err := s.checkDir(); err != nil {
		return nil, err
	}
	return io.ReadAll(file)
}

// checkDir refuses a directory in which others can put a file of theirs.
func (s Store) checkDir() error {
	dir := filepath.Dir(s.file)
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if why, hint := exposed(dir, info); why != "" {
		return &Error{dir, errors.New(why + ", so no answer in it counts"), hint}
	}
	return nil
}

// write replaces the file as a whole, so that no reader sees a part of it.
func (s Store) write(r record) error {
	dir := filepath.Dir(s.file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := s.checkDir(); err != nil {
		return err
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	fresh, err := os.CreateTemp(dir, "consent-") // of mode 0600
	if err != nil {
		return err
	}
	_, err = fresh.Write(append(text, '\n'))
	if err = errors.Join(err, fresh.Close()); err == nil {
		err = os.Rename(fresh.Name(), s.file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(fresh.Name()))
	}
	return nil
}
