package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/drone-laptop/drone/internal/facts"
	"github.com/drone-laptop/drone/sign"
)

// lookingBack bounds how long the history of a file is looked through.
const lookingBack = 3 * time.Second

// past is what git knows of a file whose signature is not valid.
type past struct {
	last   *facts.Version // the one at HEAD
	signed *facts.Version // the one that the signature is for
	valid  *facts.Version // the last one that was signed with the key
	since  *facts.Version // the first one that has the signature
	same   bool           // since is what is signed now
}

// explain looks in git for what the signature is for. From the signature alone
// nobody can tell whether the text or the key is another; where an earlier text
// fits, it is the text. Without a key, as a server signs, only the last change
// is looked for.
func (v *verdict) explain(ctx context.Context, by *signer, text *sign.Text, source []byte) {
	key, hintSign := by.key, "sign it with "+by.saving(v.File)
	ctx, cancel := context.WithTimeout(ctx, lookingBack)
	defer cancel()
	p := pastOf(ctx, key, v.File, text)
	if p.last == nil {
		if key != nil {
			v.Hint = "if the key is right, " + v.Hint
		}
		return
	}
	v.Changed = &commitView{p.last.Commit, p.last.When.UTC()}
	v.Uncommitted = !sameLines(p.last.Text, source)
	changed := "the file last changed in " + describe(p.last)
	if v.Uncommitted {
		changed = "the file has changes that are not committed"
	}
	switch {
	case p.signed != nil:
		v.Status, v.Signed = signatureStale, &commitView{p.signed.Commit, p.signed.When.UTC()}
		v.Message = fmt.Sprintf("%s:%d: the file has changed since it was signed: the signature is for that of %s; %s", v.File, v.Line, describe(p.signed), changed)
		v.Hint = fmt.Sprintf("`git diff %s -- %s` shows the change; then %s", p.signed.Commit[:shortCommit], shellWord(v.File), hintSign)
	case key != nil && p.since != nil && p.same:
		v.Message += fmt.Sprintf("; what is signed has not changed since the signature was committed in %s, so it is probably the key", describe(p.since))
		v.Hint = "check the key; if it is right, " + hintSign
	case p.valid != nil:
		v.Message += fmt.Sprintf("; that of %s is valid with this key, so the key is right; %s", describe(p.valid), changed)
		v.Hint = fmt.Sprintf("`git diff %s -- %s` shows what has changed since; then %s", p.valid.Commit[:shortCommit], shellWord(v.File), hintSign)
	default:
		v.Message += "; " + changed
		if key != nil {
			v.Hint = "if the key is right, " + v.Hint
		}
	}
}

// doubtKey warns of a key with which the file as it was committed is not signed,
// though it is signed: it may be that of another repository.
func doubtKey(ctx context.Context, s Streams, key []byte, name string) {
	err := facts.Read(filepath.Dir(name)).Versions(ctx, name, func(version facts.Version) bool {
		then, err := sign.Parse(version.Text)
		if err == nil && errors.Is(then.Verify(key), sign.ErrMismatch) {
			s.warn(fmt.Sprintf("%s: the signature that is committed is not valid with this key, either: is it the key of this repository?", name))
		}
		return false
	})
	if err != nil {
		s.note(err.Error() + ", so nobody can tell whether the key fits")
	}
}

// pastOf looks through the history of a file.
func pastOf(ctx context.Context, key []byte, path string, text *sign.Text) (p past) {
	own := text.Signatures()[0].HMAC
	still := true // all versions so far have the signature
	err := facts.Read(filepath.Dir(path)).Versions(ctx, path, func(version facts.Version) bool {
		if p.last == nil {
			p.last = &version
		}
		then, err := sign.Parse(version.Text)
		if key == nil || err != nil {
			return key != nil
		}
		if hmac, err := then.HMAC(key); err == nil && text.Index(hmac) == 1 {
			p.signed = &version
			return false
		}
		if p.valid == nil && then.Verify(key) == nil {
			p.valid = &version
		}
		if still = still && len(then.Signatures()) > 0 && then.Index(own) == 1; still {
			p.since, p.same = &version, bytes.Equal(then.Message(), text.Message())
		}
		return true
	})
	if err != nil {
		return past{}
	}
	return p
}

// shortCommit is how much of a commit people need.
const shortCommit = 7

func describe(v *facts.Version) string {
	return fmt.Sprintf("commit %s of %s", v.Commit[:shortCommit], v.When.Format(time.DateOnly))
}

// sameLines reports whether two texts differ in line ends at most, which git may
// have changed.
func sameLines(a, b []byte) bool {
	plain := func(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")) }
	return bytes.Equal(plain(a), plain(b))
}
