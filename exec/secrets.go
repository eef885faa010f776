package exec

import (
	"encoding/json"
	"slices"
	"strings"
)

// MissingSecret is a secret that a step needs and nobody has.
type MissingSecret struct {
	Pipeline string
	Step     string // "" for one in image_pull_secrets
	Name     string
	Position string // file:line:col of the reference to it
}

// MissingSecrets lists the secrets that lookup does not have and that the
// plan's steps need, in the order of the plan. Pipelines that do not run and
// steps whose policy is Never need nothing. Run sets a missing secret to the
// empty value, so a caller who wants an error asks here first.
func MissingSecrets(plan *Plan, lookup func(name string) (value string, ok bool)) []MissingSecret {
	var missing []MissingSecret
	made := plan.made()
	for _, p := range plan.Pipelines {
		if !p.Runs {
			continue
		}
		ask := func(step string, refs []SecretRef) {
			for _, ref := range refs {
				for _, name := range made.needs(lookup, ref.Name) {
					if _, ok := value(lookup, name); !ok {
						missing = append(missing, MissingSecret{p.Name, step, name, ref.Position})
					}
				}
			}
		}
		ask("", p.PullSecrets)
		for _, s := range p.Steps {
			if s.Policy != Never {
				ask(s.Name, s.Secrets)
			}
		}
	}
	return missing
}

// made are the secrets of a plan that are made of others.
type made map[string][]SecretPart

func (p *Plan) made() made {
	var out made
	for _, s := range p.Secrets {
		if len(s.Parts) == 0 {
			continue
		}
		if out == nil {
			out = made{}
		}
		out[s.Name] = s.Parts
	}
	return out
}

// needs are the secrets that a value is needed of for one: itself, or those that
// it is made of when nobody has a value for it.
func (m made) needs(lookup func(string) (string, bool), name string) []string {
	parts := m[name]
	if _, ok := value(lookup, name); ok || len(parts) == 0 {
		return []string{name}
	}
	var names []string
	for _, part := range parts {
		if part.Secret != "" && !slices.Contains(names, part.Secret) {
			names = append(names, part.Secret)
		}
	}
	return names
}

// compose gives the value of a secret that is made of others; those that are
// missing are empty.
func (m made) compose(parts []SecretPart, values map[string]string) string {
	var b strings.Builder
	for _, part := range parts {
		switch {
		case part.Secret == "":
			b.WriteString(part.Text)
		case part.JSON:
			b.WriteString(inJSON(values[part.Secret]))
		default:
			b.WriteString(values[part.Secret])
		}
	}
	return b.String()
}

// inJSON is a text as it stands between the quotes of JSON.
func inJSON(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		return "" // a text can always be written
	}
	return string(quoted[1 : len(quoted)-1])
}

// secretValues looks up every secret a pipeline refers to, itself or in any of
// its steps, and those that others are made of, which are as secret. Those that
// are missing have no entry.
func secretValues(p *Pipeline, made made, lookup func(string) (string, bool)) map[string]string {
	values := make(map[string]string)
	add := func(refs []SecretRef) {
		for _, ref := range refs {
			if _, known := values[ref.Name]; known {
				continue
			}
			needed := made.needs(lookup, ref.Name)
			for _, name := range needed {
				if v, ok := value(lookup, name); ok {
					values[name] = v
				}
			}
			if !slices.Contains(needed, ref.Name) {
				values[ref.Name] = made.compose(made[ref.Name], values)
			}
		}
	}
	add(p.PullSecrets)
	if p.Netrc != nil {
		add([]SecretRef{p.Netrc.File, p.Netrc.Password})
	}
	for _, s := range p.Steps {
		add(s.Secrets)
	}
	return values
}

// withImages is a pipeline in which the images that are secrets have their
// names, p itself when there is none.
func withImages(p *Pipeline, values map[string]string) *Pipeline {
	if !slices.ContainsFunc(p.Steps, func(s *Step) bool { return s.ImageSecret != "" }) {
		return p
	}
	out := *p
	out.Steps = slices.Clone(p.Steps)
	for i, s := range out.Steps {
		if s.ImageSecret != "" {
			step := *s
			step.Image, step.ImageSecret = values[s.ImageSecret], ""
			out.Steps[i] = &step
		}
	}
	return &out
}

func value(lookup func(string) (string, bool), name string) (string, bool) {
	if lookup == nil {
		return "", false
	}
	return lookup(name)
}
