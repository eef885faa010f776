package secrets

import (
	"bytes"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/joho/godotenv"
)

// Assignment is one name and value of a file.
type Assignment struct {
	Name, Value string
	Line        int // where the name is, 1-based
}

// Dotenv reads a text in the dotenv form of Sources.Files. path is used in errors,
// which quote nothing of it and are of type *Error.
func Dotenv(path string, content []byte) ([]Assignment, error) {
	list, _, err := parseDotenv(path, bytes.TrimPrefix(content, []byte("\uFEFF")))
	return list, err
}

// parseFile reads a file in one of the forms of Sources.Files. path is used in
// errors and warnings.
func parseFile(path string, content []byte) (entries []Assignment, warnings []string, err error) {
	content = bytes.TrimPrefix(content, []byte("\uFEFF"))
	if isYAML(path, content) {
		entries, err = parseYAML(path, content)
		return entries, nil, err
	}
	return parseDotenv(path, content)
}

// onlyYAML finds first lines and block values that dotenv does not have.
var onlyYAML = regexp.MustCompile(`(?m)\A\s*(?:---|\{)|^[\w.-]+:[ \t]*[|>][+-]?[1-9]?[ \t]*\r?$`)

func isYAML(path string, content []byte) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".yml", ".yaml", ".json":
		return true
	case ".env":
		return false
	}
	return onlyYAML.Match(content)
}

// parseDotenv lets godotenv read the whole file, because values can refer to
// earlier ones, and statement by statement, because godotenv names no lines
// and its errors quote values.
func parseDotenv(path string, content []byte) (entries []Assignment, warnings []string, err error) {
	text := strings.ReplaceAll(string(content), "\r\n", "\n")
	statements, err := split(path, text)
	if err != nil {
		return nil, nil, err
	}
	if err := bounded(path, statements); err != nil {
		return nil, nil, err
	}
	values, err := godotenv.Unmarshal(text)
	if err != nil {
		return nil, nil, &Error{File: path, Message: "no dotenv file"}
	}
	known := map[string]bool{}
	for _, s := range statements {
		if !validName(s.name) {
			return nil, nil, &Error{
				File: path, Line: s.line, Message: "a line is no NAME=value",
				Hint: "write NAME=value, or a # before a comment; names with other characters than A-Z, a-z, 0-9, _ and . need a YAML file",
			}
		}
		if s.loses(known) {
			warnings = append(warnings, fmt.Sprintf(
				"%s:%d: the value of %s has a $ that is read as an unknown variable and replaced by nothing; put the value in single quotes",
				path, s.line, s.name))
		}
		known[s.name] = true
		entries = append(entries, Assignment{Name: s.name, Value: values[s.name], Line: s.line})
	}
	return lastOfEach(entries), warnings, nil
}

// lastOfEach drops entries that a later one of the same name replaces.
func lastOfEach(entries []Assignment) []Assignment {
	last := map[string]int{}
	for i, e := range entries {
		last[e.Name] = i
	}
	var kept []Assignment
	for i, e := range entries {
		if last[e.Name] == i {
			kept = append(kept, e)
		}
	}
	return kept
}

var nameForm = regexp.MustCompile(`^[\pL\pN_.]+$`)

func validName(name string) bool { return nameForm.MatchString(name) }

// statement is one assignment and the text it was written in.
type statement struct {
	name, text string
	line       int
}

// reference is what godotenv takes for a variable, $(NAME included, unless a
// backslash is before it.
var reference = regexp.MustCompile(`(\\)?\$\(?\{?([A-Z0-9_]+)\}?`)

// maxValues is how much text the values of a file may be in all.
const maxValues = 16 << 20

// bounded refuses a file whose values refer to others so often that they would
// fill the memory: each line may multiply the one above it.
func bounded(path string, statements []statement) error {
	size, total := map[string]int{}, 0
	for _, s := range statements {
		n := len(s.text)
		for _, m := range reference.FindAllStringSubmatch(s.text, -1) {
			if n += size[m[2]]; n > maxValues {
				break
			}
		}
		size[s.name] = n
		if total += n; total > maxValues {
			return &Error{
				File: path, Line: s.line, Message: fmt.Sprintf("the values up to here are more than %d MiB when those that they refer to are put in", maxValues>>20),
				Hint: "refer to fewer values, or put those with a $ in single quotes",
			}
		}
	}
	return nil
}

// loses reports whether the value refers to a variable that is not there.
func (s statement) loses(known map[string]bool) bool {
	_, value, _ := strings.Cut(strings.Replace(s.text, ":", "=", 1), "=")
	if strings.HasPrefix(strings.TrimSpace(value), "'") {
		return false
	}
	for _, m := range reference.FindAllStringSubmatch(value, -1) {
		if m[1] == "" && !known[m[2]] {
			return true
		}
	}
	return false
}

// split finds the statements of a dotenv text. A statement is the shortest run
// of lines from its first one that godotenv accepts.
func split(path, text string) ([]statement, error) {
	lines := strings.SplitAfter(text, "\n")
	var found []statement
	for i := 0; i < len(lines); {
		trimmed := strings.TrimSpace(lines[i])
		if trimmed == "" || strings.HasPrefix(trimmed, "#") {
			i++
			continue
		}
		end, names := accept(lines, i)
		if end == 0 {
			return nil, malformed(path, lines[i], i+1)
		}
		for _, name := range slices.Sorted(maps.Keys(names)) {
			found = append(found, statement{name: name, text: strings.Join(lines[i:end], ""), line: i + 1})
		}
		i = end
	}
	return found, nil
}

// accept returns the index after the last line of the statement that begins at
// line start, 0 when there is no such statement.
func accept(lines []string, start int) (end int, names map[string]string) {
	first := lines[start]
	quote := openQuote(first)
	for end = start + 1; end <= len(lines); end++ {
		// Only a line with the closing quote can end a value.
		if end > start+1 && !strings.Contains(lines[end-1], quote) {
			continue
		}
		names, err := godotenv.Unmarshal(strings.Join(lines[start:end], ""))
		if err == nil {
			return end, names
		}
		if quote == "" || !strings.HasPrefix(err.Error(), "unterminated") {
			return 0, nil
		}
	}
	return 0, nil
}

var quoted = regexp.MustCompile(`^[^=:]*[=:]\s*(["'])`)

func openQuote(line string) string {
	if m := quoted.FindStringSubmatch(line); m != nil {
		return m[1]
	}
	return ""
}

// malformed explains a line without repeating any of it: what looks like a
// name may be the middle of a key that was pasted without quotes.
func malformed(path, line string, number int) error {
	e := &Error{
		File: path, Line: number, Message: "a line is no NAME=value",
		Hint: "write NAME=value, or a # before a comment; a value of several lines goes in quotes",
	}
	switch {
	case openQuote(line) != "":
		e.Message = "the quoted value that begins here does not end, or text follows it"
		e.Hint = "close the quote; a quote inside the value needs a backslash before it"
	case hyphenated.MatchString(line):
		e.Message = "a name has a character that dotenv does not allow"
		e.Hint = "dotenv names are made of A-Z, a-z, 0-9, _ and .; other names need a YAML file or --secret"
	}
	return e
}

var hyphenated = regexp.MustCompile(`^\s*(?:export\s+)?[\w.-]+\s*[=:]`)
