package docker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/dockerhost"
)

func TestExplainUnreachable(t *testing.T) {
	type testCase struct {
		name      string
		at        dockerhost.Endpoint
		goos      string
		err, dial error
		want      string
		hint      string
	}
	std := dockerhost.Endpoint{Host: "unix:///var/run/docker.sock", Source: "the default address"}
	tried := std
	tried.Tried = []string{"/var/run/docker.sock", "~/.colima/default/docker.sock"}
	pipe := dockerhost.Endpoint{Host: "npipe:////./pipe/docker_engine", Source: "the default address", Tried: []string{"//./pipe/docker_engine", "//./pipe/dockerDesktopLinuxEngine"}}
	down := errors.New("Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?")
	missing, refused := &net.OpError{Op: "dial", Err: fs.ErrNotExist}, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	tls := dockerhost.Endpoint{Host: "tcp://h:2376", Source: "DOCKER_HOST"}
	cases := []testCase{
		{name: "missing", at: std, err: down, dial: missing,
			want: "cannot reach Docker at unix:///var/run/docker.sock, found through the default address: the socket does not exist", hint: "sudo systemctl start docker"},
		{name: "missing everywhere", at: tried, err: down, dial: missing, want: "the socket does not exist, nor does ~/.colima/default/docker.sock", hint: "systemctl"},
		{name: "missing on a Mac", at: std, goos: "darwin", err: down, dial: missing, want: "does not exist", hint: "Docker Desktop"},
		{name: "missing on Windows", at: pipe, goos: "windows", err: down, dial: missing, want: "the pipe does not exist, nor does //./pipe/dockerDesktopLinuxEngine", hint: "start Docker Desktop, or another engine"},
		{name: "permission on Windows", at: pipe, goos: "windows", err: down, dial: &fs.PathError{Err: fs.ErrPermission}, want: "permission denied", hint: "docker-users"},
		{name: "colima", at: dockerhost.Endpoint{Host: "unix:///home/me/.colima/default/docker.sock", Context: "colima"}, err: down, dial: missing, want: "does not exist", hint: "`colima start`"},
		{name: "rancher", at: dockerhost.Endpoint{Host: "unix:///home/me/.rd/docker.sock"}, err: down, dial: refused, want: "nothing answers", hint: "Rancher"},
		{name: "desktop", at: dockerhost.Endpoint{Host: "unix:///home/me/.docker/run/docker.sock", Context: "desktop-linux"}, err: down, dial: missing, want: "does not exist", hint: "Docker Desktop"},
		{name: "podman", at: dockerhost.Endpoint{Host: "unix:///run/user/1/podman/podman.sock"}, err: down, dial: refused, want: "nothing answers", hint: "podman.socket"},
		{name: "rootless", at: dockerhost.Endpoint{Host: "unix:///run/user/1/docker.sock"}, err: down, dial: refused, want: "nothing answers", hint: "--user start docker"},
		{name: "permission", at: std, err: errors.New("permission denied while trying to connect to the Docker daemon socket"), dial: &net.OpError{Err: fs.ErrPermission},
			want: "permission denied", hint: "group docker"},
		{name: "tcp refused", at: tls, err: down, dial: refused, want: "cannot reach Docker at tcp://h:2376, found through DOCKER_HOST: nothing answers there", hint: "listens"},
		{name: "no such host", at: tls, err: down, dial: errors.New("dial tcp: lookup h: no such host"), want: "lookup h: no such host", hint: "check the address, or unset DOCKER_HOST"},
		{name: "TLS wanted", at: tls, err: errors.New("Error response from daemon: Client sent an HTTP request to an HTTPS server."), //nolint:revive // the engine's words
			want: "it wants TLS", hint: "DOCKER_TLS_VERIFY"},
		{name: "TLS not spoken", at: tls, err: errors.New("http: server gave HTTP response to HTTPS client"), want: "it does not speak TLS", hint: "unset"},
		{name: "certificate", at: tls, err: errors.New("error during connect: tls: failed to verify certificate: x509: certificate signed by unknown authority"), want: "x509", hint: "DOCKER_CERT_PATH"},
		{name: "too new", at: std, err: errors.New("Error response from daemon: client version 1.51 is too old. Minimum supported API version is 1.60, please upgrade your client to a newer version"),
			want: "it does not take this program's version of the Docker API any more: client version 1.51 is too old", hint: "update drone"},
		{name: "too old", at: std, err: errors.New("Error response from daemon: client version 1.51 is too new. Maximum supported API version is 1.41"), want: "is too new", hint: "unset DOCKER_API_VERSION"},
		{name: "TLS wanted, by an alert", at: tls, err: errors.New(`net/http: HTTP/1.x transport connection broken: malformed HTTP response "\x15\x03\x01\x00\x02\x02"`),
			want: "it wants TLS", hint: "DOCKER_TLS_VERIFY"},
		{name: "another protocol", at: tls, err: errors.New(`net/http: HTTP/1.x transport connection broken: malformed HTTP response "SSH-2.0-OpenSSH_9.2"`),
			want: "what answers there is no container engine", hint: "check the address"},
		{name: "a web page", at: tls, err: errors.New("Error response from daemon: <!DOCTYPE HTML>\n<html lang=en>"), want: "what answers there is no container engine", hint: "proxy"},
		{name: "silence", at: tls, err: fmt.Errorf("Get %q: %w", "http://h/_ping", context.DeadlineExceeded),
			want: "found through DOCKER_HOST: something listens there, but it does not answer", hint: "restart"},
		{name: "not where the flag says", at: dockerhost.Endpoint{Host: "unix:///typo.sock", Source: dockerhost.SourceFlag}, err: down, dial: missing, want: "does not exist", hint: "or leave out --docker-host"},
		{name: "no way there", at: tls, err: down, dial: &net.OpError{Op: "dial", Err: context.DeadlineExceeded}, want: "nothing answers there", hint: "listens"},
		{name: "ssh without an answer", at: dockerhost.Endpoint{Host: "ssh://me@h"}, err: context.DeadlineExceeded, want: "deadline", hint: "`ssh me@h docker version`"},
		{name: "ssh", at: dockerhost.Endpoint{Host: "ssh://me@h:22", Source: "DOCKER_HOST"}, err: errors.New("error during connect: command [ssh] has exited with exit status 255"), want: "exit status 255", hint: "`ssh me@h docker version`"},
		{name: "anything", at: std, err: errors.New("odd"), want: ": odd", hint: "docker version"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			if tc.goos == "" {
				tc.goos = "linux"
			}
			got := explainUnreachable(tc.at, tc.goos, tc.err, tc.dial)
			if !strings.Contains(got.Error(), tc.want) || !strings.Contains(got.Hint, tc.hint) || got.Address != tc.at.Host {
				t.Errorf("got %q with hint %q, want %q and %q", got.Error(), got.Hint, tc.want, tc.hint)
			}
		})
	}
}

