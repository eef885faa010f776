package compile

import (
	"fmt"
	"strings"

	"github.com/agext/levenshtein"
)

// UnknownNameError is a name given by the user that the file does not have.
type UnknownNameError struct {
	What    string   // "pipeline" or "step"
	Name    string   // as given
	Known   []string // what there is, in file order
	Closest string   // "" when nothing is close
}

func (e *UnknownNameError) Error() string {
	return fmt.Sprintf("no %s named %q", e.What, e.Name)
}

// closest returns the known name that is most likely meant, or "" when none is
// near: one third of the letters may differ, two in short names.
func closest(name string, known []string) string {
	best, least := "", max(2, len(name)/3)+1
	lower := strings.ToLower(name)
	for _, k := range known {
		if d := len(k) - len(name); d >= least || -d >= least || k == "" {
			continue
		}
		if d := levenshtein.Distance(lower, strings.ToLower(k), nil); d < least && d < len(k) {
			best, least = k, d
		}
	}
	return best
}

// didYouMean is a hint made of the closest name, or the fallback.
func didYouMean(name string, known []string, fallback string) string {
	if c := closest(name, known); c != "" {
		return fmt.Sprintf("did you mean %q?", c)
	}
	return fallback
}
