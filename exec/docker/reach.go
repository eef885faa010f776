package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/docker/docker/client"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/dockerhost"
	"github.com/drone-laptop/drone/internal/hostpath"
)

// unreachable explains why the engine cannot be spoken to, or gives the cause
// of ctx when that is the reason.
func (e *Engine) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return explainUnreachable(e.endpoint, runtime.GOOS, err, dialError(e.endpoint.Host))
}

// dialError connects once more by hand, because the client does not tell a
// missing socket from a dead one.
func dialError(host string) error {
	u, err := url.Parse(host)
	if err != nil {
		return nil
	}
	network, address := u.Scheme, u.Host
	switch u.Scheme {
	case "npipe":
		// To ask whether it exists opens it; busy is an answer, too.
		if _, err := os.Stat(u.Path); errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
			return err
		}
		return nil
	case "unix":
		address = u.Path
	case "tcp":
	default:
		return nil
	}
	conn, err := net.DialTimeout(network, address, 3*time.Second)
	if err != nil {
		return err
	}
	conn.Close()
	return nil
}

// explainUnreachable puts the two errors, of the client and of a plain
// connection, into one sentence and a hint.
func explainUnreachable(at dockerhost.Endpoint, goos string, err, dial error) *exec.UnreachableError {
	say := func(what, hint string) *exec.UnreachableError {
		text := fmt.Errorf("cannot reach %s at %s, found through %s: %s", probably(at), at.Host, at.Source, what)
		return &exec.UnreachableError{Address: at.Host, Err: text, Hint: hint}
	}
	text := oneLine(err)
	if what, hint, ok := at.ExplainTLS(err); ok && dial == nil {
		return say(what, hint)
	}
	var slow net.Error
	switch {
	case errors.Is(err, errStranger), stranger(text):
		return say("what answers there is no container engine", "check the address, and that no proxy answers in its place")
	case errors.Is(dial, os.ErrNotExist):
		what := "the socket does not exist"
		if strings.HasPrefix(at.Host, "npipe://") {
			what = "the pipe does not exist"
		}
		if len(at.Tried) > 1 {
			what += ", nor does " + strings.Join(at.Tried[1:], ", ")
		}
		return say(what, startHint(at, goos)+orElse(at))
	case errors.Is(dial, os.ErrPermission) && probably(at) == productPodman:
		return say("permission denied", "use the service of your own user: `systemctl --user start podman.socket`, with DOCKER_HOST=unix://$XDG_RUNTIME_DIR/podman/podman.sock")
	case errors.Is(dial, os.ErrPermission) && goos == hostpath.Windows:
		return say("permission denied", "have an administrator add you to the group docker-users (`net localgroup docker-users NAME /add`), then log in again")
	case errors.Is(dial, os.ErrPermission) || strings.Contains(text, "permission denied"):
		return say("permission denied", "add yourself to group docker (`sudo usermod -aG docker $USER`, then log in again), or use rootless Docker")
	case errors.Is(dial, syscall.ECONNREFUSED), errors.As(dial, &slow) && slow.Timeout():
		return say("nothing answers there", startHint(at, goos)+orElse(at))
	case strings.Contains(text, "is too old") && strings.Contains(text, "API version"):
		return say("it does not take this program's version of the Docker API any more: "+text, "update drone; unset DOCKER_API_VERSION if it is set")
	case strings.Contains(text, "is too new"):
		return say("it does not know the requested version of the Docker API: "+text, "unset DOCKER_API_VERSION, or update Docker")
	case strings.HasPrefix(at.Host, "ssh://"):
		return say(text, "check that `ssh "+sshTarget(at.Host)+" docker version` works without a question")
	case errors.Is(err, context.DeadlineExceeded) && dial == nil:
		return say("something listens there, but it does not answer", "restart the engine, or check the address")
	case dial != nil:
		return say(oneLine(dial), "check the address"+orElse(at))
	}
	return say(text, "check that `docker version` works")
}

// errStranger is a greeting that was answered, but not as an engine does: every
// one says which version of the API it speaks.
var errStranger = errors.New("the answer to the greeting names no version of the API")

// stranger reports whether an error shows an answer that no engine gives: a web
// page, or another protocol.
func stranger(text string) bool {
	lower := strings.ToLower(text)
	return containsAny(lower, "<html", "<!doctype", "invalid character '<'", "page not found") ||
		containsAny(text, "malformed HTTP") && !strings.Contains(text, dockerhost.PlainAlert)
}

// orElse is what helps where the address was given and is not the right one.
func orElse(at dockerhost.Endpoint) string {
	switch at.Source {
	case dockerhost.SourceHost:
		return ", or unset DOCKER_HOST to use the engine of this machine"
	case dockerhost.SourceFlag:
		return ", or leave out --docker-host to use the engine of this machine"
	}
	return ""
}

func startHint(at dockerhost.Endpoint, goos string) string {
	switch {
	case containsAny(at.Context+at.Host, "colima"):
		return "start it: `colima start`"
	case containsAny(at.Context+at.Host, "rancher", "/.rd/"):
		return "start Rancher Desktop"
	case containsAny(at.Context+at.Host, "orbstack"):
		return "start OrbStack: `orb start`"
	case containsAny(at.Host, "/.lima/"):
		return "start it: `limactl start docker`"
	case containsAny(at.Host, "podman-machine", "podman/machine"), goos == "darwin" && probably(at) == productPodman:
		return "start Podman's machine: `podman machine start`"
	case containsAny(at.Host, "podman/podman.sock"):
		return "start Podman's service, for example `systemctl --user start podman.socket`"
	case containsAny(at.Context+at.Host, "desktop", "/.docker/run/"):
		return "start Docker Desktop"
	case !strings.HasPrefix(at.Host, "unix://") && !strings.HasPrefix(at.Host, "npipe://"):
		return "check that the engine runs there and listens on this address"
	case goos == hostpath.Windows:
		return "start Docker Desktop, or another engine"
	case goos != "linux":
		return "start Docker Desktop, or another engine such as `colima start`"
	case containsAny(at.Host, "/run/user/"):
		return "start rootless Docker, for example `systemctl --user start docker`"
	}
	return "start Docker, for example `sudo systemctl start docker`"
}

func sshTarget(host string) string {
	u, err := url.Parse(host)
	if err != nil || u.Host == "" {
		return strings.TrimPrefix(host, "ssh://")
	}
	if u.User != nil {
		return u.User.Username() + "@" + u.Hostname()
	}
	return u.Hostname()
}

// lostConnection is an engine that could be used and is gone.
func (e *Engine) lostConnection() *exec.UnreachableError {
	return &exec.UnreachableError{
		Address: e.endpoint.Host, Err: fmt.Errorf("lost the connection to %s at %s", e.product, e.endpoint.Host),
		Hint: "the engine was stopped or restarted; look at its log, then run again",
	}
}

// lost reports whether an error means that the engine is gone, not that it
// refused something.
func lost(err error) bool {
	return client.IsErrConnectionFailed(err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNREFUSED) ||
		containsAny(err.Error(), "annot connect to the Docker daemon",
			// An engine that shuts down answers until its own store is closed.
			"failed to update store for object")
}

func containsAny(text string, parts ...string) bool {
	for _, part := range parts {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}
