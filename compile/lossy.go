package compile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/drone-laptop/drone/manifest"
)

// checkSettingTexts warns of settings that reach a plugin as something else than
// the file seems to say (reference §12.2, rows 11 to 13). The text that arrives
// is that of the server in any case.
func (b *builder) checkSettingTexts(e element) {
	for _, s := range e.Settings {
		if s.FromSecret().Value != "" {
			continue
		}
		check := settingCheck{b, e, s.Name.Value}
		check.value(s.Value)
		check.commas(s.Value)
	}
}

// settingCheck is the check of one setting of a step.
type settingCheck struct {
	b    *builder
	step element
	name string
}

// value looks at a value and all in it.
func (c settingCheck) value(v manifest.Value) {
	switch any := v.Any.(type) {
	case []manifest.Value:
		for _, item := range any {
			c.value(item)
		}
	case []manifest.Entry:
		for _, entry := range any {
			c.secret(entry)
			c.value(entry.Value)
		}
	case bool, int64, uint64, float64:
		c.scalar(v)
	}
}

// scalar warns of a number or a boolean that is spelled anew.
func (c settingCheck) scalar(v manifest.Value) {
	text := scalarText(v)
	if strings.EqualFold(text, v.Text) {
		return
	}
	c.warn("setting-text", v.Span, fmt.Sprintf("is %s in the file and reaches the plugin as %s", v.Text, text),
		fmt.Sprintf("write '%s', in quotes, to pass on just that", v.Text))
}

func (c settingCheck) secret(entry manifest.Entry) {
	if entry.Key.Value != "from_secret" {
		return
	}
	if name, ok := entry.Value.Any.(string); entry.Value.Any == nil || ok && strings.TrimSpace(name) == "" {
		c.warn("unnamed-secret", entry.Key.Span, "has a `from_secret` that names no secret", "write `from_secret: name`")
		return
	}
	c.b.warn(c.step, "nested-secret", entry.Key.Span,
		fmt.Sprintf("from_secret inside setting %q of step %q is not replaced: the plugin gets the name, not the secret", c.name, c.step.Name.Value),
		"a secret can only be the whole value of a setting, or of a variable under `environment`")
}

// commas warns of items that a plugin cannot tell from two. A list with maps or
// lists in it is JSON, which has no such trouble.
func (c settingCheck) commas(v manifest.Value) {
	items, _ := v.Any.([]manifest.Value)
	if slices.ContainsFunc(items, func(item manifest.Value) bool { return !isScalar(item) }) {
		return
	}
	for _, item := range items {
		if text, ok := item.Any.(string); ok && strings.Contains(text, ",") {
			c.warn("setting-comma", item.Span, "joins its items with commas, and this one has a comma of its own",
				"check how the plugin wants a comma to be written")
		}
	}
}

func (c settingCheck) warn(rule string, span manifest.Span, message, hint string) {
	c.b.warn(c.step, rule, span, fmt.Sprintf("setting %q of step %q %s", c.name, c.step.Name.Value, message), hint)
}
