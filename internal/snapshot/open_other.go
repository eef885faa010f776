//go:build !unix

package snapshot

// dontWait is for systems on which opening a file never waits.
const dontWait = 0
