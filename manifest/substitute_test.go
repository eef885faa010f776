package manifest

import (
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/drone/envsubst"
	"github.com/google/go-cmp/cmp"
)

// substituteText substitutes a text with variables and returns the result, or
// the first problem.
func substituteText(source string, vars map[string]string) (*text, []Use, []Problem) {
	r := &reader{places: newLocator("f", source)}
	out, uses := r.substitute(source, func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	})
	return out, uses, r.sorted()
}

// TestSubstitute has the vectors of reference §A.1. The variables of a case are
// A, B and C. Those about backslashes outside expressions are in
// TestBackslashes.
func TestSubstitute(t *testing.T) {
	type testCase struct {
		source string
		vars   string // values of A, B, C, separated by commas
		want   string
	}
	run := func(t *testing.T, tc testCase) {
		vars := map[string]string{}
		for i, v := range strings.Split(tc.vars, ",") {
			vars[string(rune('A'+i))] = v
		}
		out, _, problems := substituteText(tc.source, vars)
		if len(problems) > 0 && problems[0].Rule != RuleOperator {
			t.Fatalf("unexpected problem: %s", problems[0].Message)
		}
		if out.body != tc.want {
			t.Errorf("got %q, want %q", out.body, tc.want)
		}
	}
	cases := []testCase{
		{"$A", "x", "$A"}, {"${A}", "x", "x"}, {"$${A}", "x", "${A}"}, {"$$$A", "x", "$$A"},
		{"$$${A}", "x", "$x"}, {"$$$${A}", "x", "$${A}"}, {"${A}}", "x", "x}"}, {`\${A}`, "x", `\x`},
		{"${A:-b}", "", "b"}, {"${A:-}", "", ""}, {"${A:?b}", "", "b"}, {"${A:+b}", "x", "x"},
		{"${A:-a}b}", "", "ab}"}, {"${A:-{}}", "", "{}"}, {"${A:-$$B}", "", "$$B"}, {`${A:-"q"}`, "", `"q"`},
		{"${A:-a${B:-b}c${C:-d}e}", "", "abcde"}, {"${A==y}", "", "=y"}, {"${A=y}", "", "y"},
		{"${#A}", "héllo", "6"}, {"${A^}", "élan", "Élan"}, {"${A^,}", "ABC", "ABC"}, {"${A,,}", "ABC", "abc"},
		{"${A:1:2}", "abcdef", "bc"}, {"${A:1:99}", "abcdef", "bcdef"}, {"${A:9}", "abc", ""},
		{"${A: -1}", "abcdef", "abcdef"}, {"${A:1:x}", "abcdef", "abcdef"}, {"${A:${B}:${C}}", "abcdef,1,2", "bc"},
		{"${A#v}", "v1.2", "1.2"}, {"${A#*/}", "a/b/c", "b/c"}, {"${A##*/}", "a/b/c", "c"}, {"${A%.*}", "a.b.c", "a.b"},
		{"${A%%.*}", "a.b.c", "a"}, {"${A#*}", "abc", "bc"}, {"${A##*}", "abc", ""}, {"${A%*}", "abc", "ab"},
		{"${A#[ab]}", "abc", "bc"}, {"${A%[bc]}", "abc", "abc"}, {"${A#[}", "abc", "abc"}, {`${A#\*}`, "*bc", "bc"},
		{"${A###x}", "#x", ""}, {"${A/b/X}", "abcb", "aXcb"}, {"${A//b/X}", "abcb", "aXcX"},
		{"${A/#a/X}", "abca", "Xbca"}, {"${A/%a/X}", "abca", "abcX"}, {"${A/#a/}", "abc", "abc"}, {"${A/b/}", "abc", "ac"},
		{`${A/\//-}`, "a/b/c", "a-b/c"}, {`${A//\//-}`, "a/b/c", "a-b-c"}, {`${A//-/\/}`, "a-b", "a/b"},
		{"${A/b//x}", "abc", "axc"}, {"${A/b/x/y}", "abc", "ax/yc"}, {"${A/b//}", "abc", "ac"},
		{"${A/b/$$}", "abc", "a$c"}, {"${A/a/${B}}", "abc,zz", "zzbc"}, {"${A//./-}", "1.2.3", "1-2-3"},
		{"${A//[.]/-}", "1.2.3", "1.2.3"}, {"${NOPE}", "", ""}, {"${A}", "x\ny", `"x\ny"`}, {"${A:0:2}", "x\ny", `"x`},
		{"# ${A} $( $1 $? $", "x", "# x $( $1 $? $"},
		// The forms of §4.2 that the vectors leave out.
		{"${A^^}", "aBc", "ABC"}, {"${A,}", "ABC", "aBC"}, {"${A,^}", "aBC", "aBC"}, {"${A:=b}", "", "b"}, {"${A:-b}", "x", "x"},
		{"${A:${B}}", "abcdef,-2", "ef"}, {"${A/${B}/x}", "abc,b", "axc"}, {"${#A}", "", "0"}, {"${1}", "", ""}, {"${Größe}", "", ""},
		{"${A//b/}", "abcb", "ac"}, {"${A/%c/}", "abc", "abc"}, {"${A%%*}", "abc", ""}, {"${A#[^b]}", "abc", "bc"},
	}
	for _, tc := range cases {
		t.Run(tc.source, func(t *testing.T) { run(t, tc) })
	}
}

