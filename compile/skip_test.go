package compile

import "testing"

// The rows are those of reference §11.1.
func TestSkipDirective(t *testing.T) {
	type testCase struct {
		name  string
		build Build
		want  string
	}
	run := func(t *testing.T, tc testCase) {
		if got := tc.build.SkipDirective(); got != tc.want {
			t.Errorf("got %q, want %q", got, tc.want)
		}
	}
	for _, tc := range []testCase{
		{"nothing", Build{Event: "push", Message: "ci skip"}, ""},
		{"message", Build{Event: "push", Message: "docs [CI Skip] only"}, `the commit message contains "[ci skip]"`},
		{"in the body", Build{Event: "push", Message: "docs\n\n[skip ci]\n"}, `the commit message contains "[skip ci]"`},
		{"old form", Build{Event: "push", Message: "***NO_CI***"}, `the commit message contains "***no_ci***"`},
		{"title", Build{Event: "pull_request", Title: "[skip CI] x", Message: "y"}, `the title contains "[skip ci]"`},
		{"description", Build{Event: "pull_request", Title: "x", Message: "[ci skip]"}, `the description contains "[ci skip]"`},
		{"tag", Build{Event: "tag", Message: "[ci skip]"}, ""},
		{"cron", Build{Event: "cron", Message: "[ci skip]"}, ""},
		{"custom", Build{Event: "custom", Message: "[ci skip]"}, ""},
		{"promote", Build{Event: "promote", Message: "[ci skip]"}, ""},
		{"rollback", Build{Event: "rollback", Message: "[ci skip]"}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}
