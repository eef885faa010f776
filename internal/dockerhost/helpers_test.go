package dockerhost

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHelpers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.json")
	text := `{"credsStore": "desktop", "credHelpers": {"b.example": "ecr", "a.example": "ecr", "c.example": "", "d.example": "pass"}}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := LoadCredentials(Process(), file)
	if err != nil {
		t.Fatal(err)
	}
	want := []Helper{
		{Program: "docker-credential-desktop", Setting: "credsStore", File: file},
		{Program: "docker-credential-ecr", Setting: "credHelpers", File: file, Registries: []string{"a.example", "b.example"}},
		{Program: "docker-credential-pass", Setting: "credHelpers", File: file, Registries: []string{"d.example"}},
	}
	if diff := cmp.Diff(want, c.Helpers()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if none := new(Credentials).Helpers(); none != nil {
		t.Errorf("nothing has %v", none)
	}
}
