package remote

import (
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func readEvents(t *testing.T, r io.Reader) []event {
	t.Helper()
	events := newEventReader(r, nil)
	var all []event
	for {
		ev, err := events.next()
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, ev)
	}
}

func TestEventReader(t *testing.T) {
	for text, want := range map[string][]event{
		"":                                     nil,
		": ping\n\n":                           nil,
		"data: a\n\n":                          {{"", []byte("a")}},
		"data:a\n\ndata:  b\n\n":               {{"", []byte("a")}, {"", []byte(" b")}},
		"data: a\n\n\ndata: b\n\n\n":           {{"", []byte("a")}, {"", []byte("b")}}, // of logs
		"data: a\ndata: b\n\n":                 {{"", []byte("a\nb")}},
		"data\n\n":                             {{"", nil}},
		"event: error\ndata: eof\n\n":          {{"error", []byte("eof")}},
		"data: eof\nevent: error\n\n":          {{"error", []byte("eof")}},
		"event: error\n\ndata: a\n\n":          {{"", []byte("a")}}, // an event without data is none
		"data: a\r\n\r\n":                      {{"", []byte("a")}},
		"\ufeffdata: a\n\n":                    {{"", []byte("a")}},
		"id: 1\nretry: 5\nfoo: x\ndata: a\n\n": {{"", []byte("a")}},
		"data: a\n":                            nil, // not complete
		"data: a\n\ndata: b":                   {{"", []byte("a")}},
	} {
		if got := readEvents(t, strings.NewReader(text)); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// FuzzEventReader: however a stream is cut into pieces, its events are the same;
// and they are those that were written.
func FuzzEventReader(f *testing.F) {
	f.Add("data: {\"pos\":0}\n\n\n: ping\n\nevent: error\ndata: eof\n\n", "a\r\nb", "error")
	f.Add("\ufeffdata\r\n\r\n", "", "")
	f.Fuzz(func(t *testing.T, text, data, name string) {
		whole := readEvents(t, strings.NewReader(text))
		if bytewise := readEvents(t, iotest.OneByteReader(strings.NewReader(text))); !reflect.DeepEqual(whole, bytewise) {
			t.Errorf("%q: %q, byte by byte %q", text, whole, bytewise)
		}
		if strings.ContainsAny(data+name, "\r\n") {
			return
		}
		written := "event: " + name + "\ndata: " + data + "\n: ping\ndata: " + data + "\n\n"
		want := []event{{name, []byte(data + "\n" + data)}}
		if got := readEvents(t, strings.NewReader(written)); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q", written, got)
		}
	})
}

// FuzzLines: what is a list of lines is read as JSON has it, and nothing else is
// taken for a whole one.
func FuzzLines(f *testing.F) {
	f.Add(`[{"pos":0,"out":"a\n","time":1},null]`)
	f.Add("null")
	f.Add(`[{"pos":0},`)
	f.Add(`[] `)
	f.Fuzz(func(t *testing.T, text string) {
		var want, got []Line
		wrong := json.Unmarshal([]byte(text), &want)
		err := lines(strings.NewReader(text), func(line Line, _ error) bool {
			got = append(got, line)
			return true
		})
		if wrong == nil && (err != nil || len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want)) {
			t.Errorf("%q: %+v, %v, want %+v", text, got, err, want)
		}
		if wrong != nil && err == nil {
			t.Errorf("%q is no list, %v, and is read as %+v", text, wrong, got)
		}
	})
}
