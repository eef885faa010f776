package manifest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSubstituteDocument shows that a document read alone is the one that is
// read with the whole file, places included.
func TestSubstituteDocument(t *testing.T) {
	source := "\ufeffkind: pipeline\nname: é ${A}\nsteps:\n- name: ${B:-x}\n  image: a\n  commands: ['echo $${C} ${C}', \"ß ${A}\"]\n" +
		"---\n# only a comment ${A}\n--- \nkind: secret\nname: ${A}\ndata: x\n---\r\nkind: pipeline\r\nname: two\r\nsteps:\r\n- name: ${B}\r\n  image: ${A}${D}\r\n...\n"
	values := map[string]string{"A": "ab", "B": "line\nbreak", "D": ""}
	lookup := func(name string) (string, bool) { v, ok := values[name]; return v, ok }
	raw, _ := Parse("f.yml", []byte(source), nil)
	whole, _ := Parse("f.yml", []byte(source), lookup)
	if len(raw.Documents) != 3 || len(whole.Documents) != 3 {
		t.Fatalf("%d documents, %d after substitution, want 3", len(raw.Documents), len(whole.Documents))
	}
	var names []string
	for i, d := range raw.Documents {
		got, uses, problems := raw.Substitute(d, lookup)
		if diff := cmp.Diff(whole.Documents[i], got); diff != "" {
			t.Errorf("document %d: -whole +alone\n%s", i, diff)
		}
		if len(problems) > 0 {
			t.Errorf("document %d: %v", i, problems)
		}
		for _, u := range uses {
			names = append(names, u.Name)
		}
	}
	if got, want := strings.Join(names, " "), "A B C A B A D"; got != want {
		t.Errorf("uses %s, want %s", got, want)
	}
}

func TestSubstituteDocumentIsLost(t *testing.T) {
	source := "kind: pipeline\n${A}: b\nsteps: []\n"
	raw, _ := Parse("f.yml", []byte(source), nil)
	for value, lost := range map[string]bool{"x": false, "---": true, "...": true} {
		d, _, _ := raw.Substitute(raw.Documents[0], func(string) (string, bool) { return value, true })
		if (d == nil) != lost {
			t.Errorf("with %q the document is %v, want it lost: %v", value, d, lost)
		}
	}
}
