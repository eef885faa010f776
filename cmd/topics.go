package cmd

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/internal/manual"
	"github.com/drone-laptop/drone/internal/similar"
	"github.com/drone-laptop/drone/manifest"
)

// exitStatuses say what each status means, as README.md does.
var exitStatuses = []struct {
	status  string
	meaning string
}{
	{"0", "success; what is skipped counts as success"},
	{"1", "a pipeline failed, lint found an error, fmt --check a file to format, convert --check an old one, a signature is not valid, a key does not decrypt, or a check of doctor failed"},
	{"2", "a bad flag, an unreadable or invalid file, an unknown name, a missing secret, or --trusted or --host is needed"},
	{"3", "the container engine or the server cannot be reached or refuses"},
	{"124", "a time limit ended the run or a step of it"},
	{"130, 143", "interrupted, terminated"},
}

// eventTopics say what an event is for, and with which flags.
var eventTopics = map[string]string{
	"push":         "a push to a branch, which is what is pretended where nothing else is said: --branch, --before",
	"pull_request": "--pr NUMBER, from --source to --target, of a fork with --source-repo, with --action and --title",
	"tag":          "--tag NAME, else the tag of the commit",
	"promote":      "--deploy-to TARGET, of the build that --parent names",
	"rollback":     "--event rollback --deploy-to TARGET",
	"cron":         "--cron NAME of the job",
	"custom":       "a build that somebody has started by hand: --param NAME=VALUE",
}

// environment are the variables that this program reads, apart from those of
// settings, of the engine and of the names of secrets.
var environment = []struct{ name, meaning string }{
	{"DRONE_COMMAND_FLAG", "what a flag is worth that is not given, such as DRONE_EXEC_TIMEOUT: see `drone help configuration`"},
	{"DRONE_HISTORY", "off keeps nothing of runs"},
	{"DRONE_HISTORY_RUNS", "how many runs are kept (100)"},
	{"DRONE_HISTORY_SIZE", "how much of them is kept (1GB)"},
	{"DRONE_NETRC_PASSWORD", "the password of the netrc that steps get"},
	{"DRONE_SERVER", "the server, as for the official command"},
	{"DRONE_TOKEN", "your token there"},
	{"DRONE_PROFILE", "the login to use, of those that `drone login` has remembered"},
	{"DRONE_AUTOSCALER", "the autoscaler, as for the official command"},
	{"DRONE_SKIP_VERIFY", "true accepts any certificate of the server"},
	{"DOCKER_HOST, DOCKER_CONTEXT, DOCKER_CONFIG, DOCKER_CERT_PATH, DOCKER_TLS_VERIFY", "the engine, as for docker"},
	{"HTTP_PROXY, HTTPS_PROXY, NO_PROXY", "the way to a server"},
	{"SOCKS_PROXY, SOCKS_PROXY_OFF", "a SOCKS5 proxy to the server, and whether to use none"},
	{"DISPLAY, WAYLAND_DISPLAY", "whether `drone login` can open a browser"},
	{"JSONNET_PATH", "folders for import of Jsonnet"},
	{"XDG_CONFIG_HOME", "where settings and keys are (~/.config)"},
	{"XDG_STATE_HOME", "where runs and answers are (~/.local/state)"},
	{"XDG_RUNTIME_DIR, DBUS_SESSION_BUS_ADDRESS", "where the keyring of the system is"},
	{"TMPDIR", "where copies of the working tree are made"},
	{"CI", "where it is set nothing is asked, and nothing is drawn on the terminal"},
	{"NO_COLOR, CLICOLOR_FORCE, TERM, COLORFGBG, LC_ALL, LC_CTYPE, LANG", "colours, and what is drawn with"},
	{"GOGC, GOMEMLIMIT", "memory, as for any program in Go"},
}

