package cmd_test

import (
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/shlex"
	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/cmd"
	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/lint"
	"github.com/drone-laptop/drone/manifest"
)

// page is a page of the documentation. What stands in its blocks of code is
// blank in prose.
type page struct {
	name   string // from the top of the project
	prose  string
	blocks []block
}

type block struct {
	language string
	line     int
	text     string
	indent   string
}

// pages are all of them.
func pages(t *testing.T) map[string]page {
	t.Helper()
	found := map[string]page{}
	err := fs.WalkDir(os.DirFS(".."), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() == ".git" || d.Name() == "build" || d.Name() == "dist" || d.Name() == "bin"):
			return fs.SkipDir
		case !strings.HasSuffix(name, ".md"):
			return nil
		}
		text, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(name)))
		found[name] = readPage(name, string(text))
		return err
	})
	if err != nil || len(found) < 20 {
		t.Fatalf("%d pages, %v", len(found), err)
	}
	return found
}

func readPage(name, text string) page {
	p := page{name: name}
	var prose []string
	var open *block
	for i, line := range strings.Split(text, "\n") {
		bare := strings.TrimLeft(line, " ")
		switch {
		case open == nil && strings.HasPrefix(bare, "```"):
			open = &block{language: strings.TrimPrefix(bare, "```"), line: i + 2, indent: line[:len(line)-len(bare)]}
		case open != nil && strings.HasPrefix(bare, "```"):
			p.blocks = append(p.blocks, *open)
			open = nil
		case open != nil:
			open.text += strings.TrimPrefix(line, open.indent) + "\n"
		default:
			prose = append(prose, line)
			continue
		}
		prose = append(prose, "")
	}
	p.prose = strings.Join(prose, "\n")
	return p
}

var (
	inlineCode = regexp.MustCompile("(?s)``[^`].*?``|`[^`\n]*`")
	markedLink = regexp.MustCompile(`\]\(([^()\s]+(?:\([^()]*\))?)(?:\s+"[^"]*")?\)`)
	heading    = regexp.MustCompile(`(?m)^#+ +(.*)$`)
	explicitID = regexp.MustCompile(`<a (?:id|name)="([^"]+)"`)
)

// anchors are the names under which parts of a page are linked to, as GitHub
// makes them.
func (p page) anchors() map[string]bool {
	all := map[string]bool{}
	for _, m := range explicitID.FindAllStringSubmatch(p.prose, -1) {
		all[m[1]] = true
	}
	for _, m := range heading.FindAllStringSubmatch(p.prose, -1) {
		title := markedLink.ReplaceAllString(m[1], "]")
		id := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, title)
		for n, base := 1, id; all[id]; n++ {
			id = base + "-" + string(rune('0'+n))
		}
		all[id] = true
	}
	return all
}

// TestLinks follows each link within the documentation.
func TestLinks(t *testing.T) {
	all, n := pages(t), 0
	for name, p := range all {
		prose := inlineCode.ReplaceAllStringFunc(p.prose, func(code string) string { return strings.Repeat("x", len(code)) })
		for _, m := range markedLink.FindAllStringSubmatch(prose, -1) {
			target := m[1]
			if u, err := url.Parse(target); err != nil || u.Scheme != "" {
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
				continue
			}
			n++
			file, anchor, _ := strings.Cut(target, "#")
			to := name
			if file != "" {
				to = path.Join(path.Dir(name), file)
			}
			if _, err := os.Stat(filepath.Join("..", filepath.FromSlash(to))); err != nil {
				t.Errorf("%s: there is no %s", name, target)
				continue
			}
			if linked, ok := all[to]; anchor != "" && ok && !linked.anchors()[anchor] {
				t.Errorf("%s: %s has no part %q", name, to, anchor)
			}
		}
	}
	if n < 50 {
		t.Errorf("only %d links were found", n)
	}
}

// TestEveryPageIsReached begins at the README.
func TestEveryPageIsReached(t *testing.T) {
	all := pages(t)
	reached := map[string]bool{}
	next := []string{"README.md"}
	for len(next) > 0 {
		name := next[0]
		next = next[1:]
		if reached[name] {
			continue
		}
		reached[name] = true
		for _, m := range markedLink.FindAllStringSubmatch(all[name].prose, -1) {
			file, _, _ := strings.Cut(m[1], "#")
			if to := path.Join(path.Dir(name), file); strings.HasSuffix(file, ".md") && !strings.Contains(file, "://") {
				next = append(next, to)
			}
		}
	}
	for name := range all {
		if !reached[name] && !strings.HasPrefix(name, ".github/") {
			t.Errorf("no link leads to %s", name)
		}
	}
}

