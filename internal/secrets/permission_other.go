//go:build !unix

package secrets

// permissionNote knows nothing here: access is not a matter of mode bits.
func permissionNote(string) string { return "" }
