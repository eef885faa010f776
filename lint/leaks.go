package lint

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/drone-laptop/drone/manifest"
)

// leakRules are about secrets that others can read.
func leakRules() []Rule {
	return []Rule{{
		ID: "plain-secret", Group: groupSecrets, Severity: manifest.Warning,
		Summary: "what looks like a secret, in plain text",
		Explanation: "Whoever can read the repository can read it, also after it has been removed from the file, and it is not masked in logs. Replace the value where it is used, " +
			"keep it as a secret, and write `{from_secret: name}`. It is only good to know where it is that of a service, which mostly lives as " +
			"long as the build. What calls itself an example or a test is not reported.",
		Bad: `kind: pipeline
name: default
steps:
- {name: publish, image: "plugins/npm:1", settings: {username: octocat, password: kR7vWq2ZxP9tLm4B}}
`,
		Good: `kind: pipeline
name: default
trigger: {event: push}
steps:
- {name: publish, image: "plugins/npm:1", settings: {username: octocat, password: {from_secret: npm_password}}}
`,
		Reference: "§7.12",
		check:     checkPlainSecret,
	}, {
		ID: "printed-secret", Group: groupSecrets, Severity: manifest.Warning,
		Summary: "a command that prints a secret",
		Explanation: "The runner masks the values of secrets in logs, but not what a command makes of them: encoded, cut, in other letters or split over two lines they " +
			"are readable. Do not print them: pass them on the standard input or in a file, and switch `set -x` off around them.",
		Bad: `kind: pipeline
name: default
trigger: {event: push}
steps:
- name: deploy
  image: alpine:3
  environment: {TOKEN: {from_secret: token}}
  commands:
  - echo $TOKEN
`,
		Good: `kind: pipeline
name: default
trigger: {event: push}
steps:
- name: deploy
  image: alpine:3
  environment: {TOKEN: {from_secret: token}}
  commands:
  - echo "$TOKEN" > token.txt
`,
		Reference: "§7.13",
		check:     checkPrintedSecret,
	}}
}

// Parts of names that say that the value is a secret, and tokens that show by
// their form that they are one.
var (
	secretWord = regexp.MustCompile(`(?i)pass|secret|token|key|credential`)
	secretName = regexp.MustCompile(`(?i)(^|[_-])(password|passwd|passphrase|secret|token|api_?key|private_?key|access_?key|secret_?key|auth_?key|credentials?)$`)
	publicName = regexp.MustCompile(`(?i)(public|name|file|path|url|header|type|id|length|ttl|expir\w*|field)$|public`)
	tokenForm  = regexp.MustCompile(`\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,}|glpat-[A-Za-z0-9_-]{20,}|xox[abprs]-[A-Za-z0-9-]{20,}|AKIA[0-9A-Z]{16}|npm_[A-Za-z0-9]{36}|AIza[0-9A-Za-z_-]{35}|sk_live_[0-9A-Za-z]{20,}|dckr_pat_[A-Za-z0-9_-]{20,}|https://(?:ptb\.|canary\.)?discord(?:app)?\.com/api/webhooks/[0-9]+/[A-Za-z0-9_-]{40,}|-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----|https://hooks\.slack\.com/services/T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{16,})`)
	givenValue = regexp.MustCompile(`(?:^|[\s;&|(])(?:(?:--?)?([A-Za-z][A-Za-z0-9_-]*)=|--?([A-Za-z][A-Za-z0-9_-]*)[ \t]+)["']?([^\s"';&|()]+)`)
	loginInURL = regexp.MustCompile(`[a-z][a-z0-9+.-]*://[^\s:/@$]+:([^\s/@$]{8,})@([^\s/:]+)`)
	placebo    = regexp.MustCompile(`(?i)example|test|dummy|fake|sample|changeme|change-me|placeholder|your|xxxx|1234|abcd|foo|bar|dev|local|admin|root|user|demo|mysql|postgres|minio|guest|drone|default|unused|none|true|false`)
)

func checkPlainSecret(p *pass) {
	for pl := range p.pipelines() {
		of := ofPipeline(pl)
		for _, v := range pl.Environment {
			p.plainSecret(of, v.Name.Value, v.Value)
		}
		for e := range elements(pl) {
			for _, v := range e.Environment {
				p.plainSecret(e, v.Name.Value, v.Value)
			}
			for _, s := range e.Settings {
				if text, ok := s.Value.Any.(string); ok {
					p.plainSetting(e, s.Name.Value, manifest.String{Value: text, Span: s.Value.Span})
				}
			}
			for _, c := range e.Commands {
				p.plainCommand(e, c)
			}
		}
	}
}

