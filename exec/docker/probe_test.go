package docker

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drone-laptop/drone/exec"
)

func TestFacts(t *testing.T) {
	e := newEngine(t)
	f, err := e.Facts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if f.Version != e.version || f.API == "" || f.OS == "" || f.Arch == "" || f.Storage == "" || f.Root == "" {
		t.Errorf("something is missing: %+v", f)
	}
	if f.Product != e.product {
		t.Errorf("the product is %q", f.Product)
	}
	if !f.Time.IsZero() && (f.Time.Before(f.Asked.Add(-time.Hour)) || f.Time.After(f.Answered.Add(time.Hour))) {
		t.Errorf("the time is %v, asked at %v", f.Time, f.Asked)
	}
}

func TestLocal(t *testing.T) {
	e := newEngine(t)
	const plugin = "drone-laptop/plugin:test"
	got, err := e.Local(t.Context(), []string{"none.example/never:v1", plugin, testImage, plugin}, 2)
	if err != nil || !slices.Equal(got, []string{plugin, testImage}) {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err = e.Local(t.Context(), nil, 1); err != nil || len(got) != 1 {
		t.Errorf("without a wish there is %q, %v", got, err)
	}
}

// TestReadMounted reads a file of this machine through a container of which
// nothing is left then, also when it cannot.
func TestReadMounted(t *testing.T) {
	e := newEngine(t)
	dir, run := filepath.Join(t.TempDir(), "a b"), "doctor-"+random()[:8]
	if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(filepath.Join(dir, "f"), []byte("text"), 0o600)); err != nil {
		t.Fatal(err)
	}
	text, err := e.ReadMounted(t.Context(), run, testImage, dir, "f")
	if err != nil || string(text) != "text" {
		t.Errorf("read %q, %v", text, err)
	}
	if _, err := e.ReadMounted(t.Context(), run, testImage, dir, "none"); err == nil {
		t.Error("a file that does not exist was read")
	}
	var step *exec.StepError
	if _, err := e.ReadMounted(t.Context(), run, testImage, filepath.Join(dir, "none"), "f"); !errors.As(err, &step) || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("a directory that does not exist gave %v", err)
	}
	if _, err := e.ReadMounted(t.Context(), run, "none.example/never:v1", dir, "f"); err == nil {
		t.Error("an image that does not exist was used")
	}
	if left := leftovers(t, e, run); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}
