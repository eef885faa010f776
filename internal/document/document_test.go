package document_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/internal/document"
)

// TestJSONForTerminals: what a terminal obeys is escaped, and all is as it was when
// it is read.
func TestJSONForTerminals(t *testing.T) {
	for text, want := range map[string]string{
		"größe <&> ✔ 日本語":           "\"größe <&> ✔ 日本語\"\n",
		"\x1b[2J":                   `"\u001b[2J"` + "\n",
		"\u009b2J\x7fx\u0085":       `"\u009b2J\u007fx\u0085"` + "\n",
		"a\u202eb\u2066c\U0001f600": `"a\u202eb\u2066c` + "\U0001f600\"\n",
	} {
		var out bytes.Buffer
		if err := document.JSON(&out, text); err != nil {
			t.Fatal(err)
		}
		if out.String() != want {
			t.Errorf("%q is written as %q, want %q", text, out.String(), want)
		}
		var back string
		if err := json.Unmarshal(out.Bytes(), &back); err != nil || back != text {
			t.Errorf("%q is read as %q, %v", text, back, err)
		}
	}
}

// TestYAML: what is written is read as it was, also by readers to whom y is a
// boolean and 1:30 a number, and the keys keep their order.
func TestYAML(t *testing.T) {
	type value struct {
		Z string `json:"z"`
		A any    `json:"a"`
	}
	for text, want := range map[string]string{
		"plain": "z: plain\na: 1\n", "y": "z: \"y\"\na: 1\n", "1:30": "z: \"1:30\"\na: 1\n", "2001-01-01": "z: \"2001-01-01\"\na: 1\n",
		"two\nlines\n": "z: |\n  two\n  lines\na: 1\n", " indented\nlines": "z: \" indented\\nlines\"\na: 1\n", "": "z: \"\"\na: 1\n",
	} {
		var out bytes.Buffer
		if err := document.YAML(&out, value{text, 1}); err != nil {
			t.Fatal(err)
		}
		if out.String() != want {
			t.Errorf("%q is written as %q, want %q", text, out.String(), want)
		}
		var back map[string]any
		if err := yaml.Unmarshal(out.Bytes(), &back); err != nil || back["z"] != text {
			t.Errorf("%q is read as %q, %v", text, back["z"], err)
		}
	}
	for name, v := range map[string]any{"no JSON": func() {}, "no number": json.Number("x")} {
		if err := document.YAML(&bytes.Buffer{}, v); err == nil {
			t.Errorf("%s is written", name)
		}
	}
}

// TestForms of JSON texts leave strings as they are.
func TestForms(t *testing.T) {
	const text = "{\n  \"a\": [],\n  \"b\": {},\n  \"c\": \"[] {}, : \\\" []\",\n  \"d\": [\n    1\n  ]\n}"
	if got, want := document.SpaceEmpty(text), "{\n  \"a\": [ ],\n  \"b\": { },\n  \"c\": \"[] {}, : \\\" []\",\n  \"d\": [\n    1\n  ]\n}"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got, want := document.OneLine(text), `{"a": [], "b": {}, "c": "[] {}, : \" []", "d": [1]}`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func ExampleSortedYAML() {
	text, err := document.SortedYAML(`{"steps": [{"name": "test", "image": "golang"}], "kind": "pipeline"}`)
	if err != nil {
		fmt.Println(err)
	}
	fmt.Print(text)
	// Output:
	// kind: pipeline
	// steps:
	//   - image: golang
	//     name: test
}

func ExampleJSON() {
	if err := document.JSON(os.Stdout, map[string]string{"title": "<b> \u009b2J"}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {
	//   "title": "<b> \u009b2J"
	// }
}
