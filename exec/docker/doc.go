// Package docker runs the steps of a pipeline in containers of a Docker
// engine, or of one that speaks its API.
//
// It turns what a plan says into containers, networks and volumes, delivers
// every byte a step prints, explains what the engine refuses, and removes
// what it made. It decides nothing about order, policy or results, and it
// masks nothing: output passes through as the containers print it.
//
// Every object carries labels that name the run and its owner (see the Label
// constants), so that what a dead run left can be found.
package docker
