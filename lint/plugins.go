package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/manifest"
)

// pluginRules are about plugins and their settings.
func pluginRules() []Rule {
	return []Rule{{
		ID: "settings-with-commands", Group: groupImages, Severity: manifest.Error,
		Summary: "a plugin with `settings` and `commands`",
		Explanation: "`commands` take the place of the program of the plugin, so it never runs: its settings are only variables named " +
			"`PLUGIN_…` that nobody reads. Where the commands read them, or the image is not known as a plugin, it is a warning or nothing.",
		Bad: `kind: pipeline
name: default
steps:
- name: image
  image: plugins/docker:20
  settings: {repo: octocat/hello}
  commands: [make image]
`,
		Good: `kind: pipeline
name: default
steps:
- {name: build, image: "golang:1.26", commands: [make image]}
- {name: image, image: "plugins/docker:20", settings: {repo: octocat/hello}}
`,
		Reference: "§2.5",
		check:     checkSettingsWithCommands,
	}, {
		ID: "setting-hyphen", Group: groupImages, Severity: manifest.Warning,
		Summary: "a hyphen in the name of a setting",
		Explanation: "A setting becomes a variable: `pull-image` becomes `PLUGIN_PULL-IMAGE`, and plugins read `PLUGIN_PULL_IMAGE`. Nothing " +
			"but the case is changed on the way.",
		Bad: `kind: pipeline
name: default
steps:
- {name: image, image: "plugins/docker:20", settings: {repo: octocat/hello, pull-image: false}}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: image, image: "plugins/docker:20", settings: {repo: octocat/hello, pull_image: false}}
`,
		Reference: "§2.5",
		check:     checkSettingHyphen,
	}, {
		ID: "plugin-privilege", Group: groupImages, Severity: manifest.Warning,
		Summary: "a plugin that builds images, without the privileges it has by its name",
		Explanation: "The runner gives privileges to `plugins/docker`, `acr`, `ecr`, `gcr` and `heroku` of Docker Hub, and takes them away where the " +
			"step has volumes, or a variable such as `HOME` or `DOCKER_HOST`. A copy in another registry has none: the administrator of the runner " +
			"can add its name, and `drone exec` takes `--privileged IMAGE`.",
		Bad: `kind: pipeline
name: default
steps:
- {name: image, image: "registry.example.org/plugins/docker:20", settings: {repo: octocat/hello}}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: image, image: "plugins/docker:20", settings: {repo: octocat/hello}}
`,
		Reference: "§7.9",
		check:     checkPluginPrivilege,
	}}
}

func checkSettingsWithCommands(p *pass) {
	for e := range p.elements() {
		if !e.pipeline.InContainers() || len(e.Settings) == 0 || len(e.Commands) == 0 {
			continue
		}
		if slices.ContainsFunc(e.Commands, func(c manifest.String) bool { return strings.Contains(c.Value, "PLUGIN_") }) {
			continue // they are meant for the commands
		}
		f := p.report(e, e.Settings[0].Name.Span, fmt.Sprintf("the plugin of %s %q never runs: its commands take its place", e.noun(), e.Name.Value),
			"move the commands to a step of their own, or remove the settings")
		f.Related = []manifest.Related{{Span: e.Commands[0].Span, Message: "the commands begin here"}}
		if !manifest.IsPlugin(e.Image.Value) {
			f.Severity = manifest.Warning
			f.Message = fmt.Sprintf("the settings of %s %q reach its commands only as variables named PLUGIN_…, which they do not read", e.noun(), e.Name.Value)
			f.Hint = "write `environment` instead of `settings`"
		}
	}
}

func checkSettingHyphen(p *pass) {
	for e := range p.elements() {
		if !e.pipeline.InContainers() {
			continue
		}
		for _, s := range e.Settings {
			name := s.Name.Value
			if !strings.Contains(name, "-") {
				continue
			}
			better := strings.ReplaceAll(name, "-", "_")
			f := p.report(e, s.Name.Span, fmt.Sprintf("setting %q of %s %q becomes the variable PLUGIN_%s, which hardly any plugin reads",
				name, e.noun(), e.Name.Value, strings.ToUpper(name)), fmt.Sprintf("did you mean `%s`?", better))
			f.Fix = p.replace(s.Name, better)
		}
	}
}

// privilegedPlugins are privileged by their name: those that are so here, and
// the one that runners after 1.8.3 add.
var privilegedPlugins = append(compile.PrivilegedPlugins(), "plugins/gar")

func checkPluginPrivilege(p *pass) {
	for e := range p.elements() {
		named, err := reference.ParseNormalizedNamed(e.Image.Value)
		if err != nil || !e.pipeline.InContainers() || e.Privileged.Value || len(e.Commands)+len(e.Command)+len(e.Entrypoint) > 0 {
			continue
		}
		path, domain := reference.Path(named), reference.Domain(named)
		at := slices.IndexFunc(privilegedPlugins, func(name string) bool { return path == name || strings.HasSuffix(path, "/"+name) })
		if at < 0 || slices.Contains(p.privileged, named.Name()) {
			continue
		}
		if domain != "docker.io" || path != privilegedPlugins[at] {
			p.report(e, e.Image.Span, fmt.Sprintf("image %q is not privileged as %s is, so it cannot start its engine", e.Image.Value, privilegedPlugins[at]),
				"have the administrator of the runner add it to the privileged images, and lint with --privileged "+reference.FamiliarName(named))
			continue
		}
		why, span := lostPrivilege(e)
		if why != "" {
			p.report(e, span, fmt.Sprintf("%s takes the privileges from image %q that it has by its name", why, e.Image.Value), "remove it, or add `privileged: true` where the repository is trusted")
		}
	}
}

// lostPrivilege says what keeps a plugin from being privileged for its name.
func lostPrivilege(e element) (string, manifest.Span) {
	if len(e.Volumes) > 0 {
		return "a volume", e.Volumes[0].Span
	}
	for _, v := range e.Environment {
		if compile.TakesPrivilege(v.Name.Value) {
			return "the variable " + v.Name.Value, v.Name.Span
		}
	}
	return "", manifest.Span{}
}
