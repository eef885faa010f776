package schema

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/convert"
	"github.com/drone-laptop/drone/manifest"
)

var update = flag.Bool("update", false, "rewrite the files in docs")

// TestFiles compares the files of the documentation with what is made now.
func TestFiles(t *testing.T) {
	strict, err := JSON(false)
	if err != nil {
		t.Fatal(err)
	}
	loose, err := JSON(true)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]byte{
		"drone.schema.json": strict, "drone-loose.schema.json": loose, "reference.md": Reference(),
	} {
		path := filepath.Join("..", "docs", name)
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not up to date: run `go test ./schema -update`", path)
		}
	}
}

// compiled returns a validator of a schema.
func compiled(t *testing.T, loose bool) *jsonschema.Schema {
	t.Helper()
	return compiledAs(t, loose, jsonschema.Draft2020)
}

// compiledAs reads a schema in a dialect, by which it also checks the schema
// itself. Many editors know draft 7 and read all others as that.
func compiledAs(t *testing.T, loose bool, draft *jsonschema.Draft) *jsonschema.Schema {
	t.Helper()
	text, err := JSON(loose)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	id := strictID
	if loose {
		id = looseID
	}
	if doc := doc.(map[string]any); doc["$schema"] != dialect {
		t.Errorf("the dialect is %v", doc["$schema"])
	} else {
		delete(doc, "$schema")
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(draft)
	if err := c.AddResource(id, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// documents reads the documents of a file in the YAML that editors read.
func documents(t *testing.T, source []byte) []any {
	t.Helper()
	var list []any
	d := yaml.NewDecoder(bytes.NewReader(source))
	for {
		var doc yaml.Node
		if err := d.Decode(&doc); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, source)
		}
		list = append(list, plain(t, &doc))
	}
}

// plain gives the value of a node, with merge keys followed. Of a key that is
// there twice it has the later one: only the editor sees that.
func plain(t *testing.T, n *yaml.Node) any {
	t.Helper()
	switch n.Kind {
	case yaml.DocumentNode:
		return plain(t, n.Content[0])
	case yaml.AliasNode:
		return plain(t, n.Alias)
	case yaml.SequenceNode:
		list := []any{}
		for _, c := range n.Content {
			list = append(list, plain(t, c))
		}
		return list
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			value := plain(t, n.Content[i+1])
			if n.Content[i].Value == "<<" {
				merge(m, value)
				continue
			}
			m[n.Content[i].Value] = value
		}
		return m
	}
	var value any
	if err := n.Decode(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func merge(m map[string]any, value any) {
	switch v := value.(type) {
	case map[string]any:
		maps.Copy(m, v)
	case []any:
		for _, item := range slices.Backward(v) {
			merge(m, item)
		}
	}
}

// places returns where a document is refused, once each, in order: the places
// of the innermost errors.
func places(t *testing.T, s *jsonschema.Schema, document any) []string {
	t.Helper()
	err := s.Validate(document)
	if err == nil {
		return nil
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		t.Fatal(err)
	}
	found := map[string]bool{}
	var visit func(*jsonschema.ValidationError)
	visit = func(e *jsonschema.ValidationError) {
		if len(e.Causes) == 0 {
			found["/"+strings.Join(e.InstanceLocation, "/")] = true
		}
		for _, c := range e.Causes {
			visit(c)
		}
	}
	visit(invalid)
	return slices.Sorted(maps.Keys(found))
}

// corpusRefused are real files in which the strict schema sees more than the
// parser does, by the number their name begins with, and what it says.
var corpusRefused = map[string]string{
	"56": `'changed' does not match pattern`,
	"61": `'pull-request' does not match pattern`,
	"82": `additional properties 'environment' not allowed`, // type exec
	"97": `'changed' does not match pattern`,
}

// TestCorpus validates real files of other people. The strict schema accepts
// those in which the parser finds nothing that the schema could see, the loose
// one all that have no error.
func TestCorpus(t *testing.T) {
	folder := filepath.Join("..", "..", "shared", "corpus")
	files, err := filepath.Glob(filepath.Join(folder, "[0-9]*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skipf("no corpus in %s: real files are not checked", folder)
	}
	strict, loose := compiled(t, false), compiled(t, true)
	accepted := 0
	for _, path := range files {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			text, problems := readCorpus(t, path)
			if problems == nil {
				return
			}
			number, _, _ := strings.Cut(name, "-")
			refused := corpusRefused[number]
			for i, doc := range documents(t, text) {
				if err := loose.Validate(doc); err != nil {
					t.Errorf("the loose schema refuses document %d: %v", i+1, err)
				}
				err := strict.Validate(doc)
				if err != nil && refused == "" && !slices.ContainsFunc(problems, visible) {
					t.Errorf("the strict schema refuses document %d: %v", i+1, err)
				}
				if err != nil && refused != "" && !strings.Contains(err.Error(), refused) {
					t.Errorf("the strict schema does not say %s: %v", refused, err)
				}
				if err == nil {
					accepted++
				}
			}
		})
	}
	if accepted < len(files)/2 {
		t.Errorf("only %d documents of %d files show that the strict schema accepts what the parser does", accepted, len(files))
	}
}

// readCorpus returns the YAML of a file and its problems, which are nil when
// one is an error or the file cannot be converted.
func readCorpus(t *testing.T, path string) ([]byte, []manifest.Problem) {
	t.Helper()
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	made, err := convert.Run(context.Background(), filepath.Base(path), source, convert.Options{Build: compile.Build{Event: "push", Branch: "main"}})
	if err != nil {
		t.Logf("not converted: %v", err)
		return nil, nil
	}
	_, problems := manifest.Parse(path, made.Text, nil)
	for _, p := range problems {
		if p.Severity == manifest.Error {
			t.Logf("not read: %s", p.Message)
			return nil, nil
		}
	}
	return made.Text, append([]manifest.Problem{}, problems...)
}

// visible reports a problem that the strict schema sees as well.
func visible(p manifest.Problem) bool {
	return slices.Contains([]string{
		manifest.RuleUnknownKey, manifest.RuleIgnoredKey, manifest.RuleConditionShape, manifest.RuleKind,
	}, p.Rule)
}

// pipelineWith is a docker pipeline with a step, and more keys for both.
func pipelineWith(keys, step string) string {
	return fmt.Sprintf("kind: pipeline\n%s\nsteps:\n- {name: a, image: alpine, %s}\n", keys, step)
}

func TestMistakes(t *testing.T) {
	strict, loose := compiled(t, false), compiled(t, true)
	for _, c := range []struct {
		name, source string
		want         string // where the strict schema refuses it
		loose        bool   // the loose schema accepts it
	}{
		{"kind is missing", "name: a", "/", false},
		{"kind of another case", "kind: Pipeline", "/kind", true},
		{"kind without effect", "kind: cron\nspec: {}", "/kind", true},
		{"a list as document", "- kind: pipeline", "/", false},
		{"key of a pipeline", pipelineWith("triggers: {event: push}", ""), "/", true},
		{"key of a step", pipelineWith("", "comands: [make]"), "/steps/0", true},
		{"key that nobody reads", pipelineWith("", "ports: [80]"), "/steps/0/ports", true},
		{"mistaken key", pipelineWith("", "env: {A: b}"), "/steps/0/env", true},
		{"key of conditions", pipelineWith("trigger: {evnt: push}", ""), "/trigger", true},
		{"key of a volume", pipelineWith("volumes: [{name: a, tmp: {}}]", ""), "/volumes/0", true},
		{"key of a secret", "kind: secret\nname: a\nget: {pth: a}", "/get", true},
		{"key of a signature", "kind: signature\nhmac: a\ndata: b", "/", true},
		{"step without a name", "kind: pipeline\nsteps: [{image: alpine}]", "/steps/0", true},
		{"step without an image", "kind: pipeline\nsteps: [{name: a}]", "/steps/0", true},
		{"image on the host", "kind: pipeline\ntype: exec\nsteps: [{name: a, image: alpine}]", "/steps/0", true},
		{"services on the host", "kind: pipeline\ntype: exec\nservices: []", "/", true},
		{"template without a name", "kind: template\ndata: {}", "/", true},
		{"commands as text", pipelineWith("", "commands: make"), "/steps/0/commands", false},
		{"command as a map", pipelineWith("", "commands: [{echo a: b}]"), "/steps/0/commands/0", false},
		{"steps as a map", "kind: pipeline\nsteps: {build: {image: a}}", "/steps", false},
		{"step as null", "kind: pipeline\nsteps: [~]", "/steps/0", false},
		{"environment as a list", pipelineWith("", "environment: [A=b]"), "/steps/0/environment", false},
		{"variable as a list", pipelineWith("", "environment: {A: [b]}"), "/steps/0/environment/A", false},
		{"key of a variable", pipelineWith("", "environment: {A: {from_secrets: b}}"), "/steps/0/environment/A", true},
		{"secret for a pipeline", pipelineWith("environment: {A: {from_secret: b}}", ""), "/environment/A", false},
		{"volume as text", pipelineWith("", "volumes: [/a:/b]"), "/steps/0/volumes/0", false},
		{"host volume as text", pipelineWith("volumes: [{name: a, host: /a}]", ""), "/volumes/0/host", false},
		{"boolean in quotes", pipelineWith("", `privileged: "true"`), "/steps/0/privileged", false},
		{"boolean as a number", pipelineWith("", "detach: 1"), "/steps/0/detach", false},
		{"number as a word", pipelineWith("clone: {depth: all}", ""), "/clone/depth", false},
		{"clone as a boolean", pipelineWith("clone: false", ""), "/clone", false},
		{"size with an unknown unit", pipelineWith("", "mem_limit: 1Ki"), "/steps/0/mem_limit", false},
		{"concurrency as a number", pipelineWith("concurrency: 1", ""), "/concurrency", false},
		{"depends_on as text", pipelineWith("depends_on: a", ""), "/depends_on", false},
		{"trigger as text", pipelineWith("trigger: push", ""), "/trigger", false},
		{"unknown event", pipelineWith("trigger: {event: [push, pull-request]}", ""), "/trigger/event/1", true},
		{"unknown event alone", pipelineWith("trigger: {event: pullrequest}", ""), "/trigger/event", true},
		{"unknown event in a map", pipelineWith("trigger: {event: {exclude: [merge]}}", ""), "/trigger/event/exclude/0", true},
		{"unknown key of a condition", pipelineWith("trigger: {event: {only: [push]}}", ""), "/trigger/event", true},
		{"pattern without brackets", pipelineWith("trigger: {branch: {include: main}}", ""), "/trigger/branch/include", false},
		{"list in a condition", pipelineWith("trigger: {branch: [[main]]}", ""), "/trigger/branch/0", false},
		{"unknown status", pipelineWith("", "when: {status: [failed]}"), "/steps/0/when/status/0", true},
		{"unknown failure", pipelineWith("", "failure: always"), "/steps/0/failure", true},
		{"unknown pull", pipelineWith("", "pull: missing"), "/steps/0/pull", true},
		{"pull as a boolean", pipelineWith("", "pull: true"), "/steps/0/pull", true},
		{"type as a list", pipelineWith("type: [docker]", ""), "/type", false},
		{"shape in another type", "kind: pipeline\ntype: kubernetes\nsteps: [{commands: make}]", "/steps/0/commands", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc := documents(t, []byte(c.source))[0]
			if got := places(t, strict, doc); !slices.Contains(got, c.want) {
				t.Errorf("the strict schema refuses %v, want %s", got, c.want)
			}
			if got := places(t, loose, doc); (len(got) == 0) != c.loose {
				t.Errorf("the loose schema refuses %v, want it to accept: %v", got, c.loose)
			}
		})
	}
}

