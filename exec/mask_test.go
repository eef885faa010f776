package exec

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestMask(t *testing.T) {
	cases := map[string]struct {
		secrets []string
		text    string
		want    string
		weak    int
	}{
		"none":                    {nil, "text", "text", 0},
		"one":                     {[]string{"secret"}, "a secret here", "a ****** here", 0},
		"whole":                   {[]string{"secret"}, "secret", "******", 0},
		"inside a word":           {[]string{"secret"}, "xsecrety", "x******y", 0},
		"twice":                   {[]string{"secret"}, "secret secret", "****** ******", 0},
		"next to each other":      {[]string{"secret"}, "secretsecret", "************", 0},
		"no part of it":           {[]string{"secret"}, "secre ecret", "secre ecret", 0},
		"case counts":             {[]string{"secret"}, "Secret", "Secret", 0},
		"encoded":                 {[]string{"secret"}, "c2VjcmV0 terces s e c r e t", "c2VjcmV0 terces s e c r e t", 0},
		"lines":                   {[]string{"one line\ntwo line\r\nthree line"}, "a three line, two line", "a ******, ******", 0},
		"space around is no part": {[]string{"  \tsecret \n\n"}, "(secret)", "(******)", 0},
		"space inside is":         {[]string{"a b"}, "a b ab", "****** ab", 0},
		"the longest wins":        {[]string{"secret", "secret-long"}, "secret-long secret-lon", "****** ******-lon", 0},
		"one within another":      {[]string{"postgres://u:pass@db", "pass"}, "postgres://u:pass@db pass", "****** ******", 0},
		"overlap leaves no rest":  {[]string{"abcd", "cdef"}, "xabcdefx", "x******x", 0},
		"chain of overlaps":       {[]string{"abc", "cde", "efg"}, "abcdefgh", "******h", 0},
		"overlap with itself":     {[]string{"aba"}, "ababa", "******", 0},
		"two characters":          {[]string{"ab"}, "ab", "ab", 1},
		"three characters":        {[]string{"abc"}, "abc", "******", 0},
		"two wide characters":     {[]string{"世界"}, "世界", "世界", 1},
		"three wide characters":   {[]string{"世界人"}, "世界人", "******", 0},
		"short line of a secret":  {[]string{"ab\nlong enough"}, "ab long enough", "ab ******", 0},
		"empty":                   {[]string{""}, "text", "text", 0},
		"blank":                   {[]string{" \n "}, "a \n b", "a \n b", 0},
		"invalid text":            {[]string{"\xff\xfe\xfd"}, "a\xff\xfe\xfdb", "a******b", 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			values := make(map[string]string)
			for i, s := range tc.secrets {
				values[fmt.Sprintf("s%d", i)] = s
			}
			m, weak := newMasker(values)
			if got := m.maskString(tc.text); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			if len(weak) != tc.weak {
				t.Errorf("weak are %q, want %d", weak, tc.weak)
			}
		})
	}
}

func TestMaskNamesWeakSecretsInOrder(t *testing.T) {
	_, weak := newMasker(map[string]string{"z": "1", "a": "x\ny", "m": "", "ok": "long", "b": "12"})
	if diff := cmp.Diff([]string{"a", "b", "z"}, weak); diff != "" {
		t.Error(diff)
	}
}

func TestNilMaskerMasksNothing(t *testing.T) {
	var m *masker
	if got := m.maskString("text"); got != "text" {
		t.Errorf("got %q", got)
	}
}

// FuzzMask checks with any secrets, any text and any way to write it, and with
// lines so short that most are cut into pieces, that no part of a secret is
// seen and that nothing else is changed.
func FuzzMask(f *testing.F) {
	f.Add("secret", "other secret", "my secret\nand other secrets", uint8(3), uint16(20))
	f.Add("abcd", "cdef", "abcdefabcdef", uint8(1), uint16(4))
	f.Add("aaaa", "aaa\nbbb", "aaaaaaaaaaaaaaaaaaaaaaaaabbbbbbbbb", uint8(5), uint16(7))
	f.Add("", "ab", "plain\ntext", uint8(2), uint16(1))
	f.Add("a b c", "\xff\xff\xff", "\xff\xff\xff\xffa b ca b", uint8(4), uint16(3))
	f.Fuzz(func(t *testing.T, one, two, text string, cut uint8, most uint16) {
		m, _ := newMasker(map[string]string{"one": one, "two": two})
		lines := writeLines(t, m, int(most)+1, text, func(int) int { return int(cut) + 1 })
		var clean = true
		for _, secret := range []string{one, two} {
			for _, part := range secretParts(secret) {
				if utf8.RuneCountInString(part) < minSecret {
					continue
				}
				clean = clean && !strings.Contains(text, part)
				// A part with a star in it may come from the replacement.
				if strings.Contains(part, "*") {
					continue
				}
				for _, l := range joinPieces(lines) {
					if strings.Contains(l, part) {
						t.Errorf("%q is seen in %q", part, l)
					}
				}
			}
		}
		if got := joinLines(lines); clean && got != text {
			t.Errorf("text without secrets became %q, want %q", got, text)
		}
	})
}

func BenchmarkMask(b *testing.B) {
	plain := []byte(strings.Repeat("2026-11-20 go: downloading example.com/some/module v1.2.3 (12 kB)\n", 1000))
	for _, n := range []int{0, 1, 10, 1000} {
		values := make(map[string]string)
		for i := range n {
			values[fmt.Sprint(i)] = fmt.Sprintf("ghp_%08dabcdefghijklmnop", i*7919)
		}
		m, _ := newMasker(values)
		b.Run(fmt.Sprintf("secrets=%d", n), func(b *testing.B) {
			b.SetBytes(int64(len(plain)))
			for b.Loop() {
				if got := m.mask(plain); !bytes.Equal(got[:1], plain[:1]) {
					b.Fatal("changed")
				}
			}
		})
	}
}
