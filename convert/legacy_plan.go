package convert

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/manifest"
)

// Adapt gives a plan that was made of Text what Drone YAML has no words for:
// places in the file that was converted, and secrets that others are a part of.
// It is for one that LegacyOptions.Local was set for.
func (c *Converted) Adapt(plan *exec.Plan) {
	makers := &secretMaker{plan: plan, names: map[string]string{}, taken: map[string]bool{}}
	for i := range plan.Secrets {
		makers.taken[plan.Secrets[i].Name] = true
		c.move(&plan.Secrets[i].Position)
	}
	for _, p := range plan.Pipelines {
		c.move(&p.Position)
		c.moveSecrets(p.PullSecrets)
		for i := range p.Privileges {
			c.move(&p.Privileges[i].Position)
		}
		for _, s := range p.Steps {
			c.move(&s.Position, &s.ImagePosition)
			c.moveSecrets(s.Secrets)
			if c.Version != Version08 {
				makers.step(s)
			}
		}
	}
}

func (c *Converted) moveSecrets(refs []exec.SecretRef) {
	for i := range refs {
		c.move(&refs[i].Position)
	}
}

func (c *Converted) move(places ...*string) {
	for _, place := range places {
		if pos, ok := parsePlace(*place); ok {
			at := c.Source(pos)
			*place = fmt.Sprintf("%s:%d:%d", at.File, at.Line, at.Column)
		}
	}
}

// parsePlace reads file:line:col; a name of a file can have colons, too.
func parsePlace(text string) (manifest.Pos, bool) {
	rest, column, ok := cutLast(text)
	if !ok {
		return manifest.Pos{}, false
	}
	file, line, ok := cutLast(rest)
	return manifest.Pos{File: file, Line: line, Column: column}, ok
}

func cutLast(text string) (before string, number int, ok bool) {
	i := strings.LastIndexByte(text, ':')
	if i < 0 {
		return "", 0, false
	}
	number, err := strconv.Atoi(text[i+1:])
	return text[:i], number, err == nil
}

// secretMaker adds the secrets to a plan that are made of others.
type secretMaker struct {
	plan  *exec.Plan
	names map[string]string // by text
	taken map[string]bool
}

var inImages = regexp.MustCompile(`\$\{([A-Za-z0-9_]+)\}`)

// step has the references of a step, which are texts with marks, name secrets.
func (m *secretMaker) step(s *exec.Step) {
	for i := range s.Secrets {
		if ref := &s.Secrets[i]; strings.Contains(ref.Name, madeMark) {
			ref.Name = m.secret(s, ref.Env, ref.Name, ref.Position)
		}
	}
	if image := inImages.ReplaceAllString(s.Image, madeMark+"$1"+madeMark); image != s.Image {
		s.ImageSecret = m.secret(s, "image", image, s.ImagePosition)
		s.Secrets = append(s.Secrets, exec.SecretRef{Name: s.ImageSecret, Position: s.ImagePosition})
	}
}

// secret names a secret that is made of a text, and adds it once.
func (m *secretMaker) secret(s *exec.Step, variable, text, position string) string {
	if name, ok := m.names[text]; ok {
		return name
	}
	short := madeName(s.Name, variable)
	name := short
	for n := 2; m.taken[name]; n++ {
		name = fmt.Sprintf("%s_%d", short, n)
	}
	m.names[text], m.taken[name] = name, true
	source := exec.SecretSource{Name: name, Position: position}
	for i, piece := range strings.Split(text, madeMark) {
		named, json := strings.CutPrefix(piece, jsonMark)
		switch {
		case i%2 == 1:
			source.Parts = append(source.Parts, exec.SecretPart{Secret: named, JSON: json})
		case piece != "":
			source.Parts = append(source.Parts, exec.SecretPart{Text: piece})
		}
	}
	m.plan.Secrets = append(m.plan.Secrets, source)
	return name
}
