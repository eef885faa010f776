package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/internal/table"
	"github.com/drone-laptop/drone/remote"
)

type userCommands struct{ asker }

func newUser(s Streams) *cobra.Command {
	x := userCommands{asker{s, &serverFlags{}}}
	return x.group("user", "list and change the users of a server, as an administrator",
		"user asks a server about its users, which only administrators may. `drone whoami` tells who you are.",
		x.ls(), x.info(), x.add(), x.update(), x.block(), x.rotate(), x.repos(), x.rm(),
	)
}

func userColumns(now time.Time) []table.Column[remote.User] {
	return []table.Column[remote.User]{
		{Name: "User", Text: func(u *remote.User) string { return u.Login }},
		{Name: "Email", Text: func(u *remote.User) string { return u.Email }},
		{Name: "Admin", Text: func(u *remote.User) string { return yesNo(u.Admin) }},
		{Name: "Active", Text: func(u *remote.User) string { return yesNo(u.Active) }},
		{Name: "Machine", Text: func(u *remote.User) string { return yesNo(u.Machine) }},
		{Name: "Last login", Text: func(u *remote.User) string { return ago(u.LastLogin, now) }, Optional: true},
	}
}

func (x userCommands) ls() *cobra.Command {
	var f resultFlags
	c := &cobra.Command{
		Use:     "ls",
		Short:   "list users",
		Example: "  drone user ls\n  drone user ls --format '{{ .Login }}'",
	}
	f.register(c.Flags())
	return x.ask(c, 0, 0, func(ctx context.Context, q *session, _ []string) error {
		list, err := q.UserList(ctx)
		if err != nil {
			return q.fail(err, "list of users")
		}
		return writeList(x.s, &f, list, userColumns(time.Now()), "there are no users")
	})
}

func (x userCommands) info() *cobra.Command {
	var f resultFlags
	c := &cobra.Command{Use: "info LOGIN", Short: "show a user", Example: "  drone user info octocat"}
	f.register(c.Flags())
	return x.ask(c, 1, 1, func(ctx context.Context, q *session, args []string) error {
		user, err := q.User(ctx, args[0])
		if err != nil {
			return q.fail(err, "user "+args[0])
		}
		return writeOne(x.s, &f, user, userColumns(time.Now()))
	})
}

func (x userCommands) add() *cobra.Command {
	var f resultFlags
	var in remote.UserInput
	c := &cobra.Command{
		Use:   "add LOGIN",
		Short: "add a user",
		Long: "add adds a user. For a machine, which nobody logs in as, the server makes a token, which is\n" +
			"printed, and which no server tells again. --user-token gives it one of yours.",
		Example: "  drone user add octocat --admin\n  drone user add robot --machine",
	}
	var token string
	flags := c.Flags()
	flags.BoolVar(&in.Admin, "admin", false, "an administrator of the server")
	flags.BoolVar(&in.Machine, "machine", false, "a machine, whose token is printed")
	flags.StringVar(&token, "user-token", "", "token of the user: @FILE, or - for standard input (default: the server makes one)")
	f.register(flags)
	return x.ask(c, 1, 1, func(ctx context.Context, q *session, args []string) error {
		in.Login = args[0]
		// In the official command it is yours in front of the command, and that of
		// the new user behind it: one of them would be mistaken for the other.
		if c.Flags().Changed("token") {
			return usage(errors.New("--token is not clear here: it may be yours or that of the new user"), "set "+tokenVar+" to yours, and give that of the user with --user-token @FILE")
		}
		if token != "" {
			value, typed, err := readValue(x.s, []string{token}, "")
			if err != nil {
				return err
			}
			if typed {
				return usage(errors.New("--user-token takes @FILE or -: a token on the command line is seen in the process list"), "")
			}
			in.Token = strings.TrimRight(string(value), "\r\n")
			q.tellSent(x.s, "token of the user")
		}
		// Of a token that cannot be printed nothing would be left.
		if err := f.try(x.s, &remote.User{Login: in.Login}); err != nil {
			return err
		}
		user, err := q.UserCreate(ctx, in)
		if errors.Is(err, remote.ErrDuplicate) {
			return &failure{status: StatusUnreachable, err: fmt.Errorf("there is a user %s already", in.Login), hint: "`drone user update` changes one"}
		}
		if err != nil {
			return q.fail(err, "user "+in.Login)
		}
		return x.created(&f, user)
	})
}

