package manifest

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

// header is what every document has, whatever its kind (reference §1.3): the
// server reads these fields before it looks at the kind, so that a wrong shape
// breaks the file even in a document that nobody uses.
type header struct {
	document    *Document
	dependsOn   []String
	node        []Pair
	concurrency concurrency
	platform    Platform
}

type concurrency struct{ limit Int }

// document reads one document. Its tree has a root.
func (d *decoder) document() *Document {
	t := d.tree
	doc := &Document{Index: t.index, Span: d.text.span(t.part.start, t.part.end)}
	root := target(t.root)
	if root.Kind != yaml.MappingNode {
		d.report(Error, RuleShape, root, fmt.Sprintf("a document must be a map, not %s", describe(root)),
			"start it with `kind: pipeline`")
		return doc
	}
	kind, name, typ := d.peek(root)
	value := ""
	if kind != nil {
		value = kind.Value
	}
	switch value {
	case "pipeline":
		doc.Pipeline = &Pipeline{Span: d.span(root)}
		d.pipeline, d.owner = "default", owner{noun: "pipeline", name: name}
		if name != nil {
			d.pipeline = name.Value
		}
		d.foreign = typ != nil && typ.Value != "docker" && typ.Value != "exec"
		readDocument(d, d.schema.pipeline, root, doc, doc.Pipeline)
		doc.Pipeline.Type, doc.Pipeline.Name = doc.Type, doc.Name
	case "secret":
		doc.Secret = &Secret{}
		d.owner = owner{noun: "secret", name: name}
		readDocument(d, d.schema.secret, root, doc, doc.Secret)
		doc.Secret.Name = doc.Name
	case "signature":
		doc.Signature = &Signature{}
		d.owner = owner{noun: "signature"}
		readDocument(d, d.schema.signature, root, doc, doc.Signature)
	case "template":
		doc.Template = &Template{}
		d.owner = owner{noun: "template"}
		readDocument(d, d.schema.template, root, doc, doc.Template)
	default:
		d.foreign = true
		readDocument(d, d.schema.unknown, root, doc, &header{})
		d.checkKind(root, doc.Kind)
	}
	return doc
}

// readDocument reads the header and the fields of a kind.
func readDocument[T any](d *decoder, o *object[T], root *yaml.Node, doc *Document, out *T) {
	h := &header{document: doc}
	common := d.schema.header
	d.each(root, func(key, val *yaml.Node) {
		set, known := common.fields[key.Value]
		own, owned := o.fields[key.Value]
		d.path = append(d.path, key.Value)
		switch {
		case known:
			set(d, h, key, val)
		case owned:
			own(d, out, key, val)
		}
		d.path = d.path[:len(d.path)-1]
		if !known && !owned {
			o.unknown(d, root, key, val)
		}
	})
	if p := doc.Pipeline; p != nil {
		p.DependsOn, p.Node, p.Concurrency, p.Platform = h.dependsOn, h.node, h.concurrency.limit, h.platform
	}
}

// peek returns the scalars that decide how a document is read, nil where there
// is none, without reporting anything.
func (d *decoder) peek(root *yaml.Node) (kind, name, typ *yaml.Node) {
	d.quiet().each(root, func(key, val *yaml.Node) {
		if val = target(val); val.Kind != yaml.ScalarNode || isNull(val) || val.Value == "" {
			return
		}
		switch key.Value {
		case "kind":
			kind = val
		case "name":
			name = val
		case "type":
			typ = val
		}
	})
	return kind, name, typ
}