// tokenParts are in all texts that tokenForm and loginInURL match.
var tokenParts = []string{"://", "gh", "glpat-", "xox", "AKIA", "npm_", "AIza", "sk_live_", "dckr_pat_", "-----BEGIN"}

// plainToken reports text that shows by its form that it is a secret.
func (p *pass) plainToken(e element, s manifest.String) bool {
	if len(s.Value) < 16 {
		return false
	}
	if !slices.ContainsFunc(tokenParts, func(part string) bool { return strings.Contains(s.Value, part) }) {
		return false
	}
	if at := tokenForm.FindStringIndex(s.Value); at != nil && !placebo.MatchString(s.Value[at[0]:at[1]]) {
		p.reportPlain(e, p.locate(s, at[0], at[1]-at[0]), "a token or key is in the file as plain text")
		return true
	}
	if at := loginInURL.FindStringSubmatchIndex(s.Value); at != nil {
		password, host := s.Value[at[2]:at[3]], s.Value[at[4]:at[5]]
		if strings.Contains(host, ".") && !placebo.MatchString(password) && !placebo.MatchString(host) && looksRandom(password) {
			p.reportPlain(e, p.locate(s, at[2], at[3]-at[2]), fmt.Sprintf("the password for %s is in the file as plain text", host))
			return true
		}
	}
	return false
}

// plainCommand reports a secret that a command sets a variable to, or passes on
// as an argument.
func (p *pass) plainCommand(e element, c manifest.String) {
	if p.plainToken(e, c) || !secretWord.MatchString(c.Value) {
		return
	}
	for _, at := range givenValue.FindAllStringSubmatchIndex(c.Value, -1) {
		value := c.Value[at[6]:at[7]]
		name := c.Value[max(at[2], at[4]):max(at[3], at[5])]
		if looksSecret(name, value) {
			p.reportPlain(e, p.locate(c, at[6], at[7]-at[6]), fmt.Sprintf("the value of %s is in the file as plain text, and looks like a secret", name))
			return
		}
	}
}

// looksSecret judges a value by its name and by itself.
func looksSecret(name, value string) bool {
	return secretName.MatchString(name) && !publicName.MatchString(name) && !placebo.MatchString(value) && looksRandom(value)
}

func (p *pass) plainSecret(e element, name string, value manifest.String) {
	if !value.IsSet() || p.plainToken(e, value) {
		return
	}
	if looksSecret(name, value.Value) {
		p.reportPlain(e, value.Span, fmt.Sprintf("the value of %s is in the file as plain text, and looks like a secret", name))
	}
}

// plainSetting is plainSecret for a setting. What a plugin is given as a
// password is one, also where it is short or a word: plugins log in somewhere.
func (p *pass) plainSetting(e element, name string, value manifest.String) {
	const least = 4
	known := manifest.IsPlugin(e.Image.Value) && len(value.Value) >= least && !strings.Contains(value.Value, "$") &&
		secretName.MatchString(name) && !publicName.MatchString(name) && !placebo.MatchString(value.Value)
	if known {
		p.reportPlain(e, value.Span, fmt.Sprintf("the value of %s is in the file as plain text", name))
		return
	}
	p.plainSecret(e, name, value)
}

func (p *pass) reportPlain(e element, span manifest.Span, message string) {
	f := p.report(e, span, message, "replace it where it is used, as others may have read it, and write `{from_secret: name}`")
	if e.service {
		f.Severity = manifest.Info // it mostly only lives as long as the build
	}
}

// passwordWords are in passwords that nobody means to keep secret, and in some
// others.
var passwordWords = regexp.MustCompile(`(?i)secret|passw`)

// looksRandom reports whether a text looks like one that a program has drawn,
// or a careful person: long, of several kinds of characters, with few
// repetitions.
func looksRandom(text string) bool {
	const least, bits = 12, 3.0
	if len(text) < least || strings.ContainsAny(text, " \t\n$<>{}()") || strings.HasPrefix(text, "/") || strings.HasPrefix(text, ".") || strings.Contains(text, "://") {
		return false
	}
	var lower, upper, digit, other bool
	counts := map[rune]int{}
	for _, c := range text {
		counts[c]++
		switch {
		case 'a' <= c && c <= 'z':
			lower = true
		case 'A' <= c && c <= 'Z':
			upper = true
		case '0' <= c && c <= '9':
			digit = true
		default:
			other = true
		}
	}
	kinds := 0
	for _, has := range []bool{lower, upper, digit, other} {
		if has {
			kinds++
		}
	}
	entropy := 0.0
	for _, n := range counts {
		share := float64(n) / float64(len(text))
		entropy -= share * math.Log2(share)
	}
	if passwordWords.MatchString(text) {
		return digit && kinds >= 3 && entropy >= bits
	}
	return digit && kinds >= 2 && entropy >= bits
}

