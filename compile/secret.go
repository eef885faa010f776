package compile

import (
	"fmt"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/manifest"
)

// secretSources are the secret documents of a file that say something, and
// reports the others. Of a name the first counts (reference §1.4).
func (c *compiler) secretSources(file *manifest.File) []exec.SecretSource {
	var out []exec.SecretSource
	first := map[string]manifest.Span{}
	for _, d := range file.Documents {
		s := d.Secret
		if s == nil || s.Name.Value == "" {
			c.reportNameless(d)
			continue
		}
		span := nameSpan(s.Name, d.Span)
		source := exec.SecretSource{
			Name: s.Name.Value, Position: place(span.Start),
			Data: s.Data.Value, Path: s.Path.Value, Key: s.Key.Value,
		}
		if source.Data == "" && source.Path == "" && source.Key == "" {
			c.warnSecret("empty-secret", span, fmt.Sprintf("secret %q says neither its encrypted data nor where to get it", s.Name.Value),
				"add `data:` or `get: {path: …, name: …}`", nil)
			continue
		}
		if other, ok := first[source.Name]; ok {
			c.warnSecret("duplicate-secret", span, fmt.Sprintf("secret %q is described twice, the first one counts", s.Name.Value),
				"remove one of them", []manifest.Related{{Span: other, Message: "first described here"}})
			continue
		}
		first[source.Name] = span
		out = append(out, source)
	}
	return out
}

func (c *compiler) reportNameless(d *manifest.Document) {
	if d.Secret != nil {
		c.warnSecret("missing-name", d.Span, "a secret document has no name, so no step can ask for it", "add `name:`", nil)
	}
}

func (c *compiler) warnSecret(rule string, span manifest.Span, message, hint string, related []manifest.Related) {
	c.problems.add(manifest.Problem{
		Severity: manifest.Warning, Rule: rule, Span: span, Message: message, Hint: hint, Related: related,
	})
}
