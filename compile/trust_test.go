package compile

import (
	"slices"
	"strings"
	"testing"

	"github.com/drone-laptop/drone/manifest"
	"github.com/google/go-cmp/cmp"
)

// rulesOf compiles a file and lists the rules of its errors, in order.
func rulesOf(t *testing.T, source string, trusted bool) []string {
	t.Helper()
	_, problems, err := Compile("x.yml", []byte(source), Options{Build: pushBuild(), Workspace: "/w", Trusted: trusted})
	if err != nil {
		t.Fatal(err)
	}
	rules := []string{}
	for _, p := range problems {
		if p.Severity == manifest.Error {
			rules = append(rules, p.Rule)
		}
	}
	return rules
}

// TestTrust has every row of the checks of reference §10.2, without and with
// a trusted repository, for steps and for services.
func TestTrust(t *testing.T) {
	type testCase struct {
		name      string
		step      string // keys of a step or service, {} style
		volume    string // keys of a volume, {} style
		untrusted string // rules, separated by spaces
		trusted   string
	}
	run := func(t *testing.T, kind string, tc testCase) {
		source := "kind: pipeline\nclone: {disable: true}\n" + kind + ":\n- {name: a, image: x:1, " + tc.step + "}\n"
		if tc.volume != "" {
			source += "volumes:\n- {" + tc.volume + "}\n"
		}
		for trusted, want := range map[bool]string{false: tc.untrusted, true: tc.trusted} {
			if diff := cmp.Diff(strings.Fields(want), rulesOf(t, source, trusted)); diff != "" {
				t.Errorf("trusted %v (-want +got):\n%s%s", trusted, diff, source)
			}
		}
	}
	const only = "untrusted"
	cases := []testCase{
		{name: "nothing"},
		{name: "privileged", step: "privileged: true", untrusted: only},
		{name: "not privileged", step: "privileged: false"},
		{name: "devices", step: "devices: [{name: d, path: /dev/d}]", volume: "name: d, host: {path: /dev/null}", untrusted: "untrusted untrusted"},
		{name: "no devices", step: "devices: []"},
		{name: "dns", step: "dns: [192.0.2.1]", untrusted: only},
		{name: "dns_search", step: "dns_search: [example.com]", untrusted: only},
		{name: "extra_hosts", step: "extra_hosts: ['a:192.0.2.1']", untrusted: only},
		{name: "network_mode", step: "network_mode: host", untrusted: only},
		{name: "shm_size", step: "shm_size: 1", untrusted: only},
		{name: "no shm_size", step: "shm_size: 0"},
		{name: "negative shm_size", step: "shm_size: -1"},
		{name: "empty lists", step: "dns: [], dns_search: [], extra_hosts: [], network_mode: ''"},
		{name: "what is allowed everywhere", volume: "name: v, temp: {}",
			step: "user: root, working_dir: /w, entrypoint: [a], command: [b], mem_limit: 1g, memswap_limit: 2g, pull: always, volumes: [{name: v, path: /v}]"},
		{name: "privileged plugin", step: "image: plugins/docker"},

		{name: "memory", volume: "name: v, temp: {medium: memory}", untrusted: only},
		{name: "another medium", volume: "name: v, temp: {medium: Memory, size_limit: 1m}"},
		{name: "host", volume: "name: v, host: {path: /srv}", untrusted: only},
		{name: "docker socket", volume: "name: v, host: {path: /var/run/docker.sock}", untrusted: only},
		{name: "volume without a name", volume: "temp: {}", untrusted: "missing-name", trusted: "missing-name"},

		{name: "duplicate name", step: "x: 1}\n- {name: a, image: x:1", untrusted: "duplicate-step", trusted: "duplicate-step"},
		{name: "no image", step: "image: ''", untrusted: "missing-image", trusted: "missing-image"},
		{name: "unknown dependency", step: "depends_on: [b]", untrusted: "unknown-step", trusted: "unknown-step"},
		{name: "depends on itself", step: "depends_on: [a]", untrusted: "step-cycle", trusted: "step-cycle"},
		{name: "null", step: "x: 1}\n- ~\n- {name: b, image: x:1", untrusted: "wrong-shape", trusted: "wrong-shape"},
	}
	for _, name := range []string{"workspace", "_workspace", "_docker_socket"} {
		cases = append(cases,
			testCase{name: name + " declared", volume: "name: " + name + ", temp: {}", untrusted: "reserved-volume", trusted: "reserved-volume"},
			testCase{name: name + " mounted", step: "volumes: [{name: " + name + ", path: /v}]", untrusted: "reserved-volume", trusted: "reserved-volume"})
	}
	for path, rule := range map[string]string{
		"/run/drone": "reserved-path", "/run/drone/": "reserved-path", "/run/drone/x": "reserved-path", "/run/drone-x": "reserved-path",
		"/run/./drone": "reserved-path", "/var/../run/drone/x": "reserved-path", "/run": "", "/run/dron": "", "/drone": "", "/x/run/drone": "",
	} {
		cases = append(cases, testCase{name: "mount at " + path, step: "volumes: [{name: v, path: " + path + "}]", volume: "name: v, temp: {}",
			untrusted: rule, trusted: rule})
	}
	for _, tc := range cases {
		for _, kind := range []string{"steps", "services"} {
			t.Run(kind+"/"+tc.name, func(t *testing.T) { run(t, kind, tc) })
		}
	}
}

