package remote_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/drone-laptop/drone/remote"
	"github.com/drone-laptop/drone/remote/servertest"
)

// The tests of this file are about what the reference of the server's API says;
// each names the section.

// example starts the server of servertest.Example and gives a client of octocat.
func example(t *testing.T, prepare ...func(*servertest.Server)) (*servertest.Server, *remote.Client) {
	t.Helper()
	s := servertest.Example()
	t.Cleanup(s.Close)
	for _, f := range prepare {
		f(s)
	}
	return s, connect(t, remote.Options{Server: s.URL, Token: servertest.Token})
}

func as(t *testing.T, s *servertest.Server, token string) *remote.Client {
	t.Helper()
	return connect(t, remote.Options{Server: s.URL, Token: token, Guest: token == ""})
}

// refused looks for the status, the kind and the words of a refusal.
func refused(t *testing.T, err error, status int, is error, message string) {
	t.Helper()
	e, ok := errors.AsType[*remote.StatusError](err)
	if !ok || e.Status != status || is != nil && !errors.Is(err, is) || !strings.Contains(e.Message, message) {
		t.Errorf("got %v, want %d %v: %s", err, status, is, message)
	}
}

func TestWrongTokenIsGuest(t *testing.T) { // § 1.1
	s, _ := example(t)
	ctx := t.Context()
	for _, token := range []string{"", "wr0ng"} {
		c := as(t, s, token)
		_, err := c.Self(ctx)
		refused(t, err, 401, remote.ErrUnauthorized, "Unauthorized")
		_, err = c.Repo(ctx, hello)
		refused(t, err, 401, remote.ErrUnauthorized, "")
		if r, err := c.Repo(ctx, remote.Slug{Owner: "octo", Name: "website"}); err != nil || r.Permissions != nil {
			t.Errorf("a public repository: %v", err)
		}
	}
}

func TestPermissions(t *testing.T) { // § 1.2 and the head of § 2
	s, admin := example(t)
	ctx := t.Context()
	c := as(t, s, "t0ken-of-reader")
	if r, err := c.Repo(ctx, hello); err != nil || r.Permissions == nil || *r.Permissions != (remote.Permissions{Read: true}) {
		t.Errorf("%v", err)
	}
	_, err := c.BuildCreate(ctx, hello, remote.NewBuild{})
	refused(t, err, 404, remote.ErrNotFound, "Not Found") // existence is hidden
	_, err = c.UserList(ctx)
	refused(t, err, 403, remote.ErrForbidden, "Forbidden")
	_, err = c.OrgSecretList(ctx, "octo")
	refused(t, err, 401, remote.ErrForbidden, "Forbidden") // not ErrUnauthorized
	if errors.Is(err, remote.ErrUnauthorized) {
		t.Error("who is no member has a token that the server knows")
	}
	no := false
	if _, err := admin.UserUpdate(ctx, "reader", remote.UserPatch{Active: &no}); err != nil {
		t.Fatal(err)
	}
	_, err = c.Repo(ctx, hello)
	refused(t, err, 403, remote.ErrForbidden, "")
	if _, err := c.Self(ctx); err != nil {
		t.Errorf("a blocked user asks who they are: %v", err)
	}
}

func TestUnknownPath(t *testing.T) { // § 1.1 and 1.2
	s, c := example(t)
	c2 := connect(t, remote.Options{Server: s.URL + "/drone", Token: servertest.Token})
	_, err := c2.Self(t.Context())
	gone, ok := errors.AsType[*remote.UnreachableError](err)
	if !ok || !strings.Contains(err.Error(), "page for browsers") || !strings.HasSuffix(gone.Hint, "try "+s.URL) {
		t.Errorf("a wrong base path: %v", err)
	}
	_, err = c.Build(t.Context(), hello, 99)
	refused(t, err, 404, remote.ErrNotFound, "sql: no rows")
	if errors.Is(err, remote.ErrUnsupported) {
		t.Error("a build that is missing is taken for a route that is")
	}
}

