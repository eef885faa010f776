package cmd_test

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// eventRepository is a clone of octocat/hello with the branches main, of two
// commits, and topic, of one more. The tag is on HEAD, which is topic.
type eventRepository struct{ dir, main, topic string }

func newEventRepository(t *testing.T) eventRepository {
	t.Helper()
	r := eventRepository{dir: t.TempDir()}
	git := func(args ...string) string {
		t.Helper()
		c := exec.Command("git", args...)
		c.Dir = r.dir
		c.Env = append(os.Environ(), "HOME="+r.dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=Ada Lovelace", "GIT_AUTHOR_EMAIL=ada@example.com",
			"GIT_COMMITTER_NAME=Ada Lovelace", "GIT_COMMITTER_EMAIL=ada@example.com")
		out, err := c.Output()
		if err != nil {
			t.Fatalf("git %s: %v", strings.Join(args, " "), err)
		}
		return strings.TrimSpace(string(out))
	}
	commit := func(message string) string {
		git("commit", "-q", "--allow-empty", "-m", message)
		return git("rev-parse", "HEAD")
	}
	git("init", "-q", "-b", "main", ".")
	git("config", "user.name", "grace")
	git("remote", "add", "origin", "git@github.com:octocat/hello.git")
	commit("first")
	r.main = commit("second")
	git("checkout", "-q", "-b", "topic")
	r.topic = commit("a subject\n\nand a body")
	git("tag", "v1.2.3-rc.1")
	return r
}

// env runs `drone env` and returns what is set. The times, which must be the
// present and all the same, become "now".
func (r eventRepository) env(t *testing.T, args ...string) map[string]string {
	t.Helper()
	begun := time.Now().Unix()
	c := exec.Command(filepath.Join(binary, "drone"), append([]string{"env", "--output", "json"}, args...)...)
	c.Dir = r.dir
	c.Env = []string{"HOME=" + r.dir, "GIT_CONFIG_NOSYSTEM=1", "PATH=" + os.Getenv("PATH")}
	out, err := c.Output()
	if err != nil {
		t.Fatalf("drone env %s: %v", strings.Join(args, " "), err)
	}
	var printed struct {
		Variables []struct{ Name, Value string }
	}
	if err := json.Unmarshal(out, &printed); err != nil {
		t.Fatal(err)
	}
	set := map[string]string{}
	for _, v := range printed.Variables {
		if v.Value != "" {
			set[v.Name] = v.Value
		}
	}
	created := set["DRONE_BUILD_CREATED"]
	if n, err := strconv.ParseInt(created, 10, 64); err != nil || n < begun || n > time.Now().Unix() {
		t.Errorf("the build was created at %q, which is not now", created)
	}
	for name, value := range set {
		if value == created {
			set[name] = "now"
		}
	}
	return set
}

