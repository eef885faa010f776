package cmd

import (
	"errors"

	"golang.org/x/sys/windows"
)

// unread reports whether an error of writing says that the reader has gone away.
// Windows has a word for each moment of that, and Go takes none for EPIPE.
func unread(err error) bool {
	return errors.Is(err, windows.ERROR_BROKEN_PIPE) || errors.Is(err, windows.ERROR_NO_DATA) || errors.Is(err, windows.ERROR_PIPE_NOT_CONNECTED)
}