// TestAccepted holds what the parser reads and a schema could well refuse.
func TestAccepted(t *testing.T) {
	strict, older := compiled(t, false), compiledAs(t, false, jsonschema.Draft7)
	for _, source := range []string{
		"kind: pipeline",
		"kind: pipeline\nsteps:\nservices: ~\ntrigger:\nclone:\nvolumes:",
		"kind: pipeline\ntype: \"\"\nname: 1.10\nversion: 2",
		"kind: pipeline\nx-base: &b {image: alpine}\n.more: [1]\nsteps:\n- {<<: *b, name: a}",
		pipelineWith("", "environment: {A: 1, B: true, C: ~, D: 1.50, E: {from_secret: a}, F: {value: 1}}"),
		pipelineWith("", "settings: {a: [1, {b: c}], d: {from_secret: e}, f: ~}"),
		pipelineWith("", "detach: yes, privileged: Off, pull: ALWAYS, failure: '', user: 1000"),
		pipelineWith("clone:\n  depth: 50\n  disable: ${NO_CLONE}", ""),
		pipelineWith("", "mem_limit: '${LIMIT}', pull: '${PULL}', commands: [1, ~, echo]"),
		pipelineWith("trigger: {event: push, branch: [main, 1.0, ~], ref: {include: [a], exclude: [b]}, cron: {}}", ""),
		pipelineWith("trigger: {event: ['pull*', ''], status: '*', action: labelled}", ""),
		pipelineWith("trigger: {event: {exclude: [push]}, status: {exclude: [succ*]}}", ""),
		pipelineWith("trigger: {paths: src/**, changeset: {includes: src/**}}", ""),
		pipelineWith("platform: {os: plan9, arch: riscv64, version: 1809}", ""),
		"kind: pipeline\ntype: exec\nname: a\nsteps: [{name: a, commands: [make], environment: {A: b}, when: {event: tag}}]",
		"kind: pipeline\ntype: kubernetes\nmetadata: {namespace: a}\nsteps: [{name: a, resources: {limits: {}}}]",
		"kind: secret\nname: a\ndata: abc\ntype: general",
		"kind: secret\nname: a\nget: {path: a, name: b}",
		"kind: signature\nhmac: abc",
		"kind: template\nload: a.yml\ndata: {a: [1]}",
	} {
		_, problems := manifest.Parse("x.yml", []byte(source), func(string) (string, bool) { return "1", true })
		for _, p := range problems {
			if visible(p) {
				t.Errorf("the parser has a problem with\n%s\n%s", source, p.Message)
			}
		}
		for _, doc := range documents(t, []byte(source)) {
			if got := places(t, strict, doc); len(got) > 0 {
				t.Errorf("the strict schema refuses %v in\n%s\n%v", got, source, strict.Validate(doc))
			}
			if got := places(t, older, doc); len(got) > 0 {
				t.Errorf("read as draft 7 the strict schema refuses %v in\n%s", got, source)
			}
		}
	}
}

