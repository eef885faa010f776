package lint

import (
	"slices"
	"strings"

	"github.com/drone-laptop/drone/manifest"
)

// writing is a text of an element for which it matters where it goes: a
// command, or the value of a variable or a setting.
type writing struct {
	start, end int // offsets
	kind       writingKind
	element    element
}

type writingKind int

const (
	inCommand writingKind = iota
	inVariable
	inSetting
)

// writingAt returns what stands at an offset, nil when it is something else.
func (p *pass) writingAt(offset int) *writing {
	if p.written == nil {
		p.written = p.writings()
	}
	i, found := slices.BinarySearchFunc(p.written, offset, func(w writing, offset int) int {
		switch {
		case w.end <= offset:
			return -1
		case w.start > offset:
			return 1
		}
		return 0
	})
	if !found {
		return nil
	}
	return &p.written[i]
}

func (p *pass) writings() []writing {
	list := []writing{}
	add := func(e element, kind writingKind, s manifest.Span) {
		if s.Start.Offset < s.End.Offset {
			list = append(list, writing{s.Start.Offset, s.End.Offset, kind, e})
		}
	}
	for pl := range p.pipelines() {
		for _, v := range pl.Environment {
			add(ofPipeline(pl), inVariable, v.Value.Span)
		}
		for e := range elements(pl) {
			for _, c := range e.Commands {
				add(e, inCommand, c.Span)
			}
			for _, v := range e.Environment {
				add(e, inVariable, v.Value.Span)
			}
			for _, s := range e.Settings {
				add(e, inSetting, s.Value.Span)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b writing) int { return a.start - b.start })
	// What an anchor brings to several steps stands in the first of them.
	return slices.CompactFunc(list, func(a, b writing) bool { return a.start == b.start })
}

// locate returns the place in the file of a part of a text. Where the part
// occurs several times it is found by counting, as the text may be indented,
// folded or escaped in the file.
func (p *pass) locate(s manifest.String, at, length int) manifest.Span {
	const long, most = 16 << 10, 1000
	word := s.Value[at : at+length]
	if len(s.Value) > long {
		if p.counted++; p.counted > most {
			return s.Span // counting takes the time of a look at all of it
		}
	}
	text := p.text(s.Span)
	if word == "" || text == "" {
		return s.Span
	}
	from := 0
	for range strings.Count(s.Value[:at], word) {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return s.Span
		}
		from += i + len(word)
	}
	i := strings.Index(text[from:], word)
	if i < 0 {
		return s.Span
	}
	return p.part(s.Span, from+i, length)
}
