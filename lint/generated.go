package lint

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/manifest"
	"github.com/drone-laptop/drone/sign"
)

// generatedRules are about signatures, templates and other files that a
// program has a part in.
func generatedRules() []Rule {
	hmac := strings.Repeat("0123456789abcdef", 4)
	return []Rule{{
		ID: "several-signatures", Group: groupGenerated, Severity: manifest.Error,
		Summary: "more than one signature in a file",
		Explanation: "The server compares the first document of `kind: signature` and never looks at the others. A protected repository " +
			"blocks every build as long as the first one is that of an earlier text.",
		Bad:       example + "---\nkind: signature\nhmac: " + hmac + "\n---\nkind: signature\nhmac: " + strings.Repeat("f", 64) + "\n",
		Good:      example + "---\nkind: signature\nhmac: " + hmac + "\n\n...\n",
		Reference: "signing I3",
		check:     checkSeveralSignatures,
	}, {
		ID: "signature-place", Group: groupGenerated, Severity: manifest.Warning,
		Summary: "a signature that is not at the end of the file",
		Explanation: "The signature is that of all other documents, also of those behind it, though one would not think so. Signing puts it at " +
			"the end of the file.",
		Bad:       "kind: signature\nhmac: " + hmac + "\n---\n" + example,
		Good:      example + "---\nkind: signature\nhmac: " + hmac + "\n",
		Reference: "signing I1, I3",
		check:     checkSignaturePlace,
	}, {
		ID: "signature-form", Group: groupGenerated, Severity: manifest.Warning,
		Summary: "a signature that is none",
		Explanation: "A signature has 64 hexadecimal digits, the HMAC-SHA256 of the file. Anything else is never verified: a server " +
			"blocks the build if the repository is protected. Whether 64 digits are the right ones needs the key of the repository.",
		Bad:       example + "---\nkind: signature\nhmac: 0000\n",
		Good:      example + "---\nkind: signature\nhmac: " + hmac + "\n",
		Reference: "signing I1, I3",
		check:     checkSignatureForm,
	}, {
		ID: "stale-signature", Group: groupGenerated, Severity: manifest.Error,
		Summary: "a signature that is for another text",
		Explanation: "The file has changed since it was signed, or was signed with another key. A server blocks every build of a protected " +
			"repository then, until somebody approves it. Blanks, comments and the order of keys count, line ends do not. " +
			"`drone verify` tells more, from the history of the file.",
		Untold: "It takes the key of the repository, which `--key-file` or `--key-env` names.", Good: example,
		Reference: "signing I1, I3",
		check:     checkStaleSignature,
	}, {
		ID: "template", Group: groupGenerated, Severity: manifest.Error,
		Summary: "a template and pipelines in one file",
		Explanation: "A line `kind: template` makes the server replace the whole file by what the template gives, so the pipelines beside it " +
			"never run. Written otherwise, as in `{kind: template}`, the template is overlooked instead.",
		Bad:       "kind: template\nload: plugin.jsonnet\n---\n" + example,
		Good:      "kind: template\nload: plugin.jsonnet\ndata: {name: hello}\n",
		Reference: "§11.6",
		grade:     gradeError,
	}, {
		ID: "template-load", Group: groupGenerated, Severity: manifest.Error,
		Summary:     "a template without the name of one",
		Explanation: "`load` names a template that is kept on the server. Its ending tells what it is written in: .star, .starlark or .script, .jsonnet, .yml or .yaml.",
		Bad:         "kind: template\nname: plugin.jsonnet\ndata: {name: hello}\n",
		Good:        "kind: template\nload: plugin.jsonnet\ndata: {name: hello}\n",
		Reference:   "§11.6",
		check:       checkTemplateLoad,
	}, {
		ID: manifest.RuleUnusedData, Group: groupGenerated, Severity: manifest.Warning,
		Summary: "data that a template does not use",
		Explanation: "A name under `data` that stands nowhere in the template has no effect: it is probably misspelt. Where the template is not on this " +
			"machine, or uses its data as a whole, nothing is said.",
		Untold: "It takes two files.", Good: example,
		Reference: "§11.6",
	}, {
		ID: manifest.RuleProgram, Group: groupGenerated, Severity: manifest.Error,
		Summary: "a program or a template that fails",
		Explanation: "A Jsonnet or Starlark program, or the template that a file names, cannot be read, stops with an error, or makes something that is " +
			"no list of documents. A server fails the build then. The finding has its place, and the way there.",
		Untold: "It takes a program.", Good: example,
		Reference: "signing J2–J4",
	}, {
		ID: "stale-generated", Group: groupGenerated, Severity: manifest.Warning,
		Summary: "a file that differs from what the program beside it makes",
		Explanation: "Where `.drone.jsonnet` or `.drone.star` stands beside `.drone.yml`, the one is made from the other, and a change of the " +
			"program has no effect before it is. Comments, order and signatures do not count. Programs that ask for the build are left out, for " +
			"they make something else for each.",
		Untold: "It takes two files.", Good: example,
		Reference: "signing J2, J3",
		check:     checkStale,
	}}
}

