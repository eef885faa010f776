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
	c := class{text: text, at: 1, previous: none}
	if c.at < len(text) && (text[c.at] == '!' || text[c.at] == '^') {
		c.negated = true
		c.at++
	}
	for first := true; first || c.at < len(text) && text[c.at] != ']'; first = false {
		if !c.item() {
			return "[", ""
		}
	}
	if c.at >= len(text) {
		return "[", ""
	}
	return c.expression(), string(text[c.at+1:])
}

// class is a class that is read.
type class struct {
	text    []rune
	at      int // what is read next
	negated bool
	has     [256]bool
	// previous is the character with which a range can begin, or none.
	previous rune
}

const none = -1

// item reads a character, a range or a class with a name; it reports whether
// there was one.
func (c *class) item() bool {
	rest := c.text[c.at:]
	switch {
	case len(rest) < 2:
		return false // no `]` can follow
	case rest[0] == '\\':
		c.single(rest[1], 2)
		return true
	case rest[0] == '-' && c.previous >= 0 && rest[1] != ']':
		c.span(rest[1:])
		return true
	case rest[0] == '[' && rest[1] == ':':
		return c.named(rest)
	}
	c.single(rest[0], 1)
	return true
}

// single adds a character that is written as so many.
func (c *class) single(char rune, length int) {
	c.add(char, char)
	c.previous = char
	c.at += length
}

// span adds a range, whose end rest begins with.
func (c *class) span(rest []rune) {
	c.at += 2
	end := rest[0]
	if end == '\\' && len(rest) > 1 {
		c.at++
		end = rest[1]
	}
	c.add(c.previous, end)
	c.previous = none
}

// named adds a class such as [:alpha:], with which rest begins. Without its
// end the bracket stands for itself.
func (c *class) named(rest []rune) bool {
	end := slices.Index(rest[2:], ']')
	switch {
	case end < 0:
		return false
	case end == 0 || rest[1+end] != ':':
		c.single('[', 1)
		return true
	}
	c.previous = none
	c.at += end + 3
	return addNamed(&c.has, string(rest[2:1+end]))
}

func (c *class) add(from, to rune) {
	for char := from; char <= to; char++ {
		c.has[char] = true
	}
}

// expression is the class as a regular expression. No class has the slash.
func (c *class) expression() string {
	var b strings.Builder
	for char, has := range c.has {
		if has != c.negated && char != '/' {
			fmt.Fprintf(&b, `\x{%x}`, char)
		}
	}
	if b.Len() == 0 {
		return `[^\x{0}-\x{10ffff}]`
	}
	return "[" + b.String() + "]"
}

var asciiClass = regexp.MustCompile(`^(alnum|alpha|blank|cntrl|digit|graph|lower|print|punct|space|upper|xdigit)$`)

// addNamed adds the bytes of a class such as alpha, if there is one.
func addNamed(has *[256]bool, name string) bool {
	if !asciiClass.MatchString(name) {
		return false
	}
	named := regexp.MustCompile("^[[:" + name + ":]]$")
	for c := range 128 {
		has[c] = has[c] || named.MatchString(string(rune(c)))
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
