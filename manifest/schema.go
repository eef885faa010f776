package manifest

import (
	"fmt"

	"gopkg.in/yaml.v3"
)

// schema holds the shape of every map in a file.
type schema struct {
	header      *object[header]
	unknown     *object[header]
	concurrency *object[concurrency]
	platform    *object[Platform]
	pipeline    *object[Pipeline]
	clone       *object[Clone]
	workspace   *object[Workspace]
	step        *object[Step]
	variable    *object[EnvVar]
	mount       *object[Mount]
	volume      *object[Volume]
	temp        *object[TempVolume]
	host        *object[HostVolume]
	conditions  *object[Conditions]
	patterns    *object[patterns]
	changeset   *object[patterns]
	secret      *object[Secret]
	secretGet   *object[secretGet]
	signature   *object[Signature]
	template    *object[Template]
}

func newSchema() *schema {
	return &schema{
		header:      newHeaderObject(),
		unknown:     newObject[header](Object{Kind: "unknown"}),
		concurrency: newConcurrencyObject(),
		platform:    newPlatformObject(),
		pipeline:    newPipelineObject(),
		clone:       newCloneObject(),
		workspace:   newWorkspaceObject(),
		step:        newStepObject(),
		variable:    newVariableObject(),
		mount:       newMountObject(),
		volume:      newVolumeObject(),
		temp:        newTempObject(),
		host:        newHostObject(),
		conditions:  newConditionsObject(),
		patterns:    newPatternsObject(),
		changeset:   newChangesetObject(),
		secret:      newSecretObject(),
		secretGet:   newSecretGetObject(),
		signature:   newSignatureObject(),
		template:    newTemplateObject(),
	}
}

// newPipelineObject has the keys of reference §2.1 that other documents lack.
func newPipelineObject() *object[Pipeline] {
	return newObject(Object{
		Name: "pipeline", Kind: "pipeline",
		Doc: "A pipeline: steps that share a workspace, and when they run. A server calls it a stage of the build.",
		Mistakes: []Advice{
			{"when", "`when` belongs inside a step, indented like its `name`; a pipeline has `trigger`"},
			{"pipeline", "did you mean `steps`? `pipeline` is Drone 0.8 syntax"},
			{"branches", "write `trigger: {branch: [main]}`"},
			{"matrix", "a matrix of Drone 0.8 is written as several pipelines"},
			{"labels", "did you mean `node`?"},
			{"image", "`image` belongs inside a step; check the indentation"},
			{"commands", "`commands` belongs inside a step; check the indentation"},
			{"settings", "`settings` belongs inside a step; check the indentation"},
		},
	},
		conditionsKey(Key{
			Name: "trigger", Example: "{event: [push, tag], branch: main}",
			Doc: "The builds that the pipeline is part of; without it, all. The server compares it before variables are substituted.",
		}, func(p *Pipeline) *Conditions { return &p.Trigger }),
		objectKey(Key{
			Name: "clone", Of: "clone", Example: "{disable: true}",
			Doc: "How the commit is fetched before the first step.",
		}, func(s *schema) *object[Clone] { return s.clone }, func(p *Pipeline) *Clone { return &p.Clone }),
		objectKey(Key{
			Name: "workspace", Of: "workspace", Only: "docker", Example: "{path: /go/src/app}",
			Doc: "Where the source code is in the containers.",
		}, func(s *schema) *object[Workspace] { return s.workspace }, func(p *Pipeline) *Workspace { return &p.Workspace }),
		customKey(Key{
			Name: "environment", Type: TypeTextMap, Only: "docker", Example: "{CGO_ENABLED: 0}",
			Doc: "Variables of all containers of the pipeline, those of services and of the clone step included. Secrets are given to single steps only.",
		}, func(d *decoder, p *Pipeline, n *yaml.Node) { p.Environment = d.environment(n, p.Environment, false) }),
		customKey(Key{
			Name: "services", Type: TypeObjects, Of: "step", Only: "docker", Example: "[{name: redis, image: \"redis:7\"}]",
			Doc: "Containers that run beside the steps, started before them and stopped at the end. Steps reach one by its name.",
		}, func(d *decoder, p *Pipeline, n *yaml.Node) { p.Services = d.steps(n, "service") }),
		customKey(Key{
			Name: "steps", Type: TypeObjects, Of: "step", Example: "[{name: test, image: \"golang:1.26\", commands: [go test ./...]}]",
			Doc: "What the pipeline does, one step after another; as a graph as soon as one step has `depends_on`.",
		}, func(d *decoder, p *Pipeline, n *yaml.Node) { p.Steps = d.steps(n, "step") }),
		customKey(Key{
			Name: "volumes", Type: TypeObjects, Of: "volume", Only: "docker", Example: "[{name: cache, temp: {}}]",
			Doc: "Volumes that steps and services mount by name.",
		}, func(d *decoder, p *Pipeline, n *yaml.Node) { p.Volumes = d.volumes(n) }),
		textsKey(Key{
			Name: "image_pull_secrets", Only: "docker", Example: "[dockerconfigjson]",
			Doc: "Secrets that hold credentials of registries, in the format of Docker's config.json. Of two with the same registry the later one wins.",
		}, func(p *Pipeline) *[]String { return &p.PullSecrets }),
	)
}

