package tui

import (
	"bytes"
	"io"
	"slices"
	"sync"

	"github.com/charmbracelet/x/ansi"
)

// maxText is how many bytes of lines wait for a frame before who writes them
// has to wait. About twice of it is kept, or of a line that is longer.
const maxText = 1 << 20

// opening is what a frame has between going to the top of the board and
// drawing it again, when lines are to be written above it.
const opening = ansi.EraseScreenBelow + "\r\n"

// modeChange begins a sequence that changes a mode. No frame begins with it.
const modeChange = "\x1b[?"

// screen is the terminal, which lines and frames share. Lines wait until a
// frame with an opening comes by and are put into it, so that both arrive in
// one write and the board is never seen in the middle of the text. Without a
// program that draws frames, lines are written at once.
//
// It is safe for concurrent use.
type screen struct {
	changed chan struct{} // something is to be drawn
	full    chan struct{} // who writes lines has to wait

	mu       sync.Mutex
	room     *sync.Cond // text got shorter, or err or attached changed
	out      io.Writer
	attached bool
	text     []byte // lines that wait
	whole    int    // bytes of text up to the end of its last line
	spare    []byte // memory of text that was written
	asked    bool   // a frame with an opening is on its way
	err      error  // the first error of out

	// frame is memory of the goroutine that writes frames.
	frame []byte
}

func newScreen(out io.Writer) *screen {
	s := &screen{out: out, changed: make(chan struct{}, 1), full: make(chan struct{}, 1)}
	s.room = sync.NewCond(&s.mu)
	return s
}

// Write takes lines, in whatever pieces. It keeps the last one until its end
// has come, since the board must stand on lines of its own.
func (s *screen) Write(lines []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.attached && s.err == nil && s.whole >= maxText {
		signal(s.full)
		s.room.Wait()
	}
	if s.err != nil {
		return 0, s.err
	}
	if !s.attached {
		return s.writeNow(lines)
	}
	if i := bytes.LastIndexByte(lines, '\n'); i >= 0 {
		s.whole = len(s.text) + i + 1
		signal(s.changed)
	}
	s.text = append(s.text, lines...)
	return len(lines), nil
}

// note takes a line that must not wait, with its newline.
func (s *screen) note(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.attached {
		_, _ = s.writeNow([]byte(line))
		return
	}
	s.text = slices.Insert(s.text, s.whole, []byte(line)...)
	s.whole += len(line)
	signal(s.changed)
}

func (s *screen) writeNow(lines []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	_, s.err = s.out.Write(lines)
	return len(lines), s.err
}

// touch says that there is something to draw.
func (s *screen) touch() { signal(s.changed) }

// ask reports whether a frame with an opening is needed, which the caller then
// has drawn.
func (s *screen) ask() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.attached || s.asked || s.whole == 0 {
		return false
	}
	s.asked = true
	return true
}

// attach says that frames will come.
func (s *screen) attach() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attached = true
}

// detach says that no frame comes any more, and writes the lines that wait.
func (s *screen) detach() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attached = false
	if len(s.text) > 0 {
		_, _ = s.writeNow(s.text)
		s.text, s.whole = nil, 0
	}
	s.room.Broadcast()
}

func (s *screen) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// draw writes a frame, and the lines that wait if it has an opening. It holds
// no lock while the terminal takes its time.
func (s *screen) draw(frame []byte) error {
	top, board, opened := bytes.Cut(frame, []byte(opening))
	var text []byte
	if opened {
		text = s.take()
	}
	if err := s.failure(); err != nil {
		return err
	}
	// The cursor may have been moved from its column by the terminal's echo
	// of what is typed, such as ^C.
	s.frame = append(append(s.frame[:0], '\r'), top...)
	if opened {
		s.frame = append(s.frame, ansi.EraseLineRight...)
		if len(top) > 0 {
			// The board has more lines. Erasing them all from the first one
			// on would, at the top of the screen, make tmux keep them.
			s.frame = append(s.frame, ansi.CUD1+ansi.EraseScreenBelow+ansi.CUU1...)
		}
		s.frame = append(s.frame, text...)
		s.frame = append(s.frame, ansi.ResetStyle...)
		s.frame = append(s.frame, board...)
	}
	_, err := s.out.Write(s.frame)
	s.mu.Lock()
	defer s.mu.Unlock()
	if opened {
		s.spare = text
	}
	if err != nil && s.err == nil {
		s.err = err
		s.room.Broadcast()
	}
	return err
}

// take returns the lines that wait, and makes room for others.
func (s *screen) take() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := s.text[:s.whole]
	s.text = append(s.spare[:0], s.text[s.whole:]...)
	s.spare, s.whole, s.asked = nil, 0, false
	s.room.Broadcast()
	return text
}

// frames is the side of a screen that a program writes frames to.
type frames struct{ screen *screen }

// Write takes a frame, or one of the sequences that come before and after all
// frames. Of those that change modes only the one that shows the cursor is
// written: the others concern input, and a cursor that stays hidden because
// the program was killed or suspended does more harm than a visible one.
func (f frames) Write(b []byte) (int, error) {
	if bytes.HasPrefix(b, []byte(modeChange)) && string(b) != ansi.ShowCursor {
		return len(b), nil
	}
	if err := f.screen.draw(b); err != nil {
		return 0, err
	}
	return len(b), nil
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