// checkKind reports a kind that no runner reads.
func (d *decoder) checkKind(root *yaml.Node, kind String) {
	at := d.span(root)
	if kind.IsSet() {
		at = kind.Span
	}
	p := Problem{Severity: Warning, Rule: RuleKind, Span: at}
	switch kind.Value {
	case "":
		if len(root.Content) > 0 && !kind.IsSet() {
			p.Span = d.span(target(root.Content[0]))
		}
		p.Severity = Error
		p.Message = "the document has no `kind`, for which the server refuses the file"
		p.Hint = "write `kind: pipeline` at the top of the document"
	case "cron", "registry":
		p.Message = fmt.Sprintf("a document of kind %q has no effect", kind.Value)
		p.Hint = "these settings are kept on the server; remove the document"
	default:
		p.Message = fmt.Sprintf("the kind %s is unknown; the server queues the document as a pipeline that no runner takes", quoteExcerpt(strings.Trim(d.places.source[at.Start.Offset:at.End.Offset], `"'`)))
		p.Hint = "the kinds are pipeline, secret, signature and template"
		if best := closest(kind.Value, kinds()); best != "" {
			p.Hint = fmt.Sprintf("did you mean `kind: %s`?", best)
			if strings.Trim(d.places.source[at.Start.Offset:at.End.Offset], `"'`) == kind.Value {
				p.Fix = &Edit{Span: at, Text: best}
			}
		}
	}
	d.add(p)
}

func newHeaderObject() *object[header] {
	return newObject(Object{
		Name: "document", Doc: "What every document of the file has, whatever its kind. Documents are separated by a line `---`.",
	},
		textKey(Key{
			Name: "kind", Required: true, Values: kinds(), Example: "pipeline",
			Doc:  "What the document is.",
			hint: "write `kind: pipeline`",
		}, func(h *header) *String { return &h.document.Kind }),
		textKey(Key{
			Name: "type", Values: []string{"docker", "exec", "kubernetes", "ssh", "digitalocean", "macstadium", "aws", "vm"}, Open: true, Default: "docker", Example: "docker",
			Doc:  "Which runner takes a pipeline: `docker` runs steps in containers, `exec` on the machine itself. Other types have runners and keys of their own.",
			hint: "write `type: docker`",
		}, func(h *header) *String { return &h.document.Type }),
		textKey(Key{
			Name: "name", Default: "the name `default`", Example: "build",
			Doc: "The name of the pipeline, by which `depends_on` and the command line know it; of a secret, the name that `from_secret` has, in the same case.",
		}, func(h *header) *String { return &h.document.Name }),
		textKey(Key{
			Name: "version", Example: "1",
			Doc: "The version of the format. Nothing reads it.",
		}, func(h *header) *String { return &h.document.Version }),
		textsKey(Key{
			Name: "depends_on", Example: "[test]",
			Doc: "The pipelines that have to be finished before this one starts. They stand above it in the file.",
		}, func(h *header) *[]String { return &h.dependsOn }),
		objectKey(Key{
			Name: "platform", Of: "platform", Example: "{os: linux, arch: arm64}",
			Doc: "The machines that the pipeline is for.",
		}, func(s *schema) *object[Platform] { return s.platform }, func(h *header) *Platform { return &h.platform }),
		textMapKey(Key{
			Name: "node", Example: "{disk: ssd}",
			Doc: "The labels of the runner that the server gives the pipeline to: exactly these.",
		}, func(h *header) *[]Pair { return &h.node }),
		objectKey(Key{
			Name: "concurrency", Of: "concurrency", Example: "{limit: 1}",
			Doc: "How many builds run this pipeline at the same time on the server.",
		}, func(s *schema) *object[concurrency] { return s.concurrency }, func(h *header) *concurrency { return &h.concurrency }),
	)
}

// kinds returns the kinds of documents that something reads.
func kinds() []string { return []string{"pipeline", "secret", "signature", "template"} }

func newConcurrencyObject() *object[concurrency] {
	o := newObject(Object{
		Name: "concurrency", Doc: "A limit that the server keeps for the pipelines of a name in a repository.",
		hint: "write `concurrency: {limit: 1}`",
	},
		integerKey(Key{
			Name: "limit", Default: "no limit", Example: "1",
			Doc: "How many may run at the same time.",
		}, func(c *concurrency) *Int { return &c.limit }),
	)
	o.mend = mendConcurrency
	return o
}

