package exec

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
	for _, p := range plan.Pipelines {
		if !p.Runs {
			continue
		}
		ask := func(step string, refs []SecretRef) {
			for _, ref := range refs {
				if _, ok := value(lookup, ref.Name); !ok {
					missing = append(missing, MissingSecret{p.Name, step, ref.Name, ref.Position})
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

// secretValues looks up every secret a pipeline refers to, itself or in any of
// its steps. Those that are missing have no entry.
func secretValues(p *Pipeline, lookup func(string) (string, bool)) map[string]string {
	values := make(map[string]string)
	add := func(refs []SecretRef) {
		for _, ref := range refs {
			if _, known := values[ref.Name]; known {
				continue
			}
			if v, ok := value(lookup, ref.Name); ok {
				values[ref.Name] = v
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

func value(lookup func(string) (string, bool), name string) (string, bool) {
	if lookup == nil {
		return "", false
	}
	return lookup(name)
}
