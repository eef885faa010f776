package manifest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestSchemaIsComplete makes sure that every key says what it is, and that
// what it refers to exists.
func TestSchemaIsComplete(t *testing.T) {
	objects := map[string]Object{}
	for _, o := range Schema() {
		if _, twice := objects[o.Name]; twice || o.Name == "" || !isSentence(o.Doc) {
			t.Errorf("object %q: twice: %v, doc: %q", o.Name, twice, o.Doc)
		}
		objects[o.Name] = o
	}
	used := map[string]bool{}
	for _, o := range objects {
		seen := map[string]bool{}
		for _, k := range o.Keys {
			where := o.Name + "." + k.Name
			used[k.Of] = true
			if _, found := objects[k.Of]; k.Of != "" && !found {
				t.Errorf("%s refers to the object %q, which does not exist", where, k.Of)
			}
			if needsObject(k.Type) && k.Of == "" || k.Type == "" {
				t.Errorf("%s has the type %q and the object %q", where, k.Type, k.Of)
			}
			if seen[k.Name] || !isSentence(k.Doc) || k.Example == "" {
				t.Errorf("%s: twice: %v, doc: %q, example: %q", where, seen[k.Name], k.Doc, k.Example)
			}
			seen[k.Name] = true
		}
		for _, a := range slices.Concat(o.Ignored, o.Mistakes) {
			if seen[a.Key] {
				t.Errorf("%s.%s is both known and not, or twice", o.Name, a.Key)
			}
			seen[a.Key] = true
		}
	}
	for name, o := range objects {
		if o.Kind == "" && name != "document" && !used[name] {
			t.Errorf("no key has the object %q", name)
		}
	}
}

func isSentence(s string) bool {
	return s != "" && strings.HasSuffix(s, ".") && !strings.Contains(s, "\n")
}

func needsObject(t Type) bool {
	return t == TypeObject || t == TypeObjects || t == TypeVariables
}

// TestSchemaIsRead reads every key of the schema with its example, which is no
// problem, and with a list of lists, which is one for every type. What is not
// in the schema is reported as the tables say.
func TestSchemaIsRead(t *testing.T) {
	frames := frames()
	for _, o := range Schema() {
		frame, found := frames[o.Name]
		if !found {
			t.Errorf("no document shows the object %q", o.Name)
			continue
		}
		for _, k := range o.Keys {
			t.Run(o.Name+"."+k.Name, func(t *testing.T) {
				if got := rulesOf(fmt.Sprintf(frame, k.Name+": "+k.Example)); len(got) > 0 {
					t.Errorf("the example has problems: %v", got)
				}
				got := rulesOf(fmt.Sprintf(frame, k.Name+": [[x]]"))
				if !slices.ContainsFunc(got, func(s string) bool {
					return strings.HasPrefix(s, RuleShape) || strings.HasPrefix(s, RuleConditionShape)
				}) {
					t.Errorf("a list of lists has problems %v, want one of the shape", got)
				}
			})
		}
		if got := rulesOf(fmt.Sprintf(frame, "zzzz: 1")); len(got) != 1 || !strings.HasPrefix(got[0], RuleUnknownKey) {
			t.Errorf("%s: an unknown key has problems %v", o.Name, got)
		}
		for _, a := range o.Ignored {
			if got := rulesOf(fmt.Sprintf(frame, a.Key+": 1")); len(got) != 1 || !strings.HasPrefix(got[0], RuleIgnoredKey) {
				t.Errorf("%s: the ignored key %s has problems %v", o.Name, a.Key, got)
			}
		}
		for _, a := range o.Mistakes {
			if got := rulesOf(fmt.Sprintf(frame, a.Key+": 1")); len(got) != 1 || got[0] != RuleUnknownKey+": "+a.Text {
				t.Errorf("%s: the mistaken key %s has problems %v, want the hint %q", o.Name, a.Key, got, a.Text)
			}
		}
	}
}

// frames returns for each object a document with a verb in its place, where a
// flow map has the key alone. A header key takes the place of the one there.
func frames() map[string]string {
	pipeline := "{kind: pipeline, %s}"
	step := "{kind: pipeline, steps: [{%s}]}"
	return map[string]string{
		"document": pipeline, "pipeline": pipeline, "step": step,
		"conditions":  "{kind: pipeline, trigger: {%s}}",
		"patterns":    "{kind: pipeline, trigger: {branch: {%s}}}",
		"changeset":   "{kind: pipeline, trigger: {changeset: {%s}}}",
		"variable":    "{kind: pipeline, steps: [{environment: {A: {%s}}}]}",
		"mount":       "{kind: pipeline, steps: [{volumes: [{%s}]}]}",
		"volume":      "{kind: pipeline, volumes: [{%s}]}",
		"temp":        "{kind: pipeline, volumes: [{temp: {%s}}]}",
		"host":        "{kind: pipeline, volumes: [{host: {%s}}]}",
		"clone":       "{kind: pipeline, clone: {%s}}",
		"workspace":   "{kind: pipeline, workspace: {%s}}",
		"platform":    "{kind: pipeline, platform: {%s}}",
		"concurrency": "{kind: pipeline, concurrency: {%s}}",
		"secret":      "{kind: secret, %s}",
		"get":         "{kind: secret, get: {%s}}",
		"signature":   "{kind: signature, %s}",
		"template":    "{kind: template, %s}",
	}
}

// rulesOf returns the rules and hints of the problems of a document, except
// that a key of the frame is there twice, and that a server needs an extension.
func rulesOf(source string) []string {
	_, problems := Parse("x.yml", []byte(source), nil)
	var out []string
	for _, p := range problems {
		if p.Rule != RuleDuplicateKey && p.Rule != RuleRepeatedKey && p.Rule != RuleExtension {
			out = append(out, p.Rule+": "+p.Hint)
		}
	}
	return out
}

// TestSchemaBelongsToCaller changes what Schema returned.
func TestSchemaBelongsToCaller(t *testing.T) {
	for _, o := range Schema() {
		for i := range o.Keys {
			o.Keys[i].Name = "changed"
			for j := range o.Keys[i].Values {
				o.Keys[i].Values[j] = "changed"
			}
		}
	}
	for _, o := range Schema() {
		for _, k := range o.Keys {
			if k.Name == "changed" || slices.Contains(k.Values, "changed") {
				t.Fatalf("%s changed with what an earlier call returned", o.Name)
			}
		}
	}
}
