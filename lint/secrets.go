package lint

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/drone-laptop/drone/manifest"
)

// secretRules are about secrets: their names and their documents.
func secretRules() []Rule {
	return []Rule{{
		ID: "duplicate-secret", Group: groupSecrets, Severity: manifest.Warning,
		Summary:     "two documents for one secret",
		Explanation: "The first document of a name counts, and the second has no effect.",
		Bad: `kind: secret
name: token
get: {path: secret/data/ci, name: token}
---
kind: secret
name: token
get: {path: secret/data/docs, name: token}
---
kind: pipeline
name: default
trigger: {event: push}
steps:
- {name: test, image: "alpine:3", environment: {TOKEN: {from_secret: token}}, commands: [make test]}
`,
		Good: `kind: secret
name: token
get: {path: secret/data/ci, name: token}
---
kind: secret
name: docs_token
get: {path: secret/data/docs, name: token}
---
kind: pipeline
name: default
trigger: {event: push}
steps:
- {name: test, image: "alpine:3", environment: {TOKEN: {from_secret: token}, DOCS: {from_secret: docs_token}}, commands: [make test]}
`,
		Reference: "§1.4, §7.12",
	}, {
		ID: "empty-secret", Group: groupSecrets, Severity: manifest.Error,
		Summary:     "a secret without a value",
		Explanation: "A document of kind `secret` brings the encrypted value in `data`, or says in `get` where an extension of the server finds it. Without either the secret is empty.",
		Bad: `kind: secret
name: token
---
kind: pipeline
name: default
trigger: {event: push}
steps:
- {name: test, image: "alpine:3", environment: {TOKEN: {from_secret: token}}, commands: [make test]}
`,
		Good: `kind: secret
name: token
get: {path: secret/data/ci, name: token}
---
kind: pipeline
name: default
trigger: {event: push}
steps:
- {name: test, image: "alpine:3", environment: {TOKEN: {from_secret: token}}, commands: [make test]}
`,
		Reference: "§1.4",
		grade:     func(f *manifest.Problem, _ string) { f.Severity = manifest.Error },
	}, {
		ID: "nested-secret", Group: groupSecrets, Severity: manifest.Error,
		Summary: "`from_secret` within a list or a map of a setting",
		Explanation: "A secret is only inserted where `from_secret` is the whole value of a setting. Deeper than that a plugin gets the text " +
			"`{\"from_secret\": …}`. Put the whole value into one secret, or have a command write it.",
		Bad: `kind: pipeline
name: default
trigger: {event: push}
steps:
- name: notify
  image: plugins/webhook:1
  settings:
    headers: [{from_secret: token}]
`,
		Good: `kind: pipeline
name: default
trigger: {event: push}
steps:
- name: notify
  image: plugins/webhook:1
  settings:
    headers: {from_secret: token}
`,
		Reference: "§2.5",
		grade:     func(f *manifest.Problem, _ string) { f.Severity = manifest.Error },
	}, {
		ID: "unnamed-secret", Group: groupSecrets, Severity: manifest.Error,
		Summary:     "`from_secret` without a name",
		Explanation: "It names no secret: the variable is not set, and a plugin gets the text `{\"from_secret\": \"\"}`.",
		Bad: `kind: pipeline
name: default
trigger: {event: push}
steps:
- {name: test, image: "alpine:3", environment: {TOKEN: {from_secret: ""}}, commands: [make test]}
`,
		Good: `kind: pipeline
name: default
trigger: {event: push}
steps:
- {name: test, image: "alpine:3", environment: {TOKEN: {from_secret: token}}, commands: [make test]}
`,
		Reference: "§2.3, §2.5",
		check:     checkUnnamedSecret,
		grade:     func(f *manifest.Problem, _ string) { f.Severity = manifest.Error },
	}, {
		ID: "unknown-secret", Group: groupSecrets, Severity: manifest.Warning,
		Summary: "a secret whose name is nearly that of a document of the file",
		Explanation: "Secrets are also kept on the server, so that one the file does not describe is fine. But where the name only differs by a letter or by " +
			"capitals from a `kind: secret` document, that is probably meant: those names are case-sensitive. A secret that is not found is empty, without a word.",
		Bad: `kind: secret
name: token
get: {path: secret/data/ci, name: token}
---
kind: pipeline
name: default
trigger: {event: push}
steps:
- {name: test, image: "alpine:3", environment: {TOKEN: {from_secret: tokne}}, commands: [make test]}
`,
		Good: `kind: secret
name: token
get: {path: secret/data/ci, name: token}
---
kind: pipeline
name: default
trigger: {event: push}
steps:
- {name: test, image: "alpine:3", environment: {TOKEN: {from_secret: token}, KEY: {from_secret: npm_key}}, commands: [make test]}
`,
		Reference: "§7.12",
		check:     checkUnknownSecret,
	}}
}

