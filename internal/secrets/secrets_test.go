package secrets

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestParseFile(t *testing.T) {
	type testCase struct {
		name, file, text string
		want             []Assignment
		warnings         []string
	}
	run := func(t *testing.T, tc testCase) {
		got, warnings, err := parseFile(tc.file, []byte(tc.text))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(tc.warnings, warnings); diff != "" {
			t.Errorf("warnings (-want +got):\n%s", diff)
		}
	}
	lost := func(place string) []string {
		return []string{"s.env:" + place + " has a $ that is read as an unknown variable and replaced by nothing; put the value in single quotes"}
	}
	cases := []testCase{
		{name: "empty", file: "s.env"},
		{name: "plain", file: "s.env", text: "A=1\nB=2", want: []Assignment{{"A", "1", 1}, {"B", "2", 2}}},
		{name: "comments and blanks", file: "s.env", text: "# top\n\n  A=1 # side\n#\nB=a#b\n", want: []Assignment{{"A", "1", 3}, {"B", "a#b", 5}}},
		{name: "export and colon", file: "s.env", text: "export A=1\nB: two words\n", want: []Assignment{{"A", "1", 1}, {"B", "two words", 2}}},
		{name: "windows lines and mark", file: "s.env", text: "\uFEFFA=1\r\nB=\"x\r\ny\"\r\n", want: []Assignment{{"A", "1", 1}, {"B", "x\ny", 2}}},
		{name: "quotes", file: "s.env", text: `A="a \"b\" \n c"` + "\n" + `B='$A \n'` + "\n", want: []Assignment{{"A", "a \"b\" \n c", 1}, {"B", `$A \n`, 2}}},
		{name: "several lines", file: "s.env", text: "KEY=\"-----BEGIN\nabc=\n-----END\n\"\nB=1\n", want: []Assignment{{"KEY", "-----BEGIN\nabc=\n-----END\n", 1}, {"B", "1", 5}}},
		{name: "earlier keys", file: "s.env", text: "A=1\nB=${A}2$A\nC=\"$A\"\nD='$A'\nE=\\$A\n", want: []Assignment{{"A", "1", 1}, {"B", "121", 2}, {"C", "1", 3}, {"D", "$A", 4}, {"E", "$A", 5}}},
		{name: "lost dollar", file: "s.env", text: "B=x\nA=pa$WORD\n", want: []Assignment{{"B", "x", 1}, {"A", "pa", 2}}, warnings: lost("2: the value of A")},
		{name: "lost digits", file: "s.env", text: "A=\"pa$1x\"\n", want: []Assignment{{"A", "pax", 1}}, warnings: lost("1: the value of A")},
		{name: "lost command", file: "s.env", text: "A=$(DATE)\n", want: []Assignment{{"A", ")", 1}}, warnings: lost("1: the value of A")},
		{name: "dollar that stays", file: "s.env", text: "A=pa$word$\nB='$X'\nC=$(date)\n", want: []Assignment{{"A", "pa$word$", 1}, {"B", "$X", 2}, {"C", "$(date)", 3}}},
		{name: "the last counts", file: "s.env", text: "A=1\nB=2\nA=3\n", want: []Assignment{{"B", "2", 2}, {"A", "3", 3}}},
		{name: "empty values", file: "s.env", text: "A=\nB=\"\"\nC=1\n", want: []Assignment{{"A", "", 1}, {"B", "", 2}, {"C", "1", 3}}},

		{name: "yaml", file: "s.yml", text: "# c\na: 0123\nb-c: \"x: $Y\"\nd: yes\ne:\nf: |\n  one\n  two\n", want: []Assignment{{"a", "0123", 2}, {"b-c", "x: $Y", 3}, {"d", "yes", 4}, {"e", "", 5}, {"f", "one\ntwo\n", 6}}},
		{name: "yaml by content", file: "secrets", text: "a: |\n  x\n", want: []Assignment{{"a", "x\n", 1}}},
		{name: "yaml document", file: "secrets", text: "---\na: x # y\n", want: []Assignment{{"a", "x", 2}}},
		{name: "json", file: "s.json", text: `{"a": "x", "b": 1}`, want: []Assignment{{"a", "x", 1}, {"b", "1", 1}}},
		{name: "yaml alias", file: "s.yml", text: "a: &x y\nb: *x\n", want: []Assignment{{"a", "y", 1}, {"b", "y", 2}}},
		{name: "empty yaml", file: "s.yml", text: "# nothing\n"},
		{name: "null yaml", file: "s.yml", text: "---\n"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) { run(t, tc) })
	}
}

