// Package consent remembers what the user has agreed to in which working trees:
// that commands of a file run on this machine, and that its containers get
// privileges.
//
// An agreement to commands is for the text of the file as it is, one to a
// privilege for the words that ask for it, both in a working tree as it is
// called: when they change the user has to agree again. It says nothing about
// what the commands call, such as scripts of the tree, nor about what steps with
// privileges do.
package consent

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/drone-laptop/drone/internal/dirlock"
)

// mostTexts and mostPrivileges are how many agreements of a kind are remembered
// for a working tree. Branches have different ones; old ones make room.
const (
	mostTexts      = 20
	mostPrivileges = 500
)

// version is that of the file. Version 1 had the sums of texts and nothing else.
const version = 2

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

const hintRemove = "remove it; drone asks again then"

// refused is a file that is something else than drone has made.
func refused(file, why string) error {
	return &Error{file, errors.New(why + ", so it counts for nothing"), hintRemove}
}

// In is the store in the state directory of the user.
func In(state string) Store { return Store{filepath.Join(state, "drone", "consent.json")} }

// Answer is one thing the user has agreed to: the commands of a text, made with
// Commands, or a privilege, made with Privilege.
type Answer struct {
	// File is the configuration file, below the working tree. It is empty for
	// the oldest answers.
	File string `json:"file,omitempty"`
	// Text is the sum of the text whose commands may run, in hexadecimal. It is
	// empty for a privilege.
	Text string `json:"text,omitempty"`
	// Pipeline, Step and What name a privilege. Step is empty for one of the
	// whole pipeline.
	Pipeline string `json:"pipeline,omitempty"`
	Step     string `json:"step,omitempty"`
	What     string `json:"what,omitempty"`
	// Since is when the user agreed, nil for the oldest answers.
	Since *time.Time `json:"since,omitempty"`
}

// Commands is the answer that the commands of a text may run on this machine.
func Commands(file string, text []byte) Answer {
	s := sha256.Sum256(text)
	return Answer{File: file, Text: hex.EncodeToString(s[:])}
}

// Privilege is the answer that a pipeline or step may have something.
func Privilege(file, pipeline, step, what string) Answer {
	return Answer{File: file, Pipeline: pipeline, Step: step, What: what}
}

// same reports whether two answers are about the same. A text is the same
// whatever its file is called.
func (a Answer) same(b Answer) bool {
	if a.Text != "" || b.Text != "" {
		return a.Text == b.Text
	}
	return a.File == b.File && a.Pipeline == b.Pipeline && a.Step == b.Step && a.What == b.What
}

// record is the content of the file.
type record struct {
	Version int `json:"version"`
	// Trees are the answers by the absolute path of the working tree, oldest
	// first.
	Trees map[string][]Answer `json:"trees"`
}

// Missing returns those of the answers that the user has not given in a working
// tree. The error is an *Error, and then all are missing: a file that others
// could have written says nothing.
func (s Store) Missing(tree string, wanted []Answer) ([]Answer, error) {
	r, err := s.read()
	var missing []Answer
	for _, w := range wanted {
		if !slices.ContainsFunc(r.Trees[tree], w.same) {
			missing = append(missing, w)
		}
	}
	return missing, err
}

// Add remembers answers that the user has given now. The error is an *Error.
func (s Store) Add(tree string, given []Answer, now time.Time) error {
	now = now.UTC().Truncate(time.Second)
	return s.change(func(r *record) bool {
		list := r.Trees[tree]
		for _, answer := range given {
			answer.Since = &now
			list = append(slices.DeleteFunc(list, answer.same), answer)
		}
		r.Trees[tree] = newest(list)
		return len(given) > 0
	})
}

// newest leaves out the oldest answers of which there are too many.
func newest(list []Answer) []Answer {
	texts, privileges := 0, 0
	var kept []Answer
	for _, answer := range slices.Backward(list) {
		n, most := &privileges, mostPrivileges
		if answer.Text != "" {
			n, most = &texts, mostTexts
		}
		if *n++; *n <= most {
			kept = append(kept, answer)
		}
	}
	slices.Reverse(kept)
	return kept
}

