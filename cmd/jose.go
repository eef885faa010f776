package cmd

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/sign"
)

// joseFlags ask for a JOSE signature, which is in a file of its own, beside the
// one that it signs.
type joseFlags struct {
	on        bool
	algorithm choice
}

func (f *joseFlags) register(flags *pflag.FlagSet, what string) {
	f.algorithm = choice{kind: "algorithm", of: sign.Algorithms()}
	flags.BoolVar(&f.on, "jose", false, what)
	flags.Var(&f.algorithm, "alg", "with --jose: insist on this algorithm, which the key decides about: HS256, EdDSA, ES256, RS256")
}

// needed refuses flags that have a meaning with --jose only.
func (f *joseFlags) needed(flags *pflag.FlagSet) error {
	for _, name := range []string{"alg", "detached", "out", "sig", "diff"} {
		if flags.Changed(name) && !f.on {
			return usage(fmt.Errorf("--%s is for JOSE signatures", name), "add --jose")
		}
	}
	return nil
}

// key reads the key: the one that is named, or else the one remembered for the
// repository of the working tree. To verify, the public half of a pair is enough.
// hint goes on with where to get one.
func (f *joseFlags) key(s Streams, by *signerFlags, repository, hint string) (*sign.JOSEKey, error) {
	if repository != "" {
		return nil, usage(fmt.Errorf("no server is asked for JOSE signatures, so %s has no place", repository), "name the key with --key-file FILE or --key-env NAME")
	}
	if by.server != (serverFlags{}) {
		return nil, usage(errors.New("no server is asked for JOSE signatures, so --server, --token and --skip-verify have no place"), "leave them out")
	}
	text, from, err := by.key.read(s)
	if err == nil && text == nil {
		text, from, err = rememberedKey(s, by.repo, hint)
	}
	if err != nil {
		return nil, err
	}
	key, err := sign.ParseJOSEKey(text)
	if err != nil {
		return nil, keyFailure(err, from)
	}
	if wanted := f.algorithm.value; wanted != "" && wanted != key.Algorithm() {
		return nil, usage(fmt.Errorf("%s is a %s, and --alg wants %s", from, key, wanted), "")
	}
	if key.Short() {
		s.warn(from + " is a secret of fewer than 32 characters, which somebody could find by trying")
	}
	return key, nil
}

// signatureFile is where the JOSE signature of a file is, unless it is said.
func signatureFile(path string) string { return path + ".sig" }

// signatureOf is the name of the signature of each of args: named, or else the
// usual one. A file from standard input has none.
func signatureOf(args []string, flag, named string) error {
	switch {
	case named != "" && len(args) > 1:
		return usage(fmt.Errorf("--%s names one file, and there are %d to sign", flag, len(args)), "leave it out: each file has its signature beside it")
	case named == "":
		if slices.Contains(args, "-") {
			return usage(errors.New("standard input has no signature beside it"), "name the file of the signature with --"+flag)
		}
	}
	return nil
}
