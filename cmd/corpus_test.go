package cmd_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	droneexec "github.com/drone-laptop/drone/exec"
)

// corpusExceptions are real files that do not plan, by the number their name
// begins with, and what the message must say.
var corpusExceptions = map[string]string{
	"07": `:49:16: got ':'`,
	"10": `:1:18: .*pipeline\.libsonnet`,
	"45": `:1106:21: .*50000 steps`,
	"56": `:189:5: .*"test-python3\.4", which does not exist`,
	"71": `template drone\.star`,
	"72": `template drone\.star`,
	// Its two pipelines depend on two that the program never emits, which the
	// server refuses as well.
	"83": `"service-balance", which does not exist`,
}

// corpusEvents are the builds for which real files are planned.
var corpusEvents = [][]string{{"--event", "push"}, {"--event", "tag", "--tag", "v1.2.3"}}

// TestCorpus plans real files of other people for a push and for a tag.
func TestCorpus(t *testing.T) {
	files, dir := corpus(t)
	for _, file := range files {
		want := corpusExceptions[number(file)]
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			for _, event := range corpusEvents {
				planFile(t, dir, file, want, event...)
			}
		})
	}
}

// TestCorpusSummaries compares what real files come to with what they came to
// before: names, counts and the reasons in short, but nothing else of them.
func TestCorpusSummaries(t *testing.T) {
	files, dir := corpus(t)
	summaries := make([]string, len(files))
	t.Run("files", func(t *testing.T) {
		for i, file := range files {
			t.Run(number(file), func(t *testing.T) {
				t.Parallel()
				for _, event := range corpusEvents {
					summaries[i] += fmt.Sprintf("%s %s: %s", number(file), event[1], summarize(t, dir, file, event))
				}
			})
		}
	})
	got, golden := strings.Join(summaries, ""), filepath.Join("testdata", "corpus.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("run with -update if this is meant (-want +got):\n%s", diff)
	}
}

// summarize compiles a file and tells in a few lines what came of it.
func summarize(t *testing.T, dir, file string, event []string) string {
	t.Helper()
	c := exec.Command(filepath.Join(binary, "drone"), append(append([]string{"compile", "--trusted"}, event...), file)...)
	c.Dir = dir
	c.Env = append(os.Environ(), "HOME="+dir)
	out, err := c.Output()
	if err != nil {
		return "refused\n"
	}
	var plan droneexec.Plan
	if err := json.Unmarshal(out, &plan); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d pipelines, %d secret documents\n", len(plan.Pipelines), len(plan.Secrets))
	for _, p := range plan.Pipelines {
		b.WriteString(summarizePipeline(p))
	}
	return b.String()
}

func summarizePipeline(p *droneexec.Pipeline) string {
	runs, secrets, edges, mounts := 0, 0, 0, 0
	images, policies := map[string]bool{}, map[droneexec.Policy]int{}
	for _, s := range p.Steps {
		if s.Policy != droneexec.Never {
			runs++
		}
		policies[s.Policy]++
		images[s.Image] = true
		secrets += len(s.Secrets)
		edges += len(s.DependsOn)
		mounts += len(s.Mounts)
	}
	state := "runs"
	if !p.Runs {
		state = "left out: " + inShort(p.Reason)
	}
	return fmt.Sprintf("  %s (%s, after %d) %s; %d of %d steps, %d images, %d secrets, %d edges, %d mounts, policies %v\n",
		p.Name, p.Type, len(p.DependsOn), state, runs, len(p.Steps), len(images), secrets, edges, mounts, policies)
}

// inShort is a reason without the values of the file.
func inShort(reason string) string {
	if key, _, found := strings.Cut(reason, " is ["); found {
		return key
	}
	return reason
}

// corpus finds the real files, and makes a repository to plan them in.
func corpus(t *testing.T) (files []string, dir string) {
	t.Helper()
	folder, err := filepath.Abs("../../shared/corpus")
	if err != nil {
		t.Fatal(err)
	}
	if files, err = filepath.Glob(filepath.Join(folder, "[0-9]*")); err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skipf("NO CORPUS: there are no files in %s, so no real files are planned", folder)
	}
	dir = t.TempDir()
	for _, args := range [][]string{
		{"init", "-q", "-b", "main", "."},
		{"-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "-q", "--allow-empty", "-m", "m"},
	} {
		if out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v: %s", args[0], err, out)
		}
	}
	return files, dir
}

// number is what the name of a file begins with.
func number(file string) string {
	n, _, _ := strings.Cut(filepath.Base(file), "-")
	return n
}

// planFile plans one file, which must succeed unless want names its fault.
func planFile(t *testing.T, dir, file, want string, args ...string) {
	t.Helper()
	c := exec.Command(filepath.Join(binary, "drone"), append(append([]string{"plan", "--trusted"}, args...), file)...)
	c.Dir = dir
	c.Env = append(os.Environ(), "HOME="+dir)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if strings.Contains(stderr.String(), "goroutine") || strings.Contains(stderr.String(), "internal error") {
		t.Fatalf("%v crashed:\n%s", args, stderr.String())
	}
	switch {
	case want == "" && err != nil:
		t.Errorf("%v failed:\n%s", args, stderr.String())
	case want == "" && !strings.Contains(stdout.String(), "pipeline "):
		t.Errorf("%v planned nothing:\n%s", args, stdout.String())
	case want != "" && (err == nil || exit.ExitCode() != 2):
		t.Errorf("%v: got %v, want status 2", args, err)
	case want != "" && !regexp.MustCompile(want).MatchString(stderr.String()):
		t.Errorf("%v: the message does not match %q:\n%s", args, want, stderr.String())
	}
}
