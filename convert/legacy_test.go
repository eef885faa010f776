package convert

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/internal/testenv"
	"github.com/drone-laptop/drone/manifest"
)

func legacyFixtures(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/legacy/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	return files
}

// TestLegacy compares what each file becomes, and what is told of it, with a
// golden file.
func TestLegacy(t *testing.T) {
	for _, input := range legacyFixtures(t) {
		t.Run(filepath.Base(input), func(t *testing.T) {
			source, err := os.ReadFile(input)
			if err != nil {
				t.Fatal(err)
			}
			c, err := Legacy(filepath.Base(input), source, LegacyOptions{Link: "https://example.com/ada/hello"})
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			fmt.Fprintf(&b, "# Drone %s\n%s", c.Version, c.Text)
			b.WriteString("\n# Notes:\n")
			for _, n := range c.Notes {
				fmt.Fprintf(&b, "# %d:%d-%d %s: %s\n", n.Span.Start.Line, n.Span.Start.Column, n.Span.End.Column, n.Severity, n.Message)
				if n.Hint != "" {
					fmt.Fprintf(&b, "#   %s\n", n.Hint)
				}
			}
			golden := strings.TrimSuffix(input, ".yml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Errorf("run with -update if this is meant (-want +got):\n%s", diff)
			}
			_, problems := manifest.Parse(input, c.Text, func(string) (string, bool) { return "x", true })
			for _, p := range problems {
				if p.Severity == manifest.Error {
					t.Errorf("%d:%d: %s", p.Span.Start.Line, p.Span.Start.Column, p.Message)
				}
			}
		})
	}
}

