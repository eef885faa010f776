package exec

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// maskText replaces what must not be seen.
	maskText = "******"
	// minSecret is the length in characters from which a part of a secret is
	// masked. Shorter ones would blank out half of every log.
	minSecret = 3
	// gramLen is how many bytes of a text are looked at to tell that no
	// secret begins there. No part is shorter.
	gramLen = minSecret
)

// masker replaces the parts of secrets in texts. A part is one line of a
// secret's value without the space around it. The zero value and nil mask
// nothing. It is read only, so safe for concurrent use.
type masker struct {
	// parts are grouped by their first bytes, longest first.
	parts map[[gramLen]byte][][]byte
	// grams has a bit set for the hash of each key of parts: most places of
	// most texts are dismissed by one look.
	grams   [1 << (16 - 6)]uint64
	longest int
}

// newMasker makes a masker for the values of secrets, by name. weak lists, in
// order, the names of those which have text but no part long enough.
func newMasker(values map[string]string) (m *masker, weak []string) {
	m = &masker{parts: make(map[[gramLen]byte][][]byte)}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		masked, any := false, false
		for _, part := range secretParts(values[name]) {
			any = true
			if utf8.RuneCountInString(part) >= minSecret {
				m.add([]byte(part))
				masked = true
			}
		}
		if any && !masked {
			weak = append(weak, name)
		}
	}
	for key, parts := range m.parts {
		slices.SortFunc(parts, func(a, b []byte) int {
			return cmp.Or(cmp.Compare(len(b), len(a)), bytes.Compare(a, b))
		})
		m.parts[key] = slices.CompactFunc(parts, bytes.Equal)
	}
	return m, weak
}

// secretParts cuts a value into its lines, without those that are blank.
func secretParts(value string) []string {
	var parts []string
	for _, line := range strings.FieldsFunc(value, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if line = strings.TrimSpace(line); line != "" {
			parts = append(parts, line)
		}
	}
	return parts
}

func (m *masker) add(part []byte) {
	key := [gramLen]byte(part)
	m.parts[key] = append(m.parts[key], part)
	h := gramHash(part[0], part[1], part[2])
	m.grams[h>>6] |= 1 << (h & 63)
	m.longest = max(m.longest, len(part))
}

func gramHash(a, b, c byte) uint32 {
	return (uint32(a) | uint32(b)<<8 | uint32(c)<<16) * 0x9E3779B1 >> 16
}

// next finds the first stretch of text from position from on that parts cover.
// Parts that overlap make one stretch, so no rest of a secret is left over
// when two share some characters; parts that only touch make two. Only parts
// that begin before limit are looked for. There is none when start < 0.
func (m *masker) next(text []byte, from, limit int) (start, end int) {
	start = -1
	for i := from; i+gramLen <= len(text) && i < limit; i++ {
		if start >= 0 && i >= end {
			break
		}
		h := gramHash(text[i], text[i+1], text[i+2])
		if m.grams[h>>6]&(1<<(h&63)) == 0 {
			continue
		}
		if n := m.match(text[i:]); n > 0 {
			if start < 0 {
				start, end = i, i
			}
			end = max(end, i+n)
		}
	}
	return start, end
}

// match gives the length of the longest part that text begins with.
func (m *masker) match(text []byte) int {
	for _, part := range m.parts[[gramLen]byte(text)] {
		if bytes.HasPrefix(text, part) {
			return len(part)
		}
	}
	return 0
}

// mask gives text with every part of a secret replaced. Text without any is
// returned itself. It may have many lines, as no part has more than one.
func (m *masker) mask(text []byte) []byte {
	if m == nil || m.longest == 0 {
		return text
	}
	start, end := m.next(text, 0, len(text))
	if start < 0 {
		return text
	}
	masked, at := make([]byte, 0, len(text)+64), 0
	for start >= 0 {
		masked = append(append(masked, text[at:start]...), maskText...)
		at = end
		start, end = m.next(text, at, len(text))
	}
	return append(masked, text[at:]...)
}

func (m *masker) maskString(text string) string {
	if m == nil || m.longest == 0 || text == "" {
		return text
	}
	return string(m.mask([]byte(text)))
}

// reach is how many bytes after a place must be known to tell that no secret
// that begins before it goes on after it.
func (m *masker) reach() int {
	if m == nil {
		return 0
	}
	return m.longest
}

// cut gives the place nearest to at where text can be cut without cutting a
// secret: before the one that lies across at, or after it when the text begins
// with it. It looks at reach bytes behind at and no more.
func (m *masker) cut(text []byte, at int) int {
	if m == nil || m.longest == 0 {
		return at
	}
	for from := 0; ; {
		start, end := m.next(text, from, at)
		switch {
		case start < 0, end == at:
			return at
		case end < at:
			from = end
		case start > 0:
			return start
		default:
			return end
		}
	}
}
