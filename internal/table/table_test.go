package table_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/internal/table"
	"github.com/drone-laptop/drone/report"
)

type build struct {
	number                  int
	status, branch, message string
}

var columns = []table.Column[build]{
	{Name: "Build", Text: func(b *build) string { return fmt.Sprint(b.number) }},
	{Name: "Status", Text: func(b *build) string { return b.status }, Paint: func(b *build) (int, bool) { return report.Red, b.status == "failure" }},
	{Name: "Branch", Text: func(b *build) string { return b.branch }, Optional: true},
	{Name: "Link", Text: func(b *build) string { return fmt.Sprint("https://x/", b.number) }, Single: true},
	{Name: "Message", Text: func(b *build) string { return b.message }},
}

var builds = []build{
	{7, "success", "main", "mend the tests\n\nand why"},
	{12, "failure", "", "日本語 \x1b]0;title\a" + strings.Repeat(" long", 10)},
}

func written(t *testing.T, things []build, form table.Form) []string {
	t.Helper()
	var b strings.Builder
	if err := table.Write(&b, things, columns, form); err != nil {
		t.Fatal(err)
	}
	return strings.Split(b.String(), "\n")
}

// TestWriteToAFile: nothing is cut, and nothing is coloured.
func TestWriteToAFile(t *testing.T) {
	want := []string{
		"BUILD  STATUS   BRANCH  MESSAGE",
		"7      success  main    mend the tests",
		`12     failure  -       日本語 \x1b]0;title\a` + strings.Repeat(" long", 10),
		"",
	}
	if diff := cmp.Diff(want, written(t, builds, table.Form{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestWriteFits: no line is wider than the terminal, also where a column before
// the last is, and none ends with a space.
func TestWriteFits(t *testing.T) {
	things := append([]build{{1, "success", strings.Repeat("branch/", 8), "x"}, {2, "failure", "main", "y"}}, builds...)
	for width := 1; width < 120; width++ {
		lines := written(t, things, table.Form{Width: width, Style: report.NewStyle(true)})
		if len(lines) != len(things)+2 {
			t.Fatalf("at %d columns there are %d lines", width, len(lines))
		}
		for _, line := range lines {
			plain := ansi.Strip(line)
			if wide := ansi.StringWidth(plain); wide > width || strings.HasSuffix(plain, "  ") {
				t.Errorf("at %d columns a line has %d: %q", width, wide, line)
			}
		}
	}
	if line := written(t, builds, table.Form{Width: 80, Style: report.NewStyle(true)})[2]; !strings.Contains(line, "\x1b[31mfailure") {
		t.Errorf("no colour: %q", line)
	}
}

func TestWriteOne(t *testing.T) {
	var b strings.Builder
	if err := table.WriteOne(&b, &build{3, "failure", "", "one\n\x1b[2Jtwo\n"}, columns, table.Form{Style: report.NewStyle(true)}); err != nil {
		t.Fatal(err)
	}
	want := "Build:   3\nStatus:  \x1b[31mfailure\x1b[0m\nLink:    https://x/3\nMessage: one\n         \\x1b[2Jtwo\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

type full struct{}

var errFull = errors.New("no space left")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteFails(t *testing.T) {
	for name, err := range map[string]error{
		"table": table.Write(full{}, builds, columns, table.Form{}),
		"thing": table.WriteOne(full{}, &builds[0], columns, table.Form{}),
	} {
		if !errors.Is(err, errFull) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 59 * time.Second: "59s", time.Minute: "1m", 59 * time.Minute: "59m", 47 * time.Hour: "47h", 48 * time.Hour: "2d", 1000 * time.Hour: "41d",
	} {
		if got := table.Age(d); got != want {
			t.Errorf("%s is written as %s, want %s", d, got, want)
		}
	}
}

func ExampleWrite() {
	type file struct {
		name string
		size int
	}
	err := table.Write(os.Stdout, []file{{"a.log", 12}, {"longer.log", 3}}, []table.Column[file]{
		{Name: "Name", Text: func(f *file) string { return f.name }},
		{Name: "Size", Text: func(f *file) string { return fmt.Sprint(f.size) }},
	}, table.Form{})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// NAME        SIZE
	// a.log       12
	// longer.log  3
}