// TestParseFileErrors also shows that no error repeats the word hunter2, which
// stands for a secret in every file.
func TestParseFileErrors(t *testing.T) {
	cases := []struct{ name, file, text, want string }{
		{"no assignment", "s.env", "A=1\nhunter2\nB=2\n", "s.env:2: a line is no NAME=value"},
		{"no assignment at the end", "s.env", "A=1\nhunter2", "s.env:2: a line is no NAME=value"},
		{"hyphen", "s.env", "A=1\n\ndocker-password=hunter2\n", "s.env:3: a name has a character that dotenv does not allow"},
		{"no name", "s.env", "=hunter2\n", "s.env:1: a line is no NAME=value"},
		{"open quote", "s.env", "A=1\nB=\"hunter2\nC=2\n", "s.env:2: the quoted value that begins here does not end, or text follows it"},
		{"quote closed by the next value", "s.env", "A=1\nB=\"hunter2\nC=\"2\"\n", "s.env:2: the quoted value that begins here does not end, or text follows it"},
		{"key without quotes", "s.env", "KEY=-----BEGIN\nhunter2hunter2+/\nx==\n", "s.env:2: a line is no NAME=value"},
		{"windows lines", "s.env", "A=1\r\nB=2\r\nhunter2!\r\n", "s.env:3: a line is no NAME=value"},
		{"yaml list", "s.yml", "- hunter2\n", "s.yml:1:1: the file is no YAML mapping of names to values"},
		{"yaml text", "s.yml", "hunter2\n", "s.yml:1:1: the file is no YAML mapping of names to values"},
		{"nested yaml", "s.yml", "a: x\nb:\n  c: hunter2\n", "s.yml:3:3: the value of b is not plain text"},
		{"same name twice", "s.yml", "a: x\na: hunter2\n", "s.yml:2:1: the name a was given in line 1 already"},
		{"syntax", "s.yml", "a: x\nb: hunter2: y\n", "s.yml:2: not valid YAML"},
		{"unknown anchor", "s.yml", "a: *hunter2\n", "s.yml: not valid YAML"},
		{"two documents", "s.yml", "a: x\n---\nb: hunter2\n", "s.yml:2: the file has more than one YAML document"},
		{"merge", "s.yml", "<<: {a: hunter2}\n", "s.yml:1:1: a name is not plain text"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			_, _, err := parseFile(tc.file, []byte(tc.text))
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want an *Error", err)
			}
			if e.Error() != tc.want || e.Hint == "" {
				t.Errorf("got  %q, hint %q\nwant %q", e.Error(), e.Hint, tc.want)
			}
			if strings.Contains(e.Error()+e.Hint, "hunter2") {
				t.Error("the error repeats a value")
			}
		})
	}
}