// newPlatformObject has the words that a server accepts (reference §10.4).
func newPlatformObject() *object[Platform] {
	o := newObject(Object{
		Name: "platform", Doc: "The operating system and processor of the machines that a pipeline is for.",
		hint: "write `platform: {os: linux, arch: amd64}`",
	},
		textKey(Key{
			Name: "os", Values: []string{"linux", "windows", "darwin", "freebsd", "netbsd", "openbsd", "dragonfly", "solaris"}, Open: true, Default: "linux", Example: "linux",
			Doc: "The operating system. A docker pipeline knows linux and windows.",
		}, func(p *Platform) *String { return &p.OS }),
		textKey(Key{
			Name: "arch", Values: []string{"amd64", "arm64", "arm", "ppc64le", "s390x"}, Open: true, Default: "amd64", Example: "arm64",
			Doc: "The processor.",
		}, func(p *Platform) *String { return &p.Arch }),
		textKey(Key{
			Name: "variant", Example: "v7",
			Doc: "The variant of the processor.",
		}, func(p *Platform) *String { return &p.Variant }),
		textKey(Key{
			Name: "version", Example: "1809",
			Doc: "The version of the operating system, for images of Windows.",
		}, func(p *Platform) *String { return &p.Version }),
	)
	o.mend = mendPlatform
	return o
}

// newSecretObject and the documents after it have the keys of reference §1.4.
func newSecretObject() *object[Secret] {
	return newObject(Object{
		Name: "secret", Kind: "secret",
		Doc: "A secret that the file itself brings: encrypted in `data`, or as the place in a store outside in `get`.",
	},
		textKey(Key{
			Name: "data", Example: "hl3v+OYQ5GrvkVwTZ8mvY0Vo4SdIlTDz",
			Doc:  "The encrypted value, as the server's key of the repository makes it.",
			hint: "write the encrypted value, as `drone encrypt` prints it",
		}, func(s *Secret) *String { return &s.Data }),
		customKey(Key{
			Name: "get", Type: TypeObject, Of: "get", Example: "{path: secret/data/docker, name: password}",
			Doc: "Where an extension of the server finds the value.",
		}, func(d *decoder, s *Secret, n *yaml.Node) {
			var get secretGet
			decodeObject(d, d.schema.secretGet, n, &get)
			s.Path, s.Key = get.path, get.name
			if !s.Key.IsSet() {
				s.Key = get.key
			}
		}),
	)
}

// secretGet points to a secret in an external store.
type secretGet struct{ path, name, key String }

func newSecretGetObject() *object[secretGet] {
	return newObject(Object{
		Name: "get", Doc: "The place of a secret in a store outside.",
		hint: "write `get: {path: secret/data/docker, name: password}`",
	},
		textKey(Key{
			Name: "path", Example: "secret/data/docker",
			Doc: "The path in the store.",
		}, func(g *secretGet) *String { return &g.path }),
		textKey(Key{
			Name: "name", Example: "password",
			Doc: "The name of the value at that path.",
		}, func(g *secretGet) *String { return &g.name }),
		textKey(Key{
			Name: "key", Example: "password",
			Doc: "Another word for `name`, which the server does not pass on; write `name`.",
		}, func(g *secretGet) *String { return &g.key }),
	)
}

func newSignatureObject() *object[Signature] {
	return newObject(Object{
		Name: "signature", Kind: "signature",
		Doc: "The signature of the other documents, without which a server does not run the file of a protected repository unasked.",
	},
		textKey(Key{
			Name: "hmac", Required: true, Example: "9b2d9e9f6a1f40c05b0ac2d6ab40d5ab33c1a8b5a3c3c7e3a1b8fd9a56e0f1d2",
			Doc:  "The HMAC-SHA256 of the other documents, in hexadecimal.",
			hint: "sign the file with `drone sign`",
		}, func(s *Signature) *String { return &s.Hmac }),
	)
}

func newTemplateObject() *object[Template] {
	return newObject(Object{
		Name: "template", Kind: "template",
		Doc: "A template of the server, which takes the place of the document before anything else is read.",
	},
		textKey(Key{
			Name: "load", Required: true, Example: "plugin.yaml",
			Doc:  "The name of the template, whose ending says what it is written in.",
			hint: "write the name of one template",
		}, func(t *Template) *String { return &t.Load }),
		customKey(Key{
			Name: "data", Type: TypeAnyMap, Example: "{name: hello}",
			Doc: "What the template is given.",
		}, func(d *decoder, _ *Template, n *yaml.Node) {
			if n = target(n); n.Kind != yaml.MappingNode && !isNull(n) {
				d.shape(n, "a map", "write `name: value` lines")
			}
		}),
	)
}
