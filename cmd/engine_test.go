//go:build unix

package cmd_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// program is a drone that runs in a directory with one pipeline.
type program struct {
	command *exec.Cmd
	stderr  *bufio.Reader
	said    strings.Builder
}

// start begins `drone command` with an engine that handle plays. It is killed
// when it has not ended after patience.
func start(t *testing.T, command string, handle http.HandlerFunc) (p *program, address string) {
	t.Helper()
	engine := httptest.NewServer(handle)
	t.Cleanup(engine.Close)
	address = "tcp://" + engine.Listener.Addr().String()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	p = &program{command: exec.CommandContext(ctx, filepath.Join(binary, "drone"), command, "-")}
	p.command.Dir = t.TempDir()
	p.command.Env = []string{"HOME=" + p.command.Dir, "GIT_CONFIG_NOSYSTEM=1", "DOCKER_HOST=" + address}
	p.command.Stdin = strings.NewReader("kind: pipeline\nname: default\nsteps:\n- name: a\n  image: x.example/none:v9\n")
	stderr, err := p.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stderr = bufio.NewReader(stderr)
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	return p, address
}

// await reads what the program says until a line is want.
func (p *program) await(t *testing.T, want string) {
	t.Helper()
	for {
		line, err := p.stderr.ReadString('\n')
		p.said.WriteString(line)
		if line == want+"\n" {
			return
		}
		if err != nil {
			t.Fatalf("the program never said %q but:\n%s", want, p.said.String())
		}
	}
}

// end returns the exit status and all that the program said.
func (p *program) end(t *testing.T) (status int, said string) {
	t.Helper()
	if _, err := io.Copy(&p.said, p.stderr); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := p.command.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return p.command.ProcessState.ExitCode(), p.said.String()
}

// TestWaitForEngine has an engine stay silent until the program says that it
// waits, and answer as a web server then.
func TestWaitForEngine(t *testing.T) {
	for _, command := range []string{"exec", "pull"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			told := make(chan struct{})
			p, address := start(t, command, func(w http.ResponseWriter, r *http.Request) {
				select {
				case <-told:
				case <-r.Context().Done():
				}
				w.WriteHeader(http.StatusNotFound)
				fmt.Fprint(w, "<html>no such page</html>")
			})
			p.await(t, "drone: waiting for the engine at "+address+", found through DOCKER_HOST")
			close(told)
			status, said := p.end(t)
			want := "drone: error: cannot reach Docker at " + address + ", found through DOCKER_HOST: what answers there is no container engine\n"
			if status != 3 || !strings.Contains(said, want) || strings.Count(said, "waiting") != 1 {
				t.Errorf("status %d and\n%s\nwant 3 and one wait, then\n%s", status, said, want)
			}
		})
	}
}

// TestEndPull ends a pull that no registry ever answers.
func TestEndPull(t *testing.T) {
	t.Parallel()
	pulling := make(chan struct{})
	p, _ := start(t, "pull", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		switch {
		case strings.HasSuffix(r.URL.Path, "/version"):
			fmt.Fprint(w, `{"Version": "1", "ApiVersion": "1.41", "Os": "linux"}`)
		case strings.HasSuffix(r.URL.Path, "/json"):
			w.WriteHeader(http.StatusNotFound)
		case strings.HasSuffix(r.URL.Path, "/images/create"):
			close(pulling)
			<-r.Context().Done()
		}
	})
	select {
	case <-pulling:
	case <-time.After(patience):
		t.Fatal("nothing was pulled")
	}
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.await(t, "drone: SIGTERM: stopping the pulls")
	if status, said := p.end(t); status != 143 || strings.Contains(said, "steps") {
		t.Errorf("status %d and\n%s\nwant 143, and no word of steps", status, said)
	}
}
