package facts

import (
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
)

// rule is one line of a .gitignore, as gitignore(5) has it. Package gitignore
// of go-git is not used: it matches `!name` against what is in a directory
// called so, too.
type rule struct {
	base    string // directory of the file, "" for the top
	negated bool
	dirOnly bool
	// name is what a plain name or `*.suffix` must equal or end in; where it
	// is empty the pattern is asked.
	name    string
	suffix  bool
	pattern *regexp.Regexp
}

// rulesIn reads the .gitignore in dir, which is base from the top on. Git does
// not follow a link there.
func rulesIn(dir, base string, fold bool) []rule {
	file := filepath.Join(dir, ".gitignore")
	if info, err := os.Lstat(file); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	return readRules(file, base, fold)
}

// readRules reads the rules of a file in the directory base. A file that
// cannot be read has none, as for git, and so has anything but a file: a pipe
// would wait for somebody to write.
func readRules(name, base string, fold bool) []rule {
	file, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return nil
	}
	var rules []rule
	for line := range strings.SplitSeq(strings.TrimPrefix(string(text), "\ufeff"), "\n") {
		if r, ok := parseRule(strings.TrimSuffix(line, "\r"), base, fold); ok {
			rules = append(rules, r)
		}
	}
	return rules
}

func parseRule(line, base string, fold bool) (rule, bool) {
	if strings.HasPrefix(line, "#") {
		return rule{}, false
	}
	line = trimSpaces(line)
	r := rule{base: base}
	line, r.negated = strings.CutPrefix(line, "!")
	line, r.dirOnly = strings.CutSuffix(line, "/")
	if line == "" {
		return rule{}, false
	}
	if !strings.Contains(line, "/") && !fold {
		rest, suffix := strings.CutPrefix(line, "*")
		if rest != "" && !strings.ContainsAny(rest, `*?[\`) {
			r.name, r.suffix = rest, suffix
			return r, true
		}
	}
	expression := translate(bytewise(line))
	if fold {
		expression = "(?i)" + expression
	}
	var err error
	r.pattern, err = regexp.Compile(expression)
	return r, err == nil // a class without end matches nothing
}

// bytewise makes a character of each byte, since git compares bytes: `?` is one
// of them.
func bytewise(text string) string {
	characters := make([]rune, len(text))
	for i := range len(text) {
		characters[i] = rune(text[i])
	}
	return string(characters)
}

// trimSpaces removes the spaces at the end that no backslash keeps.
func trimSpaces(line string) string {
	for strings.HasSuffix(line, " ") && !strings.HasSuffix(line, `\ `) {
		line = line[:len(line)-1]
	}
	return line
}

// translate makes a regular expression of a pattern, for the path from the
// directory of the file on.
func translate(pattern string) string {
	var b strings.Builder
	b.WriteString("^")
	if anchored := strings.Contains(pattern, "/"); !anchored {
		b.WriteString("(?:.*/)?")
	}
	rest := strings.TrimPrefix(pattern, "/")
	if after, ok := strings.CutPrefix(rest, "**/"); ok {
		b.WriteString("(?:.*/)?")
		rest = after
	}
	for rest != "" {
		var piece string
		piece, rest = translateOne(rest)
		b.WriteString(piece)
	}
	b.WriteString("$")
	return b.String()
}

func translateOne(rest string) (piece, after string) {
	switch {
	case strings.HasPrefix(rest, "/**/"):
		return "/(?:.*/)?", rest[len("/**/"):]
	case rest == "/**":
		return "/.+", ""
	case rest[0] == '*':
		return "[^/]*", strings.TrimLeft(rest, "*")
	case rest[0] == '?':
		return "[^/]", rest[1:]
	case rest[0] == '[':
		return translateClass(rest)
	case rest[0] == '\\' && len(rest) > 1:
		return literal(rest[1:])
	}
	return literal(rest)
}

// literal takes the text up to the next character with a meaning.
func literal(rest string) (piece, after string) {
	end := strings.IndexAny(rest[1:], `*?[\/`) + 1
	if end == 0 {
		end = len(rest)
	}
	return regexp.QuoteMeta(rest[:end]), rest[end:]
}

// translateClass takes a class such as [!a-z]. One without end makes an
// expression that does not compile.
func translateClass(rest string) (piece, after string) {
	body, negation := rest[1:], ""
	if strings.HasPrefix(body, "!") || strings.HasPrefix(body, "^") {
		body, negation = body[1:], "^/"
	}
	first := strings.TrimPrefix(body, "]")
	end := strings.IndexByte(first, ']')
	for end > 0 && first[end-1] == ':' && end+1 < len(first) { // [[:alpha:]]
		next := strings.IndexByte(first[end+1:], ']')
		if next < 0 {
			break
		}
		end += 1 + next
	}
	if end < 0 {
		return "[", ""
	}
	end += len(body) - len(first)
	inner := strings.NewReplacer("[:", "[:", "[", `\[`).Replace(body[:end])
	if strings.HasPrefix(inner, "]") {
		inner = `\` + inner
	}
	return "[" + negation + inner + "]", body[end+1:]
}

func (r *rule) matches(name string, dir bool) bool {
	if r.dirOnly && !dir {
		return false
	}
	if r.base != "" {
		inner, ok := strings.CutPrefix(name, r.base+"/")
		if !ok {
			return false
		}
		name = inner
	}
	switch {
	case r.pattern != nil:
		return r.pattern.MatchString(bytewise(name))
	case r.suffix:
		return strings.HasSuffix(path.Base(name), r.name)
	}
	return path.Base(name) == r.name
}

// ignores reports whether the last rule for a path of the working tree says
// so.
func ignores(rules []rule, name string, dir bool) bool {
	for i := len(rules) - 1; i >= 0; i-- {
		if rules[i].matches(name, dir) {
			return !rules[i].negated
		}
	}
	return false
}
