package convert

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/manifest"
)

// pipeline is the conversion of one combination of the matrix.
type pipeline struct {
	*legacy
	axis     axis
	index    int
	platform string

	volumes     map[string]string // names by what they are of
	volumeNames map[string]bool
	volumeList  []*yaml.Node
	stepNames   map[string]int        // how often, and the number of the last one
	sections    map[*yaml.Node]string // of Drone 0.4, by the keys of entries
}

// container is a step, a service or an entry of the clone section.
type container struct {
	section string
	key     *yaml.Node
	name    string
	entries []entry
	service bool // also what is detached
	plugin  bool
	from    *yaml.Node
}

func (c *container) get(key string) *yaml.Node { return get(c.entries, key) }

func (c *container) fields(key string) []entry { return entries(c.get(key)) }

func (c *container) keyOf(key string) *yaml.Node { return keyOf(c.entries, key) }

func (c *container) has(key string) bool { return c.get(key) != nil }

// stage is what starts together.
type stage []*yaml.Node

// convert makes the document of a file, nil when the conditions leave no step.
func (p *pipeline) convert(top []entry) (*yaml.Node, error) {
	p.setPlatform(top)
	if p.out.Version == Version04 {
		top = p.sections04(top)
	}
	d := newMap(p.sectionKey(top))
	set(d, "kind", text("pipeline", nil))
	set(d, "type", text("docker", nil))
	set(d, "name", text(p.pipelineName(p.axis, p.index), p.axisPlace()))
	if d.Line == 0 {
		d.Line, d.Column = 1, 1
	}
	for _, e := range top {
		if err := p.section(d, e, top); err != nil {
			return nil, err
		}
	}
	if get(top, "workspace") == nil && p.out.Version != Version04 {
		p.defaultWorkspace(d)
	}
	services, stages, err := p.containers(d, top)
	if err != nil {
		return nil, err
	}
	if n := edges(stages, len(services)); n > maxEdges {
		return nil, p.errorAt(p.key, "give fewer of them the same `group`",
			"the file becomes too large: what its steps wait for comes to %d names, and %d are the most", n, maxEdges)
	}
	steps := p.graph(stages, services)
	if len(steps) == 0 && len(entries(get(top, p.stepsKey(top)))) == 0 {
		return nil, p.errorAt(p.key, "give it a step with an image", "the file has no steps")
	}
	if len(steps) == 0 {
		return nil, nil
	}
	p.environment(d)
	if len(services) > 0 {
		p.addList(d, top, "services", "services", services)
	}
	p.addList(d, top, "steps", p.stepsKey(top), steps)
	if len(p.volumeList) > 0 {
		set(d, "volumes", newList(nil, p.volumeList...))
	}
	return d, nil
}

func (p *pipeline) axisPlace() *yaml.Node {
	if len(p.axis) > 0 {
		return p.axis[0].from
	}
	return nil
}

// stepsKey is the key of the steps; it had another name before Drone 0.5.
func (p *pipeline) stepsKey(top []entry) string {
	if get(top, "pipeline") == nil && get(top, "script") != nil {
		return "script"
	}
	return "pipeline"
}

func (p *pipeline) sectionKey(top []entry) *yaml.Node { return keyOf(top, p.stepsKey(top)) }

func (p *pipeline) addList(d *yaml.Node, top []entry, name, key string, items []*yaml.Node) {
	for i := 0; i+1 < len(items); i++ { // what follows one stands before the next
		items[i+1].HeadComment = joinComments(items[i].FootComment, items[i+1].HeadComment)
		items[i].FootComment = ""
	}
	from := keyOf(top, key)
	setAt(d, name, from, newList(nil, items...))
}

// setPlatform reads the platform of the file, which conditions are compared with.
func (p *pipeline) setPlatform(top []entry) {
	p.platform = "linux/amd64"
	if n := get(top, "platform"); n != nil && n.Kind == yaml.ScalarNode && n.Value != "" {
		p.platform = n.Value
	}
}