// TestSizes compares the pattern of sizes with what the parser reads.
func TestSizes(t *testing.T) {
	strict := compiled(t, false)
	for _, size := range []string{
		"500m", "1GB", "1GiB", "1g", "'1 g'", "1.5g", ".5g", "1k", "1t", "10b", "1000", "'1000'", "1.5", "'0'", "1p", "1KiB", "1.g",
		"1Ki", "' 1g'", "'1g '", "1.5.5g", "''", "abc", "5%", "1 bb", "'1  g'", "1e", "m",
	} {
		source := pipelineWith("", "mem_limit: "+size)
		_, problems := manifest.Parse("x.yml", []byte(source), nil)
		got := places(t, strict, documents(t, []byte(source))[0])
		if (len(problems) == 0) != (len(got) == 0) {
			t.Errorf("%s: the parser has %d problems, the schema %v", size, len(problems), got)
		}
	}
}

// TestKeys makes sure that each schema has the keys of the parser, no other
// ones, and says of each what it is for.
func TestKeys(t *testing.T) {
	objects := map[string]manifest.Object{}
	for _, o := range manifest.Schema() {
		objects[o.Name] = o
	}
	for _, loose := range []bool{false, true} {
		text, err := JSON(loose)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		defs := doc.(map[string]any)["$defs"].(map[string]any)
		seen := map[string]bool{}
		for name, def := range defs {
			known, _ := def.(map[string]any)["properties"].(map[string]any)
			if known == nil {
				continue
			}
			base, only := strings.TrimPrefix(strings.TrimPrefix(name, "other_"), "exec_"), ""
			if strings.HasPrefix(name, "exec_") {
				only = "exec"
			}
			base, _, _ = strings.Cut(base, "_of_")
			seen[base] = true
			want := wantKeys(objects, base, only, loose || strings.HasPrefix(name, "other_"))
			if got := slices.Sorted(maps.Keys(known)); !slices.Equal(got, want) {
				t.Errorf("loose %v: %s has the keys\n%v, want\n%v", loose, name, got, want)
			}
			for key, value := range known {
				if text, _ := value.(map[string]any)["description"].(string); text == "" {
					t.Errorf("loose %v: %s.%s has no description", loose, name, key)
				}
			}
		}
		for name := range objects {
			if !seen[name] && name != "document" {
				t.Errorf("loose %v: no definition has the keys of %q", loose, name)
			}
		}
	}
}

