package sign

import (
	"strings"
	"testing"

	"github.com/drone-laptop/drone/manifest"
)

const runs = "steps: [{name: evil, image: alpine, commands: [id]}]\n"

// TestKind has documents of which it is hard to tell whether they are a
// signature: what is run must never be one, since a signature is not signed.
func TestKind(t *testing.T) {
	for name, tc := range map[string]struct {
		text      string
		signature bool
	}{
		"plain":                    {"kind: signature\nhmac: x\n", true},
		"in quotes":                {"\"kind\": 'signature'\nhmac: x\n", true},
		"a block":                  {"kind: |-\n  signature\nhmac: x\n", true},
		"with its newline":         {"kind: |\n  signature\nhmac: x\n", false},
		"a flow":                   {"{kind: signature, hmac: x}\n", true},
		"a complex key":            {"? kind\n: signature\nhmac: x\n", true},
		"another case":             {"kind: pipeline\nKind: signature\n" + runs, false},
		"twice":                    {"kind: signature\nkind: pipeline\n" + runs, false},
		"twice, and last":          {"kind: pipeline\nkind: signature\n" + runs, true},
		"base64":                   {"kind: !!binary c2lnbmF0dXJl\nhmac: x\n", true},
		"a null":                   {"kind: pipeline\nkind: !!null signature\n" + runs, false},
		"a merge key":              {"<<: {kind: signature}\nhmac: x\n", true},
		"a merge key behind":       {"kind: signature\n<<: {kind: pipeline, name: evil}\n" + runs, false},
		"a merge key behind it":    {"kind: pipeline\n<<: {kind: signature}\nhmac: x\n", true},
		"a merge key in front":     {"<<: {kind: signature}\nkind: pipeline\n" + runs, false},
		"merged several":           {"kind: signature\n<<: [{kind: pipeline}, {kind: signature}]\n" + runs, false},
		"merged twice":             {"kind: signature\n<<: {<<: {kind: pipeline}}\n" + runs, false},
		"merged an alias":          {"x: &x {kind: pipeline}\nkind: signature\n<<: *x\n" + runs, false},
		"a quoted merge key":       {"kind: signature\n\"<<\": {kind: pipeline}\nhmac: x\n", true},
		"an alias called kind":     {"kind: pipeline\nx: &kind y\n*kind : signature\n" + runs, false},
		"an alias that means kind": {"x: &y kind\nkind: pipeline\n*y : signature\nhmac: x\n", true},
		"an alias":                 {"x: &y signature\nkind: *y\nhmac: x\n", true},
	} {
		source := "kind: pipeline\nname: default\n" + runs + "---\n" + tc.text
		text, err := Parse([]byte(source))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := len(text.Signatures()) == 1; got != tc.signature {
			t.Errorf("%s: a signature: %v", name, got)
		}
		checkRun(t, source, text)
	}
}

// checkRun fails for a pipeline that could be run, and is not signed.
func checkRun(t *testing.T, source string, text *Text) {
	t.Helper()
	file, _ := manifest.Parse("x.yml", []byte(source), nil)
	message := string(text.Message())
	for _, d := range file.Documents {
		if d.Pipeline == nil {
			continue
		}
		part := strings.ReplaceAll(source[d.Span.Start.Offset:d.Span.End.Offset], "\r\n", "\n")
		if !strings.Contains(message, strings.TrimSuffix(strings.TrimSuffix(part, "\n"), "\r")) {
			t.Errorf("a pipeline of %q is not signed", source)
		}
	}
}

// FuzzRun looks for pipelines that could be run and are not signed.
func FuzzRun(f *testing.F) {
	for _, seed := range []string{
		"kind: signature\n<<: {kind: pipeline}\n", "x: &kind y\n*kind : signature\nkind: pipeline\n", "kind: signature\n...\nkind: pipeline\n",
		"kind: signature\r---\rkind: pipeline\r\n", "\ufeffkind: signature\n---\n\ufeffkind: pipeline\n", "<<: [&a {kind: pipeline}, *a]\nkind: ~\n",
		"kind: !!binary c2lnbmF0dXJl\n", "kind: !!null signature\nkind: pipeline\n", "? {kind: signature}\n: [*a]\n&a kind: !x pipeline\n", "a: |\n  b\n---\n  c\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		if text, err := Parse([]byte(source)); err == nil {
			checkRun(t, source, text)
		}
	})
}

// TestEndless has documents that would expand to no end, and one that holds
// another where only YAML sees the end of a line.
func TestEndless(t *testing.T) {
	bombs := "a0: &a0 {kind: pipeline}\n"
	for i, at := range "123456789" {
		b := string(at - 1)
		bombs += "a" + string(at) + ": &a" + string(at) + " {<<: [" + strings.Repeat("*a"+b+", ", 9+i) + "]}\n"
	}
	for name, source := range map[string]string{
		"itself":              "kind: pipeline\nx: &x {<<: *x}\n<<: *x\n",
		"itself, in a list":   "kind: pipeline\nx: &x [*x]\n<<: &y [{<<: *y}]\n",
		"a bomb":              bombs + "<<: *a9\n",
		"a carriage return":   "kind: signature\rhmac: x\r---\rkind: pipeline\r\n",
		"a next line":         "kind: signature\u0085hmac: x\u0085---\u0085kind: pipeline\u0085\n",
		"a line separator":    "kind: signature\u2028---\u2028kind: pipeline\n",
		"an end of documents": "kind: signature\r...\rkind: pipeline\r\n",
	} {
		if _, err := Parse([]byte(source)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
