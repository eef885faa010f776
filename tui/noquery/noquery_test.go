package noquery

import (
	"os"
	"testing"
)

// TestTheCallersVariableComesBack also when it is not set, or empty.
func TestTheCallersVariableComesBack(t *testing.T) {
	t.Cleanup(func() { callers = setting{} })
	for name, tc := range map[string]struct {
		caller  setting
		pretend string
	}{
		"not set": {setting{}, "true"},
		"empty":   {setting{"", true}, "true"},
		"set":     {setting{"woodpecker", true}, "woodpecker"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(variable, tc.caller.value) // also puts back what was there
			if !tc.caller.set {
				os.Unsetenv(variable)
			}
			callers = pretend()
			if got := os.Getenv(variable); got != tc.pretend {
				t.Errorf("while loading it is %q, want %q", got, tc.pretend)
			}
			Restore()
			if value, set := os.LookupEnv(variable); value != tc.caller.value || set != tc.caller.set {
				t.Errorf("afterwards it is %q, set: %v", value, set)
			}
		})
	}
}
