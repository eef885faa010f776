package lint

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/drone-laptop/drone/manifest"
)

// substitutionRules are about what replacing `${…}` makes of the text of the
// file, which a runner does before it reads the YAML.
func substitutionRules() []Rule {
	return []Rule{{
		ID: manifest.RuleSubstitution, Group: groupCommands, Severity: manifest.Error,
		Summary: "a `${…}` that cannot be replaced, or that breaks the YAML",
		Explanation: "Before it reads the YAML a runner replaces every `${…}` in the file, comments included. It knows some operators of a shell, " +
			"but no arrays, no `${!name}` and no `${name-word}`, and one expression that it cannot read makes it refuse the whole file without " +
			"naming a place. Write `$${…}` for what the shell is to see. Where a value that is empty or has special characters breaks the " +
			"YAML, quote the text; an empty one is a warning, as other builds may have a value.",
		Bad: `kind: pipeline
name: default
steps:
- name: test
  image: bash:5
  commands:
  - echo ${list[0]}
`,
		Good: `kind: pipeline
name: default
steps:
- name: test
  image: bash:5
  commands:
  - echo $${list[0]} ${DRONE_COMMIT_SHA:0:8}
`,
		Reference: "§4.1, §4.2",
		grade: func(f *manifest.Problem, text string) {
			switch {
			case strings.Contains(f.Message, " is empty here") && builtins().substituted[expressionName.FindString(text)]:
				f.Severity = manifest.Warning
			case strings.HasPrefix(text, "${") && strings.HasSuffix(text, "}"):
				f.Fix = &manifest.Edit{Span: f.Span, Text: "$" + text}
			}
		},
	}, {
		ID: manifest.RuleOperator, Group: groupCommands, Severity: manifest.Error,
		Summary: "an operator in `${…}` that means something else than in a shell",
		Explanation: "For a runner `:?` and `:+` are the same as `:-`, an empty replacement after `/#` or `/%` changes nothing, and so does a pattern " +
			"for a suffix with `[…]` in it. Write `$${…}`, and the shell does what you are used to.",
		Bad: `kind: pipeline
name: default
steps:
- {name: test, image: "alpine:3", commands: ["echo ${DRONE_TAG:+release}"]}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: test, image: "alpine:3", commands: ["echo $${DRONE_TAG:+release}"]}
`,
		Reference: "§4.2, §12.3",
		grade:     func(f *manifest.Problem, _ string) { f.Severity = manifest.Error },
	}, {
		ID: "not-substituted", Group: groupCommands, Severity: manifest.Warning,
		Summary: "a `${…}` where a server reads the text as it is",
		Explanation: "A server reads triggers, names, dependencies and the platform of pipelines before any variable is replaced, so that there " +
			"`${…}` stands for itself and matches nothing. The `when` of a step may have variables.",
		Bad: `kind: pipeline
name: default
trigger: {branch: ["${DRONE_REPO_BRANCH}"]}
steps:
- {name: test, image: "alpine:3", commands: [make test]}
`,
		Good: `kind: pipeline
name: default
trigger: {branch: [main], event: [push]}
steps:
- {name: test, image: "alpine:3", commands: [make test]}
`,
		Reference: "§1.1, §12.3",
	}, {
		ID: "backslash", Group: groupCommands, Severity: manifest.Error,
		Summary: "a backslash that a runner takes away",
		Explanation: "When it replaces variables a runner also makes one backslash of two, and a slash of a backslash with a slash, anywhere in the file. " +
			"`sed 's/\\//-/'` reaches the shell as `sed 's///-/'`. Write it without: another delimiter for `sed`, single quotes, or four backslashes for two. " +
			"In a double-quoted text of YAML the missing backslash can make the runner refuse the file, which is an error. Here, commands get what is written.",
		Bad: `kind: pipeline
name: default
steps:
- name: test
  image: alpine:3
  commands:
  - printf 'a\\b'
`,
		Good: `kind: pipeline
name: default
steps:
- name: test
  image: alpine:3
  commands:
  - printf 'a\n'
`,
		Reference: "§4.3",
		check:     checkBackslash,
	}, {
		ID: "foreign-text", Group: groupCommands, Severity: manifest.Warning,
		Summary: "a `${…}` that puts what somebody else has written into a command or into YAML",
		Explanation: "The message of a commit, the title of a pull request, the name of an author and the branch that a pull request comes from are " +
			"put into the text as they are. In a command the shell runs what is in them; as a value a `: ` or ` #` in them breaks the file, and a message with " +
			"several lines breaks a quoted text. In a command write `\"$DRONE_COMMIT_MESSAGE\"`: the shell does not look into the value of a variable. " +
			"As a value of YAML use a block: `|-` and the expression on the next line.",
		Bad: `kind: pipeline
name: default
steps:
- name: test
  image: alpine:3
  commands:
  - echo "${DRONE_COMMIT_MESSAGE}"
`,
		Good: `kind: pipeline
name: default
steps:
- name: test
  image: alpine:3
  commands:
  - echo "$DRONE_COMMIT_MESSAGE"
`,
		Reference: "§4.1, §12.3",
		check:     checkForeignText,
	}}
}

