// Package remote is the client of a Drone server: all that its API offers to
// users, and the streams of events and of logs. It also speaks to the autoscaler,
// which is another service with another address.
//
// Every call takes a context first, and its errors are typed: a *StatusError is
// what the server answered, an *UnreachableError that no server did, and
// ErrNothingStarted one that has started no build. The package neither prints nor
// reads flags or the environment, and no error of it has a token.
//
// A call that changes nothing is made again when a connection breaks or the server
// has no time; Options.Trace is told of it. Nothing is ever sent to where a server
// redirects to, for that would give the token away.
//
// Methods are named noun first, so that those about one thing stand together.
// List methods give all that there is, All methods go through pages.
//
// A Client may be used concurrently.
package remote
