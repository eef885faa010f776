// Package sign encrypts and decrypts secret documents. It is also the room for
// signatures over configuration files: HMAC signature documents, JOSE
// signatures, and their verification, which this version does not have yet;
// signature documents are read by package manifest and have no effect.
//
// It works on bytes and keys alone: no network, no files, no flags.
package sign
