package compile

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/drone-laptop/drone/manifest"
)

// ChangedFiles are the files that differ between a base commit and what is
// built, for the conditions `paths` and `changeset`.
type ChangedFiles struct {
	// Base names the base for people: "main@1a2b3c4", "HEAD~1@1a2b3c4".
	Base string
	// Commit is the full id of the base, "" when that is the empty tree.
	Commit string
	// Files are sorted paths from the top of the repository, with slashes. A
	// file that was renamed is there under both names.
	Files []string
	// Uncommitted says that changes of the working tree are among the Files.
	Uncommitted bool
	// Unknown says why the files are not known; all else is then empty.
	Unknown string
}

// UsesChangedFiles reports whether a plan of the file depends on
// Build.Changed, so that nobody has to look for changed files in vain.
func UsesChangedFiles(name string, source []byte) bool {
	if !bytes.Contains(source, []byte("paths")) && !bytes.Contains(source, []byte("changeset")) {
		return false
	}
	file, _ := manifest.Parse(name, source, nil)
	return slices.ContainsFunc(file.Pipelines(), asksForFiles)
}

func asksForFiles(p *manifest.Pipeline) bool {
	if len(fileConditions(&p.Trigger)) > 0 {
		return true
	}
	return slices.ContainsFunc(slices.Concat(p.Services, p.Steps), func(s *manifest.Step) bool { return len(fileConditions(&s.When)) > 0 })
}

// fileConditions are the conditions that are compared with the changed files
// and restrict anything.
func fileConditions(c *manifest.Conditions) []manifest.Condition {
	var out []manifest.Condition
	for _, one := range [...]*manifest.Condition{&c.Paths, &c.Changeset} {
		if one.Restricts() {
			out = append(out, *one)
		}
	}
	return out
}

// unknown says why the files are not known, "" when they are.
func (f *ChangedFiles) unknown() string {
	if f == nil {
		return "nobody looked for the changed files"
	}
	return f.Unknown
}

// match compares a condition with the changed files as the extensions of the
// server do: a file counts when no exclude pattern matches it and an include
// pattern does, or there is none; one file that counts is enough. note is what
// to say when the condition holds, why when it does not.
//
// What is not known counts as met: what runs in vain is seen, what is left out
// is not. Where nothing changed, `paths` is met and `changeset` is not, each as
// its extension decides.
func (f *ChangedFiles) match(what string, c manifest.Condition) (ok bool, note, why string) {
	name := what + "." + c.Key.Value
	if reason := f.unknown(); reason != "" {
		return true, fmt.Sprintf("%s counts as met: %s", name, reason), ""
	}
	if len(f.Files) == 0 && c.Key.Value == "paths" {
		return true, fmt.Sprintf("%s counts as met: nothing changed since %s", name, f.Base), ""
	}
	for _, file := range f.Files {
		if Matches(&c, file) {
			return true, fmt.Sprintf("%s matches %s, base %s", name, file, f.Base), ""
		}
	}
	return false, "", fmt.Sprintf("%s, base %s", f.mismatch(name, c), f.Base)
}

// mismatch says what was compared in vain.
func (f *ChangedFiles) mismatch(name string, c manifest.Condition) string {
	if len(c.Include) == 0 {
		return fmt.Sprintf("%s excludes [%s], %s", name, join(c.Exclude), f.count("no file changed", "which matches the only changed file %s", "which matches all %d changed files"))
	}
	wanted := fmt.Sprintf("%s is [%s]", name, join(c.Include))
	if len(c.Exclude) > 0 {
		wanted += fmt.Sprintf(" without [%s]", join(c.Exclude))
	}
	return wanted + ", " + f.count("no file changed", "the only changed file %s does not match", "none of %d changed files matches")
}

// count picks the words for no, one, and several files.
func (f *ChangedFiles) count(none, one, several string) string {
	switch len(f.Files) {
	case 0:
		return none
	case 1:
		return fmt.Sprintf(one, f.Files[0])
	}
	return fmt.Sprintf(several, len(f.Files))
}

// checkChanges warns of conditions that cannot be decided, when something
// depends on them, and of patterns that match nothing.
func (b *builder) checkChanges(e element, what string, conditions *manifest.Conditions, decides bool) {
	for _, c := range fileConditions(conditions) {
		name := what + "." + c.Key.Value
		if reason := b.c.opts.Build.Changed.unknown(); decides && reason != "" {
			b.warn(e, "unknown-changes", c.Key.Span,
				fmt.Sprintf("%s cannot be decided and counts as met: %s", name, reason), "name a commit to compare with: --base REF")
		}
		for _, list := range [][]manifest.String{c.Include, c.Exclude} {
			for _, p := range list {
				b.checkPattern(e, name, p)
			}
		}
	}
}

// checkPattern warns of forms that have a meaning elsewhere and match nothing
// here.
func (b *builder) checkPattern(e element, name string, p manifest.String) {
	plain := strings.TrimLeft(strings.TrimPrefix(p.Value, "./"), "/")
	fault, hint := "", ""
	switch {
	case strings.HasPrefix(p.Value, "!"):
		fault, hint = "begins with `!`, which has no special meaning", fmt.Sprintf("write %q under exclude", p.Value[1:])
	case strings.HasSuffix(p.Value, "/"):
		fault, hint = "names a folder, but only files are compared", fmt.Sprintf("write %q for all files in it", plain+"**")
	case plain != p.Value:
		fault, hint = "begins like no path in the repository", fmt.Sprintf("paths are counted from its top: write %q", plain)
	default:
		return
	}
	b.warn(e, "path-pattern", p.Span, fmt.Sprintf("the pattern %q of %s %s", p.Value, name, fault), hint)
}
