package compile

import (
	"maps"
	"strings"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/manifest"
)

// substitution is the table for `${…}`, later wins (reference §4.1).
func substitution(opts Options, stage Stage) map[string]string {
	out := maps.Clone(opts.Vars)
	if out == nil {
		out = map[string]string{}
	}
	for _, v := range table(opts.Build, stage) {
		out[v.Name] = v.Value
	}
	return out
}

// variables are what all steps of a pipeline share: env a step may override,
// fixed it may not. live are the names that get their value at the start of a
// step, and so are fixed as well.
type variables struct {
	env, fixed map[string]string
	live       map[string]bool
	keepEmpty  bool // names with an empty value are set all the same
}

// variablesOf lays the tables of a pipeline on each other (reference §5.1,
// layers 1 to 9 and 11).
func (c *compiler) variablesOf(st *stage, ws workspace) variables {
	v := variables{env: map[string]string{}, fixed: map[string]string{}, live: map[string]bool{}}
	maps.Copy(v.env, c.opts.Env)
	maps.Copy(v.env, c.opts.Build.Params)
	if !st.onHost() {
		for _, e := range st.pipe.Environment {
			v.env[e.Name.Value] = e.Value.Value
		}
	}
	maps.Copy(v.env, proxies(c.opts.Proxy))
	of := era(c.opts.Era)
	if st.onHost() {
		of = ""
	}
	v.builtin(table(c.opts.Build, st.facts(c.opts.Machine)), of)
	maps.Copy(v.env, identity(c.opts.Build.Author, st.pipe.Clone))
	if !st.onHost() {
		v.container(ws, c.opts.Netrc)
	}
	if of == "0.8" {
		v.fixed["DRONE_WORKSPACE"], v.fixed["CI_WORKSPACE"] = ws.full, ws.full
	}
	// The lowest layer can say nothing by an empty value, unless that is kept,
	// and a name that is fixed never shows through.
	v.keepEmpty = st.onHost() || of.old()
	maps.DeleteFunc(v.env, func(name, value string) bool {
		_, hidden := v.fixed[name]
		empty := value == "" && (!v.keepEmpty || of.old())
		builtin := strings.HasPrefix(name, "DRONE_") || strings.HasPrefix(name, "CI_")
		return empty || builtin && of.unset(value) || hidden || v.live[name]
	})
	return v
}

// container adds what steps in containers are told of the workspace and of the
// login. For the others both are files whose place only the engine knows.
func (v *variables) container(ws workspace, netrc Netrc) {
	maps.Copy(v.env, map[string]string{
		"DRONE_WORKSPACE": ws.full, "DRONE_WORKSPACE_BASE": ws.base, "DRONE_WORKSPACE_PATH": ws.path,
	})
	if netrc.Machine != "" {
		v.env["DRONE_NETRC_MACHINE"] = netrc.Machine
		v.env["DRONE_NETRC_USERNAME"] = netrc.Username
	}
}

func (v *variables) builtin(table []variable, of era) {
	for _, b := range table {
		if !b.live && of.unset(b.Value) {
			continue
		}
		if b.Value = of.value(b.Name, b.Value); of.old() && b.set != setParam && !b.live {
			v.fixed[b.Name] = b.Value
			continue
		}
		switch b.set {
		case setSystem, setRepo, setLink:
			v.env[b.Name] = b.Value
		case setBuild, setStage:
			if b.live {
				v.live[b.Name] = true
				continue
			}
			v.fixed[b.Name] = b.Value
		}
	}
}

// overrides reports whether a step has no say in the value of a name.
func (v *variables) overrides(name string) bool {
	_, ok := v.fixed[name]
	return ok || v.live[name] || name == "DRONE_STEP_NAME" || name == "DRONE_STEP_NUMBER"
}

// proxies gives the proxy variables in both cases; the upper case is looked up
// first.
func proxies(found map[string]string) map[string]string {
	out := map[string]string{}
	for _, name := range []string{"no_proxy", "http_proxy", "https_proxy", "all_proxy"} {
		upper := strings.ToUpper(name)
		if value := or(found[upper], found[name]); value != "" {
			out[name], out[upper] = value, value
		}
	}
	return out
}

// identity is what git itself is told, in every container.
func identity(a Author, clone manifest.Clone) map[string]string {
	name, email := or(a.Name, "drone"), or(a.Email, "noreply@drone")
	out := map[string]string{
		"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": email,
		"GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": email,
		"GIT_TERMINAL_PROMPT": "0",
	}
	if clone.Trace.Value {
		out["GIT_TRACE"] = "true"
	}
	if clone.SkipVerify.Value {
		out["GIT_SSL_NO_VERIFY"] = "true"
	}
	return out
}

// ownEnv is the environment of one step while it is put together. A secret
// wins over a value of the same name, whichever comes first.
type ownEnv struct {
	values  map[string]string
	secrets []exec.SecretRef
	index   map[string]int // into secrets, by variable
}

func newOwnEnv() *ownEnv { return &ownEnv{values: map[string]string{}} }

func (o *ownEnv) secret(env string, name manifest.String) {
	ref := exec.SecretRef{Env: env, Name: name.Value, Position: place(name.Span.Start)}
	if i, ok := o.index[env]; ok {
		o.secrets[i] = ref
		return
	}
	if o.index == nil { // few steps have secrets
		o.index = map[string]int{}
	}
	o.index[env] = len(o.secrets)
	o.secrets = append(o.secrets, ref)
}

// variablesOfStep reads environment alone.
func variablesOfStep(s *manifest.Step) *ownEnv {
	out := newOwnEnv()
	for _, e := range s.Environment {
		if e.FromSecret.Value != "" {
			out.secret(e.Name.Value, e.FromSecret)
			continue
		}
		out.values[e.Name.Value] = e.Value.Value
	}
	return out
}

// stepEnv reads environment, then settings, which win.
func stepEnv(s *manifest.Step) *ownEnv {
	out := variablesOfStep(s)
	for _, setting := range s.Settings {
		name := setting.Variable()
		if secret := setting.FromSecret(); secret.Value != "" {
			out.secret(name, secret)
			continue
		}
		if text, ok := settingText(setting.Value); ok {
			out.values[name] = text
		}
	}
	return out
}

// netrc adds the secret parts of the login, unless the step says otherwise.
func (o *ownEnv) netrc(n Netrc) {
	if n.Machine == "" {
		return
	}
	for _, v := range []field{
		{"DRONE_NETRC_PASSWORD", NetrcPasswordSecret},
		{"DRONE_NETRC_FILE", NetrcFileSecret},
	} {
		_, set := o.values[v.name]
		if _, ok := o.index[v.name]; !ok && !set {
			o.secret(v.name, manifest.String{Value: v.value})
		}
	}
}

// into writes the result to a step and leaves out what has no effect: names
// that are fixed, that a secret sets, or that are empty and hide nothing, not
// even what the engine may add.
func (o *ownEnv) into(s *exec.Step, shared *variables) {
	for name, value := range o.values {
		_, secret := o.index[name]
		_, hides := shared.env[name]
		hides = hides || shared.keepEmpty || strings.HasPrefix(name, "DRONE_DOCKER_")
		if secret || shared.overrides(name) || value == "" && !hides {
			delete(o.values, name)
		}
	}
	if len(o.values) > 0 {
		s.Env = o.values
	}
	s.Secrets = o.secrets
}
