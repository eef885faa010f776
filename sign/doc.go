// Package sign makes and checks the signatures of configuration files, and
// encrypts and decrypts secret documents. A signature is a document of kind
// signature, an HMAC over the other documents as a server reads them (Text), or
// one of JOSE over the bytes of the file, in a file of its own.
//
// It works on bytes and keys alone: no network, no files, no flags. No error of
// it has any part of a key.
package sign
