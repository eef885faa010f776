package lint

import (
	"strings"

	"github.com/drone-laptop/drone/manifest"
)

// example is a pipeline in which nothing is wrong, for examples.
const example = `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  commands: [go test ./...]
`

// yamlRules are about the text of a file and the YAML in it. Their findings
// are made by reading the file.
func yamlRules() []Rule {
	return []Rule{{
		ID: manifest.RuleEncoding, Group: groupText, Severity: manifest.Error,
		Summary:     "a file that is not text in UTF-8",
		Explanation: "YAML is Unicode text. Save the file as UTF-8 in the editor: `iconv -f latin1 -t utf-8` converts one from the command line.",
		Bad:         "kind: pipeline\nname: caf\xe9\n",
		Good:        strings.Replace(example, "default", "café", 1),
		Reference:   "§1.2",
	}, {
		ID: manifest.RuleEmptyFile, Group: groupText, Severity: manifest.Error,
		Summary:     "a file without a document",
		Explanation: "Nothing but separators is in the file, so there is nothing to run.",
		Bad:         "---\n",
		Good:        "---\n" + example,
		Reference:   "§1.2",
	}, {
		ID: manifest.RuleLongLine, Group: groupText, Severity: manifest.Error,
		Summary: "a line of 64 KiB or more",
		Explanation: "The server stops reading at such a line without a word: it and the rest of the file are lost, with all steps in it. " +
			"Keep long data in a file of the repository, or break it into several lines.",
		Untold: "It would be 65,536 bytes long.", Good: example,
		Reference: "§1.2",
	}, {
		ID: manifest.RuleSeparator, Group: groupText, Severity: manifest.Error,
		Summary: "a line that begins with `---` and is more than a separator",
		Explanation: "The server cuts the file at every line that begins with three dashes, whatever follows them and wherever the line is, " +
			"also in the middle of a text. What else is on the line is lost. More dashes than three, as a decoration, separate documents as well: that is a warning.",
		Bad:       strings.Replace(example, "kind: pipeline\n", "--- {kind: pipeline}\n", 1),
		Good:      "--- # tests\n" + example,
		Reference: "§1.2",
	}, {
		ID: manifest.RuleTerminator, Group: groupText, Severity: manifest.Error,
		Summary:     "text after a line that begins with `...`",
		Explanation: "The server reads nothing after such a line, though in YAML another document could follow. Separate documents with `---`.",
		Bad:         example + "...\n---\n" + strings.Replace(example, "default", "second", 1),
		Good:        example + "...\n",
		Reference:   "§1.2",
	}, {
		ID: manifest.RuleEmptyDocument, Group: groupText, Severity: manifest.Error,
		Summary: "a document of nothing but comments",
		Explanation: "The server refuses a file with an empty document between or behind others, for it has no `kind`. The usual causes are a comment " +
			"above the first `---`, and a `---` at the end of the file.",
		Bad:       "# our tests\n---\n" + example,
		Good:      "---\n# our tests\n" + example,
		Reference: "§1.2, §12.2",
		grade:     gradeError,
	}, {
		ID: manifest.RuleSyntax, Group: groupText, Severity: manifest.Error,
		Summary: "text that is not YAML",
		Explanation: "The server refuses the whole file. The usual causes are a tab, a wrong indentation, a quote or bracket that is not closed, " +
			"and a command that YAML reads in its own way because it begins with `*`, `&`, `!`, `%`, `@`, a backquote, a quote or a bracket, or has a `: ` in it. " +
			"In single quotes every character stands for itself, except that `'` is written twice.",
		Bad:       strings.Replace(example, "[go test ./...]", "[go test ./...", 1),
		Good:      example,
		Reference: "§1.5",
	}, {
		ID: manifest.RuleAlias, Group: groupText, Severity: manifest.Error,
		Summary: "an alias or a merge key that cannot be followed",
		Explanation: "`*name` repeats what `&name` marks above it, in the same document: anchors end at a `---` line. `<<` merges maps only. " +
			"The server refuses a file in which that fails.",
		Bad: `kind: pipeline
name: default
steps:
- name: test
  image: *image
  commands: [go test ./...]
`,
		Good: `kind: pipeline
name: default
x-image: &image golang:1.26
steps:
- name: test
  image: *image
  commands: [go test ./...]
`,
		Reference: "§1.5",
	}, {
		ID: manifest.RuleTag, Group: groupText, Severity: manifest.Error,
		Summary: "a text that begins with `!`, which is lost",
		Explanation: "A word with `!` in front of a value is a tag of YAML and no part of the text: the command `! grep -r TODO .` becomes " +
			"`grep -r TODO .`, which does the opposite. Quote the whole.",
		Bad: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  commands:
  - ! grep -r TODO .
`,
		Good: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  commands:
  - "! grep -r TODO ."
  - '! grep -r FIXME .'
`,
		Reference: "§1.5",
		grade:     gradeError,
	}, {
		ID: manifest.RuleMergeOrder, Group: groupText, Severity: manifest.Warning,
		Summary: "a key above a `<<` that overwrites it",
		Explanation: "By the rules of YAML the keys of a map win over what it merges, wherever the `<<` stands. The decoder of Drone assigns in " +
			"the order of the lines, so a `<<` at the end overwrites what is written above it. Put it first.",
		Bad: `kind: pipeline
name: default
x-go: &go {image: "golang:1.25"}
steps:
- name: test
  image: golang:1.26
  commands: [go test ./...]
  <<: *go
`,
		Good: `kind: pipeline
name: default
x-go: &go {image: "golang:1.25"}
steps:
- name: test
  <<: *go
  image: golang:1.26
  commands: [go test ./...]
`,
		Reference: "§1.5, §12.2",
	}, {
		ID: manifest.RuleInserted, Group: groupText, Severity: manifest.Warning,
		Summary: "a variable whose value is not read as one text",
		Explanation: "Variables are substituted before the YAML is read. A value with a `: `, a ` #`, a bracket or a line break " +
			"becomes a map, a comment, a list or a line of the file. Quote the text around `${…}`.",
		Untold: "It depends on the values of the build.", Good: example,
		Reference: "§12.3",
	}}
}
