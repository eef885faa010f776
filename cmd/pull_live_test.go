//go:build unix

package cmd_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/drone-laptop/drone/internal/registrytest"
)

// TestLivePull looks at a pull while the registry keeps it waiting, and when it
// is over.
func TestLivePull(t *testing.T) {
	t.Parallel()
	engine := needEngine(t)
	r := registrytest.New(t, false)
	image := r.Push(engine, "drone-laptop/busybox:test", "team/app:1")
	t.Cleanup(func() { registrytest.Remove(t, engine, image) })
	proceed := make(chan struct{})
	r.Intercept(func(w http.ResponseWriter, req *http.Request) {
		if strings.HasSuffix(req.URL.Path, "/manifests/1") {
			select {
			case <-proceed:
			case <-req.Context().Done():
			}
		}
		r.Answer(w, req)
	})
	dir := project(t, "kind: pipeline\nname: default\nsteps:\n- {name: a, image: '"+image+"', commands: [echo]}\n"+
		"- {name: b, image: '"+r.Address+"/team/none:1x', commands: [echo]}\n")
	s := inTerminal(t, dir, "drone pull")
	s.until("⠋ " + image)
	s.until("pulling")
	s.until("✘ 1 failed")
	s.until("ctrl-c stops")
	close(proceed)
	s.end(1)
	s.noQuestion()
	s.noBoard()
	text := s.screen().String()
	for _, want := range []string{"pulled " + image, "team/none:1x", "step b", "1 image could not be pulled"} {
		if !strings.Contains(text, want) {
			t.Errorf("the terminal does not show %q but\n%s", want, text)
		}
	}
}
