//go:build unix

package cmd

import "golang.org/x/sys/unix"

// writable returns why the caller cannot write to a directory, or nil.
func writable(dir string) error { return unix.Access(dir, unix.W_OK|unix.X_OK) }
