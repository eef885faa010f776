package logs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var start = time.Unix(1_800_000_000, 0)

// creating opens a file of the test.
func creating(path string) func() (*os.File, error) {
	return func() (*os.File, error) {
		return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	}
}

// newSink is closed at the end of the test.
func newSink(t testing.TB, o Options) *Sink {
	t.Helper()
	s := NewSink(o)
	t.Cleanup(func() {
		if !s.Close(10 * time.Second) {
			t.Error("the sink does not end")
		}
	})
	return s
}

// ofWriter is closed at the end of the test.
func ofWriter(t testing.TB, w *Writer) *Log {
	t.Helper()
	l := w.Log()
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func opened(t testing.TB, path string) *Log {
	t.Helper()
	l, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func lines(t testing.TB, l *Log, from, n int) []Line {
	t.Helper()
	got, err := l.Lines(from, n)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// eventually waits for what another goroutine does.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("in ten seconds there was not: " + what)
		}
	}
}

// some are lines of which each thing that is stored changes now and then.
func some(n int) []Line {
	var all []Line
	number := 1
	for i := range n {
		l := Line{Row: i, Number: number, Time: start.Add(time.Duration(i/3) * time.Millisecond), Text: fmt.Sprintf("line %d of the build %x", i, i*i)}
		if i%1000 == 7 {
			l.Text = strings.Repeat("long ", 5000)
		}
		if i%1001 == 9 {
			l.Text = ""
		}
		if l.Partial = i%500 == 3; !l.Partial {
			number++
		}
		all = append(all, l)
	}
	return all
}

func appendAll(w *Writer, all []Line) {
	for _, l := range all {
		w.Append(l.Time, l.Text, l.Partial)
	}
}

var sameTime = cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })

func TestLinesComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "1.log")
	s := NewSink(Options{Failed: func(err error) { t.Error(err) }})
	w := s.Writer(creating(path))
	want := some(20_000)
	appendAll(w, want)
	live := ofWriter(t, w)
	if diff := cmp.Diff(want, lines(t, live, 0, len(want)), sameTime); diff != "" {
		t.Fatal("of the writer, at once:", diff)
	}
	w.Close()
	if !s.Close(10 * time.Second) {
		t.Fatal("the sink does not end")
	}
	stored := opened(t, path)
	for _, l := range []*Log{live, stored} {
		if diff := cmp.Diff(want, lines(t, l, 0, 1<<30), sameTime); diff != "" {
			t.Fatal(diff)
		}
		for _, from := range []int{0, 1, 4, 499, 503, 504, 1007, 1008, 12_345, 19_999} {
			to := min(from+700, len(want))
			if diff := cmp.Diff(want[from:to], lines(t, l, from, to-from), sameTime); diff != "" {
				t.Fatalf("from %d: %s", from, diff)
			}
		}
		if got := lines(t, l, 20_000, 5); len(got) != 0 || l.Len() != 20_000 || l.Lost() != 0 {
			t.Errorf("behind the end there is %v, Len %d, Lost %d", got, l.Len(), l.Lost())
		}
	}
	if info, err := os.Stat(path); err != nil || info.Size() != s.Written() {
		t.Errorf("the file has %v bytes, the sink says %d (%v)", info.Size(), s.Written(), err)
	}
}

func TestNewlinesInALineBecomeSpaces(t *testing.T) {
	t.Parallel()
	w := newSink(t, Options{}).Writer(nil)
	w.Append(start, "one\ntwo\n", false)
	w.Append(start, "three", false)
	got := lines(t, ofWriter(t, w), 0, 9)
	if len(got) != 2 || got[0].Text != "one two " || got[1].Text != "three" || got[1].Number != 2 {
		t.Errorf("%+v", got)
	}
}

