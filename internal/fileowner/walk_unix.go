//go:build unix

package fileowner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// Caller is whom new files belong to. It reports false on systems without
// numeric owners.
func Caller() (Owner, bool) { return Owner{UID: os.Geteuid(), GID: os.Getegid()}, true }

// visitor is what a walk calls, one call at a time.
type visitor struct {
	// foreign takes what belongs to somebody else, and says whether to look
	// into it, if it is a directory.
	foreign func(File) bool
	// closed takes a directory that cannot be read, whoever owns it.
	closed func(File)
	// sealed reports directories not to look into; asked if seals is set.
	sealed func(File) bool
	seals  bool
}

// mostWorkers bounds the goroutines of a walk. More than a few only wait for
// each other in the kernel.
const mostWorkers = 4

// walking is one walk: directories yet to be read, on a stack.
type walking struct {
	ctx    context.Context
	visit  visitor
	root   int // descriptor
	device uint64
	uid    uint32

	mu    sync.Mutex // also around calls of visit
	moved sync.Cond
	stack []string
	busy  int
	err   error
}

// walk visits what is below paths of dir, these included, on the file system of
// dir only. What vanishes meanwhile is passed over.
func walk(ctx context.Context, dir string, uid int, paths []string, visit visitor) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	root, err := open(unix.AT_FDCWD, dir, unix.O_RDONLY|unix.O_DIRECTORY)
	if errors.Is(err, unix.EACCES) {
		root, err = open(unix.AT_FDCWD, dir, pathOnly|unix.O_DIRECTORY)
	}
	if err != nil {
		return err
	}
	defer unix.Close(root)
	var stat unix.Stat_t
	if err := unix.Fstat(root, &stat); err != nil {
		return err
	}
	w := &walking{ctx: ctx, visit: visit, root: root, device: uint64(stat.Dev), uid: uint32(uid)} // its type differs by system
	w.moved.L = &w.mu
	for _, path := range paths {
		if path == "." {
			w.enter(root, ".", ".", &stat)
			continue
		}
		w.stack = append(w.stack, path)
	}
	var workers sync.WaitGroup
	for range min(mostWorkers, runtime.GOMAXPROCS(0)) {
		workers.Go(w.work)
	}
	workers.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return w.err
}

func (w *walking) work() {
	buffer := make([]byte, 32<<10)
	for {
		dir, ok := w.next()
		if !ok {
			return
		}
		err := w.guarded(dir, buffer)
		w.mu.Lock()
		if err != nil && w.err == nil {
			w.err = err
		}
		w.busy--
		w.mu.Unlock()
		w.moved.Broadcast()
	}
}

// guarded is read, with an error in place of a panic: the caller may have a
// run to tidy up.
func (w *walking) guarded(dir string, buffer []byte) (err error) {
	defer func() {
		if x := recover(); x != nil {
			err = fmt.Errorf("panicked in %s: %v", dir, x)
		}
	}()
	return w.read(dir, buffer)
}

// next takes a directory from the stack, and waits while others may still find
// some. It reports false at the end.
func (w *walking) next() (string, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.stack) == 0 && w.busy > 0 {
		w.moved.Wait()
	}
	if len(w.stack) == 0 || w.err != nil || w.ctx.Err() != nil {
		return "", false
	}
	last := len(w.stack) - 1
	dir := w.stack[last]
	w.stack = w.stack[:last]
	w.busy++
	return dir, true
}

// read looks at everything in a directory.
func (w *walking) read(dir string, buffer []byte) error {
	fd, err := open(w.root, dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW)
	switch {
	case err == nil:
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM), errors.Is(err, unix.ENAMETOOLONG):
		w.close(dir)
		return nil
	case gone(err):
		return nil
	default:
		return &os.PathError{Op: "open", Path: dir, Err: err}
	}
	defer unix.Close(fd)
	if dir != "." && isMount(fd) {
		return nil
	}
	prefix := dir + "/"
	if dir == "." {
		prefix = ""
	}
	var names []string
	for w.ctx.Err() == nil {
		n, err := unix.ReadDirent(fd, buffer)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if n <= 0 || gone(err) {
			return nil
		}
		if err != nil {
			return &os.PathError{Op: "read", Path: dir, Err: err}
		}
		_, _, names = unix.ParseDirent(buffer[:n], -1, names[:0])
		for _, name := range names {
			var stat unix.Stat_t
			if err := unix.Fstatat(fd, name, &stat, unix.AT_SYMLINK_NOFOLLOW); err != nil {
				if errors.Is(err, unix.EACCES) { // it may be listed, but not entered
					w.close(dir)
					return nil
				}
				continue // it has vanished
			}
			if uint64(stat.Dev) != w.device { // its type differs by system
				continue
			}
			if stat.Uid != w.uid || stat.Mode&unix.S_IFMT == unix.S_IFDIR {
				w.enter(fd, name, prefix+name, &stat)
			}
		}
	}
	return nil
}

// enter visits what is called name in the directory at, if it belongs to
// somebody else, and puts it on the stack if it is a directory.
func (w *walking) enter(at int, name, path string, stat *unix.Stat_t) {
	foreign, isDir := stat.Uid != w.uid, stat.Mode&unix.S_IFMT == unix.S_IFDIR
	var f File
	if foreign || w.visit.seals {
		f = describe(at, name, path, stat)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if foreign && !w.visit.foreign(f) || !isDir || w.visit.seals && w.visit.sealed(f) {
		return
	}
	w.stack = append(w.stack, path)
	w.moved.Signal()
}

func describe(at int, name, path string, stat *unix.Stat_t) File {
	f := File{
		Path: path, Inode: stat.Ino, links: 1, uid: int(stat.Uid), dir: stat.Mode&unix.S_IFMT == unix.S_IFDIR,
		key: key{device: uint64(stat.Dev), inode: stat.Ino, born: born(at, name)}, // its type differs by system
	}
	parent := *stat
	if !f.dir {
		f.links = uint64(stat.Nlink) // its type differs by system
	}
	if name != "." && unix.Fstat(at, &parent) != nil {
		return f
	}
	f.KeepGroup = parent.Mode&unix.S_ISGID != 0 && parent.Gid == stat.Gid
	return f
}

// close visits a directory that cannot be read.
func (w *walking) close(dir string) {
	var stat unix.Stat_t
	if unix.Fstatat(w.root, dir, &stat, unix.AT_SYMLINK_NOFOLLOW) != nil {
		return
	}
	f := describe(w.root, dir, dir, &stat)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.visit.closed(f)
}

// still tells which files do not belong to the user of the tree, and how many
// are not there any more.
func (t *Tree) still(files []File) (left map[string]bool, missing int) {
	left = map[string]bool{}
	root, err := open(unix.AT_FDCWD, t.dir, pathOnly|unix.O_DIRECTORY)
	if err != nil {
		return left, len(files)
	}
	defer unix.Close(root)
	for _, f := range files {
		var stat unix.Stat_t
		err := unix.Fstatat(root, f.Path, &stat, unix.AT_SYMLINK_NOFOLLOW)
		switch {
		case err != nil && gone(err):
			missing++
		case err != nil || int(stat.Uid) != t.uid:
			left[f.Path] = true
		}
	}
	return left, missing
}

func open(at int, path string, flags int) (int, error) {
	for {
		fd, err := unix.Openat(at, path, flags|unix.O_CLOEXEC, 0)
		if !errors.Is(err, unix.EINTR) {
			return fd, err
		}
	}
}

// gone reports errors of what is not there, or not a directory, any more.
func gone(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP)
}