// TestConfigurationsOfTheDocs lints each block of YAML that is a configuration.
// One that shows a mistake says so in its first line: # not so.
func TestConfigurationsOfTheDocs(t *testing.T) {
	n := 0
	document := regexp.MustCompile(`(?m)^kind:`)
	for name, p := range pages(t) {
		if name == "docs/lint-rules.md" { // made of the rules, whose examples have tests of their own
			continue
		}
		for _, b := range p.blocks {
			if b.language != "yaml" || !document.MatchString(b.text) || strings.HasPrefix(b.text, "# not so") {
				continue
			}
			n++
			for _, f := range lint.Check(name, []byte(b.text), lint.Options{Compile: compile.Options{Trusted: true, Host: compile.Host{Consent: true}}}) {
				// A page may show a part of a file alone.
				part := f.Rule == "no-pipeline" || f.Rule == "no-steps"
				if f.Severity == manifest.Error && !part {
					t.Errorf("%s:%d: %s [%s]", name, b.line+f.Span.Start.Line-1, f.Message, f.Rule)
				}
			}
		}
	}
	if n < 5 {
		t.Errorf("only %d configurations were found", n)
	}
}

// TestCommandsOfTheDocs parses each line of a shell that begins with drone, and
// each inline code that does: there is such a command, with such flags.
func TestCommandsOfTheDocs(t *testing.T) {
	t.Parallel()
	n, root := 0, cmd.New(cmd.Streams{}, cmd.Build{})
	targets := regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllStringSubmatch(readFile(t, "../Makefile"), -1)
	for name, p := range pages(t) {
		if name == "CHANGELOG.md" {
			continue
		}
		check := func(line int, text string) {
			words, ok := commandWords(text)
			if !ok {
				return
			}
			n++
			if why := wrongCommand(root, words); why != "" {
				t.Errorf("%s:%d: %s: %s", name, line, text, why)
			}
		}
		for _, b := range p.blocks {
			if b.language != "sh" && b.language != "console" && b.language != "bash" {
				continue
			}
			text := strings.ReplaceAll(b.text, "\\\n", "  ")
			for i, line := range strings.Split(text, "\n") {
				line = strings.TrimPrefix(strings.TrimSpace(line), "$ ")
				check(b.line+i, line)
				if words := strings.Fields(line); len(words) > 1 && words[0] == "make" && regexp.MustCompile(`^[a-z-]+$`).MatchString(words[1]) {
					if !slices.ContainsFunc(targets, func(m []string) bool { return m[1] == words[1] }) {
						t.Errorf("%s:%d: there is no target %s", name, b.line+i, words[1])
					}
				}
			}
		}
		for i, line := range strings.Split(p.prose, "\n") {
			for _, code := range inlineCode.FindAllString(line, -1) {
				if text := strings.Trim(code, "` "); strings.HasPrefix(text, "drone ") {
					check(i+1, text)
				}
			}
		}
	}
	if n < 100 {
		t.Errorf("only %d commands were found", n)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// commandWords are those of a line that calls drone, up to what the shell does
// with it. What a page leaves open ends them, too: …, COMMAND.
func commandWords(line string) (words []string, ok bool) {
	if !strings.HasPrefix(line, "drone ") {
		return nil, false
	}
	line = regexp.MustCompile(`\s(#|\||>|<|&&|;|2>).*$|;$`).ReplaceAllString(line, "")
	words, err := shlex.Split(line)
	if err != nil {
		return strings.Fields(line)[1:], true
	}
	for i, word := range words {
		if strings.Contains(word, "…") || strings.HasPrefix(word, "[") || word == "COMMAND" || word == "SHELL" || strings.Contains(word, "|") {
			return words[1:i], i > 1
		}
	}
	return words[1:], true
}

// wrongCommand says what is wrong with a command line, "" when it could be run. The
// flags of root keep what they were given before, which makes none of them wrong.
func wrongCommand(root *cobra.Command, words []string) string {
	if len(words) == 0 || words[0] == "--help" || words[0] == "--version" {
		return ""
	}
	c, rest, err := root.Find(words)
	if err != nil {
		return err.Error()
	}
	if c == root {
		if strings.HasPrefix(words[0], "-") {
			return "" // flags in front of the command
		}
		return "there is no command " + words[0]
	}
	if !c.Runnable() && len(rest) > 0 || c.Name() == "help" {
		return ""
	}
	c.InitDefaultHelpFlag()
	// A page may leave a value open: --output FORM, or --explain alone.
	open := regexp.MustCompile(`invalid argument "[A-Z]+"|flag needs an argument`)
	if err := c.ParseFlags(rest); err != nil && !open.MatchString(err.Error()) {
		return err.Error()
	}
	if args := c.Flags().Args(); len(args) > 0 && c.HasSubCommands() && !takesWords(c) {
		return "there is no command " + c.CommandPath() + " " + args[0]
	}
	return ""
}

func takesWords(c *cobra.Command) bool { return c.Args == nil || c.Args(c, []string{"x"}) == nil }