// TestSteeredPlugin: a plugin that is privileged for its image needs trust when
// the file can have it run something of its own.
func TestSteeredPlugin(t *testing.T) {
	type testCase struct{ step, pipeline, want string }
	for _, tc := range []testCase{
		{step: "settings: {repo: x/y, tags: [latest]}, environment: {DOCKER_BUILDKIT: 1, FOO: x}", pipeline: "environment: {FOO: x}"},
		{step: "environment: {LD_PRELOAD: /drone/src/x.so}", want: `the variable "LD_PRELOAD"`},
		{step: "environment: {LD_AUDIT: {from_secret: x}}", want: `the variable "LD_AUDIT"`},
		{step: "environment: {DOCKER_CONFIG: x}", want: `the variable "DOCKER_CONFIG"`},
		{step: "environment: {BASH_ENV: x}", want: `the variable "BASH_ENV"`},
		{step: "environment: {PLUGIN_ENV_FILE: x}", want: `the variable "PLUGIN_ENV_FILE"`},
		{step: "settings: {env_file: x}", want: `the setting "env_file"`},
		{step: "settings: {Storage_Path: x}", want: `the setting "Storage_Path"`},
		{pipeline: "environment: {LD_PRELOAD: x}", want: `the variable "LD_PRELOAD"`},
		{pipeline: "environment: {PATH: /drone/src}", want: `the variable "PATH"`},
		{pipeline: "environment: {DOCKER_HOST: x}", want: `the variable "DOCKER_HOST"`},
		{pipeline: "workspace: {path: /go/src/x}"},
		{pipeline: "workspace: {path: /usr/src/app}"},
		{pipeline: "workspace: {base: /opt/app, path: x}"},
		{pipeline: "workspace: {path: /usr/local}", want: `the workspace at "/usr/local"`},
		{pipeline: "workspace: {path: /usr}", want: `the workspace at "/usr"`},
		{pipeline: "workspace: {path: /LIB}", want: `the workspace at "/LIB"`},
		{pipeline: "workspace: {base: /drone, path: ../root/.docker}", want: `the workspace at "/root/.docker"`},
		{pipeline: "workspace: {path: /var/lib/docker}", want: `the workspace at "/var/lib/docker"`},
		{pipeline: "workspace: {path: /opt}", want: `the workspace at "/opt"`},
		// What the step does not get needs no trust.
		{step: "commands: [id], environment: {LD_PRELOAD: x}", pipeline: "workspace: {path: /usr/local}"},
		{step: "environment: {PATH: x, LD_PRELOAD: x}"},
	} {
		source := "kind: pipeline\n" + tc.pipeline + "\nsteps: [{name: a, image: plugins/docker, " + tc.step + "}]\n"
		plan, problems, err := Compile("x.yml", []byte(source), Options{Build: pushBuild(), Workspace: "/w"})
		if err != nil {
			t.Fatal(err)
		}
		var want, got []string
		if tc.want != "" {
			want = []string{`a privileged plugin, "plugins/docker", with ` + tc.want}
		}
		for _, p := range plan.Pipelines[0].Privileges {
			got = append(got, p.What)
		}
		if refused := failed(problems); !slices.Equal(got, want) || refused != (tc.want != "") {
			t.Errorf("asks for %q, want %q; refused is %v:\n%s", got, want, refused, source)
		}
	}
}

