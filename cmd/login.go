package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/internal/account"
	"github.com/drone-laptop/drone/internal/facts"
	"github.com/drone-laptop/drone/internal/keystore"
	"github.com/drone-laptop/drone/internal/table"
	"github.com/drone-laptop/drone/remote"
	"github.com/drone-laptop/drone/report"
)

type loginOptions struct {
	server           serverFlags
	plain, noBrowser bool
}

func newLogin(s Streams) *cobra.Command {
	o := &loginOptions{}
	c := &cobra.Command{
		Use:   "login [SERVER]",
		Short: "remember a server and your token there",
		Long: "login asks for your token on a server, which your account page there shows, checks it, and\n" +
			"remembers both. Commands then ask this server for repositories whose git remote is where\n" +
			"the server has its repositories from; the first login is for all others, too. The token\n" +
			"goes into the keyring of the system, and where there is none into a file that only you can\n" +
			"read. DRONE_SERVER and DRONE_TOKEN, and a file .env, go first as ever.",
		Example: "  drone login https://drone.example.com\n  drone login https://drone.example.com --profile work < token",
		Args:    cobra.ArbitraryArgs,
	}
	flags := c.Flags()
	o.server.register(flags)
	flags.Lookup("profile").Usage = "`name` of the login (default: the host of the server)"
	flags.BoolVar(&o.plain, "file", false, "keep the token in a file that only you can read, even where there is a keyring")
	flags.BoolVar(&o.noBrowser, "no-browser", false, "open no browser on the page that shows the token")
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 1 {
			return wrongArgs(c)
		}
		return runLogin(orBackground(c.Context()), s, o, first(args))
	}
	return c
}

func runLogin(ctx context.Context, s Streams, o *loginOptions, server string) error {
	store, err := s.accounts()
	if err != nil {
		return err
	}
	if _, err := store.Profiles(); err != nil { // before a token is asked for in vain
		return accountFailure(err)
	}
	a := access{serverFrom: fromServerFlag, tokenFrom: "this login"}
	switch {
	case server != "" && o.server.server != "" && account.Normal(server) != account.Normal(o.server.server):
		return usage(errors.New("--server and the argument name two servers"), "leave out one of the two")
	case server != "":
		a.server = withScheme(server)
	case o.server.server != "":
		a.server = withScheme(o.server.server)
	case s.getenv(serverVar) != "":
		a.server, a.serverFrom = s.getenv(serverVar), serverVar
	default:
		return usage(errors.New("there is no address of a server"), "name it: `drone login https://drone.example.com`")
	}
	a.server = account.Normal(a.server)
	name, err := o.name(a.server)
	if err != nil {
		return err
	}
	// Before a token is asked for: the address must be one to send a token to.
	probe := a
	probe.token = "x"
	c, err := o.server.connect(s, probe)
	if err != nil {
		return err
	}
	c.Close()
	if open := plainText(a.server); open != "" {
		s.warn("nothing protects your token on its way to " + report.Visible(open) + ", since the address begins with http://")
	}
	if a.token, err = o.token(s, a.server); err != nil {
		return err
	}
	if c, err = o.server.connect(s, a); err != nil {
		return err
	}
	defer c.Close()
	return o.finish(ctx, s, store, &session{c, a}, name)
}

// withScheme adds what people leave out.
func withScheme(server string) string {
	if strings.Contains(server, "://") {
		return server
	}
	return "https://" + server
}

// plainText is the host that an address sends everything to in plain text over a
// network, "" where there is none: with TLS, or on this machine.
func plainText(server string) string {
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "http" {
		return ""
	}
	host := u.Hostname()
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() || host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return ""
	}
	return u.Host
}

// name is what the login is to be called.
func (o *loginOptions) name(server string) (string, error) {
	name := o.server.profile
	if name == "" {
		if u, err := url.Parse(server); err == nil {
			name = strings.ReplaceAll(u.Host, ":", "-")
		}
	}
	if err := account.CheckName(name); err != nil {
		return "", usage(err, "name it with --profile")
	}
	return name, nil
}

// token reads the token, and asks for it on a terminal.
func (o *loginOptions) token(s Streams, server string) (string, error) {
	if o.server.token != "" {
		return o.server.token, nil
	}
	if !s.Dialogue {
		text, err := io.ReadAll(io.LimitReader(s.In, maxKeyFile))
		if err != nil {
			return "", usage(fmt.Errorf("cannot read the token: %w", cause(err)), "")
		}
		token := strings.TrimSpace(string(text))
		if token == "" {
			return "", usage(errors.New("there is no token on the standard input, and no terminal to ask for it"), server+"/account shows it")
		}
		return token, nil
	}
	page := server + "/account"
	if o.noBrowser || !browse(s, page) {
		s.note("your token is on " + page)
	}
	token, err := s.askHidden("Token for " + report.Visible(server) + " (not shown): ")
	return strings.TrimSpace(string(token)), err
}

