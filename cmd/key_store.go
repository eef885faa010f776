package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/internal/document"
	"github.com/drone-laptop/drone/internal/facts"
	"github.com/drone-laptop/drone/internal/keystore"
	"github.com/drone-laptop/drone/report"
)

func newKeySet(s Streams) *cobra.Command {
	var key keyFlags
	var plain bool
	c := &cobra.Command{
		Use:   "set [OWNER/NAME]",
		Short: "remember the key of a repository",
		Long: "set remembers the key of a repository (default: that of the git remote), which is read from\n" +
			"the standard input, or asked for on a terminal. It goes into the keyring of the system, and\n" +
			"where there is none into a file that only you can read.",
		Example: "  drone key set octo/hello < key\n  drone key set --key-env HELLO_KEY",
		Args:    maxRepositories(1),
	}
	key.register(c.Flags(), "instead of the standard input")
	c.Flags().BoolVar(&plain, "file", false, "keep it in a file that only you can read, even where there is a keyring")
	c.RunE = func(_ *cobra.Command, args []string) error { return runKeySet(s, &key, plain, args) }
	return c
}

func newKeyLs(s Streams) *cobra.Command {
	c := &cobra.Command{
		Use:     "ls",
		Short:   "list the repositories whose keys are remembered",
		Example: "  drone key ls\n  drone key ls --output json",
		Args:    maxArgs(0),
	}
	output := addOutput(c.Flags(), "output", "text", "json")
	c.RunE = func(*cobra.Command, []string) error { return runKeyLs(s, output.value) }
	return c
}

func newKeyRm(s Streams) *cobra.Command {
	c := &cobra.Command{
		Use:     "rm [OWNER/NAME]",
		Short:   "forget the key of a repository",
		Long:    "rm forgets the key of a repository (default: that of the git remote).",
		Example: "  drone key rm octo/hello",
		Args:    maxRepositories(1),

		ValidArgsFunction: completeKeys(s),
	}
	c.RunE = func(_ *cobra.Command, args []string) error { return runKeyRm(s, args) }
	return c
}

// maxRepositories is maxArgs for commands that take repositories.
func maxRepositories(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) <= n {
			return nil
		}
		return usage(fmt.Errorf("%s takes one repository, got %d", c.CommandPath(), len(args)), "see `"+c.CommandPath()+" --help`")
	}
}

// keyStore is where keys are remembered.
func keyStore(s Streams) (*keystore.Store, error) {
	dir, err := userConfigDir(s)
	if err != nil {
		return nil, usage(errors.New("neither XDG_CONFIG_HOME nor a home directory is known, so no key is remembered"), "name the key with --key-file FILE or --key-env NAME")
	}
	return keystore.In(dir, systemKeyring(s, keystore.KeyService)), nil
}

// userConfigDir is the folder for the configuration of the user by the XDG
// conventions, which take an absolute path only, on Windows and macOS by theirs.
func userConfigDir(s Streams) (string, error) {
	if dir := s.getenv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return dir, nil
	}
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return os.UserConfigDir()
	}
	// That fails where XDG_CONFIG_HOME is relative.
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".config"), err
}

// systemKeyring is the keyring, nil where there is none. It is asked for only
// where the session of the user has a bus to ask over: to ask without one could
// start one, which would stay.
func systemKeyring(s Streams, service string) keystore.Keyring {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" || s.getenv("DBUS_SESSION_BUS_ADDRESS") != "" {
		return keystore.System{Service: service}
	}
	for _, dir := range []string{s.getenv("XDG_RUNTIME_DIR"), fmt.Sprintf("/run/user/%d", os.Getuid())} {
		if filepath.IsAbs(dir) && exists(filepath.Join(dir, "bus")) {
			return keystore.System{Service: service}
		}
	}
	return nil
}

