package fileowner

import "golang.org/x/sys/unix"

// pathOnly opens a file for its place alone, which takes no right to read it.
const pathOnly = unix.O_PATH

// born is when a file was made, in nanoseconds, or 0 when that is not known.
func born(at int, name string) int64 {
	var x unix.Statx_t
	err := unix.Statx(at, name, unix.AT_SYMLINK_NOFOLLOW|unix.AT_STATX_DONT_SYNC, unix.STATX_BTIME, &x)
	if err != nil || x.Mask&unix.STATX_BTIME == 0 {
		return 0
	}
	return x.Btime.Sec*1e9 + int64(x.Btime.Nsec)
}

// isMount reports whether something is mounted at a directory, also a part of
// the same file system, which older kernels (before 5.8) do not tell.
func isMount(fd int) bool {
	var x unix.Statx_t
	err := unix.Statx(fd, "", unix.AT_EMPTY_PATH|unix.AT_STATX_DONT_SYNC, 0, &x)
	return err == nil && x.Attributes_mask&unix.STATX_ATTR_MOUNT_ROOT != 0 && x.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0
}

// chown changes the owner of the very file that was looked at, so nothing can
// take its place in between.
func chown(at int, name string, inode uint64, uid, gid int) error {
	fd, err := open(at, name, pathOnly|unix.O_NOFOLLOW)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return err
	}
	if stat.Ino != inode {
		return errOther
	}
	return unix.Fchownat(fd, "", uid, gid, unix.AT_EMPTY_PATH)
}
