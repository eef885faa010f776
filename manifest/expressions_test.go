package manifest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestExpressions(t *testing.T) {
	for text, want := range map[string][]string{
		"":                            nil,
		"$A $ {B} $":                  nil,
		"a ${B} c ${D:-e}f":           {"${B}", "${D:-e}"},
		"$${A} $$${B}":                {"${B}"},
		"${A:-${B}} ${A:-\n}":         {"${A:-${B}}", "${A:-\n}"},
		"${ ${A ${B} ${}":             {"${B}"},
		"# ${A/x/y} é${A##v*}":        {"${A/x/y}", "${A##v*}"},
		"\"${A:-\"b\"}\" '${#A}' ${A": {"${A:-\"b\"}", "${#A}"},
	} {
		var got []string
		for _, x := range Expressions(text) {
			got = append(got, text[x.Start:x.End])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}
