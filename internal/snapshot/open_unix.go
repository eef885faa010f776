//go:build unix

package snapshot

import "golang.org/x/sys/unix"

// dontWait keeps opening a file from waiting, and from following a link.
const dontWait = unix.O_NONBLOCK | unix.O_NOFOLLOW
