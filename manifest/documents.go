package manifest

import (
	"fmt"

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
		if known {
			set(d, h, val)
		}
		if owned {
			own(d, out, val)
		}
		d.path = d.path[:len(d.path)-1]
		if !known && !owned {
			o.unknown(d, key, val)
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
		p.Message = fmt.Sprintf("the kind %s is unknown; the server queues the document as a pipeline that no runner takes", quoteExcerpt(d.places.source[at.Start.Offset:at.End.Offset]))
		p.Hint = "the kinds are pipeline, secret, signature and template"
		if best := closest(kind.Value, []string{"pipeline", "secret", "signature", "template"}); best != "" {
			p.Hint = fmt.Sprintf("did you mean `kind: %s`?", best)
		}
	}
	d.add(p)
}

func newHeaderObject() *object[header] {
	return &object[header]{
		fields: map[string]func(*decoder, *header, *yaml.Node){
			"kind":       func(d *decoder, h *header, n *yaml.Node) { h.document.Kind = d.scalar(n, "write `kind: pipeline`") },
			"type":       func(d *decoder, h *header, n *yaml.Node) { h.document.Type = d.scalar(n, "write `type: docker`") },
			"version":    func(d *decoder, h *header, n *yaml.Node) { h.document.Version = d.scalar(n, "") },
			"name":       func(d *decoder, h *header, n *yaml.Node) { h.document.Name = d.scalar(n, "") },
			"depends_on": func(d *decoder, h *header, n *yaml.Node) { h.dependsOn = d.list(n) },
			"node":       func(d *decoder, h *header, n *yaml.Node) { h.node = d.pairs(n, h.node) },
			"concurrency": func(d *decoder, h *header, n *yaml.Node) {
				decodeObject(d, d.schema.concurrency, n, &h.concurrency)
			},
			"platform": func(d *decoder, h *header, n *yaml.Node) { decodeObject(d, d.schema.platform, n, &h.platform) },
		},
	}
}

func newConcurrencyObject() *object[concurrency] {
	return &object[concurrency]{
		fields: map[string]func(*decoder, *concurrency, *yaml.Node){
			"limit": func(d *decoder, c *concurrency, n *yaml.Node) { c.limit = d.integer(n) },
		},
		example: "`concurrency: {limit: 1}`",
	}
}

func newPlatformObject() *object[Platform] {
	return &object[Platform]{
		fields: map[string]func(*decoder, *Platform, *yaml.Node){
			"os":      func(d *decoder, p *Platform, n *yaml.Node) { p.OS = d.scalar(n, "") },
			"arch":    func(d *decoder, p *Platform, n *yaml.Node) { p.Arch = d.scalar(n, "") },
			"variant": func(d *decoder, p *Platform, n *yaml.Node) { p.Variant = d.scalar(n, "") },
			"version": func(d *decoder, p *Platform, n *yaml.Node) { p.Version = d.scalar(n, "") },
		},
		example: "`platform: {os: linux, arch: amd64}`",
	}
}

func newSecretObject() *object[Secret] {
	return &object[Secret]{
		fields: map[string]func(*decoder, *Secret, *yaml.Node){
			"data": func(d *decoder, s *Secret, n *yaml.Node) {
				s.Data = d.scalar(n, "write the encrypted value, as `drone encrypt` prints it")
			},
			"get": func(d *decoder, s *Secret, n *yaml.Node) {
				var get secretGet
				decodeObject(d, d.schema.secretGet, n, &get)
				s.Path, s.Key = get.path, get.name
				if !s.Key.IsSet() {
					s.Key = get.key
				}
			},
		},
		top: true,
	}
}

// secretGet points to a secret in an external store.
type secretGet struct{ path, name, key String }

func newSecretGetObject() *object[secretGet] {
	return &object[secretGet]{
		fields: map[string]func(*decoder, *secretGet, *yaml.Node){
			"path": func(d *decoder, g *secretGet, n *yaml.Node) { g.path = d.scalar(n, "") },
			"name": func(d *decoder, g *secretGet, n *yaml.Node) { g.name = d.scalar(n, "") },
			"key":  func(d *decoder, g *secretGet, n *yaml.Node) { g.key = d.scalar(n, "") },
		},
		example: "`get: {path: secret/data/docker, name: password}`",
	}
}

func newSignatureObject() *object[Signature] {
	return &object[Signature]{
		fields: map[string]func(*decoder, *Signature, *yaml.Node){
			"hmac": func(d *decoder, s *Signature, n *yaml.Node) { s.Hmac = d.scalar(n, "sign the file with `drone sign`") },
		},
		top: true,
	}
}

func newTemplateObject() *object[Template] {
	return &object[Template]{
		fields: map[string]func(*decoder, *Template, *yaml.Node){
			"load": func(d *decoder, t *Template, n *yaml.Node) { t.Load = d.scalar(n, "write the name of one template") },
			"data": func(d *decoder, _ *Template, n *yaml.Node) {
				if n = target(n); n.Kind != yaml.MappingNode && !isNull(n) {
					d.shape(n, "a map", "write `name: value` lines")
				}
			},
		},
		top: true,
	}
}
