// Package remote is the client of a Drone server: it has the server sign files
// and encrypt secrets. It is also the room for all else that a server can be
// asked for, builds, repositories, secrets, logs and streams of events.
//
// Every call takes a context first, and its errors are typed: a *StatusError is
// what the server answered, an *UnreachableError that no server did. It neither
// prints nor reads flags or the environment, and no error of it has a token.
//
// A Client may be used concurrently.
package remote
