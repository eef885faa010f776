package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/client"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/fileowner"
)

const (
	// helperDir and helperProgram begin where a helper finds the directory and
	// itself. An image could have prepared a place that it knows: a link there,
	// or a volume around it, would have something of the image run instead.
	helperDir     = "/drone-workspace-"
	helperProgram = "/drone-helper-"
	// helperWords bounds what is kept of what a helper prints.
	helperWords = 4 << 10
	// removeTime bounds the removal of a helper.
	removeTime = 10 * time.Second
)

// giveBack changes owners: in this process where that is root's, else in a
// container of an image that is here, so that none has to be had. What runs in
// it is this program, or the image's own chown where that cannot be. It is for
// one goroutine; close removes the container.
type giveBack struct {
	engine  *Engine
	dir     string
	to      fileowner.Owner
	images  []string
	labels  map[string]string
	hurry   <-chan struct{}
	options fileowner.Options

	asked  *fileowner.Client // of the helper that runs, else nil
	name   string            // of its container
	stream types.HijackedResponse
	words  *words // what it prints on standard error
	shell  bool   // programs of an image have changed owners
	left   []error
}

// give changes the owners of files.
func (g *giveBack) give(ctx context.Context, files []fileowner.File) error {
	if os.Geteuid() == 0 && !g.engine.forceHelper {
		return fileowner.Give(g.dir, files, g.to)
	}
	select {
	case <-g.hurry:
		return errHurry
	default:
	}
	if len(g.images) == 0 {
		g.images = g.engine.anyImages(ctx)
	}
	if len(g.images) == 0 {
		return errors.New("no image is there to start a container of")
	}
	err := g.byHelper(ctx, files)
	if err == nil || ctx.Err() != nil || errors.Is(err, errEngineGone) {
		return err
	}
	return g.byShell(ctx, files, err)
}

// anyImages names images of the engine, when nobody knows one.
func (e *Engine) anyImages(ctx context.Context) []string {
	const enough = 3
	list, err := e.client.ImageList(ctx, image.ListOptions{})
	if err != nil {
		return nil
	}
	var ids []string
	for _, i := range list[:min(enough, len(list))] {
		ids = append(ids, i.ID)
	}
	return ids
}

// byHelper has this program change the owners, in one container for all calls.
func (g *giveBack) byHelper(ctx context.Context, files []fileowner.File) error {
	if g.asked == nil {
		if err := g.startHelper(ctx); err != nil {
			return err
		}
	}
	cut := context.AfterFunc(ctx, g.stream.Close)
	defer cut()
	err := g.asked.Give(files)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if said := g.words.String(); err != nil && said != "" {
		return fmt.Errorf("%w: %s", err, oneLine(errors.New(said)))
	}
	return err
}

func (g *giveBack) startHelper(ctx context.Context) error {
	helper := g.engine.helper
	if len(helper) == 0 {
		return errors.New("no helper is there")
	}
	if err := fileowner.RunsAnywhere(helper[0], g.engine.arch); err != nil {
		return err
	}
	var err error
	for _, image := range g.images {
		var stream types.HijackedResponse
		stream, g.name, err = g.start(ctx, helperSpec(g, image, helper))
		if err != nil {
			g.remove(g.name)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if unknownImage(err) {
				continue
			}
			return err
		}
		out, in := io.Pipe()
		g.stream, g.words = stream, &words{}
		// It ends with the stream, which close closes.
		go func() {
			err := exec.Guard(func() error {
				_, err := stdcopy.StdCopy(in, g.words, stream.Reader)
				return err
			})
			in.CloseWithError(errors.Join(err, io.EOF))
		}()
		g.asked = fileowner.NewClient(g.to, out, stream.Conn)
		return nil
	}
	return err
}

// close removes the helper. The error names the containers that stay.
func (g *giveBack) close() error {
	if g.asked != nil {
		g.stream.Close()
		g.remove(g.name)
	}
	return errors.Join(g.left...)
}

// byShell has the chown of an image change the owners. why is the reason.
func (g *giveBack) byShell(ctx context.Context, files []fileowner.File, why error) error {
	var keep, change []fileowner.File
	for _, f := range files {
		if f.KeepGroup {
			keep = append(keep, f)
		} else {
			change = append(change, f)
		}
	}
	g.shell = true
	for _, image := range g.images {
		err := errors.Join(g.chown(ctx, image, change, true), g.chown(ctx, image, keep, false))
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if errors.Is(err, errEngineGone) {
			return err
		}
		why = fmt.Errorf("%w; with image %s: %s", why, image, oneLine(err))
	}
	return why
}

// chown runs the chown of an image over files, and says what it printed.
func (g *giveBack) chown(ctx context.Context, image string, files []fileowner.File, group bool) error {
	if len(files) == 0 {
		return nil
	}
	stream, name, err := g.start(ctx, shellSpec(g, image, group))
	defer g.remove(name)
	if err != nil {
		return err
	}
	defer stream.Close()
	cut := context.AfterFunc(ctx, stream.Close)
	defer cut()
	var said words
	ended := make(chan error, 1)
	go func() {
		ended <- exec.Guard(func() error {
			_, err := stdcopy.StdCopy(&said, &said, stream.Reader)
			return err
		})
	}()
	var list bytes.Buffer
	for _, f := range files {
		list.WriteString("./" + f.Path + "\x00")
	}
	_, err = stream.Conn.Write(list.Bytes())
	err = errors.Join(err, stream.CloseWrite(), <-ended)
	if text := said.String(); text != "" {
		return errors.New(text)
	}
	return err
}

