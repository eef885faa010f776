package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/report"
	"github.com/drone-laptop/drone/sign"
)

type verifyOptions struct {
	by           signerFlags
	jose         joseVerifyFlags
	allowMissing bool
	output       *outputFlag
}

func newVerify(s Streams) *cobra.Command {
	o := &verifyOptions{}
	c := &cobra.Command{
		Use:   "verify [OWNER/NAME] [FILE…]",
		Short: "check the signature of a file",
		Long: "verify checks the signature in each FILE (default .drone.yml, - for standard input) as the\n" +
			"server does. It exits 1 when one is not valid, which on a protected repository blocks every\n" +
			"build, and says why. With OWNER/NAME the server signs the file, as its user, and both\n" +
			"signatures are compared. Without, it is checked here, with the key that is named, or that\n" +
			"`drone key set` has remembered for the repository of the git remote.\n\n" +
			"With --jose it checks the signature in FILE.sig, of all bytes of FILE.",
		Example: "  drone verify\n  drone verify octo/hello\n  drone verify --key-file ~/.keys/hello --output json .drone.yml deploy/.drone.yml\n" +
			"  drone verify --jose --key-file drone.key.pub",
		Args: cobra.ArbitraryArgs,
	}
	o.by.register(c.Flags(), "which checks here, without a server")
	c.Flags().BoolVar(&o.allowMissing, "allow-missing-key", false, "without a key, check no more than that there is a signature in the right form")
	o.output = addOutput(c.Flags(), "output", "text", "json")
	o.jose.register(c.Flags())
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := o.jose.needed(c.Flags()); err != nil {
			return err
		}
		return runVerify(orBackground(c.Context()), s, o, args)
	}
	return c
}

// The statuses of a signature.
const (
	signatureValid     = "valid"
	signatureUnchecked = "unchecked" // there is no key
	signatureMissing   = "missing"
	signatureMalformed = "malformed"
	signatureStale     = "stale"     // the text of an earlier commit
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

	// Signed is the commit whose text the signature is for, with a key and the
	// status stale.
	Signed *commitView `json:"signed"`
	// Changed is the commit that changed the file last, null outside of git.
	// Uncommitted tells that it has changed since.
	Changed     *commitView `json:"changed"`
	Uncommitted bool        `json:"uncommitted"`

	*joseView // nil without --jose

	exit    int
	several bool // a signature behind the first is valid
	unread  int  // the line from which on no server reads the file, or 0
}

// commitView is a commit as `drone verify --output json` prints it.
type commitView struct {
	Commit string    `json:"commit"`
	Time   time.Time `json:"time"`
}

func runVerify(ctx context.Context, s Streams, o *verifyOptions, args []string) error {
	repository, args := splitRepository(args)
	if len(args) == 0 {
		args = []string{defaultFile}
	}
	check, done, err := o.checker(ctx, s, repository, args)
	if err != nil {
		return err
	}
	defer done()
	verdicts := make([]verdict, 0, len(args))
	status := StatusOK
	for _, path := range args {
		v := check(path)
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

// checker gives what checks one file. done is to be called in the end.
func (o *verifyOptions) checker(ctx context.Context, s Streams, repository string, args []string) (check func(path string) verdict, done func(), err error) {
	if o.jose.on {
		if o.allowMissing {
			return nil, nil, usage(errors.New("--allow-missing-key has no meaning with --jose, whose public keys anybody may have"), "")
		}
		check, err = o.joseVerifier(s, repository, args)
		return check, func() {}, err
	}
	by, done, err := o.by.signer(s, repository)
	if errors.Is(err, errNoKey) && o.allowMissing {
		s.warn(err.Error() + ", so nobody knows whether the signatures are valid")
		by, done, err = &signer{}, func() {}, nil
	}
	return func(path string) verdict { return verifyFile(ctx, s, by, path) }, done, err
}

// verifyFile checks one file.
func verifyFile(ctx context.Context, s Streams, by *signer, path string) verdict {
	name, source, err := readSource(s, namedOrDefault(path))
	if err != nil {
		return unverifiable(name, err)
	}
	return verifySource(ctx, by, name, source)
}

// verifySource checks the text of a file.
func verifySource(ctx context.Context, by *signer, name string, source []byte) verdict {
	text, err := parseSignable(name, source)
	if err != nil {
		return unverifiable(name, err)
	}
	want, err := by.sign(ctx, name, text, source)
	if err != nil {
		return unverifiable(name, err)
	}
	v := verifyText(name, text, want, by.saving(name))
	if by.keyless() && v.Status == signatureMismatch {
		v.Status, v.Message, v.Hint, v.exit = signatureUnchecked, "there is a signature, which was not checked", "", StatusOK
	}
	if v.Status == signatureMismatch && !v.several && name != "<stdin>" {
		v.explain(ctx, by, text, source)
	}
	return v
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

// verifyText compares the signature of a text with the one that it should have.
// saving is the command that writes that.
func verifyText(name string, text *sign.Text, want, saving string) verdict {
	hintSign := "sign it with " + saving
	found := text.Signatures()
	v := verdict{File: name, Status: signatureValid, Signatures: len(found), exit: StatusFailed, unread: text.Unread()}
	at := name
	if len(found) > 0 {
		v.Line = found[0].Line
		at = fmt.Sprintf("%s:%d", name, v.Line)
	}
	err := text.Compare(want)
	switch {
	case err == nil:
		v.exit, v.Message = StatusOK, "the signature is valid"
		return v
	case errors.Is(err, sign.ErrMissing):
		v.Status, v.Message, v.Hint = signatureMissing, name+" is not signed", hintSign
	case errors.Is(err, sign.ErrForm):
		v.Status, v.Message, v.Hint = signatureMalformed, at+": "+err.Error(), hintSign
	default:
		v.Status, v.Message = signatureMismatch, at+": "+err.Error()
		v.Hint = "look at what has changed, then " + hintSign
	}
	if fits := text.Index(want); fits > 1 {
		v.Message += fmt.Sprintf("; the one in line %d is valid, but a server looks at the first alone", found[fits-1].Line)
		v.Hint = saving + " leaves one signature"
		v.several = true
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
	s.warnUnread(v.File, v.unread)
	_, err := fmt.Fprintf(s.Out, "%s: %s\n", v.File, v.Message)
	return err
}
