package remote_test

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/drone-laptop/drone/remote"
	"github.com/drone-laptop/drone/remote/servertest"
)

// The newest builds of a repository, up to the first that succeeded.
func ExampleClient_BuildAll() {
	server := servertest.Example() // instead of a server
	defer server.Close()

	client, err := remote.New(remote.Options{Server: server.URL, Token: servertest.Token})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	repo := remote.Slug{Owner: "octo", Name: "hello"}
	for build, err := range client.BuildAll(context.Background(), repo, remote.BuildFilter{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(build.Number, build.Status, build.Target)
		if build.Status == remote.StateSuccess {
			break
		}
	}
	// Output:
	// 3 running main
	// 2 failure main
	// 1 success feature/a
}

// What a server refuses is told apart by kind, whatever the status was.
func ExampleStatusError() {
	server := servertest.Example()
	defer server.Close()

	client, err := remote.New(remote.Options{Server: server.URL, Token: servertest.Token})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	_, err = client.SecretCreate(context.Background(), remote.Slug{Owner: "octo", Name: "hello"},
		remote.SecretInput{Name: "npm_token", Data: "hunter2"})
	fmt.Println(errors.Is(err, remote.ErrDuplicate))
	if refused, ok := errors.AsType[*remote.StatusError](err); ok {
		fmt.Println(refused.Status, refused.Hint())
	}
	// Output:
	// true
	// 500 there is one of that name already
}

// The log of a step that runs, as it is printed.
func ExampleClient_StreamLog() {
	server := servertest.Example()
	defer server.Close()

	client, err := remote.New(remote.Options{Server: server.URL, Token: servertest.Token})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	repo, step := remote.Slug{Owner: "octo", Name: "hello"}, remote.StepRef{Build: 3, Stage: 1, Step: 2}
	stream, err := client.StreamLog(context.Background(), repo, step)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stream.Close()
	line, err := stream.Next()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(line.Message)
	server.FinishStep(repo, step, 0) // what the runner does
	_, err = stream.Next()
	fmt.Println(errors.Is(err, io.EOF))
	// Output:
	// + go test ./...
	// true
}
