package manifest

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// checkStrange reports the keys of a step that resemble no known one. In a step
// that is a plugin they are its parameters, as they were written for Drone 0.8.
func (d *decoder) checkStrange(n *yaml.Node, s *Step) {
	keys := d.strange
	d.strange = nil
	commands := rootKey(n, "commands") != nil || len(s.Commands) > 0
	if len(keys) > 0 && !commands && IsPlugin(s.Image.Value) {
		d.flatSettings(n, keys)
		return
	}
	hint := ""
	if !commands && s.Image.Value != "" {
		hint = "perhaps a parameter of a plugin, which belongs under `settings`"
	}
	for _, key := range keys {
		d.unknownKey(key, hint)
	}
}

// IsPlugin reports whether the name of an image says that it is a plugin.
func IsPlugin(image string) bool {
	path := strings.ToLower(image)
	return strings.Contains(path, "plugin") || strings.Contains(path, "drone-") || strings.Contains(path, "drone/")
}

// flatSettings reports the parameters of a plugin that stand beside the keys of
// its step.
func (d *decoder) flatSettings(n *yaml.Node, keys []*yaml.Node) {
	const few = 3
	var names []string
	for _, key := range keys[:min(few, len(keys))] {
		names = append(names, d.shown(key))
	}
	list, verb := strings.Join(names, ", "), "is a parameter"
	if len(keys) > 1 {
		verb = "are parameters"
	}
	if len(keys) > few {
		list += fmt.Sprintf(" and %d more", len(keys)-few)
	}
	p := d.report(Warning, RuleFlatSettings, keys[0], fmt.Sprintf("%s of %s %s of the plugin, without effect outside `settings`", list, d.ownerName(), verb),
		"move it under `settings`, indented deeper")
	if len(keys) > 1 {
		p.Hint = "move them under `settings`, indented deeper"
	}
	for _, key := range keys[1:] {
		p.Related = append(p.Related, Related{Span: d.span(key), Message: "this one too"})
	}
	p.Fix = d.indentSettings(n, keys)
}

// indentSettings proposes to put lines of a step under a new `settings`: only
// where they are complete lines without others between them.
func (d *decoder) indentSettings(n *yaml.Node, keys []*yaml.Node) *Edit {
	first := slices.Index(n.Content, keys[0])
	if first < 0 || len(d.text.pieces) > 0 || n.Style&yaml.FlowStyle != 0 || rootKey(n, "settings") != nil || first+2*len(keys) > len(n.Content) {
		return nil
	}
	for i, key := range keys {
		if n.Content[first+2*i] != key {
			return nil
		}
	}
	span := Span{Start: d.span(keys[0]).Start, End: d.span(n.Content[first+2*len(keys)-1]).End}
	source := d.places.source
	indent := source[1+strings.LastIndexByte(source[:span.Start.Offset], '\n') : span.Start.Offset]
	if strings.Trim(indent, " ") != "" {
		return nil // the line begins with the dash of the item
	}
	var text strings.Builder
	text.WriteString("settings:\n" + indent + "  ")
	for i, line := range strings.Split(source[span.Start.Offset:span.End.Offset], "\n") {
		if i > 0 {
			text.WriteByte('\n')
			if strings.TrimSpace(line) != "" {
				text.WriteString("  ")
			}
		}
		text.WriteString(line)
	}
	return &Edit{Span: span, Text: text.String()}
}