func TestSubstituteErrors(t *testing.T) {
	type testCase struct{ source, want string }
	run := func(t *testing.T, tc testCase) {
		out, _, problems := substituteText(tc.source, map[string]string{"A": "abcdef"})
		if len(problems) != 1 {
			t.Fatalf("%d problems, want one: %v", len(problems), problems)
		}
		if p := problems[0]; !strings.HasSuffix(p.Message, tc.want) || p.Severity != Error || p.Hint == "" {
			t.Errorf("got %q, want one that ends with %q", p.Message, tc.want)
		}
		if out.body != tc.source {
			t.Errorf("the text became %q", out.body)
		}
	}
	cases := []testCase{
		{"${}", faultName}, {"${ A }", faultName}, {"${A }", faultBrace}, {"${A", faultBrace},
		{"x ${A:-b", faultOperand}, {"${A-b}", `"-" is not supported there`}, {"${A.b}", `"." is not supported there`},
		{"${A[0]}", `"[" is not supported there`}, {"${A^^[a]}", `"[" is not supported there`}, {"${A::2}", faultOperand},
		{"${A:}", faultOperand}, {"${A:1:}", faultOperand}, {"${A#}", faultOperand}, {"${A/b}", faultSlash},
		{"${A////-}", faultOperand}, {"${!A}", faultName}, {"${A@Q}", `"@" is not supported there`},
		{"${A:0:-1}", "its length is negative"}, {"${A:é}", faultOperator},
	}
	for _, tc := range cases {
		t.Run(tc.source, func(t *testing.T) { run(t, tc) })
	}
}

// TestOperators: those that mean something else than in a shell keep the
// server's meaning, which TestSubstitute has, and are named, with their place.
func TestOperators(t *testing.T) {
	type testCase struct {
		source string
		want   []string // what is odd, and the part of the message after it
	}
	run := func(t *testing.T, tc testCase) {
		_, _, problems := substituteText(tc.source, map[string]string{"A": "abc", "B": "x"})
		var got []string
		for _, p := range problems {
			at := tc.source[p.Span.Start.Offset:p.Span.End.Offset]
			rest, found := strings.CutPrefix(p.Message, strconv.Quote(at)+" ")
			if !found || p.Severity != Warning || p.Rule != RuleOperator || p.Hint == "" {
				t.Errorf("unexpected problem: %+v", p)
			}
			before, _, _ := strings.Cut(rest, ":")
			got = append(got, at+" "+before)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("differs (-want +got):\n%s", diff)
		}
	}
	const same, nothing = " means the same as with `", " changes nothing"
	cases := []testCase{
		{"${A:?x}", []string{"${A:?x}" + same}}, {"é ${A:+x}", []string{"${A:+x}" + same}},
		{"${A:-${B:+x}}", []string{"${B:+x}" + same}},
		{"${A/#a/}", []string{"${A/#a/}" + nothing}}, {"${A/%c//}", []string{"${A/%c//}" + nothing}},
		{"${A/#${B}/}", []string{"${A/#${B}/}" + nothing}},
		{"${A%[bc]}", []string{"${A%[bc]}" + nothing}}, {"${A%%[bc]*}", []string{"${A%%[bc]*}" + nothing}},
		{`${A:-x} ${A=x} ${A:=x} ${A/a/} ${A//a/} ${A/#a/x} ${A/#a/\/} ${A%c} ${A#[ab]} ${A:1:2} ${#A} $${A:?x}`, nil},
	}
	for _, tc := range cases {
		t.Run(tc.source, func(t *testing.T) { run(t, tc) })
	}
}

