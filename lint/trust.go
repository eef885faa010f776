package lint

import (
	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/manifest"
)

// trustRules are about what a server allows trusted repositories only.
func trustRules() []Rule {
	return []Rule{{
		ID: compile.RuleUntrusted, Group: groupTrust, Severity: manifest.Warning,
		Summary: "a privilege that only trusted repositories have",
		Explanation: "A server refuses the whole pipeline unless an administrator has marked the repository as trusted, and " +
			"`drone exec` asks before it runs it. Where the repository is trusted, lint with `--trusted`, or set `trusted: true` " +
			"in `.drone-lint.yml`. What a server must not run at all is made an error with `--rule untrusted=error`.",
		Bad: `kind: pipeline
name: default
steps:
- name: image
  image: docker:28
  privileged: true
  commands: [docker build .]
`,
		Good: `kind: pipeline
name: default
steps:
- name: image
  image: plugins/docker:20
  settings: {repo: octocat/hello}
`,
		Reference: "§10.2",
		grade:     func(f *manifest.Problem, _ string) { f.Severity = manifest.Warning },
	}}
}