// section converts a key of the file but those of containers.
func (p *pipeline) section(d *yaml.Node, e entry, top []entry) error {
	switch key := e.key.Value; key {
	case "pipeline", "services", "matrix", "secrets", p.stepsKey(top):
		return nil
	case "clone":
		return p.cloneOptions(d, e)
	case "workspace":
		return p.workspace(d, e)
	case "platform":
		if e.value.Kind == yaml.ScalarNode {
			p.addPlatform(d, e)
		}
	case "labels":
		p.labels(d, e)
	case "branches":
		if trigger := p.trigger(e.value); trigger != nil {
			setAt(d, "trigger", e.key, trigger)
		}
	case "cache":
		p.lost(e.key, "use a plugin that keeps a cache, or a volume", "`cache` has no equivalent: nothing is kept from one build to the next")
	case "networks", "volumes":
		p.note(manifest.Info, e.key, "", "Drone never made the %s of a file", key)
	case "skip_clone":
		p.note(manifest.Info, e.key, "write `clone: {disable: true}` in the new file if that is meant", "Drone did not know `skip_clone`, so it cloned")
	default:
		if !anchored(e.value) && !strings.HasPrefix(key, ".") && !strings.HasPrefix(key, "x-") && !strings.HasPrefix(key, "_") {
			p.note(manifest.Info, e.key, "", "Drone knew no key %q, so it had no effect", key)
		}
	}
	return nil
}

// anchored reports whether a value is there for its anchors.
func anchored(n *yaml.Node) bool {
	return n.Anchor != "" || slices.ContainsFunc(n.Content, anchored)
}

func (p *pipeline) addPlatform(d *yaml.Node, e entry) {
	if p.masked.has(e.value.Value) {
		p.lost(e.value, "write the platform itself", "a variable in `platform` has no equivalent")
		return
	}
	os, arch, _ := strings.Cut(e.value.Value, "/")
	m := newMap(e.value)
	set(m, "os", text(os, e.value))
	if arch != "" {
		set(m, "arch", text(arch, e.value))
	}
	setAt(d, "platform", e.key, m)
}

func (p *pipeline) labels(d *yaml.Node, e entry) {
	m := newMap(e.value)
	if items, ok := texts(e.value); ok {
		for _, item := range items {
			name, value, _ := strings.Cut(item.Value, "=")
			set(m, name, text(value, item))
		}
	}
	for _, label := range entries(e.value) {
		if label.value.Kind == yaml.ScalarNode {
			setAt(m, label.key.Value, label.key, commentedAs(text(scalarThen(label.value), label.value), label.value))
		}
	}
	if len(m.Content) > 0 {
		setAt(d, "node", e.key, m)
	}
}

// workspace keeps the folder of the source code. What is not said was /drone and
// a path made of the address of the repository.
func (p *pipeline) workspace(d *yaml.Node, e entry) error {
	fields, err := p.mapping(e.value, "`workspace`")
	if err != nil {
		return err
	}
	base, folder := get(fields, "base"), get(fields, "path")
	m := newMap(e.value)
	absolute := folder != nil && strings.HasPrefix(folder.Value, "/")
	switch {
	case base != nil && base.Value != "" && (!absolute || !p.before06()):
		setAt(m, "base", keyOf(fields, "base"), sameText(base))
	case folder != nil && !absolute, folder != nil && !p.before06():
		set(m, "base", text("/drone", folder))
	}
	switch {
	case folder != nil && folder.Value != "" && folder.Value != ".":
		setAt(m, "path", keyOf(fields, "path"), sameText(folder))
	case (folder == nil || folder.Value == "") && len(m.Content) > 0:
		set(m, "path", text(p.sourcePath(), e.value))
	}
	if len(m.Content) > 0 {
		setAt(d, "workspace", e.key, m)
	}
	return nil
}

// defaultWorkspace says where the source code was, as far as the address of the
// repository tells.
func (p *pipeline) defaultWorkspace(d *yaml.Node) {
	if folder := p.sourcePath(); folder != "src" {
		m := newMap(nil)
		set(m, "base", text("/drone", nil))
		set(m, "path", text(folder, nil))
		set(d, "workspace", m)
	}
}

// sourcePath is the folder that a workspace without a path had.
func (p *pipeline) sourcePath() string {
	link, err := url.Parse(p.opts.Link)
	if err != nil || link.Hostname() == "" {
		return "src"
	}
	return path.Join("src", link.Hostname(), strings.TrimSuffix(link.Path, ".git"))
}