func TestOthersReadWhileItIsWritten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "1.log")
	w := newSink(t, Options{}).Writer(creating(path))
	w.Append(start, "first", false)
	eventually(t, "a file", func() bool { _, err := os.Stat(path); return err == nil })
	l := opened(t, path)
	eventually(t, "the first line", func() bool { _, err := l.Refresh(); return err == nil && l.Len() == 1 })
	for i := range 5000 {
		w.Append(start, fmt.Sprint("more ", i), false)
	}
	w.Append(start, "the end", true)
	eventually(t, "the last line", func() bool { _, err := l.Refresh(); return err == nil && l.Len() == 5002 })
	if got := lines(t, l, 5001, 1); got[0].Text != "the end" || !got[0].Partial || got[0].Number != 5002 {
		t.Errorf("%+v", got)
	}
	if grown, err := l.Refresh(); grown || err != nil {
		t.Error("it has grown without a line", err)
	}
}

// damagedFile writes a file of several chunks, changes it, and opens it.
func damagedFile(t *testing.T, change func([]byte) []byte) *Log {
	t.Helper()
	path := filepath.Join(t.TempDir(), "1.log")
	s := NewSink(Options{})
	w := s.Writer(creating(path))
	appendAll(w, some(20_000))
	w.Close()
	s.Close(10 * time.Second)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return opened(t, path)
}

func TestWhatIsCutOffIsReadUpToThere(t *testing.T) {
	t.Parallel()
	l := damagedFile(t, func(b []byte) []byte { return b[:len(b)-10] })
	if l.Len() == 0 || l.Len() >= 20_000 || l.Damage() != nil {
		t.Fatalf("it has %d rows, damage %v", l.Len(), l.Damage())
	}
	if diff := cmp.Diff(some(20_000)[:l.Len()], lines(t, l, 0, l.Len()), sameTime); diff != "" {
		t.Error(diff)
	}
}

func TestWhatComesAfterAHeaderThatIsDamagedIsTold(t *testing.T) {
	t.Parallel()
	l := damagedFile(t, func(b []byte) []byte {
		at := strings.Index(string(b[len(b)/2:]), magic) + len(b)/2
		b[at+20] ^= 1
		return b
	})
	damage, ok := IsDamage(l.Damage())
	if !ok || damage.Row != l.Len() || damage.Rows != 0 || l.Len() == 0 {
		t.Fatalf("%d rows, damage %v", l.Len(), l.Damage())
	}
	if diff := cmp.Diff(some(20_000)[:l.Len()], lines(t, l, 0, l.Len()), sameTime); diff != "" {
		t.Error(diff)
	}
}

func TestLinesAroundDamageAreRead(t *testing.T) {
	t.Parallel()
	l := damagedFile(t, func(b []byte) []byte {
		at := strings.Index(string(b[len(b)/2:]), magic) + len(b)/2
		b[at+headerLen+3] ^= 1
		return b
	})
	all := some(20_000)
	before, err := l.Lines(0, 20_000)
	damage, ok := IsDamage(err)
	if !ok || damage.Row != len(before) || damage.Rows == 0 {
		t.Fatalf("%d rows, then %v", len(before), err)
	}
	behind := damage.Row + damage.Rows
	got := slices.Concat(before, lines(t, l, behind, 20_000))
	want := append(slices.Clone(all[:damage.Row]), all[behind:]...)
	if diff := cmp.Diff(want, got, sameTime); diff != "" {
		t.Error(diff)
	}
}

func TestMemoryKeepsTheLastLines(t *testing.T) {
	t.Parallel()
	s := newSink(t, Options{Memory: 64 << 10})
	one, two := s.Writer(nil), s.Writer(nil)
	for i := range 50_000 {
		one.Append(start, fmt.Sprintf("one %d %x", i, i*i*i), false)
		two.Append(start, fmt.Sprintf("two %d %x", i, i*i*i), false)
	}
	for name, w := range map[string]*Writer{"one": one, "two": two} {
		l := ofWriter(t, w)
		eventually(t, "room in memory", func() bool { return l.Lost() > 0 })
		got := lines(t, l, 0, l.Len())
		last := got[len(got)-1]
		if l.Len() != 50_000 || last.Row != 49_999 || last.Number != 50_000 || !strings.HasPrefix(last.Text, name+" 49999 ") {
			t.Errorf("%s: %d rows, the last is %+v", name, l.Len(), last)
		}
		if first := got[0]; first.Row == 0 || !strings.HasPrefix(first.Text, fmt.Sprintf("%s %d ", name, first.Row)) {
			t.Errorf("%s: the first is %+v", name, first)
		}
	}
}