// always is what every build of the repository has, whatever its event
// (reference §5.2).
func (r eventRepository) always() map[string]string {
	machine, err := os.Hostname()
	if err != nil {
		machine = "" // and not set
	}
	return map[string]string{
		"CI": "true", "DRONE": "true",
		"DRONE_SYSTEM_PROTO": "https", "DRONE_SYSTEM_HOST": "drone.example.com", "DRONE_SYSTEM_HOSTNAME": "drone.example.com", "DRONE_SYSTEM_VERSION": "2.25.0",
		"DRONE_REPO": "octocat/hello", "CI_REPO": "octocat/hello", "CI_REPO_NAME": "octocat/hello",
		"DRONE_REPO_SCM": "git", "DRONE_REPO_OWNER": "octocat", "DRONE_REPO_NAMESPACE": "octocat", "DRONE_REPO_NAME": "hello",
		"DRONE_REPO_LINK": "https://github.com/octocat/hello", "CI_REPO_LINK": "https://github.com/octocat/hello",
		"DRONE_REPO_BRANCH": "main",
		"DRONE_REMOTE_URL":  "https://github.com/octocat/hello.git", "DRONE_GIT_HTTP_URL": "https://github.com/octocat/hello.git",
		"CI_REPO_REMOTE": "https://github.com/octocat/hello.git", "CI_REMOTE_URL": "https://github.com/octocat/hello.git",
		"DRONE_GIT_SSH_URL":  "git@github.com:octocat/hello.git",
		"DRONE_REPO_PRIVATE": "false", "CI_REPO_PRIVATE": "false",

		"DRONE_COMMIT": r.topic, "DRONE_COMMIT_SHA": r.topic, "DRONE_COMMIT_AFTER": r.topic, "CI_COMMIT_SHA": r.topic,
		"DRONE_COMMIT_AUTHOR": "Ada Lovelace", "CI_COMMIT_AUTHOR": "Ada Lovelace",
		"DRONE_COMMIT_AUTHOR_NAME": "Ada Lovelace", "CI_COMMIT_AUTHOR_NAME": "Ada Lovelace",
		"DRONE_COMMIT_AUTHOR_EMAIL": "ada@example.com", "CI_COMMIT_AUTHOR_EMAIL": "ada@example.com",

		"DRONE_BUILD_STATUS": "success", "CI_BUILD_STATUS": "pending", "DRONE_BUILD_DEBUG": "false",
		"DRONE_BUILD_CREATED": "now", "DRONE_BUILD_STARTED": "now", "DRONE_BUILD_FINISHED": "now",
		"CI_BUILD_CREATED": "now", "CI_BUILD_STARTED": "now", "CI_BUILD_FINISHED": "0",
		"DRONE_DEPLOY_ID": "0",

		"DRONE_STAGE_KIND": "pipeline", "DRONE_STAGE_TYPE": "docker", "DRONE_STAGE_NAME": "default", "DRONE_STAGE_NUMBER": "1",
		"DRONE_STAGE_OS": "linux", "DRONE_STAGE_ARCH": "amd64", "DRONE_STAGE_VERSION": "1", "DRONE_STAGE_STATUS": "success",
		"DRONE_STAGE_MACHINE": machine,
		"DRONE_STAGE_STARTED": "now", "DRONE_STAGE_FINISHED": "now", "DRONE_CARD_PATH": "/dev/stdout",
	}
}

// facts are what differs from one event to the next: a row of reference §11.3.
// What is empty is not set.
type facts struct {
	event, action, trigger string
	ref, target, source    string
	before                 string
	message, link          string
	number, parent         string // "" is 1 and 0
	deploy                 string
	more                   map[string]string
}

// variables are the names under which reference §5.2 gives the facts to steps.
func (f facts) variables() map[string]string {
	number, parent := f.number, f.parent
	if number == "" {
		number, parent = "1", "0"
	}
	out := map[string]string{
		"DRONE_BUILD_EVENT": f.event, "CI_BUILD_EVENT": f.event, "DRONE_BUILD_ACTION": f.action, "DRONE_BUILD_TRIGGER": f.trigger,
		"DRONE_COMMIT_REF": f.ref, "CI_COMMIT_REF": f.ref,
		"DRONE_BRANCH": f.target, "DRONE_TARGET_BRANCH": f.target, "DRONE_COMMIT_BRANCH": f.target, "CI_COMMIT_BRANCH": f.target,
		"DRONE_SOURCE_BRANCH": f.source, "DRONE_COMMIT_BEFORE": f.before,
		"DRONE_COMMIT_MESSAGE": f.message, "CI_COMMIT_MESSAGE": f.message,
		"DRONE_COMMIT_LINK": f.link, "CI_BUILD_LINK": f.link,
		"DRONE_BUILD_NUMBER": number, "CI_BUILD_NUMBER": number, "DRONE_BUILD_PARENT": parent, "CI_PARENT_BUILD_NUMBER": parent,
		"DRONE_BUILD_LINK": "https://drone.example.com/octocat/hello/" + number,
		"DRONE_DEPLOY_TO":  f.deploy, "CI_BUILD_TARGET": f.deploy,
	}
	maps.Copy(out, f.more)
	return out
}

