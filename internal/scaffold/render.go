package scaffold

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"

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
	command     []string
	port        int
	kind        *kind
}

type variable struct{ name, value string }

// render writes pipelines in the canonical form of `drone fmt`.
func render(list []*pipeline) []byte {
	var w writer
	for i, p := range list {
		if i > 0 {
			w.line(0, "\n---")
		}
		w.pipeline(p)
	}
	return w.Bytes()
}

// writer is the text of a file.
type writer struct{ bytes.Buffer }

func (w *writer) line(indent int, format string, args ...any) {
	w.WriteString(strings.Repeat(" ", indent) + fmt.Sprintf(format, args...) + "\n")
}

func (w *writer) pipeline(p *pipeline) {
	w.line(0, "kind: pipeline")
	w.line(0, "type: docker")
	w.line(0, "name: %s", scalar(p.name))
	if len(p.services) > 0 {
		w.line(0, "\nservices:")
	}
	for i, s := range p.services {
		w.container(i, s.name, s.image)
		w.list("command", s.command)
		w.variables("environment", s.env)
	}
	w.line(0, "\nsteps:")
	for i, s := range p.steps {
		w.container(i, s.name, s.image)
		w.variables("environment", s.env)
		w.variables("settings", s.settings)
		w.list("commands", s.commands)
	}
	if len(p.after) > 0 {
		w.line(0, "\ndepends_on:")
	}
	for _, name := range p.after {
		w.line(0, "- %s", scalar(name))
	}
}

// container begins a step or a service, the one of a number in its list.
func (w *writer) container(number int, name, image string) {
	if number > 0 {
		w.line(0, "")
	}
	w.line(0, "- name: %s", scalar(name))
	w.line(2, "image: %s", scalar(image))
}

func (w *writer) variables(key string, vars []variable) {
	if len(vars) == 0 {
		return
	}
	w.line(2, "%s:", key)
	for _, v := range vars {
		value := scalar(v.value)
		if v.value == "true" && key == "settings" {
			value = v.value
		}
		w.line(4, "%s: %s", scalar(v.name), value)
	}
}

func (w *writer) list(key string, words []string) {
	if len(words) > 0 {
		w.line(2, "%s:", key)
	}
	for _, word := range words {
		w.line(2, "- %s", scalar(word))
	}
}

// scalar is a text as it stands in YAML, on one line. An expression of Drone is
// none here: what has a ${ is meant for the shell.
func scalar(text string) string {
	text = strings.ReplaceAll(text, "${", "$${")
	if strings.ContainsFunc(text, unicode.IsControl) {
		return fmt.Sprintf("%q", text)
	}
	out, err := yaml.Marshal(text)
	if err != nil { // not of a scalar
		return fmt.Sprintf("%q", text)
	}
	word := strings.TrimSuffix(string(out), "\n")
	if strings.Contains(word, "\n") { // folded
		return fmt.Sprintf("%q", text)
	}
	return word
}
