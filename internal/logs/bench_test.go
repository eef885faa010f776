package logs

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// Each is what a line costs whoever prints it: no memory, and no waiting.
func BenchmarkAppend(b *testing.B) {
	s := newSink(b, Options{})
	w := s.Writer(creating(filepath.Join(b.TempDir(), "1.log")))
	text := "2026-11-21T21:00:00Z INFO  compiling github.com/example/project/internal/thing"
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		w.Append(start.Add(time.Duration(i/20)*time.Microsecond), text, false)
	}
	w.Close()
}

// million is a log of a million lines in a file, 80 MB of text.
func million(b *testing.B) *Log {
	b.Helper()
	path := filepath.Join(b.TempDir(), "1.log")
	s := newSink(b, Options{})
	w := s.Writer(creating(path))
	for i := range 1_000_000 {
		text := fmt.Sprintf("2026-11-21T21:00:00Z INFO  compiling github.com/example/project/internal/part%d", i*7919%100_003)
		if i == 999_990 {
			text = "Error: the last thing"
		}
		w.Append(start.Add(time.Duration(i)*time.Microsecond), text, false)
	}
	w.Close()
	if !s.Close(time.Minute) {
		b.Fatal("the sink does not end")
	}
	return opened(b, path)
}

func BenchmarkSearchAMillionLines(b *testing.B) {
	l := million(b)
	for _, q := range []Query{{Text: "error"}, {Text: "Error"}, {Text: "the (last|first) .*", Regexp: true}, {Text: `part\d+$`, Regexp: true}, {Text: `\d+`, Regexp: true}, {Text: `[a-z]+ing .*\b[0-9]+\b`, Regexp: true}, {Text: `INFO.*t(\d+)$`, Regexp: true}, {Text: `(ä|info).*[0-9]$`, Regexp: true}} {
		b.Run(q.Text, func(b *testing.B) {
			for b.Loop() {
				p, err := q.Compile()
				if err != nil {
					b.Fatal(err)
				}
				if _, _, err := l.Count(context.Background(), p, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkOpenAMillionLines(b *testing.B) {
	l := million(b)
	for b.Loop() {
		l, err := Open(l.index.path)
		if err != nil {
			b.Fatal(err)
		}
		if lines, err := l.Lines(l.Len()-50, 50); err != nil || len(lines) != 50 {
			b.Fatal(err)
		}
		_ = l.Close()
	}
}

func BenchmarkLines(b *testing.B) {
	l := million(b)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i = (i + 40) % 900_000
		if _, err := l.Lines(i, 40); err != nil {
			b.Fatal(err)
		}
	}
}
