package cmd_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/client"

	"github.com/drone-laptop/drone/internal/dockerdtest"
)

// tlsFile runs with an image that no other engine has, and leaves a file behind
// that root in a container has made.
const tlsFile = `kind: pipeline
name: far
services:
- {name: db, image: far/only:here, pull: never, commands: [sleep 600]}
steps:
- {name: a, image: far/only:here, pull: never, commands: [echo written > out.txt, echo over TLS]}
`

// tlsCommand is a drone that knows of an engine only what env says. Certificates
// that it names by default and contexts are below home.
func tlsCommand(t *testing.T, home string, env []string, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.Command(filepath.Join(binary, "drone"), args...)
	c.Dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(c.Dir, ".drone.yml"), []byte(tlsFile), 0o600); err != nil {
		t.Fatal(err)
	}
	c.Env = append(withoutDocker(environment()), append([]string{"HOME=" + home, "GIT_CONFIG_NOSYSTEM=1"}, env...)...)
	return c
}

// withoutDocker is an environment that says nothing about engines.
func withoutDocker(environ []string) (without []string) {
	for _, v := range environ {
		if !strings.HasPrefix(v, "DOCKER_") {
			without = append(without, v)
		}
	}
	return without
}

// TestTLS runs the program on a Docker daemon that takes nobody without a
// certificate, in every way in which its address and certificates can be said.
func TestTLS(t *testing.T) {
	t.Parallel()
	authority, soon := dockerdtest.NewAuthority(t), time.Now().Add(time.Hour)
	d, address := dockerdtest.StartTLS(t, []string{"drone-laptop/busybox:test"}, authority.Issue(soon), "--shutdown-timeout", "2")
	d.Docker("tag", "drone-laptop/busybox:test", "far/only:here")
	certs := authority.Issue(soon)
	engine, err := client.NewClientWithOpts(client.WithHost(d.Host), client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	material := fmt.Sprintf("host=%s,ca=%[2]s/ca.pem,cert=%[2]s/cert.pem,key=%[2]s/key.pem", address, certs)

	// The parallel tests below go on when this function is over, the daemon too.
	t.Run("runs", func(t *testing.T) {
		for name, say := range map[string]func(t *testing.T, home string) (env, args []string, through string){
			"variables": func(*testing.T, string) ([]string, []string, string) {
				return []string{"DOCKER_HOST=" + address, "DOCKER_TLS_VERIFY=1", "DOCKER_CERT_PATH=" + certs}, nil, "DOCKER_HOST"
			},
			"flag": func(t *testing.T, home string) ([]string, []string, string) {
				if err := os.CopyFS(filepath.Join(home, ".docker"), os.DirFS(certs)); err != nil {
					t.Fatal(err)
				}
				return []string{"DOCKER_HOST=tcp://127.0.0.1:1", "DOCKER_TLS_VERIFY=1"}, []string{"--docker-host", address}, "the command line"
			},
			"unverified": func(*testing.T, string) ([]string, []string, string) {
				return []string{"DOCKER_HOST=" + address, "DOCKER_TLS=1", "DOCKER_CERT_PATH=" + certs}, nil, "DOCKER_HOST"
			},
			"context": func(t *testing.T, home string) ([]string, []string, string) {
				dockerClient(t, home, "context", "create", "far", "--docker", material)
				return []string{"DOCKER_CONTEXT=far", "DOCKER_TLS_VERIFY=1", "DOCKER_CERT_PATH=/nowhere"}, nil, `context "far", DOCKER_CONTEXT`
			},
			"current context": func(t *testing.T, home string) ([]string, []string, string) {
				dockerClient(t, home, "context", "create", "far", "--docker", material)
				dockerClient(t, home, "context", "use", "far")
				return nil, nil, `context "far", the current context of ~/.docker/config.json`
			},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				home := t.TempDir()
				env, args, through := say(t, home)
				c := tlsCommand(t, home, env, append([]string{"exec"}, args...)...)
				out, err := c.CombinedOutput()
				if err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
				wantAll(t, string(out), "] over TLS\n", "✔ success")
				if text, err := os.ReadFile(filepath.Join(c.Dir, "out.txt")); err != nil || string(text) != "written\n" {
					t.Errorf("the step has left %q, error %v", text, err)
				}
				// It is removed behind the prompt.
				awaitNothingLeft(t, engine, c.Dir)
				if through != "DOCKER_HOST" || name == "variables" { // they say the same
					tlsDoctor(t, home, env, args, address, through)
				}
			})
		}
		t.Run("killed", func(t *testing.T) {
			t.Parallel()
			v := newVictim(t, dockerFile, "--env", "NAME=killed")
			own := filepath.Join(v.work, "certs")
			if err := os.CopyFS(own, os.DirFS(certs)); err != nil {
				t.Fatal(err)
			}
			v.command.Env = append(withoutDocker(v.command.Env), "DOCKER_HOST="+address, "DOCKER_TLS_VERIFY=1", "DOCKER_CERT_PATH="+own)
			v.start()
			v.await("started.killed")
			// Its guard has the certificates, whatever becomes of the files.
			if err := errors.Join(os.RemoveAll(own), v.command.Process.Kill()); err != nil {
				t.Fatal(err)
			}
			<-v.ended
			v.mustVanish(engine, "SIGKILL")
		})
		t.Run("refused", func(t *testing.T) {
			t.Parallel()
			testTLSRefused(t, d, address, authority, certs)
		})
	})
}

