package snapshot

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// State is what was in a directory at some time, but for what git knows of it.
type State struct {
	entries map[string]stamp // by path from the directory on
}

// stamp tells an entry from what it was before. The content is not read: who
// changes it cannot keep all of this as it is.
type stamp struct {
	mode    fs.FileMode
	size    int64
	time    time.Time
	changed int64
	inode   uint64
}

func newStamp(info fs.FileInfo) stamp {
	s := stamp{mode: info.Mode(), size: info.Size(), time: info.ModTime()}
	s.changed, s.inode = changeTime(info)
	if info.IsDir() {
		// It changes with what is in it, which is told by itself.
		return stamp{mode: fs.ModeDir}
	}
	return s
}

func (s stamp) equal(other stamp) bool {
	return s.mode == other.mode && s.size == other.size && s.time.Equal(other.time) &&
		s.changed == other.changed && s.inode == other.inode
}

// Record takes note of what is in dir.
func Record(ctx context.Context, dir string) (*State, error) {
	s := &State{entries: map[string]stamp{}}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	err = walk(ctx, root, ".", func(name string, info fs.FileInfo) error {
		s.entries[name] = newStamp(info)
		return nil
	}, func(_ string, err error) error { return err })
	return s, err
}

// Results are what was brought out of a directory.
type Results struct {
	Size
	// Deleted is how many files of the state are not there any more. Bring
	// deletes nothing.
	Deleted int
	// Odd is how many entries are neither files, directories nor links.
	Odd int
}

// failuresShown is how many files that could not be brought are named.
const failuresShown = 5

// Bring copies to the directory to what in dir is not as it was in the state:
// files that are new or changed, new directories, and symbolic links as they
// are, wherever they lead. Permissions and times stay, but for the bits that
// lend somebody's rights; the owner is the caller. ".git" is left out
// everywhere: what is in it git would obey.
//
// A file or a link that is in to is replaced, whatever it led to, and nothing
// is written through a link. A directory in the place of a file, or the other
// way round, stays, and is an error, as is what cannot be read. The others are
// brought all the same. Bring ends early with the cause of ctx, and when there
// is no room.
//
// Nothing else may change dir meanwhile. What it holds is not trusted.
func (s *State) Bring(ctx context.Context, dir string, to *os.Root) (Results, error) {
	from, err := os.OpenRoot(dir)
	if err != nil {
		return Results{}, err
	}
	defer from.Close()
	b := &bringer{from: from, to: to, dirs: map[string]bool{".": true}}
	b.files, b.ctx = errgroup.WithContext(ctx)
	b.files.SetLimit(2 * runtime.GOMAXPROCS(0))
	seen := 0
	err = walk(b.ctx, from, ".", func(name string, info fs.FileInfo) error {
		before, known := s.entries[name]
		if known && !before.mode.IsDir() && !info.IsDir() {
			seen++
		}
		if known && before.equal(newStamp(info)) {
			return nil
		}
		return b.entry(name, info)
	}, b.fail)
	// A file that ended the walk says more than the walk.
	err = cmp.Or(b.files.Wait(), err)
	err = errors.Join(err, b.finish())
	results := Results{Size: Size{b.brought.files.Load(), b.brought.bytes.Load()}, Odd: b.odd}
	if err == nil && len(b.failed) == 0 {
		results.Deleted = s.files() - seen
	}
	return results, errors.Join(err, b.failure())
}

// files is how many there are in the state.
func (s *State) files() (n int) {
	for _, entry := range s.entries {
		if !entry.mode.IsDir() {
			n++
		}
	}
	return n
}

// bringer copies single entries.
type bringer struct {
	from, to *os.Root
	ctx      context.Context
	files    *errgroup.Group
	brought  tally
	odd      int
	dirs     map[string]bool // that are in to for sure
	made     []madeDir       // in the order in which they were made

	mu     sync.Mutex
	failed []string
}

// madeDir gets its permissions and time when all is in it.
type madeDir struct {
	name string
	info fs.FileInfo
}

func (b *bringer) entry(name string, info fs.FileInfo) error {
	switch {
	case info.IsDir():
		err := b.directory(name, info)
		return cmp.Or(b.fail(name, err), below(err))
	case info.Mode()&fs.ModeSymlink == 0 && !info.Mode().IsRegular():
		b.odd++
		return nil
	}
	if err := b.above(name); err != nil {
		return b.fail(name, err)
	}
	b.files.Go(func() error {
		size, err := b.place(name, info)
		if err == nil {
			b.brought.add(size)
		}
		return b.fail(name, err)
	})
	return nil
}

// below leaves out what is in a directory that is not there.
func below(err error) error {
	if err != nil {
		return fs.SkipDir
	}
	return nil
}

