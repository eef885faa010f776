package convert_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/drone/envsubst"
	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/compile"
)

// This file says what Drone 0.4, 0.5 and 0.8 did with a file, by reading the file
// itself (reference A to F). It shares nothing with what it is compared with.

// oldBuild is a build as those versions saw it.
type oldBuild struct {
	event, branch, ref, target string
}

var oldBuilds = []oldBuild{
	{"push", "main", "refs/heads/main", ""},
	{"push", "topic", "refs/heads/topic", ""},
	{"push", "release/old", "refs/heads/release/old", ""},
	{"push", "release/new", "refs/heads/release/new", ""},
	{"pull_request", "main", "refs/pull/1/head", ""},
	{"tag", "", "refs/tags/v1", ""},
	{"deployment", "main", "refs/heads/main", "production"},
	{"deployment", "main", "refs/heads/main", "staging"},
}

const oldCommit = "0123456789abcdef0123456789abcdef01234567"

func (b oldBuild) today() compile.Build {
	event := b.event
	if event == "deployment" {
		event = "promote"
	}
	return compile.Build{
		Event: event, Branch: b.branch, Ref: b.ref, Deploy: b.target, After: oldCommit,
		Repo: compile.Repo{Slug: "octocat/hello", Namespace: "octocat", Name: "hello"}, System: compile.System{Host: "ci.example.com"},
	}
}

// oldSecrets are those that the old server had.
var oldSecrets = map[string]string{"TOKEN": `s3cr"et`, "REGISTRY": "registry.example.com", "OTHER": "0th3r", "HEROKU_KEY": "k3y"}

// oldVariables are those of the fixtures.
func (b oldBuild) variables() map[string]string {
	out := map[string]string{
		"DRONE_BRANCH": b.branch, "DRONE_COMMIT_SHA": oldCommit, "DRONE_COMMIT": oldCommit, "DRONE_REPO": "octocat/hello",
		"CI": "drone", "CI_SYSTEM": "drone",
	}
	if b.event == "tag" {
		out["DRONE_TAG"] = strings.TrimPrefix(b.ref, "refs/tags/")
		out["CI_TAG"] = out["DRONE_TAG"]
	}
	return out
}

// oldStep is what was known of a container when it ran.
type oldStep struct {
	name, image          string
	onSuccess, onFailure bool
	detach               bool // nobody asks how it ends
	commands             []string
	env                  map[string]string // without what all have
}

// original reads files for one version of Drone.
type original struct {
	t       *testing.T
	version string
	axis    map[string]string
	job     int
	build   oldBuild
	local   bool // on the machine of a developer
	seen    map[string]int
}

// oldJobs are the combinations of a matrix (reference C).
func oldJobs(source []byte) []map[string]string {
	var file struct {
		Matrix yaml.Node
	}
	if yaml.Unmarshal(source, &file) != nil { // no YAML before substitution, so it had none
		return []map[string]string{{}}
	}
	var include struct{ Include []map[string]string }
	if file.Matrix.Decode(&include) == nil && len(include.Include) > 0 {
		return include.Include
	}
	jobs := []map[string]string{{}}
	for i := 0; i+1 < len(file.Matrix.Content); i += 2 {
		var next []map[string]string
		for _, job := range jobs {
			for _, value := range file.Matrix.Content[i+1].Content {
				with := maps.Clone(job)
				with[file.Matrix.Content[i].Value] = value.Value
				next = append(next, with)
			}
		}
		jobs = next
	}
	return jobs
}

var (
	simple05 = regexp.MustCompile(`\$\{(\w+)(?::(\d+):(\d+)|##\*/)?\}`)
	simple04 = regexp.MustCompile(`"?\$\$\{?([A-Z]+)\}?"?`)
)

