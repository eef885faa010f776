package fileowner

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Share is a part in the work in a directory, in which several processes may
// have one at the same time. Who comes first looks at the directory, and the
// others take over what that one saw; who leaves last gives back. Both are kept
// by a file, which is locked as long as a process has a share. A process that
// is killed leaves the file behind without its lock.
type Share struct {
	Tree *Tree

	file *os.File // nil without a place for it
	path string
	last bool
}

// record is what the file holds.
type record struct {
	Dir    []byte   `json:"dir"`
	UID    int      `json:"uid"`
	Paths  [][]byte `json:"paths,omitempty"`
	Files  []mark   `json:"files,omitempty"`
	Closed [][]byte `json:"closed,omitempty"`
	Locked []mark   `json:"locked,omitempty"`
	Homes  []home   `json:"homes,omitempty"`
}

// home is a directory of another user in a record.
type home struct {
	Path []byte `json:"p"`
	UID  int    `json:"u"`
}

// mark is a key in a record.
type mark struct {
	Device uint64 `json:"d"`
	Inode  uint64 `json:"i"`
	Born   int64  `json:"b,omitempty"`
}

const (
	// sharePause is the time between two looks at a file that another process
	// has locked for itself, which it does while it looks or gives back.
	sharePause = 10 * time.Millisecond
	// recordLimit bounds a record: some hundred thousand files of others.
	recordLimit = 64 << 20
)

// Enter takes a share in dir. state is a directory of the caller's for what
// processes share, made when needed; where there is none, or it cannot be used,
// the share is this process's alone. look is how the first one looks.
func Enter(ctx context.Context, state, dir string, uid int, look func() (*Tree, error)) (*Share, error) {
	if state != "" && os.MkdirAll(state, 0o700) == nil {
		s, err := enter(ctx, filepath.Join(state, recordName(dir)), dir, uid, look)
		if !errors.Is(err, errNoShare) {
			return s, err
		}
	}
	tree, err := look()
	return &Share{Tree: tree, last: true}, err
}

// errNoShare is a file that cannot be opened or locked. To work without it is
// better than not to work.
var errNoShare = errors.New("nothing can be shared")

// recordName is the name of the file for a directory.
func recordName(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return hex.EncodeToString(sum[:12])
}

func enter(ctx context.Context, path, dir string, uid int, look func() (*Tree, error)) (*Share, error) {
	for {
		s := &Share{path: path}
		ours, err := s.open(os.O_CREATE)
		switch {
		case err != nil:
			return nil, err
		case ours == lockedAlone:
			s.Tree, err = look()
			if err == nil {
				err = s.save(uid)
			}
			if err != nil {
				s.last = true
				s.Close()
				return nil, err
			}
			if lock(s.file, false) == nil {
				return s, nil
			}
			// Another one has come in between, and looks once more.
		case ours == lockedShared:
			if s.Tree, err = s.load(dir, uid); err == nil {
				return s, nil
			}
			// Who was to look has not done so.
		}
		s.file.Close()
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(sharePause):
		}
	}
}

// Orphaned takes the share in dir that a process has left which was killed. It
// is nil when there is none, or when others have shares and will give back.
func Orphaned(state, dir string, uid int) (*Share, error) {
	s := &Share{path: filepath.Join(state, recordName(dir)), last: true}
	ours, err := s.open(0)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if ours != lockedAlone {
		return nil, s.file.Close()
	}
	if s.Tree, err = s.load(dir, uid); err != nil {
		// It was killed before it had looked, so nothing had run.
		s.Close()
		return nil, nil
	}
	return s, nil
}

// Last reports whether nobody else has a share any more; nobody gets one then
// before Close. Who is not the last has given up the share by asking, and calls
// Close all the same.
func (s *Share) Last() bool {
	if s.file != nil {
		// What fails gives up the lock, so that of several that ask at the same
		// time one gets it.
		s.last = lock(s.file, true) == nil
	}
	return s.last
}

// Close gives up the share.
func (s *Share) Close() {
	if s.file == nil {
		return
	}
	if s.last {
		_ = os.Remove(s.path) // one that stays is written anew by the next to come
	}
	_ = s.file.Close()
}

type locked int

const (
	lockedNot locked = iota
	lockedShared
	lockedAlone
)

// open opens the file and locks it as strongly as others permit. It does not
// lock one that has been removed meanwhile.
func (s *Share) open(flag int) (locked, error) {
	file, err := os.OpenFile(s.path, os.O_RDWR|noFollow|flag, 0o600)
	if errors.Is(err, os.ErrNotExist) && flag == 0 {
		return lockedNot, err
	}
	if err != nil {
		return lockedNot, fmt.Errorf("%w: %w", errNoShare, err)
	}
	s.file = file
	for _, try := range []struct {
		alone bool
		means locked
	}{{true, lockedAlone}, {false, lockedShared}} {
		err := lock(file, try.alone)
		if errors.Is(err, errLocked) {
			continue
		}
		if err != nil {
			file.Close()
			return lockedNot, fmt.Errorf("%w: %w", errNoShare, err)
		}
		at, err := os.Stat(s.path)
		own, failed := file.Stat()
		if err != nil || failed != nil || !os.SameFile(at, own) {
			return lockedNot, nil
		}
		s.last = s.last && try.alone
		return try.means, nil
	}
	return lockedNot, nil
}

func (s *Share) save(uid int) error {
	t := s.Tree
	r := record{Dir: []byte(t.dir), UID: uid, Paths: texts(t.paths), Files: marks(t.files), Closed: texts(t.closed), Locked: marks(t.locked)}
	for path, uid := range t.homes {
		r.Homes = append(r.Homes, home{[]byte(path), uid})
	}
	text, err := json.Marshal(r)
	if err == nil {
		err = s.file.Truncate(0)
	}
	if err == nil {
		_, err = s.file.WriteAt(text, 0)
	}
	if err != nil {
		return errNoShare
	}
	return nil
}

func (s *Share) load(dir string, uid int) (*Tree, error) {
	var r record
	text, err := io.ReadAll(io.NewSectionReader(s.file, 0, recordLimit))
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err == nil && (string(r.Dir) != dir || r.UID != uid) {
		err = errors.New("it is about something else")
	}
	if err != nil {
		return nil, err
	}
	homes := make(map[string]int, len(r.Homes))
	for _, h := range r.Homes {
		homes[string(h.Path)] = h.UID
	}
	return &Tree{
		dir: dir, uid: uid, paths: names(r.Paths), files: keys(r.Files),
		closed: names(r.Closed), locked: keys(r.Locked), homes: homes,
	}, nil
}

func texts(set map[string]struct{}) (list [][]byte) {
	for name := range set {
		list = append(list, []byte(name))
	}
	return list
}

func names(list [][]byte) map[string]struct{} {
	set := make(map[string]struct{}, len(list))
	for _, name := range list {
		set[string(name)] = struct{}{}
	}
	return set
}

func marks(set map[key]struct{}) (list []mark) {
	for k := range set {
		list = append(list, mark{k.device, k.inode, k.born})
	}
	return list
}

func keys(list []mark) map[key]struct{} {
	set := make(map[key]struct{}, len(list))
	for _, m := range list {
		set[key{m.Device, m.Inode, m.Born}] = struct{}{}
	}
	return set
}
