package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"github.com/drone-laptop/drone/manifest"
)

// imageRules are about images and how containers are run.
func imageRules() []Rule {
	return []Rule{{
		ID: "image-name", Group: GroupImages, Severity: manifest.Error,
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
		ID: "image-tag", Group: GroupImages, Severity: manifest.Info, Strict: manifest.Warning,
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
		ID: "image-on-host", Group: GroupImages, Severity: manifest.Error,
		Summary:     "an image in a pipeline of type exec",
		Explanation: "The runner refuses the pipeline: its commands run on the machine, not in containers.",
		Bad: `kind: pipeline
type: exec
name: default
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
`,
		Good: `kind: pipeline
type: exec
name: default
steps:
- {name: test, commands: [go test ./...]}
`,
		Reference: "§10.3",
	}, {
		ID: "no-effect", Group: GroupImages, Severity: manifest.Warning,
		Summary:     "a key that only containers heed, in a pipeline of type exec",
		Explanation: "Runners that run commands on the machine itself read the key and do nothing with it.",
		Bad: `kind: pipeline
type: exec
name: default
steps:
- {name: test, pull: always, commands: [go test ./...]}
`,
		Good: `kind: pipeline
type: exec
name: default
steps:
- {name: test, commands: [go test ./...]}
`,
		Reference: "§3",
	}, {
		ID: "unknown-pull", Group: GroupImages, Severity: manifest.Error,
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
	}, {
		ID: "unknown-failure", Group: GroupImages, Severity: manifest.Error,
		Summary:     "a word for `failure` that the runner does not know",
		Explanation: "`failure: ignore` keeps a failed step from failing the pipeline. Any other word has no effect but that of a failure.",
		Bad: `kind: pipeline
name: default
steps:
- {name: test, image: "golang:1.26", failure: ignored, commands: [go test ./...]}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: test, image: "golang:1.26", failure: ignore, commands: [go test ./...]}
`,
		Reference: "§12.2",
		grade:     gradeFailure,
	}, {
		ID: "nothing-to-do", Group: GroupImages, Severity: manifest.Warning,
		Summary: "a step with neither commands nor settings",
		Explanation: "The step runs the program that the image names. Most images name a shell or an interpreter, which ends at once and " +
			"looks like success. A plugin without settings is fine; so are services.",
		Bad: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
`,
		Good: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  commands: [go test ./...]
`,
		Reference: "§2.2",
		check:     checkNothingToDo,
	}, {
		ID: "commands-win", Group: GroupImages, Severity: manifest.Warning,
		Summary:     "`entrypoint` or `command` beside `commands`",
		Explanation: "`commands` become a script that takes the place of both, so they have no effect.",
		Bad: `kind: pipeline
name: default
steps:
- {name: test, image: "alpine:3", entrypoint: [/bin/ash], commands: [make test]}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: test, image: "alpine:3", entrypoint: [/bin/ash, -c], command: [make test]}
`,
		Reference: "§2.2",
		check:     checkCommandsWin,
	}, {
		ID: "memory-limit", Group: GroupImages, Severity: manifest.Error,
		Summary:     "a memory limit that the engine refuses",
		Explanation: "Docker refuses limits below 6 MB, and a `memswap_limit`, which counts memory and swap together, below `mem_limit`. A number without a unit counts bytes.",
		Bad: `kind: pipeline
name: default
steps:
- {name: test, image: "golang:1.26", mem_limit: 512, commands: [go test ./...]}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: test, image: "golang:1.26", mem_limit: 512m, memswap_limit: 1g, commands: [go test ./...]}
`,
		Reference: "§2.6",
		check:     checkMemory,
	}, {
		ID: "docker-without-daemon", Group: GroupImages, Severity: manifest.Warning,
		Summary: "a step that runs docker, but has no engine to talk to",
		Explanation: "A container has no Docker engine of its own. A step that runs `docker build` needs the socket of the host as a volume " +
			"(a trusted repository), a service with `docker:dind` and `DOCKER_HOST`, or a plugin such as `plugins/docker` instead.",
		Bad: `kind: pipeline
name: default
steps:
- name: image
  image: docker:28-cli
  commands: [docker build -t hello .]
`,
		Good: `kind: pipeline
name: default
steps:
- name: image
  image: plugins/docker:20
  settings: {repo: octocat/hello}
`,
		Reference: "§2.4",
		check:     checkDockerClient,
	}, {
		ID: "docker-service", Group: GroupImages, Severity: manifest.Warning,
		Summary: "a Docker engine as a service that cannot start, or cannot be reached",
		Explanation: "`docker:dind` needs `privileged: true`, so a trusted repository. Since Docker 19 it listens for TLS on port 2376 only: for " +
			"plain TCP on 2375 add `command: [--tls=false, --host=tcp://0.0.0.0:2375]`. An empty `DOCKER_TLS_CERTDIR` does not help: the runner sets no variable to the empty text.",
		Bad: `kind: pipeline
name: default
services:
- {name: docker, image: "docker:28-dind"}
steps:
- name: image
  image: docker:28-cli
  environment: {DOCKER_HOST: "tcp://docker:2375"}
  commands: [docker build -t hello .]
`,
		Good: `# drone-lint: disable=untrusted
kind: pipeline
name: default
services:
- name: docker
  image: docker:28-dind
  privileged: true
  command: [--tls=false, "--host=tcp://0.0.0.0:2375"]
steps:
- name: image
  image: docker:28-cli
  environment: {DOCKER_HOST: "tcp://docker:2375"}
  commands: [docker build -t hello .]
`,
		Reference: "§10.2",
		check:     checkDockerService,
	}}
}