func TestAFileThatCannotBeMadeLeavesTheLinesInMemory(t *testing.T) {
	t.Parallel()
	var failures []error
	s := NewSink(Options{Failed: func(err error) { failures = append(failures, err) }})
	one, two := s.Writer(creating(filepath.Join(t.TempDir(), "no", "1.log"))), s.Writer(creating(filepath.Join(t.TempDir(), "2.log")))
	want := some(3000)
	appendAll(one, want)
	appendAll(two, want)
	one.Close()
	two.Close()
	s.Close(10 * time.Second)
	if len(failures) != 1 || !errors.Is(failures[0], fs.ErrNotExist) || !errors.Is(s.failure(), fs.ErrNotExist) {
		t.Errorf("failures: %v", failures)
	}
	for _, w := range []*Writer{one, two} {
		if diff := cmp.Diff(want, lines(t, ofWriter(t, w), 0, 3000), sameTime); diff != "" {
			t.Error(diff)
		}
	}
}

func TestTheLimitOfAllFiles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "1.log")
	var failed error
	s := NewSink(Options{Limit: 100 << 10, Failed: func(err error) { failed = err }})
	w := s.Writer(creating(path))
	want := some(20_000)
	appendAll(w, want)
	w.Close()
	s.Close(10 * time.Second)
	if !errors.Is(failed, ErrFull) {
		t.Errorf("failed: %v", failed)
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 100<<10 || info.Size() < 50<<10 {
		t.Errorf("the file has %d bytes (%v)", info.Size(), err)
	}
	// Those who watch see all, from the file and from memory.
	if diff := cmp.Diff(want, lines(t, ofWriter(t, w), 0, len(want)), sameTime); diff != "" {
		t.Error(diff)
	}
	l := opened(t, path)
	if diff := cmp.Diff(want[:l.Len()], lines(t, l, 0, l.Len()), sameTime); diff != "" || l.Damage() != nil {
		t.Error(diff, l.Damage())
	}
}

func TestAFileThatTakesNothingDoesNotHoldAnybodyUp(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	var failed error
	s := NewSink(Options{Failed: func(err error) { failed = err }})
	w := s.Writer(func() (*os.File, error) { <-release; return nil, fs.ErrPermission })
	text := strings.Repeat("x", 1000)
	begun := time.Now()
	for range 20_000 {
		w.Append(start, text, false)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("20,000 lines took %s", took)
	}
	if !errors.Is(failed, ErrStuck) {
		t.Errorf("failed: %v", failed)
	}
	if s.Close(10 * time.Millisecond) {
		t.Error("it is closed while the file is opened")
	}
	close(release)
	if !s.Close(10 * time.Second) {
		t.Error("it does not end")
	}
}

