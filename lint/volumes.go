package lint

import (
	"fmt"
	"path"
	"slices"

	"github.com/drone-laptop/drone/manifest"
)

// volumeRules are about volumes, mounts and paths.
func volumeRules() []Rule {
	return []Rule{{
		ID: "unknown-volume", Group: groupVolumes, Severity: manifest.Error,
		Summary:     "a step mounts a volume that the pipeline does not declare",
		Explanation: "The runner takes the name for a Docker volume and fails when the step starts. Every volume is declared under `volumes` of the pipeline, beside `steps`.",
		Bad: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  commands: [go test ./...]
  volumes: [{name: cache, path: /go/pkg}]
`,
		Good: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  commands: [go test ./...]
  volumes: [{name: cache, path: /go/pkg}]
volumes:
- {name: cache, temp: {}}
`,
		Reference: "§2.4",
	}, {
		ID: "unused-volume", Group: groupVolumes, Severity: manifest.Warning,
		Summary:     "a volume that no step mounts",
		Explanation: "Declaring a volume mounts it nowhere: each step that is to see it names it under `volumes`, with the path.",
		Bad: `kind: pipeline
name: default
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
volumes:
- {name: cache, temp: {}}
`,
		Good: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  commands: [go test ./...]
  volumes: [{name: cache, path: /go/pkg}]
volumes:
- {name: cache, temp: {}}
`,
		Reference: "§2.4",
		check:     checkUnusedVolumes,
	}, {
		ID: "duplicate-volume", Group: groupVolumes, Severity: manifest.Warning,
		Summary:     "two volumes of one name in a pipeline",
		Explanation: "Steps name a volume and get only one of the two. No linter of the server looks at it.",
		Bad: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  commands: [go test ./...]
  volumes: [{name: cache, path: /go/pkg}]
volumes:
- {name: cache, temp: {}}
- {name: cache, temp: {}}
`,
		Good: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  commands: [go test ./...]
  volumes: [{name: modules, path: /go/pkg}, {name: cache, path: /root/.cache}]
volumes:
- {name: modules, temp: {}}
- {name: cache, temp: {}}
`,
		Reference: "§10.2",
		check:     checkDuplicateVolumes,
	}, {
		ID: "duplicate-mount", Group: groupVolumes, Severity: manifest.Error,
		Summary:     "two volumes at one path of a step",
		Explanation: "The engine refuses the container: `Duplicate mount point`.",
		Bad: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  commands: [go test ./...]
  volumes: [{name: one, path: /cache}, {name: two, path: /cache/}]
volumes:
- {name: one, temp: {}}
- {name: two, temp: {}}
`,
		Good: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  commands: [go test ./...]
  volumes: [{name: one, path: /cache/one}, {name: two, path: /cache/two}]
volumes:
- {name: one, temp: {}}
- {name: two, temp: {}}
`,
		Reference: "§2.4",
		check:     checkDuplicateMounts,
	}, {
		ID: "empty-volume", Group: groupVolumes, Severity: manifest.Error,
		Summary: "a volume without a source",
		Explanation: "A volume needs `temp: {}` or `host: {path: …}`. With `temp:` and nothing behind it, or a source that only other " +
			"runners know, none is made, and mounts of it are dropped without a word.",
		Bad: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  commands: [go test ./...]
  volumes: [{name: cache, path: /go/pkg}]
volumes:
- name: cache
  temp:
`,
		Good: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  commands: [go test ./...]
  volumes: [{name: cache, path: /go/pkg}]
volumes:
- name: cache
  temp: {}
`,
		Reference: "§2.4",
	}, {
		ID: "reserved-volume", Group: groupVolumes, Severity: manifest.Error,
		Summary:     "a volume with a name that the runner keeps for itself",
		Explanation: "`workspace`, `_workspace` and `_docker_socket` are refused. The socket of the engine is a host volume with its path, under another name.",
		Bad: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  commands: [go test ./...]
  volumes: [{name: workspace, path: /src}]
volumes:
- {name: workspace, temp: {}}
`,
		Good: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  commands: [go test ./...]
  volumes: [{name: sources, path: /src}]
volumes:
- {name: sources, temp: {}}
`,
		Reference: "§10.2",
	}, {
		ID: "reserved-path", Group: groupVolumes, Severity: manifest.Error,
		Summary:     "a volume at a path that the runner keeps for itself",
		Explanation: "Nothing can be mounted at a path that begins with `/run/drone`.",
		Bad: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  commands: [go test ./...]
  volumes: [{name: cache, path: /run/drone}]
volumes:
- {name: cache, temp: {}}
`,
		Good: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  commands: [go test ./...]
  volumes: [{name: cache, path: /run/cache}]
volumes:
- {name: cache, temp: {}}
`,
		Reference: "§10.2",
	}, {
		ID: "relative-path", Group: groupVolumes, Severity: manifest.Error,
		Summary:     "a path in a container that does not begin with a slash",
		Explanation: "The engine refuses the container. It concerns mounts, `working_dir` and `workspace.base`.",
		Bad: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  working_dir: backend
  commands: [go test ./...]
`,
		Good: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  working_dir: /drone/src/backend
  commands: [go test ./...]
`,
		Reference: "§7.2, §7.4",
	}, {
		ID: "unknown-device", Group: groupVolumes, Severity: manifest.Error,
		Summary:     "a device that is no host volume below /dev",
		Explanation: "A device is declared as a host volume and named in the step under `devices`.",
		Bad: `kind: pipeline
name: default
steps:
- name: flash
  image: alpine:3
  commands: [./flash.sh]
  devices: [{name: serial, path: /dev/ttyUSB0}]
`,
		Good: `# drone-lint: disable=untrusted
kind: pipeline
name: default
steps:
- name: flash
  image: alpine:3
  commands: [./flash.sh]
  devices: [{name: serial, path: /dev/ttyUSB0}]
volumes:
- {name: serial, host: {path: /dev/ttyUSB0}}
`,
		Reference: "§2.4",
	}, {
		ID: "restricted-workspace", Group: groupVolumes, Severity: manifest.Warning,
		Summary:     "a workspace that would hide a folder of the system",
		Explanation: "A workspace at `/`, `/usr/bin` and the like would hide the programs of every image, so the default is used instead.",
		Bad: `kind: pipeline
name: default
workspace: {path: /usr/bin}
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
`,
		Good: `kind: pipeline
name: default
workspace: {path: /usr/src/app}
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
`,
		Reference: "§7.2",
	}, {
		ID: "clone-in-tree", Group: groupVolumes, Severity: manifest.Warning,
		Summary: "a clone step of the file, which on this machine would work in the user's own tree",
		Explanation: "`drone exec` mounts the working tree, where there is nothing to clone and something to lose. Leave the step out there with " +
			"`--exclude clone`, or give it a workspace of its own with `--clone`. A server is not concerned.",
		Bad: `kind: pipeline
name: default
clone: {disable: true}
steps:
- {name: clone, image: "alpine/git:2", commands: [git clone $DRONE_REMOTE_URL .]}
- {name: test, image: "golang:1.26", commands: [go test ./...]}
`,
		Good: `kind: pipeline
name: default
clone: {depth: 10}
steps:
- {name: test, image: "golang:1.26", commands: [go test ./...]}
`,
		Reference: "§7.5",
	}}
}

func checkUnusedVolumes(p *pass) {
	for pl := range p.pipelines() {
		if !pl.InContainers() {
			continue
		}
		used := map[string]bool{}
		for e := range elements(pl) {
			for _, m := range append(slices.Clip(e.Volumes), e.Devices...) {
				used[m.Name.Value] = true
			}
		}
		for _, v := range pl.Volumes {
			if v.Name.Value != "" && !used[v.Name.Value] {
				p.reportIn(pl, v.Name.Span, fmt.Sprintf("volume %q is declared, but no step mounts it", v.Name.Value),
					fmt.Sprintf("add `volumes: [{name: %s, path: /…}]` to the steps that need it, or remove it", v.Name.Value))
			}
		}
	}
}

func checkDuplicateVolumes(p *pass) {
	for pl := range p.pipelines() {
		first := map[string]manifest.Span{}
		for _, v := range pl.Volumes {
			name := v.Name.Value
			before, used := first[name]
			if name == "" {
				continue
			}
			if !used {
				first[name] = v.Name.Span
				continue
			}
			f := p.reportIn(pl, v.Name.Span, fmt.Sprintf("volume %q is declared twice", name), "give each volume a name of its own")
			f.Related = []manifest.Related{{Span: before, Message: "first declared here"}}
		}
	}
}

func checkDuplicateMounts(p *pass) {
	for e := range p.elements() {
		if !e.pipeline.InContainers() || len(e.Volumes) < 2 {
			continue
		}
		first := map[string]manifest.Mount{}
		for _, m := range e.Volumes {
			if m.Path.Value == "" {
				continue
			}
			target := path.Clean(m.Path.Value)
			before, used := first[target]
			if !used {
				first[target] = m
				continue
			}
			f := p.report(e, m.Path.Span, fmt.Sprintf("%s %q mounts two volumes at %q, which the engine refuses", e.noun(), e.Name.Value, target),
				"mount each at a path of its own")
			f.Related = []manifest.Related{{Span: before.Path.Span, Message: fmt.Sprintf("volume %q is mounted there too", before.Name.Value)}}
		}
	}
}
