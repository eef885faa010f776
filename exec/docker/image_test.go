package docker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/registry"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/dockerhost"
)

const noHost = `Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host`

// notices collects what an engine has to tell.
type notices struct {
	mu  sync.Mutex
	all []exec.Notice
}

func (n *notices) take(notice exec.Notice) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, notice)
}

func (n *notices) warnings() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var found []string
	for _, notice := range n.all {
		if notice.Warning != "" {
			found = append(found, notice.Warning)
		}
	}
	return found
}

func TestPullPolicy(t *testing.T) {
	type testCase struct {
		name  string
		image string
		pull  exec.Pull
		local bool
		serve func(http.ResponseWriter, *http.Request, string)
		// what two steps with the image do
		wantPulls    int
		wantErr      string
		wantWarnings []string
	}
	run := func(t *testing.T, tc testCase) {
		s := &stub{local: map[string]bool{tc.image: tc.local}, pull: tc.serve}
		e := s.engine(t, nil)
		var heard notices
		var err error
		for range 2 {
			err = e.present(t.Context(), wanted{image: tc.image, pull: tc.pull, credentials: e.credentials, notify: heard.take})
		}
		switch {
		case tc.wantErr == "" && err != nil:
			t.Fatal(err)
		case tc.wantErr != "":
			if got := asStepError(t, err, exec.PhasePull); !strings.Contains(got.Error(), tc.wantErr) || got.Hint == "" {
				t.Errorf("got %q with hint %q, want %q", got.Error(), got.Hint, tc.wantErr)
			}
		}
		if pulls, _ := s.counts(); pulls != tc.wantPulls {
			t.Errorf("pulled %d times, want %d", pulls, tc.wantPulls)
		}
		if diff := cmp.Diff(tc.wantWarnings, heard.warnings()); diff != "" {
			t.Errorf("warnings -want +got:\n%s", diff)
		}
	}
	ok, down := stream(`{"status":"Pulling from x"}`), answer(500, noHost)
	denied := answer(404, "pull access denied for mine, repository does not exist: denied: requested access to the resource is denied")
	inStream := stream(`{"status":"Pulling from x"}`, `{"error":"toomanyrequests: You have reached your pull rate limit","errorDetail":{"message":"toomanyrequests: You have reached your pull rate limit"}}`)
	cases := []testCase{
		{name: "tag that is here", image: "a:1", local: true, serve: down},
		{name: "tag that is not here", image: "a:1", serve: ok, wantPulls: 2},
		{name: "tag that cannot be had", image: "a:1", serve: down, wantPulls: 2, wantErr: "no such host"},
		{name: "always", image: "a:1", pull: exec.PullAlways, local: true, serve: ok, wantPulls: 2},
		{name: "always, offline", image: "a:1", pull: exec.PullAlways, local: true, serve: down, wantPulls: 2,
			wantWarnings: []string{"using the image a:1 as it is on this machine: " + strings.Replace(noHost, "G", "g", 1)}},
		{name: "always, offline and not here", image: "a:1", pull: exec.PullAlways, serve: down, wantPulls: 2, wantErr: "no such host"},
		{name: "always, refused", image: "a:1", pull: exec.PullAlways, local: true, serve: denied, wantPulls: 2, wantErr: "denied"},
		{name: "latest that is here", image: "a:latest", local: true, serve: ok, wantPulls: 1},
		{name: "latest, offline", image: "a:latest", local: true, serve: down, wantPulls: 1,
			wantWarnings: []string{"using the image a:latest as it is on this machine: " + strings.Replace(noHost, "G", "g", 1)}},
		{name: "latest, built here", image: "mine:latest", local: true, serve: denied, wantPulls: 1,
			wantWarnings: []string{"using the image mine:latest as it is on this machine: docker.io refuses it without a login: pull access denied for mine, repository does not exist: denied: requested access to the resource is denied"}},
		{name: "latest that is not here, offline", image: "a:latest", serve: down, wantPulls: 2, wantErr: "no such host"},
		{name: "latest, if-not-exists", image: "a:latest", pull: exec.PullIfNotExists, local: true, serve: down},
		{name: "never", image: "a:latest", pull: exec.PullNever, serve: ok, wantErr: `image "a:latest" is not on this engine, and the step has pull: never`},
		{name: "error in the stream", image: "a:1", serve: inStream, wantPulls: 2, wantErr: "limited the pulls"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

func TestLatest(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("a", 64)
	for image, want := range map[string]bool{
		"a": true, "a:latest": true, "r.example:5000/a": true, "a:1": false, "a" + digest: false, "a:latest" + digest: false, "UPPER": false,
	} {
		if got := latest(image); got != want {
			t.Errorf("latest(%q) is %v", image, got)
		}
	}
}

// TestPullOnce lets several steps want an image while it is being pulled.
func TestPullOnce(t *testing.T) {
	const steps = 5
	begun, finish := make(chan struct{}, steps), make(chan struct{})
	s := &stub{pull: func(w http.ResponseWriter, r *http.Request, image string) {
		begun <- struct{}{}
		<-finish
		stream(`{"status":"Downloaded"}`)(w, r, image)
	}}
	e := s.engine(t, nil)
	var group errgroup.Group
	w := wanted{image: "a:1", credentials: e.credentials, notify: func(exec.Notice) {}}
	for range steps {
		group.Go(func() error { _, err := e.images.fetch(t.Context(), w, 0); return err })
	}
	<-begun
	key := "a:1\n"
	for waiting := 0; waiting < steps; {
		e.images.mu.Lock()
		waiting = e.images.flights[key].waiters
		e.images.mu.Unlock()
	}
	close(finish)
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if pulls, _ := s.counts(); pulls != 1 {
		t.Errorf("pulled %d times", pulls)
	}
	if len(e.images.flights) != 0 {
		t.Errorf("pulls under way: %v", e.images.flights)
	}
}

// TestPullCancelled shows that one who leaves does not end the pull of
// another, and that the last one does.
func TestPullCancelled(t *testing.T) {
	begun, ended := make(chan struct{}), make(chan struct{})
	s := &stub{pull: func(w http.ResponseWriter, r *http.Request, _ string) {
		close(begun)
		<-r.Context().Done()
		close(ended)
	}}
	e := s.engine(t, nil)
	w := wanted{image: "a:1", credentials: e.credentials, notify: func(exec.Notice) {}}
	cause := errors.New("enough")
	first, leaveFirst := context.WithCancelCause(t.Context())
	second, leaveSecond := context.WithCancelCause(t.Context())
	results := make(chan error, 2)
	go func() {
		_, err := e.images.fetch(first, w, 0)
		results <- err
	}()
	<-begun
	leave := e.images.join(w, "", 0) // keeps the pull alive without a goroutine
	leaveFirst(cause)
	if err := <-results; !errors.Is(err, cause) {
		t.Errorf("the first got %v", err)
	}
	select {
	case <-ended:
		t.Fatal("the pull ended with the first who left")
	default:
	}
	go func() {
		_, err := e.images.fetch(second, w, 0)
		results <- err
	}()
	e.images.leave("a:1\n", leave)
	leaveSecond(cause)
	if err := <-results; !errors.Is(err, cause) {
		t.Errorf("the second got %v", err)
	}
	<-ended
}

func TestPullProgress(t *testing.T) {
	s := &stub{pull: stream(
		`{"status":"Pulling from library/a","id":"1"}`,
		`{"status":"Already exists","id":"l0"}`,
		`{"status":"Downloading","id":"l1","progressDetail":{"current":10,"total":100}}`,
		`{"status":"Downloading","id":"l2","progressDetail":{"current":1,"total":50}}`,
		`{"status":"Download complete","id":"l1"}`,
		`{"status":"Status: Downloaded newer image"}`,
	)}
	e := s.engine(t, nil)
	var heard notices
	if _, err := e.images.fetch(t.Context(), wanted{image: "a:1", credentials: e.credentials, notify: heard.take}, 0); err != nil {
		t.Fatal(err)
	}
	var got []exec.PullProgress
	for _, n := range heard.all {
		got = append(got, *n.Pull)
	}
	// How often the middle is reported depends on the time it takes.
	last := len(got) - 1
	if last < 2 {
		t.Fatalf("heard %v", got)
	}
	want := []exec.PullProgress{{Image: "a:1"}, {Image: "a:1", Current: 10, Total: 100}, {Image: "a:1", Current: 101, Total: 150, Done: true}}
	if diff := cmp.Diff(want, []exec.PullProgress{got[0], got[1], got[last]}); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	sums := layers{}
	for _, m := range []pullMessage{{ID: "1", Status: "Downloading"}, {ID: "1", Status: "Extracting"}} {
		m.Progress.Current, m.Progress.Total = 5, 8
		sums.take(m)
	}
	sums.take(pullMessage{ID: "1", Status: "Pull complete"})
	if current, total := sums.sum(); current != 8 || total != 8 {
		t.Errorf("sum is %d of %d", current, total)
	}
}

func TestPullSendsCredentials(t *testing.T) {
	s := &stub{pull: stream(`{"status":"ok"}`)}
	e := s.engine(t, nil)
	p := &exec.Pipeline{Runs: true, PullSecrets: []exec.SecretRef{{Name: "one"}, {Name: "broken"}, {Name: "none"}},
		Steps: []*exec.Step{{Image: "r.example/a:1", Policy: exec.OnSuccess}, {Image: "skipped:1", Policy: exec.Never}, {Image: "r.example/a:1"}}}
	secrets := map[string]string{"one": `{"auths":{"r.example":{"username":"u","password":"p4ss"}}}`, "broken": "p4ss"}
	var heard notices
	failed, err := e.Pull(t.Context(), []*exec.Pipeline{p, {Steps: []*exec.Step{{Image: "not-run:1"}}}}, exec.Setting{
		Secret: func(name string) (string, bool) { v, ok := secrets[name]; return v, ok }, Notify: heard.take,
	})
	if err != nil || len(failed) != 0 {
		t.Fatalf("got %v, %v", failed, err)
	}
	if diff := cmp.Diff([]string{"r.example/a:1"}, s.pulled); diff != "" {
		t.Errorf("pulled -want +got:\n%s", diff)
	}
	auth, err := registry.DecodeAuthConfig(s.auth[0])
	if err != nil || auth.Username != "u" || auth.Password != "p4ss" {
		t.Errorf("sent %+v, %v", auth, err)
	}
	warnings := strings.Join(heard.warnings(), "\n")
	if !strings.Contains(warnings, `"broken"`) || strings.Contains(warnings, `"none"`) || strings.Contains(warnings, "p4ss") {
		t.Errorf("warnings are %q", warnings)
	}
}

func TestPullReportsEachFailure(t *testing.T) {
	s := &stub{local: map[string]bool{"here:1": true}, pull: func(w http.ResponseWriter, r *http.Request, image string) {
		if image == "good:1" {
			stream(`{"status":"ok"}`)(w, r, image)
			return
		}
		answer(404, fmt.Sprintf("manifest for %s not found: manifest unknown: manifest unknown", image))(w, r, image)
	}}
	e := s.engine(t, &dockerhost.Credentials{})
	var steps []*exec.Step
	for _, image := range []string{"good:1", "bad:1", "here:1", "worse:1"} {
		steps = append(steps, &exec.Step{Image: image})
	}
	failed, err := e.Pull(t.Context(), []*exec.Pipeline{{Runs: true, Steps: steps}}, exec.Setting{Notify: func(exec.Notice) {}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range failed {
		got[f.Image] = f.Err.Error()
	}
	want := map[string]string{
		"bad:1": `image "bad:1" cannot be pulled: docker.io has no such tag`, "worse:1": `image "worse:1" cannot be pulled: docker.io has no such tag`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestPullDoesNotWaitForASilentRegistry(t *testing.T) {
	s := &stub{pull: func(_ http.ResponseWriter, r *http.Request, _ string) { <-r.Context().Done() }}
	e := s.engine(t, nil)
	_, err := e.images.fetch(t.Context(), wanted{image: "a", credentials: e.credentials, notify: func(exec.Notice) {}}, time.Millisecond)
	if got := asStepError(t, err, exec.PhasePull); !strings.Contains(got.Error(), errNoAnswer.Error()) || got.Hint != hintOffline {
		t.Errorf("got %q with hint %q", got.Error(), got.Hint)
	}
}
