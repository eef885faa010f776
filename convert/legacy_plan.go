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
// LegacyOptions.Adapt says that it will be called.
func (c *Converted) Adapt(plan *exec.Plan) {
	relocate(plan, func(pos manifest.Pos) (manifest.Pos, bool) { return c.Source(pos), true })
	if c.Version == Version08 {
		return
	}
	makers := &secretMaker{plan: plan, names: map[string]string{}, taken: map[string]bool{}}
	for i := range plan.Secrets {
		makers.taken[plan.Secrets[i].Name] = true
	}
	for _, p := range plan.Pipelines {
		for _, s := range p.Steps {
			makers.step(s)
		}
	}
}

// relocate gives the places of a plan as source does, where it knows them.
func relocate(plan *exec.Plan, source func(manifest.Pos) (manifest.Pos, bool)) {
	move := func(places ...*string) {
		for _, place := range places {
			pos, ok := parsePlace(*place)
			if !ok {
				continue
			}
			if at, known := source(pos); known {
				*place = fmt.Sprintf("%s:%d:%d", at.File, at.Line, at.Column)
			}
		}
	}
	moveSecrets := func(refs []exec.SecretRef) {
		for i := range refs {
			move(&refs[i].Position)
		}
	}
	for i := range plan.Secrets {
		move(&plan.Secrets[i].Position)
	}
	for _, p := range plan.Pipelines {
		move(&p.Position)
		moveSecrets(p.PullSecrets)
		for i := range p.Privileges {
			move(&p.Privileges[i].Position)
		}
		for _, s := range p.Steps {
			move(&s.Position, &s.ImagePosition)
			moveSecrets(s.Secrets)
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
