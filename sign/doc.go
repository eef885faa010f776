// Package sign is the room for signatures over configuration files: HMAC
// signature documents, JOSE signatures, their verification, and encrypted
// secrets. It will work on bytes and keys alone: no network, no files, no
// flags.
//
// It is empty in this version. Signature documents are read by package
// manifest and have no effect.
package sign