// TestLegacyPlaces finds the places that values of the converted text have in
// the file that was converted: it has the same text there.
func TestLegacyPlaces(t *testing.T) {
	for _, input := range legacyFixtures(t) {
		source, err := os.ReadFile(input)
		if err != nil {
			t.Fatal(err)
		}
		c, err := Legacy(input, source, LegacyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		file, _ := manifest.Parse(input, c.Text, func(string) (string, bool) { return "x", true })
		same, all := 0, 0
		for _, d := range file.Documents {
			if d.Pipeline == nil {
				continue
			}
			for _, s := range d.Pipeline.Steps {
				for _, v := range append([]manifest.String{s.Image}, s.Commands...) {
					at := c.Span(v.Span)
					if at.Start.Line == 0 || at.Start.File != input {
						t.Errorf("%s: no place for %q", input, v.Value)
						continue
					}
					all++
					first, _, _ := strings.Cut(v.Value, "\n")
					if strings.HasPrefix(strings.Trim(string(source[at.Start.Offset:]), `"'| `+"\n"), first) {
						same++
					}
				}
			}
		}
		// What has a variable in it has another text than it had.
		changed := regexp.MustCompile("matrix|include|v04|escapes|secrets").MatchString(input)
		if all == 0 || same*10 < all*6 && !changed {
			t.Errorf("%s: %d of %d values are where they are said to be", input, same, all)
		}
	}
}

func TestLegacyRefuses(t *testing.T) {
	many := "matrix: {include: [" + strings.Repeat("{A: b},", 501) + "]}\npipeline: {a: {image: b}}\n"
	bomb := "a: &a [1,2,3,4,5,6,7,8,9,0]\n"
	for c := 'b'; c <= 'g'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat("*"+string(c-1)+",", 10), ","))
	}
	bomb += "pipeline: {x: {image: y, p: *g}}\n"
	for _, tc := range []struct {
		name, source string
		opts         LegacyOptions
		want         string
	}{
		{name: "nothing", source: "pipeline:\n", want: "f.yml:1:1: the file has no steps"},
		{name: "no steps", source: "pipeline:\n  a: {image: b, when: {platform: c}}\n", want: "f.yml:1:1: the conditions leave no step of the file"},
		{name: "list", source: "pipeline:\n- build:\n", want: "f.yml:2:1: `pipeline` is not a map"},
		{name: "no image", source: "pipeline:\n  a:\n    commands: [b]\n", want: `f.yml:2:3: "a" has no image`},
		{name: "when", source: "pipeline:\n  a:\n    image: b\n    when: push\n", want: "f.yml:4:11: `when` of \"a\" is not a map"},
		{name: "secret", source: "pipeline:\n  a:\n    image: b\n    secrets: c\n", want: `f.yml:4:14: the secrets of "a" are not a list`},
		{name: "target", source: "pipeline:\n  a:\n    image: b\n    secrets:\n    - source: c\n", want: `f.yml:5:7: a secret of "a" has no source or no target`},
		{name: "environment", source: "pipeline:\n  a:\n    image: b\n    environment: {A: [b]}\n", want: `f.yml:4:22: the variable A of "a" is not a text`},
		{name: "commands", source: "pipeline:\n  a:\n    image: b\n    commands: {c: d}\n", want: "f.yml:4:15: `commands` of \"a\" are not a list of text"},
		{name: "syntax", source: "pipeline:\n  a: [\n", want: "f.yml:"},
		{name: "version", source: "pipeline: {}\n", opts: LegacyOptions{Version: "0.3"}, want: `there is no format of Drone "0.3"`},
		{name: "matrix", source: "matrix: {A: b}\npipeline: {a: {image: b}}\n", want: "f.yml:1:13: the values of A in the matrix are not a list of text"},
		{name: "empty values", source: "matrix: {A: [], B: [c]}\npipeline: {a: {image: b}}\n", want: "f.yml:1:10: A in the matrix has no values"},
		{name: "include", source: "matrix: {include: {A: b}}\npipeline: {a: {image: b}}\n", want: "f.yml:1:19: `include` of the matrix is not a list"},
		{name: "many", source: many, want: "f.yml:1:10: the matrix has 501 combinations, and 500 are the most"},
		{
			name: "axis", source: "matrix: {A: [b, c]}\npipeline: {a: {image: b}}\n", opts: LegacyOptions{Axis: map[string]string{"A": "d"}},
			want: "f.yml:1:1: no combination of the matrix has A=d",
		},
		{name: "anchors", source: bomb, want: "the aliases of the document expand to too much data"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Legacy("f.yml", []byte(tc.source), tc.opts)
			var e *Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

// TestLegacyLargeMatrix has as many combinations as Drone made jobs of, and says
// that there are more.
func TestLegacyLargeMatrix(t *testing.T) {
	values := "[" + strings.TrimSuffix(strings.Repeat("v,", 100), ",") + "]"
	c, err := Legacy("f.yml", []byte("matrix:\n  A: "+values+"\n  B: "+values+"\npipeline: {a: {image: b}}\n"), LegacyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(c.Text), "kind: pipeline"); n != 27 {
		t.Errorf("there are %d pipelines, want 27", n)
	}
	if len(c.Notes) != 1 || !strings.Contains(c.Notes[0].Message, "10000 combinations") {
		t.Errorf("got the notes %v", c.Notes)
	}
}

// TestLegacyLargeFile stops at what a matrix makes of a large file.
func TestLegacyLargeFile(t *testing.T) {
	source := "matrix:\n  include:\n" + strings.Repeat("  - A: b\n", 400) + "pipeline:\n" + strings.Repeat("  a: {image: b, commands: [\""+strings.Repeat("c", 1000)+"\"]}\n", 100)
	_, err := Legacy("f.yml", []byte(source), LegacyOptions{})
	if err == nil || !strings.Contains(err.Error(), "f.yml:1:1: the file becomes too large: the matrix has 400 combinations, and ") {
		t.Errorf("got %v", err)
	}
}

// TestLegacyManyOfOne takes no time that grows with the square of what a file has
// many of.
func TestLegacyManyOfOne(t *testing.T) {
	const n = 5000
	for name, source := range map[string]string{
		"one name":    "pipeline:\n" + strings.Repeat("  a: {image: b}\n", n),
		"comments":    "pipeline:\n  a:\n    image: b\n" + strings.Repeat("    # a comment on what is gone\n    cpuset: \"0\"\n", n),
		"a heading":   strings.Repeat("# a line of it\n", 40*n) + "pipeline: {a: {image: b}}\n",
		"secrets":     "pipeline:\n  a:\n    image: b\n    commands:\n" + strings.Repeat("    - '${A} ${B} $${C} \\/'\n", n),
		"expressions": "pipeline:\n  a:\n    image: b\n    commands:\n" + strings.Repeat("    - \"${\"\n", n),
		"volumes":     "pipeline:\n" + strings.Repeat("  a: {image: b, volumes: [ /a ]}\n", n),
	} {
		for _, version := range LegacyVersions() {
			t.Run(name+" for "+version, func(t *testing.T) {
				testenv.Within(t, 10*time.Second, func() {
					// Whether it is a file that can be converted does not matter.
					_, _ = Legacy("f.yml", []byte(source), LegacyOptions{Version: version})
				})
			})
		}
	}
}

// TestLegacyMergedOften reads a file of 600 bytes that has a mapping merged into
// itself in 10^17 ways, and keeps the first value of each key.
func TestLegacyMergedOften(t *testing.T) {
	var b strings.Builder
	b.WriteString("m0: &m0 {p0: zero}\n")
	for i := range 18 {
		fmt.Fprintf(&b, "m%d: &m%d {<<: [%s], p%d: v%d, p0: w%d}\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*m%d,", i), 9), i+1, i+1, i+1)
	}
	b.WriteString("pipeline:\n  a: &a {image: b, <<: [*m18, *m17, *a], p3: own}\n")
	done := make(chan string, 1)
	go func() {
		c, err := Legacy("f.yml", []byte(b.String()), LegacyOptions{})
		if err != nil {
			done <- err.Error()
			return
		}
		done <- string(c.Text)
	}()
	select {
	case got := <-done:
		for _, want := range []string{"p0: w18", "p1: v1", "p3: own", "p18: v18"} {
			if !strings.Contains(got, want) {
				t.Errorf("%s is missing: %s", want, got)
			}
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it does not end")
	}
}

// TestLegacyLargeGroups refuses what would be a graph of millions of edges.
func TestLegacyLargeGroups(t *testing.T) {
	var b strings.Builder
	b.WriteString("pipeline:\n")
	for i := range 4000 {
		fmt.Fprintf(&b, "  s%d: {image: b, group: g%d}\n", i, i/1000)
	}
	_, err := Legacy("f.yml", []byte(b.String()), LegacyOptions{})
	if err == nil || !strings.Contains(err.Error(), "3000000 names") {
		t.Errorf("got %v", err)
	}
}

// TestLegacyPicked finds a combination that Drone made no job of, and one of more
// than can be run at all.
func TestLegacyPicked(t *testing.T) {
	var product, include strings.Builder
	for i := range 100 {
		fmt.Fprintf(&product, "v%d,", i)
	}
	for i := range 10_000 {
		fmt.Fprintf(&include, "{A: v%d, B: v%d},", i, i%2)
	}
	for source, want := range map[string]string{
		"matrix: {A: [" + product.String() + "], B: [" + product.String() + "]}\npipeline: {a: {image: b, commands: [ echo ${DRONE_JOB_NUMBER} ]}}\n": "echo 7104",
		"matrix: {include: [" + include.String() + "]}\npipeline: {a: {image: b, commands: [ echo ${A} ]}}\n":                                         "echo v71",
	} {
		axis := map[string]string{"A": "v71", "B": "v3"}
		if strings.Contains(source, "include") {
			axis["B"] = "v1"
		}
		c, err := Legacy("f.yml", []byte(source), LegacyOptions{Axis: axis})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(c.Text), "kind: pipeline") != 1 || !strings.Contains(string(c.Text), want) || len(c.Notes) > 0 {
			t.Errorf("got %s and %v, want %s", c.Text, c.Notes, want)
		}
	}
}

