package cmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/internal/table"
	"github.com/drone-laptop/drone/remote"
	"github.com/drone-laptop/drone/report"
)

// autoscalerVar is where the official command has the address of the autoscaler
// from.
const autoscalerVar = "DRONE_AUTOSCALER"

// autoscaler are the commands of the autoscaler, which is another service than
// the server, and takes the same token.
type autoscaler struct {
	asker
	address *string
}

func newAutoscalerCommands(s Streams) autoscaler {
	return autoscaler{asker{s, &serverFlags{}}, new(string)}
}

// register adds the flags to a group. They have no short names: -s is a state
// there.
func (x autoscaler) register(flags *pflag.FlagSet) {
	x.server.registerLong(flags)
	flags.Lookup("server").Hidden = true
	flags.StringVar(x.address, "autoscaler", "", "`address` of the autoscaler (default: $"+autoscalerVar+")")
}

// ask is that of asker with a client of the autoscaler.
func (x autoscaler) ask(c *cobra.Command, least, most int, do func(ctx context.Context, q *session, args []string) error) *cobra.Command {
	c.Args = cobra.ArbitraryArgs
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return wrongArgs(c)
		}
		if err := checkForm(x.s, c.Flags()); err != nil {
			return err
		}
		q, err := x.open()
		if err != nil {
			return err
		}
		defer q.Close()
		return q.fail(do(orBackground(c.Context()), q, args), "machine "+first(args))
	}
	return c
}

func (x autoscaler) open() (*session, error) {
	a, err := x.server.access(x.s)
	if err != nil {
		return nil, err
	}
	a.server, a.serverFrom = *x.address, "--autoscaler"
	if a.server == "" {
		a.server, a.serverFrom = x.s.getenv(autoscalerVar), autoscalerVar
	}
	if a.server == "" {
		return nil, usage(errors.New("there is no address of an autoscaler"), "set "+autoscalerVar+", or add --autoscaler; for example https://autoscaler.example.com")
	}
	if x.server.verbose {
		x.s.note(a.explain())
	}
	c, err := x.server.connect(x.s, a)
	if err != nil {
		return nil, err
	}
	return &session{c, a}, nil
}

func newAutoscale(s Streams) *cobra.Command {
	x := newAutoscalerCommands(s)
	c := groupOf("autoscale", "pause and resume the autoscaler of a server",
		"autoscale asks the autoscaler, which makes and ends machines for runners.",
		x.pause(), x.resume(), x.version())
	x.register(c.PersistentFlags())
	return c
}

func (x autoscaler) pause() *cobra.Command {
	c := &cobra.Command{Use: "pause", Short: "make and end no more machines", Example: "  drone autoscale pause"}
	return x.ask(c, 0, 0, func(ctx context.Context, q *session, _ []string) error {
		if err := q.AutoscalePause(ctx); err != nil {
			return err
		}
		return x.say("paused the autoscaler %s", q.Server())
	})
}

func (x autoscaler) resume() *cobra.Command {
	c := &cobra.Command{Use: "resume", Short: "make and end machines again", Example: "  drone autoscale resume"}
	return x.ask(c, 0, 0, func(ctx context.Context, q *session, _ []string) error {
		if err := q.AutoscaleResume(ctx); err != nil {
			return err
		}
		return x.say("resumed the autoscaler %s", q.Server())
	})
}

func (x autoscaler) version() *cobra.Command {
	var f resultFlags
	c := &cobra.Command{Use: "version", Short: "show the version of the autoscaler", Example: "  drone autoscale version"}
	f.register(c.Flags())
	return x.ask(c, 0, 0, func(ctx context.Context, q *session, _ []string) error {
		v, err := q.Version(ctx)
		if err != nil {
			return err
		}
		return writeOne(x.s, &f, v, []table.Column[remote.Version]{
			{Name: "Version", Text: func(v *remote.Version) string { return v.Version }},
			{Name: "Commit", Text: func(v *remote.Version) string { return v.Commit }},
			{Name: "Source", Text: func(v *remote.Version) string { return v.Source }},
		})
	})
}

func newServer(s Streams) *cobra.Command {
	x := newAutoscalerCommands(s)
	c := groupOf("server", "list, make and end the machines of the autoscaler",
		"server asks the autoscaler about the machines that it has made for runners. Their keys are printed\nby no command.",
		x.ls(), x.info(), x.create(), x.destroy(), x.env())
	x.register(c.PersistentFlags())
	return c
}

// withoutKeys is a machine without its keys, which nothing prints.
func withoutKeys(m remote.Server) remote.Server {
	m.Secret, m.CAKey, m.CACert, m.TLSKey, m.TLSCert = "", nil, nil, nil, nil
	return m
}

