package logs

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"testing"
)

// FuzzAutomaton compares with package regexp what an automaton says of lines. It
// may leave lines to that, but none of ASCII only.
func FuzzAutomaton(f *testing.F) {
	for _, expression := range []string{
		"", "a", "^", "$", "^$", `\b`, `\B`, `^\b|x$`, `a*b+c?`, `(a|b)*abb`, `\d+$`, `(?i)error: \w+`, `\bfail(ed|ure)?\b`,
		`[^a-z ]{2,3}`, `(?m)^a$`, `\Aa\z`, "ä|o", `(?i)k`, ".*ing .*[0-9]", `(x+x+)+y`, "\n", "a\nb", `a{0}`, `[[:^alpha:]]b`,
	} {
		for _, line := range []string{"", "a", "abb abc", "Error: one", "the test failed: 12", "a_b 7 failure", "größer", "xxxxxxx", "k\u212aK", "\xff", "tab\there"} {
			f.Add(expression, line)
		}
	}
	f.Fuzz(func(t *testing.T, expression, line string) {
		line = strings.ReplaceAll(line, "\n", " ")
		re, err := regexp.Compile(expression)
		if err != nil || len(expression) > 100 {
			return
		}
		tree, err := syntax.Parse(expression, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		a := newAutomaton(program(tree.Simplify()))
		if a == nil {
			return
		}
		want := re.MatchString(line)
		for range 2 { // while it makes states, and with those that it has made
			found, known := a.match([]byte(line + "\n"))
			if known && found != want {
				t.Fatalf("%q is in %q: %v, want %v", expression, line, found, want)
			}
			if !known && ascii(line) && a.resets == 0 {
				t.Fatalf("whether %q is in %q is not known", expression, line)
			}
		}
	})
}

// TestManyStates has an expression that needs more states than are kept.
func TestManyStates(t *testing.T) {
	const expression = `[ab]*a[ab]{12}$`
	tree, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		t.Fatal(err)
	}
	a, re := newAutomaton(program(tree.Simplify())), regexp.MustCompile(expression)
	seed, unknown := uint32(1), 0
	for range 2000 {
		line := make([]byte, 40)
		for i := range line {
			seed = seed*1664525 + 1013904223
			line[i] = 'a' + byte(seed>>31)
		}
		found, known := a.match(append(line, '\n'))
		if !known {
			unknown++
		} else if want := re.Match(line); found != want {
			t.Fatalf("in %q: %v, want %v", line, found, want)
		}
	}
	if a.resets <= mostResets || unknown == 0 || len(a.states) > mostStates {
		t.Errorf("%d states, made anew %d times, %d lines left to others", len(a.states), a.resets, unknown)
	}
}
