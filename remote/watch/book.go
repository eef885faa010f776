package watch

import (
	"context"
	"sync"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/logs"
	"github.com/drone-laptop/drone/remote"
)

// Book keeps logs of a build for somebody who looks at one after the other:
// only those are fetched. It is made with NewBook and belongs to one Follower.
// Page may be called from any goroutine, and returns at once.
type Book struct {
	grown func()
	sink  *logs.Sink
	wake  signal

	mu    sync.Mutex
	pages map[pageName]*Page
	asked []pageName // of which the Follower has not heard yet
}

type pageName struct{ pipeline, step string }

// NewBook makes a Book; grown is told, from the goroutine of the Follower, when
// there are more lines. Close ends it.
func NewBook(grown func()) *Book {
	return &Book{
		grown: grown, sink: logs.NewSink(logs.Options{Guard: exec.Guard}),
		wake: newSignal(), pages: map[pageName]*Page{},
	}
}

// Page gives the log of a step, as events name it, and has it followed from now
// on.
func (b *Book) Page(pipeline, step string) *Page {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := pageName{pipeline, step}
	p := b.pages[k]
	if p == nil {
		p = b.newPage()
		b.pages[k] = p
		b.asked = append(b.asked, k)
		b.wake.give()
	}
	return p
}

// Close lets go of what is kept.
func (b *Book) Close() { b.sink.Close(time.Second) }

// asks are the steps that somebody has asked for since the last call.
func (b *Book) asks() []pageName {
	b.mu.Lock()
	defer b.mu.Unlock()
	asked := b.asked
	b.asked = nil
	return asked
}

// woken is told that there are asks. A Follower without a Book waits for ever.
func (b *Book) woken() signal {
	if b == nil {
		return nil
	}
	return b.wake
}

// Page is the log of one step, of which more may come. It is safe for concurrent
// use. What is missing between its lines comes when the step has ended and the
// server has stored them all; rows then are others than before.
type Page struct {
	mu     sync.Mutex
	log    *logs.Log
	writer *logs.Writer // of the goroutine of the Follower
	next   int          // the position that comes next
	holes  bool         // some before it have not come
}

func (b *Book) newPage() *Page {
	p := &Page{writer: b.sink.Writer(nil)}
	p.log = p.writer.Log()
	return p
}

// line takes a line as it comes.
func (b *Book) line(k pageName, began time.Time, l remote.Line) {
	p := b.Page(k.pipeline, k.step)
	if p.append(began, l) {
		b.grown()
	}
}

func (p *Page) append(began time.Time, l remote.Line) bool {
	if l.Number < p.next {
		return false
	}
	p.holes = p.holes || l.Number > p.next
	p.next = l.Number + 1
	when := began.Add(time.Duration(l.Timestamp) * time.Second)
	for text := range lineTexts(l) {
		p.writer.Append(when, text, false)
	}
	return true
}

// whole takes the log as it was stored. Where something was missing it takes
// the place of what came before.
func (b *Book) whole(k pageName, began time.Time, lines []remote.Line, note string) {
	p := b.Page(k.pipeline, k.step)
	if p.holes && len(lines) > 0 {
		fresh := b.newPage()
		for _, l := range lines {
			fresh.append(began, l)
		}
		p.mu.Lock()
		p.log, p.writer, p.next = fresh.log, fresh.writer, fresh.next
		p.mu.Unlock()
	} else {
		for _, l := range lines {
			p.append(began, l)
		}
	}
	if note != "" {
		p.writer.Append(began, "drone: "+note, false)
	}
	b.grown()
}

func (p *Page) now() *logs.Log {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log
}

// Len is how many rows there have been, also those that are lost.
func (p *Page) Len() int { return p.now().Len() }

// Lost is how many rows cannot be read any more.
func (p *Page) Lost() int { return p.now().Lost() }

// Lines gives the n rows from a row on, as far as they are there.
func (p *Page) Lines(from, n int) ([]logs.Line, error) { return p.now().Lines(from, n) }

// Search gives the first row at from or after it that the pattern is in, or the
// last one at from or before it.
func (p *Page) Search(ctx context.Context, pattern *logs.Pattern, from int, backwards bool) (row int, found bool, err error) {
	return p.now().Search(ctx, pattern, from, backwards)
}

// Count is how many rows the pattern is in, and how many of them are before row.
func (p *Page) Count(ctx context.Context, pattern *logs.Pattern, row int) (before, total int, err error) {
	return p.now().Count(ctx, pattern, row)
}
