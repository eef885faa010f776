package lint

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"gopkg.in/yaml.v3"
)

// ConfigFile is the name of the file with the wishes of a repository.
const ConfigFile = ".drone-lint.yml"

// Config is what a repository wishes of the linter.
type Config struct {
	// Levels are by rule.
	Levels map[string]Level
	// Strict has warnings count as errors.
	Strict bool
	// Trusted says that the server trusts the repository.
	Trusted bool
	// Ignore are globs, as of gitignore without its negation, of files that are
	// not looked at when a folder is named, relative to the folder of the file.
	Ignore []string
}

// ParseConfig reads a ConfigFile. name is used in errors, which are a
// *ConfigError.
func ParseConfig(name string, source []byte) (*Config, error) {
	var raw struct {
		Rules   map[string]string `yaml:"rules"`
		Strict  bool              `yaml:"strict"`
		Trusted bool              `yaml:"trusted"`
		Ignore  []string          `yaml:"ignore"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(source))
	dec.KnownFields(true)
	if err := dec.Decode(&raw); err != nil && !errors.Is(err, io.EOF) {
		return nil, configError(name, err)
	}
	c := &Config{Strict: raw.Strict, Trusted: raw.Trusted, Ignore: raw.Ignore, Levels: map[string]Level{}}
	for _, id := range slices.Sorted(maps.Keys(raw.Rules)) {
		level, err := ParseRuleLevel(id, raw.Rules[id])
		if err != nil {
			hint := "`drone lint --rules` lists them"
			if unknown, ok := errors.AsType[*UnknownRuleError](err); ok && unknown.Closest != "" {
				hint = "did you mean " + unknown.Closest + "?"
			}
			return nil, &ConfigError{File: name, Message: "rules: " + err.Error(), Hint: hint}
		}
		c.Levels[id] = level
	}
	for _, pattern := range raw.Ignore {
		if !doublestar.ValidatePattern(pattern) {
			return nil, &ConfigError{File: name, Message: fmt.Sprintf("ignore: %q is no pattern", pattern), Hint: "write a path with *, ** and ?"}
		}
	}
	return c, nil
}

// ParseRuleLevel reads the level that a user gives a rule. An unknown rule is
// an *UnknownRuleError.
func ParseRuleLevel(id, level string) (Level, error) {
	if _, err := Lookup(id); err != nil {
		return "", err
	}
	return parseLevel(level)
}

// Ignores reports whether a file is one of those that are not looked at. file
// is a path with slashes, relative to the folder of the configuration.
func (c *Config) Ignores(file string) bool {
	if c == nil {
		return false
	}
	for _, pattern := range c.Ignore {
		pattern = strings.TrimSuffix(strings.TrimPrefix(pattern, "/"), "/")
		for at := file; at != "." && at != "/"; at = path.Dir(at) {
			if ok, _ := doublestar.Match(pattern, at); ok {
				return true
			}
			if !strings.Contains(pattern, "/") {
				if ok, _ := doublestar.Match(pattern, path.Base(at)); ok {
					return true
				}
			}
		}
	}
	return false
}

// ConfigError is what is wrong with a configuration of the linter.
type ConfigError struct {
	File    string
	Line    int // 0 when it is not known
	Message string
	Hint    string
}

func (e *ConfigError) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Message
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Message)
}

var (
	yamlLine    = regexp.MustCompile(`^(?:yaml: )?(?:unmarshal errors:\s+)?line (\d+): (.*)`)
	unknownName = regexp.MustCompile(`^field (\S+) not found`)
)

// configError says in our words what the YAML decoder found.
func configError(name string, err error) error {
	e := &ConfigError{File: name, Message: strings.TrimPrefix(err.Error(), "yaml: "), Hint: "its keys are rules, strict, trusted and ignore"}
	if m := yamlLine.FindStringSubmatch(strings.ReplaceAll(e.Message, "\n", " ")); m != nil {
		_, _ = fmt.Sscan(m[1], &e.Line)
		e.Message = strings.TrimSpace(m[2])
	}
	if m := unknownName.FindStringSubmatch(e.Message); m != nil {
		e.Message = fmt.Sprintf("the key %q is unknown", m[1])
	}
	return e
}
