package cmd

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/secrets"
	"github.com/drone-laptop/drone/report"
	"github.com/drone-laptop/drone/sign"
)

// netrcPasswordVar keeps the password of --netrc-password out of argv.
const netrcPasswordVar = "DRONE_NETRC_PASSWORD"

// lookup gives the value of a secret.
type lookup = func(name string) (string, bool)

// supply is where the values of secrets come from.
type supply struct {
	set *secrets.Set // of the user
	// own are values that drone itself makes: the login for cloning, and what
	// secret documents of the file lead to. A document counts only where the
	// user said nothing.
	own     map[string]string
	sources map[string]exec.SecretSource
	// broken are documents that lead to no value, and why.
	broken map[string]error
	// missing is what the plan needs and nobody has.
	missing []exec.MissingSecret
	// inText tells that the file names secrets as a shell names variables.
	inText bool
}

func (s supply) lookup(name string) (string, bool) {
	if v, ok := s.set.Lookup(name); ok {
		return v, true
	}
	v, ok := s.own[name]
	return v, ok
}

// supplied loads the secrets that the user gives for a plan, and finds those
// that the plan's secret documents describe.
func (o *execOptions) supplied(s Streams, plan *exec.Plan) (supply, error) {
	set, warnings, err := secrets.Load(secrets.Sources{Files: o.secrets.files, Values: o.secrets.values, Getenv: s.LookupEnv})
	if err != nil {
		return supply{}, mistake(err, "")
	}
	s.warnAll(warnings)
	key, err := o.decryptionKey(s)
	if err != nil {
		return supply{}, err
	}
	password := o.sel.netrcPassword
	if password == "" {
		password = s.getenv(netrcPasswordVar)
	}
	out := supply{set: set, sources: map[string]exec.SecretSource{}, broken: map[string]error{}, own: map[string]string{
		compile.NetrcPasswordSecret: password,
		compile.NetrcFileSecret:     fmt.Sprintf("machine %s login %s password %s", o.sel.netrcMachine, o.sel.netrcUser, password),
	}}
	for _, source := range plan.Secrets {
		out.sources[source.Name] = source
	}
	out.missing = exec.MissingSecrets(plan, out.lookup)
	for _, m := range out.missing {
		out.find(m.Name, key)
	}
	out.missing = slices.DeleteFunc(out.missing, func(m exec.MissingSecret) bool {
		_, found := out.own[m.Name]
		return found
	})
	return out, nil
}

// decryptionKey is what encrypted secrets are decrypted with, nil when the user
// has named none. A remembered key is not taken unasked: what is run may be from
// somebody else, and shall not get secrets because the key is at hand.
func (o *execOptions) decryptionKey(s Streams) (key []byte, err error) {
	switch flags := &o.secrets.key; {
	case o.secrets.remembered && flags.given():
		return nil, usage(errors.New("--remembered-key has no place beside --key-file and --key-env"), "leave out one of them")
	case o.secrets.remembered:
		key, _, err = repositoryKey(s, flags, o.build.overrides.Repo, "")
	default:
		key, _, err = flags.read(s)
	}
	return key, err
}

// find looks for a value of a secret where its document says (reference §1.4,
// §7.12): encrypted in the file, or what the user gives under the path and
// name that it has in the external store. An empty value counts as none. It does
// so once, however many steps ask for the secret.
func (s supply) find(name string, key []byte) {
	source, ok := s.sources[name]
	_, found := s.own[name]
	switch {
	case !ok, found, s.broken[name] != nil:
	case source.Data != "" && key != nil:
		value, err := sign.DecryptSecret(key, source.Data)
		switch {
		case err != nil:
			s.broken[name] = fmt.Errorf("%s: secret %q cannot be decrypted: %w", source.Position, name, err)
		case len(value) == 0:
			s.broken[name] = fmt.Errorf("%s: secret %q is empty when it is decrypted, which counts as missing", source.Position, name)
		default:
			s.own[name] = string(value)
		}
	case source.Data == "":
		if value, ok := s.set.Lookup(external(source)); ok {
			s.own[name] = value
		}
	}
}

// checkSecrets fails when a step that may run needs a secret that nobody
// supplied. A missing registry login is only a warning: the engine may have one.
func checkSecrets(s Streams, supplied supply, allow bool) error {
	warnLogins(s, supplied)
	failed := 0
	for _, m := range supplied.missing {
		if m.Step == "" {
			continue
		}
		text := fmt.Sprintf("%s: pipeline %s, step %s needs the secret %q, which is not supplied",
			m.Position, report.Visible(m.Pipeline), report.Visible(m.Step), m.Name)
		if why := supplied.broken[m.Name]; why != nil {
			text = why.Error()
		}
		if allow {
			s.warn(text + " and is empty")
			continue
		}
		failed++
		fmt.Fprintf(s.Err, "drone: %s %s\n", s.errStyle().Paint(red, "error:"), text)
		if hint := supplied.hint(m.Name); hint != "" {
			fmt.Fprintf(s.Err, "drone: hint: %s\n", hint)
		}
	}
	if failed == 0 {
		return nil
	}
	them := "it"
	if failed > 1 {
		them = "them"
	}
	hint := "supply " + them + " with --secret-file FILE or --secret NAME=@FILE, or run with --allow-missing-secrets"
	if supplied.inText {
		hint += "; `${NAME}` in a file for Drone 0.5 is a secret, and `$NAME` a variable of the shell"
	}
	return usage(fmt.Errorf("%s missing, nothing was run", report.Plural(failed, "secret")), hint)
}

// warnLogins names the registry logins that the file asks for and nobody gave.
func warnLogins(s Streams, supplied supply) {
	for _, m := range supplied.missing {
		if m.Step == "" {
			s.warn(fmt.Sprintf("%s: pipeline %s: no secret %q for image_pull_secrets, the logins of docker are used",
				m.Position, report.Visible(m.Pipeline), m.Name))
		}
	}
}

// hint says what is known of a secret that is missing.
func (s supply) hint(name string) string {
	source, ok := s.sources[name]
	switch near := s.set.Closest(name); {
	case s.broken[name] != nil:
		return fmt.Sprintf("the key is the secret of the repository that the server keeps; or give the value with --secret %s=@FILE", name)
	case near != "":
		return fmt.Sprintf("did you mean %q, from %s", near, s.set.Source(near))
	case ok && source.Data != "":
		return fmt.Sprintf("%s has it encrypted: name the key of the repository with --key-file, or --remembered-key", source.Position)
	case ok:
		return fmt.Sprintf("%s takes it from an external store: supply it as %s, or as %s", source.Position, name, external(source))
	}
	for _, other := range s.sources {
		if strings.EqualFold(other.Name, name) {
			return fmt.Sprintf("%s has a secret %q: upper and lower case matter there", other.Position, other.Name)
		}
	}
	return ""
}

// external is the name under which the user may give what is in an external
// store.
func external(source exec.SecretSource) string { return path.Join(source.Path, source.Key) }
