package compile

import "testing"

// The vectors are those of reference A.2, and the rows of §6.3.
func TestMatchGlob(t *testing.T) {
	type testCase struct {
		pattern, value string
		want           bool
	}
	run := func(t *testing.T, tc testCase) {
		t.Helper()
		if got := MatchGlob(tc.pattern, tc.value); got != tc.want {
			t.Errorf("MatchGlob(%q, %q) = %v, want %v", tc.pattern, tc.value, got, tc.want)
		}
	}
	for _, tc := range []testCase{
		{"feature/*", "feature/a", true}, {"feature/*", "feature/a/b", false},
		{"feature/**", "feature/a/b", true}, {"feature/**", "feature", false}, {"feature/**", "feature/a", true},
		{"**", "a/b", true}, {"**", "a", true}, {"**", "", true},
		{"*", "a/b", false}, {"*", "master", true}, {"*", "", true}, {"", "", true}, {"", "a", false},
		{"v*", "v", true}, {"v*", "", false},
		{"a/**/b", "a/b", true}, {"a/**/b", "a/x/y/b", true}, {"a/**/b", "a/x/y/c", false},
		{"**/x", "x", true}, {"**/x", "a/b/x", true}, {"**/x", "a/b/y", false},
		{"a**", "abc", true}, {"a**", "a/b", false},
		{"{a,b}", "b", true}, {"{main,release/*}", "release/1", false}, {"{main,release/*}", "main", false},
		{"release-{1,2}.*", "release-1.0", true}, {"{,x}y", "y", true}, {"{,}", "", true},
		{"[^a]x", "bx", true}, {"[!a]x", "bx", false}, {"[!a]x", "!x", true}, {"[!a]x", "ax", true},
		{`\[!a]`, "[!a]", true},
		{"?", "é", true}, {"?", "", false}, {"?", "/", false},
		{`\*`, "*", true}, {`\*`, "a", false}, {"!master", "develop", false}, {"!master", "!master", true},
		{"refs/tags/v*", "refs/tags/v1.0/x", false}, {"refs/tags/**", "refs/tags/v1", true},
		{"refs/heads/master", "refs/heads/master/", true}, {"refs/heads/master/", "refs/heads/master", true},
		{"a//b", "a/b", false}, {"[abc", "a", false}, {"[abc", "[abc", false}, {"Master", "master", false},
		{"*.company.com", "drone.company.com", true}, {"feature-*", "feature-x/y", false},
		{"**/a/**/b/**", "x/a/y/a/z/b/c", true}, {"**/a/**/b/**", "x/a/y/a/z/b", false},
		{"**/**", "a", true}, {"a/b/c", "a/b", false}, {"a", "a/b", false}, {"/regex/", "regex", false},
	} {
		run(t, tc)
	}
}

func FuzzMatchGlob(f *testing.F) {
	f.Add("**/a/**", "x/a/b")
	f.Add("[!a-", "b")
	f.Add(`{a,\}`, "a/")
	f.Fuzz(func(t *testing.T, pattern, value string) {
		got := MatchGlob(pattern, value)
		if again := MatchGlob(pattern, value); again != got {
			t.Errorf("MatchGlob(%q, %q) gives %v, then %v", pattern, value, got, again)
		}
		if !IsGlob(pattern) && pattern == value && !got {
			t.Errorf("the plain name %q does not match itself", pattern)
		}
	})
}