// browse opens a page in a browser, and reports whether there is one.
func browse(s Streams, page string) bool {
	var open *exec.Cmd
	switch {
	case runtime.GOOS == "windows":
		open = exec.Command("rundll32", "url.dll,FileProtocolHandler", page)
	case runtime.GOOS == "darwin":
		open = exec.Command("open", page)
	case s.getenv("DISPLAY") != "" || s.getenv("WAYLAND_DISPLAY") != "":
		open = exec.Command("xdg-open", page)
	default:
		return false
	}
	if open.Start() != nil {
		return false
	}
	go func() { _ = open.Wait() }() // whether it succeeds is seen on the screen
	s.note("opening " + page + ", which shows your token")
	return true
}

// finish checks the token and remembers it.
func (o *loginOptions) finish(ctx context.Context, s Streams, store *account.Store, q *session, name string) error {
	user, err := q.Self(ctx)
	if errors.Is(err, remote.ErrUnauthorized) {
		return &failure{status: StatusUnreachable, err: fmt.Errorf("the server %s does not know this token", q.Server()), hint: "copy it from " + q.Server() + "/account; nothing was remembered"}
	}
	if err != nil {
		return q.fail(err, "account")
	}
	p := account.Profile{Name: name, Server: q.access.server, Login: user.Login, Hosts: q.hosts(ctx)}
	for flag, path := range map[*string]string{&p.CAFile: o.server.caFile, &p.ClientCert: o.server.cert, &p.ClientKey: o.server.key} {
		if path == "" {
			continue
		}
		if *flag, err = filepath.Abs(path); err != nil {
			return usage(err, "")
		}
	}
	entry, why, err := store.Save(p, q.access.token, o.plain)
	if err != nil {
		return accountFailure(err)
	}
	where := "the token is in the keyring of the system"
	if entry.Place == keystore.InFile {
		where = "the token is in " + entry.File + ", which only you can read"
	}
	if why != nil {
		s.warn(fmt.Sprintf("the keyring of the system cannot be used (%v), so %s", why, where))
	} else {
		s.note(where)
	}
	for _, name := range []string{serverVar, tokenVar} {
		if s.getenv(name) != "" && account.Normal(s.getenv(serverVar)) != p.Server {
			s.warn(name + " is set, and goes before this login")
		}
	}
	_, err = fmt.Fprintf(s.Out, "logged in to %s as %s\n", report.Visible(q.Server()), report.Visible(user.Login))
	return err
}

// hosts are those of git remotes that the server builds, as far as it tells: where
// it has its repositories from, and where this working tree is from, if it knows
// that.
func (q *session) hosts(ctx context.Context) (hosts []string) {
	add := func(host string) {
		if host != "" && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	if vars, err := q.Varz(ctx); err == nil { // one that does not tell serves as well
		if u, err := url.Parse(vars.SCM.URL); err == nil {
			add(strings.ToLower(u.Host))
		}
	}
	tree := facts.Read(".").Remote
	if repo, err := remote.ParseSlug(tree.Slug); err == nil && !slices.Contains(hosts, tree.Host) {
		if _, err := q.Repo(ctx, repo); err == nil {
			add(tree.Host)
		}
	}
	return hosts
}

func newLogout(s Streams) *cobra.Command {
	var f serverFlags
	c := &cobra.Command{
		Use:     "logout [SERVER]",
		Short:   "forget a server and your token there",
		Long:    "logout forgets a login: that of SERVER, that of --profile, or the only one there is. The token\nstays valid on the server.",
		Example: "  drone logout https://drone.example.com\n  drone logout --profile work",
		Args:    cobra.ArbitraryArgs,
	}
	c.Flags().StringVar(&f.profile, "profile", "", "`name` of the login")
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 1 {
			return wrongArgs(c)
		}
		return runLogout(s, f.profile, first(args))
	}
	return c
}

func runLogout(s Streams, name, server string) error {
	store, err := s.accounts()
	if err != nil {
		return err
	}
	list, err := store.Profiles()
	if err != nil {
		return accountFailure(err)
	}
	if server != "" {
		server = account.Normal(withScheme(server))
	}
	var fit account.Profiles
	for _, p := range list {
		if (name == "" || p.Name == name) && (server == "" || p.Server == server) {
			fit = append(fit, p)
		}
	}
	switch {
	case len(list) == 0:
		return usage(errors.New("there is no login to forget"), "")
	case len(fit) == 0:
		return usage(errors.New("there is no such login"), "there is "+strings.Join(list.Names(), ", "))
	case len(fit) > 1:
		return usage(errors.New("several logins may be meant: "+strings.Join(fit.Names(), ", ")), "name one with --profile")
	}
	if err := store.Remove(fit[0].Name); err != nil {
		return accountFailure(err)
	}
	_, err = fmt.Fprintf(s.Out, "forgot the login to %s as %s\n", report.Visible(fit[0].Server), report.Visible(fit[0].Login))
	return err
}

