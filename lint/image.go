package lint

import (
	"fmt"
	"strings"

	"github.com/distribution/reference"

	"github.com/drone-laptop/drone/manifest"
)

// imageRules are about images.
func imageRules() []Rule {
	return []Rule{{
		ID: "image-name", Group: groupImages, Severity: manifest.Error,
		Summary: "an image whose name no engine can read",
		Explanation: "The step fails before it starts, with `invalid reference format`. A name has no blanks, no capitals after the host " +
			"of the registry, and no `https://`. With blanks and a hyphen in it the line `commands:` is missing, and YAML has joined the commands to the name.",
		Bad: `kind: pipeline
name: default
steps:
- name: test
  image: https://registry.example.org/Tools/go:1.26
  commands: [go test ./...]
`,
		Good: `kind: pipeline
name: default
steps:
- name: test
  image: registry.example.org/tools/go:1.26
  commands: [go test ./...]
`,
		Reference: "§7.7",
		check:     checkImageName,
	}, {
		ID: "image-tag", Group: groupImages, Severity: manifest.Info, Strict: manifest.Warning,
		Summary: "an image without a tag, or with the tag latest",
		Explanation: "What such a name stands for changes without notice: a build that passed yesterday fails today, and " +
			"the image on this machine is another than that of the server. Name a version, or a digest. With `--strict` it is a warning.",
		Bad: `kind: pipeline
name: default
steps:
- name: test
  image: golang
  commands: [go test ./...]
`,
		Good: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  commands: [go test ./...]
`,
		Reference: "§7.6, §7.7",
		check:     checkImageTag,
	}, {
		ID: "unknown-pull", Group: groupImages, Severity: manifest.Error,
		Summary: "a word for `pull` that the runner does not know",
		Explanation: "The runner knows `always`, `if-not-exists` and `never`, and takes anything else as if nothing was said. " +
			"`pull: true` is of Drone 0.8, where it was what `always` is now: it is a warning.",
		Bad: `kind: pipeline
name: default
steps:
- {name: test, image: "golang:1.26", pull: IfNotPresent, commands: [go test ./...]}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: test, image: "golang:1.26", pull: if-not-exists, commands: [go test ./...]}
`,
		Reference: "§7.6",
		grade:     gradePull,
	}}
}

func checkImageName(p *pass) {
	for e := range p.elements() {
		name := e.Image.Value
		if !e.pipeline.InContainers() || name == "" || strings.Contains(name, "$") {
			continue
		}
		hint := imageFault(name)
		if hint == "" {
			continue
		}
		p.report(e, e.Image.Span, fmt.Sprintf("image %q of %s %q is no name of an image", cut(name), e.noun(), e.Name.Value), hint)
	}
}

// imageFault says what is wrong with the name of an image, "" when nothing is.
func imageFault(name string) string {
	if _, err := reference.ParseNormalizedNamed(name); err == nil {
		return ""
	}
	scheme, rest, found := strings.Cut(name, "://")
	switch {
	case strings.Contains(name, " - ") || strings.HasSuffix(name, " -"):
		return "the line `commands:` above the list is missing, so YAML has joined it to the name"
	case strings.TrimSpace(name) != name || strings.ContainsAny(name, " \t\n"):
		return "a name has no blanks: look for a missing line break or key"
	case found:
		return fmt.Sprintf("leave out `%s://`: write `%s`", scheme, strings.ToLower(rest))
	case strings.ToLower(name) != name && imageFault(strings.ToLower(name)) == "":
		return fmt.Sprintf("names are in lower case: write `%s`", strings.ToLower(name))
	}
	return "write it as `registry/repository:tag`"
}

// cut shortens what is too long for a message.
func cut(text string) string {
	const long = 60
	if runes := []rune(text); len(runes) > long {
		return string(runes[:long]) + "…"
	}
	return text
}

func checkImageTag(p *pass) {
	for e := range p.elements() {
		if !e.pipeline.InContainers() || strings.Contains(e.Image.Value, "$") {
			continue
		}
		named, err := reference.ParseNormalizedNamed(e.Image.Value)
		if err != nil {
			continue
		}
		tagged, ok := named.(reference.Tagged)
		_, digested := named.(reference.Digested)
		switch {
		case digested:
		case !ok:
			p.report(e, e.Image.Span, fmt.Sprintf("image %q of %s %q has no tag, so it is whatever is the latest", e.Image.Value, e.noun(), e.Name.Value),
				"name a version")
		case tagged.Tag() == "latest":
			p.report(e, e.Image.Span, fmt.Sprintf("image %q of %s %q is whatever is the latest", e.Image.Value, e.noun(), e.Name.Value), "name a version")
		}
	}
}

// gradePull tells the boolean of Drone 0.8 from a word that is wrong.
func gradePull(f *manifest.Problem, text string) {
	word := strings.ToLower(strings.Trim(text, `"'`))
	f.Severity = manifest.Error
	meant := ""
	switch word {
	case "true", "yes", "on":
		f.Severity = manifest.Warning
		f.Hint = "write `always` if the image is to be pulled each time, as it was with Drone 0.8; as it is, an image that is there is not pulled"
		return
	case "false", "no", "off":
		f.Severity = manifest.Warning
		f.Hint = "write `if-not-exists` or `never`, or leave it out"
		return
	case "ifnotpresent", "if-not-present", "if_not_present", "ifnotexists", "if_not_exists", "missing":
		meant = "if-not-exists"
	default:
		meant = closestOf(word, manifest.PullPolicies())
	}
	if meant != "" {
		f.Hint, f.Fix = fmt.Sprintf("did you mean `%s`?", meant), &manifest.Edit{Span: f.Span, Text: meant}
	}
}
