package lint

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/drone-laptop/drone/manifest"
)

// deliveryRules are about how the runner of a server hands commands to the shell.
func deliveryRules() []Rule {
	return []Rule{{
		ID: "echo-escape", Group: groupCommands, Severity: manifest.Error,
		Summary: "a backslash that the shell of a server's image rewrites",
		Explanation: "The runner of a server hands the script to the shell with `echo`, and that of dash, the shell of images based on Debian and Ubuntu, makes " +
			"characters of some letters behind a backslash: `grep '\\bword'` looks for a backspace, `sed 's/a/\\n/'` is cut by a line break, and at `\\c` the whole script " +
			"ends without an error. Only the last of these is an error here. Put the command into a script of its own. Here, commands get what is written.",
		Bad: `kind: pipeline
name: default
steps:
- {name: test, image: "golang:1.26", commands: ["grep '\\bword' file"]}
`,
		Good: `kind: pipeline
name: default
steps:
- {name: test, image: "golang:1.26", commands: [grep -w word file]}
`,
		Reference: "§5.7, §12.4",
		check:     checkEchoEscape,
	}, {
		ID: "stdin-eaten", Group: groupCommands, Severity: manifest.Warning,
		Summary: "a command that reads the rest of the script on a server",
		Explanation: "The runner of a server passes the commands to the shell on its standard input. A program that reads from there, such as `ssh`, takes the " +
			"commands that are left: they do not run, and the step passes. Close its input: `ssh -n`, `ffmpeg -nostdin`, or `</dev/null`. Here, input is always closed.",
		Bad: `kind: pipeline
name: default
steps:
- name: deploy
  image: octocat/ssh:1
  commands:
  - ssh www.example.org systemctl restart app
  - curl https://www.example.org/
`,
		Good: `kind: pipeline
name: default
steps:
- name: deploy
  image: octocat/ssh:1
  commands:
  - ssh -n www.example.org systemctl restart app
  - curl https://www.example.org/
`,
		Reference: "§5.7, §12.4",
		check:     checkStdinEaten,
	}, {
		ID: "backquotes", Group: groupCommands, Severity: manifest.Info,
		Summary: "a command in backquotes, which a server runs twice",
		Explanation: "The runner of a server prints a command before it runs it, and the shell already runs what is in backquotes in the line that prints. " +
			"Write `$(…)` instead. Here, it runs once.",
		Bad: "kind: pipeline\nname: default\nsteps:\n- {name: test, image: \"alpine:3\", commands: [make VERSION=`git describe`]}\n",
		Good: `kind: pipeline
name: default
steps:
- {name: test, image: "alpine:3", commands: [make VERSION=$(git describe)]}
`,
		Reference: "§5.7, §12.4",
		check:     checkBackquotes,
	}}
}

func checkEchoEscape(p *pass) {
	for e := range p.scripts() {
		if !e.pipeline.InContainers() || shellOf(e.Image.Value) != dashShell {
			continue
		}
		for _, c := range e.Commands {
			if strings.Contains(c.Value, `\`) && p.echoEscape(e, c) {
				break
			}
		}
	}
}

// echoEscape reports the first escape of a command that makes a difference.
func (p *pass) echoEscape(e element, c manifest.String) bool {
	for i := 0; i+1 < len(c.Value); i++ {
		if c.Value[i] != '\\' {
			continue
		}
		escape := c.Value[i : i+2]
		made := ""
		switch escape[1] {
		case 'c':
			made = "the end of the script"
		case 'b', 'a', 'f', 'v', '0':
			made = "a control character"
		case 'n':
			if containsWord(lineAt(c.Value, i), "sed") {
				made = "a line break"
			}
		}
		if made != "" {
			f := p.report(e, p.locate(c, i, 2), fmt.Sprintf("on a server the shell of %s makes %s of `%s` before it runs the command", cut(e.Image.Value), made, escape),
				"put the command into a script of its own, or do without the backslash")
			if escape[1] != 'c' {
				f.Severity = manifest.Warning
			}
			return true
		}
		i++
	}
	return false
}

// stdinReaders match commands that read their standard input without being
// asked to.
var stdinReaders = []*regexp.Regexp{
	regexp.MustCompile(`(?m)(?:^|[;&]\s*|\b(?:then|do|else|sudo)\s+)(ssh|sshpass\b[^|;&\n]*?\bssh)\s+[^|;&<\n]*`),
	regexp.MustCompile(`(?m)(?:^|[;&]\s*|\b(?:then|do|else|sudo)\s+)(ffmpeg)\s+[^|;&<\n]*`),
	regexp.MustCompile(`(?m)(?:^|[;&]\s*|\b(?:then|do|else|sudo)\s+)((?:docker|kubectl|podman) (?:run|exec)\s+(?:-[a-zA-Z-]+\s+)*(?:-i|-it|-ti|--interactive))\s[^|;&<\n]*`),
}

var stdinClosed = regexp.MustCompile(`\s-(n|f|nostdin|[a-zA-Z]*n[a-zA-Z]*|N)\s|\s-nostdin\b|</dev/null|< /dev/null`)

func checkStdinEaten(p *pass) {
	for e := range p.scripts() {
		if !e.pipeline.InContainers() {
			continue
		}
		for i, c := range e.Commands {
			if i+1 == len(e.Commands) {
				break
			}
			if !strings.Contains(c.Value, "ssh") && !strings.Contains(c.Value, "ffmpeg") && !strings.Contains(c.Value, " -") {
				continue
			}
			if p.stdinEaten(e, c) {
				break
			}
		}
	}
}

func (p *pass) stdinEaten(e element, c manifest.String) bool {
	plain := code(c.Value, allQuotes)
	for _, reader := range stdinReaders {
		for _, at := range reader.FindAllStringSubmatchIndex(plain, -1) {
			line := plain[at[0]:at[1]]
			if stdinClosed.MatchString(line+" ") || at[1] < len(plain) && plain[at[1]] == '<' {
				continue
			}
			word := plain[at[2]:at[3]]
			if strings.Contains(word, "ssh") {
				word = "ssh"
			}
			hint := fmt.Sprintf("close its input: `%s … </dev/null`", word)
			switch word {
			case "ssh":
				hint = "write `ssh -n`, which leaves the input alone"
			case "ffmpeg":
				hint = "write `ffmpeg -nostdin`"
			}
			p.report(e, p.locate(c, at[2], at[3]-at[2]), fmt.Sprintf("on a server `%s` reads the commands that follow it in step %q, which then do not run", word, e.Name.Value), hint)
			return true
		}
	}
	return false
}

func checkBackquotes(p *pass) {
	for e := range p.scripts() {
		if !e.pipeline.InContainers() {
			continue
		}
		for _, c := range e.Commands {
			if !strings.Contains(c.Value, "`") {
				continue
			}
			at := strings.IndexByte(c.Value, '`')
			length := strings.IndexByte(c.Value[at+1:], '`')
			if length < 1 {
				continue
			}
			text := c.Value[at : at+length+2]
			f := p.report(e, p.locate(c, at, len(text)), fmt.Sprintf("a server runs %s twice, the first time when it prints the command", cut(text)), "write `$(…)` instead of backquotes")
			if quoted := code(c.Value, singleQuotes); quoted[at] != '`' {
				f.Message = fmt.Sprintf("a server runs %s, although it is quoted, when it prints the command", cut(text))
				f.Hint = "write `$(…)`, or put the text into a file"
			}
			break
		}
	}
}
