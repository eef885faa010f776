package convert_test

import (
	"context"
	"fmt"

	"github.com/drone-laptop/drone/convert"
)

// A program becomes the configuration that it makes.
func ExampleRun() {
	result, err := convert.Run(context.Background(), ".drone.jsonnet", []byte(`{
  kind: 'pipeline',
  name: 'default',
  steps: [{ name: 'test', image: 'golang:1.26' }],
}`), convert.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Maker)
	fmt.Print(string(result.Text))
	// Output:
	// .drone.jsonnet
	// ---
	// {
	//    "kind": "pipeline",
	//    "name": "default",
	//    "steps": [
	//       {
	//          "image": "golang:1.26",
	//          "name": "test"
	//       }
	//    ]
	// }
}
