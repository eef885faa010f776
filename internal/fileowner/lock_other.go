//go:build !unix

package fileowner

import (
	"errors"
	"os"
)

const noFollow = 0

var errLocked = errors.New("it is locked")

func lock(*os.File, bool) error { return errors.ErrUnsupported }
