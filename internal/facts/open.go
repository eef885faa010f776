package facts

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/go-git/go-git/v5/storage/filesystem/dotgit"
)

// errNoRepository means that neither the folder nor one above it has a .git.
var errNoRepository = errors.New("not in a git working tree")

// location says where the parts of a checkout are.
type location struct {
	root   string // top folder of the working tree
	gitDir string // HEAD, index
	common string // objects, refs, config; same as gitDir but in linked worktrees
}

// locate looks for .git in dir and the folders above it. Linked worktrees and
// submodules have a file there that names the real folder.
func locate(dir string) (location, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return location{}, err
	}
	for {
		dot := filepath.Join(dir, ".git")
		info, err := os.Stat(dot)
		if err == nil {
			return resolveGitDir(dir, dot, info.IsDir())
		}
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			return location{}, err
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return location{}, errNoRepository
		}
		dir = parent
	}
}

func resolveGitDir(root, dot string, isDir bool) (location, error) {
	loc := location{root: root, gitDir: dot}
	if !isDir {
		text, err := os.ReadFile(dot)
		if err != nil {
			return loc, err
		}
		target, ok := strings.CutPrefix(firstLine(string(text)), "gitdir:")
		if !ok {
			return loc, fmt.Errorf("%s does not name a git folder", dot)
		}
		loc.gitDir = absolute(root, strings.TrimSpace(target))
	}
	if _, err := os.Stat(filepath.Join(loc.gitDir, "HEAD")); err != nil {
		return loc, fmt.Errorf("%s is no git folder: it has no HEAD", loc.gitDir)
	}
	loc.common = loc.gitDir
	if text, err := os.ReadFile(filepath.Join(loc.gitDir, "commondir")); err == nil {
		loc.common = absolute(loc.gitDir, strings.TrimSpace(string(text)))
		if _, err := os.Stat(loc.common); err != nil {
			return loc, fmt.Errorf("the repository of the worktree %s is gone: no folder %s", root, loc.common)
		}
	}
	return loc, nil
}

func absolute(base, p string) string {
	if !filepath.IsAbs(p) {
		p = filepath.Join(base, p)
	}
	return filepath.Clean(p)
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return strings.TrimRight(line, "\r")
}

// storage is a repository on disk whose configuration hides the extensions
// that do not change how objects, references and the index are read. go-git
// refuses every extension it does not know, and sparse checkouts and partial
// clones set such ones.
type storage struct {
	*filesystem.Storage
	config *config.Config
}

func (s storage) Config() (*config.Config, error) { return s.config, nil }

// openStorage opens a located repository for reading. The error names the
// extension when the repository is kept in a form that cannot be read.
func openStorage(loc location) (storage, error) {
	dot := dotgit.NewRepositoryFilesystem(osfs.New(loc.gitDir), osfs.New(loc.common))
	disk := filesystem.NewStorageWithOptions(dot, cache.NewObjectLRUDefault(), filesystem.Options{
		// Objects of clones made with --shared lie outside the repository.
		AlternatesFS: osfs.New(string(filepath.Separator)),
	})
	cfg, err := disk.Config()
	if err != nil {
		return storage{}, fmt.Errorf("the git configuration cannot be read: %w", err)
	}
	if err := dropHarmlessExtensions(cfg); err != nil {
		return storage{}, err
	}
	return storage{Storage: disk, config: cfg}, nil
}

func dropHarmlessExtensions(cfg *config.Config) error {
	section := cfg.Raw.Section("extensions")
	for _, option := range section.Options {
		switch strings.ToLower(option.Key) {
		case "worktreeconfig", "partialclone", "preciousobjects", "noop", "noop-v1", "compatobjectformat", "relativeworktrees":
		case "objectformat":
			if !strings.EqualFold(option.Value, "sha1") {
				return fmt.Errorf("git object format %q is not supported", option.Value)
			}
		case "refstorage":
			if !strings.EqualFold(option.Value, "files") {
				return fmt.Errorf("git reference storage %q is not supported", option.Value)
			}
		default:
			return fmt.Errorf("git extension %q is not supported", option.Key)
		}
	}
	section.Options = nil
	return nil
}

func openRepository(loc location) (*git.Repository, error) {
	st, err := openStorage(loc)
	if err != nil {
		return nil, err
	}
	repo, err := git.Open(st, osfs.New(loc.root))
	if err != nil {
		return nil, fmt.Errorf("the git repository cannot be read: %w", err)
	}
	return repo, nil
}

// userConfig is the configuration of the user in the home folder, empty when
// it cannot be read: only conveniences depend on it.
func userConfig() *config.Config {
	cfg, err := config.LoadConfig(config.GlobalScope)
	if err != nil {
		return config.NewConfig()
	}
	return cfg
}
