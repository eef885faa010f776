package cmd_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/drone-laptop/drone/cmd"
)

const completed = `kind: pipeline
type: docker
name: build
steps:
- name: compile
  image: golang:1.26
  environment: {TOKEN: {from_secret: token}}
  commands: [go build]
- name: unit tests
  image: golang:1.26
  commands: [go test]
---
kind: pipeline
type: docker
name: deploy
services:
- name: db
  image: postgres:17
  environment: {POSTGRES_PASSWORD: {from_secret: db_password}}
steps:
- name: compile
  image: golang:1.26
  commands: [go build]
- name: "beep\a"
  image: busybox:1
- name: ship
  image: plugins/docker:20
  settings: {password: {from_secret: registry_password}, username: {from_secret: token}}
`

// offered gives what a shell is told that words may go on with, and the
// directive behind it, without descriptions.
func offered(t *testing.T, words ...string) []string {
	t.Helper()
	var out, errs bytes.Buffer
	s := cmd.Streams{In: strings.NewReader(""), Out: &out, Err: &errs, LookupEnv: os.LookupEnv, Environ: os.Environ}
	if status := cmd.Main(append([]string{"__completeNoDesc"}, words...), s, cmd.Build{}); status != 0 {
		t.Fatalf("%q: status %d, %s", words, status, errs.String())
	}
	last := words[len(words)-1]
	return slices.DeleteFunc(strings.Fields(strings.ReplaceAll(out.String(), "unit tests", "unit_tests")), func(word string) bool {
		return !strings.HasPrefix(word, last) && word[0] != ':' // as shells do
	})
}

func TestCompletions(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	for name, text := range map[string]string{
		".drone.yml": completed,
		"other.yml":  "kind: pipeline\ntype: docker\nsteps: [{name: only, image: busybox:1}]\n",
		"broken.yml": "kind: pipeline\nname: half\nsteps:\n- name: first\n  image: [\n",
		"old.yml":    "pipeline:\n  ancient:\n    image: busybox\n    commands: [ls]\n",
		"a.star":     "def main(ctx):\n  fail('is run')\n",
		"large.yml":  completed + strings.Repeat("# a comment\n", 30_000),
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		words string
		want  string
	}{
		{"exec --pipeline ", "build deploy :36"},
		{"exec --pipeline d", "deploy :36"},
		{"plan --include ", "compile unit_tests ship :36"},
		{"exec --pipeline deploy --exclude ", "compile ship :36"},
		{"exec --pipeline build --resume-at u", "unit_tests :36"},
		{"exec --pipeline nothing --exclude s", "ship :36"},
		{"exec other.yml --include ", "only :36"},
		{"exec other.yml --pipeline ", "default :36"},
		{"exec old.yml --include ", "ancient :36"},
		{"exec broken.yml --include ", ":36"},
		{"exec absent.yml --include ", ":36"},
		{"exec a.star --include ", ":36"},
		{"exec large.yml --include ", ":36"},
		{"exec --secret ", "token= db_password= registry_password= :6"},
		{"lint --explain image-t", "image-tag :4"},
		{"lint --rule image-t", "image-tag= :6"},
		{"lint --rule image-tag=w", "image-tag=warning :4"},
		{"exec --timeout ", ":4"},
		{"exec --event pro", "promote :4"},
		{"exec --out ", ":16"},
		{"exec --secret-file ", ":0"},
		{"exec ", ":0"},
		{"clean ", ":4"},
		{"log 0", ":36"},
		{"log last ", ":36"},
		{"key rm ", ":4"},
		{"nonsense --pipeline ", ":0"},
	} {
		cut := strings.LastIndexByte(c.words, ' ')
		got := offered(t, append(strings.Fields(c.words[:cut]), c.words[cut+1:])...)
		slices.Sort(got)
		want := strings.Fields(c.want)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", c.words, got, want)
		}
	}
}

func TestEveryRuleIsCompleted(t *testing.T) {
	rules := offered(t, "lint", "--explain", "")
	if len(rules) < 100 || !slices.Contains(rules, "unknown-key") {
		t.Errorf("got %d words: %q", len(rules), rules)
	}
}

// TestBash drives a real bash, without the package bash-completion, as it calls
// the function of a command when the key for completion is pressed.
func TestBash(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("SKIPPED: no bash")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".drone.yml"), []byte(completed), 0o644); err != nil {
		t.Fatal(err)
	}
	const press = `source <(drone completion bash)
complete -p drone | grep -q __start_drone || exit 9
compopt() { :; }
# press LINE: the words as bash cuts them, at blanks, = and :.
press() {
    COMP_LINE=$1 COMP_POINT=${#1} COMPREPLY=() COMP_TYPE=9 COMP_KEY=9
    local text=${1//=/ = }
    COMP_WORDS=($text)
    [[ $1 == *[\ =] ]] && COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    __start_drone
    printf '%s>' "$1"
    printf ' [%s]' "${COMPREPLY[@]%%  *}"
    echo
}
press 'drone exec --pipeline d'
press 'drone exec --pipeline=d'
press 'drone exec --pipeline deploy --include s'
press 'drone exec --include u'
press 'drone lint --rule image-tag=w'
press 'drone lint --rule=image-tag=w'
press 'drone sch'
press 'drone nonsense '
press 'drone exec .dr'
`
	c := exec.Command(bash, "--norc", "--noprofile", "-c", press)
	c.Dir = dir
	c.Env = append(os.Environ(), "PATH="+binary+string(os.PathListSeparator)+os.Getenv("PATH"), "HOME="+dir, "XDG_STATE_HOME="+dir)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	want := `drone exec --pipeline d> [deploy]
drone exec --pipeline=d> [deploy]
drone exec --pipeline deploy --include s> [ship]
drone exec --include u> [unit\ tests]
drone lint --rule image-tag=w> [warning]
drone lint --rule=image-tag=w> [warning]
drone sch> [schema]
drone nonsense > []
drone exec .dr> []
`
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if errs.Len() > 0 {
		t.Errorf("the shell shows %q", errs.String())
	}
}

// TestFishQuotesWords is about what the script evaluates: a word is no command.
func TestFishQuotesWords(t *testing.T) {
	var out, errs bytes.Buffer
	s := cmd.Streams{In: strings.NewReader(""), Out: &out, Err: &errs, LookupEnv: os.LookupEnv, Environ: os.Environ}
	if status := cmd.Main([]string{"completion", "fish"}, s, cmd.Build{}); status != 0 {
		t.Fatalf("status %d, %s", status, errs.String())
	}
	if !strings.Contains(out.String(), "(commandline -opc | string escape)") || strings.Contains(out.String(), "(commandline -opc)") {
		t.Error("the words in front of the cursor are evaluated as they are")
	}
}
