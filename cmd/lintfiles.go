package cmd

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/drone-laptop/drone/lint"
)

// lintConfigs finds the settings of the linter for files. It is safe for
// concurrent use.
type lintConfigs struct {
	fixed *lintConfig // for all files, nil without --config

	mu    sync.Mutex
	known map[string]*lintConfig // by folder
}

// lintConfig is a file of settings, or what keeps it from being read.
type lintConfig struct {
	*lint.Config
	dir string
	err error
}

func newLintConfigs(file string) (*lintConfigs, error) {
	c := &lintConfigs{known: map[string]*lintConfig{}}
	if file != "" {
		c.fixed = readLintConfig(file)
		return c, c.fixed.err
	}
	return c, nil
}

// of returns the settings for a configuration file, nil when there are none.
func (c *lintConfigs) of(file string) (*lintConfig, error) {
	if c.fixed != nil {
		return c.fixed, nil
	}
	dir, err := filepath.Abs(filepath.Dir(file))
	if err != nil || file == "<stdin>" {
		if dir, err = currentDir(); err != nil {
			return nil, err
		}
	}
	found := c.in(dir)
	if found == nil || found.err != nil {
		return nil, errorOf(found)
	}
	return found, nil
}

func errorOf(c *lintConfig) error {
	if c == nil {
		return nil
	}
	return c.err
}

// in finds the settings for the files of a folder: there, or further up to the
// top of the working tree.
func (c *lintConfigs) in(dir string) *lintConfig {
	c.mu.Lock()
	found, ok := c.known[dir]
	c.mu.Unlock()
	if ok {
		return found
	}
	file := filepath.Join(dir, lint.ConfigFile)
	if _, err := os.Stat(file); err == nil {
		found = readLintConfig(file)
	} else if up := filepath.Dir(dir); up != dir && !exists(filepath.Join(dir, ".git")) {
		found = c.in(up)
	}
	c.mu.Lock()
	c.known[dir] = found
	c.mu.Unlock()
	return found
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func readLintConfig(file string) *lintConfig {
	c := &lintConfig{dir: filepath.Dir(file)}
	source, err := os.ReadFile(file)
	if err != nil {
		c.err = usage(fmt.Errorf("cannot read %s: %w", file, cause(err)), "")
		return c
	}
	c.Config, err = lint.ParseConfig(file, source)
	c.err = mistake(err, "")
	return c
}

// expand gives the configuration files that an argument names: itself, or those
// in a folder that the settings do not leave out.
func (l *linter) expand(arg string) ([]string, error) {
	return configurations(arg, func(path string) bool { return (configuration(path) || program(path)) && !l.ignored(path) })
}

// ignored reports whether the settings leave a file out.
func (l *linter) ignored(path string) bool {
	config, err := l.configs.of(path)
	if err != nil || config == nil {
		return false // a wrong configuration is told when the file is looked at
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return false
	}
	rel, err := filepath.Rel(config.dir, abs)
	return err == nil && config.Ignores(filepath.ToSlash(rel))
}
