package scaffold_test

import (
	"fmt"
	"testing/fstest"

	"github.com/drone-laptop/drone/internal/scaffold"
)

// A file that says how a project is tested becomes a pipeline that does so.
func ExampleWrite() {
	result, err := scaffold.Write(fstest.MapFS{
		"go.mod":  {Data: []byte("module example.com/hello\n\ngo 1.26\n")},
		"main.go": {Data: []byte("package main\n")},
	}, scaffold.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(result.Text))
	for _, seen := range result.Seen {
		fmt.Println("#", seen.File, "has", seen.What)
	}
	// Output:
	// kind: pipeline
	// type: docker
	// name: default
	//
	// steps:
	// - name: test
	//   image: golang:1.26
	//   commands:
	//   - go vet ./...
	//   - go test ./...
	// # go.mod has Go 1.26: vet and test
}