func TestAPanicIsAFailure(t *testing.T) {
	t.Parallel()
	failed := make(chan error, 1)
	s := NewSink(Options{
		Failed: func(err error) { failed <- err },
		Guard: func(f func() error) (err error) {
			defer func() {
				if x := recover(); x != nil {
					err = fmt.Errorf("panicked: %v", x)
				}
			}()
			return f()
		},
	})
	w := s.Writer(func() (*os.File, error) { panic("oh") })
	w.Append(start, "text", false)
	if err := <-failed; err == nil || err.Error() != "panicked: oh" {
		t.Error(err)
	}
	if !s.Close(10 * time.Second) {
		t.Error("it does not end")
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "1.log")
	w := newSink(t, Options{}).Writer(creating(path))
	text := map[int]string{
		5: "Error: one", 10_000: "\x1b[31merr\x1b[0mor: \x1b]8;;http://x\x07two\x1b]8;;\x07", 10_001: "an ERROR here",
		19_998: "größer als Ähre", 19_999: "exit 17 error:", 19_500: "warning: 3 ms",
	}
	all := some(20_000)
	for i, l := range all {
		if text[i] != "" {
			all[i].Text = text[i]
		} else {
			all[i].Text = strings.Replace(l.Text, "line", "text", 1)
		}
	}
	appendAll(w, all)
	l := ofWriter(t, w)
	for _, tc := range []struct {
		query Query
		rows  []int
	}{
		{Query{Text: "error"}, []int{5, 10_000, 10_001, 19_999}},
		{Query{Text: "ERROR"}, []int{10_001}},
		{Query{Text: "ERROR", IgnoreCase: true}, []int{5, 10_000, 10_001, 19_999}},
		{Query{Text: "error: two"}, []int{10_000}},
		{Query{Text: "http"}, nil},
		{Query{Text: "ähre"}, []int{19_998}},
		{Query{Text: "Größer"}, nil},
		{Query{Text: "Größer", IgnoreCase: true}, []int{19_998}},
		{Query{Text: "a.b"}, nil},
		{Query{Text: "here\ntext"}, nil},
		{Query{Text: `^error|ms$`, Regexp: true}, []int{5, 10_000, 19_500}},
		{Query{Text: `ex\St \d+ e`, Regexp: true}, []int{19_999}},
		{Query{Text: `(?i)an Error`, Regexp: true}, []int{10_001}},
		{Query{Text: `err(or)+:\s(one|two)$`, Regexp: true}, []int{5, 10_000}},
		{Query{Text: `^exit \d{2}`, Regexp: true}, []int{19_999}},
		{Query{Text: `[äö]hre`, Regexp: true}, []int{19_998}},
		{Query{Text: `[^a-z ]+: o`, Regexp: true}, nil},
		{Query{Text: `^[d-f][^a-z]`, Regexp: true}, nil},
		{Query{Text: `n e[^x]{3}r `, Regexp: true}, []int{10_001}},
		{Query{Text: `\x45RROR`, Regexp: true, IgnoreCase: true}, []int{5, 10_000, 10_001, 19_999}},
		{Query{Text: `[@-_]rror: one`, Regexp: true}, []int{5}},
		{Query{Text: `\S\W\d+ \w+[:]$`, Regexp: true}, []int{19_999}},
	} {
		p, err := tc.query.Compile()
		if err != nil {
			t.Fatal(err)
		}
		checkSearch(t, l, p, tc.query, tc.rows)
		checkSearch(t, l, p, tc.query, tc.rows) // now that it was counted
		for _, row := range tc.rows {
			if !p.Match(string(strip(nil, []byte(all[row].Text)))) {
				t.Errorf("%+v: row %d is none by itself", tc.query, row)
			}
		}
	}
}

func TestSmallLetters(t *testing.T) {
	t.Parallel()
	var all, want []byte
	for round := range 9 { // at each place in a word
		all, want = append(all, make([]byte, round)...), append(want, make([]byte, round)...)
		for c := range 256 {
			small := byte(c)
			if 'A' <= c && c <= 'Z' {
				small += 'a' - 'A'
			}
			all, want = append(all, byte(c)), append(want, small)
		}
	}
	if got := lower(nil, all); !slices.Equal(got, want) {
		t.Errorf("it is %q", got)
	}
}

func checkSearch(t *testing.T, l *Log, p *Pattern, q Query, rows []int) {
	t.Helper()
	ctx := context.Background()
	var got, back []int
	for from := 0; ; {
		row, found, err := l.Search(ctx, p, from, false)
		if err != nil {
			t.Fatal(err)
		}
		if !found {
			break
		}
		got, from = append(got, row), row+1
	}
	for from := l.Len() - 1; from >= 0; {
		row, found, err := l.Search(ctx, p, from, true)
		if err != nil {
			t.Fatal(err)
		}
		if !found {
			break
		}
		back, from = append(back, row), row-1
	}
	slices.Reverse(back)
	if !slices.Equal(got, rows) || !slices.Equal(back, rows) {
		t.Errorf("%+v: in rows %v, backwards %v, want %v", q, got, back, rows)
	}
	for i, row := range append(rows, l.Len()) {
		if before, total, err := l.Count(ctx, p, row); err != nil || before != i || total != len(rows) {
			t.Errorf("%+v: %d of %d before row %d, want %d of %d (%v)", q, before, total, row, i, len(rows), err)
		}
	}
}

