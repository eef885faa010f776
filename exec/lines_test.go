package exec

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var allowLine = cmp.AllowUnexported(line{})

// writeLines writes text in chunks, whose length is given by next, and returns
// all lines.
func writeLines(t testing.TB, m *masker, most int, text string, next func(left int) int) []line {
	t.Helper()
	var all []line
	w := &lineWriter{mask: m, max: most, send: func(batch []stretch) error {
		if len(told(batch)) == 0 {
			t.Error("empty batch")
		}
		all = append(all, told(batch)...)
		return nil
	}}
	for len(text) > 0 {
		n := min(max(next(len(text)), 1), len(text))
		if written, err := w.Write([]byte(text[:n])); written != n || err != nil {
			t.Fatalf("write: %d of %d, %v", written, n, err)
		}
		text = text[n:]
	}
	if err := w.end(); err != nil {
		t.Fatalf("end: %v", err)
	}
	return all
}

// told are the lines of a batch.
func told(batch []stretch) (all []line) {
	for _, s := range batch {
		s.each(func(l line) { all = append(all, l) })
	}
	return all
}

// joinPieces gives the lines, each whole.
func joinPieces(lines []line) []string {
	var whole []string
	for i, l := range lines {
		if i > 0 && lines[i-1].number == l.number {
			whole[len(whole)-1] += l.text
		} else {
			whole = append(whole, l.text)
		}
	}
	return whole
}

// joinLines gives the text that lines came from.
func joinLines(lines []line) string {
	var text strings.Builder
	for _, l := range lines {
		text.WriteString(l.text)
		if !l.partial {
			text.WriteByte('\n')
		}
	}
	return text.String()
}

func TestLines(t *testing.T) {
	cases := map[string]struct {
		secret, text string
		most         int
		want         []line
	}{
		"nothing":           {"", "", 10, nil},
		"a line":            {"", "one\n", 10, []line{{1, "one", false}}},
		"no newline":        {"", "one", 10, []line{{1, "one", true}}},
		"some":              {"", "one\n\ntwo\nend", 10, []line{{1, "one", false}, {2, "", false}, {3, "two", false}, {4, "end", true}}},
		"carriage returns":  {"", "a\rb\r\n", 10, []line{{1, "a\rb\r", false}}},
		"as long as may be": {"", "0123456789\n", 10, []line{{1, "0123456789", false}}},
		"too long":          {"", "0123456789a\nb", 10, []line{{1, "0123456789", true}, {1, "a", false}, {2, "b", true}}},
		"much too long":     {"", "0123456789\n", 4, []line{{1, "0123", true}, {1, "4567", true}, {1, "89", false}}},
		"too long, no end":  {"", "01234567", 4, []line{{1, "0123", true}, {1, "4567", true}}},
		"secret across the border": {
			"secret", "0123secret89\n", 6,
			[]line{{1, "0123******89", false}},
		},
		"secret across the border of a piece": {
			"secret", "0123secret89abcdef\n", 6,
			[]line{{1, "0123", true}, {1, "******", true}, {1, "89abcdef", false}},
		},
		"secret longer than a piece": {
			"0123456789", "0123456789abcdefghi\n", 4,
			[]line{{1, "******", true}, {1, "abcdefghi", false}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m, _ := newMasker(map[string]string{"s": tc.secret})
			for _, cut := range []int{1, 2, 3, 5, 100} {
				got := writeLines(t, m, tc.most, tc.text, func(int) int { return cut })
				if diff := cmp.Diff(tc.want, got, allowLine); diff != "" {
					t.Errorf("in chunks of %d (-want +got):\n%s", cut, diff)
				}
			}
		})
	}
}

// TestLinesArriveWithTheirWrite shows that a line that is complete waits for
// nothing, and that one that is not does.
func TestLinesArriveWithTheirWrite(t *testing.T) {
	var all []line
	w := &lineWriter{max: 100, send: func(batch []stretch) error { all = append(all, told(batch)...); return nil }}
	for i, tc := range []struct {
		text string
		want int
	}{{"one\n", 1}, {"tw", 1}, {"o\nthree\nfo", 3}, {"ur", 3}} {
		if _, err := w.Write([]byte(tc.text)); err != nil {
			t.Fatal(err)
		}
		if len(all) != tc.want {
			t.Errorf("after write %d there are %d lines, want %d", i, len(all), tc.want)
		}
	}
}