// cloneOptions turns the clone of today off where the file has its own.
func (p *pipeline) cloneOptions(d *yaml.Node, e entry) error {
	m := newMap(e.value)
	switch p.out.Version {
	case Version05:
		p.note(manifest.Info, e.key, "", "Drone 0.5 did not look at a `clone` outside of the pipeline")
		return nil
	case Version04:
		for _, option := range entries(e.value) {
			switch option.key.Value {
			case "depth", "skip_verify":
				setAt(m, option.key.Value, option.key, plain(option.value.Value, option.value))
			case "path":
				w := newMap(option.value)
				set(w, "base", text("/drone", option.value))
				set(w, "path", text(path.Join("src", option.value.Value), option.value))
				setAt(d, "workspace", option.key, w)
			default:
				p.lost(option.key, "`clone: {disable: true}` and a step with a plugin can do that", "the option %q of the clone has no equivalent", option.key.Value)
			}
		}
	default:
		if _, err := p.mapping(e.value, "`clone`"); err != nil {
			return err
		}
		if depth := p.onlyDepth(e.value); depth != nil {
			key := text("depth", depth)
			own := entries(e.value)[0]
			key.HeadComment = joinComments(own.key.HeadComment, keyOf(entries(own.value), "image").HeadComment, keyOf(entries(own.value), "depth").HeadComment)
			setKey(m, key, commentedAs(plain(depth.Value, depth), depth))
		} else if len(entries(e.value)) > 0 && !p.opts.Local {
			set(m, "disable", plain("true", nil))
		}
	}
	if len(m.Content) > 0 {
		setAt(d, "clone", e.key, m)
	}
	return nil
}

// onlyDepth is the depth of a clone that has nothing else to say.
func (p *pipeline) onlyDepth(n *yaml.Node) *yaml.Node {
	found := entries(n)
	if len(found) != 1 {
		return nil
	}
	fields := entries(found[0].value)
	depth, image := get(fields, "depth"), get(fields, "image")
	if len(fields) != 2 || depth == nil || image == nil || depth.ShortTag() != "!!int" || depth.Value == "0" {
		return nil
	}
	if image.Value != "plugins/git" && image.Value != "plugins/git:latest" {
		return nil
	}
	return depth
}

// containers converts the services and the steps. Steps come in stages.
func (p *pipeline) containers(d *yaml.Node, top []entry) (services []*yaml.Node, stages []stage, err error) {
	section := func(name string, add func(*container, *yaml.Node)) error {
		n := get(top, name)
		if n == nil {
			return nil
		}
		list, err := p.mapping(n, "`"+name+"`")
		if err != nil {
			return err
		}
		for _, e := range list {
			c, step, err := p.container(name, e)
			if err != nil {
				return err
			}
			if step != nil {
				add(c, step)
			}
		}
		return nil
	}
	if err := section("services", func(_ *container, s *yaml.Node) { services = append(services, s) }); err != nil {
		return nil, nil, err
	}
	if !p.before06() && !p.opts.Local && p.onlyDepth(orNull(get(top, "clone"))) == nil {
		if err := section("clone", func(_ *container, s *yaml.Node) { stages = append(stages, stage{s}) }); err != nil {
			return nil, nil, err
		}
	}
	if p.before06() && len(services) > 0 {
		p.lost(keyOf(top, "services"), "let the steps reach each service by its name", "services were reached at localhost; now each has its name as its address")
	}
	group := ""
	err = section(p.stepsKey(top), func(c *container, s *yaml.Node) {
		if c.name == "clone" && p.before06() {
			m := newMap(c.from)
			set(m, "disable", plain("true", nil))
			set(d, "clone", m)
		}
		of := ""
		if n := c.get("group"); n != nil && !p.before06() {
			of = n.Value
		}
		if of != "" && of == group && len(stages) > 0 {
			stages[len(stages)-1] = append(stages[len(stages)-1], s)
		} else {
			stages = append(stages, stage{s})
		}
		group = of
	})
	return services, stages, err
}

func orNull(n *yaml.Node) *yaml.Node {
	if n == nil {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
	}
	return n
}

// graph writes down what each step waits for, if any start together: all of the
// stage before, and the services before all.
func (p *pipeline) graph(stages []stage, services []*yaml.Node) (steps []*yaml.Node) {
	parallel := slices.ContainsFunc(stages, func(s stage) bool { return len(s) > 1 })
	before := services
	if len(before) == 0 && len(stages) == 1 {
		// Without an order they would be taken for a list.
		before = []*yaml.Node{newStep("clone")}
	}
	for _, s := range stages {
		for _, step := range s {
			steps = append(steps, step)
			if !parallel || len(before) == 0 {
				continue
			}
			list := newList(nil)
			list.Style = yaml.FlowStyle
			for _, b := range before {
				list.Content = append(list.Content, text(b.Content[1].Value, nil))
			}
			set(step, "depends_on", list)
		}
		before = s
	}
	return steps
}

// edges is how many names graph writes down if any steps start together: all of
// a large group are named in each step of the next one.
func edges(stages []stage, services int) (n int) {
	before := services
	for _, s := range stages {
		n += before * len(s)
		before = len(s)
	}
	return n
}

func newStep(name string) *yaml.Node {
	s := newMap(nil)
	set(s, "name", text(name, nil))
	return s
}
