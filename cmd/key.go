package cmd

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/internal/facts"
	"github.com/drone-laptop/drone/sign"
)

// defaultKey is where a new key goes.
const defaultKey = "drone.key"

func newKey(s Streams) *cobra.Command {
	c := &cobra.Command{
		Use:   "key",
		Short: "make keys, and remember those of repositories",
		Long: "new and public are about keys for `drone sign --jose` and `drone verify --jose`: pairs, of\n" +
			"which the private key signs and the public one verifies, or a shared secret for both.\n\n" +
			"set, ls and rm are about the keys of repositories, with which files are signed and secrets\n" +
			"encrypted as the server does. They are remembered so that they need not be named.",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			if isKey(args[0]) {
				return usage(errors.New("a command of `drone key` is wanted, and what was given looks like a key itself"), hintArgv)
			}
			return usage(fmt.Errorf("no command named %q", "key "+args[0]), "there is `drone key new`, `public`, `set`, `ls` and `rm`")
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newKeyNew(s), newKeyPublic(s), newKeySet(s), newKeyLs(s), newKeyRm(s))
	return c
}

type keyNewOptions struct{ algorithm, format choice }

func newKeyNew(s Streams) *cobra.Command {
	o := &keyNewOptions{
		algorithm: choice{value: sign.EdDSA, kind: "algorithm", of: []string{sign.EdDSA, sign.ES256, sign.RS256, sign.HS256}},
		format:    keyFormat(),
	}
	c := &cobra.Command{
		Use:   "new [FILE]",
		Short: "make a key",
		Long: "new writes a private key to FILE (default " + defaultKey + "), which only you can read, and its public\n" +
			"key to FILE.pub, and prints both names. With --alg HS256 it is a shared secret of 32 letters\n" +
			"and digits, as servers have them, which also encrypts. It never overwrites a file.",
		Example: "  drone key new\n  drone key new --alg ES256 --format jwk ~/.keys/hello.jwk",
		Args:    maxArgs(1),
	}
	c.Flags().Var(&o.algorithm, "alg", "what the key signs with: EdDSA (Ed25519), ES256 (P-256), RS256 (RSA), HS256 (a shared secret)")
	c.Flags().Var(&o.format, "format", "form of the files: pem, jwk; a secret is plain text as pem")
	c.RunE = func(_ *cobra.Command, args []string) error { return runKeyNew(s, o, args) }
	return c
}

func keyFormat() choice { return choice{value: "pem", kind: "form", of: []string{"pem", "jwk"}} }

func runKeyNew(s Streams, o *keyNewOptions, args []string) error {
	name := defaultKey
	if len(args) > 0 {
		name = args[0]
	}
	if name == "-" {
		return usage(errors.New("a private key is not printed"), "name a file")
	}
	names := []string{name}
	if o.algorithm.value != sign.HS256 {
		names = append(names, name+".pub")
	}
	for _, name := range names { // before a key is made in vain
		if _, err := os.Lstat(name); err == nil {
			return keyExists(name)
		}
	}
	key, err := sign.GenerateKey(o.algorithm.value, rand.Reader)
	if err != nil {
		return err
	}
	if err := writeKeys(names, key, o.format.value); err != nil {
		return err
	}
	for _, name := range names {
		if _, err := fmt.Fprintln(s.Out, name); err != nil {
			return err
		}
	}
	s.explainKeys(name, key)
	return nil
}

// explainKeys says what becomes of new keys.
func (s Streams) explainKeys(name string, key *sign.JOSEKey) {
	if key.Secret() {
		s.note(name + " is a secret: who has it can sign; keep it out of the repository")
	} else {
		s.note(name + " is the private key, which signs: keep it out of the repository and give it to nobody")
		s.note(name + ".pub is the public key, which verifies: give it to everybody, or commit it")
	}
	if dir, err := filepath.Abs(filepath.Dir(name)); err == nil && facts.Read(dir).Root != "" {
		s.warn(name + " is in a working tree of git, where `git add` takes it: move it away, or name it in .gitignore")
	}
}

func keyExists(name string) error {
	return usage(fmt.Errorf("%s is there already, and a key is never overwritten", name), "name another file: `drone key new FILE`")
}

// writeKeys writes the key and, where there is another name, its public half.
// When one cannot be written, neither is left.
func writeKeys(names []string, key *sign.JOSEKey, format string) error {
	text, err := keyText(key, format)
	if err != nil {
		return err
	}
	if err := writeNew(names[0], text, 0o600); err != nil || len(names) == 1 {
		return err
	}
	public, err := key.Public()
	if err == nil {
		text, err = keyText(public, format)
	}
	if err == nil {
		err = writeNew(names[1], text, 0o644)
	}
	if err != nil {
		return errors.Join(err, os.Remove(names[0]))
	}
	return nil
}

func keyText(key *sign.JOSEKey, format string) ([]byte, error) {
	if format == "jwk" {
		return key.JWK()
	}
	return key.PEM()
}

const writeHint = "is that a directory where you may write, with space left?"

// writeNew writes a file that is not there. Nothing is left of one that cannot be
// written as a whole.
func writeNew(name string, text []byte, mode fs.FileMode) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	switch {
	case errors.Is(err, fs.ErrExist):
		return usage(fmt.Errorf("%s is there already, and is not overwritten", name), "name another file")
	case errors.Is(err, fs.ErrNotExist):
		return usage(fmt.Errorf("cannot write %s: there is no folder %s", name, filepath.Dir(name)), "make it first; for keys, readable by nobody else: `mkdir -m 700 "+filepath.Dir(name)+"`")
	case err != nil:
		return usage(fmt.Errorf("cannot write %s: %w", name, cause(err)), writeHint)
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(usage(fmt.Errorf("cannot write %s: %w", name, cause(err)), writeHint), os.Remove(name))
	}
	return nil
}

func newKeyPublic(s Streams) *cobra.Command {
	format := keyFormat()
	c := &cobra.Command{
		Use:     "public [FILE]",
		Short:   "print the public key of a private one",
		Long:    "public prints the public key of the private key in FILE (default " + defaultKey + "), as PEM or JWK. It\nalso brings a public key from one form into the other.",
		Example: "  drone key public >drone.key.pub\n  drone key public --format jwk drone.key.pub",
		Args:    maxArgs(1),
	}
	c.Flags().Var(&format, "format", "form of the key: pem, jwk")
	c.RunE = func(_ *cobra.Command, args []string) error {
		name := defaultKey
		if len(args) > 0 {
			name = args[0]
		}
		return runKeyPublic(s, name, format.value)
	}
	return c
}

func runKeyPublic(s Streams, name, format string) error {
	text, err := readKeyFile(name)
	if err != nil {
		return err
	}
	from := "the key file " + name
	key, err := sign.ParseJOSEKey(text)
	if err == nil {
		key, err = key.Public()
	}
	if err != nil {
		return keyFailure(err, from)
	}
	text, err = keyText(key, format)
	if err != nil {
		return err
	}
	_, err = s.Out.Write(text)
	return err
}

// keyFailure names the place of a key that cannot be used.
func keyFailure(err error, from string) error {
	if wrong, ok := errors.AsType[*sign.KeyError](err); ok {
		return usage(fmt.Errorf("%s: %w", from, err), wrong.Hint)
	}
	return err
}