// fail takes note of an error. It returns those that concern everything.
func (b *bringer) fail(name string, err error) error {
	switch {
	case err == nil, errors.Is(err, errTold):
		return nil
	case b.ctx.Err() != nil:
		return context.Cause(b.ctx)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failed = append(b.failed, fmt.Sprintf("%s: %v", name, cause(err)))
	return nil
}

// cause leaves out of an error the name, which comes first anyway.
func cause(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	if link, ok := errors.AsType[*os.LinkError](err); ok {
		return link.Err
	}
	return err
}

// failure names what could not be brought, in the order of names.
func (b *bringer) failure() error {
	if len(b.failed) == 0 {
		return nil
	}
	slices.Sort(b.failed)
	text := strings.Join(b.failed[:min(len(b.failed), failuresShown)], "; ")
	if more := len(b.failed) - failuresShown; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return errors.New(text)
}

var (
	errTold        = errors.New("it was told why")
	errNoDirectory = errors.New("what is there is no directory")
	errDirectory   = errors.New("what is there is a directory")
)

// directory makes a directory, or finds one.
func (b *bringer) directory(name string, info fs.FileInfo) error {
	if err := b.above(name); err != nil {
		return err
	}
	err := b.to.Mkdir(name, 0o700)
	if errors.Is(err, fs.ErrExist) {
		there, err := b.to.Lstat(name)
		if err == nil && !there.IsDir() {
			err = errNoDirectory
		}
		b.dirs[name] = err == nil
		return err
	}
	if err != nil {
		return err
	}
	b.dirs[name] = true
	b.made = append(b.made, madeDir{name, info})
	return nil
}

// above makes the directories that name is in.
func (b *bringer) above(name string) error {
	dir := filepath.Dir(name)
	if there, tried := b.dirs[dir]; there {
		return nil
	} else if tried {
		return errTold
	}
	info, err := b.from.Lstat(dir)
	if err != nil {
		return err
	}
	return b.directory(dir, info)
}

// place puts a file or link where it belongs, all of it or nothing.
func (b *bringer) place(name string, info fs.FileInfo) (size int64, err error) {
	if b.ctx.Err() != nil {
		return 0, context.Cause(b.ctx)
	}
	if there, err := b.to.Lstat(name); err == nil && there.IsDir() {
		return 0, errDirectory
	}
	fresh := filepath.Join(filepath.Dir(name), ".drone-"+strings.ToLower(rand.Text()))
	if info.Mode().IsRegular() {
		size, err = b.content(name, fresh)
	} else {
		err = b.link(name, fresh)
	}
	if err == nil {
		err = b.to.Rename(fresh, name)
	}
	if err != nil {
		// It may never have been made.
		return 0, errors.Join(err, vanished(b.to.Remove(fresh)))
	}
	return size, nil
}

func (b *bringer) link(name, fresh string) error {
	target, err := b.from.Readlink(name)
	if err != nil {
		return err
	}
	return b.to.Symlink(target, fresh)
}

func (b *bringer) content(name, fresh string) (size int64, err error) {
	source, info, err := b.open(name)
	if err != nil {
		return 0, err
	}
	defer source.Close()
	target, err := b.to.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	err = copyContent(b.ctx, target, source, info)
	if err == nil {
		err = target.Chmod(info.Mode().Perm())
	}
	if err = errors.Join(err, target.Close()); err != nil {
		return 0, err
	}
	return info.Size(), b.to.Chtimes(fresh, time.Time{}, info.ModTime())
}

// open opens a file to read, also one that is closed to its owner, as he may
// open it at any time.
func (b *bringer) open(name string) (*os.File, fs.FileInfo, error) {
	file, err := b.from.OpenFile(name, os.O_RDONLY|dontWait, 0)
	info, _ := b.from.Lstat(name)
	if errors.Is(err, fs.ErrPermission) && info != nil && info.Mode().IsRegular() {
		if b.from.Chmod(name, info.Mode().Perm()|0o400) == nil {
			file, err = b.from.OpenFile(name, os.O_RDONLY|dontWait, 0)
		}
	}
	if err != nil {
		return nil, nil, err
	}
	now, err := file.Stat()
	if err == nil && (info == nil || !os.SameFile(now, info) || !now.Mode().IsRegular()) {
		err = errors.New("it was changed meanwhile")
	}
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	return file, info, nil
}

// finish gives the directories their permissions and times.
func (b *bringer) finish() (err error) {
	for _, dir := range slices.Backward(b.made) {
		err = errors.Join(err, b.to.Chtimes(dir.name, time.Time{}, dir.info.ModTime()), b.to.Chmod(dir.name, dir.info.Mode().Perm()))
	}
	return err
}

// walk visits everything below dir of a root, a directory before what is in it,
// but for what git knows. It follows no links, and reads directories that are
// closed to their owner. visit may return fs.SkipDir for a directory. fail decides
// about errors; nil goes on.
func walk(ctx context.Context, root *os.Root, dir string, visit func(name string, info fs.FileInfo) error, fail func(name string, err error) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	entries, err := readDir(root, dir)
	if err != nil {
		return fail(dir, vanished(err))
	}
	for _, entry := range entries {
		if isGit(entry.Name()) {
			continue
		}
		name := filepath.Join(dir, entry.Name())
		info, err := root.Lstat(name)
		if err != nil {
			if err = fail(name, vanished(err)); err != nil {
				return err
			}
			continue
		}
		err = visit(name, info)
		if errors.Is(err, fs.SkipDir) {
			continue
		}
		if err != nil {
			return err
		}
		if info.IsDir() {
			if err := walk(ctx, root, name, visit, fail); err != nil {
				return err
			}
		}
	}
	return nil
}

// isGit reports whether a file system takes a name for ".git": some fold case,
// that of macOS passes over what cannot be seen (the list is git's), that of
// Windows over dots and blanks at the end, names streams behind a colon, and
// gives long names short ones.
func isGit(name string) bool {
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 0x200c && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x206a && r <= 0x206f, r == 0xfeff:
			return -1
		}
		return r
	}, name)
	name, _, _ = strings.Cut(name, ":")
	name = strings.TrimRight(name, ". ")
	return strings.EqualFold(name, ".git") || strings.EqualFold(name, "git~1")
}

// readDir lists a directory, sorted.
func readDir(root *os.Root, dir string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(root.FS(), filepath.ToSlash(dir))
	if !errors.Is(err, fs.ErrPermission) {
		return entries, err
	}
	if err := root.Chmod(dir, 0o700); err != nil {
		return nil, err
	}
	return fs.ReadDir(root.FS(), filepath.ToSlash(dir))
}
