package compile

import (
	"strings"
	"testing"

	"github.com/drone-laptop/drone/manifest"
)

// The rows are those of reference §7.2.
func TestResolveWorkspace(t *testing.T) {
	type testCase struct {
		base, path string
		want       workspace
	}
	for _, tc := range []testCase{
		{"", "", workspace{"/drone/src", "", "/drone/src"}},
		{"", "foo", workspace{"/drone/src", "foo", "/drone/src/foo"}},
		{"", "/go/x", workspace{"/go/x", "", "/go/x"}},
		{"/go", "", workspace{"/go", "", "/go"}},
		{"/go", "src/x", workspace{"/go", "src/x", "/go/src/x"}},
		{"/go", "/abs", workspace{"/go", "/abs", "/go/abs"}},
		{"/usr", "Bin/x", workspace{"/drone/src", "", "/drone/src"}},
		{"/", "", workspace{"/drone/src", "", "/drone/src"}},
		{"/go", "..", workspace{"/drone/src", "", "/drone/src"}},
	} {
		got := resolveWorkspace(manifest.Workspace{Base: manifest.String{Value: tc.base}, Path: manifest.String{Value: tc.path}})
		if got != tc.want {
			t.Errorf("base %q path %q: got %+v, want %+v", tc.base, tc.path, got, tc.want)
		}
	}
}

func TestRestricted(t *testing.T) {
	for name, want := range map[string]bool{
		"/": true, "/etc": true, "/etc/x": false, "/etc/docker": true, "/etc/docker/x": true, "/var": true, "/var/lib": false,
		"/VAR/run/x": true, "/proc/": true, "/usr/bin/../bin": true, "/usr/local": false, "/usr/local/sbin/x": true,
		"/device": false, "/dev/null": true, "/drone/src": false, "/mnt/x": true, "/media": true, "/mount/x": true, "/sys": true,
	} {
		if got := restricted(name); got != want {
			t.Errorf("restricted(%q) = %v, want %v", name, got, want)
		}
	}
}

// TestRestrictedTrees has every tree of reference §7.9.
func TestRestrictedTrees(t *testing.T) {
	for _, dir := range []string{
		"/etc/docker", "/var/run", "/proc", "/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/bin", "/mnt", "/mount", "/media", "/sys", "/dev",
	} {
		for _, name := range []string{dir, dir + "/", dir + "/x/y", strings.ToUpper(dir), "/x/.." + dir} {
			if !restricted(name) {
				t.Errorf("%s is not restricted", name)
			}
		}
		for _, name := range []string{dir + "x", "/x" + dir} {
			if restricted(name) {
				t.Errorf("%s is restricted", name)
			}
		}
	}
}
