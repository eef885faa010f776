package secrets

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"

	"gopkg.in/yaml.v3"
)

func parseYAML(path string, content []byte) ([]Assignment, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, yamlError(path, err)
	}
	var second yaml.Node
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, &Error{File: path, Line: second.Line, Message: "the file has more than one YAML document", Hint: "remove the --- between documents"}
	}
	root := document.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return nil, nil
	}
	if root.Kind != yaml.MappingNode {
		return nil, at(path, root, "the file is no YAML mapping of names to values", "write NAME: value")
	}
	return mappingEntries(path, root)
}

func mappingEntries(path string, root *yaml.Node) ([]Assignment, error) {
	lines := map[string]int{}
	var entries []Assignment
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.Value == "" || key.Tag == "!!merge" {
			return nil, at(path, key, "a name is not plain text", "write NAME: value")
		}
		if first, ok := lines[key.Value]; ok {
			return nil, at(path, key, fmt.Sprintf("the name %s was given in line %d already", key.Value, first), "remove one of the two")
		}
		lines[key.Value] = key.Line
		if value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		if value.Kind != yaml.ScalarNode {
			return nil, at(path, value, "the value of "+key.Value+" is not plain text",
				"quote it, or write it as a block: "+key.Value+": |")
		}
		text := value.Value
		if value.Tag == "!!null" && value.Style == 0 {
			text = ""
		}
		entries = append(entries, Assignment{Name: key.Value, Value: text, Line: key.Line})
	}
	return entries, nil
}

func at(path string, n *yaml.Node, message, hint string) error {
	return &Error{File: path, Line: n.Line, Column: n.Column, Message: message, Hint: hint}
}

var yamlLine = regexp.MustCompile(`line (\d+)`)

// yamlError keeps the line of a syntax error and drops its text, which can
// quote the file.
func yamlError(path string, err error) error {
	e := &Error{
		File: path, Message: "not valid YAML",
		Hint: "put values that have special characters such as * & : # % @ ! in quotes",
	}
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		e.Line, _ = strconv.Atoi(m[1])
	}
	return e
}
