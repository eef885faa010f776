package enginetest

import (
	"maps"
	"slices"
	"strings"
)

func environmentCases() []testCase {
	return []testCase{
		environmentExact(),
		{name: "environment: an empty value is set", env: map[string]string{"EMPTY": ""}, commands: []string{`echo "${EMPTY-unset}|"`}, check: func(b *bench, res result) {
			b.same("output", res.printed(), "|\n")
		}},
		{name: "environment: a step does not see that of another", run: func(b *bench) {
			one, two := step("one", "export LEAK=1"), step("two", `echo "$ONLY${LEAK-unset}"`)
			s := b.open(b.pipeline(one, two))
			s.do(b.context(), one, map[string]string{"ONLY": "one"})
			b.same("output", s.do(b.context(), two, nil).printed(), "unset\n")
		}},
	}
}

func environmentExact() testCase {
	env := map[string]string{
		"PLAIN":     "value",
		"SPACES":    "  two  words\t",
		"QUOTES":    `it's "quoted" \ and \n back`,
		"LINES":     "-----BEGIN\nsecond line\n\nlast-----\n",
		"DOLLAR":    "$HOME ${PATH} $(echo no) `echo no` $$",
		"UNICODE":   "grüße 世界 🚀",
		"EQUALS":    "a=b=c",
		"BIG_VALUE": strings.Repeat("0123456789", 10_000),
		"lower_1":   "case counts",
	}
	names := slices.Sorted(maps.Keys(env))
	var commands []string
	var want strings.Builder
	for _, name := range names {
		commands = append(commands, `printf '<%s>' "$`+name+`"`)
		want.WriteString("<" + env[name] + ">")
	}
	return testCase{
		name: "environment: values arrive exactly", env: env, commands: []string{strings.Join(commands, "; ")},
		check: func(b *bench, res result) {
			_, got, _ := strings.Cut(res.output, "\n")
			b.same("environment", got, want.String())
		},
	}
}
