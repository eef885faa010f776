package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/internal/table"
	"github.com/drone-laptop/drone/remote"
	"github.com/drone-laptop/drone/report"
)

type secretCommands struct{ asker }

func newSecret(s Streams) *cobra.Command {
	x := secretCommands{asker{s, &serverFlags{}}}
	c := x.group("secret", "list and set the secrets of a repository on a server",
		"secret asks a server about the secrets of a repository, OWNER/NAME; without it that is the one\n"+
			"of the git remote. No server tells their values.",
		x.ls(), x.info(), x.add(), x.update(), x.rm(),
	)
	return c
}

// secretInput is what is said of a secret.
type secretInput struct {
	name, data     string
	trim           bool
	pull, pullPush bool
	flags          *pflag.FlagSet
	positional     bool // the value is an argument
}

func (i *secretInput) register(flags *pflag.FlagSet) {
	i.flags = flags
	if !i.positional {
		flags.StringVar(&i.data, "data", "", "the value: @FILE, - for standard input, or the `text` itself, which is seen in the process list (default: ask)")
	}
	flags.BoolVar(&i.trim, "trim", false, "leave out one line end at the end of the value")
	flags.BoolVar(&i.pull, "allow-pull-request", false, "give it to builds of pull requests, too; =false to stop that")
	flags.BoolVar(&i.pullPush, "allow-push-on-pull-request", false, "give it to pushes by a pull request, too; =false to stop that")
}

// repositoryFlag is where the official command takes the repository from, too.
func repositoryFlag(flags *pflag.FlagSet) {
	flags.String("repository", "", "repository, `OWNER/NAME`")
	flags.Lookup("repository").Hidden = true
}

var secretName = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

func checkSecretName(name string) error {
	if name == "" {
		return usage(errors.New("the secret has no name"), "name it with --name")
	}
	if !secretName.MatchString(name) {
		return usage(fmt.Errorf("%q is no name of a secret: a server takes letters, digits, dots, - and _", name), "")
	}
	return nil
}

// value reads the value, and asks for it when it is not given. words are the
// argument that has it, if any.
func (i *secretInput) value(s Streams, words []string, subject string) (string, error) {
	if i.flags.Changed("data") {
		words = []string{i.data}
	}
	value, typed, err := readValue(s, words, "Value of the secret "+report.Visible(subject)+" (not shown): ")
	if err != nil {
		return "", err
	}
	if i.trim {
		value = bytes.TrimSuffix(bytes.TrimSuffix(value, []byte("\n")), []byte("\r"))
	}
	switch {
	case len(value) == 0:
		return "", usage(errors.New("the value is empty, and a server takes no empty secret"), "")
	case !utf8.Valid(value):
		return "", usage(errors.New("the value is not UTF-8, so the server would get another"), "store its base64, and decode that in the step")
	case !typed && bytes.Count(value, []byte("\n")) == 1 && value[len(value)-1] == '\n':
		s.warn("the line end behind the value is part of it: --trim leaves it out")
	}
	return string(value), nil
}

// patch is what is to change: flags that were given, also when they are false.
func (i *secretInput) patch(value *string) remote.SecretPatch {
	return remote.SecretPatch{
		Data: value, PullRequest: changed(i.flags, "allow-pull-request", &i.pull),
		PullRequestPush: changed(i.flags, "allow-push-on-pull-request", &i.pullPush),
	}
}

// whole is the patch that makes a secret that is there the one that was to be
// added.
func (i *secretInput) whole(value *string) remote.SecretPatch {
	return remote.SecretPatch{Data: value, PullRequest: &i.pull, PullRequestPush: &i.pullPush}
}

// add adds a secret, or has it as it would be then where it is there already, so
// that a script may run again. It reports which.
func (i *secretInput) add(value string, create func(remote.SecretInput) (*remote.Secret, error), update func(remote.SecretPatch) (*remote.Secret, error)) (string, error) {
	_, err := create(remote.SecretInput{Name: i.name, Data: value, PullRequest: i.pull, PullRequestPush: i.pullPush})
	if !errors.Is(err, remote.ErrDuplicate) {
		return "added", err
	}
	_, err = update(i.whole(&value))
	return "updated", err
}