// expressionName is the name at the beginning of an expression, behind its
// `${`.
var expressionName = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*`)

func checkBackslash(p *pass) {
	if !strings.Contains(string(p.file.Source), `\\`) && !strings.Contains(string(p.file.Source), `\/`) {
		return
	}
	for e := range p.elements() {
		if !e.pipeline.InContainers() {
			continue
		}
		for _, c := range e.Commands {
			p.lostBackslash(e, c.Span, inCommand)
		}
		for _, v := range e.Environment {
			p.lostBackslash(e, v.Value.Span, inVariable)
		}
		for _, s := range e.Settings {
			p.lostBackslash(e, s.Value.Span, inSetting)
		}
	}
}

// lostBackslash reports the first pair in a text of which one character is
// lost in a way that matters.
func (p *pass) lostBackslash(e element, span manifest.Span, kind writingKind) {
	text := p.text(span)
	double := strings.HasPrefix(text, `"`)
	at := lostPair(text, double, kind)
	if at < 0 {
		return
	}
	pair, rest := text[at:at+2], text[at+2:]
	hint := "write it without backslashes: single quotes, or another delimiter"
	switch {
	case double:
		hint = "write the text in single quotes or as a block, and without double backslashes"
	case pair == `\\`:
		hint = "write four backslashes for two, or do without: the text is read once more before it is YAML"
	case strings.Contains(text, "sed ") || strings.Contains(text, "perl "):
		hint = "use another delimiter, such as `s|/|-|`"
	}
	f := p.report(e, p.part(span, at, 2), fmt.Sprintf("a runner makes `%s` of `%s`, also outside of expressions", pair[1:], pair), hint)
	f.Severity = manifest.Warning
	if double && pair == `\\` && rest != "" && !strings.ContainsRune(yamlEscapes, rune(rest[0])) {
		f.Severity = manifest.Error
		f.Message = fmt.Sprintf("a runner makes `%s` of `%s`, and then refuses the file, since `%s%c` means nothing in double quotes", pair[1:], pair, pair[1:], rest[0])
	}
}

// lostPair is where the first pair of a text begins whose backslash matters, -1
// without one. double says that the text is in double quotes of YAML.
func lostPair(text string, double bool, kind writingKind) int {
	shell := byte(0) // the quote of the shell that is open
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '$' && i+1 < len(text) && text[i+1] == '$':
			i++
		case c == '$' && i+1 < len(text) && text[i+1] == '{':
			i += max(0, strings.IndexByte(text[i:], '}')) // an expression has escapes
		case c == '#' && kind == inCommand && shell == 0 && !double && i > 0 && strings.IndexByte(" \t\n", text[i-1]) >= 0:
			i += max(0, strings.IndexByte(text[i:]+"\n", '\n')-1)
		case c == '\\' && i+1 < len(text) && (text[i+1] == '\\' || text[i+1] == '/'):
			if double || kind != inCommand || !harmless(text[i:], shell) {
				return i
			}
			i++
		case double:
		case c == '\\':
			i++
		case c == shell:
			shell = 0
		case shell == 0 && (c == '\'' || c == '"'):
			shell = c
		}
	}
	return -1
}

// yamlEscapes are the characters that may follow a backslash in double quotes.
const yamlEscapes = "0abtnvfre \"/\\N_LPxuU\t\r\n"

// harmless reports whether the backslash that the text of a command begins with
// can be lost, within a quote of the shell or 0: within double quotes a shell
// takes `\x` for both characters where x is nothing special.
func harmless(text string, quote byte) bool {
	if quote != '"' || len(text) < 3 || text[1] != '\\' {
		return false
	}
	return strings.IndexByte("$`\"\\\n/", text[2]) < 0
}

// foreignNames are variables with text that anybody may have written.
var foreignNames = map[string]bool{
	"DRONE_COMMIT_MESSAGE": true, "CI_COMMIT_MESSAGE": true, "DRONE_PULL_REQUEST_TITLE": true,
	"DRONE_COMMIT_AUTHOR_NAME": true, "CI_COMMIT_AUTHOR_NAME": true, "DRONE_SOURCE_BRANCH": true,
}

func checkForeignText(p *pass) {
	seen := map[useKey]bool{}
	for _, u := range p.file.Uses() {
		if u.Comment || !foreignNames[u.Name] {
			continue
		}
		w := p.writingAt(u.Span.Start.Offset)
		if w == nil {
			continue
		}
		key := useKey{u.Name, w.start}
		if seen[key] {
			continue
		}
		seen[key] = true
		expression := cut(p.text(u.Span))
		if w.kind == inCommand {
			p.report(w.element, u.Span, fmt.Sprintf("%s becomes part of the command, so the shell runs what somebody wrote into it", expression),
				fmt.Sprintf("write `$%s`, in double quotes: then it stays text", u.Name))
			continue
		}
		// A branch has neither blanks nor quotes, and a block takes any text.
		text := string(p.file.Source[w.start:w.end])
		if u.Name == "DRONE_SOURCE_BRANCH" || strings.HasPrefix(text, "|") || strings.HasPrefix(text, ">") {
			continue
		}
		p.report(w.element, u.Span, fmt.Sprintf("%s becomes part of the YAML, which a `: `, a quote or a second line in it breaks", expression),
			"write it as a block: `|-`, and the text on the next line")
	}
}
