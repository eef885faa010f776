//go:build !linux

// Package dockerdtest starts Docker daemons for tests, on Linux.
package dockerdtest