func TestLoad(t *testing.T) {
	one := write(t, "one.env", "TOKEN=from one\nonly_one=1\n")
	two := write(t, "two.yml", "token: from two\ndocker-password: p\n")
	single := write(t, "single", "line\r\n")
	key := write(t, "key", "BEGIN\nEND\n")
	set, warnings, err := Load(Sources{
		Files:  []string{one, two},
		Values: []string{"FLAG=a=b", "single=@" + single, "key=@" + key, "FROM_ENV", "empty=", "FLAG=last"},
		Getenv: func(name string) (string, bool) { return "environment", name == "FROM_ENV" },
	})
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	lookups := map[string]string{
		"TOKEN": "from one", "token": "from two", "Token": "from two", // exact first, then the last
		"ONLY_ONE": "1", "docker-password": "p", "flag": "last", "SINGLE": "line", "key": "BEGIN\nEND\n",
		"from_env": "environment", "empty": "",
	}
	for name, want := range lookups {
		if got, ok := set.Lookup(name); !ok || got != want {
			t.Errorf("Lookup(%q) = %q, %v; want %q", name, got, ok, want)
		}
	}
	if got, ok := set.Lookup("docker_password"); ok {
		t.Errorf("docker_password is there: %q", got)
	}
	sources := map[string]string{
		"TOKEN": one + ":1", "token": two + ":1", "docker-password": two + ":2", "FLAG": "flag --secret",
		"single": single, "from_env": "environment variable FROM_ENV", "nothing": "",
	}
	for name, want := range sources {
		if got := set.Source(name); got != want {
			t.Errorf("Source(%q) = %q, want %q", name, got, want)
		}
	}
	want := []string{"FLAG", "FROM_ENV", "TOKEN", "docker-password", "empty", "key", "only_one", "single", "token"}
	if diff := cmp.Diff(want, set.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{
		"docker_password": "docker-password", "tokne": "TOKEN", "DOCKER_PASWORD": "docker-password", "aws": "", "": "",
	} {
		if got := set.Closest(name); got != want {
			t.Errorf("Closest(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestNilSet(t *testing.T) {
	var s *Set
	if _, ok := s.Lookup("a"); ok || s.Names() != nil || s.Closest("a") != "" || s.Source("a") != "" {
		t.Error("the nil set is not empty")
	}
}

func TestLoadErrors(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "nope.env")
	cases := []struct {
		name string
		src  Sources
		want string
	}{
		{"missing file", Sources{Files: []string{missing}}, missing + ": secret file does not exist"},
		{"folder", Sources{Files: []string{dir}}, dir + ": secret file cannot be read: is a directory"},
		{"missing file of a value", Sources{Values: []string{"KEY=@" + missing}}, missing + ": file of secret KEY does not exist"},
		{"no name", Sources{Values: []string{"=hunter2"}}, "--secret does not start with a name"},
		{"spaces", Sources{Values: []string{"hunter2 x=y"}}, "--secret does not start with a name"},
		{"a value alone", Sources{Values: []string{"hunter2"}}, "--secret without = names an environment variable, and it is not set"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			_, _, err := Load(tc.src)
			if err == nil || err.Error() != tc.want {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

func TestEnv(t *testing.T) {
	file := write(t, "e.env", "A=1\nB=2\n")
	getenv := func(name string) (string, bool) { return "mine", name == "HOME" }
	got, _, err := Env(EnvSources{Files: []string{file}, Values: []string{"B=3", "HOME", "C="}, Getenv: getenv})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"A": "1", "B": "3", "HOME": "mine", "C": ""}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for text, want := range map[string]string{
		"NOPE": "--env NOPE names a variable that is not set in the environment",
		"=x":   "--env does not start with a name",
	} {
		if _, _, err := Env(EnvSources{Values: []string{text}, Getenv: getenv}); err == nil || err.Error() != want {
			t.Errorf("Env(%q): got %v, want %s", text, err, want)
		}
	}
	if _, _, err := Env(EnvSources{Files: []string{"nope.env"}}); err == nil || err.Error() != "nope.env: env file does not exist" {
		t.Errorf("got %v", err)
	}
}

// FuzzParseFile checks that no file crashes it, that errors have a place, and
// that values written in single quotes come back as they were.
func FuzzParseFile(f *testing.F) {
	for _, seed := range []string{"A=1", "A=\"x\ny\"\nB=$A", "export A: 'x'", "a: |\n b", "A='\nB='", "A=\"B=\"\n\"", "{a: b}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range []string{"s", "s.env", "s.yml"} {
			_, _, err := parseFile(name, []byte(text))
			var e *Error
			if err != nil && !errors.As(err, &e) {
				t.Errorf("%s: %T %v", name, err, err)
			}
		}
		if strings.ContainsAny(text, "'\\") || strings.Contains(text, "\r") {
			return
		}
		entries, warnings, err := parseFile("s.env", []byte("A='"+text+"'\n"))
		if err != nil || len(entries) != 1 || entries[0].Value != text || len(warnings) > 0 {
			t.Errorf("%q came back as %v, %v, %v", text, entries, warnings, err)
		}
	})
}

// TestValuesThatGrow is about a file in which each line multiplies the one above.
func TestValuesThatGrow(t *testing.T) {
	text := "A0=0123456789\n"
	for i := range 12 {
		text += fmt.Sprintf("A%d=%s\n", i+1, strings.Repeat(fmt.Sprintf("${A%d}", i), 10))
	}
	_, _, err := parseFile("my.secrets", []byte(text))
	if err == nil || !strings.Contains(err.Error(), "more than 16 MiB") {
		t.Errorf("got %v", err)
	}
	entries, _, err := parseFile("my.secrets", []byte("A=0123456789\nB='$A$A'\nC=$A$A\n"))
	if err != nil || len(entries) != 3 || entries[2].Value != "01234567890123456789" {
		t.Errorf("got %v, %v", entries, err)
	}
}
