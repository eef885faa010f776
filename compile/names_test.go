package compile

import "testing"

func TestClosest(t *testing.T) {
	known := []string{"test", "build-linux-amd64", "deploy", "", "a"}
	for name, want := range map[string]string{
		"tests": "test", "TEST": "test", "tset": "test", "build-linux-arm64": "build-linux-amd64", "depoly": "deploy",
		"unrelated": "", "b": "", "": "", "zzzz": "",
	} {
		if got := closest(name, known); got != want {
			t.Errorf("closest(%q) = %q, want %q", name, got, want)
		}
	}
}
