// Package dirlock keeps processes from changing the files of a directory at the
// same time: who reads a file, changes it and writes it holds the lock meanwhile.
// It keeps out nobody who does not ask for it.
package dirlock
