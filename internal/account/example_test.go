package account_test

import (
	"fmt"
	"os"

	"github.com/drone-laptop/drone/internal/account"
)

// The profile for a working tree is the one for the host of its git remote, else the
// default.
func ExampleProfiles_Choose() {
	list := account.Profiles{
		{Name: "home", Server: "https://drone.example.org", Default: true},
		{Name: "work", Server: "https://drone.example.com", Hosts: []string{"git.example.com"}},
	}
	for _, host := range []string{"git.example.com", "github.com", ""} {
		p, ok, err := list.Choose(host)
		fmt.Println(p.Name, ok, err)
	}
	// Output:
	// work true <nil>
	// home true <nil>
	// home true <nil>
}

// Without a keyring the token is in a file of its own. No file of profiles has it.
func ExampleStore() {
	config, err := os.MkdirTemp("", "account-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(config)
	store := account.In(config, nil)
	entry, _, err := store.Save(account.Profile{Name: "home", Server: "https://drone.example.org", Login: "octocat"}, "a token", false)
	fmt.Println(entry.Place, err)
	token, _, err := store.Token("home")
	fmt.Println(token, err)
	_, _, err = store.Token("work")
	fmt.Println(err)
	// Output:
	// file <nil>
	// a token <nil>
	// no such profile
}

func ExampleNormal() {
	fmt.Println(account.Normal("HTTPS://Drone.Example.com:443/"))
	// Output: https://drone.example.com
}
