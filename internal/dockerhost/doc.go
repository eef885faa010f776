// Package dockerhost finds the Docker engine of this machine's user and the
// credentials for registries, the way the docker command does: the same
// variables, the same files, the same order. Where docker would give up
// because its default socket does not exist, the sockets of rootless Docker,
// Docker Desktop, Colima, OrbStack, Rancher Desktop, Lima and Podman are looked
// for as well.
//
// It does not connect to anything; a client is made from Endpoint.ClientOptions.
package dockerhost

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// Environment is what the search depends on beside the files it reads.
type Environment struct {
	// OS is the system as runtime.GOOS names it. All but windows have sockets.
	OS string
	// Getenv reads a variable; "" means unset.
	Getenv func(name string) string
	// Home is the home directory of the user, "" when there is none.
	Home string
	// Stat tells whether a socket or certificate exists.
	Stat func(path string) (fs.FileInfo, error)
	// Glob finds the sockets that match a pattern, in order. Nil finds none.
	Glob func(pattern string) ([]string, error)
	// UID is the number of the user, -1 where there is none.
	UID int
	// TempDir is the directory of temporary files.
	TempDir string
	// LookPath finds a credential helper.
	LookPath func(name string) (string, error)
}

// Process is the environment of this process.
func Process() Environment {
	home, err := os.UserHomeDir()
	if err != nil {
		home = ""
	}
	return Environment{
		OS:     runtime.GOOS,
		Getenv: os.Getenv, Home: home, Stat: os.Stat, Glob: filepath.Glob,
		UID: os.Getuid(), TempDir: os.TempDir(), LookPath: exec.LookPath,
	}
}

// configDir is the directory of config.json, contexts and default
// certificates, "" when the user has no home.
func (env Environment) configDir() string {
	if dir := env.Getenv("DOCKER_CONFIG"); dir != "" {
		return dir
	}
	if env.Home == "" {
		return ""
	}
	return filepath.Join(env.Home, ".docker")
}

func (env Environment) exists(path string) bool {
	_, err := env.Stat(path)
	return err == nil
}

// pipeExists is exists for a pipe of Windows, which answers that it is busy, too.
func (env Environment) pipeExists(path string) bool {
	_, err := env.Stat(path)
	return err == nil || !errors.Is(err, fs.ErrNotExist)
}

// short writes a path below the home directory with a tilde.
func (env Environment) short(path string) string {
	if env.Home == "" {
		return path
	}
	rel, err := filepath.Rel(env.Home, path)
	if err != nil || !filepath.IsLocal(rel) {
		return path
	}
	return filepath.Join("~", rel)
}