func TestTheCountGrowsWithTheLog(t *testing.T) {
	t.Parallel()
	w := newSink(t, Options{}).Writer(nil)
	l := ofWriter(t, w)
	p, err := Query{Text: "x"}.Compile()
	if err != nil {
		t.Fatal(err)
	}
	for want := 1; want < 40; want++ {
		w.Append(start, "x", false)
		w.Append(start, strings.Repeat("y", 3000), false)
		if before, total, err := l.Count(context.Background(), p, 2); err != nil || total != want || before != 1 {
			t.Fatalf("%d, %d before, want %d (%v)", total, before, want, err)
		}
	}
}

func TestASearchThatIsCalledOff(t *testing.T) {
	t.Parallel()
	w := newSink(t, Options{}).Writer(nil)
	appendAll(w, some(5000))
	p, err := Query{Text: "nowhere"}.Compile()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, found, err := ofWriter(t, w).Search(ctx, p, 0, false); found || !errors.Is(err, context.Canceled) {
		t.Error(found, err)
	}
	if _, _, err := ofWriter(t, w).Count(ctx, p, 0); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestAWrongExpressionIsToldAsItWasWritten(t *testing.T) {
	t.Parallel()
	_, err := Query{Text: "a(", Regexp: true}.Compile()
	if err == nil || strings.Contains(err.Error(), "(?i") {
		t.Error(err)
	}
}

func TestPlacesInALine(t *testing.T) {
	t.Parallel()
	p, err := Query{Text: "o*", Regexp: true}.Compile()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]int{{1, 3}, {5, 6}}, p.Find("fOo bo")); diff != "" {
		t.Error(diff)
	}
}

// FuzzRead opens what is no log, or was one: it may give lines or damage, but
// nothing else.
func FuzzRead(f *testing.F) {
	var p packer
	b := &block{firstNumber: 1}
	for i := range 30 {
		b.add(start.UnixNano()+int64(i/2), "a line", i%7 == 0)
	}
	whole := slices.Clone(p.pack(b))
	b = &block{firstRow: 30, firstNumber: 30}
	b.add(start.UnixNano(), "x", true)
	whole = append(whole, p.pack(b)...)
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Add(append(slices.Clone(whole), "something else"...))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "1.log")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		from := 0
		for from < l.Len() {
			got, err := l.Lines(from, 1<<20)
			damage, damaged := IsDamage(err)
			if err != nil && !damaged {
				t.Fatal(err)
			}
			for i, line := range got {
				if line.Row < from || i > 0 && line.Row <= got[i-1].Row {
					t.Fatalf("row %d where %d was asked for", line.Row, from)
				}
			}
			if damaged {
				from = damage.Row + damage.Rows
			} else {
				from += 1 << 20
			}
		}
		pattern, err := Query{Text: "line"}.Compile()
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := l.Count(context.Background(), pattern, 7); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzPayload is what FuzzRead finds hard to reach behind the checksums.
func FuzzPayload(f *testing.F) {
	f.Add([]byte("a\nb\n\x01\x02\x00\x00"), uint8(2), uint8(4))
	f.Fuzz(func(_ *testing.T, raw []byte, rows, textLen uint8) {
		h := &header{rows: int(rows), textLen: int(textLen), rawLen: len(raw), packedLen: len(raw), firstNumber: 1}
		h.sum = checksum(raw)
		if h.rows < 1 || h.rows > h.textLen || h.textLen > h.rawLen {
			return // no header is like that
		}
		if raw, err := h.unpack(raw, nil); err == nil {
			if p, err := newPage(h, raw); err == nil {
				p.append(nil, 0, p.rows)
			}
		}
	})
}
