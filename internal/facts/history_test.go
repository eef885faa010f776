package facts

import (
	"context"
	"os"
	"slices"
	"testing"
)

func TestVersions(t *testing.T) {
	s := newSandbox(t)
	if err := os.MkdirAll(s.path("tree", "ci"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.git("tree", "init", "-q")
	file := s.path("tree", "ci", ".drone.yml")
	commit := func(text, date string) {
		t.Helper()
		if text != "" {
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			s.git("tree", "add", ".")
		}
		s.at(date).git("tree", "commit", "-q", "--allow-empty", "-m", "x")
	}
	commit("", "2024-01-01T00:00:00Z")
	commit("one", "2024-01-02T00:00:00Z")
	commit("", "2024-01-03T00:00:00Z")
	commit("two", "2024-01-04T00:00:00Z")
	commit("one", "2024-01-05T00:00:00Z")
	commit("", "2024-01-06T00:00:00Z")
	versions := func(ctx context.Context, file string, most int) (found []string) {
		t.Helper()
		err := Read(s.path("tree", "ci")).Versions(ctx, file, func(v Version) bool {
			if len(v.Commit) != 40 {
				t.Errorf("the commit is %q", v.Commit)
			}
			found = append(found, v.When.UTC().Format("02 ")+string(v.Text))
			return len(found) < most
		})
		if err != nil {
			t.Error(err)
		}
		return found
	}
	if got, want := versions(t.Context(), file, 9), []string{"05 one", "04 two", "02 one"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got, want := versions(t.Context(), file, 2), []string{"05 one", "04 two"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	link := s.path("link.yml")
	if err := os.Symlink(file, link); err == nil {
		if got := versions(t.Context(), link, 1); !slices.Equal(got, []string{"05 one"}) {
			t.Errorf("through a link: %v", got)
		}
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for name, got := range map[string][]string{
		"a context that has ended": versions(over, file, 9),
		"a file of no commit":      versions(t.Context(), s.path("tree", "absent"), 9),
		"a folder":                 versions(t.Context(), s.path("tree", "ci"), 9),
		"a file elsewhere":         versions(t.Context(), s.path("home"), 9),
	} {
		if len(got) > 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
	if err := Read(s.path("home")).Versions(t.Context(), file, func(Version) bool { return false }); err != nil {
		t.Errorf("outside of git: %v", err)
	}
}