func TestBuildListFallsBackTo25(t *testing.T) { // § 1.3
	s, c := example(t)
	for range 130 {
		s.Push(hello, remote.Build{})
	}
	n := 0
	for b, err := range c.BuildAll(t.Context(), hello, remote.BuildFilter{}) {
		if err != nil || b.Number != int64(133-n) {
			t.Fatalf("the %dth is build %d, %v", n, b.Number, err)
		}
		n++
	}
	if n != 133 {
		t.Errorf("%d builds", n)
	}
	builds, err := c.BuildList(t.Context(), hello, remote.BuildFilter{}, 1, 100)
	if err != nil || len(builds) != 100 {
		t.Errorf("%d builds, %v", len(builds), err)
	}
	if _, err := c.BuildList(t.Context(), hello, remote.BuildFilter{}, 1, 101); err == nil {
		t.Error("a page of 101 is not refused, of which the server makes 25")
	}
}

func TestNullBuild(t *testing.T) { // § 2.3
	s, c := example(t)
	s.SetPipelines(hello, nil, "")
	if _, err := c.BuildCreate(t.Context(), hello, remote.NewBuild{}); !errors.Is(err, remote.ErrNothingStarted) {
		t.Error(err)
	}
	if _, err := c.CronExec(t.Context(), hello, "nightly"); !errors.Is(err, remote.ErrNothingStarted) {
		t.Error(err)
	}
}

func TestErrorBuild(t *testing.T) { // § 2.3
	s, c := example(t)
	s.SetPipelines(hello, nil, "yaml: line 3: mapping values are not allowed in this context")
	b, err := c.BuildCreate(t.Context(), hello, remote.NewBuild{})
	if err != nil || b.Status != remote.StateError || !strings.HasPrefix(b.Error, "yaml:") || len(b.Stages) != 0 {
		t.Errorf("%+v, %v", b, err)
	}
}

func TestBlockedBuild(t *testing.T) { // § 2.3
	s, c := example(t)
	ctx := t.Context()
	s.SetPipelines(hello, []servertest.Pipeline{{Name: "a", Blocked: true}, {Name: "b", Blocked: true, DependsOn: []string{"a"}}}, "")
	number := s.Push(hello, remote.Build{})
	b, err := c.Build(ctx, hello, number)
	if err != nil || b.Status != remote.StatePending || b.Stages[0].Status != remote.StateBlocked {
		t.Fatalf("%+v, %v", b, err)
	}
	if err := c.BuildApprove(ctx, hello, number, 2); err != nil {
		t.Error(err)
	}
	if b := s.Build(hello, number); b.Stages[1].Status != remote.StateWaiting {
		t.Errorf("what waits for another is %s", b.Stages[1].Status)
	}
	refused(t, c.BuildApprove(ctx, hello, number, 2), 400, nil, "Cannot approve")
	refused(t, c.BuildDeclineAll(ctx, hello, number), 400, nil, "Cannot decline")
	if err := c.BuildDecline(ctx, hello, number, 1); err != nil {
		t.Error(err)
	}
	if b := s.Build(hello, number); b.Status != remote.StateDeclined {
		t.Errorf("the build is %s", b.Status)
	}
}

func TestParametersOfBuilds(t *testing.T) { // § 2.3
	_, c := example(t)
	ctx := t.Context()
	b, err := c.BuildCreate(ctx, hello, remote.NewBuild{Branch: "feature/a", Message: "try", Params: map[string]string{"A": "1 & 2"}})
	if err != nil || b.Params["A"] != "1 & 2" || b.Params["message"] != "try" || b.Event != remote.EventCustom || b.Target != "feature/a" {
		t.Fatalf("%+v, %v", b, err)
	}
	again, err := c.BuildRestart(ctx, hello, b.Number, map[string]string{"A": "new", "B": "2"}, true)
	if err != nil || again.Params["A"] != "1 & 2" || again.Params["B"] != "2" || !again.Debug || again.Parent != b.Number {
		t.Fatalf("%+v, %v", again, err)
	}
	promoted, err := c.BuildPromote(ctx, hello, b.Number, "production", map[string]string{"A": "new"})
	if err != nil || promoted.Params["A"] != "new" || promoted.Deploy != "production" || promoted.Event != remote.EventPromote {
		t.Fatalf("%+v, %v", promoted, err)
	}
	_, err = c.BuildPromote(ctx, hello, b.Number, "", nil)
	refused(t, err, 400, nil, "Missing target environment")
	_, err = c.BuildCreate(ctx, hello, remote.NewBuild{Branch: "absent"})
	refused(t, err, 404, remote.ErrNotFound, "")
}