// newCloneObject has the options of reference §7.5.
func newCloneObject() *object[Clone] {
	o := newObject(Object{
		Name: "clone", Doc: "The step that fetches the commit.",
		hint: "write `clone: {disable: true}` to do without the clone step",
	},
		booleanKey(Key{
			Name: "disable", Default: "false", Example: "true",
			Doc: "Start with an empty workspace. A step of your own may then be called `clone`.",
		}, func(c *Clone) *Bool { return &c.Disable }),
		integerKey(Key{
			Name: "depth", Default: "the whole history", Only: "docker", Example: "50",
			Doc: "How many commits of the history are fetched.",
		}, func(c *Clone) *Int { return &c.Depth }),
		integerKey(Key{
			Name: "retries", Default: "0", Only: "docker", Example: "3",
			Doc: "How often the fetch is tried again after it failed.",
		}, func(c *Clone) *Int { return &c.Retries }),
		booleanKey(Key{
			Name: "skip_verify", Default: "false", Example: "true",
			Doc: "Accept any TLS certificate of the git server, in the clone step and for git in all steps.",
		}, func(c *Clone) *Bool { return &c.SkipVerify }),
		booleanKey(Key{
			Name: "trace", Default: "false", Example: "true",
			Doc: "Have git print what it does, in the clone step and in all steps.",
		}, func(c *Clone) *Bool { return &c.Trace }),
	)
	o.mend = mendClone
	return o
}

// newWorkspaceObject has the keys of reference §7.2.
func newWorkspaceObject() *object[Workspace] {
	o := newObject(Object{
		Name: "workspace", Doc: "The folder that all containers of a pipeline share, and in it the one with the source code.",
		hint: "write `workspace: {path: /drone/src}`",
	},
		textKey(Key{
			Name: "base", Default: "/drone/src", Example: "/go",
			Doc: "The shared folder, an absolute path in the containers.",
		}, func(w *Workspace) *String { return &w.Base }),
		textKey(Key{
			Name: "path", Example: "src/github.com/octocat/hello",
			Doc: "The folder of the source code below `base`, in which commands start. An absolute path without a `base` is the shared folder itself.",
		}, func(w *Workspace) *String { return &w.Path }),
	)
	o.mend = mendWorkspace
	return o
}

func newMountObject() *object[Mount] {
	return newObject(Object{
		Name: "mount", Doc: "A volume or a device of the pipeline, and where a step sees it.",
	},
		textKey(Key{
			Name: "name", Required: true, Example: "cache",
			Doc: "The name of an entry under `volumes` of the pipeline.",
		}, func(m *Mount) *String { return &m.Name }),
		textKey(Key{
			Name: "path", Required: true, Example: "/root/.cache",
			Doc: "The absolute path in the container.",
		}, func(m *Mount) *String { return &m.Path }),
	)
}

