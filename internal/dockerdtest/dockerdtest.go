//go:build linux

// Package dockerdtest starts Docker daemons that tests may stop, kill, restart
// and fill up. Such a daemon shares nothing with that of the machine: it has a
// network, a process tree, a /run and a storage of its own, which all vanish
// with the process that holds them.
package dockerdtest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/drone-laptop/drone/internal/testenv"
)

// Daemon is a Docker daemon of a test. It is for one goroutine at a time.
type Daemon struct {
	// Host is its address, as DOCKER_HOST takes it.
	Host string
	// Storage is its data root, a tmpfs of 64 MiB. It can be looked at from
	// outside through Root only.
	Storage string

	t      testing.TB
	dir    string
	holder *exec.Cmd // PID 1 of the daemon's process tree
	daemon *exec.Cmd
	ended  chan struct{} // closed when daemon has ended
	flags  []string
	socket *os.File // that it is handed when it starts, or nil
}

const (
	startTime = 60 * time.Second // of a slow machine
	stopTime  = 30 * time.Second
)

// hold makes the place: what is mounted here nobody else sees. The shell stays
// to bury the children of a daemon that was killed.
const hold = `set -e
mount --make-rslave /
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
mount -t tmpfs -o size=64m tmpfs "$1"
sleep 2147483647 <&- >&- 2>&- &
echo ready
wait`

// Start starts a daemon with flags beside its own and gives it the images of
// the engine of this machine that are named. It stops when the test ends. The
// test is skipped aloud where it is not run as root or dockerd is missing, and
// fails there when CI is set.
func Start(t testing.TB, images []string, flags ...string) *Daemon {
	t.Helper()
	return start(t, images, nil, flags)
}

// StartTLS is Start for a daemon that also listens on the address that is
// returned, with TLS and for clients with a certificate only. certs is a
// directory of Authority.Issue, which says who that is and who the daemon is.
func StartTLS(t testing.TB, images []string, certs string, flags ...string) (d *Daemon, address string) {
	t.Helper()
	// Nobody reaches a port in the network of the daemon from outside. It is
	// handed a socket of this one, as systemd would do it.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	socket, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() }) // nothing was written to it
	file := func(name string) string { return filepath.Join(certs, name) }
	d = start(t, images, socket, append([]string{
		"--host", "fd://", "--tlsverify",
		"--tlscacert", file("ca.pem"), "--tlscert", file("cert.pem"), "--tlskey", file("key.pem"),
	}, flags...))
	return d, "tcp://" + listener.Addr().String()
}

func start(t testing.TB, images []string, socket *os.File, flags []string) *Daemon {
	t.Helper()
	if why := missing(); why != "" {
		testenv.Lack(t, "no second Docker daemon can be started: %s", why)
	}
	// The path of a socket may have some hundred characters at most, which the
	// name of a test alone can fill.
	dir, err := os.MkdirTemp("", "dockerdtest-") // not t.TempDir, see above
	if err != nil {
		t.Fatal(err)
	}
	d := &Daemon{
		Host: "unix://" + filepath.Join(dir, "d.sock"), Storage: filepath.Join(dir, "storage"),
		t: t, dir: dir, flags: flags, socket: socket,
	}
	t.Cleanup(d.remove)
	if err := d.prepare(images); err != nil {
		t.Fatalf("prepare a second Docker daemon: %v", err)
	}
	d.Restart()
	d.Docker("load", "--quiet", "--input", filepath.Join(dir, "images.tar"))
	return d
}

func missing() string {
	if os.Getuid() != 0 {
		return "this needs root"
	}
	return testenv.Missing("dockerd", "docker", "nsenter")
}

func (d *Daemon) prepare(images []string) error {
	if err := errors.Join(
		os.Mkdir(d.Storage, 0o700),
		os.WriteFile(filepath.Join(d.dir, "daemon.json"), []byte("{}"), 0o600),
	); err != nil {
		return err
	}
	save := exec.Command("docker", append([]string{"save", "--output", filepath.Join(d.dir, "images.tar")}, images...)...)
	if out, err := save.CombinedOutput(); err != nil {
		return fmt.Errorf("docker save: %w: %s", err, out)
	}
	var err error
	d.holder, err = testenv.Hold(syscall.CLONE_NEWNET|syscall.CLONE_NEWPID|syscall.CLONE_NEWNS, hold, d.Storage)
	return err
}

// inside runs a command in the place of the daemon, with its root, too: the
// tests may themselves run in a changed one.
func (d *Daemon) inside(command ...string) *exec.Cmd {
	pid := strconv.Itoa(d.holder.Process.Pid)
	return exec.Command("nsenter", append([]string{"--target", pid, "--root", "--net", "--mount", "--pid"}, command...)...)
}

// Root is a path of the daemon's as the test can open it.
func (d *Daemon) Root(path string) string {
	return filepath.Join("/proc", strconv.Itoa(d.holder.Process.Pid), "root", path)
}

// Restart starts the daemon again after Stop or Kill and waits until it
// answers.
//
// Docker 20.10 panics at every start when it was killed while it wrote down a
// network (libnetwork, reservePools: index out of range). That is its defect, and
// no test is about it: then its networks are forgotten, as its users do, and it
// is started once more.
func (d *Daemon) Restart() {
	d.t.Helper()
	d.Launch()
	if d.answers() {
		return
	}
	if text, err := os.ReadFile(filepath.Join(d.dir, "log")); err != nil || !bytes.Contains(text, []byte("reservePools")) {
		d.t.Fatalf("the second Docker daemon has ended:\n%s", d.log())
	}
	d.t.Log("the second Docker daemon panicked over a network that it had not written down as a whole, and starts without it")
	if err := os.RemoveAll(d.Root(filepath.Join(d.Storage, "network"))); err != nil {
		d.t.Fatal(err)
	}
	d.Launch()
	if !d.answers() {
		d.t.Fatalf("the second Docker daemon has ended:\n%s", d.log())
	}
}