var (
	printing = regexp.MustCompile(`(?m)(?:^|[;&|({]\s*|\b(?:then|do|else)\s+)(echo|printf|printenv)\b((?:>&|[^;&|\n])*)`)
	listing  = regexp.MustCompile(`(?m)(?:^|[;&]\s*)(env|printenv|export -p|set|export|declare -p)[ \t]*(?:$|;|&&)`)
	tracing  = regexp.MustCompile(`(?m)(?:^|[;&]\s*)(set -[a-z]*x[a-z]*|set -o xtrace|(?:ba)?sh -[a-z]*x[a-z]*)\b`)
	untraced = regexp.MustCompile(`set \+[a-z]*x`)
)

func checkPrintedSecret(p *pass) {
	for e := range p.scripts() {
		if secrets := secretVariables(e); len(secrets) > 0 {
			p.printedSecret(e, secrets)
		}
	}
}

// secretVariables are the variables of an element that hold secrets.
func secretVariables(e element) (names []string) {
	for _, use := range secretsOf(e) {
		names = append(names, use.variable)
	}
	return names
}

const masked = "do not print it: the log has stars in its place, and shows all of it once it is encoded or cut"

func (p *pass) printedSecret(e element, secrets []string) {
	traced := false
	for _, c := range e.Commands {
		plain, bare := code(c.Value, singleQuotes), code(c.Value, allQuotes)
		for _, at := range printing.FindAllStringSubmatchIndex(plain, -1) {
			rest := plain[at[4]:at[5]]
			if redirected(plain, bare, at[2], at[4], at[5]) {
				continue
			}
			for _, m := range expansions(rest) {
				if name := rest[m[2]:m[3]]; slices.Contains(secrets, name) && !alternative.MatchString(rest[m[3]:]) {
					p.report(e, p.locate(c, at[4]+m[0], m[3]-m[0]), fmt.Sprintf("step %q prints the secret in %s", e.Name.Value, name), masked)
					break
				}
			}
			if plain[at[2]:at[3]] == "printenv" && slices.Contains(secrets, strings.TrimSpace(rest)) {
				p.report(e, p.locate(c, at[2], at[3]-at[2]), fmt.Sprintf("step %q prints the secret in %s", e.Name.Value, strings.TrimSpace(rest)), masked)
			}
		}
		if at := listing.FindStringSubmatchIndex(bare); at != nil {
			p.report(e, p.locate(c, at[2], at[3]-at[2]), fmt.Sprintf("step %q prints all its variables, with the secret in %s", e.Name.Value, secrets[0]), masked)
		}
		if at := tracing.FindStringSubmatchIndex(bare); at != nil && !traced && p.usesLater(e, c, secrets) {
			traced = true
			p.report(e, p.locate(c, at[2], at[3]-at[2]), fmt.Sprintf("`%s` prints the commands of step %q with the secret in %s in them", bare[at[2]:at[3]], e.Name.Value, secrets[0]),
				"write `set +x` before the commands that use it; the log has stars in its place, unless it is encoded or cut")
		}
	}
}

// alternative matches what makes another word of a variable that is set.
var alternative = regexp.MustCompile(`^:?\+`)

// toTerminal matches redirections that only swap the outputs of a command.
var toTerminal = regexp.MustCompile(`[12]?>&[12]`)

// redirected reports whether what the command at start, with the arguments
// from one byte to another, prints goes into a file, a variable or to another
// program.
func redirected(plain, bare string, start, from, to int) bool {
	if strings.Contains(toTerminal.ReplaceAllString(bare[from:to], ""), ">") {
		return true
	}
	if next := plain[to:]; strings.HasPrefix(next, "|") && !strings.HasPrefix(next, "||") {
		return true
	}
	before := strings.TrimRight(plain[:start], " \t")
	return strings.HasSuffix(before, "$(") || strings.HasSuffix(before, "`")
}

// usesLater reports whether commands use a secret at c or after it, before
// tracing ends.
func (p *pass) usesLater(e element, c manifest.String, secrets []string) bool {
	from := slices.IndexFunc(e.Commands, func(other manifest.String) bool { return other.Span == c.Span })
	for _, later := range e.Commands[max(from, 0):] {
		plain := code(later.Value, singleQuotes)
		if at := untraced.FindStringIndex(plain); at != nil {
			plain = plain[:at[0]]
			return mentions(plain, secrets)
		}
		if mentions(plain, secrets) {
			return true
		}
	}
	return false
}

// mentions reports whether commands expand one of some variables.
func mentions(command string, names []string) bool {
	for _, at := range expansions(command) {
		if slices.Contains(names, command[at[2]:at[3]]) {
			return true
		}
	}
	return false
}