// substituted is the text that was read as YAML (reference F2).
func (o *original) substituted(source string) string {
	values := o.build.variables()
	switch o.version {
	case "0.8":
		values["CI_JOB_NUMBER"], values["DRONE_JOB_NUMBER"] = strconv.Itoa(o.job+1), strconv.Itoa(o.job+1)
		maps.Copy(values, o.axis)
		out, err := envsubst.Eval(source, func(name string) string { return values[name] })
		if err != nil {
			o.t.Fatal(err)
		}
		if !strings.Contains(source, `//\//`) { // a file with one has those of a shell elsewhere
			return strings.NewReplacer(`\/`, `/`, `\\`, `\`).Replace(out)
		}
		return out
	case "0.5":
		maps.Copy(values, o.axis)
		maps.Copy(values, oldSecrets)
		return simple05.ReplaceAllStringFunc(source, func(e string) string {
			m := simple05.FindStringSubmatch(e)
			value := values[m[1]]
			if m[2] != "" {
				from, _ := strconv.Atoi(m[2])
				length, _ := strconv.Atoi(m[3])
				if from+length >= len(value) {
					return ""
				}
				return value[from : from+length]
			}
			if strings.Contains(value, `"`) { // as somebody would have written it
				value = strings.ReplaceAll(value, `"`, "”")
			}
			return value
		})
	}
	values["BRANCH"], values["COMMIT"] = o.build.branch, oldCommit[:7]
	maps.Copy(values, oldSecrets)
	maps.Copy(values, o.axis)
	return simple04.ReplaceAllStringFunc(source, func(e string) string {
		value := strings.ReplaceAll(values[simple04.FindStringSubmatch(e)[1]], `"`, "”")
		if strings.HasPrefix(e, `"`) && strings.HasSuffix(e, `"`) {
			return strconv.Quote(value)
		}
		return value
	})
}

// stages are what the conditions leave of a file, in stages that ran one after
// another (reference D5), and the services. It is no file when the values of the
// build leave no YAML.
func (o *original) stages(source []byte) (services []oldStep, stages [][]oldStep, isFile bool) {
	o.t.Helper()
	var file struct {
		Clone, Pipeline, Services               yaml.Node
		Build, Compose, Publish, Deploy, Notify yaml.Node
		Platform                                string
		Branches                                any
	}
	if err := yaml.Unmarshal([]byte(o.substituted(string(source))), &file); err != nil {
		return nil, nil, false
	}
	if (o.build.event == "push" || o.build.event == "pull_request") && !oldMatch(file.Branches, o.build.branch) {
		return nil, nil, true
	}
	if file.Platform == "" {
		file.Platform = "linux/amd64"
	}
	o.seen = map[string]int{}
	last := ""
	add := func(section string, n yaml.Node) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			s, group, runs := o.step(section, n.Content[i].Value, n.Content[i+1], file.Platform)
			switch {
			case !runs:
				continue
			case section == "services":
				services = append(services, s)
				continue
			case o.version == "0.8" && section == "pipeline" && group != "" && group == last:
				stages[len(stages)-1] = append(stages[len(stages)-1], s)
			default:
				stages = append(stages, []oldStep{s})
			}
			last = group
		}
	}
	if o.version == "0.4" {
		add("services", file.Compose)
		if len(file.Build.Content) > 0 && slices.ContainsFunc(file.Build.Content, func(n *yaml.Node) bool { return n.Value == "image" }) {
			one := file.Build
			file.Build = yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{{Value: "build"}, &one}}
		}
		add("build", file.Build)
		add("publish", file.Publish)
		add("deploy", file.Deploy)
		add("notify", file.Notify)
		return services, stages, true
	}
	add("services", file.Services)
	if o.version == "0.8" && !o.local && !regexp.MustCompile(`plugins/git, depth|plugins/git # comment`).Match(source) { // which becomes the clone of today
		add("clone", file.Clone)
		last = ""
	}
	add("pipeline", file.Pipeline)
	return services, stages, true
}

// known05 and known08 are the keys that are no parameters of plugins, as far as
// the fixtures have them.
var (
	known05 = strings.Fields("name image pull detach privileged environment labels entrypoint command commands volumes devices network_mode " +
		"extra_hosts dns dns_search mem_limit memswap_limit shm_size cpu_quota auth_config when")
	known08 = append(strings.Fields("tmpfs ipc_mode cap_add group secrets"), known05...)
)