// repositoryOf gives the repository that the argument names, else that of the
// git remote.
func repositoryOf(named string) (string, error) {
	if named != "" {
		if isKey(named) {
			return "", usage(errors.New("OWNER/NAME is wanted, and what was given looks like the key itself"), hintArgv)
		}
		if !isSlug(named) {
			return "", usage(fmt.Errorf("%q is no repository", named), "write OWNER/NAME")
		}
		return named, nil
	}
	if slug := facts.Read(".").Remote.Slug; slug != "" {
		return slug, nil
	}
	return "", usage(errors.New("the repository is not known: git has no remote that names it"), "name it, as OWNER/NAME")
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

func runKeySet(s Streams, flags *keyFlags, plain bool, args []string) error {
	repository, err := repositoryOf(first(args))
	if err != nil {
		return err
	}
	key, from, err := flags.read(s)
	if err == nil && key == nil {
		key, from, err = enteredKey(s, repository)
	}
	if err == nil {
		err = checkKey(key, from)
	}
	if err != nil {
		return err
	}
	store, err := keyStore(s)
	if err != nil {
		return err
	}
	entry, why, err := store.Set(repository, string(key), plain)
	if err != nil {
		return keyStoreFailure(err)
	}
	switch {
	case why != nil:
		s.warn(fmt.Sprintf("the keyring of the system cannot be used (%v), so the key is in %s, which only you can read", why, entry.File))
	case plain:
		s.note(fmt.Sprintf("the key of %s is in %s, which only you can read", repository, entry.File))
	default:
		s.note(fmt.Sprintf("the key of %s is in the keyring of the system", repository))
	}
	return nil
}

// enteredKey reads a key from the standard input, and asks for it where that is
// a terminal, which then does not show it.
func enteredKey(s Streams, repository string) (key []byte, from string, err error) {
	if s.Dialogue {
		key, err = s.askHidden("Key of " + report.Visible(repository) + " (not shown): ")
		return key, "the key", err
	}
	key, err = io.ReadAll(io.LimitReader(s.In, maxKeyFile+1))
	if err != nil {
		return nil, "", usage(fmt.Errorf("cannot read the key: %w", cause(err)), "")
	}
	return bytes.TrimRight(key, "\r\n"), "the key", nil
}

func runKeyLs(s Streams, form string) error {
	store, err := keyStore(s)
	if err != nil {
		return err
	}
	entries, wrong := store.List()
	if form == "json" {
		if entries == nil {
			entries = []keystore.Entry{} // [] and not null
		}
		err = document.JSON(s.Out, entries)
	} else {
		err = listKeys(s, entries, wrong == nil)
	}
	if wrong != nil {
		err = keyStoreFailure(wrong)
	}
	return err
}

func listKeys(s Streams, entries []keystore.Entry, all bool) error {
	if len(entries) == 0 {
		if all {
			s.note("no key is remembered; `drone key set OWNER/NAME` remembers one")
		}
		return nil
	}
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	for _, e := range entries {
		where := "keyring"
		if e.Place == keystore.InFile {
			where = e.File
		}
		fmt.Fprintf(w, "%s\t%s\n", report.Visible(e.Repository), report.Visible(where))
	}
	return w.Flush()
}

func runKeyRm(s Streams, args []string) error {
	repository, err := repositoryOf(first(args))
	if err != nil {
		return err
	}
	store, err := keyStore(s)
	if err != nil {
		return err
	}
	err = store.Remove(repository)
	if errors.Is(err, keystore.ErrUnknown) {
		return usage(fmt.Errorf("no key is remembered for %s", repository), "`drone key ls` lists the repositories")
	}
	return keyStoreFailure(err)
}

// keyStoreFailure gives an error of the store its status and hint.
func keyStoreFailure(err error) error {
	return mistake(err, "name the key with --key-file FILE or --key-env NAME")
}

// repositoryKey gives the key that signs, verifies and encrypts for a
// repository: that of the flags, else what is remembered for the named
// repository, or for that of the git remote. hint says what else may be done
// without a key, after a semicolon.
func repositoryKey(s Streams, flags *keyFlags, named, hint string) (key []byte, from string, err error) {
	key, from, err = flags.read(s)
	if err == nil && key == nil {
		key, from, err = rememberedKey(s, named, hint)
	}
	if err == nil {
		err = checkKey(key, from)
	}
	if err != nil {
		return nil, "", err
	}
	return key, from, nil
}

// errNoKey is that nobody has told the key of the repository.
var errNoKey = errors.New("no key is named")

func rememberedKey(s Streams, named, hint string) (key []byte, from string, err error) {
	name := "name the key with --key-file FILE or --key-env NAME"
	repository, err := repositoryOf(named)
	if err != nil {
		if named != "" {
			return nil, "", err
		}
		return nil, "", usage(errNoKey, name+hint)
	}
	store, err := keyStore(s)
	if err != nil {
		return nil, "", err
	}
	text, _, err := store.Get(repository)
	switch {
	case errors.Is(err, keystore.ErrUnknown):
		return nil, "", usage(fmt.Errorf("%w, and none is remembered for %s", errNoKey, repository),
			name+", or have it remembered with `drone key set`"+hint)
	case err != nil:
		return nil, "", keyStoreFailure(err)
	}
	return []byte(text), "the key remembered for " + repository, nil
}
