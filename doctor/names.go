package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"path"
	"strings"
	"sync"

	"github.com/drone-laptop/drone/exec"
)

// alias is the name of the trial step, by which it looks for itself as steps
// look for services.
const alias = "drone-doctor"

// shared is where the trial step has the directory of this machine.
const shared = "/drone/doctor"

// lookUp is what the trial step runs: it reads a file of this machine, then looks
// up its own name and another one, with what the image has for that. Status 3 is
// an image that has nothing. The name server of Podman may learn of a container
// only after its start.
const lookUp = `if [ -n "$3" ]; then
if read -r line 2>/dev/null <"$3" || [ -n "${line-}" ]; then echo file=yes; else echo file=no; fi
fi
if command -v getent >/dev/null 2>&1; then look() { getent hosts "$1"; }
elif command -v nslookup >/dev/null 2>&1; then look() { nslookup "$1"; }
else exit 3; fi
again=3
until look "$1" >/dev/null 2>&1; do
again=$((again - 1))
if [ $again = 0 ]; then echo service=no; break; fi
sleep 1
done
[ $again = 0 ] || echo service=yes
if look "$2" >/dev/null 2>&1; then echo outside=yes; else echo outside=no; fi
`

// names is what a container could read and resolve: yes, no, or nothing when it
// did not come to that.
type names struct{ file, service, outside string }

// errNoTool means that no image on this machine can look up names.
var errNoTool = errors.New("no image on this machine has a shell with getent or nslookup")

// ask has a container look up names, once for all checks, and waits until it has
// said enough, has ended, or ctx has. What a slow name server keeps it from saying
// holds up nobody who does not want to know.
func (t *trial) ask(ctx context.Context, enough func(names) bool) (names, error) {
	t.begin()
	return t.said.await(ctx, enough)
}

// lookUp asks from within a container in a network of its own, as the steps of a
// pipeline have it.
func (t *trial) lookUp(ctx context.Context) error {
	images, err := t.images()
	if err != nil {
		return err
	}
	for _, image := range images {
		if err := t.lookUpIn(ctx, image); !errors.Is(err, errNoTool) {
			return err
		}
	}
	return errNoTool
}

func (t *trial) lookUpIn(ctx context.Context, image string) (err error) {
	setting := exec.Setting{
		Run: t.Run, Notify: func(exec.Notice) {}, Hurry: ctx.Done(),
		Secret: func(string) (string, bool) { return "", false },
	}
	session, err := t.engine.Open(ctx, &exec.Pipeline{
		Name: t.Run, Type: "docker", Runs: true, Workspace: exec.Workspace{Base: "/drone", Path: "/drone/src"},
	}, setting)
	if err != nil {
		return err
	}
	defer func() {
		tidy, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.Limit)
		defer cancel()
		err = errors.Join(err, session.Close(tidy))
	}()
	step := &exec.Step{Name: alias, Kind: exec.KindStep, Image: image, Pull: exec.PullNever, User: "0", Entrypoint: []string{"/bin/sh", "-c"}}
	file := ""
	// What the engine does not see it would make, on whatever machine that is.
	if name, err := t.file(); err == nil && t.seen() == nil {
		file = path.Join(shared, name)
		step.Binds = []exec.Bind{{Host: t.Dir, Path: shared, ReadOnly: true}}
	}
	step.Command = []string{lookUp, "sh", alias, t.Name, file}
	exit, err := session.Run(ctx, step, exec.IO{Output: t.said, Started: func() {}, Notify: setting.Notify})
	found := t.said.names()
	var failed *exec.StepError
	switch {
	case errors.As(err, &failed) && failed.Phase == exec.PhaseStart, err == nil && exit.Code == 3:
		return errNoTool
	case err == nil && exit.Code != 0 && found.service == "":
		return fmt.Errorf("a shell of image %q ended with exit code %d", image, exit.Code)
	case found.service != "":
		return nil // what is missing did not come in time
	}
	return err
}

// answers collects the output of the trial step, which is read while it is
// written.
type answers struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{} // closed at the next change
	ended   bool
	err     error // why there is no more
}

func newAnswers() *answers { return &answers{changed: make(chan struct{})} }

func (a *answers) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tell()
	return a.text.Write(p)
}

// end says that nothing more comes.
func (a *answers) end(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended, a.err = true, err
	a.tell()
}

func (a *answers) tell() {
	close(a.changed)
	a.changed = make(chan struct{})
}

// await waits until enough was said, or no more comes. The error says why it is
// not enough.
func (a *answers) await(ctx context.Context, enough func(names) bool) (names, error) {
	for {
		a.mu.Lock()
		changed, ended, err := a.changed, a.ended, a.err
		a.mu.Unlock()
		found := a.names()
		switch {
		case enough(found):
			return found, nil
		case ended:
			return found, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return found, ctx.Err()
		}
	}
}

// names gives what was said on whole lines.
func (a *answers) names() (found names) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for line := range strings.Lines(a.text.String()) {
		text, whole := strings.CutSuffix(line, "\n")
		key, value, _ := strings.Cut(strings.TrimSpace(text), "=")
		if !whole {
			break
		}
		switch key {
		case "file":
			found.file = value
		case "service":
			found.service = value
		case "outside":
			found.outside = value
		}
	}
	return found
}

// unchecked explains why no name was looked up.
func (t *trial) unchecked(ctx context.Context, err error) Check {
	var step *exec.StepError
	images, _ := t.images() // the error is err
	switch {
	case ctx.Err() != nil:
		return t.unfinished()
	case errors.As(err, &step):
		return fail(step.Hint, "a container for a trial cannot be had: %v", step.Err)
	case len(images) == 0:
		return noImage(nil)
	case errors.Is(err, errNoTool):
		return warn("pull an image such as busybox or alpine", "not checked: %v", err)
	}
	return warn("", "not checked: %v", err)
}

// serviceNames tells whether steps find services by their names.
func (t *trial) serviceNames(ctx context.Context) Check {
	found, err := t.names(ctx, func(n names) bool { return n.service != "" })
	switch found.service {
	case "yes":
		return ok("containers of a pipeline find each other by name")
	case "no":
		return fail("restart the engine; if that does not help, look for a firewall that drops what goes to 127.0.0.11 in containers",
			"containers of a pipeline do not find each other by name")
	}
	return t.unchecked(ctx, err)
}

// dns compares what a container can resolve with what this machine can: a laptop
// without a network is no fault of the engine.
func (t *trial) dns(ctx context.Context) Check {
	here := make(chan error, 1)
	go func() { here <- t.resolve(ctx) }()
	found, err := t.names(ctx, func(n names) bool { return n.outside != "" })
	if found.outside == "yes" {
		return ok("containers resolve %s", t.Name)
	}
	if found.service == "" {
		return t.unchecked(ctx, err)
	}
	// It comes before ctx ends.
	if err := <-here; err != nil {
		return warn("check the network; offline, runs work with the images that are here: `drone pull` fetches them ahead",
			"neither containers nor this machine resolve %s", t.Name)
	}
	return fail(`set "dns" in the engine's daemon.json to name servers that containers reach, and restart it; a VPN or a firewall may be in their way`,
		"containers do not resolve %s, this machine does", t.Name)
}

func (t *trial) resolve(ctx context.Context) error {
	if t.Resolve != nil {
		return t.Resolve(ctx, t.Name)
	}
	// What containers are given comes first, so there is some time left.
	ctx, cancel := context.WithTimeout(ctx, t.Limit*4/5)
	defer cancel()
	_, err := net.DefaultResolver.LookupHost(ctx, t.Name)
	return err
}
