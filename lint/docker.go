package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/drone-laptop/drone/manifest"
)

// dockerRules are about steps that talk to a Docker engine.
func dockerRules() []Rule {
	return []Rule{{
		ID: "docker-without-daemon", Group: groupImages, Severity: manifest.Warning,
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
		ID: "docker-service", Group: groupImages, Severity: manifest.Warning,
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

var (
	dockerCommand = regexp.MustCompile(`(?m)(?:^|[;&|(]|\bsudo)\s*(docker (?:build|buildx|run|push|pull|tag|ps|images|exec|compose|load|save)|docker-compose|pack build)\b`)
	dockerSockets = []string{"/var/run/docker.sock", "/run/docker.sock", "/var/run", "/run"}
)

func checkDockerClient(p *pass) {
	for pl := range p.pipelines() {
		if !pl.InContainers() || dockerHost(pl.Environment) || hasDaemon(pl) {
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
		if !pl.InContainers() {
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
	return slices.ContainsFunc(slices.Concat(e.Command, e.Entrypoint, e.Commands), tls) || beforeTLS(e.Image.Value)
}

var majorVersion = regexp.MustCompile(`:(\d+)`)

// beforeTLS reports whether an image is of a Docker before 19, which knows no
// TLS by itself.
func beforeTLS(image string) bool {
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
