package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/containerd/platforms"
	"github.com/docker/docker/api/types/image"
	"github.com/google/go-cmp/cmp"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/dockerhost"
	"github.com/drone-laptop/drone/internal/registrytest"
)

// foreignArch is a processor that the machines of tests have not got.
const foreignArch = "s390x"

// variants has the registry keep an image for several processors, and returns
// its full name.
func (s *shelf) variants(tag string, archs ...string) string {
	s.Helper()
	s.ForArchs("team/app", "1", tag, archs...)
	name := s.Address + "/team/app:" + tag
	s.remove(name)
	s.removeKept(name)
	return name
}

func (s *shelf) removeKept(name string) {
	for _, arch := range []string{s.engine.arch, foreignArch} {
		s.remove(keptName(name, ocispec.Platform{OS: "linux", Architecture: arch}))
	}
}

// pullFor has an engine fetch an image as `drone pull` does, for a pipeline of
// a platform.
func (s *shelf) pullFor(e *Engine, name, arch string, policy exec.Pull) (warnings []string, err error) {
	s.Helper()
	var heard notices
	p := &exec.Pipeline{Runs: true, Platform: exec.Platform{OS: "linux", Arch: arch}, Steps: []*exec.Step{{Image: name, Pull: policy}}}
	failed, err := e.Pull(s.Context(), []*exec.Pipeline{p}, exec.Setting{Notify: heard.take})
	if err != nil {
		s.Fatal(err)
	}
	if len(failed) > 0 {
		err = failed[0].Err
	}
	return heard.warnings(), err
}

// runFor runs a step of a pipeline of a platform, which prints what its image
// is for, and returns the warnings about images.
func (s *shelf) runFor(e *Engine, name, arch string, policy exec.Pull) (printed string, warnings []string, err error) {
	s.Helper()
	tr := open(s.T, e, func(p *exec.Pipeline) { p.Platform.Arch = arch })
	printed, _, err = tr.do(s.Context(), &exec.Step{Image: name, Pull: policy, Commands: []string{"echo $IMAGE_ARCH"}}, nil)
	for _, w := range tr.warnings() {
		if !strings.HasPrefix(w, "the platform of the pipeline is ") {
			warnings = append(warnings, w)
		}
	}
	return strings.TrimSpace(printed), warnings, err
}

func (s *shelf) ran(e *Engine, name, arch, want string) {
	s.Helper()
	got, warnings, err := s.runFor(e, name, arch, "")
	if err != nil || got != want || len(warnings) > 0 {
		s.Errorf("a pipeline for %q ran the image for %q, with %v and %q", arch, got, err, warnings)
	}
}

// leadsTo is the processor of the image that a name leads to.
func (s *shelf) leadsTo(name string) string {
	s.Helper()
	info, err := s.engine.client.ImageInspect(s.Context(), name)
	if err != nil {
		return "none"
	}
	return info.Architecture
}