func checkImageName(p *pass) {
	for e := range p.elements() {
		name := e.Image.Value
		if !containers(e.pipeline) || name == "" || strings.Contains(name, "$") {
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

func gradeFailure(f *manifest.Problem, text string) {
	f.Severity = manifest.Error
	word := strings.ToLower(strings.Trim(text, `"'`))
	if strings.HasPrefix(word, "ign") || closestOf(word, []string{"ignore"}) != "" {
		f.Hint, f.Fix = "did you mean `ignore`?", &manifest.Edit{Span: f.Span, Text: "ignore"}
	}
}

func checkNothingToDo(p *pass) {
	for e := range p.elements() {
		switch {
		case !containers(e.pipeline) || e.service || e.Detach.Value || e.Image.Value == "":
		case len(e.Commands)+len(e.Settings)+len(e.Environment)+len(e.Command)+len(e.Entrypoint) > 0:
		case manifest.IsPlugin(e.Image.Value):
		case imageFault(e.Image.Value) != "" || p.misread(e):
		default:
			p.report(e, e.span(), fmt.Sprintf("step %q has neither commands nor settings, so it only starts what the image names", e.Name.Value),
				"add `commands:`, or `settings:` for a plugin")
		}
	}
}

func checkCommandsWin(p *pass) {
	for e := range p.elements() {
		if !containers(e.pipeline) || len(e.Commands) == 0 {
			continue
		}
		for key, list := range map[string][]manifest.String{"entrypoint": e.Entrypoint, "command": e.Command} {
			if len(list) > 0 {
				p.report(e, list[0].Span, fmt.Sprintf("`%s` of %s %q has no effect beside `commands`", key, e.noun(), e.Name.Value),
					"remove it, or `commands`")
			}
		}
	}
}

func checkMemory(p *pass) {
	const least = 6 << 20
	for e := range p.elements() {
		if !containers(e.pipeline) {
			continue
		}
		limit, swap := e.MemLimit, e.MemSwapLimit
		if limit.Bytes > 0 && limit.Bytes < least {
			p.report(e, limit.Span, fmt.Sprintf("mem_limit of %s %q is %d bytes, and the engine refuses less than 6 MB", e.noun(), e.Name.Value, limit.Bytes),
				"write the unit, for example 512m")
		}
		if swap.Bytes > 0 && swap.Bytes < limit.Bytes {
			f := p.report(e, swap.Span, fmt.Sprintf("memswap_limit of %s %q is less than its mem_limit, which the engine refuses", e.noun(), e.Name.Value),
				"memswap_limit counts memory and swap together: write more than mem_limit")
			f.Related = []manifest.Related{{Span: limit.Span, Message: "mem_limit is here"}}
		}
	}
}

var (
	dockerCommand = regexp.MustCompile(`(?m)(?:^|[;&|(]|\bsudo)\s*(docker (?:build|buildx|run|push|pull|tag|ps|images|exec|compose|load|save)|docker-compose|pack build)\b`)
	dockerSockets = []string{"/var/run/docker.sock", "/run/docker.sock", "/var/run", "/run"}
)

func checkDockerClient(p *pass) {
	for pl := range p.pipelines() {
		if !containers(pl) || dockerHost(pl.Environment) || hasDaemon(pl) {
			continue
		}
		for e := range elements(pl) {
			if e.service || dockerHost(e.Environment) || mountsSocket(e) {
				continue
			}
			p.reportClient(e)
		}
	}
}

func (p *pass) reportClient(e element) {
	for _, c := range e.Commands {
		if strings.Contains(c.Value, "dockerd") || strings.Contains(c.Value, "DOCKER_HOST") || strings.Contains(c.Value, "service docker start") {
			return
		}
	}
	for _, c := range e.Commands {
		if !strings.Contains(c.Value, "docker") && !strings.Contains(c.Value, "pack") {
			continue
		}
		text := p.text(c.Span)
		if at := dockerCommand.FindStringSubmatchIndex(strings.TrimLeft(text, `"'`)); at != nil {
			quote := len(text) - len(strings.TrimLeft(text, `"'`))
			word := text[quote+at[2] : quote+at[3]]
			p.report(e, p.part(c.Span, quote+at[2], at[3]-at[2]), fmt.Sprintf("step %q runs `%s`, but has no engine to talk to", e.Name.Value, word),
				"mount the socket of the host, add a `docker:dind` service and DOCKER_HOST, or use the plugin plugins/docker")
			return
		}
	}
}

func dockerHost(list []manifest.EnvVar) bool {
	return slices.ContainsFunc(list, func(v manifest.EnvVar) bool { return v.Name.Value == "DOCKER_HOST" })
}

func mountsSocket(e element) bool {
	return slices.ContainsFunc(e.Volumes, func(m manifest.Mount) bool { return slices.Contains(dockerSockets, m.Path.Value) })
}

// hasDaemon reports whether a pipeline runs a Docker engine of its own.
func hasDaemon(pl *manifest.Pipeline) bool {
	for e := range elements(pl) {
		if daemon(e) {
			return true
		}
	}
	return false
}

// daemon reports whether an element is a Docker engine.
func daemon(e element) bool {
	if !e.service && !e.Detach.Value {
		return false
	}
	if slices.ContainsFunc(e.Commands, func(c manifest.String) bool { return strings.Contains(c.Value, "dockerd") }) {
		return true
	}
	path, tag, _ := strings.Cut(e.Image.Value, ":")
	return strings.Contains(tag, "dind") || strings.HasSuffix(path, "dind")
}

func checkDockerService(p *pass) {
	for pl := range p.pipelines() {
		if !containers(pl) {
			continue
		}
		for e := range elements(pl) {
			if !daemon(e) {
				continue
			}
			if !e.Privileged.Value {
				p.report(e, e.Image.Span, fmt.Sprintf("%s %q is a Docker engine, which cannot start without `privileged: true`", e.noun(), e.Name.Value),
					"add `privileged: true`; a server then wants a trusted repository")
				continue
			}
			if plain := p.plainAddress(pl, e.Name.Value); plain != nil && !withoutTLS(e) {
				f := p.report(e, e.span(), fmt.Sprintf("%s %q listens for TLS on port 2376, and is asked for plain TCP on 2375", e.noun(), e.Name.Value),
					"add `command: [--tls=false, \"--host=tcp://0.0.0.0:2375\"]` to it")
				f.Related = []manifest.Related{{Span: *plain, Message: "it is asked here"}}
			}
		}
	}
}

// withoutTLS reports whether a Docker engine is told to do without TLS.
func withoutTLS(e element) bool {
	tls := func(s manifest.String) bool {
		return strings.Contains(s.Value, "--tls=false") || strings.Contains(s.Value, "2375") || strings.Contains(s.Value, "dockerd")
	}
	return slices.ContainsFunc(slices.Concat(e.Command, e.Entrypoint, e.Commands), tls) || old(e.Image.Value)
}

var majorVersion = regexp.MustCompile(`:(\d+)`)

// old reports whether an image is of a Docker before 19, which knows no TLS by
// itself.
func old(image string) bool {
	m := majorVersion.FindStringSubmatch(image)
	return m != nil && (len(m[1]) == 1 || len(m[1]) == 2 && m[1] < "19")
}

// plainAddress is where a step of the pipeline asks an engine for plain TCP.
func (p *pass) plainAddress(pl *manifest.Pipeline, name string) *manifest.Span {
	address := name + ":2375"
	look := func(list []manifest.EnvVar) *manifest.Span {
		for _, v := range list {
			if strings.Contains(v.Value.Value, address) {
				span := p.find(v.Value.Span, address)
				return &span
			}
		}
		return nil
	}
	if span := look(pl.Environment); span != nil {
		return span
	}
	for e := range elements(pl) {
		if span := look(e.Environment); span != nil {
			return span
		}
	}
	return nil
}