func TestCancelIsIdempotent(t *testing.T) { // § 2.3
	_, c := example(t)
	for range 2 {
		b, err := c.BuildCancel(t.Context(), hello, 3)
		if err != nil || b.Status != remote.StateKilled {
			t.Fatalf("%+v, %v", b, err)
		}
	}
}

func TestLogs(t *testing.T) { // § 2.4
	s, c := example(t)
	ctx := t.Context()
	done, runs := remote.StepRef{Build: 1, Stage: 1, Step: 2}, remote.StepRef{Build: 3, Stage: 1, Step: 2}
	lines, err := c.Logs(ctx, hello, done)
	if err != nil || len(lines) != 2 || lines[1] != (remote.Line{Number: 1, Message: "PASS\n"}) {
		t.Errorf("%+v, %v", lines, err)
	}
	_, err = c.Logs(ctx, hello, runs)
	refused(t, err, 404, remote.ErrNotFound, "sql: no rows")
	s.Fault(servertest.Null("GET /api/repos/octo/hello/builds/1/logs/1/1"))
	if lines, err := c.Logs(ctx, hello, remote.StepRef{Build: 1, Stage: 1, Step: 1}); err != nil || len(lines) != 0 {
		t.Errorf("a step without output: %+v, %v", lines, err)
	}
	for range 2 { // also when there is none
		if err := c.LogsDelete(ctx, hello, done); err != nil {
			t.Error(err)
		}
	}
	_, err = c.Logs(ctx, hello, done)
	refused(t, err, 404, remote.ErrNotFound, "")
}

func TestSecrets(t *testing.T) { // § 2.5
	s, c := example(t)
	ctx := t.Context()
	_, err := c.SecretCreate(ctx, hello, remote.SecretInput{Name: "npm_token", Data: "x"})
	refused(t, err, 500, remote.ErrDuplicate, "UNIQUE constraint failed")
	_, err = c.SecretCreate(ctx, hello, remote.SecretInput{Name: "a b", Data: "x"})
	refused(t, err, 400, nil, "Invalid Secret Name")
	yes, no, value := true, false, "n3w"
	if got, err := c.SecretUpdate(ctx, hello, "npm_token", remote.SecretPatch{PullRequest: &yes}); err != nil || !got.PullRequest {
		t.Errorf("%+v, %v", got, err)
	}
	if value, _ := s.SecretValue(hello, "npm_token"); value != "hunter2" {
		t.Errorf("what was not to change is %q", value)
	}
	if got, err := c.SecretUpdate(ctx, hello, "npm_token", remote.SecretPatch{Data: &value, PullRequest: &no}); err != nil || got.PullRequest {
		t.Errorf("an explicit false: %+v, %v", got, err)
	}
	if value, _ := s.SecretValue(hello, "npm_token"); value != "n3w" {
		t.Errorf("what was to change is %q", value)
	}
	if err := c.SecretDelete(ctx, hello, "npm_token"); err != nil {
		t.Error(err)
	}
	refused(t, c.SecretDelete(ctx, hello, "npm_token"), 404, remote.ErrNotFound, "")
}

