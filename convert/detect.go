package convert

import (
	"bytes"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/manifest"
)

var (
	kindLine     = regexp.MustCompile(`(?m)^kind:[ \t]*\S`)
	pipelineLine = regexp.MustCompile(`(?m)^pipeline:\s*$`)
	anything     = regexp.MustCompile(``)
)

// Detect tells the format of a configuration file: by extension for programs,
// by content for YAML. A file in which any document has a kind is for Drone 1.0
// or later, also when it has a top-level key pipeline; the server would take
// such a file for an older one. A file that is no YAML is FormatDrone, whose
// reader explains what is wrong with it.
func Detect(name string, source []byte) Format {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".jsonnet":
		return FormatJsonnet
	case ".star", ".starlark", ".script":
		return FormatStarlark
	}
	if manifest.TemplateLine(source) >= 0 {
		return FormatTemplate
	}
	if manifest.LineOf(source, "kind:", kindLine) >= 0 {
		return FormatDrone
	}
	if manifest.LineOf(source, "pipeline:", pipelineLine) >= 0 && manifest.LineOf(source, "steps:", anything) < 0 && !bytes.Contains(source, []byte("\n---")) {
		return FormatLegacy08 // whatever else is in it, and whether or not it is YAML
	}
	format, _ := legacyKey(source)
	return format
}

// legacyKey finds the top-level key of the first document that shows for which
// old version the file is.
func legacyKey(source []byte) (Format, *yaml.Node) {
	var document yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(source)).Decode(&document); err != nil {
		if at := manifest.LineOf(source, "pipeline:", pipelineLine); at >= 0 {
			line := bytes.Count(source[:at], []byte("\n")) + 1
			return FormatLegacy08, &yaml.Node{Value: "pipeline", Line: line, Column: 1}
		}
		return FormatDrone, nil
	}
	return legacyKeyOf(document.Content[0])
}

// legacyKeyOf is legacyKey for the root of the first document.
func legacyKeyOf(root *yaml.Node) (Format, *yaml.Node) {
	if root.Kind != yaml.MappingNode || child(root, "kind") != nil || child(root, "steps") != nil {
		return FormatDrone, nil
	}
	if key := child(root, "pipeline"); key != nil {
		return FormatLegacy08, key
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		if key := root.Content[i]; isSection(key.Value, target(root.Content[i+1])) {
			return FormatLegacy04, key
		}
	}
	return FormatDrone, nil
}

// isSection reports whether a top-level key and its value are a section of a
// file for Drone 0.4. script is what a version between 0.4 and 0.5 called build.
func isSection(key string, value *yaml.Node) bool {
	if value.Kind != yaml.MappingNode {
		return false
	}
	switch key {
	case "compose", "publish", "deploy", "notify":
		return true
	case "build", "script":
		return isContainer(value) || slices.ContainsFunc(value.Content, isContainer)
	}
	return false
}

func isContainer(n *yaml.Node) bool {
	n = target(n)
	return n.Kind == yaml.MappingNode && (child(n, "image") != nil || child(n, "commands") != nil)
}

// target follows an alias to what it stands for.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// child is the node of a key of a mapping, nil when it has no such key.
func child(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i]
		}
	}
	return nil
}

func legacyError(name string, source []byte, format Format) error {
	_, key := legacyKey(source)
	pos := position(name, strings.SplitAfter(string(source), "\n"), key.Line, 0)
	pos.Column = key.Column
	pos.Offset += key.Column - 1 // top-level keys have no text before them
	return &Error{
		Pos:     pos,
		Message: "the file is written for " + strings.Replace(string(format), "drone", "Drone", 1) + ": it has a top-level `" + key.Value + "` and no `kind`",
		Hint:    "`drone convert` rewrites it as `kind: pipeline` with a list of `steps`",
	}
}

// position makes a place out of a 1-based line and a 1-based column in bytes;
// 0 for the column leaves it unknown. lines keep their line ends.
func position(file string, lines []string, line, column int) manifest.Pos {
	pos := manifest.Pos{File: file, Line: line}
	if line < 1 || line > len(lines) {
		return pos
	}
	for _, before := range lines[:line-1] {
		pos.Offset += len(before)
	}
	if column < 1 {
		return pos
	}
	text := lines[line-1]
	before := text[:min(column-1, len(text))]
	pos.Offset += len(before)
	pos.Column = len([]rune(before)) + 1
	return pos
}
