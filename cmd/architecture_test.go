package cmd_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/drone-laptop/drone/"

// imports are those of each package of the project, without its tests, by the
// names of their folders. Of the standard library and of others they have the
// whole path.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	top := os.DirFS("..")
	err := fs.WalkDir(top, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || len(d.Name()) > 1 && d.Name()[0] == '.'):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		source, err := fs.ReadFile(top, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ImportsOnly)
		if err != nil {
			return err
		}
		of := path.Dir(name)
		for _, i := range file.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			imported = strings.TrimPrefix(imported, module)
			if !slices.Contains(found[of], imported) {
				found[of] = append(found[of], imported)
			}
		}
		return nil
	})
	if err != nil || len(found) < 30 {
		t.Fatalf("%d packages, %v", len(found), err)
	}
	return found
}

// TestEveryRoomIsNamed demands that the page names each package.
func TestEveryRoomIsNamed(t *testing.T) {
	page := readFile(t, "../docs/architecture.md")
	for of := range imports(t) {
		top, _, _ := strings.Cut(of, "/")
		switch top {
		case "internal", "bench", "scripts":
			of = top // as a whole
		}
		if !strings.Contains(page, "`"+of+"`") && !strings.Contains(page, "`"+of+"/`") {
			t.Errorf("docs/architecture.md does not name %s", of)
		}
	}
}

// TestPictureOfThePackages compares it with the imports.
func TestPictureOfThePackages(t *testing.T) {
	var drawn []string
	for _, m := range regexp.MustCompile(`(?m)^    (\S+) --> (\S+)$`).FindAllStringSubmatch(readFile(t, "../docs/architecture.md"), -1) {
		drawn = append(drawn, m[1]+" --> "+m[2])
	}
	// Not drawn are what is above and beneath, what only tests use, and the
	// parts of a package that only it uses.
	apart := regexp.MustCompile(`^(cmd|internal|bench|release|scripts)(/|$)|^(exec/fake|exec/enginetest|remote/servertest|tui/noquery|tui/termtest)$`)
	var real []string
	all := imports(t)
	for of, list := range all {
		for _, imported := range list {
			if _, own := all[imported]; own && !apart.MatchString(of) && !apart.MatchString(imported) {
				real = append(real, of+" --> "+imported)
			}
		}
	}
	for _, edge := range real {
		if !slices.Contains(drawn, edge) {
			t.Errorf("docs/architecture.md does not have %s", edge)
		}
	}
	for _, edge := range drawn {
		if !slices.Contains(real, edge) {
			t.Errorf("docs/architecture.md has %s, which is not so", edge)
		}
	}
	if !slices.IsSorted(drawn) {
		t.Error("docs/architecture.md does not have them in order")
	}
}

// TestImportsRunOneWay holds what docs/architecture.md says of them.
func TestImportsRunOneWay(t *testing.T) {
	all := imports(t)
	for of, list := range all {
		for _, imported := range list {
			switch {
			case imported == "cmd" && of != "cmd/drone" && of != "internal/manual/generate":
				t.Errorf("%s imports cmd", of)
			case of == "exec" && strings.Contains(imported, ".") && imported != "golang.org/x/sys/unix":
				t.Errorf("exec imports %s, which is not of the standard library", imported)
			case of == "exec" && all[imported] != nil:
				t.Errorf("exec imports %s", imported)
			case strings.HasPrefix(imported, "github.com/spf13/") && !strings.HasPrefix(of, "cmd") && of != "internal/manual":
				t.Errorf("%s imports %s: flags are read in cmd alone", of, imported)
			}
		}
	}
}
