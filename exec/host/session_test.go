//go:build unix

package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/exec"
)

var errStop = errors.New("stopped by the test")

func TestEnvironment(t *testing.T) {
	machine := map[string]string{"PATH": "/usr/bin:/bin", "USER": "me", "HOME": "/home/me", "LD_PRELOAD": "", "GOFLAGS": "-x"}
	type testCase struct {
		plan map[string]string
		own  func(s *exec.Step) // what of that the step itself sets
		want []string           // ROOT stands for the directory of the pipeline
	}
	own := []string{
		"DRONE_HOME=ROOT/drone/src", "DRONE_WORKSPACE=ROOT/drone/src", "HOME=ROOT/home/drone",
		"HOMEPATH=ROOT/home/drone", "PATH=/usr/bin:/bin", "USER=me", "USERPROFILE=ROOT/home/drone",
	}
	with := func(replace ...string) []string {
		list := slices.Clone(own)
		for _, r := range replace {
			name, _, _ := strings.Cut(r, "=")
			list = slices.DeleteFunc(list, func(v string) bool { return strings.HasPrefix(v, name+"=") })
			list = append(list, r)
		}
		slices.Sort(list)
		return list
	}
	for name, tc := range map[string]testCase{
		"nothing of this machine but PATH and USER": {nil, nil, own},
		"what the plan says":                        {map[string]string{"A": "1", "EMPTY": "", "USER": "ci"}, nil, with("A=1", "EMPTY=", "USER=ci")},
		"PATH is expanded":                          {map[string]string{"PATH": "$HOME/bin:$PATH:${GOFLAGS}"}, nil, with("PATH=/home/me/bin:/usr/bin:/bin:-x")},
		"nothing else is":                           {map[string]string{"A": "$PATH"}, nil, with("A=$PATH")},
		"a run cannot move the directories":         {map[string]string{"HOME": "/x", "DRONE_WORKSPACE": "/y"}, nil, own},
		"a secret home":                             {map[string]string{"HOME": "/srv"}, func(s *exec.Step) { s.Secrets = []exec.SecretRef{{Env: "HOME", Name: "home"}} }, with("HOME=/srv")},
		"a home of its own":                         {map[string]string{"HOME": "/srv"}, func(s *exec.Step) { s.Env = map[string]string{"HOME": "/srv"} }, with("HOME=/srv")},
	} {
		t.Run(name, func(t *testing.T) {
			tr := open(t, &exec.Pipeline{}, func(o *Options) { o.Getenv = func(name string) string { return machine[name] } })
			root := tr.root()
			st := step("/usr/bin/env -0")
			if tc.own != nil {
				tc.own(st)
			}
			var got []string
			// The shell adds its own variables; env of a program that it runs
			// has those, too, and is what commands see.
			for v := range strings.SplitSeq(strings.TrimRight(tr.doStep(st, tc.plan), "\x00"), "\x00") {
				name, _, _ := strings.Cut(v, "=")
				if !slices.Contains([]string{"PWD", "OLDPWD", "SHLVL", "_", stepMark}, name) {
					got = append(got, strings.ReplaceAll(v, root, "ROOT"))
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func (tr *trial) root() string {
	tr.Helper()
	found, err := filepath.Glob(filepath.Join(tr.dir, "drone-*"))
	if err != nil || len(found) != 1 {
		tr.Fatalf("directories %v, error %v", found, err)
	}
	return found[0]
}

func TestLayout(t *testing.T) {
	netrc := &exec.Netrc{File: exec.SecretRef{Name: "netrc"}}
	tr := open(t, &exec.Pipeline{Netrc: netrc}, nil)
	if got, want := tr.do(nil, `cat "$HOME/.netrc"`, `pwd -P`), "machine m login u password p\n"+tr.root()+"/drone/src\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for name, want := range map[string]os.FileMode{
		"": 0o700, "home": 0o700, "home/drone": 0o700, "drone/src": 0o700, "opt": 0o700,
		"home/drone/.netrc": 0o600, "opt/1-build-test": 0o700,
	} {
		info, err := os.Lstat(filepath.Join(tr.root(), name))
		if err != nil {
			t.Error(err)
		} else if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", name, info.Mode().Perm(), want)
		}
	}
}

func TestCommandsStayOutOfTheArguments(t *testing.T) {
	tr := open(t, &exec.Pipeline{}, nil)
	out := tr.do(map[string]string{"TOKEN": "s3cret"}, "ps -o args= -p $$ # marker", `echo "$TOKEN" >/dev/null`)
	if strings.Contains(out, "marker") || strings.Contains(out, "s3cret") || !strings.Contains(out, "opt/1-build-test") {
		t.Errorf("the shell has the arguments %q", out)
	}
}

func TestShell(t *testing.T) {
	type testCase struct {
		name     string
		commands []string
		code     int
		output   string // a part of it
	}
	for _, tc := range []testCase{
		{"nothing", nil, 0, ""},
		{"a signal ends the shell", []string{"kill -9 $$"}, 137, ""},
		{"a here-document without end", []string{"cat <<E\nx", "echo never"}, 2, "is not closed"},
		{"a return of 0", []string{"return 0", "echo never"}, 2, "a return is in no function"},
		{"a return of another status", []string{"return 3", "echo never"}, 3, ""},
		{"no terminal can be asked", []string{"if (: </dev/tty); then echo terminal; fi", "if [ -t 0 ]; then echo terminal; fi", "echo end"}, 0, "\nend\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tr := open(t, &exec.Pipeline{}, nil)
			var out bytes.Buffer
			exit, err := tr.session.Run(t.Context(), step(tc.commands...), exec.IO{Output: &out})
			if err != nil || exit.Code != tc.code || !strings.Contains(out.String(), tc.output) {
				t.Errorf("exit %d, error %v, output %q; want exit %d and %q", exit.Code, err, out.String(), tc.code, tc.output)
			}
			if strings.Contains(out.String(), "\nterminal\n") {
				t.Errorf("output %q", out.String())
			}
		})
	}
}

// TestScriptsOfAlikeNames runs steps at the same time whose names make the
// same file name.
func TestScriptsOfAlikeNames(t *testing.T) {
	tr := open(t, &exec.Pipeline{}, nil)
	var both sync.WaitGroup
	outputs := make([]bytes.Buffer, 2)
	for i, name := range []string{"a b", "a/b"} {
		st := step("touch here-"+strconv.Itoa(i), "until [ -e here-0 ] && [ -e here-1 ]; do sleep 0.01; done", "echo "+strconv.Itoa(i))
		st.Name = name
		both.Go(func() {
			if exit, err := tr.session.Run(t.Context(), st, exec.IO{Output: &outputs[i]}); err != nil || exit.Code != 0 {
				t.Errorf("exit %d, error %v", exit.Code, err)
			}
		})
	}
	both.Wait()
	for i := range outputs {
		if got := printed(outputs[i].String()); got != strconv.Itoa(i)+"\n" {
			t.Errorf("step %d printed %q", i, got)
		}
	}
}

// children are the ways in which a step may leave a process behind. Each
// writes the number of the process to the file pid.
var children = map[string]string{
	"in the background": `sleep 600 & echo $! > pid`,
	"of a child":        `(sleep 600 & echo $! > pid)`,
	"deaf":              `sh -c 'trap "" TERM INT HUP; echo $$ > pid; while :; do sleep 1; done' & until [ -s pid ]; do sleep 0.01; done`,
	"stopped":           `sh -c 'echo $$ > pid; kill -STOP $$; sleep 600' & until [ -s pid ]; do sleep 0.01; done`,
	"in a group":        `set -m; sleep 600 & echo $! > pid; set +m`,
}

func TestNothingOutlivesItsStep(t *testing.T) {
	ways := map[string]string{}
	maps.Copy(ways, children)
	if _, err := osexec.LookPath("setsid"); err == nil && systemFindsStrays {
		ways["in a session"] = `setsid sh -c 'echo $$ > pid; exec sleep 600' & until [ -s pid ]; do sleep 0.01; done`
	}
	for name, command := range ways {
		t.Run(name+", at the end", func(t *testing.T) {
			tr := open(t, &exec.Pipeline{}, nil)
			tr.do(nil, command)
			tr.mustBeGone()
		})
		t.Run(name+", when cancelled", func(t *testing.T) {
			tr := open(t, &exec.Pipeline{}, func(o *Options) { o.Grace = grace / 10 })
			tr.cancelOnce("pid", command, "wait", "sleep 600")
			tr.mustBeGone()
		})
	}
}

// cancelOnce runs commands until file has content, and cancels them.
func (tr *trial) cancelOnce(file string, commands ...string) string {
	tr.Helper()
	ctx, cancel := context.WithCancelCause(tr.Context())
	var out bytes.Buffer
	ended := make(chan error, 1)
	go func() {
		_, err := tr.session.Run(ctx, step(commands...), exec.IO{Output: &out})
		ended <- err
	}()
	await(tr.T, "a file "+file, func() bool { return len(tr.read(file)) > 0 })
	cancel(errStop)
	if err := <-ended; !errors.Is(err, errStop) {
		tr.Errorf("error is %v, want the cause", err)
	}
	return printed(out.String())
}

func (tr *trial) read(file string) string {
	content, _ := os.ReadFile(filepath.Join(tr.root(), "drone/src", file))
	return strings.TrimSpace(string(content))
}

// mustBeGone fails when the process runs whose number is in the file pid.
func (tr *trial) mustBeGone() {
	tr.Helper()
	pid, err := strconv.Atoi(tr.read("pid"))
	if err != nil {
		tr.Fatal(err)
	}
	if out, err := osexec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output(); err == nil && !strings.HasPrefix(string(out), "Z") {
		tr.Errorf("process %d still runs", pid)
	}
}

// TestEndLetsTheBackgroundTidyUp ends a step that leaves a process which has
// something to do at its end.
func TestEndLetsTheBackgroundTidyUp(t *testing.T) {
	tr := open(t, &exec.Pipeline{}, nil)
	out := tr.do(nil, `sh -c 'trap "echo tidied; exit" TERM; echo up > up; while :; do sleep 0.05; done' & until [ -s up ]; do sleep 0.01; done`)
	if !strings.HasSuffix(out, "tidied\n") {
		t.Errorf("output %q, want the trap to have run", out)
	}
}

// TestMarksOfStepsWithinSteps runs the engine with the environment of a step of
// another one, which ends first.
func TestMarksOfStepsWithinSteps(t *testing.T) {
	if _, err := osexec.LookPath("setsid"); err != nil || !systemFindsStrays {
		t.Skip("SKIPPED: processes that leave their session are not found here")
	}
	outer := open(t, &exec.Pipeline{}, nil)
	inner := func(mark string) *trial {
		return open(t, &exec.Pipeline{}, func(o *Options) {
			o.Getenv = func(name string) string {
				if name == stepMark {
					return mark
				}
				return os.Getenv(name)
			}
		})
	}
	type run struct {
		exit exec.Exit
		err  error
	}
	ended := make(chan run, 1)
	go func() {
		exit, err := outer.session.Run(t.Context(), step(`echo "$DRONE_HOST_STEP" > mark`, "until [ -e leave ]; do sleep 0.01; done"), exec.IO{Output: new(bytes.Buffer)})
		ended <- run{exit, err}
	}()
	await(t, "a file mark", func() bool { return outer.read("mark") != "" })
	within := inner(outer.read("mark"))
	inside := make(chan run, 1)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	go func() {
		exit, err := within.session.Run(ctx, step("setsid sh -c 'echo $$ > pid; exec sleep 600' & until [ -s pid ]; do sleep 0.01; done; wait"), exec.IO{Output: new(bytes.Buffer)})
		inside <- run{exit, err}
	}()
	await(t, "a file pid", func() bool { return within.read("pid") != "" })
	outer.do(nil, "true") // another step, which ends without a word to those
	select {
	case r := <-inside:
		t.Fatalf("the inner step has ended with another: %+v", r)
	default:
	}
	outer.do(nil, "touch leave")
	if r := <-ended; r.err != nil || r.exit.Code != 0 {
		t.Errorf("the outer step: %+v", r)
	}
	within.mustBeGone()
	if r := <-inside; r.err != nil || r.exit.Code == 0 {
		t.Errorf("the inner step, which was ended with the outer one: %+v", r)
	}
}

func TestCancelLetsAStepTidyUp(t *testing.T) {
	tr := open(t, &exec.Pipeline{}, func(o *Options) { o.Grace = patience })
	out := tr.cancelOnce("up", `trap 'echo tidied; exit 3' TERM`, "echo up > up", "while :; do sleep 0.05; done")
	if !strings.HasSuffix(out, "tidied\n") {
		t.Errorf("output %q, want the trap to have run", out)
	}
}

// TestCancelWakesTheStopped asks a step to end that was stopped.
func TestCancelWakesTheStopped(t *testing.T) {
	tr := open(t, &exec.Pipeline{}, func(o *Options) { o.Grace = patience })
	out := tr.cancelOnce("up", `trap 'echo tidied; exit 3' TERM`, "(until ps -o stat= -p $$ | grep -q ^T; do sleep 0.01; done; echo up > up) & kill -STOP $$", "echo never")
	if !strings.HasSuffix(out, "tidied\n") {
		t.Errorf("output %q, want the trap to have run", out)
	}
}

// TestEndLeavesOthersAlone ends a step while another of the pipeline runs.
func TestEndLeavesOthersAlone(t *testing.T) {
	tr := open(t, &exec.Pipeline{}, nil)
	ended := make(chan exec.Exit, 1)
	go func() {
		exit, _ := tr.session.Run(t.Context(), step("sleep 600 & echo $! > pid", "until [ -e leave ]; do sleep 0.01; done", "kill -0 $!"), exec.IO{Output: new(bytes.Buffer)})
		ended <- exit
	}()
	await(t, "a file pid", func() bool { return tr.read("pid") != "" })
	tr.do(nil, "sleep 600 & :")
	tr.do(nil, "touch leave")
	if exit := <-ended; exit.Code != 0 {
		t.Errorf("exit %d: the child of the other step was killed", exit.Code)
	}
}

// TestOutputThatNobodyEnds has a process that cannot be found hold the output.
func TestOutputThatNobodyEnds(t *testing.T) {
	if _, err := osexec.LookPath("setsid"); err != nil {
		t.Skip("SKIPPED: no setsid on this machine")
	}
	for name, command := range map[string]string{
		"silent":        "exec sleep 600",
		"now and then":  "while :; do echo more; sleep 0.2; done",
		"without pause": "while :; do echo more; done",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := open(t, &exec.Pipeline{}, nil)
			var out bytes.Buffer
			var warnings []string
			ended := make(chan error, 1)
			go func() {
				exit, err := tr.session.Run(t.Context(), step(
					"env -i setsid /bin/sh -c 'echo $$ > pid; "+command+"' & until [ -s pid ]; do sleep 0.01; done", "echo end",
				), exec.IO{Output: &out, Notify: func(n exec.Notice) { warnings = append(warnings, n.Warning) }})
				if err == nil && exit.Code != 0 {
					err = fmt.Errorf("exit %d", exit.Code)
				}
				ended <- err
			}()
			await(t, "a file pid", func() bool { return tr.read("pid") != "" })
			pid, err := strconv.Atoi(tr.read("pid"))
			if err != nil {
				t.Fatal(err)
			}
			select {
			case err = <-ended:
			case <-time.After(patience):
				t.Error("the process holds the step")
				_ = syscall.Kill(-pid, syscall.SIGKILL)
				err = <-ended
			}
			if err != nil {
				t.Error(err)
			}
			if !strings.Contains(out.String(), "end\n") {
				t.Errorf("output %.200q, want what the step printed", out.String())
			}
			if len(warnings) != 1 || !strings.Contains(warnings[0], "still holds its output") {
				t.Errorf("warnings %q", warnings)
			}
			if err := syscall.Kill(-pid, syscall.SIGKILL); err != nil && name == "silent" {
				t.Errorf("the process is gone, so this test shows nothing: %v", err)
			}
			// What is being killed can still be seen for a moment.
			await(t, "the end of the process", func() bool { return len(processesWith(t, filepath.Join(tr.dir, "drone-run-"))) == 0 })
		})
	}
}

// TestSlowReader has the output taken later than a process may hold it.
func TestSlowReader(t *testing.T) {
	from, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close() // still open at the end, as by a process that is not found
	text := bytes.Repeat([]byte("x"), pipeSize/4)
	if _, err := to.Write(text[:1]); err != nil {
		t.Fatal(err)
	}
	reader := slowReader{begun: make(chan struct{}), resume: make(chan struct{})}
	p := newPump(from, &reader)
	<-reader.begun
	if _, err := to.Write(text[1:]); err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	p.end = time.Now().Add(-overtime)
	p.mu.Unlock()
	close(reader.resume)
	if err := <-p.done; err != nil || !p.held || reader.taken != len(text) {
		t.Errorf("%d bytes, held %v, error %v; want %d bytes of an output that is held", reader.taken, p.held, err, len(text))
	}
}

// slowReader takes nothing until it may.
type slowReader struct {
	begun, resume chan struct{}
	taken         int
}

func (r *slowReader) Write(b []byte) (int, error) {
	if r.taken == 0 {
		close(r.begun)
		<-r.resume
	}
	r.taken += len(b)
	return len(b), nil
}

func TestRemoval(t *testing.T) {
	outside := t.TempDir()
	victim := filepath.Join(outside, "kept")
	if err := os.WriteFile(victim, nil, 0o400); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(outside, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(outside, 0o700) })
	tr := open(t, &exec.Pipeline{}, nil)
	tr.do(map[string]string{"OUTSIDE": outside},
		"mkdir -p mod/a/b && echo x > mod/a/b/file && chmod 400 mod/a/b/file && chmod -R a-w mod && mkdir closed && touch closed/file && chmod 0 closed",
		`ln -s "$OUTSIDE" link && ln -s "$OUTSIDE" "$HOME/link" && ln -s / root`,
		`chmod 500 "$HOME" .`)
	tr.close()
	info, err := os.Stat(outside)
	if err != nil || info.Mode().Perm() != 0o500 {
		t.Errorf("the directory a link pointed to was changed: %v, error %v", info.Mode(), err)
	}
	if _, err := os.Stat(victim); err != nil {
		t.Errorf("the file behind a link: %v", err)
	}
}

