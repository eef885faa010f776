//go:build !unix

package dirlock

// Hold holds nothing: the last of two writers wins.
func Hold(string) (release func(), err error) { return func() {}, nil }
