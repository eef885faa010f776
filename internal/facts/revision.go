package facts

// Revision gives the commit that a revision names, as git understands it: HEAD, a
// branch, the beginning of a hash. It reports false where there is none.
func (t *Tree) Revision(revision string) (hash string, ok bool) {
	c, ok := t.commit(revision)
	return c.Hash, ok
}