func TestWorkspace(t *testing.T) {
	tr := open(t, &exec.Pipeline{Workspace: exec.Workspace{Host: "/from"}}, func(o *Options) {
		o.Workspace = func(_ context.Context, p *exec.Pipeline, dir string, _ func(exec.Notice)) error {
			return os.WriteFile(filepath.Join(dir, "file"), []byte(p.Workspace.Host), 0o600)
		}
	})
	if got := tr.do(nil, "cat file"); got != "/from" {
		t.Errorf("got %q", got)
	}
}

// TestWorkspaceThatIsKept hands the workspace over when no step works in it any
// more, and removes the rest.
func TestWorkspaceThatIsKept(t *testing.T) {
	kept := filepath.Join(t.TempDir(), "kept")
	tr := open(t, &exec.Pipeline{}, func(o *Options) {
		o.Keep = func(p *exec.Pipeline, env exec.Setting, dir string) error {
			if p.Name != "trial" || env.Run != "run" {
				t.Errorf("pipeline %q of run %q", p.Name, env.Run)
			}
			return os.Rename(dir, kept)
		}
	})
	tr.do(nil, "echo made > file")
	tr.close()
	if text, err := os.ReadFile(filepath.Join(kept, "file")); err != nil || string(text) != "made\n" {
		t.Errorf("the file has %q, error %v", text, err)
	}
}

