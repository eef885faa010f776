//go:build !unix

package rundir

import "io/fs"

// private cannot tell: who may write is not a matter of modes here. What
// matters is that directories of temporary files are the user's own.
func private(fs.FileInfo) bool { return true }
