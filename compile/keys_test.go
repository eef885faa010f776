package compile

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/drone-laptop/drone/manifest"
)

// The tables of the parser say of each key in what type of pipeline it has an
// effect, whether it needs trust, and which words it knows. TestKeys compares
// that with what is reported here of a file that has the key.
func TestKeys(t *testing.T) {
	keys := 0
	for _, o := range manifest.Schema() {
		frame, found := keyFrames[o.Name]
		if !found {
			continue
		}
		for _, k := range o.Keys {
			if k.Name == "kind" || k.Name == "type" || k.Name == "steps" || k.Name == "name" && o.Name == "step" {
				continue // the frames have them
			}
			keys++
			t.Run(o.Name+"."+k.Name, func(t *testing.T) { checkKey(t, frame, k) })
		}
	}
	if keys < 50 {
		t.Errorf("%d keys were compared", keys)
	}
}

// keyFrames are pipelines with a place for their type and one for a key, in
// flow style.
var keyFrames = map[string]string{
	"document":   "{kind: pipeline, type: %s, steps: [], %s}",
	"pipeline":   "{kind: pipeline, type: %s, steps: [], %s}",
	"clone":      "{kind: pipeline, type: %s, steps: [], clone: {%s}}",
	"step":       "{kind: pipeline, type: %s, steps: [{name: a, %s}]}",
	"conditions": "{kind: pipeline, type: %s, steps: [{name: a, when: {%s}}]}",
	"volume":     "{kind: pipeline, type: %s, steps: [], volumes: [{name: a, %s}]}",
	"temp":       "{kind: pipeline, type: %s, steps: [], volumes: [{name: a, temp: {%s}}]}",
}

func checkKey(t *testing.T, frame string, k manifest.Key) {
	t.Helper()
	rules := func(typ, value string) []string {
		source := fmt.Sprintf(frame, typ, k.Name+": "+value)
		_, problems, err := Compile("x.yml", []byte(source), Options{Build: pushBuild(), Workspace: "/w", Host: Host{Consent: true}})
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, p := range problems {
			list = append(list, p.Rule)
		}
		return list
	}
	hosted := rules("exec", k.Example)
	if got := slices.Contains(hosted, "no-effect") || slices.Contains(hosted, "image-on-host"); got != (k.Only == "docker") && !strings.Contains(frame, "volumes: [") {
		t.Errorf("of type exec it has the problems %v, but only: %q", hosted, k.Only)
	}
	docker := rules("docker", k.Example)
	if got := slices.Contains(docker, RuleUntrusted); got != k.Trusted {
		t.Errorf("without trust it has the problems %v, but trusted: %v", docker, k.Trusted)
	}
	if len(k.Values) == 0 || k.Open {
		return
	}
	for _, word := range append(slices.Clone(k.Values), "nonsense") {
		got := rules("docker", word)
		unknown := slices.ContainsFunc(got, func(rule string) bool { return strings.HasPrefix(rule, "unknown-") })
		if unknown != (word == "nonsense") {
			t.Errorf("the word %s has the problems %v", word, got)
		}
	}
}
