//go:build !linux

package vigil

// rename and forget are not possible here.

func rename() {}
func forget() {}
