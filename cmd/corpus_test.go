package cmd_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// corpusExceptions are real files that do not plan, by the number their name
// begins with, and what the message must say.
var corpusExceptions = map[string]string{
	"01": `:5:1: the file is written for Drone 0\.4`,
	"43": `:4:1: the file is written for Drone 0\.4`,
	"02": `Drone 0\.8`, "09": `Drone 0\.8`, "13": `Drone 0\.8`, "15": `Drone 0\.8`, "17": `Drone 0\.8`,
	"53": `Drone 0\.8`, "67": `Drone 0\.8`, "78": `Drone 0\.8`, "79": `Drone 0\.8`,
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

// TestCorpus plans real files of other people for a push and for a tag.
func TestCorpus(t *testing.T) {
	folder, err := filepath.Abs("../../shared/corpus")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "[0-9]*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skipf("NO CORPUS: there are no files in %s, so no real files are planned", folder)
	}
	dir := t.TempDir()
	for _, args := range [][]string{
		{"init", "-q", "-b", "main", "."},
		{"-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "-q", "--allow-empty", "-m", "m"},
	} {
		if out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v: %s", args[0], err, out)
		}
	}
	for _, file := range files {
		number, _, _ := strings.Cut(filepath.Base(file), "-")
		want := corpusExceptions[number]
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			planFile(t, dir, file, want, "--event", "push")
			planFile(t, dir, file, want, "--event", "tag", "--tag", "v1.2.3")
		})
	}
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
