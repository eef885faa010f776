package schema_test

import (
	"encoding/json"
	"fmt"

	"github.com/drone-laptop/drone/schema"
)

// The schema tells what a document may have, for the editor that completes it.
func ExampleJSON() {
	text, err := schema.JSON(false)
	if err != nil {
		fmt.Println(err)
		return
	}
	var document struct {
		Title    string
		Required []string
		Defs     map[string]struct {
			Properties map[string]struct{ Description string }
		} `json:"$defs"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(document.Title, document.Required)
	fmt.Println(document.Defs["step"].Properties["detach"].Description)
	// Output:
	// Drone configuration [kind]
	// Run in the background: the next step does not wait, and the result does not count. Services always do. Default: false.
}