// namelessSecret is what may follow the name of a variable whose secret has none.
var namelessSecret = regexp.MustCompile(`^["']?\s*:\s*(?:#[^\n]*\s+)?(?:&\S+\s+)?\{?\s*["']?(from_secret)["']?\s*:`)

// checkUnnamedSecret looks at variables. Settings are looked at when the file
// is compiled.
func checkUnnamedSecret(p *pass) {
	for e := range p.elements() {
		for _, v := range e.Environment {
			if v.FromSecret.IsSet() || v.Value.IsSet() || !v.Name.IsSet() {
				continue
			}
			const near = 200
			end := v.Name.Span.End.Offset
			behind := string(p.file.Source[end:min(len(p.file.Source), end+near)])
			at := namelessSecret.FindStringSubmatchIndex(behind)
			if at == nil {
				continue
			}
			start := advance(v.Name.Span.End, behind[:at[2]])
			span := manifest.Span{Start: start, End: advance(start, behind[at[2]:at[3]])}
			p.report(e, span, fmt.Sprintf("variable %s of %s %q has a `from_secret` that names no secret", v.Name.Value, e.noun(), e.Name.Value), "write `from_secret: name`")
		}
	}
}

// secretUse is a variable or setting of an element that asks for a secret.
type secretUse struct {
	variable string // that has the value in the container
	name     manifest.String
}

// secretsOf are the secrets that an element asks for.
func secretsOf(e element) (list []secretUse) {
	for _, v := range e.Environment {
		if v.FromSecret.IsSet() {
			list = append(list, secretUse{v.Name.Value, v.FromSecret})
		}
	}
	for _, s := range e.Settings {
		if name := s.FromSecret(); name.IsSet() {
			list = append(list, secretUse{s.Variable(), name})
		}
	}
	return list
}

func checkUnknownSecret(p *pass) {
	described := map[string]manifest.Span{}
	var all []string
	for _, d := range p.file.Documents {
		if d.Secret != nil && d.Secret.Name.Value != "" {
			if _, known := described[d.Secret.Name.Value]; !known {
				all = append(all, d.Secret.Name.Value)
			}
			described[d.Secret.Name.Value] = d.Secret.Name.Span
		}
	}
	if len(all) == 0 {
		return
	}
	best := map[string]string{}
	for e := range p.elements() {
		for _, use := range secretsOf(e) {
			name := use.name.Value
			if _, known := described[name]; known {
				continue
			}
			meant, looked := best[name]
			if !looked {
				meant = meantSecret(name, all)
				best[name] = meant
			}
			if meant == "" {
				continue
			}
			f := p.report(e, use.name.Span, fmt.Sprintf("no document of the file describes secret %q, but one describes %q", name, meant),
				fmt.Sprintf("did you mean `%s`? a secret %q may also be on the server", meant, name))
			f.Related = []manifest.Related{{Span: described[meant], Message: "described here"}}
			f.Fix = p.replace(use.name, meant)
		}
	}
}

// meantSecret returns the name that was meant: that with other capitals or
// hyphens, or one that differs by a slip of the fingers.
func meantSecret(name string, all []string) string {
	plain := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "-", "_")) }
	for _, known := range all {
		if plain(known) == plain(name) {
			return known
		}
	}
	digits := func(s string) string { return strings.Trim(s, "0123456789") }
	best := closestOf(name, all)
	// token_1 and token_2 are two secrets, and so are a_dev and b_dev.
	if best == "" || digits(best) == digits(name) || len(name) < 5 || slip(name, best) > 1 {
		return ""
	}
	return best
}

// slip counts the letters that differ, where two that changed places are one.
func slip(a, b string) int {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for a != "" && b != "" && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	if len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0] {
		return 1
	}
	return max(len(a), len(b))
}