// start creates a container, attaches to it and starts it. Its name is
// returned as soon as it may exist.
func (g *giveBack) start(ctx context.Context, c spec) (types.HijackedResponse, string, error) {
	longer, cancel := outlive(ctx)
	defer cancel()
	api := g.engine.client
	name := objectName(g.labels[LabelRun]) + "-owner"
	if g.engine.product == productPodman {
		spellMounts(c.Host)
	}
	if _, err := api.ContainerCreate(longer, c.Config, c.Host, nil, nil, name); err != nil {
		if client.IsErrConnectionFailed(err) {
			return types.HijackedResponse{}, "", errEngineGone // nothing was made
		}
		return types.HijackedResponse{}, name, err
	}
	stream, err := api.ContainerAttach(ctx, name, container.AttachOptions{Stream: true, Stdin: true, Stdout: true, Stderr: true})
	if err != nil {
		return stream, name, err
	}
	if err := api.ContainerStart(longer, name, container.StartOptions{}); err != nil {
		stream.Close()
		return stream, name, err
	}
	return stream, name, nil
}

// remove removes the container that start has named, if any.
func (g *giveBack) remove(name string) {
	if name == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), removeTime)
	defer cancel()
	if err := g.engine.removeContainer(ctx, name); err != nil {
		g.left = append(g.left, fmt.Errorf("cannot remove container %s: %s", name, oneLine(err)))
	}
}

// words keeps the beginning of what is written to it.
type words struct{ text bytes.Buffer }

func (w *words) Write(p []byte) (int, error) {
	w.text.Write(p[:min(len(p), max(0, helperWords-w.text.Len()))])
	return len(p), nil
}

func (w *words) String() string { return strings.TrimSpace(w.text.String()) }

// helperSpec is a container in which this program changes owners.
func helperSpec(g *giveBack, image string, helper []string) spec {
	c, dir := rootSpec(g, image)
	program := helperProgram + random()
	c.Config.Entrypoint, c.Config.Cmd = []string{program}, slices.Concat(helper[1:], []string{dir})
	c.Host.Mounts = append(c.Host.Mounts, mount.Mount{Type: mount.TypeBind, Source: helper[0], Target: program, ReadOnly: true})
	// Where the engine puts containers in a user namespace, its root owns
	// nothing here.
	c.Host.UsernsMode = "host"
	return c
}

// shellChown translates the owner to the numbers that the container has, as
// fileowner.Serve does, and gives it what standard input lists.
const shellChown = `
inside() { while read -r in out count; do
	if [ "$1" -ge "$out" ] && [ $(($1 - out)) -lt "$count" ]; then echo $((in + $1 - out)); fi
done <"/proc/self/$2"; }
owner=$(inside "$1" uid_map)
if [ -z "$owner" ]; then echo "containers of this engine cannot have files of the owner $1"; exit 1; fi
if [ -n "$2" ]; then owner=$owner:$(inside "$2" gid_map); fi
exec xargs -0 chown -h "$owner" --
`

// shellSpec is a container in which an image's own programs change owners. They
// are no more to be trusted than a step, so they get no more rights than one: in
// particular they stay in the user namespace of the engine's containers.
func shellSpec(g *giveBack, image string, group bool) spec {
	c, dir := rootSpec(g, image)
	gid := ""
	if group {
		gid = strconv.Itoa(g.to.GID)
	}
	c.Config.Entrypoint, c.Config.Cmd = []string{"/bin/sh", "-c"}, []string{shellChown, "chown", strconv.Itoa(g.to.UID), gid}
	c.Config.WorkingDir = dir
	return c
}

// rootSpec is a container that may change owners in the directory, and little
// else. It gets nothing that steps get but the directory, which is at dir there.
func rootSpec(g *giveBack, image string) (c spec, dir string) {
	dir = helperDir + random()
	return spec{
		Config: &container.Config{
			Image: image, User: "0:0", WorkingDir: "/", Labels: g.labels,
			OpenStdin: true, StdinOnce: true, AttachStdin: true, AttachStdout: true, AttachStderr: true,
			Healthcheck: &container.HealthConfig{Test: []string{"NONE"}},
		},
		Host: &container.HostConfig{
			// Without a network a container starts in a quarter of the time.
			NetworkMode: "none",
			SecurityOpt: []string{"label=disable", "no-new-privileges"},
			CapDrop:     []string{"ALL"}, CapAdd: []string{"CHOWN", "DAC_OVERRIDE"},
			LogConfig: container.LogConfig{Type: "none"},
			Mounts:    []mount.Mount{{Type: mount.TypeBind, Source: g.dir, Target: dir}},
		},
	}, dir
}

// leaveWorkspace gives back what steps have created, and tells what could not
// be.
func (s *session) leaveWorkspace(ctx context.Context) {
	err := exec.Guard(func() error { return s.workspace.leave(ctx, s.place.labels, s.hurry) })
	if err != nil {
		s.tell(exec.Notice{Warning: err.Error()})
	}
}
