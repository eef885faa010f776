package snapshot_test

import (
	"crypto/rand"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

// TestCopySharesBlocks copies on file systems that can share blocks: the copy
// takes no room, until one of the two is changed.
func TestCopySharesBlocks(t *testing.T) {
	for _, kind := range []string{"xfs", "btrfs"} {
		t.Run(kind, func(t *testing.T) {
			s := newSandbox(t)
			s.mount(kind)
			content := make([]byte, 64<<20)
			_, _ = rand.Read(content) // never fails
			s.write("fs/tree/big", string(content))
			before := s.used("fs")
			s.must(os.Mkdir(s.path("fs/copy"), 0o700))
			s.must(s.copyTo(t.Context(), "fs/tree", "fs/copy"))
			if grown := s.used("fs") - before; grown > 4<<20 {
				t.Errorf("the copy of %d bytes takes %d", len(content), grown)
			}
			s.write("fs/copy/big", "changed")
			if got, err := os.ReadFile(s.path("fs/tree/big")); err != nil || string(got) != string(content) {
				t.Errorf("the original has changed, or error %v", err)
			}
		})
	}
}

// mount mounts a new file system at fs.
func (s sandbox) mount(kind string) {
	s.Helper()
	mkfs, err := exec.LookPath("mkfs." + kind)
	if err != nil {
		s.Skipf("SKIPPED: mkfs.%s is not installed, so shared blocks are not tested on it", kind)
	}
	s.write("image", "")
	s.must(os.Truncate(s.path("image"), 512<<20))
	if out, err := exec.Command(mkfs, "-q", s.path("image")).CombinedOutput(); err != nil {
		s.Fatalf("%s: %v\n%s", mkfs, err, out)
	}
	s.must(os.Mkdir(s.path("fs"), 0o755))
	if out, err := exec.Command("mount", "-o", "loop", s.path("image"), s.path("fs")).CombinedOutput(); err != nil {
		s.Skipf("SKIPPED: nothing can be mounted here, so shared blocks are not tested on %s: %v: %s", kind, err, out)
	}
	s.Cleanup(func() {
		if out, err := exec.Command("umount", s.path("fs")).CombinedOutput(); err != nil {
			s.Errorf("umount: %v\n%s", err, out)
		}
	})
}

// used is how much room is taken on the file system of a directory.
func (s sandbox) used(dir string) int64 {
	s.Helper()
	file, err := os.Open(s.path(dir))
	s.must(err)
	defer file.Close()
	s.must(unix.Syncfs(int(file.Fd())))
	var stat unix.Statfs_t
	s.must(unix.Fstatfs(int(file.Fd()), &stat))
	return int64(stat.Blocks-stat.Bfree) * stat.Bsize
}