// step reads one container.
func (o *original) step(section, key string, n *yaml.Node, platform string) (s oldStep, group string, runs bool) {
	var c struct {
		Name, Group, Image    string
		Detach                bool
		Environment, Commands yaml.Node
		Secrets               []yaml.Node
		When                  map[string]any
	}
	if err := n.Decode(&c); err != nil {
		o.t.Fatal(err)
	}
	if merged := map[string]any{}; c.Image == "" && n.Decode(&merged) == nil { // what is merged in
		c.Image, _ = merged["image"].(string)
	}
	s = oldStep{name: key, image: c.Image, detach: c.Detach || section == "services", env: map[string]string{}}
	if c.Name != "" {
		s.name = c.Name
	}
	if s.image == "" {
		s.image = key
		if o.version == "0.4" && section != "services" {
			s.image = "plugins/" + strings.ReplaceAll(key, "_", "-")
		}
	}
	known := known05
	if o.version == "0.8" {
		known = known08
	}
	params := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if k := n.Content[i].Value; !slices.Contains(known, k) && k != "<<" {
			params[k] = n.Content[i+1]
		}
	}
	plugin := c.Commands.Kind == 0 || o.version == "0.5" && len(params) > 0
	o.environment(&s, &c.Environment)
	for name, value := range o.axis {
		builtin := strings.HasPrefix(name, "DRONE_")
		if value != "" && !builtin && (o.version != "0.8" || value != "0" && value != "false") {
			s.env[name] = value
		}
	}
	if !s.detach {
		for k, v := range params {
			if text, ok := oldParameter(v); ok {
				s.env["PLUGIN_"+strings.ToUpper(k)] = text
			}
		}
	}
	for _, secret := range c.Secrets {
		var pair struct{ Source, Target string }
		if secret.Decode(&pair) != nil || pair.Source == "" {
			pair.Source, pair.Target = secret.Value, secret.Value
		}
		s.env[strings.ToUpper(pair.Target)] = "value of " + pair.Source
	}
	if o.version != "0.5" || !plugin {
		s.commands = oldTexts(&c.Commands)
	}
	return s, c.Group, o.conditions(&s, section, key, plugin, c.When, platform)
}

// environment reads a map or a list.
func (o *original) environment(s *oldStep, n *yaml.Node) {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		s.env[n.Content[i].Value] = n.Content[i+1].Value
		if o.version == "0.5" {
			s.env[n.Content[i].Value] = oldScalar(n.Content[i+1])
		}
	}
	for i := 0; n.Kind == yaml.SequenceNode && i < len(n.Content); i++ {
		if name, value, ok := strings.Cut(n.Content[i].Value, "="); ok || o.version == "0.8" {
			s.env[name] = value
		}
	}
}

// conditions reports whether the container is there, and when it runs.
func (o *original) conditions(s *oldStep, section, key string, plugin bool, when map[string]any, platform string) bool {
	b := o.build
	branch := b.branch
	if o.version == "0.5" && b.event == "tag" {
		branch = b.ref
	}
	of := map[string]string{"branch": branch, "event": b.event, "environment": b.target, "platform": platform}
	if o.version == "0.8" {
		of["ref"], of["repo"], of["instance"] = b.ref, "octocat/hello", "ci.example.com"
	}
	for key, value := range of {
		if negated, ok := when[key].(string); ok && o.version == "0.4" && strings.HasPrefix(negated, "!") {
			if oldMatch(negated[1:], value) {
				return false
			}
		} else if !oldMatch(when[key], value) {
			return false
		}
	}
	if m, ok := when["matrix"].(map[string]any); ok && !o.axisMatches(m) {
		return false
	}
	if o.local && (when["local"] == false || key == "clone" && o.version != "0.8") {
		return false
	}
	status := func(value string) bool { return oldMatch(when["status"], value) }
	switch o.version {
	case "0.8":
		s.onSuccess, s.onFailure = status("success"), when["status"] != nil && status("failure")
	case "0.5":
		if plugin && section == "pipeline" && key != "clone" && when["event"] == nil && b.event == "pull_request" {
			return false
		}
		s.onSuccess, s.onFailure = status("success"), when["status"] != nil && status("failure")
		if when["status"] == "changed" { // there is no build before
			s.onFailure = true
		}
	case "0.4":
		s.onSuccess, s.onFailure = true, section == "notify"
		if (section == "publish" || section == "deploy") && b.event == "pull_request" {
			return false
		}
		_, success := when["success"]
		_, failure := when["failure"]
		if section == "notify" && (success || failure) {
			s.onSuccess, s.onFailure = when["success"] == true, when["failure"] == true
		}
	}
	if !s.onSuccess && !s.onFailure {
		return false
	}
	if o.seen[s.name]++; o.seen[s.name] > 1 {
		s.name = fmt.Sprintf("%s-%d", s.name, o.seen[s.name])
	}
	return true
}

