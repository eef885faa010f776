package manifest

import (
	"fmt"

	"gopkg.in/yaml.v3"
)

// schema holds the shape of every map in a file. It is built once per Parse.
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
		unknown:     &object[header]{top: true},
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

func newPipelineObject() *object[Pipeline] {
	return &object[Pipeline]{
		fields: map[string]func(*decoder, *Pipeline, *yaml.Node){
			// The keys of the header are here for suggestions; they are set
			// together with the header.
			"kind": ignore, "type": ignore, "version": ignore, "name": ignore,
			"depends_on": ignore, "node": ignore, "concurrency": ignore, "platform": ignore,

			"trigger":     func(d *decoder, p *Pipeline, n *yaml.Node) { d.conditions(n, &p.Trigger) },
			"clone":       func(d *decoder, p *Pipeline, n *yaml.Node) { decodeObject(d, d.schema.clone, n, &p.Clone) },
			"workspace":   func(d *decoder, p *Pipeline, n *yaml.Node) { decodeObject(d, d.schema.workspace, n, &p.Workspace) },
			"environment": func(d *decoder, p *Pipeline, n *yaml.Node) { p.Environment = d.environment(n, p.Environment, false) },
			"services":    func(d *decoder, p *Pipeline, n *yaml.Node) { p.Services = d.steps(n, "service") },
			"steps":       func(d *decoder, p *Pipeline, n *yaml.Node) { p.Steps = d.steps(n, "step") },
			"volumes":     func(d *decoder, p *Pipeline, n *yaml.Node) { p.Volumes = d.volumes(n) },
			"image_pull_secrets": func(d *decoder, p *Pipeline, n *yaml.Node) {
				p.PullSecrets = d.list(n)
			},
		},
		hints: map[string]string{
			"when":     "`when` belongs inside a step, indented like its `name`; a pipeline has `trigger`",
			"pipeline": "did you mean `steps`? `pipeline` is Drone 0.8 syntax",
			"branches": "write `trigger: {branch: [main]}`",
			"matrix":   "a matrix of Drone 0.8 is written as several pipelines",
			"labels":   "did you mean `node`?",
			"image":    "`image` belongs inside a step; check the indentation",
			"commands": "`commands` belongs inside a step; check the indentation",
			"settings": "`settings` belongs inside a step; check the indentation",
		},
		top: true,
	}
}

// ignore is the decoder of a key that is read elsewhere.
func ignore(*decoder, *Pipeline, *yaml.Node) {}

func newCloneObject() *object[Clone] {
	return &object[Clone]{
		fields: map[string]func(*decoder, *Clone, *yaml.Node){
			"disable":     func(d *decoder, c *Clone, n *yaml.Node) { c.Disable = d.boolean(n) },
			"depth":       func(d *decoder, c *Clone, n *yaml.Node) { c.Depth = d.integer(n) },
			"retries":     func(d *decoder, c *Clone, n *yaml.Node) { c.Retries = d.integer(n) },
			"skip_verify": func(d *decoder, c *Clone, n *yaml.Node) { c.SkipVerify = d.boolean(n) },
			"trace":       func(d *decoder, c *Clone, n *yaml.Node) { c.Trace = d.boolean(n) },
		},
		example: "`clone: {disable: true}` to do without the clone step",
	}
}

func newWorkspaceObject() *object[Workspace] {
	return &object[Workspace]{
		fields: map[string]func(*decoder, *Workspace, *yaml.Node){
			"base": func(d *decoder, w *Workspace, n *yaml.Node) { w.Base = d.scalar(n, "") },
			"path": func(d *decoder, w *Workspace, n *yaml.Node) { w.Path = d.scalar(n, "") },
		},
		example: "`workspace: {path: /drone/src}`",
	}
}

func newMountObject() *object[Mount] {
	return &object[Mount]{
		fields: map[string]func(*decoder, *Mount, *yaml.Node){
			"name": func(d *decoder, m *Mount, n *yaml.Node) { m.Name = d.scalar(n, "") },
			"path": func(d *decoder, m *Mount, n *yaml.Node) { m.Path = d.scalar(n, "") },
		},
	}
}

func newVolumeObject() *object[Volume] {
	ignored := "only `temp: {}` and `host: {path: /path}` make a volume"
	return &object[Volume]{
		fields: map[string]func(*decoder, *Volume, *yaml.Node){
			"name": func(d *decoder, v *Volume, n *yaml.Node) { v.Name = d.scalar(n, "") },
			"temp": func(d *decoder, v *Volume, n *yaml.Node) { d.tempVolume(n, v) },
			"host": func(d *decoder, v *Volume, n *yaml.Node) { d.hostVolume(n, v) },
		},
		ignored: map[string]string{"claim": ignored, "config_map": ignored},
		hints: map[string]string{
			"path": "the path in the container is given in the step: `volumes: [{name: cache, path: /cache}]`",
		},
	}
}

func newTempObject() *object[TempVolume] {
	return &object[TempVolume]{
		fields: map[string]func(*decoder, *TempVolume, *yaml.Node){
			"medium":     func(d *decoder, t *TempVolume, n *yaml.Node) { t.Medium = d.scalar(n, "write `medium: memory`") },
			"size_limit": func(d *decoder, t *TempVolume, n *yaml.Node) { t.SizeLimit = d.size(n) },
		},
		example: "`temp: {}`",
	}
}

func newHostObject() *object[HostVolume] {
	return &object[HostVolume]{
		fields: map[string]func(*decoder, *HostVolume, *yaml.Node){
			"path": func(d *decoder, h *HostVolume, n *yaml.Node) { h.Path = d.scalar(n, "") },
		},
		example: "`host: {path: /path/on/the/host}`",
	}
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
