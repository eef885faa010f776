// Package secrets reads what the user gives to a run by file or flag: secrets
// (--secret-file, --secret) and plain variables (--env-file, --env).
//
// Values leave it only through Set.Lookup and the map of Env. No error,
// warning or source description contains any part of one, not even when a
// malformed file makes it hard to tell a value from a name. It does not decide
// which secrets a pipeline may see, and masks nothing.
package secrets

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// Set holds secrets by name. It is read-only once loaded and safe for
// concurrent use. The nil Set is empty.
type Set struct {
	// entries are in the order given; a later one replaces an earlier one of
	// exactly the same name.
	entries []entry
}

type entry struct {
	name, value, source string
}

// Sources says where secrets come from.
type Sources struct {
	// Files are paths given with --secret-file. A file is YAML when its name ends
	// in .yml, .yaml or .json or its text cannot be anything else, and dotenv
	// otherwise. Of equal names the last counts in dotenv; in YAML they are an
	// error.
	//
	// Dotenv (reference §7.12): NAME=value, export NAME=value, NAME: value; #
	// starts a comment at the start of a line or after a space; values in quotes
	// may span lines; "\n" in double quotes is a newline. Outside of single quotes
	// $NAME and ${NAME}, in capitals, are replaced by values from above in the
	// file, and by nothing where there is none: a warning tells of those. Write
	// values that contain a $ in single quotes.
	//
	// YAML: one mapping of names to scalars. A value is the text as written, so
	// 0123 and yes stay what they are.
	Files []string
	// Values are given with --secret: NAME=VALUE, NAME=@FILE, or NAME alone,
	// which takes the environment variable of that name and so keeps the value
	// out of the process list.
	//
	// With @FILE the content of the file is the value. The newline at the end
	// of a file with a single line is removed: a token is meant. The content of
	// a file with several lines stays as it is, because keys and certificates
	// need their last newline. A value that begins with @ must come from a file.
	Values []string
	// Getenv looks up environment variables for NAME alone.
	Getenv func(name string) (string, bool)
}

// Load reads all sources. Values win over Files, and later ones over earlier
// ones. Warnings are sentences for the user about values that are probably not
// what they were meant to be. The error is an *Error.
func Load(src Sources) (set *Set, warnings []string, err error) {
	set = &Set{}
	for _, path := range src.Files {
		content, err := readFile("secret file", path)
		if err != nil {
			return nil, nil, err
		}
		entries, notes, err := parseFile(path, content)
		if err != nil {
			return nil, nil, err
		}
		for _, e := range entries {
			set.add(e.Name, e.Value, fmt.Sprintf("%s:%d", path, e.Line))
		}
		warnings = append(warnings, notes...)
	}
	for _, text := range src.Values {
		name, value, source, err := fromFlag(text, src.Getenv)
		if err != nil {
			return nil, nil, err
		}
		set.add(name, value, source)
	}
	return set, warnings, nil
}

func (s *Set) add(name, value, source string) {
	s.entries = slices.DeleteFunc(s.entries, func(e entry) bool { return e.name == name })
	s.entries = append(s.entries, entry{name, value, source})
}

func fromFlag(text string, getenv func(string) (string, bool)) (name, value, source string, err error) {
	name, value, found := strings.Cut(text, "=")
	name = strings.TrimSpace(name)
	if name == "" || strings.ContainsAny(name, " \t\n") {
		// The text may be a value alone, so it is not repeated.
		return "", "", "", &Error{
			Message: "--secret does not start with a name",
			Hint:    "write --secret NAME=VALUE, --secret NAME=@FILE, or --secret NAME to take it from the environment",
		}
	}
	if !found {
		if getenv != nil {
			if value, ok := getenv(name); ok {
				return name, value, "environment variable " + name, nil
			}
		}
		// Without "=" the name could be a value given by mistake.
		return "", "", "", &Error{
			Message: "--secret without = names an environment variable, and it is not set",
			Hint:    "set it, or write --secret NAME=VALUE or --secret NAME=@FILE",
		}
	}
	path, isFile := strings.CutPrefix(value, "@")
	if !isFile {
		return name, value, "flag --secret", nil
	}
	content, err := readFile("file of secret "+name, path)
	if err != nil {
		return "", "", "", err
	}
	return name, trimSingleLine(string(content)), path, nil
}

// trimSingleLine removes the final newline of a text that has no other.
func trimSingleLine(s string) string {
	line, ok := strings.CutSuffix(s, "\n")
	if !ok || strings.Contains(line, "\n") {
		return s
	}
	return strings.TrimSuffix(line, "\r")
}

func (s *Set) find(name string) *entry {
	if s == nil {
		return nil
	}
	var found *entry
	for i := range s.entries {
		e := &s.entries[i]
		if e.name == name {
			return e
		}
		if strings.EqualFold(e.name, name) {
			found = e
		}
	}
	return found
}

// Lookup gives the value of a secret. A name that is written exactly so wins;
// otherwise case does not matter, as on the server (reference §7.12), and the
// last one given wins. An empty value that was given on purpose is found.
func (s *Set) Lookup(name string) (value string, ok bool) {
	e := s.find(name)
	if e == nil {
		return "", false
	}
	return e.value, true
}

// Source says where the secret that Lookup finds was given, for example
// "secrets.env:3", "flag --secret"; "" when there is none.
func (s *Set) Source(name string) string {
	if e := s.find(name); e != nil {
		return e.source
	}
	return ""
}

// Names lists all names, sorted.
func (s *Set) Names() []string {
	if s == nil {
		return nil
	}
	names := make([]string, len(s.entries))
	for i, e := range s.entries {
		names[i] = e.name
	}
	slices.Sort(names)
	return names
}

// Closest is the known name most like a missing one, "" when none is alike:
// at most two letters differ, and less than half of the name.
func (s *Set) Closest(name string) string {
	best, least := "", 3
	for _, known := range s.Names() {
		distance := levenshtein.Distance(fold(name), fold(known), nil)
		if distance < least && 2*distance < len(name) {
			best, least = known, distance
		}
	}
	return best
}

// fold makes the spellings of one name alike: docker-password, DOCKER_PASSWORD.
func fold(name string) string {
	return strings.NewReplacer("-", "_", ".", "_").Replace(strings.ToLower(name))
}

// readFile reads a file the user named; what says what it is for.
func readFile(what, path string) ([]byte, error) {
	content, err := os.ReadFile(path)
	if err == nil {
		return content, nil
	}
	e := &Error{File: path, Message: what + " cannot be read: " + reason(err)}
	if os.IsNotExist(err) {
		e.Message = what + " does not exist"
		e.Hint = "paths are relative to the current folder"
	}
	return nil, e
}
