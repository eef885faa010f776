package compile

import (
	"fmt"
	"strings"
)

// SkipDirective says why a server would drop the hook of this build instead of
// building it: its message or title says so (reference §11.1). It is "" for a
// build that a server would have; only pushes and pull requests can be skipped.
func (b Build) SkipDirective() string {
	message := "commit message"
	switch b.Event {
	case "push":
	case "pull_request":
		message = "description"
	default:
		return ""
	}
	for _, text := range []struct{ name, value string }{{"title", b.Title}, {message, b.Message}} {
		if found := skipWord(text.value); found != "" {
			return fmt.Sprintf("the %s contains %q", text.name, found)
		}
	}
	return ""
}

// skipWord is the directive in a text, whatever its case there, in small letters.
func skipWord(text string) string {
	lower := strings.ToLower(text)
	for _, word := range []string{"[ci skip]", "[skip ci]", "***no_ci***"} {
		if strings.Contains(lower, word) {
			return word
		}
	}
	return ""
}
