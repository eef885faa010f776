package similar_test

import (
	"fmt"
	"testing"

	"github.com/drone-laptop/drone/internal/similar"
)

func TestWord(t *testing.T) {
	known := []string{"build", "publish", "publisb", "deploy-web", ""}
	for word, want := range map[string]string{
		"publis": "publish", "buld": "build", "bulid": "", "build": "build", "deployweb": "deploy-web",
		"lint": "", "": "", "BUILD": "", "deploy-production": "",
	} {
		if got := similar.Word(word, known); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
	if got := similar.Word("a", nil); got != "" {
		t.Errorf("of nothing: %q", got)
	}
}

// A name that only has its extension in common is another file.
func ExampleFile() {
	files := []string{"deploy.yml", "release.star"}
	fmt.Printf("%q %q\n", similar.File("depoly.yml", files), similar.File("test.star", files))
	// Output: "deploy.yml" ""
}
