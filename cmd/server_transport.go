package cmd

import "github.com/drone-laptop/drone/remote"

// transport says how the server is reached.
func (f *serverFlags) transport(s Streams, a access, o *remote.Options) error {
	skip, err := boolVar(s, skipVerifyVar)
	o.SkipVerify = f.skipVerify || skip
	return err
}