// TestBackslashes: outside expressions text stays as it is, although the
// library collapses `\\` and `\/` there; inside, its escapes hold.
func TestBackslashes(t *testing.T) {
	for _, source := range []string{`C:\\dir`, `a\/b`, `\\\\srv`, `\n \$A \t`, `sed 's/\//x/'`, `\\$A`} {
		out, _, problems := substituteText(source, nil)
		if out.body != source || len(problems) > 0 {
			t.Errorf("%q became %q, problems %v", source, out.body, problems)
		}
		viaLibrary, err := envsubst.Eval(source, func(string) string { return "" })
		if err != nil {
			t.Fatal(err)
		}
		if collapsed := strings.ContainsAny(source, "/") || strings.Contains(source, `\\`); collapsed && viaLibrary == source {
			t.Errorf("the library leaves %q alone: the workaround can go", source)
		}
	}
	out, _, _ := substituteText(`\\${A//\//\\}\\`, map[string]string{"A": "x/y"})
	if want := `\\x\y\\`; out.body != want {
		t.Errorf("got %q, want %q", out.body, want)
	}
}

// TestInserted: a value that YAML takes for more than text is named, without
// being shown, and one that stays text is not.
func TestInserted(t *testing.T) {
	type testCase struct {
		name, value, line string
		want              bool
	}
	run := func(t *testing.T, tc testCase) {
		source := "kind: pipeline\nname: a\nsteps:\n- name: é\n  " + tc.line + "\n"
		_, problems := Parse("f", []byte(source), func(string) (string, bool) { return tc.value, true })
		var got []Problem
		for _, p := range problems {
			if p.Rule == RuleInserted {
				got = append(got, p)
			}
			if p.Severity == Error {
				t.Errorf("unexpected error: %s", p.Message)
			}
		}
		if (len(got) > 0) != tc.want {
			t.Fatalf("problems: %v", problems)
		}
		if tc.want && (got[0].Span.Start.Line < 5 || source[got[0].Span.Start.Offset:got[0].Span.End.Offset] != "${V}" || strings.Contains(got[0].Message, tc.value)) {
			t.Errorf("problem: %+v", got[0])
		}
	}
	const message = "fix: x, closes #12 'it'"
	cases := []testCase{
		{"a comment", "closes #12", "image: ${V}", true},
		{"a comment in an item", "closes #12", "commands: \n  - echo ${V}", true},
		{"a whole comment", "#12", "image: ${V}", true},
		{"a list", "[a, b]", "commands: ${V}", true},
		{"an item of a list", "a, b", "commands: [\"${V}\", x, ${V}]", true},
		{"text and a comment", "a #", "image: ${V}", true},
		{"a map", "a: b", "settings:\n    x:\n      ${V}", true},
		{"inside double quotes", message, `image: "${V}"`, false},
		{"inside a block", message + " \"", "commands:\n  - |\n    echo ${V}\n\n    ${V}\n", false},
		{"inside a folded block", message, "commands:\n  - >-\n    echo\n    ${V}\n  user: \"${V}\"", false},
		{"inside a comment", message, "image: x # ${V}", false},
		{"inside a comment after a quote", message, "image: it's # ${V}", false},
		{"the name of an anchor", "x", "image: &${V} y\n  user: *${V}", false},
		{"a tag", "str", "image: !!${V} y", false},
		{"lines", "a # b\nc", "image: ${V}", false},
		{"lines in a block", "a # b\nc", "commands:\n  - |\n    ${V}", false},
		{"in the middle", "v1.2.3", "image: a:${V}-${V}", false},
		{"a key", "x", "settings: {${V}: y}", false},
		{"space around", " x ", "image: ${V}", false},
		{"empty", "", "image: a${V}", false},
		{"plain text of several lines", "x", "image: a\n    b ${V}\n    c", false},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

func TestUses(t *testing.T) {
	source := "a: ${B}\nb: é ${A:-${C:0:${D}}} $${E} ${B} ${F=x} ${G:+y} ${G}\n"
	_, uses, _ := substituteText(source, map[string]string{"B": "x", "D": ""})
	type use struct {
		Name    string
		Defined bool
		Default bool
		At      string
		Column  int
	}
	var got []use
	for _, u := range uses {
		got = append(got, use{u.Name, u.Defined, u.Default, source[u.Span.Start.Offset:u.Span.End.Offset], u.Span.Start.Column})
	}
	want := []use{
		{"B", true, false, "${B}", 4}, {"A", false, true, "${A:-${C:0:${D}}}", 6}, {"C", false, false, "${C:0:${D}}", 11},
		{"D", true, false, "${D}", 17}, {"F", false, true, "${F=x}", 35}, {"G", false, false, "${G}", 50},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("uses differ (-want +got):\n%s", diff)
	}
}

// TestManyMalformed would take minutes if each unclosed expression were scanned
// to the end of the file.
func TestManyMalformed(t *testing.T) {
	const n = 20_000
	for _, unit := range []string{"${A:-", "${A/b", "${A", "${"} {
		_, _, problems := substituteText(strings.Repeat(unit, n), nil)
		if len(problems) != n {
			t.Errorf("%d problems for %q, want %d", len(problems), unit, n)
		}
	}
}

// FuzzInserted: a value of letters is never more than text, whatever is around
// it.
func FuzzInserted(f *testing.F) {
	for _, seed := range []string{
		"a: ${V} # ${V}", "- |2\n   ${V}\n # ${V}", "a: >-\n  ${V}\n\n  ${V}\nb: it's # ${V}", "? ${V}\n: [a ${V}, ${V}]", "a: \"${V}\n  ${V}\"",
		"a: &x${V} b\nc: *x${V}", "a: b\n  ${V}\n  c", "é: '${V}''s'\r\n- ${V}", "%YAML ${V}", "a: !${V} ${V}", "[${V}, {${V}: ${V}}]",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		if len(source) > 4000 {
			t.Skip()
		}
		_, problems := Parse("f", []byte(source), func(string) (string, bool) { return "value", true })
		for _, p := range problems {
			if p.Rule == RuleInserted {
				t.Errorf("%+v", p)
			}
		}
	})
}

// FuzzSubstitute compares with the library: without backslashes, whole texts
// have the same meaning. And places go forward with the text.
func FuzzSubstitute(f *testing.F) {
	for _, seed := range []string{
		"a ${A} b", "$${A} $$$ ${A:-x${B}y}", "${A/}/x} ${A//${B}/c}", "${A:${B}:2}", "${#A}${A^^}${A%%b*}", "${A:é}", "${A-b}",
		"${A/b} http://x }", "${A:0:-1}", "${A/b/$$}", "${A==}", "${A::::2}", "é$é${A:-$é}",
	} {
		f.Add(seed, "abc", "1")
	}
	f.Fuzz(func(t *testing.T, source, a, b string) {
		if strings.ContainsAny(source, "\\\x00") || len(source) > 10_000 || firstInvalid(source) >= 0 || strings.HasPrefix(source, byteOrderMark) {
			t.Skip()
		}
		vars := map[string]string{"A": a, "B": b}
		out, _, problems := substituteText(source, vars)
		want, err := evaluate(source, func(name string) string {
			if v := vars[name]; strings.Contains(v, "\n") {
				return strconv.Quote(v)
			}
			return vars[name]
		})
		failed := false
		for _, p := range problems {
			failed = failed || p.Severity == Error
		}
		if failed != (err != nil) {
			t.Fatalf("problems %v, library error %v", problems, err)
		}
		if !failed && out.body != want {
			t.Fatalf("got %q, library %q", out.body, want)
		}
		checkMonotone(t, out, source)
	})
}

func checkMonotone(t *testing.T, out *text, source string) {
	t.Helper()
	var starts, ends []int
	for i := 0; i <= len(out.body); i++ {
		starts = append(starts, out.source(i))
		ends = append(ends, out.sourceEnd(i))
	}
	if !sort.IntsAreSorted(starts) || !sort.IntsAreSorted(ends) {
		t.Fatalf("places go back: %v %v", starts, ends)
	}
	if starts[0] != 0 || ends[len(ends)-1] != len(source) {
		t.Fatalf("places do not cover the source: %v %v", starts, ends)
	}
}
