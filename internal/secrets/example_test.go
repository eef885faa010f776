package secrets_test

import (
	"fmt"

	"github.com/drone-laptop/drone/internal/secrets"
)

// A secret of the environment stays out of the list of processes. It is found
// in any case, as on a server, and tells where it was given.
func ExampleLoad() {
	set, warnings, err := secrets.Load(secrets.Sources{
		Values: []string{"TOKEN", "user=octocat"},
		Getenv: func(name string) (value string, ok bool) { return "s3cret", name == "TOKEN" },
	})
	if err != nil || len(warnings) > 0 {
		fmt.Println(warnings, err)
		return
	}
	value, ok := set.Lookup("token")
	fmt.Println(set.Names(), len(value), ok)
	fmt.Println(set.Source("token"), "or", set.Source("user"))
	fmt.Println(set.Closest("tokne"))
	// Output:
	// [TOKEN user] 6 true
	// environment variable TOKEN or flag --secret
	// TOKEN
}
