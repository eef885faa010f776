// Package sign makes and checks JOSE signatures of configuration files, and
// encrypts and decrypts secret documents. It is also the room for HMAC signature
// documents, which this version does not have yet.
//
// It works on bytes and keys alone: no network, no files, no flags. No error of
// it has any part of a key.
package sign