// TestOnlyWhatRunsIsChecked: the runner checks names in all pipelines of the
// file, and everything else in the one it runs (reference §10.1).
func TestOnlyWhatRunsIsChecked(t *testing.T) {
	const source = "kind: pipeline\ntrigger: {event: [tag]}\nservices: [{name: a}, {name: a}]\nsteps:\n- {name: b, privileged: true}\n- {name: b}\n- {image: x}\n" +
		"volumes: [{name: workspace, host: {path: /}}]\n"
	got := rulesOf(t, source, false)
	if want := []string{"duplicate-step", "missing-name"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestAutoPrivilegedFiles has the conditions of reference §7.9 as a file
// words them.
func TestAutoPrivilegedFiles(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("0a", 32)
	for keys, want := range map[string]bool{
		"image: plugins/docker": true, "image: plugins/acr": true, "image: plugins/ecr:1": true, "image: plugins/gcr" + digest: true,
		"image: index.docker.io/plugins/heroku:latest": true, "image: registry.example.com/kit:2": true,
		"image: plugins/gar": false, "image: docker": false, "image: plugins/docker-x": false, "image: localhost/plugins/docker": false,
		"image: Plugins/docker": false,

		"image: plugins/docker, commands: [id]":      false,
		"image: plugins/docker, command: [id]":       false,
		"image: plugins/docker, entrypoint: [id]":    false,
		"image: plugins/docker, entrypoint: []":      true,
		"image: plugins/docker, volumes: []":         true,
		"image: plugins/docker, privileged: false":   true,
		"image: plugins/docker, detach: true":        true,
		"image: plugins/docker, settings: {path: x}": true,

		"image: plugins/docker, volumes: [{name: v, path: /v}]": false,

		"image: plugins/docker, environment: {XDG_RUNTIME_DIR: x}":                false,
		"image: plugins/docker, environment: {DOCKER_OPTS: x}":                    false,
		"image: plugins/docker, environment: {DOCKER_HOST: x}":                    false,
		"image: plugins/docker, environment: {PATH: x}":                           false,
		"image: plugins/docker, environment: {HOME: ~}":                           false,
		"image: plugins/docker, environment: {HOME: {from_secret: home}}":         false,
		"image: plugins/docker, environment: {path: x, Docker_Host: x, OTHER: x}": true,
	} {
		for _, kind := range []string{"steps", "services"} {
			source := "kind: pipeline\n" + kind + ": [{name: a, " + keys + "}]\nvolumes: [{name: v, temp: {}}]\n"
			plan, problems, err := Compile("x.yml", []byte(source), Options{Workspace: "/w", Privileged: []string{"registry.example.com/kit"}})
			if err != nil || failed(problems) {
				t.Fatalf("%s: %v, %q", keys, err, lines(problems))
			}
			if got := plan.Pipelines[0].Steps[0].Privileged; got != want {
				t.Errorf("%s of %s: privileged is %v, want %v", keys, kind, got, want)
			}
		}
	}
}

// TestPrivileges: what a plan says of a privilege names its value and who gets
// it, since that is what a user agrees to, and is the same for a trusted file.
func TestPrivileges(t *testing.T) {
	type testCase struct{ step, volume, want string }
	for _, tc := range []testCase{
		{step: "privileged: true", want: `x.yml:4:39 a privileged: full control of this machine`},
		{step: "network_mode: host", want: `x.yml:4:41 a network_mode "host": the network of this machine, with all that listens on localhost only`},
		{step: "network_mode: container:db", want: `x.yml:4:41 a network_mode "container:db": the network of another container`},
		{step: "network_mode: none", want: `x.yml:4:41 a network_mode "none": no network`},
		{step: "network_mode: corp", want: `x.yml:4:41 a network_mode "corp": another network than that of its pipeline`},
		{step: "dns: [192.0.2.1, 192.0.2.2]", want: `x.yml:4:33 a dns "192.0.2.1", "192.0.2.2": name servers of its own choice`},
		{step: "shm_size: 1k", want: `x.yml:4:37 a shm_size of 1024 bytes: that much memory of this machine`},
		{step: "devices: [{name: v, path: /dev/d}]", volume: "/dev/null", want: `x.yml:4:37 a device "/dev/null" as "/dev/d": the device of this machine, to read and write` + "\n" +
			`x.yml:6:10  host volume "/dev/null": the device of this machine`},
		{step: "volumes: [{name: v, path: /s}]", volume: "/var/run/docker.sock",
			want: `x.yml:6:10  host volume "/var/run/docker.sock" for step "a" at "/s": the socket of an engine, and with it root on this machine`},
		{volume: "/run/user/1000/podman/podman.sock", want: `x.yml:6:10  host volume "/run/user/1000/podman/podman.sock": the socket of an engine, and with it root on this machine`},
		{volume: "/var/../run/./docker.sock/", want: `x.yml:6:10  host volume "/var/../run/./docker.sock/": the socket of an engine, and with it root on this machine`},
		{volume: `//./pipe/docker_engine`, want: `x.yml:6:10  host volume "//./pipe/docker_engine": the socket of an engine, and with it root on this machine`},
		{volume: "/run/other.sock", want: `x.yml:6:10  host volume "/run/other.sock": whatever the program behind this socket does for its clients`},
		{volume: "/var/run", want: `x.yml:6:10  host volume "/var/run": what is in it, to read and write, and with the socket of the engine root on this machine`},
		{volume: "/etc/ssh", want: `x.yml:6:10  host volume "/etc/ssh": what is in it, to read and write, enough to become root on this machine`},
		{volume: "/", want: `x.yml:6:10  host volume "/": every file of this machine`},
		{volume: "/srv", want: `x.yml:6:10  host volume "/srv": what is there on this machine, to read and write`},
		{step: "image: plugins/docker"},
	} {
		source := "kind: pipeline\nclone: {disable: true}\nsteps:\n- {name: a, image: 'x:1', " + tc.step + "}\n"
		if tc.volume != "" {
			source += "volumes:\n- {name: v, host: {path: " + tc.volume + "}}\n"
		}
		for _, trusted := range []bool{false, true} {
			plan, problems, err := Compile("x.yml", []byte(source), Options{Build: pushBuild(), Workspace: "/w", Trusted: trusted})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range plan.Pipelines[0].Privileges {
				got = append(got, p.Position+" "+p.Step+" "+p.What+": "+p.Gives)
			}
			if diff := cmp.Diff(tc.want, strings.Join(got, "\n")); diff != "" {
				t.Errorf("trusted %v (-want +got):\n%s%s", trusted, diff, source)
			}
			refused := 0
			for _, p := range problems {
				if p.Rule == RuleUntrusted {
					refused++
				}
			}
			if want := len(got); trusted && refused != 0 || !trusted && refused != want {
				t.Errorf("trusted %v: %d of %d privileges are refused", trusted, refused, want)
			}
		}
	}
}
