//go:build unix

package secrets

import "os"

// permissionNote tells when other users of the machine can read a file.
func permissionNote(path string) string {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o004 == 0 {
		return ""
	}
	return path + " can be read by every user of this machine; chmod 600 keeps it private"
}
