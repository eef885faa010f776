// Package remote is the room for the client of a Drone server: builds,
// repositories, secrets, logs and streams of events, with a context first and
// errors typed by status. It will neither print nor read flags.
//
// It is empty in this version: nothing here talks to a server.
package remote