// dockerClient runs the docker command for a user.
func dockerClient(t *testing.T, home string, args ...string) {
	t.Helper()
	c := exec.Command("docker", args...)
	c.Env = append(withoutDocker(os.Environ()), "HOME="+home)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// tlsDoctor demands that `drone doctor` finds the engine, and that containers see
// the files of this machine.
func tlsDoctor(t *testing.T, home string, env, args []string, address, through string) {
	t.Helper()
	out, err := tlsCommand(t, home, env, append([]string{"doctor", "--output", "json"}, args...)...).Output()
	var checks []struct{ Name, Status, Message string }
	if failed := json.Unmarshal(out, &checks); failed != nil {
		t.Fatalf("%v, %v:\n%s", err, failed, out)
	}
	want := map[string]string{
		"endpoint": address + ", found through " + through, "engine": "answers: version ", "mounts": "containers see the files of ",
	}
	for _, c := range checks {
		if begin, ok := want[c.Name]; ok && c.Status == "ok" && strings.HasPrefix(c.Message, begin) {
			delete(want, c.Name)
		}
	}
	if len(want) > 0 {
		t.Errorf("doctor does not say %v:\n%s", want, out)
	}
}

// testTLSRefused: what keeps the two sides from talking is said in one sentence,
// with the file to look at and what to do.
func testTLSRefused(t *testing.T, d *dockerdtest.Daemon, address string, authority *dockerdtest.Authority, certs string) {
	home := t.TempDir()
	stranger := dockerdtest.NewAuthority(t).Issue(time.Now().Add(time.Hour))
	old := authority.Issue(time.Now().Add(-time.Hour))
	day := time.Now().Add(-time.Hour).UTC().Format(time.DateOnly)
	// with is a directory with some of the files of others.
	with := func(files ...string) string {
		dir := t.TempDir()
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err = errors.Join(err, os.WriteFile(filepath.Join(dir, filepath.Base(file)), text, 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	ca, cert, key := filepath.Join(certs, "ca.pem"), filepath.Join(certs, "cert.pem"), filepath.Join(certs, "key.pem")
	junk := with(ca)
	if err := os.WriteFile(filepath.Join(junk, "ca.pem"), []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	create := func(name, material string) {
		dockerClient(t, home, "context", "create", name, "--docker", "host="+address+material)
	}
	create("none", "")
	create("lost", ",ca="+ca+",cert="+cert+",key="+key)
	lost, err := filepath.Glob(filepath.Join(home, ".docker/contexts/tls/*/docker/key.pem"))
	if err != nil || len(lost) != 1 || os.Remove(lost[0]) != nil {
		t.Fatalf("docker keeps the keys of contexts in %v, error %v", lost, err)
	}
	create("stranger", ",ca="+filepath.Join(stranger, "ca.pem")+",cert="+cert+",key="+key)
	plain, expired := forward(t, d.Host, nil), forward(t, d.Host, loadPair(t, old))
	dockerClient(t, home, "context", "create", "plain", "--docker", "host="+plain+",ca="+ca+",cert="+cert+",key="+key)

	verified := func(host, dir string) []string {
		return []string{"DOCKER_HOST=" + host, "DOCKER_TLS_VERIFY=1", "DOCKER_CERT_PATH=" + dir}
	}
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(address, "tcp://"))
	for name, c := range map[string]struct {
		env        []string
		status     int
		want, hint string
	}{
		"another authority": {verified(address, stranger), 3,
			"found through DOCKER_HOST: its certificate is not signed by the authority in " + stranger + "/ca.pem", "put the ca.pem of that engine into " + stranger},
		"no certificate": {verified(address, with(ca)), 3,
			"it wants a certificate of who talks to it, and there is no cert.pem in /", "put cert.pem and key.pem, signed by the authority of the engine, into /"},
		"no key": {verified(address, with(ca, cert)), 3, "cert.pem has no key.pem beside it in /", "put cert.pem and key.pem"},
		"unverified without a certificate": {[]string{"DOCKER_HOST=" + address, "DOCKER_TLS=1", "DOCKER_CERT_PATH=" + with(ca)}, 3,
			"it wants a certificate of who talks to it, and there is no cert.pem in /", "put cert.pem"},
		"a certificate of another authority": {verified(address, with(ca, filepath.Join(stranger, "cert.pem"), filepath.Join(stranger, "key.pem"))), 3,
			"it does not take the certificate in /", "signed by the authority of the engine"},
		"expired certificate":   {verified(address, old), 3, "your certificate in " + old + "/cert.pem has expired on " + day, "put a new cert.pem and key.pem into " + old},
		"key of another":        {verified(address, with(ca, cert, filepath.Join(stranger, "key.pem"))), 3, "/cert.pem and its key cannot be used: private key does not match public key", "certificates"},
		"no authority":          {verified(address, with(cert, key)), 2, "DOCKER_TLS_VERIFY: cannot read the certificates: open /", "point DOCKER_CERT_PATH to the directory with ca.pem"},
		"what is no authority":  {verified(address, junk), 3, junk + "/ca.pem is no certificate", "check the address and the certificates"},
		"another name":          {verified("tcp://localhost:"+port, certs), 3, "its certificate is not for localhost, but for 127.0.0.1", "use an address of the certificate"},
		"expired engine":        {verified(expired, certs), 3, "its certificate has expired on " + day, "renew the certificate of the engine"},
		"TLS not asked for":     {[]string{"DOCKER_HOST=" + address}, 3, "it wants TLS, which was not asked for", "set DOCKER_TLS_VERIFY=1"},
		"TLS with a plain port": {verified(plain, certs), 3, "it does not speak TLS", "unset DOCKER_TLS_VERIFY and DOCKER_TLS"},
		"context without TLS":   {[]string{"DOCKER_CONTEXT=none"}, 3, `found through context "none", DOCKER_CONTEXT: it wants TLS`, "give certificates to the context: `docker context update none --docker host=" + address + ",ca=ca.pem,"},
		"context without a key": {[]string{"DOCKER_CONTEXT=lost"}, 3, `cert.pem has no key.pem beside it in the docker context "lost"`, "`docker context update lost --docker "},
		"context with another authority": {[]string{"DOCKER_CONTEXT=stranger"}, 3,
			`its certificate is not signed by the authority in ca.pem of the docker context "stranger"`, "`docker context update stranger --docker "},
		"context with TLS and a plain port": {[]string{"DOCKER_CONTEXT=plain"}, 3, "it does not speak TLS", "`docker context update plain --docker host=" + plain + "`"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, said bytes.Buffer
			command := tlsCommand(t, home, c.env, "exec")
			command.Stdout, command.Stderr = &out, &said
			_ = command.Run() // the status is looked at
			if got := command.ProcessState.ExitCode(); got != c.status || out.Len() > 0 {
				t.Errorf("exit status %d, want %d, with the output %q", got, c.status, &out)
			}
			wantAll(t, said.String(), c.want)
			form := regexp.MustCompile(`^drone: error: [^\n]+\ndrone: hint: ([^\n]+)\n$`).FindStringSubmatch(said.String())
			if form == nil || !strings.Contains(form[1], c.hint) {
				t.Errorf("it is not one sentence with the hint %q:\n%s", c.hint, &said)
			}
		})
	}
}

func loadPair(t *testing.T, dir string) *tls.Certificate {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return &pair
}

// forward has a port lead to a socket, with TLS when there is a certificate for
// it.
func forward(t *testing.T, socket string, pair *tls.Certificate) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	address = "tcp://" + l.Addr().String()
	if pair != nil {
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{*pair}})
	}
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer near.Close()
				far, err := net.Dial("unix", strings.TrimPrefix(socket, "unix://"))
				if err != nil {
					return
				}
				defer far.Close()
				go func() { _, _ = io.Copy(far, near) }() // ends with them
				_, _ = io.Copy(near, far)
			}()
		}
	}()
	return address
}