// TestExamples validates the example of every key with what the schema says
// of the key.
func TestExamples(t *testing.T) {
	text, err := JSON(false)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(strictID, doc); err != nil {
		t.Fatal(err)
	}
	examples := 0
	for name, def := range doc.(map[string]any)["$defs"].(map[string]any) {
		known, _ := def.(map[string]any)["properties"].(map[string]any)
		for key, value := range known {
			list, _ := value.(map[string]any)["examples"].([]any)
			s, err := c.Compile(strictID + "#/$defs/" + name + "/properties/" + key)
			if err != nil {
				t.Fatal(err)
			}
			for _, example := range list {
				examples++
				if err := s.Validate(example); err != nil {
					t.Errorf("%s.%s: %v", name, key, err)
				}
			}
		}
	}
	if keys := 100; examples < keys {
		t.Errorf("%d examples, want at least %d", examples, keys)
	}
}

// wantKeys returns the keys that the definition of an object has.
func wantKeys(objects map[string]manifest.Object, name, only string, loose bool) []string {
	o := objects[name]
	keys := o.Keys
	if o.Kind != "" {
		keys = slices.Concat(keys, objects["document"].Keys)
	}
	var out []string
	for _, k := range keys {
		if only == "" || k.Only == "" || k.Only == only {
			out = append(out, k.Name)
		}
	}
	if !loose {
		for _, a := range slices.Concat(o.Ignored, o.Mistakes) {
			out = append(out, a.Key)
		}
	}
	slices.Sort(out)
	return out
}
