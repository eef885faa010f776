package exec

import (
	"bytes"
	"testing"
)

// TestMaskingCostsNothing says that nothing is allocated to find that a text has
// no secret in it.
func TestMaskingCostsNothing(t *testing.T) {
	m, _ := newMasker(map[string]string{"token": "ghp_abcdefghijklmnop", "other": "0123456789abcdef"})
	text := bytes.Repeat([]byte("go: downloading example.com/some/module v1.2.3\n"), 1000)
	if n := testing.AllocsPerRun(20, func() { m.mask(text) }); n > 0 {
		t.Errorf("a text without secrets costs %.0f objects", n)
	}
}

// TestSplittingCostsItsText says that a write costs the same however many lines
// it has: the text that is kept, and the batch that carries it.
func TestSplittingCostsItsText(t *testing.T) {
	m, _ := newMasker(map[string]string{"token": "ghp_abcdefghijklmnop"})
	for _, lines := range []int{1, 100, 10_000} {
		text := bytes.Repeat([]byte("x\n"), lines)
		w := &lineWriter{mask: m, max: maxLine, send: func([]stretch) error { return nil }}
		if n := testing.AllocsPerRun(20, func() { _, _ = w.Write(text) }); n > 2 {
			t.Errorf("a write of %d lines costs %.0f objects", lines, n)
		}
	}
}
