package manifest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAllUses lists all expressions of a file, and of those that are substituted
// the ones that matter most.
func TestAllUses(t *testing.T) {
	const source = `# ${A} and ${B:-x}
kind: pipeline # ${E}
steps:
- name: é ${A} $${C} ${A:-${B}}
  commands:
  - echo ${A:-y} ${broken ${D[0]}
`
	file, _ := Parse("f", []byte(source), nil)
	var got []string
	for _, u := range file.Uses() {
		got = append(got, fmt.Sprintf("%s %d:%d-%d default=%v comment=%v", u.Name, u.Span.Start.Line, u.Span.Start.Column, u.Span.End.Column, u.Default, u.Comment))
	}
	want := []string{
		"A 1:3-7 default=false comment=true",
		"B 1:12-19 default=true comment=true",
		"E 2:18-22 default=false comment=true",
		"A 4:11-15 default=false comment=false",
		"A 4:22-32 default=true comment=false",
		"B 4:27-31 default=false comment=false",
		"A 6:10-17 default=true comment=false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("uses differ (-want +got):\n%s", diff)
	}

	file, _ = Parse("f", []byte(source), func(string) (string, bool) { return "", false })
	got = nil
	for _, u := range file.Substituted {
		got = append(got, fmt.Sprintf("%s %d:%d comment=%v", u.Name, u.Span.Start.Line, u.Span.Start.Column, u.Comment))
	}
	want = []string{"E 2:18 comment=true", "A 4:11 comment=false", "B 4:27 comment=false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("substituted differ (-want +got):\n%s", diff)
	}
}

// TestOperatorInComment shows that nobody is told of an operator in a comment.
func TestOperatorInComment(t *testing.T) {
	_, problems := Parse("f", []byte("# ${A:+x}\nkind: pipeline\n"), func(string) (string, bool) { return "", false })
	if len(problems) > 0 {
		t.Errorf("problems: %v", problems)
	}
}