// Tree is a working tree with the answers given there, oldest first.
type Tree struct {
	Path    string
	Answers []Answer
}

// Trees are all working trees in which the user has agreed to something, by
// path. The error is an *Error.
func (s Store) Trees() ([]Tree, error) {
	r, err := s.read()
	if err != nil {
		return nil, err
	}
	return r.list(), nil
}

func (r record) list() []Tree {
	var list []Tree
	for _, path := range slices.Sorted(maps.Keys(r.Trees)) {
		if answers := r.Trees[path]; len(answers) > 0 {
			list = append(list, Tree{path, answers})
		}
	}
	return list
}

// Forget forgets what was agreed to in the working trees whose path is wanted,
// and returns it. The error is an *Error; nothing is forgotten then.
func (s Store) Forget(wanted func(tree string) bool) ([]Tree, error) {
	gone := record{Trees: map[string][]Answer{}}
	if _, err := os.Lstat(s.file); errors.Is(err, fs.ErrNotExist) {
		return nil, nil // nor is a directory made for it
	}
	err := s.change(func(r *record) bool {
		for path, answers := range r.Trees {
			if wanted(path) {
				gone.Trees[path] = answers
				delete(r.Trees, path)
			}
		}
		return len(gone.Trees) > 0
	})
	if err != nil {
		return nil, err
	}
	return gone.list(), nil
}

// change replaces the file by one with what do has changed, if it has. Another
// process that does the same at the time waits.
func (s Store) change(do func(*record) (changed bool)) error {
	unlock, err := s.lock()
	if err != nil {
		return s.wrap(err)
	}
	defer unlock()
	r, err := s.read()
	if err != nil || !do(&r) {
		return err
	}
	return s.wrap(s.write(r))
}

// wrap makes an error an *Error, and leaves one as it is.
func (s Store) wrap(err error) error {
	if failed, ok := errors.AsType[*Error](err); ok {
		return failed
	}
	if err != nil {
		return &Error{File: s.file, Err: err}
	}
	return nil
}

// lock makes the directory and keeps other processes from changing what is in
// it.
func (s Store) lock() (unlock func(), err error) {
	dir := filepath.Dir(s.file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return dirlock.Hold(dir)
}

func (s Store) read() (record, error) {
	empty := record{Version: version, Trees: map[string][]Answer{}}
	text, err := s.load()
	if errors.Is(err, fs.ErrNotExist) {
		return empty, nil
	}
	if err != nil {
		return empty, s.wrap(err)
	}
	r, err := parse(text)
	if err != nil {
		return empty, &Error{s.file, errors.New("it is not a list of what was agreed to that this version can read"), hintRemove}
	}
	return r, nil
}

// parse reads the content of the file, also that of version 1.
func parse(text []byte) (record, error) {
	var head struct {
		Version int `json:"version"`
	}
	r := record{Version: version, Trees: map[string][]Answer{}}
	if err := json.Unmarshal(text, &head); err != nil {
		return r, err
	}
	switch head.Version {
	case 1:
		var old struct {
			Trees map[string][]string `json:"trees"`
		}
		if err := json.Unmarshal(text, &old); err != nil {
			return r, err
		}
		for tree, sums := range old.Trees {
			for _, sum := range sums {
				r.Trees[tree] = append(r.Trees[tree], Answer{Text: sum})
			}
		}
		return r, nil
	case version:
		err := json.Unmarshal(text, &r)
		if r.Trees == nil {
			r.Trees = map[string][]Answer{}
		}
		return r, err
	}
	return r, fmt.Errorf("version %d", head.Version)
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
		return nil, refused(s.file, "it is no regular file")
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
	if err := s.checkDir(); err != nil {
		return err
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	fresh, err := os.CreateTemp(filepath.Dir(s.file), "consent-") // of mode 0600
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
