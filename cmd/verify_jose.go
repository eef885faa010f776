package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/convert"
	"github.com/drone-laptop/drone/sign"
)

// joseVerifyFlags ask `drone verify` for JOSE signatures.
type joseVerifyFlags struct {
	joseFlags
	sig  string
	diff bool
	who  []string // the flags that name the key
	runs bool     // it is not verify that asks
}

func (f *joseVerifyFlags) register(flags *pflag.FlagSet) {
	f.joseFlags.register(flags, "check the JOSE signature beside the file, FILE.sig; of a pair of keys the public one is enough")
	flags.StringVar(&f.sig, "sig", "", "with --jose: `file` of the signature, - for standard input")
	flags.BoolVarP(&f.diff, "diff", "d", false, "with --jose: print what has changed since the file was signed, as a unified diff")
}

// What a verdict on a JOSE signature may be beside those on documents.
const signatureRefused = "refused" // for what it asks for

// joseView is what `drone verify --jose --output json` adds.
type joseView struct {
	Signature string `json:"signature"` // its file
	Algorithm string `json:"algorithm"`
	KeyID     string `json:"key_id"`
	Detached  bool   `json:"detached"`
}

// joseVerifier gives what checks the files of args one by one.
func (o *verifyOptions) joseVerifier(s Streams, repository string, args []string) (func(path string) verdict, error) {
	f := &o.jose
	if err := signatureOf(args, "sig", f.sig); err != nil {
		return nil, err
	}
	if f.sig == "-" && args[0] == "-" {
		return nil, usage(errors.New("the file and its signature cannot both be on standard input"), "name one of them")
	}
	if f.diff && o.output.value != "text" {
		return nil, usage(errors.New("--diff has no place in --output "+o.output.value), "leave out one of them")
	}
	f.who = o.by.words("")
	key, err := f.key(s, &o.by, repository, "")
	if err != nil {
		return nil, err
	}
	return func(path string) verdict { return f.verify(s, key, path) }, nil
}

func (f *joseVerifyFlags) verify(s Streams, key *sign.JOSEKey, path string) verdict {
	name, source, err := readSource(s, namedOrDefault(path))
	if err != nil {
		return unverifiable(name, err)
	}
	if what := importer(name, source); what != "" {
		s.warn(name + " is " + what + ": the signature is of this file alone, and not of what it imports")
	}
	at := f.sig
	if at == "" {
		at = signatureFile(path)
	}
	return f.verifySource(s, key, name, at, source)
}

// importer says which kind of file it is that others belong to, "" for none.
func importer(name string, source []byte) string {
	switch convert.Detect(name, source) {
	case convert.FormatJsonnet:
		return "a Jsonnet program"
	case convert.FormatStarlark:
		return "a Starlark program"
	case convert.FormatTemplate:
		return "filled in from a template"
	}
	return ""
}

// joseAdmission gives what checks a file that is to be run. Of what others make
// a part of, a signature says too little.
func joseAdmission(s Streams, keyFile string) (func(name string, source []byte) verdict, error) {
	f := &joseVerifyFlags{who: []string{"--key-file", keyFile}, runs: true}
	key, err := f.key(s, &signerFlags{key: keyFlags{file: keyFile}}, "", "")
	if err != nil {
		return nil, err
	}
	return func(name string, source []byte) verdict {
		v := verdict{File: name, Status: signatureGenerated, exit: StatusFailed}
		what := importer(name, source)
		switch {
		case name == "<stdin>":
			v.Message, v.Hint, v.exit = "standard input has no signature beside it", "name the file", StatusUsage
			return v
		case what != "":
			v.Message = name + " is " + what + ", and its signature says nothing of what it imports"
			v.Hint = "run and sign the file that it makes"
			return v
		}
		return f.verifySource(s, key, name, signatureFile(name), source)
	}, nil
}

