package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/report"
	"github.com/drone-laptop/drone/sign"
)

type verifyOptions struct {
	key    keyFlags
	output *outputFlag
}

func newVerify(s Streams) *cobra.Command {
	o := &verifyOptions{}
	c := &cobra.Command{
		Use:   "verify [FILE…]",
		Short: "check the signature of a file",
		Long: "verify checks the signature in each FILE (default .drone.yml, - for standard input) as the\n" +
			"server does, with the key of the repository. It exits 1 when one is not valid, which on a\n" +
			"protected repository blocks every build, and says why.",
		Example: "  drone verify --key-file ~/.keys/hello\n  drone verify --key-env HELLO_KEY --output json",
		Args:    cobra.ArbitraryArgs,
	}
	o.key.register(c.Flags(), "which checks here, without a server")
	o.output = addOutput(c.Flags(), "output", "text", "json")
	c.RunE = func(c *cobra.Command, args []string) error {
		return runVerify(orBackground(c.Context()), s, o, args)
	}
	return c
}

// The statuses of a signature.
const (
	signatureValid     = "valid"
	signatureMissing   = "missing"
	signatureMalformed = "malformed"
	signatureMismatch  = "mismatch"  // another text, or another key
	signatureGenerated = "generated" // the file cannot have one
	signatureUnread    = "error"     // the file cannot be checked
)

// verdict is what `drone verify --output json` prints of a file.
type verdict struct {
	File   string `json:"file"`
	Status string `json:"status"`
	// Line is that of the signature that counts, 0 without one.
	Line       int    `json:"line"`
	Signatures int    `json:"signatures"` // of which the first counts
	Message    string `json:"message"`
	Hint       string `json:"hint"`

	exit int
}

func runVerify(ctx context.Context, s Streams, o *verifyOptions, args []string) error {
	if len(args) == 0 {
		args = []string{defaultFile}
	}
	check, err := o.checker(s)
	if err != nil {
		return err
	}
	verdicts := make([]verdict, 0, len(args))
	status := StatusOK
	for _, path := range args {
		v := check(ctx, s, path)
		verdicts = append(verdicts, v)
		status = max(status, v.exit)
		if o.output.value == "text" {
			if err := v.print(s); err != nil {
				return err
			}
		}
	}
	if o.output.value == "json" {
		enc := json.NewEncoder(s.Out)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		if err := enc.Encode(verdicts); err != nil {
			return err
		}
	}
	if status != StatusOK {
		return &failure{status: status}
	}
	return nil
}

// checker gives what checks the signature of one file. Signatures of another
// form than that of a document in the file have a checker of their own.
func (o *verifyOptions) checker(s Streams) (func(context.Context, Streams, string) verdict, error) {
	key, from, err := o.key.read(s)
	if err != nil {
		return nil, err
	}
	if key == nil {
		return nil, usage(errors.New("no key to check with"), "name it with --key-file FILE or --key-env NAME")
	}
	if err := checkKey(key, from); err != nil {
		return nil, err
	}
	return func(_ context.Context, s Streams, path string) verdict { return verifyFile(s, path, key) }, nil
}

// verifyFile checks one file with a key.
func verifyFile(s Streams, path string, key []byte) verdict {
	name, text, _, err := readSignable(s, path)
	if err != nil {
		return unverifiable(name, err)
	}
	return verifyText(name, text, key)
}

// unverifiable is the verdict on a file that cannot be checked.
func unverifiable(name string, err error) verdict {
	v := verdict{File: name, Status: signatureUnread, Message: err.Error(), exit: StatusUsage}
	if f, ok := errors.AsType[*failure](err); ok {
		v.Hint, v.exit = f.hint, f.status
	}
	if _, ok := errors.AsType[*generatedError](err); ok {
		v.Status = signatureGenerated
	}
	return v
}

// verifyText checks a text with a key.
func verifyText(name string, text *sign.Text, key []byte) verdict {
	found := text.Signatures()
	v := verdict{File: name, Status: signatureValid, Signatures: len(found), exit: StatusFailed}
	at := name
	if len(found) > 0 {
		v.Line = found[0].Line
		at = fmt.Sprintf("%s:%d", name, v.Line)
	}
	const again = "sign it with `drone sign --save`"
	err := text.Verify(key)
	switch {
	case err == nil:
		v.exit, v.Message = StatusOK, "the signature is valid"
	case errors.Is(err, sign.ErrMissing):
		v.Status, v.Message, v.Hint = signatureMissing, name+" is not signed", again
	case errors.Is(err, sign.ErrForm):
		v.Status, v.Message, v.Hint = signatureMalformed, at+": "+err.Error(), again
	case errors.Is(err, sign.ErrMismatch):
		v.Status, v.Message = signatureMismatch, at+": "+err.Error()
		v.Hint = "if the key is right, the file has changed since it was signed: look at the change, then " + again
	default:
		v.Status, v.Message, v.exit = signatureUnread, err.Error(), StatusUsage
	}
	if fits := text.Fits(key); v.exit == StatusFailed && fits > 1 {
		v.Message += fmt.Sprintf("; the signature of line %d is valid, but a server looks at the first alone", found[fits-1].Line)
		v.Hint = "`drone sign --save` leaves one signature"
	}
	return v
}

// print tells people the verdict.
func (v verdict) print(s Streams) error {
	if v.exit != StatusOK {
		s.fail(&failure{status: v.exit, err: errors.New(v.Message), hint: v.Hint})
		return nil
	}
	if v.Signatures > 1 {
		s.warn(fmt.Sprintf("%s has %s, of which a server looks at the first alone", v.File, report.Plural(v.Signatures, "signature")))
	}
	_, err := fmt.Fprintf(s.Out, "%s: %s\n", v.File, v.Message)
	return err
}
