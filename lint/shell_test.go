package lint_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/drone-laptop/drone/internal/testenv"
	"github.com/drone-laptop/drone/lint"
	"github.com/drone-laptop/drone/manifest"
)

// TestFixesEnd makes all changes that findings propose for a file, and again
// those for what it has become: at last there is none left, and nothing that is
// worse than before.
func TestFixesEnd(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "rules", "*", "*.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		const rounds = 4
		found := lint.Check(file, source, options())
		before, _, _ := lint.Count(found)
		for made, round := 1, 0; made > 0; round++ {
			if round == rounds {
				t.Errorf("%s: after %d rounds there still is something to mend:\n%s", file, rounds, text(t, string(source), found))
				break
			}
			source, made = lint.Apply(source, found)
			found = lint.Check(file, source, options())
		}
		if after, _, _ := lint.Count(found); after > before {
			t.Errorf("%s: %d errors before, and %d after it was mended:\n%s", file, before, after, text(t, string(source), found))
		}
	}
}

// TestLongCommands shows that the time to look at commands grows with their
// length, whatever is in them.
func TestLongCommands(t *testing.T) {
	const bound = 5 * time.Second
	for _, part := range []string{"${a} ", "$a ", "a=1 ", "'", "`", "\\\\", "<<A ", "if ", "echo $A ", "for i ", "-a b ", "export A=", "((", "x && ", "ssh a ", "${a:-"} {
		long := strings.ReplaceAll(strings.Repeat(part, 40_000/len(part)), "'", "''")
		source := "kind: pipeline\nname: default\nsteps:\n- name: a\n  image: golang:1.26\n  environment: {A: {from_secret: a}}\n  commands:\n  - '" +
			strings.Join(chunks(long, 20_000), "'\n  - '") + "'\n"
		t.Run(part, func(t *testing.T) {
			testenv.Within(t, bound, func() { lint.Check("f", []byte(source), options()) })
		})
	}
}

// chunks cuts a text at blanks, lest a line gets too long for a server.
func chunks(text string, size int) []string {
	var out []string
	for len(text) > size {
		cut := size - size%20 // quotes come in pairs
		out = append(out, text[:cut])
		text = text[cut:]
	}
	return append(out, text)
}

// FuzzCommands looks at any command in any quotes: nothing panics, and every
// place is within the file.
func FuzzCommands(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "rules", "*", "*.yml"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(source))
	}
	for _, command := range []string{"echo '", "cat <<", "cat <<A\n", "\\", "a=(", "$", "echo \"\\", "`", "x <<-'E\nO", "ssh ", "|tee", "&", "exit 0"} {
		f.Add(step(command))
	}
	f.Fuzz(func(t *testing.T, source string) {
		for _, text := range []string{source, step(source)} {
			for _, found := range lint.Check("f", []byte(text), options()) {
				inside(t, text, found.Span)
				for _, r := range found.Related {
					inside(t, text, r.Span)
				}
				if found.Fix != nil {
					inside(t, text, found.Fix.Span)
				}
			}
		}
	})
}

// step is a file with one command, twice.
func step(command string) string {
	block := "  - |\n    " + strings.ReplaceAll(command, "\n", "\n    ") + "\n"
	return "kind: pipeline\nname: a\nsteps:\n- name: a\n  image: golang:1.26\n  environment: {TOKEN: {from_secret: a}}\n  commands:\n" + block + block
}

func inside(t *testing.T, source string, s manifest.Span) {
	t.Helper()
	if s.Start.Offset < 0 || s.Start.Offset > s.End.Offset || s.End.Offset > len(source) {
		t.Errorf("the place %v is not in a text of %d bytes", s, len(source))
	}
}
