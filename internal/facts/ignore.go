package facts

import (
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
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
	rest, begins := strings.TrimPrefix(pattern, "/"), true // a part of the path
	for rest != "" {
		var piece string
		if after, ok := directories(rest); begins && ok {
			// Any number of parts: those behind a slash, or all that are left.
			piece, rest = ".*", after
			if after != "" {
				piece, rest = "(?:.*/)?", after[1:]
			}
		} else {
			piece, rest = translateOne(rest)
			begins = strings.HasSuffix(piece, "/")
		}
		b.WriteString(piece)
	}
	b.WriteString("$")
	return b.String()
}

// directories takes two stars or more that are a whole part of the path.
func directories(rest string) (after string, ok bool) {
	after = strings.TrimLeft(rest, "*")
	return after, len(rest)-len(after) > 1 && (after == "" || after[0] == '/')
}

func translateOne(rest string) (piece, after string) {
	switch {
	case rest[0] == '*':
		return "[^/]*", strings.TrimLeft(rest, "*")
	case rest[0] == '?':
		return "[^/]", rest[1:]
	case rest[0] == '[':
		return translateClass([]rune(rest))
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

// translateClass takes a class such as [!a-z], in which every character stands
// for a byte. One without end, or with a name that git does not know, makes an
// expression that does not compile.
func translateClass(text []rune) (piece, after string) {
	const invalid = "["
	at := 1
	negated := at < len(text) && (text[at] == '!' || text[at] == '^')
	if negated {
		at++
	}
	var has [256]bool
	add := func(from, to rune) {
		for c := from; c <= to; c++ {
			has[c] = true
		}
	}
	previous := rune(-1) // with which a range can begin
	for first := true; first || at < len(text) && text[at] != ']'; first = false {
		if at < len(text)-1 && text[at] == '\\' {
			previous = text[at+1]
			add(previous, previous)
			at += 2
			continue
		}
		if at >= len(text)-1 {
			return invalid, ""
		}
		if text[at] == '-' && previous >= 0 && text[at+1] != ']' {
			at++
			if text[at] == '\\' && at < len(text)-1 {
				at++
			}
			add(previous, text[at])
			previous = -1
			at++
			continue
		}
		if text[at] == '[' && text[at+1] == ':' {
			end := slices.Index(text[at+2:], ']')
			if end < 0 {
				return invalid, ""
			}
			if end > 0 && text[at+1+end] == ':' {
				name := string(text[at+2 : at+1+end])
				if !addNamed(&has, name) {
					return invalid, ""
				}
				previous = -1
				at += end + 3
				continue
			}
		}
		previous = text[at]
		add(previous, previous)
		at++
	}
	if at >= len(text) {
		return invalid, ""
	}
	var b strings.Builder
	for c := range has {
		if has[c] != negated && c != '/' {
			fmt.Fprintf(&b, `\x{%x}`, c)
		}
	}
	if b.Len() == 0 {
		return `[^\x{0}-\x{10ffff}]`, string(text[at+1:])
	}
	return "[" + b.String() + "]", string(text[at+1:])
}

var asciiClass = regexp.MustCompile(`^(alnum|alpha|blank|cntrl|digit|graph|lower|print|punct|space|upper|xdigit)$`)

// addNamed adds the bytes of a class such as alpha, if there is one.
func addNamed(has *[256]bool, name string) bool {
	if !asciiClass.MatchString(name) {
		return false
	}
	class := regexp.MustCompile("^[[:" + name + ":]]$")
	for c := range 128 {
		has[c] = has[c] || class.MatchString(string(rune(c)))
	}
	return true
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
