package isolate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/drone-laptop/drone/exec"
)

// outPlaces gives each pipeline that runs its place in the directory of
// results: the directory itself when it is the only one, else a directory with
// its name.
func outPlaces(plan *exec.Plan) map[*exec.Pipeline]string {
	places, taken := map[*exec.Pipeline]string{}, map[string]bool{}
	running := slices.DeleteFunc(slices.Clone(plan.Pipelines), func(p *exec.Pipeline) bool { return !p.Runs })
	several := len(running) > 1
	for _, p := range running {
		if !several {
			places[p] = "."
			continue
		}
		name := fileName(p.Name)
		// File systems may fold case.
		for n := 2; taken[strings.ToLower(name)]; n++ {
			name = fileName(p.Name) + "-" + strconv.Itoa(n)
		}
		taken[strings.ToLower(name)], places[p] = true, name
	}
	return places
}

// fileName is the name of a pipeline as that of a directory.
func fileName(pipeline string) string {
	name := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '-'
		}
		return r
	}, pipeline)
	if name = strings.TrimLeft(strings.TrimRight(name, ". "), "."); name == "" {
		return "pipeline"
	}
	if len(name) > 200 {
		name = strings.ToValidUTF8(name[:200], "")
	}
	return name
}

// subdirectory opens a directory of a root, and makes it if it is not there. It
// is no link.
func subdirectory(root *os.Root, name string) (*os.Root, error) {
	if name == "." {
		return root.OpenRoot(name)
	}
	if err := root.Mkdir(name, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	if info, err := root.Lstat(name); err != nil || !info.IsDir() {
		return nil, errors.Join(err, fmt.Errorf("%s is not a directory", filepath.Join(root.Name(), name)))
	}
	return root.OpenRoot(name)
}
