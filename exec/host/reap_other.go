//go:build !unix

package host

// Kill has nothing to do where no step runs.
func Kill(string) (killed int, left []int) { return 0, nil }