// verifySource checks the text of a file with the signature in the file at.
func (f *joseVerifyFlags) verifySource(s Streams, key *sign.JOSEKey, name, at string, source []byte) verdict {
	v := verdict{File: name, joseView: &joseView{Signature: at}, exit: StatusFailed}
	text, err := readSignature(s.In, at)
	if errors.Is(err, fs.ErrNotExist) {
		v.Status, v.Message, v.Hint = signatureMissing, name+" is not signed: there is no "+at, f.signing(key, name)
		return v
	}
	if err != nil {
		wrong := unverifiable(name, err)
		wrong.joseView = v.joseView
		return wrong
	}
	v.Signatures = 1
	result, err := sign.VerifyJOSE(key, text, source)
	if err != nil {
		f.explain(s, &v, f.signing(key, name), lineEndsOnly(err, key, text, source), source, len(bytes.TrimSpace(text)) == 0)
		return v
	}
	if wanted := f.algorithm.value; wanted != "" && wanted != result.Algorithm {
		v.Status, v.Message = signatureRefused, fmt.Sprintf("%s: the signature is refused: it was made with %s, and --alg wants %s", at, result.Algorithm, wanted)
		return v
	}
	v.Algorithm, v.KeyID, v.Detached = result.Algorithm, result.KeyID, result.Detached
	form := result.Algorithm
	if result.Detached && len(source) > 0 {
		form += ", detached"
		if key.Secret() {
			s.warn(detachedWarning)
		}
	}
	v.Status, v.Message, v.exit = signatureValid, "the signature in "+at+" is valid ("+form+")", StatusOK
	return v
}

// detachedWarning is about signatures with the secret of a repository.
const detachedWarning = "servers of Drone 0.5 read no detached signature"

// signing says how to sign a file. The key that is named can do that unless it is
// the public one of a pair.
func (f *joseVerifyFlags) signing(key *sign.JOSEKey, name string) string {
	flags := "--jose"
	if f.sig != "" && f.sig != "-" {
		flags += " --out " + shellWord(f.sig)
	}
	if key.CanSign() {
		return "sign it with " + signCommand(f.who, flags, name)
	}
	return "sign it with " + signCommand(nil, flags, name) + " and the private key"
}

// differ is what shows the changes of a file.
func (f *joseVerifyFlags) differ(name string) string {
	if !f.runs {
		return "--diff"
	}
	return command("verify", f.who, "--jose --diff", name)
}

// explain says why a signature is not valid, which is in a file that may be blank.
func (f *joseVerifyFlags) explain(s Streams, v *verdict, signing string, err error, source []byte, blank bool) {
	v.Message = v.Signature + ": " + err.Error()
	switch stale, ok := errors.AsType[*sign.StaleError](err); {
	case ok:
		v.Status = signatureStale
		difference, hint := firstDifference(stale.Signed, source, signing)
		if hint == "" {
			hint = "look at what has changed, then " + signing
			if !f.diff {
				hint = f.differ(v.File) + " shows what has changed; look at it, then " + signing
			}
		}
		v.Message = fmt.Sprintf("%s: %s: %s", v.File, err, difference)
		v.Hint = hint
		if f.diff {
			text := string(diff.Diff("signed", stale.Signed, v.File, source))
			_, _ = io.WriteString(s.Out, paintDiff(s.outStyle(), text)) // the verdict counts
		}
	case errors.Is(err, sign.ErrJOSEMalformed):
		v.Status, v.Hint = signatureMalformed, signing
		if !blank && f.sig == "" {
			v.Hint = "remove " + v.Signature + ", which is not overwritten; then " + signing
		}
	case errors.Is(err, sign.ErrJOSERefused):
		v.Status, v.Hint = signatureRefused, "if the key is right, do not trust this file"
	default:
		v.Status, v.Hint = signatureMismatch, "if the key is right, do not trust the signature; else look at the file, then "+signing
	}
}

// lineEndsOnly finds out whether a signature without its file would fit the file
// with other line ends.
func lineEndsOnly(err error, key *sign.JOSEKey, text, source []byte) error {
	if !errors.Is(err, sign.ErrJOSEMismatch) {
		return err
	}
	unix := unixLines(source)
	for _, other := range [][]byte{unix, bytes.ReplaceAll(unix, []byte("\n"), []byte("\r\n"))} {
		if _, failed := sign.VerifyJOSE(key, text, other); failed == nil {
			return &sign.StaleError{Signed: other}
		}
	}
	return err
}

func unixLines(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")) }

// firstDifference says where a file differs from what was signed, and what to
// do about it, unless that is to look at it.
func firstDifference(signed, file []byte, signing string) (difference, hint string) {
	switch {
	case bytes.Equal(unixLines(signed), unixLines(file)):
		return "only its line ends differ", "every byte counts: `git config core.autocrlf` may say why, and `*.yml -text` in .gitattributes keeps line ends"
	case bytes.Equal(bytes.TrimRight(signed, "\r\n"), bytes.TrimRight(file, "\r\n")):
		return "only the line ends at its end differ", "every byte counts: an editor may have added or removed them; " + signing
	}
	before, after := bytes.Split(signed, []byte("\n")), bytes.Split(file, []byte("\n"))
	line := 0
	for line < len(before) && line < len(after) && bytes.Equal(before[line], after[line]) {
		line++
	}
	return fmt.Sprintf("line %d is the first that differs", line+1), ""
}
