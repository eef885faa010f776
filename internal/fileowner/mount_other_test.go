//go:build unix && !linux

package fileowner

import "errors"

func mountBind(_, _ string) error { return errors.ErrUnsupported }

func mountMemory(string) error { return errors.ErrUnsupported }

func unmount(string) {}
