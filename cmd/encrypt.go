package cmd

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/remote"
	"github.com/drone-laptop/drone/report"
	"github.com/drone-laptop/drone/sign"
)

// maxSecret is more than any secret has.
const maxSecret = 1 << 20

type encryptOptions struct {
	by   signerFlags
	name string
	trim bool

	named bool // also if the name is empty, which is a mistake
}

func newEncrypt(s Streams) *cobra.Command {
	o := &encryptOptions{}
	c := &cobra.Command{
		Use:   "encrypt [OWNER/NAME] [VALUE | @FILE | -]",
		Short: "encrypt a secret, to be kept in the configuration",
		Long: "encrypt prints a value so that only the server can read it, and who has the key of the\n" +
			"repository. With --name it prints a document (kind: secret), ready for a .drone.yml.\n" +
			"With OWNER/NAME the server encrypts. Without, it is done here, with the key that is named,\n" +
			"or that `drone key set` has remembered for the repository of the git remote.\n\n" +
			"Without a value it asks for one on the terminal, and shows nothing of it. @FILE is the\n" +
			"content of a file, - standard input, and both count byte by byte. A VALUE is seen in the\n" +
			"list of processes, and your shell remembers it.",
		Example: "  drone encrypt --key-file ~/.keys/hello --name db_password\n" +
			"  drone encrypt octo/hello --name db_password\n" +
			"  drone encrypt --key-file ~/.keys/hello --name deploy_key @id_ed25519\n" +
			"  pass show hello | drone encrypt --key-file ~/.keys/hello --name token --trim -",
		Args: cobra.ArbitraryArgs,
	}
	flags := c.Flags()
	c.SetFlagErrorFunc(silentFlagError)
	o.by.register(flags, "which encrypts here, without a server")
	flags.StringVar(&o.name, "name", "", "print a document for the secret of this `name`")
	flags.BoolVar(&o.trim, "trim", false, "leave out one line end at the end of the value")
	for _, name := range ignoredFlags {
		flags.Bool(name, false, "without effect, as on a server: a pull request of a fork to a public repository never has the secret")
		_ = flags.MarkHidden(name) // it is there
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		for _, name := range ignoredFlags {
			if flags.Changed(name) {
				s.warn("--" + name + " has no effect: no server heeds it for an encrypted secret")
			}
		}
		o.named = flags.Changed("name")
		return runEncrypt(orBackground(c.Context()), s, o, args)
	}
	return c
}

// silentFlagError is flagError for commands whose arguments are secrets: what is
// no flag may be one.
func silentFlagError(c *cobra.Command, err error) error {
	if _, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return usage(errors.New(c.Name()+" has no such flag"), "see `"+c.CommandPath()+" --help`; a value that begins with - goes behind --, or on standard input")
	}
	return flagError(c, err)
}

// ignoredFlags are those of the official command that servers pass over.
var ignoredFlags = []string{"allow-pull-request", "allow-push-on-pull-request"}

// encrypter makes the data of a secret document.
type encrypter func(ctx context.Context, value []byte) (string, error)

func runEncrypt(ctx context.Context, s Streams, o *encryptOptions, args []string) error {
	repository, args, err := o.arguments(args)
	if err != nil {
		return err
	}
	by, done, err := o.encrypter(s, repository)
	if err != nil {
		return err
	}
	defer done()
	if o.named { // before a value is asked for in vain
		if _, err := sign.SecretDocument(o.name, ""); err != nil {
			return usage(fmt.Errorf("--name %q: %w", o.name, err), "")
		}
	}
	value, err := o.value(s, repository, args)
	if err != nil {
		return err
	}
	data, err := by(ctx, value)
	if err != nil {
		return err
	}
	text := data + "\n"
	if o.named {
		if text, err = sign.SecretDocument(o.name, data); err != nil {
			return err
		}
	}
	_, err = io.WriteString(s.Out, text)
	return err
}

// arguments takes the repository off them. What follows is no part of any
// message: it is a secret.
func (o *encryptOptions) arguments(args []string) (repository string, rest []string, err error) {
	switch here := o.by.key.given() || o.by.repo != ""; {
	case len(args) == 2 && here:
		return "", nil, usage(errors.New("encrypt takes one value; with a key, or --repo, it asks no server, so there is no place for a repository"), hintValue)
	case len(args) > 2, len(args) == 2 && !isSlug(args[0]):
		return "", nil, usage(errors.New("encrypt takes one value, after OWNER/NAME where the server shall encrypt it"), hintValue)
	case len(args) == 2, len(args) == 1 && !here && isSlug(args[0]):
		return args[0], args[1:], nil
	}
	return "", args, nil
}