// topics are what `drone help` explains beside commands.
func topics() []manual.Topic {
	list := []manual.Topic{
		{Name: "configuration", Title: "where values of flags come from", Text: "" +
			"A flag that is not on the command line is worth what the first of these says:\n\n" +
			"  DRONE_EXEC_TIMEOUT=30m     the environment: the command and the flag\n" +
			"  .env                       the same in a file of the current directory, for flags\n" +
			"                             that can do no harm\n" +
			"  exec: {timeout: 30m}       the file of settings, which `drone config path` names\n" +
			"  the default\n\n" +
			"`drone config ls` lists what is set, and where. `drone config set exec.timeout 30m` writes\n" +
			"the file. Variables of a build, such as DRONE_BRANCH, set nothing.\n"},
		{Name: "environment", Title: "variables that drone reads", Text: environmentText()},
		{Name: "events", Title: "what a build can be for", Text: eventsText()},
		{Name: "exit-status", Title: "what the exit status means", Text: statusText()},
		{Name: "parity", Title: "where drone differs from the official runner", Text: "" +
			"A pipeline means what it means to a server and its Docker runner. Where that is a\n" +
			"defect which hurts somebody at a laptop, something better is done:\n\n" +
			"  files      what a server drops without a word is an error with its place\n" +
			"  selection  every pipeline that the event selects runs, not one called default\n" +
			"  facts      event, branch, commit, author and the like come from git\n" +
			"  secrets    a missing one is an error before anything runs\n" +
			"  workspace  the current directory is mounted; what steps make there is yours\n" +
			"  statuses   an engine that cannot be reached is not a success\n" +
			"  cleaning   containers, networks and volumes go, whatever ends a run\n\n" +
			"docs/parity.md has each difference, with the reason; `drone lint` tells what a server\n" +
			"would make of a file.\n"},
		{Name: "secrets", Title: "how steps get secrets", Text: "" +
			"A pipeline asks for a secret with from_secret: NAME. Its value is, in this order, that of\n\n" +
			"  --secret NAME=VALUE        seen in the history of the shell and the list of processes\n" +
			"  --secret NAME=@FILE        the content of a file\n" +
			"  --secret NAME              the value of the environment variable NAME\n" +
			"  --secret-file FILE         NAME=VALUE lines, or a YAML map\n" +
			"  kind: secret with data     in the file itself, encrypted, with --key-file\n\n" +
			"A missing one is an error before anything runs; --allow-missing-secrets makes it empty.\n" +
			"Values are ****** in all output, also in parts of lines, and no plan, log or record of\n" +
			"a run has them.\n"},
		{Name: "trust", Title: "what a file may do on this machine", Text: "" +
			"A file of somebody else is run in containers, with the current directory and nothing more.\n" +
			"What a server gives trusted repositories only (privileged, host volumes, devices, the\n" +
			"network of the host) needs --trusted, and commands on this machine (type: exec) need\n" +
			"--host. On a terminal you are asked, and an answer can be remembered for the working tree:\n" +
			"`drone trust ls` lists those, `drone trust rm` forgets them.\n"},
	}
	return list
}

func statusText() string {
	var b strings.Builder
	for _, s := range exitStatuses {
		entryText(&b, s.status, s.meaning, 10)
	}
	return b.String()
}

func eventsText() string {
	var b strings.Builder
	b.WriteString("--event pretends one; where another flag implies it, that is enough.\n\n")
	for _, e := range manifest.Events() {
		entryText(&b, e, eventTopics[e], 14)
	}
	b.WriteString("\n`drone env --event EVENT` prints the variables that steps get, `drone plan --event EVENT` what\nruns, and which condition leaves out what does not.\n")
	return b.String()
}

func environmentText() string {
	var b strings.Builder
	for _, v := range environment {
		for _, line := range wrapped(v.name, 86) {
			b.WriteString("  " + line + "\n")
		}
		for _, line := range wrapped(v.meaning, 82) {
			b.WriteString("      " + line + "\n")
		}
	}
	return b.String()
}

// entryText writes a word, and what it means beside it.
func entryText(b *strings.Builder, word, meaning string, width int) {
	for i, line := range wrapped(meaning, 86-width) {
		if i > 0 {
			word = ""
		}
		fmt.Fprintf(b, "  %-*s%s\n", width, word, line)
	}
}

// wrapped breaks a text between words.
func wrapped(text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

// newHelp is the command that cobra has, with topics.
func newHelp(s Streams) *cobra.Command {
	c := &cobra.Command{
		Use:   "help [COMMAND | TOPIC]",
		Short: "show the help of a command, or explain a topic",
		Long:  "help shows the help of a command, as COMMAND --help does, or explains a topic:\n\n" + topicList(),
		Args:  cobra.ArbitraryArgs,

		Example: "  drone help exec\n  drone help exit-status",
	}
	c.ValidArgsFunction = func(c *cobra.Command, args []string, typed string) (words []cobra.Completion, _ cobra.ShellCompDirective) {
		at, _, err := c.Root().Find(args)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		for _, child := range at.Commands() {
			if child.IsAvailableCommand() && strings.HasPrefix(child.Name(), typed) {
				words = offer(words, child.Name(), child.Short)
			}
		}
		for _, t := range topics() {
			if len(args) == 0 && strings.HasPrefix(t.Name, typed) {
				words = offer(words, t.Name, t.Title)
			}
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	}
	c.RunE = func(c *cobra.Command, args []string) error { return s.help(c.Root(), args) }
	return c
}

func topicList() string {
	var b strings.Builder
	for _, t := range topics() {
		fmt.Fprintf(&b, "  %-15s%s\n", t.Name, t.Title)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (s Streams) help(root *cobra.Command, args []string) error {
	if len(args) == 1 {
		for _, t := range topics() {
			if t.Name == args[0] {
				_, err := io.WriteString(s.Out, t.Text)
				return err
			}
		}
	}
	c, rest, err := root.Find(args)
	if c == nil || err != nil || len(rest) > 0 {
		var known []string
		for _, t := range topics() {
			known = append(known, t.Name)
		}
		for _, child := range root.Commands() {
			known = append(known, child.Name())
		}
		hint := "`drone help help` lists topics, `drone --help` commands"
		if near := similar.Word(args[0], known); near != "" {
			hint = "did you mean `drone help " + near + "`? " + hint
		}
		return usage(errors.New("there is no command or topic "+strings.Join(args, " ")), hint)
	}
	c.InitDefaultHelpFlag()
	return c.Help()
}

// Topics are what the manual has beside the commands.
func Topics() []manual.Topic { return topics() }