// TestLegacySecretsElsewhere tells of secrets wherever nothing takes their place.
func TestLegacySecretsElsewhere(t *testing.T) {
	source := "pipeline:\n  a:\n    image: b\n    commands: [ c ]\n    volumes: [ '/v-${TOKEN}:/v' ]\n" +
		"    extra_hosts: [ '${TOKEN}:1' ]\n    when: { branch: { exclude: '${TOKEN}' }, repo: '${DRONE_REPO}' }\n"
	for _, adapt := range []bool{false, true} {
		c, err := Legacy("f.yml", []byte(source), LegacyOptions{Version: Version05, Adapt: adapt})
		if err != nil {
			t.Fatal(err)
		}
		got := map[int]string{}
		for _, n := range c.Notes {
			if strings.Contains(n.Message, "a secret cannot be a part of") {
				got[n.Span.Start.Line] += n.Message
			}
		}
		want := map[int]string{
			5: "a secret cannot be a part of `volumes` of \"a\" any more", 6: "a secret cannot be a part of `extra_hosts` of \"a\" any more",
			7: "a secret cannot be a part of `when` of \"a\" any more",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// TestLegacyMeant: in a plugin every key is valid, also a misspelt one.
func TestLegacyMeant(t *testing.T) {
	source := "pipeline:\n  a:\n    image: b\n    comands: [ c ]\n    command_timeout: 1\n"
	for _, version := range LegacyVersions() {
		c, err := Legacy("f.yml", []byte(source), LegacyOptions{Version: version})
		if err != nil {
			t.Fatal(err)
		}
		var got []manifest.Problem
		for _, n := range c.Notes {
			if strings.Contains(n.Hint, "did you mean") {
				got = append(got, n)
			}
		}
		if len(got) != 1 || got[0].Span.Start.Line != 4 || got[0].Severity != manifest.Warning || got[0].Hint != "did you mean `commands`?" {
			t.Errorf("%s: got %+v", version, got)
		}
	}
}

// TestLegacyEmptyJob has no pipeline for a combination without steps.
func TestLegacyEmptyJob(t *testing.T) {
	c, err := Legacy("f.yml", []byte("matrix: {A: [b, c]}\npipeline: {a: {image: b, when: {matrix: {A: c}}}}\n"), LegacyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(c.Text), "kind: pipeline") != 1 || len(c.Notes) != 1 || c.Notes[0].Span.Start.Column != 14 {
		t.Errorf("got %s and the notes %v", c.Text, c.Notes)
	}
}

func TestLegacyAxis(t *testing.T) {
	source, err := os.ReadFile("testdata/legacy/matrix.yml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := Legacy("f.yml", source, LegacyOptions{Axis: map[string]string{"DATABASE": "none"}})
	if err != nil {
		t.Fatal(err)
	}
	file, _ := manifest.Parse("f.yml", c.Text, nil)
	var names []string
	for _, d := range file.Documents {
		names = append(names, d.Name.Value)
	}
	if diff := cmp.Diff([]string{"1.10-none", "1.11-none"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestLegacyLocal(t *testing.T) {
	source := "clone: {git: {image: plugins/git, tags: true}}\n" +
		"pipeline:\n  a: {image: b, when: {local: false}}\n  c: {image: d}\n"
	c, err := Legacy("f.yml", []byte(source), LegacyOptions{Local: true, Environment: true})
	if err != nil {
		t.Fatal(err)
	}
	file, _ := manifest.Parse("f.yml", c.Text, nil)
	if p := file.Documents[0].Pipeline; len(p.Steps) != 1 || p.Steps[0].Name.Value != "c" {
		t.Errorf("got %s", c.Text)
	}
	if diff := cmp.Diff([]string{"a"}, c.LeftOut); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(string(c.Text), "CI_TAG: ${DRONE_TAG}") {
		t.Errorf("the variables of then are missing: %s", c.Text)
	}
}

// FuzzLegacy converts anything without a panic, into what can be read.
func FuzzLegacy(f *testing.F) {
	for _, input := range legacyFixtures(f) {
		source, err := os.ReadFile(input)
		if err != nil {
			f.Fatal(err)
		}
		for _, version := range append(LegacyVersions(), "") {
			f.Add(source, version)
		}
	}
	f.Fuzz(func(_ *testing.T, source []byte, version string) {
		for _, local := range []bool{false, true} {
			c, err := Legacy("f.yml", source, LegacyOptions{Version: version, Local: local, Environment: local, Adapt: local})
			if err != nil {
				return
			}
			for line := range strings.Count(string(c.Text), "\n") {
				c.Source(manifest.Pos{File: "f.yml", Line: line + 1, Column: 3})
			}
			if plan, _, err := compile.Compile("f.yml", c.Text, compile.Options{Workspace: "/work", Era: c.Version}); err == nil && plan != nil && local {
				c.Adapt(plan)
			}
		}
	})
}