func machineColumns(now time.Time) []table.Column[remote.Server] {
	return []table.Column[remote.Server]{
		{Name: "Name", Text: func(m *remote.Server) string { return m.Name }},
		{Name: "Address", Text: func(m *remote.Server) string { return m.Address }},
		{Name: "Region", Text: func(m *remote.Server) string { return m.Region }, Single: true},
		{Name: "Size", Text: func(m *remote.Server) string { return m.Size }, Single: true},
		{Name: "State", Text: func(m *remote.Server) string { return m.State }, Paint: func(m *remote.Server) (int, bool) { return machineColour(m.State) }},
		{Name: "Created", Text: func(m *remote.Server) string { return ago(m.Created, now) }},
		{Name: "Error", Text: func(m *remote.Server) string { return m.Error }, Optional: true, Paint: func(*remote.Server) (int, bool) { return report.Red, true }},
	}
}

func machineColour(state string) (int, bool) {
	switch state {
	case "running":
		return report.Green, true
	case "error":
		return report.Red, true
	}
	return report.Yellow, true
}

func (x autoscaler) ls() *cobra.Command {
	var f resultFlags
	var state string
	var all bool
	c := &cobra.Command{
		Use:     "ls",
		Short:   "list machines",
		Long:    "ls lists the machines that have not been stopped, or with --all those, too.",
		Example: "  drone server ls\n  drone server ls --state running --format '{{ .Name }}'",
	}
	flags := c.Flags()
	flags.StringVarP(&state, "state", "s", "", "only machines in this state, for example running")
	flags.BoolVarP(&all, "all", "a", false, "also machines that were stopped")
	// The official command has a table only when it is asked for one.
	flags.BoolP("long", "l", true, "")
	flags.Bool("la", true, "")
	flags.BoolP("headers", "H", true, "")
	for _, name := range []string{"long", "la", "headers"} {
		flags.Lookup(name).Hidden = true
	}
	f.register(flags)
	return x.ask(c, 0, 0, func(ctx context.Context, q *session, _ []string) error {
		found, err := q.ServerList(ctx)
		if err != nil {
			return err
		}
		var list []remote.Server
		for _, m := range found {
			if state != "" && m.State != state || state == "" && !all && m.State == "stopped" {
				continue
			}
			list = append(list, withoutKeys(m))
		}
		return writeList(x.s, &f, list, machineColumns(time.Now()), "there are no machines")
	})
}

func (x autoscaler) show(f *resultFlags, m *remote.Server) error {
	shown := withoutKeys(*m)
	return writeOne(x.s, f, &shown, machineColumns(time.Now()))
}

func (x autoscaler) info() *cobra.Command {
	var f resultFlags
	c := &cobra.Command{Use: "info NAME", Short: "show a machine", Example: "  drone server info agent-807jVFwj"}
	f.register(c.Flags())
	return x.ask(c, 1, 1, func(ctx context.Context, q *session, args []string) error {
		m, err := q.ServerInfo(ctx, args[0])
		if err != nil {
			return err
		}
		return x.show(&f, m)
	})
}

func (x autoscaler) create() *cobra.Command {
	var f resultFlags
	c := &cobra.Command{Use: "create", Short: "have another machine made", Example: "  drone server create"}
	f.register(c.Flags())
	return x.ask(c, 0, 0, func(ctx context.Context, q *session, _ []string) error {
		m, err := q.ServerCreate(ctx)
		if err != nil {
			return err
		}
		return x.show(&f, m)
	})
}

func (x autoscaler) destroy() *cobra.Command {
	var yes yesFlag
	var force bool
	c := &cobra.Command{
		Use:     "destroy NAME",
		Short:   "have a machine ended",
		Long:    "destroy has a machine ended when the builds on it have, or with --force at once.",
		Example: "  drone server destroy agent-807jVFwj --yes",
	}
	c.Flags().BoolVar(&force, "force", false, "at once, whatever runs there")
	yes.register(c.Flags())
	return x.ask(c, 1, 1, func(ctx context.Context, q *session, args []string) error {
		what := "end the machine " + args[0]
		if force {
			what += ", and the builds that run there"
		}
		if err := yes.confirm(x.s, what); err != nil {
			return err
		}
		if err := q.ServerDelete(ctx, args[0], force); err != nil {
			return err
		}
		return x.say("the machine %s is being ended", args[0])
	})
}