func TestNewUnreachable(t *testing.T) {
	dir := t.TempDir()
	dead := filepath.Join(dir, "dead.sock")
	l, err := net.Listen("unix", dead)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	html := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, "<html>login</html>")
	}))
	defer html.Close()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "<html>welcome</html>")
	}))
	defer page.Close()
	ssh, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ssh.Close()
	go func() {
		for {
			conn, err := ssh.Accept()
			if err != nil {
				return
			}
			// With the request unread the answer could be lost.
			_, _ = http.ReadRequest(bufio.NewReader(conn))
			fmt.Fprint(conn, "SSH-2.0-OpenSSH_9.2\r\n\r\n")
			conn.Close()
		}
	}()
	secure := httptest.NewTLSServer(&stub{})
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	defer secure.Close()
	old := httptest.NewServer(&stub{api: "1.24"})
	defer old.Close()
	newer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.99")
		if r.URL.Path != "/_ping" {
			reply(w, http.StatusBadRequest, map[string]string{"message": "client version 1.51 is too old. Minimum supported API version is 1.90"})
		}
	}))
	defer newer.Close()
	for host, want := range map[string]string{
		"unix://" + filepath.Join(dir, "none.sock"): "the socket does not exist",
		"unix://" + dead: "nothing answers there",
		strings.Replace(html.URL, "http", "tcp", 1):    "what answers there is no container engine",
		strings.Replace(page.URL, "http", "tcp", 1):    "what answers there is no container engine",
		"tcp://" + ssh.Addr().String():                 "what answers there is no container engine",
		strings.Replace(secure.URL, "https", "tcp", 1): "it wants TLS",
		strings.Replace(old.URL, "http", "tcp", 1):     "speaks version 1.24 of the Docker API, but at least 1.30 is needed",
		strings.Replace(newer.URL, "http", "tcp", 1):   "any more: client version 1.51 is too old",
	} {
		_, err := New(t.Context(), Options{Endpoint: dockerhost.Endpoint{Host: host, Source: "the test"}})
		var unreachable *exec.UnreachableError
		if !errors.As(err, &unreachable) || !strings.Contains(err.Error(), want) || unreachable.Address != host {
			t.Errorf("%s: got %v, want %q", host, err, want)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	cancel(cause)
	if _, err := New(ctx, Options{Endpoint: dockerhost.Endpoint{Host: "unix://" + dead}}); !errors.Is(err, cause) {
		t.Errorf("an ended context gave %v", err)
	}
}
