package cmd

import (
	"cmp"

	"github.com/drone-laptop/drone/remote"
)

// transport says how the server is reached: with what the flags name, else the
// login or the environment.
func (f *serverFlags) transport(s Streams, a access, o *remote.Options) error {
	skip, err := boolVar(s, skipVerifyVar)
	if err != nil {
		return err
	}
	off, err := boolVar(s, socksOffVar)
	if err != nil {
		return err
	}
	o.SkipVerify = f.skipVerify || skip
	o.CAFile = cmp.Or(f.caFile, a.profile.CAFile)
	if o.CertFile, o.KeyFile = f.cert, f.key; f.cert == "" && f.key == "" {
		o.CertFile, o.KeyFile = a.profile.ClientCert, a.profile.ClientKey
	}
	if o.SOCKS = f.socks; f.socks == "" && !f.socksOff && !off {
		o.SOCKS = s.getenv(socksVar)
	}
	return nil
}