func TestCron(t *testing.T) { // § 2.5
	_, c := example(t)
	ctx := t.Context()
	got, err := c.CronCreate(ctx, hello, remote.CronInput{Name: "Bad Name!", Expr: "@every 1h30m", Branch: "main"})
	if err != nil || got.Name != "bad-name" || got.Event != remote.EventPush {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = c.CronCreate(ctx, hello, remote.CronInput{Name: "x", Expr: "daily"})
	refused(t, err, 400, nil, "Invalid Cronjob Expression")
	yes := true
	if got, err := c.CronUpdate(ctx, hello, "nightly", remote.CronPatch{Disabled: &yes}); err != nil || !got.Disabled || got.Branch != "main" {
		t.Errorf("%+v, %v", got, err)
	}
	if b, err := c.CronExec(ctx, hello, "nightly"); err != nil || b.Event != remote.EventCron || b.Cron != "nightly" {
		t.Errorf("%+v, %v", b, err)
	}
}

func TestUsers(t *testing.T) { // § 2.6
	s, c := example(t)
	ctx := t.Context()
	robot, err := c.UserCreate(ctx, remote.UserInput{Login: "robot", Machine: true})
	if err != nil || robot.Token == "" {
		t.Fatalf("%+v, %v", robot, err)
	}
	if self, err := as(t, s, robot.Token).Self(ctx); err != nil || self.Login != "robot" {
		t.Errorf("%+v, %v", self, err)
	}
	if person, err := c.UserCreate(ctx, remote.UserInput{Login: "person"}); err != nil || person.Token != "" {
		t.Errorf("%+v, %v", person, err)
	}
	if rotated, err := c.UserTokenRotate(ctx, "robot"); err != nil || rotated.Token != "" {
		t.Errorf("%+v, %v", rotated, err)
	}
	_, err = as(t, s, robot.Token).Self(ctx)
	refused(t, err, 401, remote.ErrUnauthorized, "")
	token, err := c.SelfToken(ctx, true)
	if err != nil || token == "" || token == servertest.Token {
		t.Errorf("%q, %v", token, err)
	}
	_, err = c.Self(ctx)
	refused(t, err, 401, remote.ErrUnauthorized, "")
}

func TestTrustedIsForAdministrators(t *testing.T) { // § 2.2
	s, c := example(t)
	yes, minutes := true, int64(90)
	s.AddUser(remote.User{Login: "owner", Token: "t0ken-of-owner"})
	s.AddRepo(servertest.Repo{
		Repo:  remote.Repo{Namespace: "owner", Name: "own"},
		Users: map[string]remote.Permissions{"owner": {Read: true, Write: true, Admin: true}},
	})
	patch := remote.RepoPatch{Trusted: &yes, Timeout: &minutes, Protected: &yes}
	own := remote.Slug{Owner: "owner", Name: "own"}
	if got, err := as(t, s, "t0ken-of-owner").RepoUpdate(t.Context(), own, patch); err != nil || got.Trusted || got.Timeout != 60 || !got.Protected {
		t.Errorf("by the owner: %+v, %v", got, err)
	}
	if got, err := c.RepoUpdate(t.Context(), own, patch); err != nil || !got.Trusted || got.Timeout != 90 {
		t.Errorf("by an administrator: %+v, %v", got, err)
	}
}

func TestOSS(t *testing.T) { // § 0
	_, c := example(t, func(s *servertest.Server) { s.OSS = true })
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"secrets":    func() error { _, err := c.SecretList(ctx, hello); return err },
		"cron":       func() error { _, err := c.CronList(ctx, hello); return err },
		"templates":  func() error { _, err := c.TemplateAll(ctx); return err },
		"queue":      func() error { return c.QueuePause(ctx) },
		"promote":    func() error { _, err := c.BuildPromote(ctx, hello, 1, "a", nil); return err },
		"incomplete": func() error { _, err := c.BuildIncompleteStages(ctx); return err },
	} {
		if err := call(); !errors.Is(err, remote.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.BuildList(ctx, hello, remote.BuildFilter{}, 1, 25); err != nil {
		t.Error(err)
	}
}

// next reads an event within some seconds.
func next[T any](t *testing.T, s *remote.Stream[T]) (T, error) {
	t.Helper()
	timer := time.AfterFunc(10*time.Second, s.Close)
	defer timer.Stop()
	return s.Next()
}

func TestEventsThatAreNotSent(t *testing.T) { // § 3.2
	s, c := example(t)
	ctx := t.Context()
	stream, err := c.StreamRepo(ctx, hello)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	created, err := c.BuildCreate(ctx, hello, remote.NewBuild{}) // none
	if err != nil {
		t.Fatal(err)
	}
	s.StartStage(hello, created.Number, 1)
	s.StartStep(hello, remote.StepRef{Build: created.Number, Stage: 1, Step: 1})
	if _, err := c.BuildCancel(ctx, hello, created.Number); err != nil { // none
		t.Fatal(err)
	}
	s.AutoCancel(hello, 3)
	for _, want := range []string{"running pending", "running running", "killed killed"} {
		r, err := next(t, stream)
		if err != nil {
			t.Fatal(err)
		}
		last := r.Build.Stages[0].Steps[len(r.Build.Stages[0].Steps)-1]
		if want == "running running" {
			last = r.Build.Stages[0].Steps[0]
		}
		if got := r.Build.Status + " " + last.Status; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestGuestsSeePublicEvents(t *testing.T) { // § 3.2
	s, _ := example(t)
	website := remote.Slug{Owner: "octo", Name: "website"}
	s.SetPipelines(website, []servertest.Pipeline{{Name: "a"}}, "")
	guest := as(t, s, "")
	stream, err := guest.StreamAll(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	s.FinishStep(hello, remote.StepRef{Build: 3, Stage: 1, Step: 2}, 0)
	s.StartStage(website, s.Push(website, remote.Build{}), 1)
	if r, err := next(t, stream); err != nil || r.Slug != "octo/website" {
		t.Errorf("%s, %v", r.Slug, err)
	}
	_, err = guest.StreamRepo(t.Context(), hello)
	refused(t, err, 401, remote.ErrUnauthorized, "")
}

func TestLogStream(t *testing.T) { // § 3.3
	s, c := example(t)
	ctx := t.Context()
	runs := remote.StepRef{Build: 3, Stage: 1, Step: 2}
	_, err := c.StreamLog(ctx, hello, remote.StepRef{Build: 3, Stage: 2, Step: 1})
	refused(t, err, 404, remote.ErrNotFound, "") // a stage that has not started has no steps
	ended, err := c.StreamLog(ctx, hello, remote.StepRef{Build: 3, Stage: 1, Step: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := next(t, ended); !errors.Is(err, io.EOF) {
		t.Errorf("of a step that has ended: %v", err)
	}

	lines := make([]string, 6000)
	s.Print(hello, runs, lines...)
	late, err := c.StreamLog(ctx, hello, runs)
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	for want := 1001; want <= 6000; want++ {
		line, err := next(t, late)
		if err != nil || line.Number != want {
			t.Fatalf("line %d, want %d, %v", line.Number, want, err)
		}
	}
	if _, err := c.BuildCancel(ctx, hello, 3); err != nil {
		t.Fatal(err)
	}
	s.Print(hello, runs, "still open")
	if line, err := next(t, late); err != nil || line.Message != "still open\n" {
		t.Errorf("after a kill: %q, %v", line.Message, err)
	}
}

func TestFaultsOfStreams(t *testing.T) { // § 3.1 and 3.3
	const match = "GET /api/stream/octo/hello/3"
	step := remote.StepRef{Build: 3, Stage: 1, Step: 2}
	for name, tc := range map[string]struct {
		fault servertest.StreamFault
		want  string
		end   error
	}{
		"none":       {servertest.StreamFault{}, "0 1 2 3", io.EOF},
		"cut":        {servertest.StreamFault{Cut: 2}, "0 1", remote.ErrCut},
		"stalled":    {servertest.StreamFault{Stall: 3}, "0 1 2", remote.ErrIdle},
		"gaps":       {servertest.StreamFault{Drop: 2}, "0 2", io.EOF},
		"duplicates": {servertest.StreamFault{Duplicate: true}, "0 0 1 1 2 2 3 3", io.EOF},
		"lost tail":  {servertest.StreamFault{LoseFrom: 2}, "0 1", io.EOF},
		"chunks":     {servertest.StreamFault{Chunk: 3, Delay: time.Microsecond}, "0 1 2 3", io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			s := servertest.Example()
			defer s.Close()
			s.Fault(servertest.Fault{Match: match, Stream: tc.fault})
			o := remote.Options{Server: s.URL, Token: servertest.Token}
			if errors.Is(tc.end, remote.ErrIdle) {
				o.Idle = 100 * time.Millisecond
			}
			c := connect(t, o)
			s.Print(hello, step, "1", "2", "3")
			stream, err := c.StreamLog(t.Context(), hello, step)
			if err != nil {
				t.Fatal(err)
			}
			time.AfterFunc(20*time.Millisecond, func() { s.FinishStep(hello, step, 0) })
			var got []string
			for {
				line, err := next(t, stream)
				if err != nil {
					if !errors.Is(err, tc.end) {
						t.Errorf("the end: %v, want %v", err, tc.end)
					}
					break
				}
				got = append(got, string(rune('0'+line.Number)))
			}
			if text := strings.Join(got, " "); text != tc.want {
				t.Errorf("got %s, want %s", text, tc.want)
			}
			if !errors.Is(tc.end, io.EOF) {
				return // the step may run yet
			}
			if lines, err := c.Logs(t.Context(), hello, step); err != nil || len(lines) != 4 {
				t.Errorf("stored are %d lines, %v", len(lines), err)
			}
		})
	}
}

func TestFaultsOfAnswers(t *testing.T) {
	const match = "GET /api/user"
	for name, tc := range map[string]struct {
		fault servertest.Fault
		want  string
	}{
		"HTML":      {servertest.HTML(match), "page for browsers"},
		"null":      {servertest.Null(match), "not what a Drone server answers"},
		"refused":   {servertest.Refuse(match, 409, "Optimistic Lock Error"), "409 Conflict to GET /api/user: Optimistic Lock Error"},
		"redirect":  {servertest.Fault{Match: match, Status: 302, Location: "https://other.example.com/"}, "leads to another address"},
		"truncated": {servertest.Fault{Match: match, Truncate: true, Text: "{"}, "unexpected EOF"},
		"hangs":     {servertest.Fault{Match: match, Hang: true}, "in time"},
	} {
		t.Run(name, func(t *testing.T) {
			s := servertest.Example()
			defer s.Close()
			s.Fault(tc.fault)
			o := remote.Options{Server: s.URL, Token: servertest.Token, Attempts: 1}
			if tc.fault.Hang {
				o.Timeout = 200 * time.Millisecond
			}
			_, err := connect(t, o).Self(t.Context())
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want %s", err, tc.want)
			}
			s.ClearFaults()
			if _, err := connect(t, remote.Options{Server: s.URL, Token: servertest.Token}).Self(context.WithoutCancel(t.Context())); err != nil {
				t.Errorf("without the fault: %v", err)
			}
		})
	}
}

// TestNothingIsLeft ends streams and calls in each way, and counts goroutines.
func TestNothingIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	s := servertest.Example()
	c, err := remote.New(remote.Options{Server: s.URL, Token: servertest.Token, Idle: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	step := remote.StepRef{Build: 3, Stage: 1, Step: 2}
	const match = "GET /api/stream/octo/hello/3"
	for _, fault := range []servertest.StreamFault{{}, {Cut: 1}, {Stall: 1}} {
		s.ClearFaults()
		s.Fault(servertest.Fault{Match: match, Stream: fault})
		stream, err := c.StreamLog(t.Context(), hello, step)
		if err != nil {
			t.Fatal(err)
		}
		for err == nil { // until nothing comes any more
			_, err = next(t, stream)
		}
		if stream, err = c.StreamLog(t.Context(), hello, step); err != nil {
			t.Fatal(err)
		}
		stream.Close()
		if _, err := c.StreamLog(t.Context(), hello, remote.StepRef{Build: 9, Stage: 1, Step: 1}); err == nil {
			t.Error("a build that is not there has a log")
		}
	}
	for range c.LogLines(t.Context(), hello, remote.StepRef{Build: 1, Stage: 1, Step: 2}) {
		break
	}
	c.Close()
	s.Close()
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("%d goroutines before, and now:\n%s", before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// TestEachRoute has the server of the tests answer each call of TestEndpoints in
// some way that a server does, so that none is missing there.
func TestEachRoute(t *testing.T) {
	s, c := example(t)
	ctx := t.Context()
	_, _ = c.Badge(ctx, hello, "", "") // the status does not matter, only that it is no page
	for _, call := range []func() error{
		func() error { _, err := c.Self(ctx); return err },
		func() error { _, err := c.RepoList(ctx, true); return err },
		func() error { _, err := c.RepoSync(ctx); return err },
		func() error { return c.RepoSyncStart(ctx) },
		func() error { _, err := c.BuildActivity(ctx); return err },
		func() error { _, err := c.BuildRecent(ctx); return err },
		func() error { _, err := c.RemoteRepoList(ctx); return err },
		func() error { _, err := c.RemoteRepo(ctx, hello); return err },
		func() error { _, err := c.RepoEnable(ctx, hello); return err },
		func() error { _, err := c.RepoChown(ctx, hello); return err },
		func() error { _, err := c.RepoRepair(ctx, hello); return err },
		func() error { _, err := c.CollaboratorList(ctx, hello); return err },
		func() error { _, err := c.Collaborator(ctx, hello, "reader"); return err },
		func() error { return c.CollaboratorDelete(ctx, hello, "reader") },
		func() error { _, err := c.BuildLatest(ctx, hello, "", ""); return err },
		func() error { _, err := c.BuildBranches(ctx, hello); return err },
		func() error { _, err := c.BuildPulls(ctx, hello); return err },
		func() error { _, err := c.BuildDeployments(ctx, hello); return err },
		func() error { return c.BuildBranchDelete(ctx, hello, "feature/a") },
		func() error { return c.BuildPullDelete(ctx, hello, 1) },
		func() error { return c.BuildDeploymentDelete(ctx, hello, "production") },
		func() error { _, err := c.BuildIncomplete(ctx); return err },
		func() error { _, err := c.BuildIncompleteStages(ctx); return err },
		func() error {
			return c.CardCreate(ctx, hello, remote.StepRef{Build: 1, Stage: 1, Step: 1}, "s", []byte(`{}`))
		},
		func() error { _, err := c.Card(ctx, hello, remote.StepRef{Build: 1, Stage: 1, Step: 1}); return err },
		func() error { return c.CardDelete(ctx, hello, remote.StepRef{Build: 1, Stage: 1, Step: 1}) },
		func() error { _, err := c.OrgSecretAll(ctx); return err },
		func() error { _, err := c.OrgSecret(ctx, "octo", "docker_password"); return err },
		func() error { return c.OrgSecretDelete(ctx, "octo", "docker_password") },
		func() error { return c.CronDelete(ctx, hello, "nightly") },
		func() error { _, err := c.TemplateAll(ctx); return err },
		func() error { _, err := c.TemplateList(ctx, "octo"); return err },
		func() error { _, err := c.TemplateCreate(ctx, "octo", "a.star", "x"); return err },
		func() error { _, err := c.TemplateUpdate(ctx, "octo", "a.star", "y"); return err },
		func() error { _, err := c.Template(ctx, "octo", "a.star"); return err },
		func() error { return c.TemplateDelete(ctx, "octo", "a.star") },
		func() error { _, err := c.UserList(ctx); return err },
		func() error { _, err := c.UserRepos(ctx, "reader"); return err },
		func() error { return c.UserDelete(ctx, "reader") },
		func() error { _, err := c.QueueList(ctx); return err },
		func() error { return c.QueuePause(ctx) },
		func() error { return c.QueueResume(ctx) },
		func() error { _, err := c.Stats(ctx); return err },
		func() error { _, err := c.Version(ctx); return err },
		func() error { _, err := c.Varz(ctx); return err },
		func() error { return c.Health(ctx) },
		func() error { _, err := c.Metrics(ctx); return err },
		func() error { _, err := c.CCMenu(ctx, hello); return err },
		func() error { _, err := c.ServerCreate(ctx); return err },
		func() error { _, err := c.ServerList(ctx); return err },
		func() error { return c.ServerDelete(ctx, "agent-1", true) },
		func() error { return c.AutoscalePause(ctx) },
		func() error { return c.AutoscaleResume(ctx) },
		func() error { return c.BuildPurge(ctx, hello, 2) },
		func() error { _, err := c.RepoDisable(ctx, hello); return err },
		func() error { _, err := c.RepoDelete(ctx, hello); return err },
	} {
		if err := call(); err != nil {
			requests := s.Requests()
			t.Errorf("%s: %v", requests[len(requests)-1], err)
		}
	}
	for repo, err := range c.RepoAll(ctx) {
		if err != nil || repo.Slug != "octo/website" {
			t.Errorf("%s, %v", repo.Slug, err)
		}
	}
	if got := s.Requests()[0]; got.Method != http.MethodGet || got.User != "octocat" {
		t.Errorf("%+v", got)
	}
}
