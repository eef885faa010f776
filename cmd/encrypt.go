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

	"github.com/drone-laptop/drone/sign"
)

// maxSecret is more than any secret has.
const maxSecret = 1 << 20

type encryptOptions struct {
	key  keyFlags
	name string
	trim bool
}

func newEncrypt(s Streams) *cobra.Command {
	o := &encryptOptions{}
	c := &cobra.Command{
		Use:   "encrypt [VALUE | @FILE | -]",
		Short: "encrypt a secret, to be kept in the configuration",
		Long: "encrypt prints a value so that only the server can read it, and who has the key of the\n" +
			"repository. With --name it prints a document (kind: secret), ready for a .drone.yml.\n\n" +
			"Without a value it asks for one on the terminal, and shows nothing of it. @FILE is the\n" +
			"content of a file, - standard input, and both count byte by byte. A VALUE is seen in the\n" +
			"list of processes, and your shell remembers it.",
		Example: "  drone encrypt --key-file ~/.keys/hello --name db_password\n" +
			"  drone encrypt --key-file ~/.keys/hello --name deploy_key @id_ed25519\n" +
			"  pass show hello | drone encrypt --key-file ~/.keys/hello --name token --trim -",
		Args: cobra.ArbitraryArgs,
	}
	flags := c.Flags()
	o.key.register(flags, "which encrypts here, without a server")
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
		return runEncrypt(orBackground(c.Context()), s, o, args)
	}
	return c
}

// ignoredFlags are those of the official command that servers pass over.
var ignoredFlags = []string{"allow-pull-request", "allow-push-on-pull-request"}

// encrypter makes the data of a secret document.
type encrypter func(ctx context.Context, value []byte) (string, error)

func runEncrypt(ctx context.Context, s Streams, o *encryptOptions, args []string) error {
	by, args, err := o.encrypter(s, args)
	if err != nil {
		return err
	}
	if o.name != "" { // before a value is asked for in vain
		if _, err := sign.SecretDocument(o.name, ""); err != nil {
			return usage(fmt.Errorf("--name %q: %w", o.name, err), "")
		}
	}
	value, err := o.value(s, args)
	if err != nil {
		return err
	}
	data, err := by(ctx, value)
	if err != nil {
		return err
	}
	text := data + "\n"
	if o.name != "" {
		if text, err = sign.SecretDocument(o.name, data); err != nil {
			return err
		}
	}
	_, err = io.WriteString(s.Out, text)
	return err
}

// encrypter gives what encrypts, and what of the arguments is the value.
func (o *encryptOptions) encrypter(s Streams, args []string) (encrypter, []string, error) {
	if len(args) > 1 {
		return nil, nil, usage(errors.New("encrypt takes one value"), "put quotes around one with blanks, or give it as @FILE or on standard input, as -")
	}
	key, from, err := o.key.required(s, "encrypt")
	if err != nil {
		return nil, nil, err
	}
	return func(_ context.Context, value []byte) (string, error) {
		data, err := sign.EncryptSecret(key, value, rand.Reader)
		return data, cipherFailure(err, from)
	}, args, nil
}

// required gives the key, which must be one of a repository, and what to call
// the place it comes from.
func (f *keyFlags) required(s Streams, do string) (key []byte, from string, err error) {
	key, from, err = f.read(s)
	if err != nil {
		return nil, "", err
	}
	if key == nil {
		return nil, "", usage(fmt.Errorf("no key to %s with", do), "name it with --key-file FILE or --key-env NAME")
	}
	return key, from, checkKey(key, from)
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
func (o *encryptOptions) value(s Streams, args []string) ([]byte, error) {
	value, typed, err := readValue(s, args, "Value of the secret (not shown): ")
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
