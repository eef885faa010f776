package docker

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/exec"
)

const runcPrefix = "Error response from daemon: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: "

func TestStepError(t *testing.T) {
	type testCase struct {
		name     string
		phase    exec.Phase
		commands bool
		text     string
		want     string
		hint     string // part of the hint
	}
	run := func(t *testing.T, tc testCase) {
		env := map[string]string{"SHORT": "x", "TOKEN": strings.Repeat("s3cret", 30_000)}
		got := stepError(tc.phase, about{image: "img:1", commands: tc.commands, env: env}, errors.New(tc.text))
		if diff := cmp.Diff(tc.want, got.Error()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if !strings.Contains(got.Hint, tc.hint) || tc.hint == "" && got.Hint != "" {
			t.Errorf("hint is %q, want %q in it", got.Hint, tc.hint)
		}
		if got.Phase != tc.phase || strings.Contains(got.Error()+got.Hint, "s3cret") {
			t.Errorf("phase %s, text %q %q", got.Phase, got.Error(), got.Hint)
		}
	}
	cases := []testCase{
		{name: "privileged", phase: exec.PhaseStart, text: runcPrefix + "unable to apply caps: operation not permitted: unknown",
			want: "the engine may not start privileged containers", hint: "not in a container"},
		{name: "no shell", commands: true, phase: exec.PhaseStart, text: runcPrefix + `exec: "/bin/sh": stat /bin/sh: no such file or directory: unknown`,
			want: `image "img:1" has no /bin/sh, which commands need`, hint: "image with a shell"},
		{name: "no shell, 28", commands: true, phase: exec.PhaseStart,
			text: `failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "/bin/sh": stat /bin/sh: no such file or directory`,
			want: `image "img:1" has no /bin/sh, which commands need`, hint: "image with a shell"},
		{name: "no program", phase: exec.PhaseStart, text: runcPrefix + `exec: "/nope": stat /nope: no such file or directory: unknown`,
			want: `image "img:1" has no program "/nope"`, hint: "entrypoint"},
		{name: "no program in PATH", phase: exec.PhaseStart, text: runcPrefix + `exec: "nope": executable file not found in $PATH: unknown`,
			want: `image "img:1" has no program "nope"`, hint: "entrypoint"},
		{name: "no program, crun", phase: exec.PhaseStart, text: "crun: executable file `nope` not found in $PATH: No such file or directory: OCI runtime attempted to invoke a command that was not found",
			want: `image "img:1" has no program "nope"`, hint: "entrypoint"},
		{name: "not executable", phase: exec.PhaseStart, text: runcPrefix + `exec: "/etc/passwd": permission denied: unknown`,
			want: `"/etc/passwd" in image "img:1" is not executable`, hint: "entrypoint"},
		{name: "directory", phase: exec.PhaseStart, text: runcPrefix + `exec: "/etc": is a directory: unknown`,
			want: `"/etc" in image "img:1" is a directory, not a program`, hint: "entrypoint"},
		{name: "other processor", phase: exec.PhaseStart, text: runcPrefix + `exec /bin/x: exec format error`,
			want: `image "img:1" is for another processor than that of the engine`, hint: "qemu-user-static"},
		{name: "no command", phase: exec.PhaseCreate, text: "Error response from daemon: No command specified", want: `image "img:1" has neither an entrypoint nor a command`, hint: "commands"},
		{name: "user", phase: exec.PhaseStart, text: "Error response from daemon: unable to find user nobodyx: no matching entries in passwd file",
			want: `image "img:1" has no user "nobodyx"`, hint: "numeric"},
		{name: "group", phase: exec.PhaseStart, text: "Error response from daemon: unable to find group g: no matching entries in group file",
			want: `image "img:1" has no group "g"`, hint: "numeric"},
		{name: "working_dir", phase: exec.PhaseCreate, text: "Error response from daemon: the working directory 'rel' is invalid, it needs to be an absolute path",
			want: `working_dir "rel" is not an absolute path`, hint: "slash"},
		{name: "working_dir is a file", phase: exec.PhaseCreate, text: "Error response from daemon: Cannot mkdir: /bin/sh is not a directory",
			want: `working_dir "/bin/sh" is a file in image "img:1"`, hint: "working_dir"},
		{name: "bind", phase: exec.PhaseCreate, text: `Error response from daemon: invalid mount config for type "bind": bind source path does not exist: /nonex`,
			want: `"/nonex", which the step mounts, does not exist on the engine's machine`, hint: "create it"},
		{name: "bind of Windows", phase: exec.PhaseCreate, text: `Error response from daemon: invalid mount config for type "bind": invalid mount path: 'Z:/src/a b' mount path must be absolute`,
			want: `"Z:/src/a b", which the step mounts, is a path of Windows, and the engine's machine has none`, hint: "within WSL"},
		{name: "share of Windows", phase: exec.PhaseCreate, text: `Error response from daemon: invalid mount config for type "bind": invalid mount path: '//server/share' mount path must be absolute`,
			want: `"//server/share", which the step mounts, is a path of Windows, and the engine's machine has none`, hint: "--clone"},
		{name: "desktop", phase: exec.PhaseStart, text: "Error response from daemon: Mounts denied: The path /srv is not shared from the host and is not known to Docker.",
			want: "the engine may not mount a path of this machine", hint: "Desktop"},
		{name: "device", phase: exec.PhaseStart, text: `Error response from daemon: error gathering device information while adding custom device "/dev/nonex": no such file or directory`,
			want: `device "/dev/nonex" does not exist on the engine's machine`, hint: "host path"},
		{name: "memory", phase: exec.PhaseCreate, text: "Error response from daemon: Minimum memory limit allowed is 6MB", want: `mem_limit is below "6MB", the least the engine allows`, hint: "raise"},
		{name: "swap", phase: exec.PhaseCreate, text: "Error response from daemon: Minimum memoryswap limit should be larger than memory limit, see usage",
			want: "memswap_limit is below mem_limit", hint: "together"},
		{name: "networks", phase: exec.PhaseOpen, text: "Error response from daemon: could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
			want: "the engine has no addresses left for another network", hint: "docker network prune"},
		{name: "networks, 27", phase: exec.PhaseOpen, text: "Error response from daemon: all predefined address pools have been fully subnetted",
			want: "the engine has no addresses left for another network", hint: "`docker network prune` all"},
		{name: "disk", phase: exec.PhaseCreate, text: "Error response from daemon: mkdir /var/lib/docker/overlay2/x: no space left on device", want: "the disk of the engine is full", hint: "docker system df"},
		{name: "network", phase: exec.PhaseOpen, text: "Error response from daemon: network nonet not found", want: `there is no network "nonet"`, hint: "docker network create"},
		{name: "image name", phase: exec.PhaseCreate, text: "Error response from daemon: invalid reference format: repository name must be lowercase", want: `"img:1" is not the name of an image`, hint: "lower case"},
		{name: "environment", phase: exec.PhaseStart, text: runcPrefix + `exec: "/bin/sh": argument list too long: unknown`, commands: true,
			want: "the environment is too long for the kernel: TOKEN alone has 180000 bytes", hint: "file"},
		{name: "unknown", phase: exec.PhaseStart, text: "Error response from daemon: Something\nvery  odd.", want: `cannot start the container of image "img:1": something very odd`},
		{name: "unknown while opening", phase: exec.PhaseOpen, text: "Error response from daemon: TLS went odd", want: "TLS went odd"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

func TestPullError(t *testing.T) {
	type testCase struct {
		name, image, text string
		source            string
		problem           error
		want, hint        string
	}
	run := func(t *testing.T, tc testCase) {
		got := pullError(asked{image: tc.image, source: tc.source, problem: tc.problem}, errors.New(tc.text))
		if diff := cmp.Diff(tc.want, got.Error()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if !strings.Contains(got.Hint, tc.hint) || tc.hint == "" && got.Hint != "" {
			t.Errorf("hint is %q, want %q in it", got.Hint, tc.hint)
		}
	}
	cases := []testCase{
		{name: "offline", image: "redis:7", text: `Error response from daemon: Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on 10.0.0.2:53: no such host`,
			want: `image "redis:7" cannot be pulled: get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on 10.0.0.2:53: no such host`, hint: "without a network"},
		{name: "refused", image: "localhost:1/x", text: `Error response from daemon: Get "http://localhost:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused`,
			want: `image "localhost:1/x" cannot be pulled: get "http://localhost:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused`, hint: "without a network"},
		{name: "private or missing", image: "org/x", text: "Error response from daemon: pull access denied for org/x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
			want: `image "org/x" cannot be pulled: docker.io refuses it without a login: pull access denied for org/x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`, hint: "private, `docker login`, or name"},
		{name: "helper missing", image: "eu.gcr.io/p/x:1", text: "Error response from daemon: unauthorized: authentication required",
			problem: errors.New("no credentials for eu.gcr.io: docker-credential-gcloud is not in PATH"),
			want:    `image "eu.gcr.io/p/x:1" cannot be pulled: eu.gcr.io refuses it without a login: unauthorized: authentication required; no credentials for eu.gcr.io: docker-credential-gcloud is not in PATH`, hint: "docker login eu.gcr.io"},
		{name: "login of a file", image: "r.lan/x:1", text: "unauthorized: authentication required", source: "auths in ~/.docker/config.json",
			want: `image "r.lan/x:1" cannot be pulled: r.lan refuses it with the login of auths in ~/.docker/config.json: unauthorized: authentication required`, hint: "`docker login r.lan` again"},
		{name: "login of a secret", image: "r.lan/x:1", text: "unauthorized: authentication required", source: `secret "s" of image_pull_secrets`,
			want: `image "r.lan/x:1" cannot be pulled: r.lan refuses it with the login of secret "s" of image_pull_secrets: unauthorized: authentication required`, hint: "the secret has a login for r.lan"},
		{name: "tag", image: "redis:99", text: "Error response from daemon: manifest for redis:99 not found: manifest unknown: manifest unknown", want: `image "redis:99" cannot be pulled: docker.io has no such tag`, hint: "the tag"},
		{name: "limit", image: "redis:7", text: "Error response from daemon: toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating",
			want: `image "redis:7" cannot be pulled: docker.io has limited the pulls from here for now`, hint: "docker login"},
		{name: "disk", image: "x:1", text: "failed to register layer: write /x: no space left on device", want: `image "x:1" cannot be pulled: the disk of the engine is full`, hint: "prune"},
		{name: "plain http", image: "r.lan/x", text: `Error response from daemon: Get "https://r.lan/v2/": http: server gave HTTP response to HTTPS client`, want: `image "r.lan/x" cannot be pulled: r.lan does not speak TLS`, hint: "insecure-registries"},
		{name: "certificate", image: "r.lan/x", text: `Get "https://r.lan/v2/": x509: certificate signed by unknown authority`, want: `image "r.lan/x" cannot be pulled: get "https://r.lan/v2/": x509: certificate signed by unknown authority`, hint: "trust the certificate of r.lan"},
		{name: "name", image: "Upper", text: "invalid reference format: repository name (library/Upper) must be lowercase", want: `image "Upper" cannot be pulled: this is not the name of an image`, hint: "lower case"},
		{name: "unknown", image: "x:1", text: "the registry is on fire.", want: `image "x:1" cannot be pulled: the registry is on fire`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}
