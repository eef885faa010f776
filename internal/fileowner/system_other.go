//go:build unix && !linux

package fileowner

import "golang.org/x/sys/unix"

const pathOnly = unix.O_RDONLY

func born(int, string) int64 { return 0 }

func isMount(int) bool { return false }

func chown(at int, name string, inode uint64, uid, gid int) error {
	var stat unix.Stat_t
	if err := unix.Fstatat(at, name, &stat, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	if stat.Ino != inode {
		return errOther
	}
	return unix.Fchownat(at, name, uid, gid, unix.AT_SYMLINK_NOFOLLOW)
}