// TestPlatforms runs pipelines for two platforms at the same time, with images
// of one name: each gets its own, and later runs find them.
func TestPlatforms(t *testing.T) {
	t.Parallel()
	s := newShelf(t, false)
	own := s.engine.arch
	name := s.variants("both", foreignArch, own)
	var group errgroup.Group
	for _, arch := range []string{own, foreignArch, ""} {
		tr := open(t, s.engine, func(p *exec.Pipeline) { p.Platform.Arch = arch })
		want := arch
		if arch == "" {
			want = own
		}
		group.Go(func() error {
			got, _, err := tr.do(t.Context(), &exec.Step{Image: name, Commands: []string{"echo $IMAGE_ARCH"}}, nil)
			if err != nil || got != want+"\n" {
				return fmt.Errorf("a pipeline for %q ran %q, %w", arch, got, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := s.leadsTo(name); got != own {
		t.Errorf("the name leads to the image for %s", got)
	}
	s.Down()
	e := newEngine(t)
	for arch, want := range map[string]string{own: own, foreignArch: foreignArch, "": own} {
		s.ran(e, name, arch, want)
	}
}

// TestNameWhileItIsFetched: while an image for another platform is fetched, its name
// leads to it for a moment. No container is made of it then.
func TestNameWhileItIsFetched(t *testing.T) {
	t.Parallel()
	s := newShelf(t, false)
	own := s.engine.arch
	name := s.variants("both", foreignArch, own)
	s.ran(s.engine, name, "", own)
	foreign := open(t, s.engine, func(p *exec.Pipeline) { p.Platform.Arch = foreignArch })
	plain := open(t, s.engine, nil)
	fetched := make(chan struct{})
	var group errgroup.Group
	group.Go(func() error {
		defer close(fetched)
		for range 2 {
			got, _, err := foreign.do(t.Context(), &exec.Step{Image: name, Pull: exec.PullAlways, Commands: []string{"echo $IMAGE_ARCH"}}, nil)
			if err != nil || got != foreignArch+"\n" {
				return fmt.Errorf("the foreign pipeline ran %q, %w", got, err)
			}
		}
		return nil
	})
	for range 2 {
		group.Go(func() error {
			for {
				select {
				case <-fetched:
					return nil
				default:
				}
				container, err := plain.session.(*session).create(t.Context(), &exec.Step{Image: name, Commands: []string{"true"}}, about{}, exec.IO{Notify: unheard})
				if err != nil {
					return err
				}
				found, err := s.engine.client.ContainerInspect(t.Context(), container)
				plain.session.(*session).discard(container)
				if err != nil {
					return err
				}
				image, err := s.engine.client.ImageInspect(t.Context(), found.Image)
				if err != nil {
					return err
				}
				if image.Architecture != own {
					return fmt.Errorf("a container was made of the image for %s", image.Architecture)
				}
			}
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}

// TestPlatformLeavesNames: what a name leads to is not replaced by an image for
// another platform, and no name appears that leads to one.
func TestPlatformLeavesNames(t *testing.T) {
	t.Parallel()
	s := newShelf(t, false)
	own, api := s.engine.arch, s.engine.client
	name := s.variants("both", foreignArch, own)
	s.ran(s.engine, name, foreignArch, foreignArch)
	if got := s.leadsTo(name); got != "none" {
		t.Errorf("a name that nobody had leads to the image for %s", got)
	}
	s.ran(s.engine, name, "", own)
	for _, policy := range []exec.Pull{exec.PullAlways, exec.PullIfNotExists} {
		if warnings, err := s.pullFor(s.engine, name, foreignArch, policy); err != nil || len(warnings) > 0 {
			t.Errorf("pull: %s: %v, %q", policy, err, warnings)
		}
		if got := s.leadsTo(name); got != own {
			t.Errorf("after pull: %s the name leads to the image for %s", policy, got)
		}
	}
	// Somebody has fetched the other one by hand.
	if err := api.ImageTag(t.Context(), keptName(name, ocispec.Platform{OS: "linux", Architecture: foreignArch}), name); err != nil {
		t.Fatal(err)
	}
	e := newEngine(t)
	s.ran(e, name, own, own)
	s.ran(e, name, foreignArch, foreignArch)
	if got := s.leadsTo(name); got != foreignArch {
		t.Errorf("the name leads to the image for %s", got)
	}
	got, warnings, err := s.runFor(e, name, "", "")
	want := fmt.Sprintf("the image %s is for linux/%s, but the engine runs linux/%s: it works only where the engine emulates that", name, foreignArch, own)
	if err != nil || got != foreignArch || len(warnings) != 1 || warnings[0] != want {
		t.Errorf("where no platform is asked for: %q, %v, %q", got, err, warnings)
	}
}

func TestPlatformLatest(t *testing.T) {
	t.Parallel()
	s := newShelf(t, false)
	own := s.engine.arch
	name := s.variants("latest", foreignArch, own)
	s.ran(s.engine, name, own, own)
	for range 2 {
		s.ran(s.engine, name, foreignArch, foreignArch)
	}
	before, _ := s.Requests()
	s.ran(s.engine, name, foreignArch, foreignArch)
	if after, _ := s.Requests(); after != before {
		t.Errorf("the registry was asked %d times more in the same run", after-before)
	}
	if got := s.leadsTo(name); got != own {
		t.Errorf("the name leads to the image for %s", got)
	}
}

// TestPlatformThatIsNotThere: a list without the platform is an error, also when
// the image is here for another one.
func TestPlatformThatIsNotThere(t *testing.T) {
	t.Parallel()
	s := newShelf(t, false)
	name := s.variants("two", s.engine.arch, "ppc64le")
	for range 2 {
		for _, policy := range []exec.Pull{"", exec.PullAlways} {
			_, err := s.pullFor(s.engine, name, foreignArch, policy)
			s.wants(err, fmt.Sprintf("%q cannot be pulled: it has no variant for linux/%s, only for linux/%s and linux/ppc64le", name, foreignArch, s.engine.arch),
				"choose a tag that has one, or change the platform of the pipeline")
		}
		s.ran(s.engine, name, "", s.engine.arch)
	}
}

// TestPlatformOfSingleImage: a registry that has no list gives the image that it
// has. It serves, with a warning, and no registry is asked again.
func TestPlatformOfSingleImage(t *testing.T) {
	t.Parallel()
	s := newShelf(t, false)
	s.ForArch("team/app", "1", s.engine.arch, "single")
	name := s.Address + "/team/app:single"
	s.remove(name)
	s.removeKept(name)
	want := fmt.Sprintf("the image %s is for linux/%s, but the pipeline asks for linux/%s", name, s.engine.arch, foreignArch)
	if warnings, err := s.pullFor(s.engine, name, foreignArch, ""); err != nil || len(warnings) != 1 || warnings[0] != want {
		t.Fatalf("got %v and the warnings %q", err, warnings)
	}
	s.Down()
	offline := newEngineWith(t, Options{Offline: true})
	p := &exec.Pipeline{Runs: true, Platform: exec.Platform{Arch: foreignArch}, Steps: []*exec.Step{{Image: name}}}
	if missing, err := offline.Missing(t.Context(), []*exec.Pipeline{p}); err != nil || len(missing) > 0 {
		t.Errorf("missing %v, %v", missing, err)
	}
	for _, e := range []*Engine{offline, newEngine(t)} {
		got, warnings, err := s.runFor(e, name, foreignArch, "")
		if err != nil || got != s.engine.arch || len(warnings) != 1 || warnings[0] != want {
			t.Errorf("got %q, %v and the warnings %q", got, err, warnings)
		}
	}
	s.ran(newEngine(t), name, "", s.engine.arch)
}

// TestPlatformOfLocalImage: an image that is here for another platform is never
// used silently.
func TestPlatformOfLocalImage(t *testing.T) {
	t.Parallel()
	s := newShelf(t, false)
	name := s.Address + "/built/here:1"
	if err := s.engine.client.ImageTag(t.Context(), testImage, name); err != nil {
		t.Fatal(err)
	}
	s.remove(name)
	misfit := fmt.Sprintf("the image %s is for linux/%s, but the pipeline asks for linux/%s", name, s.engine.arch, foreignArch)
	asItIs := "using the image " + name + " as it is on this machine: " + s.Address + " has no such tag"
	for _, tc := range []struct {
		policy exec.Pull
		want   []string
	}{{"", []string{asItIs, misfit}}, {exec.PullNever, []string{misfit}}} {
		if _, warnings, err := s.runFor(newEngine(t), name, foreignArch, tc.policy); err != nil || cmp.Diff(tc.want, warnings) != "" {
			t.Errorf("pull: %q gave %v and the warnings %q", tc.policy, err, warnings)
		}
	}
	_, _, err := s.runFor(newEngine(t), name, foreignArch, exec.PullAlways)
	s.wants(err, "has no such tag", "check the name")
	offline := newEngineWith(t, Options{Offline: true})
	_, _, err = s.runFor(offline, name, foreignArch, "")
	s.wants(err, fmt.Sprintf("image %q is not on this engine for linux/%s, and no registry may be asked", name, foreignArch), "drone pull")
	foreign, plain := &exec.Pipeline{Name: "f", Runs: true, Platform: exec.Platform{Arch: foreignArch}}, &exec.Pipeline{Name: "p", Runs: true}
	for _, p := range []*exec.Pipeline{foreign, plain} {
		p.Steps = []*exec.Step{{Image: name}, {Image: s.Address + "/none:1"}}
	}
	missing, err := offline.Missing(t.Context(), []*exec.Pipeline{foreign, plain})
	want := []MissingImage{
		{NeededImage: exec.NeededImage{Image: name, Platform: "linux/" + foreignArch, Pipelines: []*exec.Pipeline{foreign}}, Other: "linux/" + s.engine.arch},
		{NeededImage: exec.NeededImage{Image: s.Address + "/none:1", Platform: "linux/" + foreignArch, Pipelines: []*exec.Pipeline{foreign}}},
		{NeededImage: exec.NeededImage{Image: s.Address + "/none:1", Pipelines: []*exec.Pipeline{plain}}},
	}
	if diff := cmp.Diff(want, missing); err != nil || diff != "" {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}

// TestPlatformKeepsLocalBuild: where a registry has nothing for the platform, its
// image does not take the place of one that was built here.
func TestPlatformKeepsLocalBuild(t *testing.T) {
	t.Parallel()
	s := newShelf(t, false)
	api := s.engine.client
	s.ForArch("team/app", "1", s.engine.arch, "dev")
	name := s.Address + "/team/app:dev"
	if err := api.ImageTag(t.Context(), testImage, name); err != nil {
		t.Fatal(err)
	}
	s.remove(name)
	s.removeKept(name)
	built, err := api.ImageInspect(t.Context(), testImage)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		warnings, err := s.pullFor(newEngine(t), name, foreignArch, "")
		if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "but the pipeline asks for linux/"+foreignArch) {
			t.Errorf("got %v and the warnings %q", err, warnings)
		}
		if now, err := api.ImageInspect(t.Context(), name); err != nil || now.ID != built.ID {
			t.Errorf("the name leads to %s, not %s, %v", now.ID, built.ID, err)
		}
		s.Down() // it is not asked again
	}
	for _, tag := range []string{name, keptName(name, ocispec.Platform{OS: "linux", Architecture: foreignArch})} {
		if now, err := api.ImageInspect(t.Context(), tag); err != nil || now.ID != built.ID {
			t.Errorf("%s leads to %s, not %s, %v", tag, now.ID, built.ID, err)
		}
	}
}

// TestPlatformByDigest: the digest of a list names all its variants, of which
// Docker keeps one by that name.
func TestPlatformByDigest(t *testing.T) {
	t.Parallel()
	s := newShelf(t, false)
	own := s.engine.arch
	name := s.Address + "/team/app@" + s.ForArchs("team/app", "1", "both", foreignArch, own).Digest.String()
	s.remove(name)
	s.removeKept(name)
	s.ran(s.engine, name, foreignArch, foreignArch)
	s.ran(s.engine, name, "", own)
	s.ran(s.engine, name, foreignArch, foreignArch)
	registrytest.Remove(t, s.engine.client, keptName(name, ocispec.Platform{OS: "linux", Architecture: foreignArch}))
	_, err := s.pullFor(s.engine, name, foreignArch, "")
	if err != nil { // since Docker 25 it may be kept
		s.wants(err, "keeps only one", "docker image rm "+name)
	}
}

// TestPlatformPrepared: a step in an image that is kept for its platform is
// prepared like any other.
func TestPlatformPrepared(t *testing.T) {
	t.Parallel()
	s := newShelf(t, false)
	name := s.variants("both", foreignArch, s.engine.arch)
	s.ran(s.engine, name, "", s.engine.arch)
	s.ran(s.engine, name, foreignArch, foreignArch)
	tr := open(t, s.engine, func(p *exec.Pipeline) { p.Platform.Arch, p.Workspace.Host = foreignArch, t.TempDir() })
	step := &exec.Step{Name: "s", Kind: exec.KindStep, Image: name, WorkingDir: tr.pipeline.Workspace.Path, Commands: []string{"echo $IMAGE_ARCH"}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	own, ok := tr.session.(*session)
	if !ok {
		t.Fatal("not a session")
	}
	own.Prepare(ctx, step, nil)
	p := own.prepared[step]
	<-p.done
	if p.held == nil {
		t.Fatal("nothing was prepared")
	}
	if got := tr.must(step, nil); got != foreignArch+"\n" {
		t.Errorf("got %q", got)
	}
}

// TestPlatformThatDoesNotRun: Docker and Podman start a container whose program
// the machine cannot run.
func TestPlatformThatDoesNotRun(t *testing.T) {
	t.Parallel()
	// A header of an ELF file for s390x, and no more.
	program := make([]byte, 64)
	copy(program, "\x7fELF\x02\x02\x01")
	program[17], program[19], program[23], program[53] = 2, 22, 1, 64
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, err := range []error{
		w.WriteHeader(&tar.Header{Name: "bin/", Mode: 0o755, Typeflag: tar.TypeDir}),
		w.WriteHeader(&tar.Header{Name: "bin/sh", Mode: 0o755, Size: int64(len(program)), Typeflag: tar.TypeReg}),
		writeString(w, string(program)), w.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s := newShelf(t, false)
	image := s.load(s.engine, &archive, "team/broken:1")
	s.Push(s.engine.client, image, "team/broken:1")
	s.ForArch("team/broken", "1", foreignArch, "foreign")
	foreign := s.Address + "/team/broken:foreign"
	s.remove(foreign)
	for name, want := range map[string]string{
		foreign: fmt.Sprintf("image %q is for linux/%s, which the engine, of linux/%s, cannot run", foreign, foreignArch, s.engine.arch),
		image:   fmt.Sprintf("linux/%s cannot run its program, which is for another processor, or a script that does not begin with `#!`", s.engine.arch),
	} {
		tr := open(t, s.engine, nil)
		out, exit, err := tr.do(t.Context(), &exec.Step{Image: name, Commands: []string{"true"}}, nil)
		if err != nil || exit.Code == 0 || exit.Reason != want || exit.Hint == "" {
			t.Errorf("%s: %+v, %v, output %q", name, exit, err, out)
		}
	}
}

func (s *shelf) load(e *Engine, archive io.Reader, name string) string {
	s.Helper()
	name = s.Address + "/local/" + name
	stream, err := e.client.ImageImport(s.Context(), image.ImportSource{Source: archive, SourceName: "-"}, name, image.ImportOptions{})
	if err != nil {
		s.Fatal(err)
	}
	defer stream.Close()
	if _, err := io.Copy(io.Discard, stream); err != nil {
		s.Fatal(err)
	}
	s.remove(name)
	return name
}

func TestNotExecutable(t *testing.T) {
	for text, want := range map[string]bool{
		"exec /bin/sh: exec format error\n":                                         true,
		"exec /bin/sh: exec format error\r\n":                                       true,
		"standard_init_linux.go:228: exec user process caused: exec format error\n": true,
		"exec container process `/bin/sh`: Exec format error\n":                     true,
		"/bin/sh: ./tool: Exec format error\n":                                      false,
		"+ ./tool\nsh: exec /bin/sh: exec format error, somebody wrote\n":           false,
		"the documentation says: exec /bin/sh: exec format error":                   false,
		"exec format error": false,
		"+ true\nexec /bin/sh: exec format error\nand what another process of the container says": true,
	} {
		if got := notExecutable.MatchString(text); got != want {
			t.Errorf("%q: got %v", text, got)
		}
	}
}

// TestPodmanPlatform: Podman makes a container of whatever a name leads to, so
// that is looked at before.
func TestPodmanPlatform(t *testing.T) {
	e := newPodman(t)
	name := "localhost/drone-test-" + random()[:8] + ":1"
	kept := keptName(name, ocispec.Platform{OS: "linux", Architecture: foreignArch})
	for _, tag := range []string{name, kept} {
		if err := e.client.ImageTag(t.Context(), testImage, tag); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { registrytest.Remove(t, e.client, tag) })
	}
	step := func() *exec.Step {
		return &exec.Step{Image: name, Pull: exec.PullNever, Commands: []string{"echo ran"}}
	}
	for arch, want := range map[string]string{"": "", e.arch: "", foreignArch: fmt.Sprintf("the image %s is for linux/%s, but the pipeline asks for linux/%s", name, e.arch, foreignArch)} {
		tr := open(t, e, func(p *exec.Pipeline) { p.Platform.Arch = arch })
		if got := tr.must(step(), nil); got != "ran\n" {
			t.Errorf("got %q", got)
		}
		if got := tr.warnings(); want != "" && !contains(got, want) || want == "" && len(got) > 0 {
			t.Errorf("arch %q: warned %q", arch, got)
		}
	}
}

func TestPlatformOf(t *testing.T) {
	im := &images{own: ocispec.Platform{OS: "linux", Architecture: "amd64"}}
	for _, tc := range []struct {
		asked   exec.Platform
		want    string // as messages say it
		foreign bool
	}{
		{exec.Platform{}, "", false},
		{exec.Platform{OS: "linux", Variant: "v8"}, "", false},
		{exec.Platform{OS: "linux", Arch: "amd64"}, "linux/amd64", false},
		{exec.Platform{Arch: "x86_64"}, "linux/amd64", false},
		{exec.Platform{Arch: "amd64", Variant: "v3"}, "linux/amd64/v3", true},
		{exec.Platform{Arch: "arm64", Variant: "v8"}, "linux/arm64", true},
		{exec.Platform{Arch: "aarch64"}, "linux/arm64", true},
		{exec.Platform{Arch: "arm"}, "linux/arm/v7", true},
		{exec.Platform{Arch: "arm", Variant: "v6"}, "linux/arm/v6", true},
		{exec.Platform{Arch: "s390x", Variant: "z15"}, "linux/s390x", true},
	} {
		p := platformOf(&exec.Pipeline{Platform: tc.asked})
		if (p == nil) != (tc.want == "") || im.foreign(p) != tc.foreign {
			t.Errorf("%+v gave %v, foreign %v", tc.asked, p, im.foreign(p))
		}
		if p != nil && platforms.Format(*p) != tc.want {
			t.Errorf("%+v is called %s, want %s", tc.asked, platforms.Format(*p), tc.want)
		}
	}
}

func TestKeptName(t *testing.T) {
	arm := ocispec.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}
	digest := "sha256:" + strings.Repeat("a", 64)
	for name, want := range map[string]string{
		"golang":                          "/docker.io/library/golang:latest",
		"golang:1.22":                     "/docker.io/library/golang:1.22",
		"127.0.0.1:5000/team/app:1":       "/127.0.0.1__5000/team/app:1",
		"R.Example/a_b/c:X":               "/r.example/a_b/c:X",
		"quay.io/a/b@" + digest:           "/quay.io/a/b:" + strings.Replace(digest, ":", "-", 1),
		"quay.io/a/b:tag@" + digest:       "/quay.io/a/b:" + strings.Replace(digest, ":", "-", 1),
		strings.Repeat("very/", 46) + "x": "", // too long with more before it
		"[::1]:5000/a":                    "",
	} {
		got := keptName(name, arm)
		if want != "" && got != keptHost+"/linux/arm/v7"+want {
			t.Errorf("%s is kept as %s", name, got)
		}
		if path, ok := strings.CutPrefix(got, keptHost+"/"); want == "" && (!ok || len(path) != 64) {
			t.Errorf("%s is kept as %s", name, got)
		}
	}
	if keptName("a", ocispec.Platform{OS: "linux", Architecture: "b/c d"}) == keptName("a", arm) {
		t.Error("platforms share a name")
	}
}

// TestPullAsksForPlatform: a registry is told the platform only where it is not
// that of the engine, and nothing else is asked where a step finds its image.
func TestPullAsksForPlatform(t *testing.T) {
	s := &stub{arch: "amd64", pull: func(w http.ResponseWriter, r *http.Request, image string) {
		stream(`{"status":"ok"}`)(w, r, image)
	}}
	e := s.engine(t, &dockerhost.Credentials{})
	var heard notices
	for _, p := range []exec.Platform{{}, {Arch: "amd64"}, {Arch: "arm64", Variant: "v8"}} {
		failed, err := e.Pull(t.Context(), []*exec.Pipeline{{Runs: true, Platform: p, Steps: []*exec.Step{{Image: "a:1"}}}}, exec.Setting{Notify: heard.take})
		if err != nil || len(failed) > 0 {
			t.Fatalf("%v, %v", failed, err)
		}
	}
	if diff := cmp.Diff([]string{"", "", "linux/arm64"}, s.asked); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	var told []string
	for _, n := range heard.all {
		if n.Pull != nil && n.Pull.Done {
			told = append(told, n.Pull.Platform)
		}
	}
	if diff := cmp.Diff([]string{"", "", "linux/arm64"}, told); diff != "" {
		t.Errorf("told -want +got:\n%s", diff)
	}
}
