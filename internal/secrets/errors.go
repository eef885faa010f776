package secrets

import (
	"errors"
	"fmt"
	"io/fs"
)

// Error is a source that cannot be used. Neither Message nor Hint contains a
// value.
type Error struct {
	File         string // "" for a flag
	Line, Column int    // 1-based, 0 when unknown
	Message      string
	Hint         string // what to do, may be empty
}

func (e *Error) Error() string {
	switch {
	case e.File == "":
		return e.Message
	case e.Line == 0:
		return e.File + ": " + e.Message
	case e.Column == 0:
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// reason is the system's explanation without the path, which is named already.
func reason(err error) string {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err.Error()
	}
	return err.Error()
}
