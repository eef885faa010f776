package convert

import (
	"strings"
	"testing"
)

// TestLegacyFaults has a case for each fault of the official converter
// (reference G): what it lost or made wrong is right here, or is told.
func TestLegacyFaults(t *testing.T) {
	one := func(body string) string { return "pipeline:\n  a:\n    image: \"b:1\"\n    " + body + "\n" }
	for _, tc := range []struct {
		name, source, version string
		want, not             []string // in the text
		told                  string   // in a note
	}{
		{name: "the platform is lost", source: "platform: linux/arm64\n" + one(""), want: []string{"arch: arm64"}},
		{name: "labels are lost", source: "labels: { disk: ssd }\n" + one(""), want: []string{"node:\n  disk: ssd"}},
		{name: "a cache is dropped silently", source: "cache: [ a ]\n" + one(""), told: "`cache` has no equivalent"},
		{name: "a path of the workspace that is a dot is dropped with its base", source: "workspace: { base: /go, path: . }\n" + one(""), want: []string{"base: /go"}, not: []string{"path:"}},
		{name: "builds of tags are kept out by branches", source: "branches: main\n" + one(""), want: []string{`branch: [main, ""]`}, not: []string{"refs/"}},
		{name: "a secret of a file has no name", source: one("") + "secrets: { s: { file: /f } }\n", not: []string{"kind: secret"}, told: `the secret "s" is read from elsewhere`},
		{name: "volumes of clone are forgotten", source: "clone: { git: { image: \"c:1\", volumes: [ \"/a:/b\" ] } }\n" + one(""), want: []string{"path: /a"}},
		{name: "the name of a step is ignored", source: one("name: other"), want: []string{"- name: other"}},
		{name: "an image is not taken from the key", source: "pipeline: { heroku: { app: x } }\n", version: Version05, want: []string{"image: heroku\n"}},
		{name: "a command is not split", source: one("detach: true\n    command: a \"b c\""), want: []string{"command: [a, b c]"}},
		{name: "empty variables are dropped", source: one("environment: { A: \"\" }"), want: []string{`A: ""`}},
		{name: "variables are made numbers", source: one("environment: { A: \"1.10\", B: \"yes\", C: \"0755\" }"), want: []string{`A: "1.10"`, `B: "yes"`, `C: "0755"`}},
		{name: "a mount is not read-only any more", source: one(`volumes: [ "/a:/b:ro" ]`), told: "/b can be written to"},
		{name: "a volume without a source is broken", source: one(`volumes: [ /only ]`), want: []string{"path: /only", "temp: {}"}},
		{name: "a volume with a name becomes a path", source: one(`volumes: [ "cache:/b" ]`), want: []string{"temp: {}"}, not: []string{"host:"}, told: `the volume "cache" was kept`},
		{name: "a group becomes a parameter", source: one("group: g") + "  c: { image: \"b:1\", group: g }\n", want: []string{"- name: c"}, not: []string{"settings", "group"}},
		{name: "the network mode becomes a parameter", source: one("network_mode: host"), want: []string{"network_mode: host"}, not: []string{"settings"}},
		{name: "memory becomes a parameter", source: one("mem_limit: 1g"), want: []string{"mem_limit: 1g"}, not: []string{"settings"}},
		{name: "a login becomes a parameter", source: one("auth_config: { username: u, password: pw }"), not: []string{"settings", "pw"}, told: "credentials"},
		{name: "what nothing does becomes a parameter", source: one("cpuset: \"0\"\n    labels: { a: b }\n    ipc_mode: host"), not: []string{"settings"}, told: "cpuset"},
		{name: "devices are dropped", source: one(`devices: [ "/dev/a:/dev/b" ]`), want: []string{"devices:", "path: /dev/b"}},
		{name: "tmpfs is dropped", source: one(`tmpfs: [ /a ]`), want: []string{"medium: memory"}},
		{name: "an event occurs twice", source: one("when: { event: [ deploy, deployment ] }"), want: []string{"event: [promote]"}},
		{name: "a platform is not decided", source: one("") + "  c: { image: \"b:1\", when: { platform: linux/arm } }\n", not: []string{"name: c"}},
		{name: "a step for elsewhere is not told", source: one("when: { local: false }"), told: "`local: false`"},
		{name: "conditions of a matrix are alternatives", source: "matrix: { A: [ x ], B: [ y ] }\n" + one("when: { matrix: { A: x, B: z } }") + "  c: { image: \"b:1\" }\n", not: []string{"name: a"}},
		{name: "a step occurs once for each condition", source: "matrix: { A: [ x ], B: [ z ] }\n" + one("when: { matrix: { A: x, B: z } }"), want: []string{"- name: a"}, not: []string{"- name: a\n    image: \"b:1\"\n\n", "a_1", "a-2"}},
		{name: "conditions of a matrix cannot exclude", source: "matrix: { A: [ x, y ] }\n" + one("when: { matrix: { exclude: { A: x } } }"), want: []string{"name: y\n"}, not: []string{"name: x\n"}},
		{name: "values of a matrix are no variables", source: "matrix: { A: [ x ] }\n" + one(""), want: []string{"A: x"}},
		{name: "only the plain expression is replaced", source: "matrix: { A: [ xyz ] }\n" + one(`commands: [ "${A:0:1} ${A=n} ${A^^}" ]`), want: []string{"x xyz XYZ"}},
		{name: "an escaped expression is replaced", source: "matrix: { A: [ xyz ] }\n" + one(`commands: [ "$${A}" ]`), want: []string{"$${A}"}},
		{name: "numbers of a matrix change", source: "_b: &b { image: \"b:1\" }\nmatrix: { A: [ 1.10 ] }\npipeline: { a: { <<: *b } }\n", want: []string{`A: "1.10"`}},
		{name: "merged keys are lost", source: "_b: &b { image: \"b:1\" }\npipeline:\n  a:\n    << : *b\n    commands: [ c ]\n", want: []string{`image: "b:1"`}},
		{name: "services are sorted where keys are merged", source: "_b: &b { image: \"b:1\" }\npipeline: { a: { <<: *b } }\nservices: { z: { <<: *b }, y: { <<: *b } }\n", want: []string{"- name: z\n    image: \"b:1\"\n\n  - name: y"}},
		{name: "comments are lost", source: "# why\n" + one("# because"), want: []string{"# why"}},
		{name: "a parameter without a value ends the program", source: one("p: ~"), not: []string{"settings"}, told: "has no value"},
		{name: "two clones have one name", source: "pipeline: { clone: { image: plugins/git }, a: { image: \"b:1\" } }\n", want: []string{"clone:\n  disable: true"}},
		{name: "plugins run for pull requests", source: one("p: q"), version: Version05, want: []string{"exclude: [pull_request]"}},
		{name: "status changed is kept", source: one("") + "  c: { image: \"b:1\", when: { status: changed } }\n", not: []string{"changed"}, told: "never ran"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := Legacy("f.yml", []byte(tc.source), LegacyOptions{Version: tc.version})
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tc.want {
				if !strings.Contains(string(c.Text), want) {
					t.Errorf("there is no %q in\n%s", want, c.Text)
				}
			}
			for _, not := range tc.not {
				if strings.Contains(string(c.Text), not) {
					t.Errorf("there is %q in\n%s", not, c.Text)
				}
			}
			told := tc.told == ""
			for _, n := range c.Notes {
				told = told || strings.Contains(n.Message, tc.told)
			}
			if !told {
				t.Errorf("nothing is told of %q: %v", tc.told, c.Notes)
			}
		})
	}
	for source, want := range map[string]string{
		one("secrets: [ { source: s } ]"): "has no source or no target",
		"matrix: { A: [ \"x: y\" ] }\n" + "pipeline:\n  a:\n    image: \"b:1\"\n    environment: { B: ${A} }\n": "f.yml:5:23:",
	} {
		_, err := Legacy("f.yml", []byte(source), LegacyOptions{})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("got %v, want %q for\n%s", err, want, source)
		}
	}
}