// newVolumeObject has the forms of reference §2.4.
func newVolumeObject() *object[Volume] {
	ignored := "only `temp: {}` and `host: {path: /path}` make a volume"
	return newObject(Object{
		Name: "volume", Doc: "A volume of a pipeline: a name, with `temp` or `host`.",
		Ignored: []Advice{{"claim", ignored}, {"config_map", ignored}},
		Mistakes: []Advice{
			{"path", "the path in the container is given in the step: `volumes: [{name: cache, path: /cache}]`"},
		},
	},
		textKey(Key{
			Name: "name", Required: true, Example: "cache",
			Doc: "The name by which steps mount the volume.",
		}, func(v *Volume) *String { return &v.Name }),
		customKey(Key{
			Name: "temp", Type: TypeObject, Of: "temp", Example: "{}",
			Doc: "A volume that lives as long as the pipeline. `temp: {}` is one, `temp:` alone is none.",
		}, func(d *decoder, v *Volume, n *yaml.Node) { d.tempVolume(n, v) }),
		customKey(Key{
			Name: "host", Type: TypeObject, Of: "host", Trusted: true, Example: "{path: /var/cache}",
			Doc: "A path of the machine that runs the pipeline.",
		}, func(d *decoder, v *Volume, n *yaml.Node) { d.hostVolume(n, v) }),
	)
}

func newTempObject() *object[TempVolume] {
	return newObject(Object{
		Name: "temp", Doc: "A volume that lives as long as its pipeline.",
		hint: "write `temp: {}`",
	},
		textKey(Key{
			Name: "medium", Values: []string{"memory"}, Open: true, Trusted: true, Example: "memory",
			Doc:  "`memory` keeps the volume in memory; each container then has an empty one of its own. Anything else is a volume on disk.",
			hint: "write `medium: memory`",
		}, func(t *TempVolume) *String { return &t.Medium }),
		sizeKey(Key{
			Name: "size_limit", Example: "512m",
			Doc: "How large a volume in memory may become. Others have no limit.",
		}, func(t *TempVolume) *Size { return &t.SizeLimit }),
	)
}

func newHostObject() *object[HostVolume] {
	return newObject(Object{
		Name: "host", Doc: "A path of the machine that runs the pipeline.",
		hint: "write `host: {path: /path/on/the/host}`",
	},
		textKey(Key{
			Name: "path", Required: true, Example: "/var/cache",
			Doc: "An absolute path on the machine. Docker creates a folder that is missing; below /dev it is a device, for `devices` of a step.",
		}, func(h *HostVolume) *String { return &h.Path }),
	)
}

// volumes reads the volumes of a pipeline.
func (d *decoder) volumes(n *yaml.Node) []*Volume {
	n = target(n)
	if isNull(n) {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		d.shape(n, "a list", "write `volumes: [{name: cache, temp: {}}]`")
		return nil
	}
	var out []*Volume
	for _, item := range n.Content {
		item = target(item)
		v := &Volume{Span: d.span(item)}
		if item.Kind != yaml.MappingNode {
			d.shape(item, "a list of maps", "write `- name: cache` and below it `temp: {}` or `host: {path: /path}`")
			continue
		}
		decodeObject(d, d.schema.volume, item, v)
		out = append(out, v)
	}
	return out
}

func (d *decoder) tempVolume(n *yaml.Node, v *Volume) {
	if n = target(n); isNull(n) {
		d.emptyVolume(n, "temp: {}")
		return
	}
	if v.Temp == nil {
		v.Temp = &TempVolume{}
	}
	v.Host = nil
	decodeObject(d, d.schema.temp, n, v.Temp)
}

func (d *decoder) hostVolume(n *yaml.Node, v *Volume) {
	n = target(n)
	switch {
	case isNull(n):
		d.emptyVolume(n, "host: {path: /path}")
		return
	case n.Kind == yaml.ScalarNode:
		d.shape(n, "a map", fmt.Sprintf("write `host: {path: %s}`", oneLine(d.sourceOf(n))))
		return
	}
	if v.Host == nil {
		v.Host = &HostVolume{}
	}
	v.Temp = nil
	decodeObject(d, d.schema.host, n, v.Host)
}

func (d *decoder) emptyVolume(n *yaml.Node, want string) {
	d.report(Warning, RuleVolume, n, fmt.Sprintf("%s is null, so there is no volume to mount", d.subject()), "write `"+want+"`")
}
