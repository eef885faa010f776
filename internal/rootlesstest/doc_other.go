//go:build !linux

// Package rootlesstest starts engines without root for tests, on Linux.
package rootlesstest
