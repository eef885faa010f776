package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/internal/rewrite"
	"github.com/drone-laptop/drone/report"
)

type signOptions struct {
	by                 signerFlags
	jose               joseSignFlags
	save, check, print bool
}

func newSign(s Streams) *cobra.Command {
	o := &signOptions{}
	c := &cobra.Command{
		Use:   "sign [OWNER/NAME] [FILE…]",
		Short: "sign a file, so that a protected repository builds it unasked",
		Long: "sign prints the signature of FILE (default .drone.yml, - for standard input), which a server\n" +
			"compares at each push. With --save it goes into the file, as its last document, and nothing\n" +
			"else in the file changes. With OWNER/NAME the server signs, as its user. Without, it is\n" +
			"signed here, with the key that is named, or that `drone key set` has remembered for the\n" +
			"repository of the git remote.\n\n" +
			"With --jose it writes a signature of all bytes of FILE beside it, to FILE.sig: with the key\n" +
			"of a repository for servers of Drone 0.5, or with a private key of `drone key new`.",
		Example: "  drone sign octo/hello --save\n" +
			"  drone sign --key-file ~/.keys/hello --save\n" +
			"  drone sign --check --save .drone.yml deploy/.drone.yml\n" +
			"  drone sign --print\n" +
			"  drone sign --jose --key-file drone.key",
		Args: cobra.ArbitraryArgs,
	}
	flags := c.Flags()
	o.by.register(flags, "which signs here, without a server")
	flags.BoolVar(&o.save, "save", false, "write the signature into the file, and print the names of files that this changes")
	flags.BoolVar(&o.check, "check", false, "print the names of files that are not signed as they are, and exit 1 when there is one")
	flags.BoolVar(&o.print, "print", false, "print exactly the bytes that are signed, and do nothing else")
	o.jose.register(flags)
	// A file, and no folder as elsewhere. It fails for a flag that is not there.
	_ = c.RegisterFlagCompletionFunc("out", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveDefault
	})
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := o.jose.needed(flags); err != nil {
			return err
		}
		return runSign(orBackground(c.Context()), s, o, args)
	}
	return c
}

func runSign(ctx context.Context, s Streams, o *signOptions, args []string) error {
	repository, args := splitRepository(args)
	if len(args) == 0 {
		args = []string{defaultFile}
	}
	if o.jose.on {
		return o.signJOSE(s, repository, args)
	}
	if err := o.validate(args); err != nil {
		return err
	}
	if o.print {
		return o.printMessage(s, args[0])
	}
	by, done, err := o.by.signer(s, repository)
	if err != nil {
		return err
	}
	defer done()
	return o.each(s, repository, args, func(path string) (bool, error) { return o.file(ctx, s, by, path) })
}

// each signs files one by one, also after one that cannot be signed. file
// reports whether its signature was another one before.
func (o *signOptions) each(s Streams, repository string, args []string, file func(path string) (stale bool, err error)) error {
	changed, failed := 0, StatusOK
	for _, path := range args {
		stale, err := file(path)
		if err != nil {
			if len(args) == 1 {
				return err
			}
			failed = max(failed, s.fail(err))
		}
		if stale {
			changed++
		}
	}
	if failed == StatusOK && o.check && changed > 0 {
		return &failure{status: StatusFailed, err: o.checkFailure(changed), hint: o.checkHint(repository, args)}
	}
	if failed != StatusOK {
		return &failure{status: failed}
	}
	return nil
}

func (o *signOptions) validate(args []string) error {
	switch {
	case o.print && (o.save || o.check):
		return usage(errors.New("--print does nothing else, so --save and --check have no place beside it"), "")
	case len(args) > 1 && !o.save && !o.check:
		return usage(errors.New("the signatures of several files would be printed as one"), "add --save or --check")
	}
	for _, arg := range args {
		if arg == "-" && o.save {
			return usage(errors.New("standard input cannot be written to"), "leave out --save: the signature is printed")
		}
	}
	return nil
}

// file signs one file, and reports whether its signature was another one before.
func (o *signOptions) file(ctx context.Context, s Streams, by *signer, path string) (stale bool, err error) {
	name, text, source, err := readSignable(s, path)
	if err != nil {
		return false, err
	}
	s.warnUnread(name, text.Unread())
	hmac, err := by.sign(ctx, name, text, source)
	if err != nil {
		return false, err
	}
	if !o.save && !o.check {
		_, err = fmt.Fprintln(s.Out, hmac)
		return false, err
	}
	saved, err := text.Saved(hmac)
	if err != nil {
		return false, err
	}
	if stale = string(saved) != string(source); !stale {
		return false, nil
	}
	if o.save {
		if by.key != nil && len(text.Signatures()) > 0 {
			doubtKey(ctx, s, by.key, name)
		}
		if err := rewrite.File(path, saved); err != nil {
			hint := ""
			if errors.Is(err, fs.ErrPermission) {
				hint = "nothing was changed; check the permissions of the file"
			}
			return false, usage(fmt.Errorf("cannot write %s: %w", path, cause(err)), hint)
		}
		s.warnJOSE(path)
	}
	_, err = fmt.Fprintln(s.Out, name)
	return true, err
}

func (o *signOptions) checkFailure(n int) error {
	if o.save {
		return fmt.Errorf("%s signed anew", report.Plural(n, "file")+haveBeen(n))
	}
	return fmt.Errorf("%s not signed as "+theyAre(n), report.Plural(n, "file")+are(n))
}

func (o *signOptions) checkHint(repository string, args []string) string {
	if o.save {
		return "commit what has changed"
	}
	flags := "--save"
	if o.jose.on {
		flags = "--jose" + o.jose.form()
	}
	return signCommand(o.by.words(repository), flags, args...) + " signs " + them(len(args))
}

func haveBeen(n int) string {
	if n == 1 {
		return " was"
	}
	return " were"
}

func them(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

func theyAre(n int) string {
	if n == 1 {
		return "it is"
	}
	return "they are"
}

// warnUnread tells of text that no server reads, and that is not signed.
func (s Streams) warnUnread(name string, line int) {
	if line > 0 {
		s.warn(fmt.Sprintf("%s:%d: a line that begins with ... ends the file for a server: what follows is neither signed nor run", name, line))
	}
}

// printMessage prints what is signed.
func (o *signOptions) printMessage(s Streams, path string) error {
	name, text, _, err := readSignable(s, path)
	if err != nil {
		return err
	}
	s.warnUnread(name, text.Unread())
	_, err = s.Out.Write(text.Message())
	return err
}