// answers waits until the daemon answers, and reports false when it has ended.
func (d *Daemon) answers() bool {
	d.t.Helper()
	for end := time.Now().Add(startTime); ; {
		if exec.Command("docker", "--host", d.Host, "version").Run() == nil {
			return true
		}
		select {
		case <-d.ended:
			return false
		case <-time.After(100 * time.Millisecond):
		}
		if time.Now().After(end) {
			d.t.Fatalf("the second Docker daemon does not answer within %s:\n%s", startTime, d.log())
		}
	}
}

// Launch is Restart that does not wait.
func (d *Daemon) Launch() {
	d.t.Helper()
	log, err := os.Create(filepath.Join(d.dir, "log"))
	if err != nil {
		d.t.Fatal(err)
	}
	defer log.Close()
	// A daemon that was killed leaves its number, which another process may
	// have by now.
	prepare := `rm -f /run/d.pid; exec "$@"`
	if d.socket != nil {
		prepare = "export LISTEN_FDS=1 LISTEN_PID=$$; " + prepare
	}
	d.daemon = d.inside(append([]string{
		"sh", "-c", prepare, "sh", "dockerd",
		"--config-file", filepath.Join(d.dir, "daemon.json"), "--host", d.Host,
		"--data-root", d.Storage, "--exec-root", "/run/docker-exec", "--pidfile", "/run/d.pid",
		"--iptables=false", "--ip6tables=false", "--log-level", "warn",
		"--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", d.cgroup(),
	}, d.flags...)...)
	d.daemon.Stdout, d.daemon.Stderr = log, log
	if d.socket != nil {
		d.daemon.ExtraFiles = []*os.File{d.socket}
	}
	if err := d.daemon.Start(); err != nil {
		d.t.Fatal(err)
	}
	ended, daemon := make(chan struct{}), d.daemon
	d.ended = ended
	go func() {
		defer close(ended)
		_ = daemon.Wait() // how it ended is seen by who talks to it
	}()
}

func (d *Daemon) log() string {
	text, err := os.ReadFile(filepath.Join(d.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-4000):])
}

// Signal sends the daemon a signal.
func (d *Daemon) Signal(signal syscall.Signal) {
	d.t.Helper()
	// The number in its file is that of its own process tree.
	text, err := os.ReadFile(d.Root("/run/d.pid"))
	if err != nil {
		d.t.Fatal(err)
	}
	kill := fmt.Sprintf("kill -%d %s", signal, text)
	if out, err := d.inside("sh", "-c", kill).CombinedOutput(); err != nil {
		d.t.Fatalf("signal the second Docker daemon: %v: %s", err, out)
	}
	if signal == syscall.SIGCONT {
		d.wake()
	}
}

// wake lets nsenter go on, which stops together with the daemon and would not
// hear of its end.
func (d *Daemon) wake() { _ = d.daemon.Process.Signal(syscall.SIGCONT) }

// Stop ends the daemon as its service manager would, which stops its
// containers.
func (d *Daemon) Stop() {
	d.t.Helper()
	d.Signal(syscall.SIGTERM)
	d.wait()
}

// Kill ends the daemon at once; its containers go on.
func (d *Daemon) Kill() {
	d.t.Helper()
	d.Signal(syscall.SIGKILL)
	d.wait()
}

func (d *Daemon) wait() {
	d.t.Helper()
	select {
	case <-d.ended:
	case <-time.After(stopTime):
		d.t.Fatalf("the second Docker daemon does not end within %s:\n%s", stopTime, d.log())
	}
}

// Configure writes the file of settings that the daemon reads when it starts.
func (d *Daemon) Configure(settings string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, "daemon.json"), []byte(settings), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// Docker runs the docker client on the daemon and gives its output.
func (d *Daemon) Docker(args ...string) string {
	d.t.Helper()
	out, err := exec.Command("docker", append([]string{"--host", d.Host}, args...)...).CombinedOutput()
	if err != nil {
		d.t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// cgroup is above those of the daemon's containers.
func (d *Daemon) cgroup() string { return "/" + filepath.Base(d.dir) }

// removeCgroups removes what containers leave that end with their place.
func (d *Daemon) removeCgroups() {
	for _, pattern := range []string{"/sys/fs/cgroup" + d.cgroup(), "/sys/fs/cgroup/*" + d.cgroup()} {
		tops, _ := filepath.Glob(pattern) // the pattern is valid
		for _, top := range tops {
			below, _ := filepath.Glob(top + "/*") // what is no directory is not removed
			for _, dir := range append(below, top) {
				// A process may need a moment to leave it.
				for range 50 {
					if err := syscall.Rmdir(dir); !errors.Is(err, syscall.EBUSY) {
						break
					}
					time.Sleep(20 * time.Millisecond)
				}
			}
		}
	}
}

// remove ends everything in the place of the daemon, and the place with it.
func (d *Daemon) remove() {
	if d.holder != nil {
		_ = d.holder.Process.Kill()
		if d.daemon != nil && d.daemon.Process != nil {
			d.wake()
		}
		_ = d.holder.Wait() // killed
	}
	if d.ended != nil {
		<-d.ended
	}
	d.removeCgroups()
	if err := os.RemoveAll(d.dir); err != nil {
		d.t.Errorf("remove %s: %v", d.dir, err)
	}
}
