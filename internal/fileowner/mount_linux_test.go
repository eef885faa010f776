package fileowner

import "golang.org/x/sys/unix"

func mountBind(from, to string) error { return unix.Mount(from, to, "", unix.MS_BIND, "") }

func mountMemory(at string) error { return unix.Mount("none", at, "tmpfs", 0, "mode=755") }

func unmount(at string) { _ = unix.Unmount(at, unix.MNT_DETACH) }
