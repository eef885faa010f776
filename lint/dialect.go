package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"github.com/drone-laptop/drone/manifest"
)

// dialectRules are about the shell that runs the commands.
func dialectRules() []Rule {
	return []Rule{{
		ID: "bash-syntax", Group: groupCommands, Severity: manifest.Warning,
		Summary: "syntax of bash in commands that another shell runs",
		Explanation: "Commands are run by `/bin/sh`, whatever other shells an image has. In images based on Debian or Ubuntu that is dash, in those based on " +
			"Alpine the shell of BusyBox. Write it as any POSIX shell understands it, or put it into a script of its own that begins with `#!/bin/bash`.",
		Bad: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  commands:
  - if [[ $DRONE_BRANCH == main ]]; then make release; fi
`,
		Good: `kind: pipeline
name: default
steps:
- name: test
  image: golang:1.26
  commands:
  - if [ "$DRONE_BRANCH" = main ]; then make release; fi
`,
		Reference: "§5.7",
		check:     checkBashSyntax,
	}}
}

// shell is the /bin/sh of an image.
type shell struct {
	name  string
	lacks []*regexp.Regexp // each with the syntax in a group
}

var (
	arrays     = regexp.MustCompile(`(?m)(?:^|[;&|]\s*)((?:declare -a |local )?[A-Za-z_][A-Za-z0-9_]*\+?=\()`)
	hereString = regexp.MustCompile(`[^<](<<<)`)
	pipeBoth   = regexp.MustCompile(`(\|&)`)
	loopOfC    = regexp.MustCompile(`\bfor\s+(\(\()`)

	busyboxShell = &shell{"the shell of BusyBox", []*regexp.Regexp{arrays, hereString, pipeBoth, loopOfC}}
	dashShell    = &shell{"dash", []*regexp.Regexp{
		arrays, hereString, pipeBoth, loopOfC,
		regexp.MustCompile(`(?m)(?:^|[;&|!(]\s*|\b(?:if|elif|while|until|then|do|else)\s+)(\[\[)\s`),
		regexp.MustCompile(`(?m)(?:^|[;&|({]\s*|\b(?:then|do|else)\s+)(source)\s+\S`),
		regexp.MustCompile(`(?m)(?:^|[;&|]\s*)(function)\s+[A-Za-z_][\w-]*\s*(?:\(\))?\s*\{`),
		regexp.MustCompile(`\s(<\()[^)]`),
	}}
)

// debianImages are official images that are Debian or Ubuntu where the tag
// does not say otherwise.
var debianImages = map[string]bool{
	"debian": true, "ubuntu": true, "buildpack-deps": true, "golang": true, "node": true, "python": true, "ruby": true, "rust": true,
	"php": true, "perl": true, "gcc": true, "elixir": true, "erlang": true, "postgres": true, "redis": true, "nginx": true, "httpd": true,
}

// otherSystem matches tags of images that are not Debian.
var otherSystem = regexp.MustCompile(`windows|nanoserver|ubi|fedora|oracle`)

// shellOf is the shell of an image, nil when it is bash or not known.
func shellOf(image string) *shell {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil || reference.Domain(named) != "docker.io" {
		return nil
	}
	tag := ""
	if tagged, ok := named.(reference.Tagged); ok {
		tag = tagged.Tag()
	}
	name, official := strings.CutPrefix(reference.Path(named), "library/")
	if !official {
		return nil
	}
	switch {
	case name == "alpine", name == "busybox" && !strings.Contains(tag, "glibc"), strings.Contains(tag, "alpine"):
		return busyboxShell
	case debianImages[name] && !otherSystem.MatchString(tag):
		return dashShell
	}
	return nil
}

// otherShell matches what makes another shell run the commands or some of them.
var otherShell = regexp.MustCompile(`\b(bash|zsh|dpkg-reconfigure|update-alternatives|ln)\b.*\b(sh|dash|<<)|^\s*exec\s+(ba|z)sh|\b(ba|z)sh\b.*(<<|\s-s?c\b)`)

func checkBashSyntax(p *pass) {
	for e := range p.scripts() {
		if !e.pipeline.InContainers() {
			continue
		}
		if sh := shellOf(e.Image.Value); sh != nil {
			p.bashSyntax(e, sh)
		}
	}
}

// bashWords are in all commands that have syntax of bash.
var bashWords = []string{"[[", "=(", "((", "<(", "<<<", "|&", "source", "function"}

// bashSyntax reports the first construct that a shell does not know.
func (p *pass) bashSyntax(e element, sh *shell) {
	for _, c := range e.Commands {
		if !slices.ContainsFunc(bashWords, func(word string) bool { return strings.Contains(c.Value, word) }) {
			continue
		}
		if otherShell.MatchString(c.Value) {
			return
		}
		plain := code(c.Value, allQuotes)
		for _, syntax := range sh.lacks {
			if at := syntax.FindStringSubmatchIndex(plain); at != nil {
				word := c.Value[at[2]:at[3]]
				p.report(e, p.locate(c, at[2], at[3]-at[2]), fmt.Sprintf("`%s` is of bash, but commands in %s are run by %s", strings.TrimSpace(word), cut(e.Image.Value), sh.name),
					posix(word))
				return
			}
		}
	}
}

// posix says what to write instead of something of bash.
func posix(word string) string {
	switch word {
	case "[[":
		return "write `[ \"$a\" = \"$b\" ]`, or `case`"
	case "source":
		return "write `.` instead: `. ./file`"
	case "function":
		return "write `name() { …; }`"
	case "|&":
		return "write `2>&1 |`"
	case "<<<":
		return "write `printf '%s\\n' … |` in front"
	}
	return "run it with bash, as a script or with `bash -c`, where the image has that"
}
