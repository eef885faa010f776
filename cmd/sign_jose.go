package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/internal/rewrite"
	"github.com/drone-laptop/drone/sign"
)

// joseSignFlags ask `drone sign` for JOSE signatures.
type joseSignFlags struct {
	joseFlags
	detached bool
	out      string
}

func (f *joseSignFlags) register(flags *pflag.FlagSet) {
	f.joseFlags.register(flags, "write a JOSE signature beside the file, as FILE.sig; private keys of drone key new can do that, too")
	flags.BoolVar(&f.detached, "detached", false, "with --jose: leave the file out of its signature")
	flags.StringVar(&f.out, "out", "", "with --jose: `file` for the signature, - to print it")
}

// form are the flags that say how and where a signature is written.
func (f *joseSignFlags) form() (flags string) {
	if f.detached {
		flags = " --detached"
	}
	if f.out != "" {
		flags += " --out " + shellWord(f.out)
	}
	return flags
}

// joseSigner signs files one by one.
type joseSigner struct {
	*joseSignFlags
	by    *sign.JOSEKey
	check bool // and write nothing, but with save
	save  bool
}

// signJOSE signs the files of args. Without check it writes what differs.
func (o *signOptions) signJOSE(s Streams, repository string, args []string) error {
	f := &o.jose
	if o.print {
		return usage(errors.New("--print has no use for a JOSE signature, which is of all bytes of the file"), "")
	}
	if o.check && f.out == "-" {
		return usage(errors.New("--check looks at signatures in files, and --out - writes none"), "leave out one of them")
	}
	if err := signatureOf(args, "out", f.out); err != nil {
		return err
	}
	key, err := f.key(s, &o.by, repository, "; `drone key new` makes one")
	if err != nil {
		return err
	}
	if !key.CanSign() {
		return usage(errors.New("a public key cannot sign"), "sign with the private key; `drone verify --jose` takes this one")
	}
	if key.Secret() && f.detached {
		s.warn(detachedWarning)
	}
	by := &joseSigner{joseSignFlags: f, by: key, check: o.check, save: o.save || !o.check}
	return o.each(s, "", args, func(path string) (bool, error) { return by.file(s, path) })
}

// file signs one file, and reports whether it had no signature, or another one.
func (j *joseSigner) file(s Streams, path string) (changed bool, err error) {
	name, source, err := readSource(s, namedOrDefault(path))
	if err != nil {
		return false, err
	}
	if what := importer(name, source); what != "" {
		s.warn(name + " is " + what + ": the signature is of this file alone, and not of what it imports")
	}
	if bytes.Contains(source, []byte("\r\n")) {
		s.warn(name + " has the line ends of Windows, and is signed with them: where git stores others (core.autocrlf), the signature is not valid")
	}
	out := j.out
	if out == "" {
		if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
			return false, usage(fmt.Errorf("%s is no file that a signature could be beside", name), "name the file of the signature with --out")
		}
		out = signatureFile(path)
	}
	if out == "-" {
		token, err := sign.JOSE(j.by, source, j.detached)
		if err == nil {
			_, err = fmt.Fprintf(s.Out, "%s\n", token)
		}
		return false, err
	}
	before, err := j.before(path, out)
	if err != nil {
		return false, err
	}
	if j.good(before, source) {
		return false, nil
	}
	if j.save {
		if err := j.write(out, source, before != nil); err != nil {
			return false, err
		}
	}
	shown := name
	if j.save && !j.check {
		shown = out
	}
	_, err = fmt.Fprintln(s.Out, shown)
	return true, err
}

// before reads the signature that is there, nil when there is none. What is no
// signature is not to be overwritten.
func (j *joseSigner) before(path, out string) ([]byte, error) {
	if same(path, out) {
		return nil, usage(fmt.Errorf("--out %s is the file that is to be signed", out), "")
	}
	text, err := readSignature(nil, out)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if _, err := sign.VerifyJOSE(j.by, text, nil); errors.Is(err, sign.ErrJOSEMalformed) && len(bytes.TrimSpace(text)) > 0 {
		hint := "name another file with --out"
		if j.out == "" {
			hint = "remove it, or " + hint
		}
		return nil, usage(fmt.Errorf("%s is there and is no signature, so it is not overwritten", out), hint)
	}
	return text, nil
}

// good reports whether a signature can stay: it is valid and of the same form.
func (j *joseSigner) good(before, source []byte) bool {
	if before == nil {
		return false
	}
	got, err := sign.VerifyJOSE(j.by, before, source)
	return err == nil && got.Algorithm == j.by.Algorithm() && (got.Detached == j.detached || len(source) == 0)
}

func (j *joseSigner) write(out string, source []byte, replace bool) error {
	token, err := sign.JOSE(j.by, source, j.detached)
	if err != nil {
		return err
	}
	if !replace {
		return writeNew(out, token, 0o644)
	}
	if err := rewrite.File(out, token); err != nil {
		return usage(fmt.Errorf("cannot write %s: %w", out, cause(err)), "")
	}
	return nil
}

// same reports whether two names are one file.
func same(a, b string) bool {
	first, err := os.Stat(a)
	second, failed := os.Stat(b)
	return a == b || err == nil && failed == nil && os.SameFile(first, second)
}

// maxSignature is more than the signature of the largest file has.
const maxSignature = 2 * maxFile

// readSignature reads the file of a signature; - is in. A file that is not there
// is an fs.ErrNotExist.
func readSignature(in io.Reader, name string) ([]byte, error) {
	failed := func(err error) error {
		return usage(fmt.Errorf("cannot read the signature %s: %w", name, cause(err)), "")
	}
	r := in
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, failed(err)
		}
		defer file.Close()
		r = file
	}
	text, err := io.ReadAll(io.LimitReader(r, maxSignature+1))
	switch {
	case err != nil:
		return nil, failed(err)
	case len(text) > maxSignature:
		return nil, usage(fmt.Errorf("the signature %s has more than %d MiB", name, maxSignature>>20), "")
	}
	return text, nil
}

// warnJOSE tells of the JOSE signature of a file that was written.
func (s Streams) warnJOSE(path string) {
	if _, err := os.Stat(signatureFile(path)); err == nil {
		s.warn(signatureFile(path) + " is the signature of " + path + " as it was: `drone sign --jose` makes a new one")
	}
}
