package lint

import (
	"fmt"
	"strings"

	"github.com/distribution/reference"

	"github.com/drone-laptop/drone/manifest"
)

// imageRules are about images, plugins and how containers are run.
func imageRules() []Rule {
	return []Rule{{
		ID: "image-tag", Group: GroupImages, Severity: manifest.Info, Strict: manifest.Warning,
		Summary: "an image without a tag, or with the tag latest",
		Explanation: "What such a name stands for changes without notice: a build that passed yesterday fails today, and " +
			"the image on this machine is another than that of the server. Name a version, or a digest.",
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
		Reference: "§7.8",
		check:     checkImageTag,
	}}
}

func checkImageTag(p *pass) {
	for e := range p.elements() {
		if !containers(e.pipeline) || strings.Contains(e.Image.Value, "$") {
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
