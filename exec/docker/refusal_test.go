package docker

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/dockerhost"
)

// refusing gives an engine behind a proxy that asks refuse about each request:
// one it refuses is answered with an error, after it was carried out when done
// is true.
func refusing(t *testing.T, refuse func(r *http.Request) (refused, done bool)) *Engine {
	t.Helper()
	return behindProxy(t, func(proxy *httputil.ReverseProxy) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			refused, done := refuse(r)
			if done {
				proxy.ServeHTTP(httptest.NewRecorder(), r)
			}
			if refused {
				reply(w, http.StatusInternalServerError, map[string]string{"message": "the engine is on fire"})
				return
			}
			proxy.ServeHTTP(w, r)
		})
	})
}

// behindProxy gives the engine of this machine behind what handler makes of a
// proxy for it.
func behindProxy(t *testing.T, handler func(*httputil.ReverseProxy) http.Handler) *Engine {
	t.Helper()
	socket := socketOf(t, newEngine(t))
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "engine"})
	proxy.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}
	proxy.FlushInterval = -1
	server := httptest.NewServer(handler(proxy))
	t.Cleanup(server.Close)
	return connectTo(t, Options{
		Endpoint: dockerhost.Endpoint{Host: strings.Replace(server.URL, "http", "tcp", 1), Source: "the test"},
	})
}

// TestEngineWarns has an engine warn of what it makes: that is told once.
func TestEngineWarns(t *testing.T) {
	t.Parallel()
	const noLimit = "Your kernel does not support memory limit capabilities.\nLimitation discarded."
	e := behindProxy(t, func(proxy *httputil.ReverseProxy) http.Handler {
		proxy.ModifyResponse = func(answer *http.Response) error {
			var changed any
			switch path := answer.Request.URL.Path; {
			case strings.HasSuffix(path, "/containers/create"):
				changed = &container.CreateResponse{}
			case strings.HasSuffix(path, "/networks/create"):
				changed = &network.CreateResponse{}
			default:
				return nil
			}
			if err := json.NewDecoder(answer.Body).Decode(changed); err != nil {
				return err
			}
			switch changed := changed.(type) {
			case *container.CreateResponse:
				changed.Warnings = []string{noLimit}
			case *network.CreateResponse:
				changed.Warning = "it is slow"
			}
			text, err := json.Marshal(changed)
			answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
			answer.Header.Set("Content-Length", strconv.Itoa(len(text)))
			return err
		}
		return proxy
	})
	tr := open(t, e, nil)
	tr.must(commands("true"), nil)
	tr.must(commands("true"), nil)
	want := []string{"the engine warns: it is slow", "the engine warns: Your kernel does not support memory limit capabilities. Limitation discarded."}
	if got := tr.warnings(); !slices.Equal(got, want) {
		t.Errorf("warnings %q, want %q", got, want)
	}
	next := open(t, e, nil)
	next.must(commands("true"), nil)
	if got := next.warnings(); len(got) > 0 {
		t.Errorf("the next pipeline repeats %q", got)
	}
}

// TestRefusals has an engine that answers with an error, and what it was asked
// for may have happened all the same. The end of each case demands that nothing
// is left.
func TestRefusals(t *testing.T) {
	const fire = `: the engine is on fire`
	for _, tc := range []struct {
		name, path string
		done       bool
		phase      exec.Phase
		want       string
	}{
		{"create", "/containers/create", false, exec.PhaseCreate, `cannot create the container of image "` + testImage + `"` + fire},
		{"create that happened", "/containers/create", true, exec.PhaseCreate, `cannot create the container of image "` + testImage + `"` + fire},
		{"attach", "/attach", false, exec.PhaseStart, `cannot start the container of image "` + testImage + `"`},
		{"start", "/start", false, exec.PhaseStart, `cannot start the container of image "` + testImage + `"` + fire},
		{"start that happened", "/start", true, exec.PhaseStart, `cannot start the container of image "` + testImage + `"` + fire},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			e := refusing(t, func(r *http.Request) (bool, bool) {
				refused := strings.HasSuffix(r.URL.Path, tc.path)
				return refused, refused && tc.done
			})
			tr := open(t, e, nil)
			_, _, err := tr.do(t.Context(), commands("sleep 600"), nil)
			if got := asStepError(t, err, tc.phase); !strings.HasPrefix(got.Error(), tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
	t.Run("wait", func(t *testing.T) {
		t.Parallel()
		var refusals atomic.Int32
		e := refusing(t, func(r *http.Request) (bool, bool) {
			return strings.HasSuffix(r.URL.Path, "/wait") && refusals.Add(1) <= 2, false
		})
		tr := open(t, e, nil)
		out, exit, err := tr.do(t.Context(), commands("sleep 1; echo through; exit 4"), nil)
		if out != "through\n" || exit.Code != 4 || err != nil || refusals.Load() < 3 {
			t.Errorf("got %q, %+v, %v after %d waits", out, exit, err, refusals.Load())
		}
	})
	t.Run("slow create, cancelled", func(t *testing.T) {
		t.Parallel()
		asked, answer := make(chan struct{}), make(chan struct{})
		e := refusing(t, func(r *http.Request) (bool, bool) {
			if strings.HasSuffix(r.URL.Path, "/containers/create") {
				close(asked)
				<-answer
			}
			return false, false
		})
		tr := open(t, e, nil)
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() {
			<-asked
			cancel(errStop)
			time.Sleep(100 * time.Millisecond)
			close(answer) // and the container is made after all
		}()
		if _, _, err := tr.do(ctx, commands("sleep 600"), nil); err != errStop { //nolint:errorlint // the very cause
			t.Errorf("got %v", err)
		}
	})
}