// shells are those that env writes for, each with how it sets and forgets a
// variable.
var shells = map[string]struct {
	set, unset string
	quote      *strings.Replacer // of a text between single quotes
}{
	"bash":       {"export %s=%s\n", "unset %s\n", strings.NewReplacer(`'`, `'\''`)},
	"fish":       {"set -gx %s %s;\n", "set -e %s;\n", strings.NewReplacer(`'`, `\'`, `\`, `\\`)},
	"powershell": {"$Env:%s = %s\n", "Remove-Item Env:\\%s -ErrorAction Ignore\n", strings.NewReplacer(`'`, `''`, `‘`, `‘‘`, `’`, `’’`, `‚`, `‚‚`, `‛`, `‛‛`)},
}

// dockerVariables are those that env sets and forgets.
var dockerVariables = []string{"DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_HOST", "DOCKER_CERT_PATH"}

func (x autoscaler) env() *cobra.Command {
	shell := choice{value: "bash", kind: "shell", of: []string{"bash", "fish", "powershell"}}
	if runtime.GOOS == "windows" {
		shell.value = "powershell"
	}
	var forget, noProxy bool
	c := &cobra.Command{
		Use:   "env NAME",
		Short: "print the variables with which docker uses the engine of a machine",
		Long: "env prints what a shell has to evaluate so that `docker` uses the engine of a machine, and keeps\n" +
			"the certificates for it in ~/.drone/certs, where only you can read them. The machine checks\n" +
			"who you are; docker does not check the machine, whose certificate is for its name and not for\n" +
			"its address.",
		Example: "  eval \"$(drone server env agent-807jVFwj)\"\n  eval \"$(drone server env agent-807jVFwj --clear)\"",
	}
	c.Flags().Var(&shell, "shell", "shell to write for: bash, fish, powershell")
	c.Flags().BoolVar(&noProxy, "no-proxy", false, "also have no proxy used for the machine")
	c.Flags().BoolVar(&forget, "clear", false, "print what undoes it, and remove the certificates")
	return x.ask(c, 1, 1, func(ctx context.Context, q *session, args []string) error {
		dir, err := certificates(args[0])
		if err != nil {
			return err
		}
		if forget {
			if err := os.RemoveAll(dir); err != nil {
				return usage(fmt.Errorf("cannot remove %s: %w", dir, cause(err)), "")
			}
			return x.writeVariables(shell.value, nil, dockerVariables)
		}
		m, err := q.ServerInfo(ctx, args[0])
		if err != nil {
			return err
		}
		if len(m.TLSKey) == 0 || m.Address == "" {
			return &failure{status: StatusUnreachable, err: fmt.Errorf("the machine %s has no address or no certificates yet", m.Name), hint: "`drone server info` shows its state"}
		}
		if !machineAddress.MatchString(m.Address) { // a shell is to evaluate it
			return &failure{status: StatusUnreachable, err: fmt.Errorf("the machine %s has the address %q, which is none", m.Name, m.Address)}
		}
		if err := keepCertificates(dir, m); err != nil {
			return err
		}
		set := [][2]string{
			{"DOCKER_TLS", "1"}, {"DOCKER_HOST", "tcp://" + net.JoinHostPort(m.Address, "2376")}, {"DOCKER_CERT_PATH", dir},
		}
		if noProxy {
			set = append(set, [2]string{"NO_PROXY", m.Address})
		}
		return x.writeVariables(shell.value, set, []string{"DOCKER_TLS_VERIFY"})
	})
}

var machineName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// machineAddress has names of hosts and addresses, also those of IPv6, and nothing
// that means something to a shell.
var machineAddress = regexp.MustCompile(`^[A-Za-z0-9:][A-Za-z0-9.:_-]*$`)

// certificates is the folder for those of a machine.
func certificates(name string) (string, error) {
	if !machineName.MatchString(name) {
		return "", usage(fmt.Errorf("%q is no name of a machine", name), "`drone server ls` lists them")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", usage(errors.New("no home directory is known, where the certificates of the machine could be"), "set HOME")
	}
	return filepath.Join(home, ".drone", "certs", name), nil
}

// keepCertificates writes what docker needs. Also what was there before, maybe
// readable by all, is then readable by nobody else.
func keepCertificates(dir string, m *remote.Server) error {
	failed := func(err error) error { return usage(fmt.Errorf("cannot write %s: %w", dir, cause(err)), "") }
	if err := os.RemoveAll(dir); err != nil {
		return failed(err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return failed(err)
	}
	for name, text := range map[string][]byte{"ca.pem": m.CACert, "cert.pem": m.TLSCert, "key.pem": m.TLSKey} {
		if err := writeNew(filepath.Join(dir, name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (x autoscaler) writeVariables(shell string, set [][2]string, unset []string) error {
	form := shells[shell]
	var text strings.Builder
	for _, v := range set {
		fmt.Fprintf(&text, form.set, v[0], "'"+form.quote.Replace(v[1])+"'")
	}
	for _, name := range slices.Sorted(slices.Values(unset)) {
		fmt.Fprintf(&text, form.unset, name)
	}
	_, err := fmt.Fprint(x.s.Out, text.String())
	return err
}