func secretColumns(org bool) []table.Column[remote.Secret] {
	c := []table.Column[remote.Secret]{{Name: "Name", Text: func(s *remote.Secret) string { return s.Name }}}
	if org {
		c = append(c, table.Column[remote.Secret]{Name: "Organization", Text: func(s *remote.Secret) string { return s.Namespace }})
	}
	return append(c,
		table.Column[remote.Secret]{Name: "Pull requests", Text: func(s *remote.Secret) string { return yesNo(s.PullRequest) }},
		table.Column[remote.Secret]{Name: "Pushes by them", Text: func(s *remote.Secret) string { return yesNo(s.PullRequestPush) }},
	)
}

func (x secretCommands) ls() *cobra.Command {
	var f resultFlags
	c := &cobra.Command{
		Use:     "ls [OWNER/NAME]",
		Short:   "list secrets",
		Example: "  drone secret ls\n  drone secret ls octo/hello --output json",
	}
	f.register(c.Flags())
	repositoryFlag(c.Flags())
	return x.askRepo(c, 0, 0, func(ctx context.Context, q *session, repo remote.Slug, _ []string) error {
		list, err := q.SecretList(ctx, repo)
		if err != nil {
			return err
		}
		return writeList(x.s, &f, list, secretColumns(false), repo.String()+" has no secrets")
	})
}

// nameFrom takes the name of a secret from the argument, or from --name as the
// official command has it.
func nameFrom(flag string, args []string) (string, error) {
	name := flag
	switch {
	case len(args) > 0 && flag != "" && args[0] != flag:
		return "", usage(errors.New("--name and an argument both name the secret"), "leave out one of the two")
	case len(args) > 0:
		name = args[0]
	}
	return name, checkSecretName(name)
}

func (x secretCommands) info() *cobra.Command {
	var f resultFlags
	var name string
	c := &cobra.Command{
		Use:     "info [OWNER/NAME] NAME",
		Short:   "show a secret, without its value",
		Example: "  drone secret info token\n  drone secret info octo/hello --name token",
	}
	f.register(c.Flags())
	c.Flags().StringVar(&name, "name", "", "name of the secret")
	repositoryFlag(c.Flags())
	return x.askRepo(c, 0, 1, func(ctx context.Context, q *session, repo remote.Slug, args []string) error {
		name, err := nameFrom(name, args)
		if err != nil {
			return err
		}
		secret, err := q.Secret(ctx, repo, name)
		if err != nil {
			return q.fail(err, "secret "+name+" of "+repo.String())
		}
		return writeOne(x.s, &f, secret, secretColumns(false))
	})
}

func (x secretCommands) add() *cobra.Command {
	var i secretInput
	c := &cobra.Command{
		Use:   "add [OWNER/NAME] NAME",
		Short: "add a secret",
		Long: "add stores a secret, and one of this name that is there is replaced. Without --data it asks for\n" +
			"the value and does not show it.",
		Example: "  drone secret add token\n  drone secret add octo/hello --name key --data @id_ed25519\n" +
			"  pass show hello | drone secret add octo/hello token --trim --data -",
	}
	c.SetFlagErrorFunc(silentFlagError)
	c.Flags().StringVar(&i.name, "name", "", "name of the secret")
	i.register(c.Flags())
	repositoryFlag(c.Flags())
	return x.askRepo(c, 0, 1, func(ctx context.Context, q *session, repo remote.Slug, args []string) (err error) {
		if i.name, err = nameFrom(i.name, args); err != nil {
			return err
		}
		q.tellFile(x.s)
		value, err := i.value(x.s, nil, i.name+" of "+repo.String())
		if err != nil {
			return err
		}
		done, err := i.add(value,
			func(s remote.SecretInput) (*remote.Secret, error) { return q.SecretCreate(ctx, repo, s) },
			func(p remote.SecretPatch) (*remote.Secret, error) { return q.SecretUpdate(ctx, repo, i.name, p) })
		if err != nil {
			return q.fail(err, repo.String())
		}
		return x.say("%s the secret %s of %s", done, i.name, repo)
	})
}