// checkStale compares the documents of the file with those of the program.
func checkStale(p *pass) {
	if p.generated == nil || len(p.parsed) > 0 && slices.ContainsFunc(p.parsed, func(f manifest.Problem) bool { return f.Severity == manifest.Error }) {
		return
	}
	var own []*manifest.Document
	for _, d := range p.file.Documents {
		if d.Signature == nil {
			own = append(own, d)
		}
	}
	made, problems := manifest.Parse(p.generated.Program, p.generated.Text, nil)
	if len(made.Documents) == 0 && len(problems) > 0 {
		return
	}
	hint := "run the program again, or move what was changed here into it"
	for i, d := range own {
		if i >= len(made.Documents) {
			p.reportIn(d.Pipeline, nameOf(d), "the document is not among what "+p.generated.Program+" makes", hint)
			return
		}
		if !sameValue(p.file.Source, d, made.Source, made.Documents[i]) {
			p.reportIn(d.Pipeline, nameOf(d), "the document differs from what "+p.generated.Program+" makes", hint)
			return
		}
	}
	if len(made.Documents) > len(own) && len(own) > 0 {
		last := own[len(own)-1]
		p.reportIn(last.Pipeline, nameOf(last), "behind this document one is missing that "+p.generated.Program+" makes", hint)
	}
}

// nameOf is where a document is named, or its kind.
func nameOf(d *manifest.Document) manifest.Span {
	switch {
	case d.Name.IsSet() && !d.Name.Null:
		return d.Name.Span
	case d.Kind.IsSet():
		return d.Kind.Span
	}
	return firstLine(d.Span)
}

// sameValue reports whether two documents are the same but for comments, order
// and style. Those that cannot be read count as the same.
func sameValue(a []byte, inA *manifest.Document, b []byte, inB *manifest.Document) bool {
	read := func(source []byte, d *manifest.Document) (value any, ok bool) {
		return value, yaml.Unmarshal(source[d.Span.Start.Offset:d.Span.End.Offset], &value) == nil
	}
	first, ok := read(a, inA)
	second, same := read(b, inB)
	return !ok || !same || reflect.DeepEqual(first, second)
}

// signatures returns the documents that are signatures.
func (p *pass) signatures() (found []*manifest.Document) {
	for _, d := range p.file.Documents {
		if d.Signature != nil {
			found = append(found, d)
		}
	}
	return found
}

func checkSeveralSignatures(p *pass) {
	all := p.signatures()
	for _, d := range all[min(1, len(all)):] {
		f := p.reportIn(nil, d.Kind.Span, "the server looks at the first signature only, so this one has no effect", "`"+p.sign+"` leaves one")
		f.Related = []manifest.Related{{Span: all[0].Kind.Span, Message: "the first one is here"}}
	}
}

func checkSignaturePlace(p *pass) {
	all := p.signatures()
	if len(all) != 1 || p.file.Documents[len(p.file.Documents)-1] == all[0] {
		return
	}
	p.reportIn(nil, all[0].Kind.Span, "the signature is not at the end of the file, but is that of the documents behind it too",
		"`"+p.sign+"` moves it there")
}

// hmacDigits is the length of an HMAC-SHA256 in hexadecimal.
const hmacDigits = 64

func checkSignatureForm(p *pass) {
	for _, d := range p.signatures() {
		hmac := d.Signature.Hmac
		switch {
		case strings.Trim(hmac.Value, "0123456789abcdefABCDEF") != "":
			p.reportIn(nil, hmac.Span, "the signature is no hexadecimal number, so no server can verify it", "`"+p.sign+"` signs the file again")
		case len(hmac.Value) == hmacDigits:
		case hmac.Value == "":
			at := d.Kind.Span
			if hmac.IsSet() {
				at = hmac.Span
			}
			p.reportIn(nil, at, "the signature has no `hmac`, so no server can verify it", "`"+p.sign+"` signs the file again; or remove the document")
		default:
			p.reportIn(nil, hmac.Span, fmt.Sprintf("the signature has %d hexadecimal digits instead of %d, so no server can verify it", len(hmac.Value), hmacDigits),
				"`"+p.sign+"` signs the file again")
		}
	}
}

// checkStaleSignature compares the first signature. One that is none is another
// rule's.
func checkStaleSignature(p *pass) {
	all := p.signatures()
	if p.key == nil || len(all) == 0 {
		return
	}
	text, err := sign.Parse(p.file.Source)
	if err != nil {
		return // of which other rules tell
	}
	if err := text.Verify(p.key); errors.Is(err, sign.ErrMismatch) {
		p.reportIn(nil, all[0].Signature.Hmac.Span, "the file is not as it was signed, or the signature is of another key, so a server blocks the builds of a protected repository",
			"look at what has changed, `drone verify` tells since when; then `"+p.sign+"`")
	}
}

// misshapen reports whether a value in a document has the wrong shape.
func (p *pass) misshapen(d *manifest.Document) bool {
	return slices.ContainsFunc(p.parsed, func(f manifest.Problem) bool { return f.Rule == manifest.RuleShape && inside(f.Span, d.Span) })
}

// templateEndings are those of the files that a server makes a configuration
// from.
var templateEndings = []string{".star", ".starlark", ".script", ".jsonnet", ".yml", ".yaml"}

func checkTemplateLoad(p *pass) {
	for _, d := range p.file.Documents {
		if d.Template == nil {
			continue
		}
		load := d.Template.Load
		if load.Value == "" && !p.misshapen(d) {
			at := d.Kind.Span
			if load.IsSet() {
				at = load.Span
			}
			p.reportIn(nil, at, "the template has no `load`, so the server finds none", "write the name of the template: `load: name.star`")
			continue
		}
		known := load.Value == ""
		for _, ending := range templateEndings {
			known = known || strings.HasSuffix(load.Value, ending)
		}
		if !known && !strings.Contains(load.Value, "${") {
			p.reportIn(nil, load.Span, fmt.Sprintf("the name %q of the template does not say what it is written in", load.Value),
				"a template is called .star, .starlark, .script, .jsonnet, .yml or .yaml")
		}
	}
}
