//go:build !windows

package cmd

import (
	"errors"
	"syscall"
)

// unread reports whether an error of writing says that the reader has gone away.
func unread(err error) bool { return errors.Is(err, syscall.EPIPE) }
