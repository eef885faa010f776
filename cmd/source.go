package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/drone-laptop/drone/internal/similar"
)

// defaultFile is what commands read when no file is named.
const defaultFile = ".drone.yml"

// maxFile is the size beyond which a file is surely not a configuration. What is
// read of one takes up to a hundred times its size of memory.
const maxFile = 8 << 20

// readSource reads the configuration file that args name, ".drone.yml" without
// one, standard input for "-". name is what positions call it.
func readSource(s Streams, args []string) (name string, source []byte, err error) {
	name = defaultFile
	if len(args) > 0 {
		name = args[0]
	}
	if name == "-" {
		source, err = readLimited(s.In, "standard input", 0)
		return "<stdin>", source, err
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return name, nil, usage(fmt.Errorf("no file %s", name), missingHint(name, len(args) > 0))
	case err != nil:
		return name, nil, usage(fmt.Errorf("cannot read %s: %w", name, cause(err)), "")
	case info.IsDir():
		hint := "name the file, for example " + filepath.Join(name, defaultFile)
		if filepath.Base(name) == defaultFile {
			hint = "name the file"
		}
		return name, nil, usage(fmt.Errorf("%s is a directory", name), hint)
	case !info.Mode().IsRegular() && info.Mode()&(fs.ModeNamedPipe|fs.ModeCharDevice) == 0:
		return name, nil, usage(fmt.Errorf("%s is not a file", name), "")
	}
	file, err := os.Open(name)
	if err != nil {
		return name, nil, usage(fmt.Errorf("cannot read %s: %w", name, cause(err)), "check its permissions")
	}
	defer file.Close()
	source, err = readLimited(file, name, info.Size())
	return name, source, err
}

// readLimited reads all there is, probably size bytes, which must not be more
// than maxFile: a part of a configuration is none.
func readLimited(r io.Reader, name string, size int64) ([]byte, error) {
	var all bytes.Buffer
	all.Grow(int(min(max(size, 0), maxFile)) + bytes.MinRead)
	_, err := all.ReadFrom(io.LimitReader(r, maxFile+1))
	source := all.Bytes()
	switch {
	case err != nil:
		return nil, usage(fmt.Errorf("cannot read %s: %w", name, cause(err)), "")
	case len(source) > maxFile:
		return nil, usage(fmt.Errorf("%s has more than %d MiB, too much for a configuration", name, maxFile>>20), "")
	}
	return source, nil
}

// cause strips the operation and path that os errors repeat.
func cause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// currentDir is the directory that becomes the workspace.
func currentDir() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", usage(fmt.Errorf("the current directory is gone: %w", cause(err)), "")
	}
	return dir, nil
}

// missingHint looks for the file the user may have meant.
func missingHint(name string, named bool) string {
	if named {
		return closeFile(name)
	}
	if dir, err := os.Getwd(); err == nil {
		for up := filepath.Dir(dir); up != filepath.Dir(up); up = filepath.Dir(up) {
			if _, err := os.Stat(filepath.Join(up, defaultFile)); err == nil {
				return "there is one in " + up + ": run drone there, the current directory becomes the workspace"
			}
		}
	}
	for _, other := range []string{".drone.yaml", ".drone.jsonnet", ".drone.star", ".drone.starlark"} {
		if _, err := os.Stat(other); err == nil {
			return "there is " + other + ": name it, as in `drone exec " + other + "`"
		}
	}
	return "run drone in a directory with a .drone.yml, or name the file"
}

// closeFile names a file beside the wanted one that is called nearly the same.
func closeFile(name string) string {
	entries, err := os.ReadDir(filepath.Dir(name))
	if err != nil {
		return "there is no such directory"
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	best := similar.File(filepath.Base(name), names)
	if best == "" {
		return ""
	}
	return "did you mean " + filepath.Join(filepath.Dir(name), best)
}
