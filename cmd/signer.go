package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/drone-laptop/drone/remote"
	"github.com/drone-laptop/drone/sign"
)

// signerFlags say what makes signature documents: a key, or a server.
type signerFlags struct {
	key    keyFlags
	repo   string
	server serverFlags
}

func (f *signerFlags) register(flags *pflag.FlagSet, what string) {
	f.key.register(flags, what)
	flags.StringVar(&f.repo, "repo", "", "use the key remembered for this repository, `OWNER/NAME` (default: that of the git remote)")
	f.server.register(flags)
}

// example is how to name the repository.
func (f *signerFlags) example() string {
	if repository, err := repositoryOf(f.repo); err == nil {
		return repository
	}
	return "OWNER/NAME"
}

// withoutServer adds to an error about which server is asked that none is needed
// where the key is remembered.
func withoutServer(s Streams, repository string, err error) error {
	f, ok := errors.AsType[*failure](err)
	store, lost := keyStore(s)
	if !ok || lost != nil || !store.Has(repository) {
		return err
	}
	return usage(f.err, f.hint+"; or do it here, with the key that is remembered: --repo "+repository)
}

// words say what signs, as the user has said it. The token is not to be shown.
func (f *signerFlags) words(repository string) []string {
	words := f.key.words()
	if repository != "" {
		words = append(words, repository)
	}
	for _, flag := range []struct{ name, value string }{{"--repo", f.repo}, {"--server", f.server.server}} {
		if flag.value != "" {
			words = append(words, flag.name, flag.value)
		}
	}
	return words
}

// signCommand is how to sign files, for hints: with what the user has said of who
// signs, so that it does as it stands. flags are --save or --jose.
func signCommand(who []string, flags string, files ...string) string {
	return command("sign", who, flags, files...)
}

// command is signCommand for other commands.
func command(name string, who []string, flags string, files ...string) string {
	words := []string{"drone", name}
	for _, word := range who {
		words = append(words, shellWord(word))
	}
	words = append(words, flags)
	if !slices.Equal(files, []string{defaultFile}) {
		for _, file := range files {
			if file != "<stdin>" {
				words = append(words, shellWord(file))
			}
		}
	}
	return "`" + strings.Join(words, " ") + "`"
}

// signer makes signatures of texts: with key, or as repo on a server.
type signer struct {
	key    []byte
	server *remote.Client // nil with a key
	repo   remote.Slug
	words  []string // that say so on the command line
}

// saving is the command that signs a file.
func (b *signer) saving(name string) string { return signCommand(b.words, "--save", name) }

// signer gives what signs. repository is what the server is asked for; it is
// empty for a signature that is made here. done is to be called in the end.
func (f *signerFlags) signer(s Streams, repository string) (by *signer, done func(), err error) {
	done = func() {}
	if repository == "" {
		key, _, err := repositoryKey(s, &f.key, f.repo, "; or ask the server: name the repository, "+f.example())
		return &signer{key: key, words: f.words("")}, done, err
	}
	if f.key.given() || f.repo != "" {
		flag := "--key-file and --key-env sign"
		if f.repo != "" {
			flag = "--repo signs"
		}
		return nil, nil, usage(fmt.Errorf("%s here, and %s is for asking the server", flag, repository), "leave out one of both")
	}
	repo, err := remote.ParseSlug(repository)
	if err != nil {
		return nil, nil, usage(err, "")
	}
	client, err := f.server.client(s)
	if err != nil {
		return nil, nil, withoutServer(s, repository, err)
	}
	return &signer{server: client, repo: repo, words: f.words(repository)}, client.Close, nil
}

// keyless reports a signer that has nothing to sign with, and makes the empty
// signature, which no text has.
func (b *signer) keyless() bool { return b.server == nil && b.key == nil }

// sign makes the signature of the text of a file.
func (b *signer) sign(ctx context.Context, name string, text *sign.Text, source []byte) (string, error) {
	switch {
	case b.keyless():
		return "", nil
	case b.server == nil:
		return text.HMAC(b.key)
	}
	hmac, err := b.server.Sign(ctx, b.repo, source)
	if errors.Is(err, remote.ErrNotUTF8) {
		return "", usage(fmt.Errorf("%s: %w", name, err), "save it as UTF-8")
	}
	if err != nil {
		return "", remoteFailure(err, b.repo)
	}
	return hmac, nil
}
