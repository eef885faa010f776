package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/sign"
)

// keyFlags name the key of a repository: its secret as the server keeps it,
// with which the server signs files and encrypts secrets.
type keyFlags struct{ file, env string }

func (f *keyFlags) register(flags *pflag.FlagSet, what string) {
	flags.StringVar(&f.file, "key-file", "", "`file` with the key of the repository, "+what)
	flags.StringVar(&f.env, "key-env", "", "environment variable with that key, by `NAME`")
}

// given reports whether the user has named a key.
func (f *keyFlags) given() bool { return f.file != "" || f.env != "" }

// words are the flags as the user has given them.
func (f *keyFlags) words() []string {
	switch {
	case f.file != "":
		return []string{"--key-file", f.file}
	case f.env != "":
		return []string{"--key-env", f.env}
	}
	return nil
}

// maxKeyFile is the size beyond which a file is surely no key.
const maxKeyFile = 64 << 10

// read gives the key, nil when the flags name none, and what to call the place
// it comes from. Line ends behind it are those of the file. No error has any
// part of what was read.
func (f *keyFlags) read(s Streams) (key []byte, from string, err error) {
	switch {
	case f.file != "" && f.env != "":
		return nil, "", usage(errors.New("--key-file and --key-env both name a key"), "give one of them")
	case f.env != "":
		value, ok := s.LookupEnv(f.env)
		if !ok && isKey(f.env) {
			return nil, "", usage(errors.New("--key-env takes the name of a variable, and got what looks like the key itself"), hintArgv)
		}
		if !ok {
			return nil, "", usage(fmt.Errorf("--key-env: the environment variable %s is not set", f.env), "--key-env takes the name of a variable, not the key")
		}
		return bytes.TrimRight([]byte(value), "\r\n"), "the variable " + f.env, nil
	case f.file != "":
		key, err := readKeyFile(f.file)
		return key, "the key file " + f.file, err
	}
	return nil, "", nil
}

func readKeyFile(name string) ([]byte, error) {
	failed := func(err error) error {
		hint := ""
		if name == "-" && runtime.GOOS != "windows" {
			hint = "the standard input is called /dev/stdin here"
		}
		return usage(fmt.Errorf("cannot read the key file %s: %w", name, cause(err)), hint)
	}
	file, err := os.Open(name)
	if err != nil && isKey(name) {
		return nil, usage(errors.New("the name of a key file is wanted, and what was given looks like the key itself"), hintArgv)
	}
	if err != nil {
		return nil, failed(err)
	}
	defer file.Close()
	key, err := io.ReadAll(io.LimitReader(file, maxKeyFile+1))
	switch {
	case err != nil:
		return nil, failed(err)
	case len(key) > maxKeyFile:
		return nil, usage(fmt.Errorf("the key file %s has more than %d KiB, too much for a key", name, maxKeyFile>>10), "")
	}
	return bytes.TrimRight(key, "\r\n"), nil
}

// hintArgv is for a key on the command line.
const hintArgv = "others can see it in the list of processes, and the shell may have noted it"

// isKey reports a text that is more likely a key than a name, and is not to be
// shown: one of a server, of Drone 0.5 with its = at the end, PEM, or a JWK.
func isKey(text string) bool {
	if strings.ContainsAny(text, "\n{") || strings.Contains(text, "-----BEGIN") {
		return true
	}
	text = strings.TrimRight(text, "=")
	return len(text) >= 32 && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

// hintKey says what the key is.
const hintKey = "the key is the secret of the repository that the server keeps: 32 letters and digits"

// checkKey refuses what cannot be the key of a repository, before anything is
// signed with it that no server verifies.
func checkKey(key []byte, from string) error {
	wrong, hint := "", hintKey
	switch {
	case bytes.HasPrefix(key, []byte("\xef\xbb\xbf")), bytes.HasPrefix(key, []byte("\xff\xfe")), bytes.HasPrefix(key, []byte("\xfe\xff")):
		wrong = "begins with a byte order mark, as editors of Windows write one"
	case len(key) == 0:
		wrong = "is empty"
	case key[0] == '{', bytes.HasPrefix(key, []byte("-----BEGIN")):
		wrong = "is PEM or JSON, as keys for --jose are"
		hint = "`drone sign --jose` and `drone verify --jose` take such keys; here " + hintKey
	case bytes.ContainsAny(key, "\r\n"):
		wrong = "has several lines"
	case bytes.ContainsAny(key, " \t"):
		wrong = "has blanks in it"
	case bytes.ContainsFunc(key, func(r rune) bool { return r < '!' || r > '~' }):
		wrong = "has characters that no key has"
	default:
		if err := sign.CheckKey(key); err != nil {
			return usage(fmt.Errorf("%s: %w", from, err), hintKey)
		}
		return nil
	}
	return usage(fmt.Errorf("%s %s, so it is no key of a repository", from, wrong), hint)
}

// isSlug reports whether a text can be the name of a repository.
func isSlug(text string) bool {
	owner, name, ok := strings.Cut(text, "/")
	return ok && owner != "" && name != "" && !strings.HasSuffix(name, "/") && !strings.ContainsAny(text, " \t\n\\:@")
}

// splitRepository takes the repository off arguments OWNER/NAME FILE…, where the
// first may be a file just as well: one that exists, or is called like one.
func splitRepository(args []string) (repository string, files []string) {
	if len(args) == 0 {
		return "", nil
	}
	arg := args[0]
	if !isSlug(arg) || strings.Count(arg, "/") > 1 || strings.HasPrefix(arg, ".") {
		return "", args
	}
	for _, ending := range []string{".yml", ".yaml", ".jsonnet", ".star", ".starlark", ".script"} {
		if strings.HasSuffix(arg, ending) {
			return "", args
		}
	}
	if info, err := os.Stat(arg); err == nil && !info.IsDir() {
		return "", args
	}
	return arg, args[1:]
}
