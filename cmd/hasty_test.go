//go:build unix

package cmd_test

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/client"
)

// hastyPromise is how long after the second signal drone may take to end: two
// seconds, and as much again for a machine that is busy.
const hastyPromise = 4 * time.Second

// TestSecondSignalWhileTheEngineHangs has an engine that does not get something done
// while the run is told to end at once: the prompt is back all the same, and what
// the engine gets done later is removed then.
func TestSecondSignalWhileTheEngineHangs(t *testing.T) {
	t.Parallel()
	engine := needEngine(t)
	is := func(method, part, end string) func(*http.Request) bool {
		return func(r *http.Request) bool {
			return r.Method == method && strings.Contains(r.URL.Path, part) && strings.HasSuffix(r.URL.Path, end)
		}
	}
	for name, hangs := range map[string]func(*http.Request) bool{
		"network":  is(http.MethodPost, "/networks/", "/create"),
		"create":   is(http.MethodPost, "/containers/", "/create"),
		"start":    is(http.MethodPost, "/containers/", "/start"),
		"kill":     is(http.MethodPost, "/containers/", "/kill"),
		"remove":   is(http.MethodDelete, "/containers/", ""),
		"whatever": func(r *http.Request) bool { return true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVictim(t, "kind: pipeline\nname: default\nsteps:\n- {name: a, image: drone-laptop/busybox:test, commands: [touch up, sleep 600]}\n")
			p := newHangingEngine(t, engine, hangs)
			v.command.Env = append(v.command.Env, "DOCKER_HOST="+p.host)
			early := name == "network" || name == "create" || name == "start"
			p.hanging.Store(early)
			v.start()
			if early {
				await(t, patience, "the engine hangs", func() bool { return p.asked.Load() > 0 })
			} else {
				awaitFile(t, v.work, "up")
				p.hanging.Store(true)
			}
			_ = v.command.Process.Signal(syscall.SIGINT) // it runs
			time.Sleep(time.Second)
			_ = v.command.Process.Signal(syscall.SIGINT)
			second := time.Now()
			select {
			case <-v.ended:
			case <-time.After(time.Minute):
				t.Fatalf("drone has not ended:\n%s", v.output.String())
			}
			took := time.Since(second)
			t.Logf("%v after the second signal:\n%s", took.Round(10*time.Millisecond), v.output.String())
			if took > hastyPromise {
				t.Errorf("drone has ended %v after the second signal", took)
			}
			if status := v.command.ProcessState.ExitCode(); status != 130 {
				t.Errorf("exit status %d", status)
			}
			p.release()
			v.mustVanish(engine, name)
		})
	}
}

// hangingEngine is the engine behind a socket of its own, where some requests hang
// while hanging is set.
type hangingEngine struct {
	host    string
	hanging atomic.Bool
	asked   atomic.Int32
	free    chan struct{}
}

func newHangingEngine(t *testing.T, engine *client.Client, hangs func(*http.Request) bool) *hangingEngine {
	t.Helper()
	e := &hangingEngine{free: make(chan struct{})}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "engine"})
	proxy.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return engine.Dialer()(ctx)
	}}
	proxy.FlushInterval = -1
	proxy.ErrorLog = log.New(io.Discard, "", 0) // of requests that nobody waits for any more
	socket := filepath.Join(t.TempDir(), "engine.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if e.hanging.Load() && hangs(r) {
			e.asked.Add(1)
			<-e.free
			// The engine gets it done, whether or not somebody waits for it.
			r = r.WithContext(context.WithoutCancel(r.Context()))
		}
		proxy.ServeHTTP(w, r)
	})}}
	server.Start()
	t.Cleanup(server.Close)
	t.Cleanup(e.release)
	e.host = "unix://" + socket
	return e
}

func (e *hangingEngine) release() {
	if e.hanging.Swap(false) {
		close(e.free)
	}
}