func TestLinesAreSentInBoundedBatches(t *testing.T) {
	const size = 1 << 20
	longest := 0
	w := &lineWriter{max: size, send: func(batch []stretch) error { longest = max(longest, len(joinLines(told(batch)))); return nil }}
	if _, err := w.Write([]byte(strings.Repeat("a line\n", size/7))); err != nil {
		t.Fatal(err)
	}
	if longest == 0 || longest > 2*chunkLen {
		t.Errorf("the longest batch has %d bytes", longest)
	}
}

func TestLinesErrors(t *testing.T) {
	over := errors.New("over")
	w := &lineWriter{max: 10, send: func([]stretch) error { return over }}
	if _, err := w.Write([]byte("partial")); err != nil {
		t.Errorf("write without a line: %v", err)
	}
	if _, err := w.Write([]byte("\n")); !errors.Is(err, over) {
		t.Errorf("write: %v, want the error of send", err)
	}
	if err := w.end(); err != nil {
		t.Errorf("end: %v", err)
	}
	if _, err := w.Write([]byte("late")); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("write after end: %v", err)
	}
}

// TestLongLineKeepsNoBuffer shows that one long line does not cost its length
// for the rest of the step.
func TestLongLineKeepsNoBuffer(t *testing.T) {
	w := &lineWriter{max: maxLine, send: func([]stretch) error { return nil }}
	if _, err := w.Write([]byte(strings.Repeat("x", 4*keepLen) + "\n")); err != nil {
		t.Fatal(err)
	}
	if cap(w.rest) > keepLen {
		t.Errorf("%d bytes are kept", cap(w.rest))
	}
}

// FuzzLines checks that how a text is written decides nothing: the lines are
// the same, and make the text.
func FuzzLines(f *testing.F) {
	f.Add("one\ntwo\n\nend", "secret", []byte{1, 2, 3}, uint16(4))
	f.Add("my secret secret\r\n\xff\x00secretsecretsecret", "secret", []byte{7}, uint16(9))
	f.Add(strings.Repeat("long line ", 50)+"\n", "e l", []byte{0, 255}, uint16(30))
	f.Add(strings.Repeat("a", 100), "aaaa", []byte{3, 50}, uint16(10))
	f.Fuzz(func(t *testing.T, text, secret string, cuts []byte, most uint16) {
		limit := int(most) + 1
		all := func(left int) int { return left }
		i := 0
		some := func(int) int {
			if len(cuts) == 0 {
				return 1
			}
			i++
			return int(cuts[i%len(cuts)])
		}
		m, _ := newMasker(map[string]string{"s": secret})
		masked := writeLines(t, m, limit, text, all)
		if diff := cmp.Diff(masked, writeLines(t, m, limit, text, some), allowLine); diff != "" {
			t.Errorf("the cuts matter:\n%s", diff)
		}
		plain := writeLines(t, nil, limit, text, some)
		if got := joinLines(plain); got != text {
			t.Errorf("lines make %q, want %q", got, text)
		}
		for i, l := range plain {
			if strings.Contains(l.text, "\n") || len(l.text) > limit {
				t.Errorf("line %q has a newline or is too long", l.text)
			}
			if i > 0 && l.number != plain[i-1].number && l.number != plain[i-1].number+1 {
				t.Errorf("line %d follows %d", l.number, plain[i-1].number)
			}
		}
	})
}

// BenchmarkLines writes a million lines in chunks of 32 KiB, as engines do.
func BenchmarkLines(b *testing.B) {
	const text = "2026-11-20 go: downloading example.com/some/module v1.2.3 (12 kB)\n"
	chunk := []byte(strings.Repeat(text, 32<<10/len(text)+1)[:32<<10])
	m, _ := newMasker(map[string]string{"token": "ghp_abcdefghijklmnop", "other": "0123456789abcdef"})
	lines := 0
	b.ReportAllocs()
	for b.Loop() {
		lines = 0
		w := &lineWriter{mask: m, max: maxLine, send: func(batch []stretch) error {
			for _, s := range batch {
				s.each(func(line) { lines++ })
			}
			return nil
		}}
		for lines < 1_000_000 {
			if _, err := w.Write(chunk); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(lines), "ns/line")
}
