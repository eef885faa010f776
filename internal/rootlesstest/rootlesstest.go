//go:build linux

// Package rootlesstest starts container engines of an ordinary user: the service
// of Podman, and Docker without root. The user and everything of theirs vanish
// with the process that holds them, and the machine has no account more.
package rootlesstest

import (
	"bytes"
	"errors"
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

// UID is the number of the user and of their group.
const UID = 23457

// Place is where the user works: the file system of this machine, with a /run and
// a tree of processes of its own. No engine of the machine can be seen there.
type Place struct {
	// Home is the home directory of the user, whom it belongs to.
	Home string

	t      testing.TB
	dir    string
	holder *exec.Cmd
}

// runtimeDir is what XDG_RUNTIME_DIR says in the place.
var runtimeDir = "/run/user/" + strconv.Itoa(UID)

// hold makes the place. The user is known in it alone: the setuid programs that
// map the numbers of users read these files as well. A device for networks that
// is not everybody's, as on machines without udev, is replaced.
const hold = `set -e
dir=$1 uid=$2
mount --make-rslave /
mount -t proc proc /proc
mkdir "$dir/etc"
for file in passwd group subuid subgid; do
	if [ -e "/etc/$file" ]; then cp "/etc/$file" "$dir/etc/$file"; else : >"/etc/$file"; : >"$dir/etc/$file"; fi
done
echo "rootlesstest:x:$uid:$uid::$dir/home:/bin/sh" >>"$dir/etc/passwd"
echo "rootlesstest:x:$uid:" >>"$dir/etc/group"
echo "rootlesstest:200000:65536" >>"$dir/etc/subuid"
echo "rootlesstest:200000:65536" >>"$dir/etc/subgid"
for file in passwd group subuid subgid; do mount --bind "$dir/etc/$file" "/etc/$file"; done
if [ -e /dev/net/tun ] && mknod -m 666 "$dir/tun" c 10 200; then mount --bind "$dir/tun" /dev/net/tun; fi
mount -t tmpfs tmpfs /run
mkdir -p "/run/user/$uid"
chown "$uid:$uid" "/run/user/$uid" "$dir/home"
chmod 700 "/run/user/$uid"
sleep 2147483647 <&- >&- 2>&- &
echo ready
wait`

// New makes a place until the test ends. programs are those that the test needs
// there beside its own. The test is skipped aloud where it is not run as root, a
// program is missing, or users may not have user namespaces. Only the last is no
// failure when CI is set: nobody can mend it there.
func New(t testing.TB, programs ...string) *Place {
	t.Helper()
	if why := missing(programs); why != "" {
		testenv.Lack(t, "no engine without root can be started: %s", why)
	}
	// Sockets have short paths.
	dir, err := os.MkdirTemp("", "rootless-") // not t.TempDir, see above
	if err != nil {
		t.Fatal(err)
	}
	p := &Place{Home: filepath.Join(dir, "home"), t: t, dir: dir}
	t.Cleanup(p.remove)
	if err := errors.Join(os.Chmod(dir, 0o755), os.Mkdir(p.Home, 0o700), p.hold()); err != nil { // others look into it
		t.Fatalf("make a place for an ordinary user: %v", err)
	}
	for _, need := range []string{"unshare --user true", ": <>/dev/net/tun"} {
		if out, err := p.Command("sh", "-c", need).CombinedOutput(); err != nil {
			t.Skipf("SKIPPED: this machine lets no user have an engine: `%s` fails: %v: %s", need, err, out)
		}
	}
	return p
}

func missing(programs []string) string {
	if os.Getuid() != 0 {
		return "this needs root, to be somebody else"
	}
	return testenv.Missing(append([]string{"nsenter", "setpriv", "newuidmap", "slirp4netns"}, programs...)...)
}

func (p *Place) hold() (err error) {
	p.holder, err = testenv.Hold(syscall.CLONE_NEWPID|syscall.CLONE_NEWNS, hold, p.dir, strconv.Itoa(UID))
	return err
}

// Command is a command of the user in the place. It starts in the root directory,
// with an environment that names no engine.
func (p *Place) Command(name string, args ...string) *exec.Cmd {
	user := strconv.Itoa(UID)
	c := exec.Command("nsenter", append([]string{
		"--target", strconv.Itoa(p.holder.Process.Pid), "--root", "--mount", "--pid",
		"setpriv", "--reuid", user, "--regid", user, "--clear-groups", name,
	}, args...)...)
	c.Dir = "/"
	c.Env = []string{"HOME=" + p.Home, "XDG_RUNTIME_DIR=" + runtimeDir, "PATH=" + os.Getenv("PATH") + ":/usr/sbin:/sbin"}
	return c
}

// Run runs a script of the user and gives its output.
func (p *Place) Run(script string, args ...string) string {
	p.t.Helper()
	out, err := p.Command("sh", append([]string{"-ec", script, "sh"}, args...)...).CombinedOutput()
	if err != nil {
		p.t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return strings.TrimSpace(string(out))
}

// Podman starts the service of the user's Podman with images of the engine of this
// machine, and gives the address of its socket as it is seen from outside.
func (p *Place) Podman(images ...string) string {
	p.t.Helper()
	// There is no systemd in the place, and crun, which comes with Podman, works
	// in fewer places than runc. vfs works on every file system.
	p.Run(`mkdir -p ~/.config/containers "$XDG_RUNTIME_DIR/podman"
printf '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nruntime = "runc"\n' >~/.config/containers/containers.conf
printf '[network]\nnetwork_backend = "netavark"\ndefault_rootless_network_cmd = "slirp4netns"\n' >>~/.config/containers/containers.conf
printf '[storage]\ndriver = "vfs"\n' >~/.config/containers/storage.conf`)
	p.launch("podman/podman.sock", `exec podman system service --time=0 "unix://$1"`)
	load := p.Command("podman", "load", "--quiet")
	load.Stdin = bytes.NewReader(p.save(images))
	if out, err := load.CombinedOutput(); err != nil {
		p.t.Fatalf("podman load: %v: %s", err, out)
	}
	for _, image := range images {
		// By the name that Docker's API knows.
		p.Run(`podman tag "localhost/$1" "docker.io/$1"; podman rmi "localhost/$1"`, image)
	}
	return p.outside("podman/podman.sock")
}

// Docker starts a Docker daemon of the user with images of the engine of this
// machine, and gives the address of its socket as it is seen from outside.
func (p *Place) Docker(images ...string) string {
	p.t.Helper()
	p.launch("docker.sock", `exec rootlesskit --net=slirp4netns --mtu=1500 --disable-host-loopback --port-driver=builtin \
	--copy-up=/etc --copy-up=/run --propagation=rslave \
	sh -c 'rm -rf /run/docker /run/containerd /run/xtables.lock; exec dockerd --rootless --host "unix://$1" \
	--storage-driver vfs --iptables=false --ip6tables=false --log-level warn --shutdown-timeout 2 \
	--exec-opt native.cgroupdriver=cgroupfs' sh "$1"`)
	host := p.outside("docker.sock")
	load := exec.Command("docker", "--host", host, "load", "--quiet")
	load.Stdin = bytes.NewReader(p.save(images))
	if out, err := load.CombinedOutput(); err != nil {
		p.t.Fatalf("docker load: %v: %s", err, out)
	}
	return host
}

// outside is the address of a socket of the user, for who is not in the place.
func (p *Place) outside(socket string) string {
	return "unix://" + filepath.Join("/proc", strconv.Itoa(p.holder.Process.Pid), "root", runtimeDir, socket)
}

func (p *Place) save(images []string) []byte {
	p.t.Helper()
	out, err := exec.Command("docker", append([]string{"save"}, images...)...).Output()
	if err != nil {
		p.t.Fatalf("docker save: %v", err)
	}
	return out
}

// startTime bounds the start of an engine on a slow machine.
const startTime = 60 * time.Second

// launch starts an engine whose socket is below XDG_RUNTIME_DIR, and waits until
// it answers.
func (p *Place) launch(socket, script string) {
	p.t.Helper()
	log, err := os.Create(filepath.Join(p.dir, "log"))
	if err != nil {
		p.t.Fatal(err)
	}
	defer log.Close()
	c := p.Command("sh", "-c", script, "sh", filepath.Join(runtimeDir, socket))
	c.Stdout, c.Stderr = log, log
	if err := c.Start(); err != nil {
		p.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = c.Wait() // the log says why
	}()
	p.t.Cleanup(func() {
		_ = p.holder.Process.Kill() // and all below it
		<-ended
	})
	for end := time.Now().Add(startTime); exec.Command("docker", "--host", p.outside(socket), "version").Run() != nil; time.Sleep(100 * time.Millisecond) {
		select {
		case <-ended:
		default:
			if time.Now().Before(end) {
				continue
			}
		}
		text, _ := os.ReadFile(log.Name()) // the failure is another
		p.t.Fatalf("the engine of an ordinary user does not answer:\n%s", text[max(0, len(text)-4000):])
	}
}

func (p *Place) remove() {
	if p.holder != nil {
		_ = p.holder.Process.Kill()
		_ = p.holder.Wait() // killed
	}
	if err := os.RemoveAll(p.dir); err != nil {
		p.t.Errorf("remove %s: %v", p.dir, err)
	}
}
