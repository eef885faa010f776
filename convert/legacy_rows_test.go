package convert

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/drone-laptop/drone/manifest"
)

// TestLegacyRows has a golden file for each row of the tables that say what
// becomes of what. NAME@VERSION.yml is read as a file for that version.
func TestLegacyRows(t *testing.T) {
	for section, archive := range legacyRows(t) {
		files := map[string]string{}
		for _, f := range archive.Files {
			files[f.Name] = string(f.Data)
		}
		var out []txtar.File
		for _, f := range archive.Files {
			row, ok := strings.CutSuffix(f.Name, ".yml")
			if !ok {
				continue
			}
			want, ok := files[row+".golden"]
			if !ok {
				t.Errorf("%s/%s has no golden file", section, row)
			}
			got := convertedRow(t, section+"/"+row, f.Data)
			out = append(out, f, txtar.File{Name: row + ".golden", Data: []byte(got)})
			if diff := cmp.Diff(want, got); diff != "" && !*update {
				t.Errorf("%s/%s: run with -update if this is meant (-want +got):\n%s", section, row, diff)
			}
		}
		if *update {
			text := txtar.Format(&txtar.Archive{Comment: archive.Comment, Files: out})
			if err := os.WriteFile(rowsOf(section), text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func rowsOf(section string) string { return "testdata/legacy/rows/" + section + ".txtar" }

func legacyRows(t *testing.T) map[string]*txtar.Archive {
	t.Helper()
	names, err := filepath.Glob(rowsOf("*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("there are no rows: %v", err)
	}
	out := map[string]*txtar.Archive{}
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(filepath.Base(name), ".txtar")] = archive
	}
	return out
}

// convertedRow is what a row becomes without what all files become, and what is
// told of it.
func convertedRow(t *testing.T, row string, source []byte) string {
	t.Helper()
	_, version, _ := strings.Cut(row, "@")
	c, err := Legacy("f.yml", source, LegacyOptions{Version: version})
	if err != nil {
		t.Errorf("%s: %v", row, err)
		return ""
	}
	if _, problems := manifest.Parse("f.yml", c.Text, func(string) (string, bool) { return "x", true }); len(problems) > 0 && problems[0].Severity == manifest.Error {
		t.Errorf("%s becomes what cannot be read: %s", row, problems[0].Message)
	}
	var b strings.Builder
	b.WriteString(strings.TrimPrefix(string(c.Text), "---\nkind: pipeline\ntype: docker\nname: default\n"))
	for _, n := range c.Notes {
		fmt.Fprintf(&b, "# %d:%d %s: %s\n", n.Span.Start.Line, n.Span.Start.Column, n.Severity, n.Message)
	}
	return b.String()
}

// TestLegacyRowsDemanded wants a row for each key that the tables of the formats
// have, and for each row of the table that users read.
func TestLegacyRowsDemanded(t *testing.T) {
	archives := legacyRows(t)
	has := func(section, row string) bool {
		for _, f := range archives[section].Files {
			name, ok := strings.CutSuffix(f.Name, ".yml")
			if short, _, _ := strings.Cut(name, "@"); ok && (name == row || short == row || strings.HasPrefix(short, row+"-")) {
				return true
			}
		}
		return false
	}
	for section, rows := range map[string]string{
		"document": "workspace clone services order duplicate branches platform labels cache networks volumes secrets skip-clone unknown anchors merge documents",
		"step": "name image pull detach privileged environment labels entrypoint command commands volumes volumes-from devices tmpfs network-mode networks " +
			"ipc-mode sysctls extra-hosts dns mem-limit memswap-limit ulimits cpu oom-kill-disable auth-config group secrets settings build ci old-variables gone-variables",
		"parameters":   "text bool integer integer-large float date list list-nested map html null dash service secret",
		"when":         "branch branch-exclude event event-deployment environment ref repo instance status status-changed platform local unknown plugin matrix",
		"matrix":       "product include environment empty-and-false operations built-in null alone-empty same-name lines",
		"substitution": "escape backslash part pattern renamed shell names image environment commands command",
		"v04":          "build build-map script compose publish deploy notify notify-switches order clone cache matrix branches debug net when-branch when-event when-change secret duplicate",
		"v05":          "clone clone-no-image clone-top localhost group signed",
	} {
		for row := range strings.FieldsSeq(rows) {
			if !has(section, row) {
				t.Errorf("there is no golden file for %s/%s", section, row)
			}
		}
	}
	text, err := os.ReadFile("../docs/legacy.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "## What becomes of what")
	told := 0
	for _, m := range regexp.MustCompile(`(?m)^\| ([^|]+) \|`).FindAllStringSubmatch(table, -1)[1:] {
		if strings.HasPrefix(m[1], "--") {
			continue
		}
		told++
		rows := documentedRows[m[1]]
		if len(rows) == 0 {
			t.Errorf("docs/legacy.md tells of %s: say here which golden files show it", m[1])
		}
		for _, row := range rows {
			section, name, _ := strings.Cut(row, "/")
			if archives[section] == nil || !has(section, name) {
				t.Errorf("there is no golden file %s for %s", row, m[1])
			}
		}
	}
	if told != len(documentedRows) {
		t.Errorf("docs/legacy.md has %d rows, and %d are expected", told, len(documentedRows))
	}
}

// documentedRows are the golden files for what docs/legacy.md tells.
var documentedRows = map[string][]string{
	"a step, its `name`":                     {"step/name", "document/duplicate"},
	"`image`, none in 0.5":                   {"step/image", "v04/publish"},
	"`pull: true`, none":                     {"step/pull"},
	"`group`":                                {"step/group"},
	`other keys of a plugin`:                 {"parameters/text", "parameters/float", "step/settings", "step/not-known"},
	"`secrets`":                              {"step/secrets", "step/secrets-parameter"},
	"`${SECRET}` in 0.5":                     {"substitution/environment", "substitution/commands", "parameters/secret"},
	"`$CI`":                                  {"step/ci"},
	"a variable of Drone in `environment`":   {"step/environment-built-in"},
	"`environment` as a list":                {"step/environment-list"},
	"`command`, `entrypoint` as text":        {"step/command-text"},
	"`volumes`, `tmpfs`, `devices`":          {"step/volumes", "step/tmpfs", "step/devices"},
	"`when.environment`, event `deployment`": {"when/environment", "when/event-deployment"},
	"`when.matrix`, `when.platform`":         {"when/matrix", "when/platform"},
	"`when.local: false`":                    {"when/local"},
	"`when.status: changed`":                 {"when/status-changed"},
	"patterns with `**` or braces":           {"when/branch", "when/branch-braces"},
	"`clone`":                                {"document/clone", "document/clone-depth"},
	"`workspace`, none":                      {"document/workspace"},
	"`matrix`":                               {"matrix/product", "matrix/include"},
	"`branches`":                             {"document/branches"},
	"`platform`, `labels`":                   {"document/platform", "document/labels"},
	"`secrets` at the top":                   {"document/secrets"},
	"`CI_TAG`, `DRONE_JOB_NUMBER`, …":        {"step/old-variables"},
}
