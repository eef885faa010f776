// Package host is the room for the engine that runs pipelines of `type: exec`
// as processes of this machine (reference §3), after the user agreed to that.
//
// It is empty in this version: package compile leaves such pipelines out of
// the plan and says so.
package host