// TestEnvOfEvents compares every variable that `drone env` prints with the
// tables of reference §5.2 and §11.3. docs/parity.md says where what the
// server knows is replaced by something else.
func TestEnvOfEvents(t *testing.T) {
	t.Parallel()
	r := newEventRepository(t)
	type testCase struct {
		name, args string
		want       facts
	}
	run := func(t *testing.T, tc testCase) {
		want := r.always()
		maps.Copy(want, tc.want.variables())
		maps.DeleteFunc(want, func(_, value string) bool { return value == "" })
		got := r.env(t, append(strings.Fields(tc.args), "--instance", "drone.example.com")...)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	const message, body = "a subject\n\nand a body", "and a body"
	const zeros = "0000000000000000000000000000000000000000"
	commit := "https://github.com/octocat/hello/commit/" + r.topic
	compare := "https://github.com/octocat/hello/compare/" + r.main + "..." + r.topic
	tagged := map[string]string{
		"DRONE_TAG": "v1.2.3-rc.1", "DRONE_SEMVER": "1.2.3-rc.1", "DRONE_SEMVER_MAJOR": "1", "DRONE_SEMVER_MINOR": "2", "DRONE_SEMVER_PATCH": "3",
		"DRONE_SEMVER_SHORT": "1.2.3", "DRONE_SEMVER_PRERELEASE": "rc.1",
	}
	pulled := map[string]string{"DRONE_PULL_REQUEST": "12", "DRONE_PULL_REQUEST_TITLE": "a subject"}
	cases := []testCase{
		{"push", "", facts{
			event: "push", trigger: "@hook", ref: "refs/heads/topic", target: "topic", source: "topic", before: r.main, message: message, link: compare,
		}},
		{"push elsewhere", "--branch release/1 --message words --build-number 8", facts{
			event: "push", trigger: "@hook", ref: "refs/heads/release/1", target: "release/1", source: "release/1", before: r.main, message: "words", link: compare,
			number: "8", parent: "0",
		}},
		{"pull_request", "--pr 12", facts{
			event: "pull_request", action: "opened", trigger: "@hook", ref: "refs/pull/12/head", target: "main", source: "topic", before: r.main,
			message: body, link: "https://github.com/octocat/hello/pull/12", more: pulled,
		}},
		{"pull_request again", "--event pull_request --pr 12 --action synchronized --source feature --target main --title renamed", facts{
			event: "pull_request", action: "synchronized", trigger: "@hook", ref: "refs/pull/12/head", target: "main", source: "feature", before: r.main,
			message: body, link: "https://github.com/octocat/hello/pull/12",
			more: map[string]string{"DRONE_PULL_REQUEST": "12", "DRONE_PULL_REQUEST_TITLE": "renamed"},
		}},
		{"tag", "--tag v1.2.3-rc.1", facts{
			event: "tag", action: "create", trigger: "@hook", ref: "refs/tags/v1.2.3-rc.1", before: zeros, message: message, link: commit, more: tagged,
		}},
		{"promote", "--deploy-to production --parent 6 --param COLOUR=blue", facts{
			event: "promote", trigger: "grace", ref: "refs/heads/topic", target: "topic", source: "topic", before: r.main, message: message, link: compare,
			number: "7", parent: "6", deploy: "production", more: map[string]string{"COLOUR": "blue"},
		}},
		{"promote a tag", "--event promote --deploy-to production --parent 6 --tag v1.2.3-rc.1", facts{
			event: "promote", action: "create", trigger: "grace", ref: "refs/tags/v1.2.3-rc.1", before: zeros, message: message, link: commit,
			number: "7", parent: "6", deploy: "production", more: tagged,
		}},
		{"rollback", "--event rollback --deploy-to staging --parent 3 --build-number 9 --trigger octocat", facts{
			event: "rollback", trigger: "octocat", ref: "refs/heads/topic", target: "topic", source: "topic", before: r.main, message: message, link: compare,
			number: "9", parent: "3", deploy: "staging",
		}},
		{"cron", "--cron nightly --branch main --sha main", facts{
			event: "cron", trigger: "@cron", ref: "refs/heads/main", target: "main", message: "second",
			link: "https://github.com/octocat/hello/commit/" + r.main,
			more: map[string]string{"DRONE_COMMIT": r.main, "DRONE_COMMIT_SHA": r.main, "DRONE_COMMIT_AFTER": r.main, "CI_COMMIT_SHA": r.main},
		}},
		{"custom", "--event custom --param COLOUR=blue --param A=1", facts{
			event: "custom", trigger: "grace", ref: "refs/heads/topic", target: "topic", source: "topic", before: r.topic, message: message, link: commit,
			more: map[string]string{"COLOUR": "blue", "A": "1"},
		}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			run(t, tc)
		})
	}
}
