//go:build !linux && !darwin && !windows

package owner

// Nothing is known here, so nothing is ever taken for dead.

func bootID() string       { return "" }
func machineID() string    { return "" }
func pidNamespace() string { return "" }

func lookUp(int) (existence, string) { return hidden, "" }
