package watch_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/remote"
	"github.com/drone-laptop/drone/remote/servertest"
	"github.com/drone-laptop/drone/remote/watch"
)

// TestServer follows a build on a server that speaks as a real one does, with
// everything going wrong that may.
func TestServer(t *testing.T) {
	const stream, log = "GET /api/stream/octo/hello", "GET /api/stream/octo/hello/3/1/2"
	tests := []struct {
		name  string
		fault servertest.Fault
		kill  bool
	}{
		{name: "nothing is wrong"},
		{name: "logs are cut", fault: servertest.Fault{Match: log, Stream: servertest.StreamFault{Cut: 3}}},
		{name: "logs come twice", fault: servertest.Fault{Match: log, Stream: servertest.StreamFault{Duplicate: true}}},
		{name: "logs end early", fault: servertest.Fault{Match: log, Stream: servertest.StreamFault{LoseFrom: 8}}},
		{name: "logs come in pieces", fault: servertest.Fault{Match: log, Stream: servertest.StreamFault{Chunk: 7, Delay: time.Millisecond}}},
		{name: "streams are refused", fault: servertest.Refuse(stream, http.StatusBadGateway, "busy")},
		{name: "a line is lost", fault: servertest.Fault{Match: log, Times: 1, Stream: servertest.StreamFault{Drop: 7}}},
		{name: "events come twice", fault: servertest.Fault{Match: stream, Stream: servertest.StreamFault{Duplicate: true}}},
		{name: "events are lost", fault: servertest.Fault{Match: stream, Stream: servertest.StreamFault{Drop: 2}}},
		{name: "the server stumbles", fault: servertest.Fault{Match: "GET /api/repos/octo/hello/builds/3", Skip: 1, Times: 6, Status: http.StatusInternalServerError, Message: "database is locked"}},
		{name: "it is cancelled, and the log does not end", kill: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := servertest.Example()
			defer s.Close()
			if tt.fault.Stream.Drop > 0 { // not of logs
				s.Fault(servertest.Fault{Match: log, Stream: servertest.StreamFault{Chunk: 1 << 20}})
			}
			if tt.fault.Match != "" {
				s.Fault(tt.fault)
			}
			client, err := remote.New(remote.Options{Server: s.URL, Token: servertest.Token})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			var running sync.WaitGroup
			defer running.Wait()
			running.Go(func() { finish(s, client, tt.kill) })
			got := newAudience(t)
			err = watch.New(watch.Options{
				Server: watch.ServerOf(client), Repo: servertest.Hello, Build: 3, Emit: got.hear,
				Pace: watch.Pace{Poll: 100 * time.Millisecond, Reopen: 20 * time.Millisecond, Backoff: 100 * time.Millisecond, Linger: 100 * time.Millisecond, Store: 100 * time.Millisecond},
			}).Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want, status := []string{"1 + go test ./..."}, exec.StatusSuccess
			for n := range 20 {
				want = append(want, fmt.Sprintf("%d line %d", n+2, n))
			}
			lines := got.lines["build/test"]
			if tt.kill {
				status = exec.StatusKilled
				want = want[:min(len(lines), len(want))]
			}
			if diff := cmp.Diff(want, lines); diff != "" || len(lines) == 0 {
				t.Errorf("the log of the step that ran (-want +got):\n%s", diff)
			}
			if got.summary.Status != status {
				t.Errorf("it ended as %s, want %s", got.summary.Status, status)
			}
			if !tt.kill && !slices.Equal(got.lines["deploy/publish"], []string{"1 uploaded"}) {
				t.Errorf("the log of the last step: %q", got.lines["deploy/publish"])
			}
		})
	}
}

// finish is the runner of the build that runs.
func finish(s *servertest.Server, client *remote.Client, kill bool) {
	step := remote.StepRef{Build: 3, Stage: 1, Step: 2}
	for n := range 20 {
		time.Sleep(5 * time.Millisecond)
		s.Print(servertest.Hello, step, fmt.Sprintf("line %d", n))
		if kill && n == 10 {
			_, _ = client.BuildCancel(context.Background(), servertest.Hello, 3) // the test tells when it did not
			return
		}
	}
	s.FinishStep(servertest.Hello, step, 0)
	s.FinishStage(servertest.Hello, 3, 1)
	s.Play(servertest.Hello, 3)
}
