// Package watch turns a build of a server into the events of a run, so that
// whatever shows runs shows builds, too.
//
// A Fold is the pure part: it takes what a server says of a build, in any order
// and as often as it likes, and gives events. A Follower asks a server for all that
// a Fold needs: the build again and again, since the streams of a server leave
// much out (reference §3.2), the stream of events to hear of changes at once,
// the log of each step from its stream while it runs, and the end of it from what
// the server has stored (§3.3).
//
// A Book keeps the logs of a build for who looks at one after the other, and a List
// has the builds of a repository.
//
// It neither prints nor reads flags or the environment.
package watch