// tellFile says before a secret is sent that a file of the repository has chosen
// the server.
func (q *session) tellFile(s Streams) { q.tellSent(s, "secret") }

// tellSent is tellFile for something that is called otherwise.
func (q *session) tellSent(s Streams, what string) {
	if q.access.serverFrom == serverVar+" in "+dotEnvFile {
		s.note(fmt.Sprintf("the %s goes to %s, which the file %s here names", what, q.Server(), dotEnvFile))
	}
}

func (x secretCommands) update() *cobra.Command {
	var i secretInput
	c := &cobra.Command{
		Use:   "update [OWNER/NAME] NAME",
		Short: "change a secret",
		Long: "update changes the value of a secret, who gets it, or both. Without any flag it asks for the\n" +
			"value and does not show it.",
		Example: "  drone secret update token --data @token.txt\n  drone secret update octo/hello token --allow-pull-request=false",
	}
	c.SetFlagErrorFunc(silentFlagError)
	c.Flags().StringVar(&i.name, "name", "", "name of the secret")
	i.register(c.Flags())
	repositoryFlag(c.Flags())
	return x.askRepo(c, 0, 1, func(ctx context.Context, q *session, repo remote.Slug, args []string) (err error) {
		if i.name, err = nameFrom(i.name, args); err != nil {
			return err
		}
		patch, err := i.changes(x.s, q, nil, i.name+" of "+repo.String())
		if err != nil {
			return err
		}
		if _, err := q.SecretUpdate(ctx, repo, i.name, patch); err != nil {
			return q.fail(err, "secret "+i.name+" of "+repo.String())
		}
		return x.say("updated the secret %s of %s", i.name, repo)
	})
}

// changes is what update is to change. Without any flag that is the value.
func (i *secretInput) changes(s Streams, q *session, words []string, subject string) (remote.SecretPatch, error) {
	var value *string
	flagged := i.flags.Changed("allow-pull-request") || i.flags.Changed("allow-push-on-pull-request")
	if i.flags.Changed("data") || len(words) > 0 || !flagged {
		q.tellFile(s)
		text, err := i.value(s, words, subject)
		if err != nil {
			return remote.SecretPatch{}, err
		}
		value = &text
	}
	return i.patch(value), nil
}

func (x secretCommands) rm() *cobra.Command {
	var name string
	var yes yesFlag
	c := &cobra.Command{
		Use:     "rm [OWNER/NAME] NAME",
		Short:   "delete a secret",
		Example: "  drone secret rm octo/hello token\n  drone secret rm --name token --yes",
	}
	c.Flags().StringVar(&name, "name", "", "name of the secret")
	repositoryFlag(c.Flags())
	yes.register(c.Flags())
	return x.askRepo(c, 0, 1, func(ctx context.Context, q *session, repo remote.Slug, args []string) error {
		name, err := nameFrom(name, args)
		if err != nil {
			return err
		}
		return x.delete(q, &yes, "secret "+name+" of "+repo.String(), func() error { return q.SecretDelete(ctx, repo, name) })
	})
}

func newOrgSecret(s Streams) *cobra.Command {
	x := orgSecretCommands{asker{s, &serverFlags{}}}
	return x.group("orgsecret", "list and set the secrets of an organization on a server",
		"orgsecret asks a server about the secrets that all repositories of an organization have.",
		x.ls(), x.info(), x.add(), x.update(), x.rm(),
	)
}

type orgSecretCommands struct{ asker }

func (x orgSecretCommands) ls() *cobra.Command {
	var f resultFlags
	var org string
	c := &cobra.Command{
		Use:     "ls [ORGANIZATION]",
		Short:   "list secrets of organizations",
		Long:    "ls lists the secrets of an organization; without one those of all, for administrators.",
		Example: "  drone orgsecret ls octo\n  drone orgsecret ls --filter octo --output json",
	}
	c.Flags().StringVar(&org, "filter", "", "only those of this `organization`")
	f.register(c.Flags())
	return x.ask(c, 0, 1, func(ctx context.Context, q *session, args []string) (err error) {
		if len(args) > 0 {
			org = args[0]
		}
		var list []remote.Secret
		if org == "" {
			list, err = q.OrgSecretAll(ctx)
		} else {
			list, err = q.OrgSecretList(ctx, org)
		}
		if err != nil {
			return q.fail(err, orgWord(org))
		}
		return writeList(x.s, &f, list, secretColumns(true), "there are no secrets of "+orgWord(org))
	})
}

