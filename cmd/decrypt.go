package cmd

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/internal/similar"
	"github.com/drone-laptop/drone/manifest"
	"github.com/drone-laptop/drone/report"
	"github.com/drone-laptop/drone/sign"
)

type decryptOptions struct {
	key  keyFlags
	repo string
	name string
}

func newDecrypt(s Streams) *cobra.Command {
	o := &decryptOptions{}
	c := &cobra.Command{
		Use:   "decrypt [TEXT | @FILE | -]",
		Short: "decrypt a secret that encrypt or a server has encrypted",
		Long: "decrypt prints the value of an encrypted secret, byte by byte, with the key of the repository:\n" +
			"of TEXT, of the content of a FILE, or of standard input (-). With --name it is the one in the\n" +
			"document (kind: secret) of that name in a configuration, and the argument is the name of that\n" +
			"file (default .drone.yml). The key is the one that is named, or that `drone key set` has\n" +
			"remembered for the repository of the git remote. No server decrypts for anybody.",
		Example: "  drone decrypt --key-file ~/.keys/hello --name db_password\n" +
			"  drone decrypt --key-file ~/.keys/hello AAECAwQFBgcICQoLq/xQTs4lV8Sl3teN1pLJ2D4nUg9d9/zCacAe…",
		Args: maxArgs(1),
	}
	c.SetFlagErrorFunc(silentFlagError)
	o.key.register(c.Flags(), "with which it was encrypted")
	c.Flags().StringVar(&o.repo, "repo", "", "use the key remembered for this repository, `OWNER/NAME` (default: that of the git remote)")
	c.Flags().StringVar(&o.name, "name", "", "decrypt the document of this `name` in a configuration")
	c.RunE = func(_ *cobra.Command, args []string) error { return runDecrypt(s, o, args) }
	return c
}

func runDecrypt(s Streams, o *decryptOptions, args []string) error {
	key, from, err := repositoryKey(s, &o.key, o.repo, "")
	if err != nil {
		return err
	}
	text, err := o.text(s, args)
	if err != nil {
		return err
	}
	value, err := sign.DecryptSecret(key, text)
	if err != nil {
		return cipherFailure(err, from)
	}
	if _, err = s.Out.Write(value); err == nil && s.OutTerminal && s.ErrTerminal && (len(value) == 0 || value[len(value)-1] != '\n') {
		fmt.Fprintln(s.Err) // so that the prompt is not behind the value
	}
	return err
}

// text is what is to be decrypted.
func (o *decryptOptions) text(s Streams, args []string) (string, error) {
	if o.name == "" {
		if len(args) == 0 {
			return "", usage(errors.New("there is nothing to decrypt"), "give the text, @FILE, or - for standard input, or with --name NAME the document of a .drone.yml")
		}
		text, _, err := readValue(s, args, "")
		return string(text), err
	}
	name, source, err := readSource(s, args)
	if err != nil {
		return "", err
	}
	return secretData(name, source, o.name)
}

// secretData is the data of the first secret document of a name that has any,
// which is the one that counts on the server.
func secretData(file string, source []byte, name string) (string, error) {
	parsed, problems := manifest.Parse(file, source, nil)
	var encrypted []string
	for _, doc := range parsed.Documents {
		switch {
		case doc.Secret == nil || doc.Secret.Data.Value == "":
		case doc.Secret.Name.Value == name:
			return doc.Secret.Data.Value, nil
		default:
			encrypted = append(encrypted, doc.Secret.Name.Value)
		}
	}
	for _, p := range problems {
		if p.Severity == manifest.Error {
			at := p.Span.Start
			return "", usage(fmt.Errorf("%s:%d:%d: no secret %q was found, and the file cannot be read: %s", file, at.Line, at.Column, name, p.Message), "`drone lint` tells more")
		}
	}
	return "", usage(fmt.Errorf("%s has no encrypted secret %q", file, name), closestSecret(name, encrypted))
}

func closestSecret(name string, encrypted []string) string {
	best := similar.Word(name, encrypted)
	switch {
	case best != "":
		return fmt.Sprintf("did you mean %q", best)
	case len(encrypted) == 0:
		return "a secret is encrypted with `drone encrypt`"
	}
	return "it has " + report.Plural(len(encrypted), "encrypted secret") + " of other names"
}