func newProfile(s Streams) *cobra.Command {
	var output *outputFlag
	ls := &cobra.Command{
		Use:     "ls",
		Short:   "list the logins that are remembered",
		Example: "  drone profile ls\n  drone profile ls --output json",
		Args:    maxArgs(0),
	}
	output = addOutput(ls.Flags(), "output", "table", outputJSON, "yaml")
	ls.RunE = func(*cobra.Command, []string) error { return runProfileLs(s, output.value) }
	use := &cobra.Command{
		Use:     "use NAME",
		Short:   "have a login be the one for all that is not for another",
		Example: "  drone profile use work",
		Args:    cobra.ArbitraryArgs,
	}
	use.RunE = func(c *cobra.Command, args []string) error {
		if len(args) != 1 {
			return wrongArgs(c)
		}
		return runProfileUse(s, args[0])
	}
	return groupOf("profile", "list logins, and choose the usual one",
		"profile lists the servers that `drone login` has remembered. Of several, commands take the one whose\n"+
			"HOSTS has the host of the git remote, else the default.", ls, use)
}

func runProfileLs(s Streams, form string) error {
	store, err := s.accounts()
	if err != nil {
		return err
	}
	list, err := store.Profiles()
	if err != nil {
		return accountFailure(err)
	}
	r := &resultFlags{output: &outputFlag{choice{value: form}}}
	return writeList(s, r, list, []table.Column[account.Profile]{
		{Name: "Name", Text: func(p *account.Profile) string { return p.Name }},
		{Name: "Server", Text: func(p *account.Profile) string { return p.Server }},
		{Name: "Login", Text: func(p *account.Profile) string { return p.Login }},
		{Name: "Default", Text: func(p *account.Profile) string { return yesNo(p.Default) }},
		{Name: "Hosts", Text: func(p *account.Profile) string { return strings.Join(p.Hosts, " ") }},
	}, "no login is remembered; `drone login` remembers one")
}

func runProfileUse(s Streams, name string) error {
	store, err := s.accounts()
	if err != nil {
		return err
	}
	err = store.Use(name)
	if errors.Is(err, account.ErrUnknown) {
		return usage(fmt.Errorf("there is no login called %q", name), "`drone profile ls` lists them")
	}
	if err != nil {
		return accountFailure(err)
	}
	_, err = fmt.Fprintf(s.Out, "%s is the default\n", name)
	return err
}

// account is the user on a server, and how the server is known.
type serverAccount struct {
	*remote.User
	Server     string `json:"server"`
	ServerFrom string `json:"server_from"`
	TokenFrom  string `json:"token_from"`
	Version    string `json:"version,omitempty"`
}

func newInfo(s Streams) *cobra.Command {
	a := asker{s, &serverFlags{}}
	var f resultFlags
	c := &cobra.Command{
		Use:     "info",
		Aliases: []string{"whoami"},
		Short:   "show who you are on which server",
		Long:    "info shows the server that commands ask here, where its address and the token are from, and whose\ntoken it is.",
		Example: "  drone info\n  drone whoami --format '{{ .Login }}'",
	}
	f.register(c.Flags())
	a.server.register(c.Flags())
	return a.ask(c, 0, 0, func(ctx context.Context, q *session, _ []string) error {
		user, err := q.Self(ctx)
		if err != nil {
			return q.fail(err, "account")
		}
		info := &serverAccount{User: user, Server: q.Server(), ServerFrom: q.access.serverFrom, TokenFrom: q.access.tokenFrom}
		if v, err := q.Version(ctx); err == nil { // old ones do not tell
			info.Version = v.Version
		}
		columns := []table.Column[serverAccount]{}
		for _, of := range userColumns(time.Now()) {
			columns = append(columns, table.Column[serverAccount]{Name: of.Name, Optional: of.Optional, Text: func(i *serverAccount) string { return of.Text(i.User) }})
		}
		columns = append(columns,
			table.Column[serverAccount]{Name: "Server", Text: func(i *serverAccount) string { return i.Server }},
			table.Column[serverAccount]{Name: "Version", Text: func(i *serverAccount) string { return i.Version }, Optional: true},
			table.Column[serverAccount]{Name: "Server from", Text: func(i *serverAccount) string { return i.ServerFrom }},
			table.Column[serverAccount]{Name: "Token from", Text: func(i *serverAccount) string { return i.TokenFrom }},
		)
		return writeOne(s, &f, info, columns)
	})
}
