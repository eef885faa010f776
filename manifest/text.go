package manifest

import "sort"

// text is what is left of a source after substitution, with the way back to
// the source. Without substitution pieces is empty and body is the source
// without its byte order mark.
type text struct {
	body   string
	pieces []piece
	places *locator
}

// piece says where a part of the body came from. The pieces of a text are in
// order and cover body and source without gaps.
type piece struct {
	start, end       int  // in the body
	srcStart, srcEnd int  // in the source
	literal          bool // copied as it stands
	expression       bool // the value of a `${…}`
	empty            bool // an expression whose value is empty
}

// source returns the offset in the source of an offset in the body. An offset
// inside a substituted value is that of its `${`; so is the offset where an
// empty value was.
func (t *text) source(offset int) int {
	if len(t.pieces) == 0 {
		return t.places.bom + offset
	}
	i := sort.Search(len(t.pieces), func(i int) bool { return t.pieces[i].end > offset })
	for i > 0 && t.pieces[i-1].start == offset {
		i--
	}
	if i == len(t.pieces) {
		return t.pieces[i-1].srcEnd
	}
	p := t.pieces[i]
	if p.literal {
		return p.srcStart + offset - p.start
	}
	return p.srcStart
}

// sourceEnd is source for the end of a range: inside a substituted value it is
// the offset after its `}`.
func (t *text) sourceEnd(offset int) int {
	if len(t.pieces) == 0 {
		return t.places.bom + offset
	}
	i := sort.Search(len(t.pieces), func(i int) bool { return t.pieces[i].start >= offset }) - 1
	for i+1 < len(t.pieces) && t.pieces[i+1].end == offset {
		i++
	}
	if i < 0 {
		return t.pieces[0].srcStart
	}
	p := t.pieces[i]
	if p.literal {
		return p.srcStart + offset - p.start
	}
	return p.srcEnd
}

// span returns the source range of the body range [start, end).
func (t *text) span(start, end int) Span {
	from := t.source(start)
	to := max(from, t.sourceEnd(end))
	return Span{Start: t.places.pos(from), End: t.places.pos(to)}
}

// piecesIn returns the pieces that touch the body range [start, end].
func (t *text) piecesIn(start, end int) []piece {
	from := sort.Search(len(t.pieces), func(i int) bool { return t.pieces[i].end >= start })
	to := from
	for to < len(t.pieces) && t.pieces[to].start <= end {
		to++
	}
	return t.pieces[from:to]
}
