package facts_test

import (
	"fmt"
	"time"

	"github.com/drone-laptop/drone/internal/facts"
)

// What the user says of a build brings all that a server would know of it.
func ExampleResolve() {
	tree := facts.Read("/") // no working tree, so that all is said by hand
	build, warnings, err := facts.Resolve(tree, facts.Overrides{
		Repo: "octocat/hello", PullRequest: "7", Source: "fix", Target: "main", SHA: "7fd1a60b01f91b314f59955a4e4d4e80d8edf11d",
	}, time.Unix(1700000000, 0))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(build.Event, build.Action, build.Ref)
	fmt.Println(build.Source, "into", build.Branch, "as", build.Origin["branch"])
	fmt.Println(len(warnings), "warnings")
	// Output:
	// pull_request opened refs/pull/7/head
	// fix into main as flag --target
	// 0 warnings
}
