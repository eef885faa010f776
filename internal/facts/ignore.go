package facts

import (
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/go-git/go-git/v5/config"
)

// untracked lists the files of the working tree that git would show as
// untracked: all but the tracked ones, those that the ignore rules name, and
// those of repositories within this one. A folder that cannot be read holds
// nothing that could be committed.
func (t *Tree) untracked(tracked map[string]bool) []string {
	w := searcher{root: t.Root, tracked: tracked}
	for _, file := range t.ignoreFiles() {
		w.rules = append(w.rules, readRules(file, "")...)
	}
	w.search("")
	return w.found
}

// ignoreFiles are those for the whole repository, the strongest last.
func (t *Tree) ignoreFiles() []string {
	own := filepath.Join(t.loc.common, "info", "exclude")
	for _, cfg := range []string{
		t.cfg.Raw.Section("core").Option("excludesfile"), t.user.Raw.Section("core").Option("excludesfile"),
	} {
		if cfg != "" {
			return []string{absolute(t.Root, expandHome(cfg)), own}
		}
	}
	var files []string
	paths, _ := config.Paths(config.GlobalScope) // none when there is no home
	for _, p := range paths {
		if filepath.Base(p) == "config" {
			files = append(files, filepath.Join(filepath.Dir(p), "ignore"))
		}
	}
	return append(files, own)
}

func expandHome(name string) string {
	rest, ok := strings.CutPrefix(name, "~/")
	home, err := os.UserHomeDir()
	if !ok || err != nil {
		return name
	}
	return filepath.Join(home, rest)
}

// searcher looks through a working tree.
type searcher struct {
	root    string
	tracked map[string]bool
	rules   []rule // of the folder that is searched and those above, the strongest last
	found   []string
}

// search looks through a folder, by its path with a slash at the end.
func (w *searcher) search(folder string) {
	full := filepath.Join(w.root, filepath.FromSlash(folder))
	entries, err := os.ReadDir(full)
	if err != nil {
		return
	}
	above := len(w.rules)
	w.rules = append(w.rules, readRules(filepath.Join(full, ".gitignore"), folder)...)
	for _, e := range entries {
		w.look(folder+e.Name(), e)
	}
	w.rules = w.rules[:above]
}

func (w *searcher) look(name string, e os.DirEntry) {
	switch {
	case e.Name() == ".git" || w.tracked[name] && !e.IsDir() || w.ignored(name, e.IsDir()):
	case !e.IsDir():
		if e.Type().IsRegular() || e.Type()&os.ModeSymlink != 0 {
			w.found = append(w.found, name)
		}
	default:
		if _, err := os.Lstat(filepath.Join(w.root, filepath.FromSlash(name), ".git")); err != nil {
			w.search(name + "/")
		}
	}
}

// ignored lets the last rule that matches decide. Folders above have been
// asked before: what is in an ignored one is never looked at.
func (w *searcher) ignored(name string, folder bool) bool {
	for i := len(w.rules) - 1; i >= 0; i-- {
		if w.rules[i].matches(name, folder) {
			return !w.rules[i].keep
		}
	}
	return false
}

// rule is one line of an ignore file.
type rule struct {
	pattern  string
	folder   string // of the file it is in, with a slash at the end; "" is the top
	keep     bool   // it began with "!"
	onlyDirs bool   // it ended with "/"
	anywhere bool   // it has no other "/" and goes for the name alone
}

func readRules(file, folder string) []rule {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil // there are usually none
	}
	var out []rule
	for line := range strings.Lines(strings.TrimPrefix(string(text), "\ufeff")) {
		if r, ok := parseRule(line, folder); ok {
			out = append(out, r)
		}
	}
	return out
}

// parseRule reads a line as `git help gitignore` describes it.
func parseRule(line, folder string) (rule, bool) {
	line = trimSpaces(strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"))
	if line == "" || line[0] == '#' {
		return rule{}, false
	}
	r := rule{folder: folder}
	line, r.keep = strings.CutPrefix(line, "!")
	line, r.onlyDirs = strings.CutSuffix(line, "/")
	r.anywhere = !strings.Contains(line, "/")
	line = strings.TrimPrefix(line, "/")
	// Braces are nothing special to git, and a/** does not match a itself.
	line = strings.NewReplacer("{", `\{`, "}", `\}`).Replace(line)
	if strings.HasSuffix(line, "/**") {
		line += "/*"
	}
	r.pattern = line
	return r, line != ""
}

// trimSpaces removes spaces at the end that are not quoted.
func trimSpaces(line string) string {
	trimmed := strings.TrimRight(line, " ")
	if trimmed != line && strings.HasSuffix(trimmed, `\`) {
		return trimmed + " "
	}
	return trimmed
}

func (r rule) matches(name string, folder bool) bool {
	if r.onlyDirs && !folder {
		return false
	}
	rest, ok := strings.CutPrefix(name, r.folder)
	if !ok {
		return false
	}
	if r.anywhere {
		rest = path.Base(rest)
	}
	matched, err := doublestar.Match(r.pattern, rest)
	return err == nil && matched
}
