package docker

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/drone-laptop/drone/exec"
)

// callers are programs whose arguments name machines.
const callers = `ping6?|ssh|scp|sftp|rsync|curl|wget|nc|ncat|netcat|telnet|nslookup|dig|host|getent|traceroute|psql|mysql|redis-cli|mongosh?|kubectl|http`

// mentioned reports whether the pipeline seems to speak of a machine by the
// name of one of its steps: as in a URL or before a port, as a whole value of a
// variable, or to a program that calls machines. The name of a prepared step
// resolves to its container before its turn, so what looks for another machine
// of that name, or waits for that one, would be led astray.
func mentioned(p *exec.Pipeline, name string) bool {
	word := `(^|[^\w.-])` + regexp.QuoteMeta(name)
	spoken, err := regexp.Compile(`(?i)(//|@)([^\s/@]*@)?` + regexp.QuoteMeta(name) + `([^\w.-]|\.?$)` +
		`|` + word + `:\d` +
		`|\b(` + callers + `)\b[^\n;|&]*[\s@]` + regexp.QuoteMeta(name) + `([^\w.-]|$)`)
	if err != nil {
		return true
	}
	values := func(env map[string]string) bool {
		return slices.ContainsFunc(slices.Collect(maps.Values(env)), func(v string) bool {
			return strings.EqualFold(v, name) || spoken.MatchString(v)
		})
	}
	if values(p.Env) {
		return true
	}
	return slices.ContainsFunc(p.Steps, func(s *exec.Step) bool {
		return values(s.Env) || slices.ContainsFunc(slices.Concat(s.Commands, s.Entrypoint, s.Command), spoken.MatchString)
	})
}
