//go:build unix

package rundir

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFilesOfOthers: what another user has in a directory stays, is named, and
// keeps the directory from being forgotten. It needs root to make such a file,
// and runs itself again as somebody else.
func TestFilesOfOthers(t *testing.T) {
	const variable = "RUNDIR_PARENT"
	if parent := os.Getenv(variable); parent != "" {
		dirs, err := List(parent)
		if err != nil || len(dirs) != 1 {
			t.Fatalf("found %v, error %v", dirs, err)
		}
		err = Remove(dirs[0].Path)
		if err == nil || !strings.Contains(err.Error(), "files of another user are in it: unlinkat "+filepath.Join(dirs[0].Path, "theirs")) {
			t.Errorf("error is %v", err)
		}
		dirs, err = List(parent)
		if err != nil || len(dirs) != 1 {
			t.Errorf("after a removal that failed: found %v, error %v", dirs, err)
		}
		return
	}
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: only root can make files of another user, so their removal is not tested")
	}
	const nobody = 65534
	base := t.TempDir()
	parent := filepath.Join(base, "parent")
	program := filepath.Join(base, "test")
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Skip("SKIPPED: a test cannot run itself here")
	}
	dir := ""
	err = errors.Join(os.WriteFile(program, self, 0o755), os.Mkdir(parent, 0o755), os.Chmod(base, 0o755), os.Chmod(filepath.Dir(base), 0o755))
	if err == nil {
		dir, err = Make(parent, "run")
	}
	if err == nil {
		theirs := filepath.Join(dir, "theirs")
		err = errors.Join(os.Mkdir(theirs, 0o755), os.WriteFile(filepath.Join(theirs, "file"), nil, 0o644),
			os.Chown(dir, nobody, nobody), os.Chown(filepath.Join(dir, ownerFile), nobody, nobody))
	}
	if err != nil {
		t.Fatal(err)
	}
	again := exec.Command(program, "-test.run=^TestFilesOfOthers$", "-test.v")
	again.Env = append(os.Environ(), variable+"="+parent, "TMPDIR="+base)
	again.Dir = base
	again.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := again.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS")) {
		t.Errorf("error %v:\n%s", err, out)
	}
}