func orgWord(org string) string {
	if org == "" {
		return "organizations"
	}
	return "the organization " + org
}

func (x orgSecretCommands) info() *cobra.Command {
	var f resultFlags
	c := &cobra.Command{
		Use:     "info ORGANIZATION NAME",
		Short:   "show a secret of an organization, without its value",
		Example: "  drone orgsecret info octo token",
	}
	f.register(c.Flags())
	return x.ask(c, 2, 2, func(ctx context.Context, q *session, args []string) error {
		secret, err := q.OrgSecret(ctx, args[0], args[1])
		if err != nil {
			return q.fail(err, "secret "+args[1]+" of "+orgWord(args[0]))
		}
		return writeOne(x.s, &f, secret, secretColumns(true))
	})
}

const orgValueUse = " ORGANIZATION NAME [VALUE | @FILE | -]"

func (x orgSecretCommands) add() *cobra.Command {
	i := secretInput{positional: true}
	c := &cobra.Command{
		Use:   "add" + orgValueUse,
		Short: "add a secret of an organization",
		Long: "add stores a secret, and one of this name that is there is replaced. Without a value it asks for\n" +
			"one and does not show it. @FILE is the content of a file, - standard input. A VALUE is seen in\nthe list of processes.",
		Example: "  drone orgsecret add octo token\n  drone orgsecret add octo key @id_ed25519 --allow-pull-request",
	}
	c.SetFlagErrorFunc(silentFlagError)
	i.register(c.Flags())
	return x.ask(c, 2, 3, func(ctx context.Context, q *session, args []string) error {
		i.name = args[1]
		if err := checkSecretName(i.name); err != nil {
			return err
		}
		q.tellFile(x.s)
		value, err := i.value(x.s, args[2:], i.name+" of "+args[0])
		if err != nil {
			return err
		}
		done, err := i.add(value,
			func(s remote.SecretInput) (*remote.Secret, error) { return q.OrgSecretCreate(ctx, args[0], s) },
			func(p remote.SecretPatch) (*remote.Secret, error) { return q.OrgSecretUpdate(ctx, args[0], i.name, p) })
		if err != nil {
			return q.fail(err, orgWord(args[0]))
		}
		return x.say("%s the secret %s of %s", done, i.name, orgWord(args[0]))
	})
}

func (x orgSecretCommands) update() *cobra.Command {
	i := secretInput{positional: true}
	c := &cobra.Command{
		Use:     "update" + orgValueUse,
		Short:   "change a secret of an organization",
		Long:    "update changes the value of a secret, who gets it, or both. With neither it asks for the value.",
		Example: "  drone orgsecret update octo token @token.txt\n  drone orgsecret update octo token --allow-pull-request=false",
	}
	c.SetFlagErrorFunc(silentFlagError)
	i.register(c.Flags())
	return x.ask(c, 2, 3, func(ctx context.Context, q *session, args []string) error {
		i.name = args[1]
		patch, err := i.changes(x.s, q, args[2:], i.name+" of "+args[0])
		if err != nil {
			return err
		}
		if _, err := q.OrgSecretUpdate(ctx, args[0], i.name, patch); err != nil {
			return q.fail(err, "secret "+i.name+" of "+orgWord(args[0]))
		}
		return x.say("updated the secret %s of %s", i.name, orgWord(args[0]))
	})
}

func (x orgSecretCommands) rm() *cobra.Command {
	var yes yesFlag
	c := &cobra.Command{
		Use:     "rm ORGANIZATION NAME",
		Short:   "delete a secret of an organization",
		Example: "  drone orgsecret rm octo token --yes",
	}
	yes.register(c.Flags())
	return x.ask(c, 2, 2, func(ctx context.Context, q *session, args []string) error {
		return x.delete(q, &yes, "secret "+args[1]+" of "+orgWord(args[0]), func() error { return q.OrgSecretDelete(ctx, args[0], args[1]) })
	})
}
