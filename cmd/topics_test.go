package cmd

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/internal/manual"
	"github.com/drone-laptop/drone/manifest"
)

func readText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestStatusesOfTheReadme compares the table of README.md with the topic, and
// both with the statuses that there are.
func TestStatusesOfTheReadme(t *testing.T) {
	_, table, found := strings.Cut(readText(t, "../README.md"), "| Status | Meaning |\n|---|---|\n")
	if !found {
		t.Fatal("README.md has no table of exit statuses")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	var want []string
	for _, s := range exitStatuses {
		want = append(want, "| "+s.status+" | "+s.meaning+" |")
	}
	if got := strings.ReplaceAll(table, "`", ""); got != strings.Join(want, "\n") {
		t.Errorf("README.md has\n%s\nthe topic\n%s", got, strings.Join(want, "\n"))
	}
	for _, m := range regexp.MustCompile(`(?m)^\tStatus\w+\s+= (\d+)`).FindAllStringSubmatch(readText(t, "status.go"), -1) {
		if !regexp.MustCompile(`(?m)^  (\d+, )?` + m[1] + `\b`).MatchString(statusText()) {
			t.Errorf("status %s is not explained", m[1])
		}
	}
}

func TestEventsAreExplained(t *testing.T) {
	for _, e := range manifest.Events() {
		if eventTopics[e] == "" {
			t.Errorf("event %s is not explained", e)
		}
	}
	if len(eventTopics) != len(manifest.Events()) {
		t.Errorf("%d events are explained, there are %d", len(eventTopics), len(manifest.Events()))
	}
	flags := newExec(Streams{}, "").Flags()
	for _, m := range regexp.MustCompile(`--([a-z-]+)`).FindAllStringSubmatch(eventsText(), -1) {
		if flags.Lookup(m[1]) == nil {
			t.Errorf("there is no flag --%s", m[1])
		}
	}
}

// TestEnvironmentIsExplained looks for the variables that the code reads.
func TestEnvironmentIsExplained(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	explained := regexp.MustCompile(`[A-Z][A-Z_]+`).FindAllString(environmentText(), -1)
	read := regexp.MustCompile(`(?:getenv|LookupEnv|environment\[)\(?"([A-Z_]+)"|= "(DRONE_[A-Z_]+)"`)
	n := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, m := range read.FindAllStringSubmatch(readText(t, file), -1) {
			n++
			if name := m[1] + m[2]; !slices.Contains(explained, name) {
				t.Errorf("%s reads %s, which `drone help environment` does not explain", file, name)
			}
		}
	}
	if n < 15 {
		t.Errorf("only %d variables are read", n)
	}
}

func TestHelpOfTopics(t *testing.T) {
	for _, c := range []struct{ words, want, wrong string }{
		{"help exit-status", "a time limit ended the run", ""},
		{"help exec", "drone exec [FILE]", ""},
		{"help runs rm", "drone runs rm [RUN…]", ""},
		{"help", "drone help TOPIC", ""},
		{"help help", "exit-status", ""},
		{"help exit-satus", "", "did you mean `drone help exit-status`?"},
		{"help exec nothing", "", "no command or topic exec nothing"},
	} {
		var out, errs bytes.Buffer
		s := Streams{Out: &out, Err: &errs, LookupEnv: func(string) (string, bool) { return "", false }}
		status := Main(strings.Fields(c.words), s, Build{})
		if !strings.Contains(out.String(), c.want) || !strings.Contains(errs.String(), c.wrong) || (status == 0) != (c.wrong == "") {
			t.Errorf("%s: status %d\n%s%s", c.words, status, out.String(), errs.String())
		}
	}
	for _, topic := range topics() {
		for line := range strings.SplitSeq(topic.Text, "\n") {
			if len(line) > 100 {
				t.Errorf("%s: too wide: %s", topic.Name, line)
			}
		}
		if !strings.Contains(New(Streams{}, Build{}).Long, topic.Name) {
			t.Errorf("`drone --help` does not name the topic %s", topic.Name)
		}
	}
}

// TestManual sees to it that there is a page for each command, with all that
// its help has, and that no text is taken for a request.
func TestManual(t *testing.T) {
	root := New(Streams{}, Build{})
	pages := manual.Pages(root, topics(), "v1.2.3")
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		name := strings.ReplaceAll(c.CommandPath(), " ", "-") + ".1"
		page := strings.NewReplacer(`\-`, "-", `\e`, `\`, `\(ga`, "`", `\(aq`, "'").Replace(string(pages[name]))
		if page == "" {
			t.Errorf("%s has no page", name)
		}
		for _, text := range []string{c.Short, c.UseLine()} {
			if !strings.Contains(page, strings.ReplaceAll(text, "…", "...")) {
				t.Errorf("%s does not have %q", name, text)
			}
		}
		c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && !strings.Contains(page, "--"+f.Name) {
				t.Errorf("%s does not have --%s", name, f.Name)
			}
		})
		for _, child := range c.Commands() {
			if child.IsAvailableCommand() {
				walk(child)
			}
		}
	}
	walk(root)
	known := regexp.MustCompile(`^(\.(TH|SH) "|\.(TP|PP|nf|fi)$|[^.'])`)
	for name, page := range pages {
		for line := range strings.SplitSeq(strings.TrimSuffix(string(page), "\n"), "\n") {
			if !known.MatchString(line) {
				t.Errorf("%s: %q", name, line)
			}
		}
	}
	if page := string(pages["drone.1"]); !strings.Contains(page, `.SH "EXIT\-STATUS"`) {
		t.Error("drone.1 does not explain exit statuses")
	}
}
