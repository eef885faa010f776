package docker

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/network"
)

// HeldError is why a network cannot be removed: something is connected to it.
type HeldError struct {
	Network string
	// By names the containers that are.
	By []string
	// Lost says that there has been none for a while, and the engine still
	// counts one. It does so until it is restarted.
	Lost bool

	err error // of the engine
}

func (h *HeldError) Error() string {
	switch {
	case h.Lost:
		return "nothing is connected to it, but the engine has lost count and says that something is"
	case len(h.By) > 0:
		return "containers are connected to it: " + strings.Join(h.By, ", ")
	}
	return oneLine(h.err)
}

// Unwrap is what the engine says.
func (h *HeldError) Unwrap() error { return h.err }

// ByOwn reports whether it is nothing but containers that were made for the same
// pipeline.
func (h *HeldError) ByOwn() bool {
	foreign := func(name string) bool { return !strings.HasPrefix(name, h.Network+"-") }
	return len(h.By) > 0 && !slices.ContainsFunc(h.By, foreign)
}

// Hint says what to do about it, or nothing.
func (h *HeldError) Hint() string {
	switch {
	case h.Lost:
		return "restart the engine, as with `sudo systemctl restart docker`, and `drone clean` can remove the network"
	case len(h.By) > 0:
		return "`docker network disconnect -f " + h.Network + " " + h.By[0] + "`, and `drone clean` can remove the network"
	}
	return ""
}

// lostTime is how long nothing may be connected to a network that the engine does
// not remove since something is, before that counts as an error of the engine: it
// counts what is just being disconnected, too.
const lostTime = 2 * time.Second

// holders finds out what keeps a network from being removed. It is for one removal.
type holders struct {
	engine  *Engine
	network string
	since   time.Time // when nothing was connected for the first time
}

// explain makes a *HeldError of the refusal of an engine to remove the network.
func (h *holders) explain(ctx context.Context, refused error) error {
	if refused == nil || !connected(refused) {
		return refused
	}
	found, err := h.engine.client.NetworkInspect(ctx, h.network, network.InspectOptions{})
	if err != nil {
		return refused
	}
	held := &HeldError{Network: h.network, err: refused}
	for id, endpoint := range found.Containers {
		name := endpoint.Name
		if name == "" {
			name = id
		}
		held.By = append(held.By, name)
	}
	slices.Sort(held.By)
	switch {
	case len(held.By) > 0:
		h.since = time.Time{}
	case h.since.IsZero():
		h.since = time.Now()
	default:
		held.Lost = time.Since(h.since) >= lostTime
	}
	return held
}

// connected reports whether an engine has refused to remove a network because
// something is connected to it.
func connected(err error) bool { return strings.Contains(err.Error(), "has active endpoints") }
