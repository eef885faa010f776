package cmd_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// parityTests names, for the subject of each row of docs/parity.md, where a
// test proves it: a file, and words that are in it, such as the name of a case.
var parityTests = map[string]string{
	// Reading the file
	"Backslashes outside `${…}`": "manifest/substitute_test.go: func TestBackslashes",
	"A malformed `${`":           "manifest/testdata/problems/substitution.golden: 8:20-8:28 error",
	"`${VAR:0:-1}`":              `manifest/substitute_test.go: {"${A:0:-1}", "its length is negative"}`,
	"Lines of 64 KiB or more":    "manifest/split_test.go: func TestLongLine",
	"Text after `...` at the start of a line, or on a `---` line":                                        "manifest/testdata/problems/split.golden: text after a line that starts with `...` is not read",
	"`branch: {include: main}`, a scalar where a list belongs":                                           `manifest/parse_test.go: {"{include: main}", []string{"main"}, nil}`,
	"A mount of a volume that is not declared, or has no source, such as `temp:` with nothing behind it": "compile/kind_test.go: func TestVolumeWithoutSource",
	"A service without a name":                                                                "compile/testdata/oddities.golden.json: a service has no name",
	"A relative `working_dir`, `workspace.base` or mount path":                                "compile/testdata/mistakes.golden.json: working_dir \\\"src\\\" of step \\\"build\\\" is not absolute",
	"`kind` missing, or an empty document":                                                    "manifest/testdata/problems/kinds.golden: 9:1-9:5 error [kind]",
	"`depends_on` a step or pipeline that comes later in the file":                            "compile/testdata/workspace-mounted.golden.json: [forward-dependency]",
	"A pipeline without a name beside one named `default`":                                    "compile/testdata/mistakes.golden.json: a pipeline without a name is",
	"A variable without a name, or a variable or setting with `=` in its name":                "compile/testdata/mistakes.golden.json: cannot be the name of a variable",
	"A step ends because its container was killed, stopped or removed, or its engine is gone": "cmd/faults_linux_test.go: killed by somebody else",
	"`platform.arch` is not that of the engine":                                               "exec/docker/platform_test.go: func TestPlatforms(",
	"Positions in messages":                                                                   "cmd/testdata/script/exec_bad_files.txtar: several.yml:8:17",

	"`from_secret` inside a list or map of a setting":                       "compile/lossy_test.go: nested-secret",
	"A file with `kind: template` on a line of its own":                     "cmd/testdata/script/templates.txtar: its copy is in .drone/templates",
	"Values of `data` that are no text, in a Starlark template":             "cmd/testdata/script/templates.txtar: not every server gives",
	"`append`, `indent`, `nindent`, `prepend`, `toYaml` in a YAML template": "convert/template_test.go: functions of newer servers",
	"A list that `drone jsonnet` is not told of with `--stream`":            "cmd/testdata/script/generate.txtar: which is not a document",
	"`drone starlark --build.source`, `--build.target`":                     "cmd/testdata/script/generate.txtar: push master master",
	"What a Starlark program prints":                                        "cmd/testdata/script/generate.txtar: stderr '^drone: printed$'",
	"`load` of Starlark":                                                    "convert/template_test.go: load from outside of the working tree",
	"Programs without end":                                                  "convert/template_test.go: func TestEndless",
	"A file for Drone 0.4 to 0.8":                                           "cmd/testdata/script/exec_legacy.txtar: one/test",
	"Documents of kind `cron`, `registry`, or of an unknown kind":           "compile/kind_test.go: func TestKindsAndTypes",

	// Choosing what runs
	"Which pipelines run": "cmd/testdata/script/exec_pipelines.txtar: want-push.txt",
	"`trigger`":           "compile/testdata/substitution.golden.json: not-substituted",
	"Event, branch, commit, author, tag, repository": "cmd/testdata/script/env.txtar: # git remote origin",
	"`clone` step": "compile/testdata/workspace.yml: depends_on: [clone]",
	"`--include`":  "cmd/testdata/script/compile_flags.txtar: --include build --include 'te*'",
	"An unknown name after `--pipeline`, `--include`, `--exclude`": "cmd/testdata/script/exec_unknown_names.txtar: status 2 drone exec --include tset",
	"`--resume-at`, `--repo`":                                      "cmd/testdata/script/compile_flags.txtar: --resume-at test",
	"`--timeout`":                                                  "cmd/testdata/script/exec_interrupt.txtar: --timeout 3s",
	"`drone lint`":                                                 "cmd/testdata/script/lint.txtar: drone lint types.yml",
	"`drone fmt`":                                                  "cmd/testdata/script/fmt.txtar: cmp stdout want.yml",
	"`drone sign --save`":                                          "sign/hmac_test.go: func TestSavedLeavesTheRest",
	"`drone sign` of a program, a template or a file for an old version":                                       "cmd/testdata/script/sign.txtar: which drops the signature",
	"A file `.env` in the current directory, with commands that ask a server":                                  "cmd/server_access_test.go: the server of the file, a token of the environment",
	"`drone build last`, `drone cron add` without `--branch`":                                                  "cmd/testdata/script/remote_cron.txtar: The default branch is that of the repository",
	"`drone build info` without a number":                                                                      "cmd/testdata/script/remote_build.txtar: Without a number it is the newest of any branch",
	"`drone build ls` with filters":                                                                            "cmd/testdata/script/remote_build.txtar: --status failure --event push",
	"`drone build create`, `restart`, `promote`, `rollback`, `drone cron exec` when the server starts nothing": "cmd/testdata/script/remote_build.txtar: the server has started no build for octo/hello",
	"`drone build restart --param` with a parameter that the build had":                                        "cmd/testdata/script/remote_build.txtar: and a restart keeps its value",
	"`drone secret add`, `drone orgsecret add`, `drone template add` of what is there":                         "cmd/testdata/script/remote_secret.txtar: updated the secret key of octo/hello",
	"`drone cron add` with five fields, as in a crontab":                                                       "internal/cronspec/cronspec_test.go: func TestCrontab",
	"`drone repo update` with a setting of administrators, by somebody else":                                   "cmd/testdata/script/remote_repo.txtar: the server has passed over --trusted",
	"`drone user add --token`":                                                                                 "cmd/testdata/script/remote_user.txtar: --token is not clear here",
	"What deletes something on a server":                                                                       "cmd/testdata/script/remote_secret.txtar: and there is no terminal to ask on",
	"`drone plugins convert` where the extension does nothing":                                                 "cmd/remote_plugins_test.go: nothing to convert",
	"`drone plugins registry list`, and masked variables of `drone plugins env`":                               "cmd/remote_plugins_test.go: hunter2",
	"`DRONE_REGISTRY_VERIFY`, `DRONE_SECRET_VERIFY`":                                                           "cmd/remote_plugins.go: would mean the contrary",
	"What lists print without `--format`":                                                                      "cmd/remote_live_test.go: func TestTablesFitTheTerminal",
	"`drone server env`":                                                                                       "cmd/testdata/script/remote_autoscale.txtar: Remove-Item Env:",
	"Refusals of a server, and servers that cannot be reached":                                                 "cmd/testdata/script/remote_build.txtar: 3 for a server that",
	"A Drone server that does not answer, redirects, or is none":                                               "remote/remote_test.go: func TestTimeout",
	"`drone encrypt` of an empty value":                                                                        "cmd/testdata/script/encrypt.txtar: the value is empty",
	"`drone encrypt --allow-pull-request`, `--allow-push-on-pull-request`":                                     "cmd/testdata/script/encrypt.txtar: --allow-pull-request has no effect",
	"`type: exec`":                                   "cmd/testdata/script/exec_host.txtar: which needs --host",
	"Pipelines that could run side by side":          "cmd/testdata/script/exec_isolate_out.txtar: run at the same time: these two",
	"The working tree while steps run":               "cmd/testdata/script/exec_isolate.txtar: cmp stdout ../before.txt",
	"`platform.os: windows` and others":              "compile/testdata/pipelines-push.golden.json: platform.os is windows",
	"Other types":                                    "compile/kind_test.go: func TestDependsOnOtherKinds",
	"`paths`, `changeset`":                           "cmd/testdata/script/plan_paths.txtar: paths",
	"What changed files are counted from":            "internal/facts/changes_test.go: base given",
	"Names of a renamed file":                        `internal/facts/changes_test.go: {"renamed"`,
	"Changed files that cannot be known":             "internal/facts/changes_test.go: shallow clone, fork cut off",
	"Patterns of `changeset`":                        "manifest/parse_test.go: {changeset: {includes: [a], excludes: [b]}}",
	"A pipeline of which `changeset` leaves no step": "compile/changes_test.go: changeset",
	"`[ci skip]` in the message":                     "cmd/testdata/script/skip_directive.txtar: a server would skip this build",

	// Running without containers
	"The workspace":                "cmd/testdata/script/exec_host.txtar: cmp tracked.txt changed.txt",
	"`platform` that is not given": `compile/testdata/host.golden.json: "DRONE_STAGE_OS": "linux"`,
	"A dependency on a step that does not exist, or a cycle":                                   `cmd/testdata/script/exec_host.txtar: depends on "nowhere"`,
	"`services`, `volumes`, `environment` of the pipeline, and what else only containers have": "compile/testdata/host-mistakes.golden.json: [no-effect]",
	"`failure: fast`":                         "compile/testdata/host-mistakes.golden.json: [unknown-failure]",
	"Steps for any status after exit code 78": "cmd/testdata/script/exec_host.txtar: drone exec early.yml",
	"Background processes at the end of a step, and children of a step that is cancelled": "exec/host/session_test.go: func TestNothingOutlivesItsStep",
	"A step that is ended by a signal":                      `exec/host/session_test.go: {"a signal ends the shell"`,
	"Scripts of steps whose names differ in signs only":     "exec/host/session_test.go: func TestScriptsOfAlikeNames",
	"Variables of newer runners, such as `DRONE_CARD_PATH`": "compile/testdata/host.golden.json: DRONE_CARD_PATH",
	"`DRONE_HOST_STEP`":                                     "exec/host/session_test.go: in a session",
	"Secrets in the output":                                 "cmd/testdata/script/exec_host.txtar: # Secrets are masked",
	"An `environment` with a null value":                    `compile/testdata/host.golden.json: "NOTHING": ""`,

	// Running
	"How a script reaches the shell":                                                  "cmd/testdata/script/exec_scripts.txtar: echo nothing to read",
	"Backslashes in commands under dash":                                              `exec/docker/script_test.go: {name: "backslashes"`,
	"The shell of the commands":                                                       "cmd/testdata/script/exec_environment.txtar: process 1$",
	"The `+ command` line":                                                            `exec/docker/script_test.go: {name: "backquotes run once"`,
	"`return 0` outside of functions":                                                 `exec/host/session_test.go: {"a return of 0"`,
	"Length of a script":                                                              "cmd/testdata/script/exec_scripts.txtar: the end of a long script",
	"An image with the tag `latest`, or none, or with `pull: always`":                 `exec/docker/image_test.go: {name: "always, offline"`,
	"An untagged image that exists only here":                                         "exec/docker/engine_test.go: func TestLatestWithoutARegistry",
	"Output on stdout and stderr":                                                     "exec/enginetest/output.go: output: stdout and stderr",
	"Images that are missing without a network":                                       "cmd/testdata/script/exec_offline.txtar: status 2 drone exec --offline",
	"A registry that refuses an image":                                                "exec/docker/explain_test.go: login of a file",
	"An image for another processor than the engine's, or than the pipeline asks for": "exec/docker/registry_test.go: func TestForeignImage",
	"Errors within a pull":                                                            "exec/docker/image_test.go: serve: inStream",
	"A service or detached step that does not start, or ends badly":                   "exec/testdata/events/service_cannot_be_run.txt: warning",
	"Steps that wait for a service":                                                   "exec/parallel_test.go: func TestServiceIsLaunchedBeforeItsDependents",
	"When the container of a step is made and started":                                "cmd/testdata/script/exec_lookahead.txtar: cannot tell",
	"`failure: fast` on a step that is left out":                                      "exec/testdata/events/fast_step_that_is_left_out.txt: p finished: success",
	"`:ro` of `--volume`":                                                             "cmd/testdata/script/exec_services_volumes.txtar: Read-only file system",
	"Colours":                                                                         "cmd/testdata/script/exec_output.txtar: No escape sequence reaches a file",
	"Files that steps create in the mounted directory":                                "cmd/giveback_unix_test.go: func TestGiveBack",
	"A second signal":                                                                 "cmd/testdata/script/exec_second_signal.txtar: twice INT INT ready",
	"`drone` is killed, or its terminal is closed":                                    "cmd/chaos_test.go: func TestChaos",
	"Output":                              "cmd/testdata/script/exec_output.txtar: no newline at the end",
	"Line numbers in front of the output": "cmd/testdata/script/exec_pipelines.txtar: ^\\[publish:2\\] release 2.0.0$",
	"Lines with a card for the server's page (`ESC ]1338;`)": "cmd/testdata/script/exec_output.txtar: 1338",
	"Volumes of memory": "cmd/testdata/script/exec_services_volumes.txtar: medium: memory",
	"API version":       "exec/docker/reach_test.go: speaks version 1.24 of the Docker API",

	// Secrets
	"`kind: secret` documents with `data` or `get`":                                          "cmd/testdata/script/exec_secret_documents.txtar: The key decrypts",
	"A secret document without a name, without a source, or for a name that another one has": "compile/testdata/secrets.golden.json: [duplicate-secret]",
	"A missing secret":                           "cmd/testdata/script/exec_secrets.txtar: 2 secrets missing, nothing was run",
	"A missing secret of `image_pull_secrets`":   "cmd/testdata/script/field_pipeline.txtar: for image_pull_secrets, the logins of docker are used",
	"A secret file that is missing or malformed": "cmd/testdata/script/exec_secrets.txtar: broken.env:2",
	"Event `pull_request`":                       "cmd/testdata/script/exec_secrets.txtar: --event pull_request",
	"Where values are masked":                    "exec/testdata/events/secrets_are_masked.txt: other steps, too: ******",
	"Overlapping values":                         `exec/mask_test.go: "the longest wins"`,
	"Values across the borders of output blocks": "cmd/testdata/script/exec_secrets.txtar: in two writes",
	"The shortest value that is masked":          `exec/mask_test.go: "two characters"`,
	"Variables of the caller such as `DRONE_TOKEN`, that end in `TOKEN`, `SECRET` or `PASSWORD`": "cmd/testdata/script/compile_flags.txtar: sekrit",
	"Password of the git login": "cmd/testdata/script/exec_environment.txtar: ! stdout hunter2",

	// Exit statuses
	"Docker cannot be reached":                           "cmd/testdata/script/exec_engine_unreachable.txtar: status 3 drone exec",
	"An image cannot be had, a container cannot be made": "cmd/testdata/script/exec_machinery.txtar: at image.yml:5:10",
	"A bad flag or file":                                 "cmd/testdata/script/exec_bad_files.txtar: status 2 drone exec",
	"A time limit":                                       "cmd/testdata/script/exec_interrupt.txtar: status 124",
	"Interrupted, terminated":                            "cmd/testdata/script/exec_interrupt.txtar: TERM started 143",

	// The same, said aloud
	"Unknown keys; values of `failure`, `pull`, `status`, `event` that do not exist":                    "compile/testdata/mistakes.golden.json: [unknown-failure]",
	"Keys in front of a merge key `<<`":                                                                 "manifest/testdata/problems/merge-order.golden: [merge-order]",
	"The same key twice":                                                                                "manifest/testdata/problems/duplicates.golden: [duplicate-key]",
	"`${name}` of a name that no build defines":                                                         "compile/testdata/substitution.golden.json: [undefined-variable]",
	"`${VAR:?x}`, `${VAR:+x}`":                                                                          "manifest/substitute_test.go: func TestOperators",
	"`${VAR/#x/}`, `${VAR/%x/}`, `${VAR%[xy]}`":                                                         "manifest/substitute_test.go: func TestOperators",
	"A substituted value with ` #`, `: ` or a bracket, outside of quotes":                               "manifest/substitute_test.go: func TestInserted",
	"`${VAR}` in `trigger`, `depends_on`, `platform` and the name of a pipeline":                        "compile/lossy_test.go: func TestAsWritten",
	"Numbers and booleans in `settings`":                                                                "compile/lossy_test.go: func TestSettingWarnings",
	"A comma in an item of a list in `settings`":                                                        "compile/lossy_test.go: setting-comma",
	"`from_secret` in the `environment` of a pipeline, text in place of a list, and other wrong shapes": "manifest/testdata/problems/shapes-pipeline.golden: only steps and services can have secrets",
	"A variable of the build in the `environment` of a step":                                            "cmd/testdata/script/exec_environment.txtar: cannot set DRONE_BRANCH",
	"Variables without a value":                                                                         `exec/environ_test.go: "empty values are dropped"`,
	"`DRONE_*` variables of the caller":                                                                 "cmd/testdata/script/exec_environment.txtar: DRONE_OWN=from-the-caller",
	"`CI_REPO_NAME`, `CI_BUILD_LINK`":                                                                   `compile/variable_test.go: "names that mislead"`,
	"One `depends_on` in a pipeline":                                                                    "report/plan_test.go: func TestPlanShowsEdges",
	"A failure in one branch of a graph":                                                                "exec/parallel_test.go: func TestFailureInOneBranchStopsTheOther",
	"Several failed steps":                                                                              "exec/scenes_test.go: first_bad_step_of_the_list_decides",
	"`failure: ignore`":                                                                                 "cmd/testdata/script/exec_failure.txtar: ignored-start.yml",
	"Exit code 78":                                                                                      "exec/scenes_test.go: exit_78_leaves_always_steps_without_effect",
	"A service":                                                                                         "exec/scenes_test.go: service_ends_with_the_pipeline",
	"An interrupt, the time limit of the run":                                                           "exec/testdata/events/cancel.txt: default/notify skipped",
	"A workspace in a folder of the system, such as `/etc`":                                             "compile/testdata/oddities.golden.json: [restricted-workspace]",
	"`trigger.instance`":                                                                                "compile/testdata/oddities.golden.json: trigger.instance is never evaluated",
	"A dependency on a document of an unknown kind":                                                     "compile/testdata/oddities.golden.json: [phantom-pipeline]",
	"`trigger.status` of a pipeline without `depends_on`":                                               "compile/testdata/oddities.golden.json: trigger.status has no say",
	"`workspace.base`":                                                                                  "compile/testdata/workspace-mounted.golden.json: /go/src/app",
	"`HOME` of a user that the image does not know":                                                     "cmd/testdata/script/exec_environment.txtar: stranger",
	"Upper and lower case in names of secrets":                                                          "internal/secrets/secrets_test.go: exact first, then the last",
	"Encodings of a secret, such as base64":                                                             `exec/mask_test.go: "encoded"`,
	"What only trusted repositories may have: `privileged`, host volumes, devices and others":           "cmd/testdata/script/exec_trust.txtar: asks for 6 privileges that nobody has agreed to",
	"Jsonnet imports":                                                                                   "convert/convert_test.go: TestImportsWithin",
	"Privileged plugins with variables, settings or a workspace that can make them run what the file chooses, such as `LD_PRELOAD`": "compile/trust_test.go: TestSteeredPlugin",
	"Privileged plugins": `compile/image_test.go: "of runners after 1.8.3"`,
}

// TestParityIsProved: no row about a subject in docs/parity.md is without a test,
// and no test is named that is gone.
func TestParityIsProved(t *testing.T) {
	text, err := os.ReadFile("../docs/parity.md")
	if err != nil {
		t.Fatal(err)
	}
	rows, inTable := map[string]bool{}, false
	for line := range strings.Lines(string(text)) {
		subject, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " | ")
		if subject == "Subject" || !strings.HasPrefix(line, "|") {
			inTable = subject == "Subject"
			continue
		}
		if !inTable || strings.HasPrefix(line, "|-") {
			continue
		}
		if rows[subject] {
			t.Errorf("there are two rows %q", subject)
		}
		rows[subject] = true
		if parityTests[subject] == "" {
			t.Errorf("the row %q has no test in parityTests", subject)
		}
	}
	for subject, place := range parityTests {
		if !rows[subject] {
			t.Errorf("there is no row %q", subject)
		}
		file, words, _ := strings.Cut(place, ": ")
		test, err := os.ReadFile(filepath.Join("..", file))
		if err != nil {
			t.Errorf("%q: %v", subject, err)
		} else if !strings.Contains(string(test), words) {
			t.Errorf("%q: %s does not have %q", subject, file, words)
		}
	}
}