func TestWorkspaceThatCannotBeFilled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	for name, tc := range map[string]struct {
		fill func() error
		want error
	}{
		"error":     {func() error { return &exec.StepError{Err: errStop, Hint: "do that"} }, errStop},
		"cancelled": {func() error { cancel(errClosed); return errStop }, errClosed},
	} {
		t.Run(name, func(t *testing.T) {
			engine, dir := newEngine(t, func(o *Options) {
				o.Workspace = func(context.Context, *exec.Pipeline, string, func(exec.Notice)) error { return tc.fill() }
			})
			use := t.Context()
			if name == "cancelled" {
				use = ctx
			}
			_, err := engine.Open(use, &exec.Pipeline{Name: "p", Workspace: exec.Workspace{Host: "/from"}}, exec.Setting{Run: "run"})
			if !errors.Is(err, tc.want) {
				t.Errorf("error is %v, want %v", err, tc.want)
			}
			if failed, ok := errors.AsType[*exec.StepError](err); name == "error" && (!ok || failed.Hint != "do that") {
				t.Errorf("error is %#v, want the hint kept", err)
			}
			if left := leftovers(t, dir, "run"); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// TestCloseRefusesMoreSteps shows that nothing starts in a directory that is
// being removed.
func TestCloseRefusesMoreSteps(t *testing.T) {
	tr := open(t, &exec.Pipeline{}, nil)
	tr.close()
	if _, err := tr.session.Run(t.Context(), step("true"), exec.IO{Output: new(bytes.Buffer)}); !errors.Is(err, errClosed) {
		t.Errorf("error is %v, want %v", err, errClosed)
	}
}