// created prints a user who was just added: the token of a machine on the
// standard output, since nothing tells it again, and nothing else there, so that
// it can go into a file.
func (x userCommands) created(f *resultFlags, user *remote.User) error {
	if done, err := f.writeAs(x.s, user); done {
		return err
	}
	if user.Token == "" {
		return x.say("added the user %s", user.Login)
	}
	x.s.note("added the machine " + user.Login + "; this is its token, which no server tells again:")
	return x.say("%s", user.Token)
}

func (x userCommands) update() *cobra.Command {
	var f resultFlags
	var active, admin bool
	c := &cobra.Command{
		Use:     "update LOGIN",
		Short:   "change a user",
		Long:    "update changes what is named, and nothing else; --admin=false takes the rights of an\nadministrator away.",
		Example: "  drone user update octocat --admin\n  drone user update octocat --active=false",
	}
	c.Flags().BoolVar(&active, "active", false, "may use the server")
	c.Flags().BoolVar(&admin, "admin", false, "an administrator of the server")
	f.register(c.Flags())
	return x.ask(c, 1, 1, func(ctx context.Context, q *session, args []string) error {
		patch := remote.UserPatch{Admin: changed(c.Flags(), "admin", &admin), Active: changed(c.Flags(), "active", &active)}
		if patch == (remote.UserPatch{}) {
			return usage(errors.New("nothing says what to change"), "add --admin or --active, maybe with =false")
		}
		return x.patch(ctx, q, &f, args[0], patch, "updated")
	})
}

func (x userCommands) patch(ctx context.Context, q *session, f *resultFlags, login string, patch remote.UserPatch, done string) error {
	user, err := q.UserUpdate(ctx, login, patch)
	if err != nil {
		return q.fail(err, "user "+login)
	}
	return x.done(f, user, done+" the user "+login)
}

func (x userCommands) block() *cobra.Command {
	var f resultFlags
	c := &cobra.Command{
		Use:     "block LOGIN",
		Short:   "have a user use the server no more",
		Long:    "block ends what a user may do. The repositories that the user owns go to another one who may\nchange them; `drone user update LOGIN --active` ends it.",
		Example: "  drone user block octocat",
	}
	f.register(c.Flags())
	return x.ask(c, 1, 1, func(ctx context.Context, q *session, args []string) error {
		inactive := false
		return x.patch(ctx, q, &f, args[0], remote.UserPatch{Active: &inactive}, "blocked")
	})
}

func (x userCommands) rotate() *cobra.Command {
	var yes yesFlag
	c := &cobra.Command{
		Use:     "rotate LOGIN",
		Short:   "give a user a new token",
		Long:    "rotate has the server make a new token, so that the old one is worth nothing. The server does not\ntell the new one: the user finds it on the account page.",
		Example: "  drone user rotate octocat",
	}
	yes.register(c.Flags())
	return x.ask(c, 1, 1, func(ctx context.Context, q *session, args []string) error {
		if err := yes.confirm(x.s, "make the token of "+args[0]+" worthless"); err != nil {
			return err
		}
		if _, err := q.UserTokenRotate(ctx, args[0]); err != nil {
			return q.fail(err, "user "+args[0])
		}
		return x.say("the user %s has a new token", args[0])
	})
}

func (x userCommands) repos() *cobra.Command {
	var f resultFlags
	c := &cobra.Command{Use: "repos LOGIN", Short: "list the repositories of a user", Example: "  drone user repos octocat"}
	f.register(c.Flags())
	return x.ask(c, 1, 1, func(ctx context.Context, q *session, args []string) error {
		list, err := q.UserRepos(ctx, args[0])
		if err != nil {
			return q.fail(err, "user "+args[0])
		}
		return repoCommands(x).writeRepos(&f, list, "the user has no repositories there")
	})
}

func (x userCommands) rm() *cobra.Command {
	var yes yesFlag
	c := &cobra.Command{Use: "rm LOGIN", Short: "delete a user", Example: "  drone user rm octocat --yes"}
	yes.register(c.Flags())
	return x.ask(c, 1, 1, func(ctx context.Context, q *session, args []string) error {
		return x.delete(q, &yes, "user "+args[0], func() error { return q.UserDelete(ctx, args[0]) })
	})
}