const hintValue = "put quotes around a value with blanks, or give it as @FILE, or on standard input, as -"

// encrypter gives what encrypts. done is to be called in the end.
func (o *encryptOptions) encrypter(s Streams, repository string) (by encrypter, done func(), err error) {
	if repository != "" {
		return o.serverEncrypter(s, repository)
	}
	key, from, err := repositoryKey(s, &o.by.key, o.by.repo, "; or ask the server: put OWNER/NAME in front of the value")
	if err != nil {
		return nil, nil, err
	}
	return func(_ context.Context, value []byte) (string, error) {
		data, err := sign.EncryptSecret(key, value, rand.Reader)
		return data, cipherFailure(err, from)
	}, func() {}, nil
}

func (o *encryptOptions) serverEncrypter(s Streams, repository string) (by encrypter, done func(), err error) {
	repo, err := remote.ParseSlug(repository)
	if err != nil {
		return nil, nil, usage(err, "")
	}
	client, err := o.by.server.open(s)
	if err != nil {
		return nil, nil, err
	}
	client.tellFile(s)
	return func(ctx context.Context, value []byte) (string, error) {
		data, err := client.Encrypt(ctx, repo, value)
		if errors.Is(err, remote.ErrNotUTF8) {
			return "", usage(errors.New("the value is not UTF-8, so the server would get another"), "encrypt it here, with the key, or encrypt its base64")
		}
		if err != nil {
			return "", client.fail(err, repo.String())
		}
		if err := sign.CheckEncrypted(data, len(value)); err != nil {
			return "", &failure{status: StatusUnreachable, err: fmt.Errorf("what the server answers is not what it was asked for: %w", err)}
		}
		return data, nil
	}, client.Close, nil
}

// cipherFailure says what is wrong with a key or an encrypted text.
func cipherFailure(err error, from string) error {
	switch {
	case errors.Is(err, sign.ErrKeySize):
		return usage(fmt.Errorf("%s: %w", from, err), hintKey)
	case errors.Is(err, sign.ErrWrongKey):
		return &failure{status: StatusFailed, err: err, hint: "a secret can be read with the key of the repository that it was encrypted for"}
	case errors.Is(err, sign.ErrMalformed):
		return usage(err, "an encrypted secret is base64, as `drone encrypt` prints it; --name NAME looks for it in a configuration")
	}
	return err
}

// value reads what is to be encrypted.
func (o *encryptOptions) value(s Streams, repository string, args []string) ([]byte, error) {
	question := "Value of the secret (not shown): "
	if repository != "" {
		question = "Value of the secret for " + report.Visible(repository) + " (not shown): "
	}
	value, typed, err := readValue(s, args, question)
	if err != nil {
		return nil, err
	}
	if o.trim {
		value = bytes.TrimSuffix(bytes.TrimSuffix(value, []byte("\n")), []byte("\r"))
	}
	if len(value) == 0 {
		return nil, usage(errors.New("the value is empty, and a server takes an empty secret for a missing one"), "")
	}
	if !typed && bytes.Count(value, []byte("\n")) == 1 && value[len(value)-1] == '\n' {
		s.warn("the line end behind the value is encrypted with it: --trim leaves it out")
	}
	return value, nil
}

// readValue reads an argument: a text, @FILE, or - for standard input. Without
// one it asks for a text. typed reports that there is no file that the value
// came from.
func readValue(s Streams, args []string, question string) (value []byte, typed bool, err error) {
	if len(args) == 0 {
		if !s.Dialogue {
			return nil, false, usage(errors.New("no value is given, and there is no terminal to ask for it"), "give - for standard input, or @FILE")
		}
		value, err := s.askHidden(question)
		return value, true, err
	}
	name, isFile := strings.CutPrefix(args[0], "@")
	switch {
	case args[0] == "-":
		value, err = readSecret(s.In, "standard input")
	case isFile:
		file, failed := os.Open(name)
		if failed != nil {
			return nil, false, usage(fmt.Errorf("cannot read %s: %w", name, cause(failed)), "a value that begins with @ can be given on standard input, as -")
		}
		defer file.Close()
		value, err = readSecret(file, name)
	default:
		return []byte(args[0]), true, nil
	}
	return value, false, err
}

func readSecret(r io.Reader, name string) ([]byte, error) {
	value, err := io.ReadAll(io.LimitReader(r, maxSecret+1))
	switch {
	case err != nil:
		return nil, usage(fmt.Errorf("cannot read %s: %w", name, cause(err)), "")
	case len(value) > maxSecret:
		return nil, usage(fmt.Errorf("%s has more than %d MiB, too much for a secret", name, maxSecret>>20), "")
	}
	return value, nil
}