func (o *original) axisMatches(want map[string]any) bool {
	equal := func(m map[string]any) (all bool) {
		all = true
		for name, value := range m {
			all = all && o.axis[name] == fmt.Sprint(value)
		}
		return all
	}
	if exclude, ok := want["exclude"].(map[string]any); ok {
		return !equal(exclude)
	}
	return equal(want)
}

// oldMatch is a condition (reference B3).
func oldMatch(condition any, value string) bool {
	list := func(v any) (out []string) {
		switch v := v.(type) {
		case string:
			out = []string{v}
		case []any:
			for _, item := range v {
				out = append(out, fmt.Sprint(item))
			}
		}
		return out
	}
	include, exclude := list(condition), []string(nil)
	if m, ok := condition.(map[string]any); ok {
		include, exclude = list(m["include"]), list(m["exclude"])
	}
	match := func(pattern string) bool { ok, err := path.Match(pattern, value); return ok && err == nil }
	return !slices.ContainsFunc(exclude, match) && (len(include) == 0 || slices.ContainsFunc(include, match))
}

func oldTexts(n *yaml.Node) (out []string) {
	if n.Kind == yaml.ScalarNode {
		return []string{n.Value}
	}
	for _, c := range n.Content {
		out = append(out, c.Value)
	}
	return out
}

// oldScalar is a scalar after it was read, written and read again (reference B2).
func oldScalar(n *yaml.Node) string {
	if n.Style != 0 {
		return n.Value
	}
	switch n.Value {
	case "yes", "on", "y":
		return "true"
	case "no", "off", "n":
		return "false"
	}
	var number float64
	if n.ShortTag() == "!!int" || n.ShortTag() == "!!float" {
		if i, err := strconv.ParseInt(n.Value, 0, 64); err == nil {
			return strconv.FormatInt(i, 10)
		}
		if n.Decode(&number) == nil {
			return fmt.Sprint(float64From32(number))
		}
	}
	return n.Value
}

// float64From32 squeezes a number as the printer of then did.
func float64From32(f float64) float64 {
	out, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'g', -1, 32), 64)
	return out
}

// oldParameter is what a plugin got (reference B4); ok is false for nothing.
func oldParameter(n *yaml.Node) (text string, ok bool) {
	switch {
	case n.ShortTag() == "!!null", n.Value == "18446744073709551616":
		return "", false
	case n.Kind == yaml.ScalarNode:
		return oldScalar(n), true
	case n.Kind == yaml.SequenceNode && !slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return c.Kind != yaml.ScalarNode }):
		var items []string
		for _, c := range n.Content {
			items = append(items, oldScalar(c))
		}
		return strings.Join(items, ","), true
	}
	out, err := json.Marshal(oldValue(n))
	return string(out), err == nil
}

func oldValue(n *yaml.Node) any {
	switch n.Kind {
	case yaml.SequenceNode:
		var list []any
		for _, c := range n.Content {
			list = append(list, oldValue(c))
		}
		return list
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = oldValue(n.Content[i+1])
		}
		return m
	}
	text := oldScalar(n)
	switch {
	case text == "true" || text == "false":
		return text == "true"
	case n.Style == 0 && (n.ShortTag() == "!!int" || n.ShortTag() == "!!float"):
		return json.Number(text)
	}
	return text
}

// oldRun tells which steps run when one of them fails.
func oldRun(stages [][]oldStep, failing string) (ran []oldStep) {
	failed := false
	for _, stage := range stages {
		now := failed
		for _, s := range stage {
			if now && s.onFailure || !now && s.onSuccess {
				ran = append(ran, s)
				failed = failed || s.name == failing && !s.detach
			}
		}
	}
	slices.SortFunc(ran, func(a, b oldStep) int { return strings.Compare(a.name, b.name) })
	return ran
}
