package remote_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/drone-laptop/drone/remote"
)

func events(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, text) // a client that is gone is not told
	w.(http.Flusher).Flush()
}

// TestStreamRepo: § 3.1 and 3.2.
func TestStreamRepo(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.RequestURI + " " + r.Header.Get("Accept"); got != "/api/stream/octo/hello text/event-stream" {
			t.Error(got)
		}
		events(w, ": ping\n\n"+
			`data: {"slug":"octo/hello","build":{"number":1,"message":"`+long+`","stages":[{"number":1,"steps":[{"number":1}]}]}}`+"\n\n"+
			": ping\n\n"+`data: {"slug":"octo/hello","build":{"number":2}}`+"\n\n"+
			"event: error\ndata: eof\n\n")
	})
	s, err := c.StreamRepo(t.Context(), hello)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	first, err := s.Next()
	if err != nil || first.Build == nil || first.Build.Message != long || len(first.Build.Stages[0].Steps) != 1 {
		t.Fatalf("%v", err)
	}
	if second, err := s.Next(); err != nil || second.Build.Number != 2 {
		t.Fatalf("%v", err)
	}
	for range 2 {
		if _, err := s.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("the end: %v", err)
		}
	}
}

// TestStreamLog: § 3.3, with the line that follows each event of a log.
func TestStreamLog(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.RequestURI != "/api/stream/octo/hello/7/2/3" {
			t.Error(r.RequestURI)
		}
		events(w, ": ping\n\ndata: {\"pos\":0,\"out\":\"a\\n\",\"time\":0}\n\n\ndata: {\"pos\":1,\"out\":\"b\",\"time\":1}\n\n\nevent: error\ndata: eof\n\n")
	})
	s, err := c.StreamLog(t.Context(), hello, remote.StepRef{Build: 7, Stage: 2, Step: 3})
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for line, err := range s.All() {
		if err != nil {
			t.Fatal(err)
		}
		got += line.Message
	}
	if got != "a\nb" {
		t.Errorf("%q", got)
	}
}

// TestStreamEnds has streams end as they should not.
func TestStreamEnds(t *testing.T) {
	over := make(chan struct{})
	all := t // whose end comes after that of the handlers
	endless := "data: " + strings.Repeat("x", 17<<20)
	for name, tc := range map[string]struct {
		serve http.HandlerFunc
		is    error
		text  string
		opens bool

		patience time.Duration // 0 is what it is by default
	}{
		"cut":         {func(w http.ResponseWriter, _ *http.Request) { events(w, ": ping\n\ndata: {\"pos\":1") }, remote.ErrCut, "cut", true, 0},
		"idle":        {func(w http.ResponseWriter, _ *http.Request) { events(w, ": ping\n\n"); <-over }, remote.ErrIdle, "nothing arrives", true, 300 * time.Millisecond},
		"no JSON":     {func(w http.ResponseWriter, _ *http.Request) { events(w, "data: {\n\n") }, nil, "not what a Drone server", true, 0},
		"other error": {func(w http.ResponseWriter, _ *http.Request) { events(w, "event: error\ndata: boom\n\n") }, nil, "boom", true, 0},
		"endless":     {func(w http.ResponseWriter, _ *http.Request) { events(w, endless) }, nil, "more than 16 MiB", true, 0},
		"refused": {func(w http.ResponseWriter, _ *http.Request) {
			answer(w, 401, "application/json", `{"message":"Unauthorized"}`)
		}, remote.ErrUnauthorized, "401", false, 0},
		"a page":    {func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, "text/html", "<html>") }, nil, "page for browsers", false, 0},
		"no stream": {func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, "application/json", "{}") }, nil, "not what a Drone server", false, 0},
		"no answer": {func(http.ResponseWriter, *http.Request) { <-over }, nil, "in time", false, 300 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(tc.serve)
			t.Cleanup(server.CloseClientConnections)
			all.Cleanup(server.Close)
			c := connect(t, remote.Options{Server: server.URL, Token: token, Timeout: tc.patience, Idle: tc.patience})
			s, err := c.StreamLog(t.Context(), hello, remote.StepRef{Build: 1, Stage: 1, Step: 1})
			if (err == nil) != tc.opens {
				t.Fatalf("%v", err)
			}
			if err == nil {
				_, err = s.Next()
			}
			if err == nil || !strings.Contains(err.Error(), tc.text) || strings.Contains(err.Error(), token) {
				t.Errorf("%v, want %s", err, tc.text)
			}
			if tc.is != nil && !errors.Is(err, tc.is) {
				t.Errorf("%v is not %v", err, tc.is)
			}
		})
	}
	close(over)
}

func TestStreamClosed(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		events(w, ": ping\n\n")
		<-r.Context().Done()
	})
	s, err := c.StreamAll(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(20*time.Millisecond, s.Close)
	if _, err := s.Next(); !errors.Is(err, context.Canceled) {
		t.Errorf("a stream that was closed: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s, err = c.StreamAll(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := s.Next(); !errors.Is(err, context.Canceled) {
		t.Errorf("a stream that was given up: %v", err)
	}
}
