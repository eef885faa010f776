package secrets

import (
	"strings"
)

// EnvSources says where plain variables come from.
type EnvSources struct {
	Files  []string // --env-file, in the forms of Sources.Files
	Values []string // --env: NAME=VALUE, or NAME alone for the caller's variable
	Getenv func(name string) (string, bool)
}

// Env reads variables. Values win over Files, later ones over earlier ones.
// NAME alone is an error when the caller has no such variable: a forgotten one
// should not be empty in silence. The error is an *Error.
func Env(src EnvSources) (env map[string]string, warnings []string, err error) {
	env = map[string]string{}
	for _, path := range src.Files {
		content, err := readFile("env file", path)
		if err != nil {
			return nil, nil, err
		}
		entries, notes, err := parseFile(path, content)
		if err != nil {
			return nil, nil, err
		}
		for _, e := range entries {
			env[e.Name] = e.Value
		}
		warnings = append(warnings, notes...)
	}
	for _, text := range src.Values {
		name, value, err := variable(text, src.Getenv)
		if err != nil {
			return nil, nil, err
		}
		env[name] = value
	}
	return env, warnings, nil
}

func variable(text string, getenv func(string) (string, bool)) (name, value string, err error) {
	name, value, found := strings.Cut(text, "=")
	if name == "" || strings.ContainsAny(name, " \t\n") {
		return "", "", &Error{Message: "--env does not start with a name", Hint: "write --env NAME=VALUE, or --env NAME to pass on your own"}
	}
	if found {
		return name, value, nil
	}
	if getenv != nil {
		if value, ok := getenv(name); ok {
			return name, value, nil
		}
	}
	return "", "", &Error{
		Message: "--env " + name + " names a variable that is not set in the environment",
		Hint:    "set it, or write --env " + name + "= for an empty one",
	}
}
