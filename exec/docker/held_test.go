package docker

import (
	"errors"
	"testing"
)

// TestHeldIsTriedAgain: what is connected to a network may go, unless it is
// nothing.
func TestHeldIsTriedAgain(t *testing.T) {
	refused := errors.New("network n has active endpoints")
	for _, tc := range []struct {
		err  error
		want bool
	}{
		{refused, true},
		{&HeldError{Network: "n", err: refused}, true},
		{&HeldError{Network: "n", By: []string{"n-abcdef"}, err: refused}, true},
		{&HeldError{Network: "n", Lost: true, err: refused}, false},
	} {
		if got := busy(tc.err); got != tc.want {
			t.Errorf("%q: %v, want %v", tc.err, got, tc.want)
		}
	}
}
