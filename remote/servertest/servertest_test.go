package servertest_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/drone-laptop/drone/remote"
	"github.com/drone-laptop/drone/remote/servertest"
)

func client(t *testing.T, s *servertest.Server) *remote.Client {
	t.Helper()
	c, err := remote.New(remote.Options{Server: s.URL, Token: servertest.Token, Attempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// TestAutorun creates a build that runs by itself, as scripts rely on.
func TestAutorun(t *testing.T) {
	s := servertest.Example()
	s.Autorun = time.Microsecond
	defer s.Close()
	c := client(t, s)
	b, err := c.BuildCreate(t.Context(), servertest.Hello, remote.NewBuild{})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); !remote.Finished(b.Status); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the build is %s", b.Status)
		}
		if b, err = c.Build(t.Context(), servertest.Hello, b.Number); err != nil {
			t.Fatal(err)
		}
	}
	if b.Status != remote.StateSuccess || len(b.Stages) != 2 || b.Stages[1].Status != remote.StateSuccess {
		t.Errorf("%+v", b)
	}
	lines, err := c.Logs(t.Context(), servertest.Hello, remote.StepRef{Build: b.Number, Stage: 2, Step: 2})
	if err != nil || len(lines) != 1 || lines[0].Message != "uploaded\n" {
		t.Errorf("%+v, %v", lines, err)
	}
}

// TestExampleFails looks at the build that failed: what waited for the stage is
// skipped.
func TestExampleFails(t *testing.T) {
	s := servertest.Example()
	defer s.Close()
	b := s.Build(servertest.Hello, 2)
	if b.Status != remote.StateFailure || b.Stages[0].Status != remote.StateFailure || b.Stages[1].Status != remote.StateSkipped {
		t.Errorf("%+v", b)
	}
}

func TestFaultMatches(t *testing.T) {
	for name, tc := range map[string]struct {
		fault servertest.Fault
		fails []bool // of calls one after the other
	}{
		"always":          {servertest.Fault{Match: "GET /api/user"}, []bool{true, true}},
		"once":            {servertest.Fault{Match: "GET /api/user", Times: 1}, []bool{true, false}},
		"later":           {servertest.Fault{Match: "GET /api/user", Skip: 1, Times: 1}, []bool{false, true, false}},
		"any part":        {servertest.Fault{Match: "GET /*/user"}, []bool{true}},
		"the beginning":   {servertest.Fault{Match: "GET /api/us"}, []bool{true}},
		"all of a method": {servertest.Fault{Match: "GET "}, []bool{true}},
		"another path":    {servertest.Fault{Match: "GET /api/user/repos"}, []bool{false}},
		"another method":  {servertest.Fault{Match: "POST /api/user"}, []bool{false}},
		"another body":    {servertest.Fault{Match: "GET /api/user", Body: "x"}, []bool{false}},
	} {
		s := servertest.Example()
		tc.fault.Status, tc.fault.Message = http.StatusTeapot, "teapot"
		s.Fault(tc.fault)
		c := client(t, s)
		for i, want := range tc.fails {
			_, err := c.Self(t.Context())
			refused, ok := errors.AsType[*remote.StatusError](err)
			if ok != want || ok && refused.Status != http.StatusTeapot {
				t.Errorf("%s: call %d: %v", name, i+1, err)
			}
		}
		s.Close()
	}
}
