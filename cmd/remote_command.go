package cmd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/internal/facts"
	"github.com/drone-laptop/drone/internal/similar"
	"github.com/drone-laptop/drone/remote"
	"github.com/drone-laptop/drone/report"
)

// serverCommands are the commands that do nothing but ask a server.
func serverCommands(s Streams) []*cobra.Command {
	return []*cobra.Command{
		newLogin(s), newLogout(s), newProfile(s), newInfo(s),
		newBuild(s, followBuild), newWatch(s), newRepo(s), newSecret(s), newOrgSecret(s), newCron(s), newTemplate(s), newUser(s), newQueue(s),
		newServer(s), newAutoscale(s), newPlugins(s),
	}
}

// asker is what commands of a server have in common.
type asker struct {
	s      Streams
	server *serverFlags
}

// group makes a command that has others below it, which take the flags of the
// server.
func (a asker) group(use, short, long string, children ...*cobra.Command) *cobra.Command {
	c := groupOf(use, short, long, children...)
	a.server.register(c.PersistentFlags())
	return c
}

// groupOf makes a command that does nothing but have others below it.
func groupOf(use, short, long string, children ...*cobra.Command) *cobra.Command {
	var names []string
	for _, child := range children {
		names = append(names, child.Name())
	}
	c := &cobra.Command{
		Use: use, Short: short, Long: long,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			hint := "there is " + strings.Join(names, ", ")
			if near := similar.Word(args[0], names); near != "" {
				hint = "did you mean `" + c.CommandPath() + " " + near + "`"
			}
			return usage(fmt.Errorf("no command named %q", strings.TrimPrefix(c.CommandPath(), "drone ")+" "+args[0]), hint)
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(children...)
	return c
}

// ask has a command take from least to most arguments and ask a server.
func (a asker) ask(c *cobra.Command, least, most int, do func(ctx context.Context, q *session, args []string) error) *cobra.Command {
	c.Args = cobra.ArbitraryArgs // checked below, in one place with the repository
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return wrongArgs(c)
		}
		return a.session(c, func(ctx context.Context, q *session) error {
			// No argument is named here: one may be a secret.
			return q.fail(do(ctx, q, args), "such thing")
		})
	}
	return c
}

// askRepo is ask for commands about a repository: the first argument, or, when
// that is no OWNER/NAME, the one of the git remote.
func (a asker) askRepo(c *cobra.Command, least, most int, do func(ctx context.Context, q *session, repo remote.Slug, args []string) error) *cobra.Command {
	c.Args = cobra.ArbitraryArgs
	c.RunE = func(c *cobra.Command, args []string) error {
		named := ""
		if len(args) > 0 && isSlug(args[0]) {
			named, args = args[0], args[1:]
		}
		if flag := c.Flags().Lookup("repository"); flag != nil && flag.Changed && named == "" {
			named = flag.Value.String()
		}
		if len(args) < least || len(args) > most {
			return wrongArgs(c)
		}
		repo, err := repoOf(named)
		if err != nil {
			return err
		}
		return a.session(c, func(ctx context.Context, q *session) error {
			return q.fail(do(ctx, q, repo, args), repo.String())
		})
	}
	return c
}

// session runs do with a client of the server.
func (a asker) session(c *cobra.Command, do func(ctx context.Context, q *session) error) error {
	if err := checkForm(a.s, c.Flags()); err != nil {
		return err
	}
	q, err := a.server.open(a.s)
	if err != nil {
		return err
	}
	defer q.Close()
	return do(orBackground(c.Context()), q)
}

// wrongArgs says how many arguments a command takes.
func wrongArgs(c *cobra.Command) error {
	takes := strings.TrimSpace(strings.TrimPrefix(c.Use, c.Name()))
	if takes == "" {
		takes = "no arguments"
	}
	return usage(fmt.Errorf("%s takes %s", c.CommandPath(), takes), "see `"+c.CommandPath()+" --help`")
}

// repoOf is the named repository, else that of the git remote.
func repoOf(named string) (remote.Slug, error) {
	if named == "" {
		if named = facts.Read(".").Remote.Slug; named == "" {
			return remote.Slug{}, usage(errors.New("the repository is not known: git has no remote that names it"), "name it, as OWNER/NAME")
		}
	}
	repo, err := remote.ParseSlug(named)
	if err != nil {
		return repo, usage(err, "write OWNER/NAME")
	}
	return repo, nil
}

// buildNumber reads a number of a build, or last, which is the newest one.
func (q *session) buildNumber(ctx context.Context, repo remote.Slug, word string) (int64, error) {
	if word == "last" || word == "latest" {
		b, err := q.newest(ctx, repo)
		if err != nil {
			return 0, err
		}
		return b.Number, nil
	}
	return positive("build", strings.TrimPrefix(word, "#"), ", or last")
}

// positive reads a number from 1 on. or says what else there is.
func positive(what, word, or string) (int64, error) {
	n, err := strconv.ParseInt(word, 10, 64)
	if err != nil || n < 1 {
		return 0, usage(fmt.Errorf("%q is no number of a %s", word, what), "write a number, such as 42"+or)
	}
	return n, nil
}

// newest is the build with the highest number, of any branch.
func (q *session) newest(ctx context.Context, repo remote.Slug) (*remote.Build, error) {
	list, err := q.BuildList(ctx, repo, remote.BuildFilter{}, 1, 1)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, usage(fmt.Errorf("%s has no build yet", repo), "`drone build create` starts one")
	}
	return &list[0], nil
}

// yesFlag is --yes of commands that destroy something.
type yesFlag struct{ given bool }

func (y *yesFlag) register(flags *pflag.FlagSet) {
	flags.BoolVarP(&y.given, "yes", "y", false, "do not ask")
}

// confirm asks whether something is to be done that cannot be undone. what is the
// end of the question, such as "delete the secret token of octo/hello".
func (y *yesFlag) confirm(s Streams, what string) error {
	if y.given {
		return nil
	}
	what = report.Visible(what)
	if !s.mayAsk() {
		return usage(fmt.Errorf("this would %s, and there is no terminal to ask on", what), "add --yes")
	}
	fmt.Fprintf(s.Err, "This would %s. Do it? [y]es, [N]o: ", what)
	line, err := bufio.NewReader(s.In).ReadString('\n')
	if word := strings.ToLower(strings.TrimSpace(line)); word == "y" || word == "yes" {
		return nil
	}
	if err != nil {
		fmt.Fprintln(s.Err)
	}
	return &failure{status: StatusUsage, err: errors.New("nothing was done")}
}

// delete has a server delete something, such as a "secret token of octo/hello", when
// somebody agrees to that.
func (a asker) delete(q *session, yes *yesFlag, what string, call func() error) error {
	if err := yes.confirm(a.s, "delete the "+what); err != nil {
		return err
	}
	if err := call(); err != nil {
		return q.fail(err, what)
	}
	return a.say("deleted the %s", what)
}

// say prints what was done.
func (a asker) say(format string, args ...any) error {
	_, err := fmt.Fprintln(a.s.Out, report.Visible(fmt.Sprintf(format, args...)))
	return err
}

// done says that something was done, or prints what the server answers in the
// form that was asked for.
func (a asker) done(r *resultFlags, answer any, text string) error {
	if done, err := r.writeAs(a.s, answer); done {
		return err
	}
	return a.say("%s", text)
}

// changed gives the value of a flag that was given, else nil: the server keeps
// what it is not told.
func changed[T any](flags *pflag.FlagSet, name string, value *T) *T {
	if !flags.Changed(name) {
		return nil
	}
	return value
}
