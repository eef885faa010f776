package facts

import (
	"fmt"
	"testing"
)

// BenchmarkResolve measures what a command waits for in a working tree with
// 20,000 files.
func BenchmarkResolve(b *testing.B) {
	s := sandbox{t: b, dir: b.TempDir()}
	s.git(".", "init", "-q", "-b", "main", "hello")
	for d := range 200 {
		for f := range 100 {
			s.write(fmt.Sprintf("hello/%d/%d.txt", d, f), fmt.Sprintf("file %d of %d\n", f, d))
		}
	}
	s.commit("hello", "many")
	for b.Loop() {
		build, _, err := Resolve(Read(s.path("hello")), Overrides{}, testTime)
		if err != nil || build.Dirty {
			b.Fatal("dirty", build.Dirty, err)
		}
	}
}
