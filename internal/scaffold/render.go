package scaffold

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

// pipeline is what is written of one.
type pipeline struct {
	name     string
	services []service
	steps    []step
	after    []string
}

type step struct {
	name, image string
	env         []variable
	settings    []variable
	commands    []string
}

// service is a container beside the steps, which answers on a port.
type service struct {
	name, image string
	env         []variable
	port        int
}

type variable struct{ name, value string }

// render writes pipelines in the canonical form of `drone fmt`.
func render(list []*pipeline) []byte {
	var b strings.Builder
	line := func(indent int, format string, args ...any) {
		b.WriteString(strings.Repeat(" ", indent) + fmt.Sprintf(format, args...) + "\n")
	}
	variables := func(key string, vars []variable) {
		if len(vars) == 0 {
			return
		}
		line(2, "%s:", key)
		for _, v := range vars {
			value := scalar(v.value)
			if v.value == "true" && key == "settings" {
				value = v.value
			}
			line(4, "%s: %s", v.name, value)
		}
	}
	for i, p := range list {
		if i > 0 {
			line(0, "\n---")
		}
		line(0, "kind: pipeline")
		line(0, "type: docker")
		line(0, "name: %s", scalar(p.name))
		if len(p.services) > 0 {
			line(0, "\nservices:")
		}
		for j, s := range p.services {
			if j > 0 {
				line(0, "")
			}
			line(0, "- name: %s", scalar(s.name))
			line(2, "image: %s", scalar(s.image))
			variables("environment", s.env)
		}
		line(0, "\nsteps:")
		for j, s := range p.steps {
			if j > 0 {
				line(0, "")
			}
			line(0, "- name: %s", scalar(s.name))
			line(2, "image: %s", scalar(s.image))
			variables("environment", s.env)
			variables("settings", s.settings)
			if len(s.commands) > 0 {
				line(2, "commands:")
			}
			for _, c := range s.commands {
				line(2, "- %s", scalar(c))
			}
		}
		if len(p.after) > 0 {
			line(0, "\ndepends_on:")
		}
		for _, name := range p.after {
			line(0, "- %s", scalar(name))
		}
	}
	return []byte(b.String())
}

// scalar is a text as it stands in YAML, on one line. An expression of Drone is
// none here: what has a ${ is meant for the shell.
func scalar(text string) string {
	text = strings.ReplaceAll(text, "${", "$${")
	n := yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	if strings.ContainsAny(text, "\n\r\t") {
		n.Style = yaml.DoubleQuotedStyle
	}
	out, err := yaml.Marshal(&n)
	if err != nil { // not of a scalar
		return fmt.Sprintf("%q", text)
	}
	word := strings.TrimSuffix(string(out), "\n")
	if strings.Contains(word, "\n") { // folded
		return fmt.Sprintf("%q", text)
	}
	return word
}
