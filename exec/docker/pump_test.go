package docker

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/pkg/stdcopy"
)

// framed writes text as an engine does, a frame for each piece.
func framed(t *testing.T, pieces ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	for i, piece := range pieces {
		if _, err := stdcopy.NewStdWriter(&b, stdcopy.StdType(1+i%2)).Write([]byte(piece)); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// once is for a stream that nothing follows.
func once() io.Reader { return nil }

func TestPumpKeepsOrder(t *testing.T) {
	var want strings.Builder
	var pieces []string
	for i := range 2000 {
		piece := strings.Repeat(string(rune('a'+i%26)), i)
		pieces = append(pieces, piece)
		want.WriteString(piece)
	}
	var out bytes.Buffer
	p := newPump(bytes.NewReader(framed(t, pieces...)), once, &out)
	p.release()
	if err := p.finish(func() {}); err != nil {
		t.Fatal(err)
	}
	if out.String() != want.String() {
		t.Errorf("%d bytes came out, %d went in", out.Len(), want.Len())
	}
}

func TestPumpWritesNothingBeforeRelease(t *testing.T) {
	var out bytes.Buffer
	p := newPump(bytes.NewReader(framed(t, "x")), once, &out)
	<-p.read
	if out.Len() > 0 {
		t.Error("output before release")
	}
	p.abandon()
	if err := p.finish(func() {}); err != nil || out.Len() > 0 {
		t.Errorf("an abandoned pump gave %q, %v", out.String(), err)
	}
}

// gate is an output that lets nothing through until it is opened.
type gate struct {
	bytes.Buffer
	open chan struct{}
}

func (g *gate) Write(p []byte) (int, error) {
	<-g.open
	return g.Buffer.Write(p)
}

// TestPumpReadsOn shows that the end of the stream is reached although nobody
// takes the output, and that nothing is lost.
func TestPumpReadsOn(t *testing.T) {
	text := strings.Repeat("0123456789abcdef", 64)
	pieces := make([]string, 64)
	for i := range pieces {
		pieces[i] = text
	}
	out := &gate{open: make(chan struct{})}
	stream, begin := io.Pipe()
	p := newPump(stream, once, out)
	p.limit, p.trickle = 1024, time.Millisecond // before anything is sent
	p.release()
	p.drain()
	if _, err := begin.Write(framed(t, pieces...)); err != nil {
		t.Fatal(err)
	}
	begin.Close()
	<-p.read
	close(out.open)
	if err := p.finish(func() {}); err != nil {
		t.Fatal(err)
	}
	if out.String() != strings.Repeat(text, 64) {
		t.Errorf("%d bytes came out", out.Len())
	}
}

// TestPumpIsBounded shows that a container that goes on printing for a reader
// that hangs has to wait, and that its end lets the rest through.
func TestPumpIsBounded(t *testing.T) {
	piece := strings.Repeat("x", 1024)
	out := &gate{open: make(chan struct{})}
	stream, begin := io.Pipe()
	p := newPump(stream, once, out)
	p.limit, p.most, p.trickle = 1024, 8<<10, time.Millisecond // before anything is sent
	p.release()
	const all = 256
	go func() {
		_, _ = begin.Write(framed(t, slices.Repeat([]string{piece}, all)...))
		begin.Close()
	}()
	taken := func() int64 { return p.taken.Load() / 1024 }
	for end := time.Now().Add(10 * time.Second); taken() < 9 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond)
	// One piece may be on its way to the output, beside what waits.
	if n := taken(); n < 8 || n > 10 {
		t.Errorf("%d KiB were taken", n)
	}
	p.drain()
	<-p.read
	close(out.open)
	if err := p.finish(func() {}); err != nil {
		t.Fatal(err)
	}
	if out.Len() != all*1024 {
		t.Errorf("%d bytes came out", out.Len())
	}
}

type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }

func TestPumpReportsAFailedWrite(t *testing.T) {
	want := errors.New("disk full")
	p := newPump(bytes.NewReader(framed(t, "a", "b", "c")), once, broken{want})
	p.release()
	if err := p.finish(func() {}); !errors.Is(err, want) {
		t.Errorf("got %v", err)
	}
}

func BenchmarkPump(b *testing.B) {
	var frames bytes.Buffer
	chunk := bytes.Repeat([]byte("1234567\n"), 4096)
	for range 256 {
		if _, err := stdcopy.NewStdWriter(&frames, stdcopy.Stdout).Write(chunk); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(frames.Len()))
	for b.Loop() {
		p := newPump(bytes.NewReader(frames.Bytes()), once, io.Discard)
		p.release()
		if err := p.finish(func() {}); err != nil {
			b.Fatal(err)
		}
	}
}
