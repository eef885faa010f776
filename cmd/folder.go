package cmd

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/drone-laptop/drone/convert"
)

// configurations gives the configuration files that an argument names: itself,
// or those in a folder that are wanted.
func configurations(arg string, wanted func(path string) bool) ([]string, error) {
	if arg == "" || arg == "-" {
		return []string{arg}, nil
	}
	info, err := os.Stat(arg)
	if err != nil || !info.IsDir() {
		return []string{arg}, nil // whatever is wrong with it is said when it is read
	}
	var files []string
	err = filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return usage(fmt.Errorf("cannot read %s: %w", path, cause(err)), "")
		case path != arg && d.IsDir() && passedOver(d.Name()):
			return fs.SkipDir
		case !d.IsDir() && wanted(path):
			files = append(files, path)
		}
		return nil
	})
	if err == nil && len(files) == 0 {
		err = usage(fmt.Errorf("there is no %s and no .drone/*.yml in %s", defaultFile, arg), "name the file")
	}
	return files, err
}

// passedOver are folders of other people's files.
func passedOver(name string) bool {
	return name == "node_modules" || name == "vendor" || len(name) > 1 && name[0] == '.' && name != ".drone"
}

var kindLine = regexp.MustCompile(`(?m)^"?kind"?:`)

// program reports whether a file that is met in a folder is a program that makes
// a configuration. Where what one makes is beside it, that counts.
func program(path string) bool {
	stem := strings.TrimSuffix(path, filepath.Ext(path))
	switch format := convert.Detect(path, nil); {
	case filepath.Base(stem) != ".drone", format != convert.FormatJsonnet && format != convert.FormatStarlark:
		return false
	}
	return !exists(stem+".yml") && !exists(stem+".yaml")
}

// configuration reports whether a file that is met in a folder is one for
// Drone: by its name, or because it is in .drone and has documents of Drone.
// What else is kept there, such as values for templates, is not.
func configuration(path string) bool {
	switch filepath.Base(path) {
	case ".drone.yml", ".drone.yaml":
		return true
	}
	if ext := filepath.Ext(path); ext != ".yml" && ext != ".yaml" || filepath.Base(filepath.Dir(path)) != ".drone" {
		return false
	}
	source, err := os.ReadFile(path)
	return err == nil && kindLine.Match(source)
}
