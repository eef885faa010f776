package remote

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxEvent bounds a line of a stream. An event about a build has all of its steps,
// and may have hundreds of kilobytes.
const maxEvent = 16 << 20

// event is one of a stream of server-sent events.
type event struct {
	name string // empty for those with data
	data []byte
}

// eventReader takes a stream of server-sent events apart, as the HTML standard
// says. Identifiers and times for reconnecting are passed over, for no Drone
// server sends them.
type eventReader struct {
	r     *bufio.Reader
	begun bool
	line  []byte
	// alive is called when something has arrived, also a comment.
	alive func()
}

func newEventReader(r io.Reader, alive func()) *eventReader {
	return &eventReader{r: bufio.NewReaderSize(r, 16<<10), alive: alive}
}

var errTooLong = fmt.Errorf("a line of the stream has more than %d MiB", maxEvent>>20)

// next is the next event with data. At the end of the stream it is
// io.ErrUnexpectedEOF: an event that is not complete is none, and the end that a
// server means is an event.
func (e *eventReader) next() (event, error) {
	var ev event
	data := false
	for {
		line, err := e.readLine()
		if err != nil {
			return event{}, err
		}
		if len(line) == 0 {
			if data {
				return ev, nil
			}
			ev.name = ""
			continue
		}
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(field) {
		case "event":
			ev.name = string(value)
		case "data":
			if data {
				ev.data = append(ev.data, '\n')
			}
			if len(ev.data)+len(value) > maxEvent {
				return event{}, errTooLong
			}
			ev.data = append(ev.data, value...)
			data = true
		}
	}
}

// readLine gives a line without its end. It is good until the next call.
func (e *eventReader) readLine() ([]byte, error) {
	e.line = e.line[:0]
	for {
		part, err := e.r.ReadSlice('\n')
		if len(part) > 0 && e.alive != nil {
			e.alive()
		}
		if len(e.line)+len(part) > maxEvent {
			return nil, errTooLong
		}
		e.line = append(e.line, part...)
		switch {
		case err == nil:
			line := bytes.TrimSuffix(bytes.TrimSuffix(e.line, []byte("\n")), []byte("\r"))
			if !e.begun {
				e.begun = true
				line = bytes.TrimPrefix(line, []byte("\ufeff"))
			}
			return line, nil
		case errors.Is(err, io.EOF):
			return nil, io.ErrUnexpectedEOF
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}
