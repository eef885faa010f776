package logs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"sort"
	"strings"
	"time"

	"github.com/klauspost/compress/s2"
)

// A chunk is a header and a payload. The payload is the text of its rows, each
// with a newline, and behind it what else is known of them, compressed together.
//
//	 0  magic       "dlog"
//	 4  version     1
//	 5  codec       0 as it is, 1 S2
//	 6  (reserved)
//	 8  first row   of the log, from 0
//	16  first line  its number, from 1
//	24  time        of the first row, nanoseconds since 1970
//	32  rows
//	36  text        its length
//	40  raw         the length of the payload as it was
//	44  packed      the length of the payload as it is
//	48  sum         CRC-32C of the payload as it is
//	52  sum         CRC-32C of the header before it
//
// Numbers are little endian. Behind the text stand, as varints, the times, each
// a count of rows and the nanoseconds since the ones before, and the positions
// of the partial rows, each as the distance from the one before.
const (
	magic     = "dlog"
	version   = 1
	headerLen = 56

	codecNone = 0
	codecS2   = 1

	// maxRaw is more than a chunk ever has: what says so is damaged. Each row
	// has one byte of text at least and up to thirty behind it.
	maxRaw = 64 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

type header struct {
	codec                            byte
	firstRow, firstNumber            int
	time                             int64
	rows, textLen, rawLen, packedLen int
	sum                              uint32
}

var (
	errShort = errors.New("it ends in the middle of a chunk")
	errMagic = errors.New("there is something else where a chunk should begin")
	errSum   = errors.New("a checksum is wrong")
	errSense = errors.New("a chunk contradicts itself")
)

func (h *header) append(b []byte) []byte {
	start := len(b)
	b = append(b, magic...)
	b = append(b, version, h.codec, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.firstRow))
	b = binary.LittleEndian.AppendUint64(b, uint64(h.firstNumber))
	b = binary.LittleEndian.AppendUint64(b, uint64(h.time))
	for _, n := range []int{h.rows, h.textLen, h.rawLen, h.packedLen} {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	b = binary.LittleEndian.AppendUint32(b, h.sum)
	return binary.LittleEndian.AppendUint32(b, checksum(b[start:]))
}

// parseHeader reads a header from the beginning of b. errShort means that b may
// be the beginning of one.
func parseHeader(b []byte) (h header, err error) {
	if n := min(len(b), len(magic)); string(b[:n]) != magic[:n] {
		return h, errMagic
	}
	if len(b) < headerLen {
		return h, errShort
	}
	if checksum(b[:headerLen-4]) != binary.LittleEndian.Uint32(b[headerLen-4:]) {
		return h, errSum
	}
	u32 := func(at int) int { return int(binary.LittleEndian.Uint32(b[at:])) }
	u64 := func(at int) uint64 { return binary.LittleEndian.Uint64(b[at:]) }
	const most = 1 << 40 // rows of a log, more than any disk holds
	if b[4] != version || u64(8) > most || u64(16) > most {
		return h, errSense
	}
	h = header{
		codec: b[5], firstRow: int(u64(8)), firstNumber: int(u64(16)), time: int64(u64(24)),
		rows: u32(32), textLen: u32(36), rawLen: u32(40), packedLen: u32(44), sum: binary.LittleEndian.Uint32(b[48:]),
	}
	if h.rows < 1 || h.rows > h.textLen || h.textLen > h.rawLen || h.rawLen > maxRaw || h.packedLen > maxRaw || h.codec > codecS2 {
		return h, errSense
	}
	return h, nil
}

// span is rows in a row with the same time.
type span struct {
	rows int
	time int64
}

// block is the rows of a chunk before they are packed. Once it is sealed it is
// only read.
type block struct {
	firstRow, firstNumber int
	rows                  int
	text                  []byte
	spans                 []span
	partials              []int32 // rows of the block, in order
}

func (b *block) add(t int64, text string, partial bool) {
	at := len(b.text)
	b.text = append(append(b.text, text...), '\n')
	if strings.IndexByte(text, '\n') >= 0 {
		added := b.text[at : len(b.text)-1]
		for i := bytes.IndexByte(added, '\n'); i >= 0; i = bytes.IndexByte(added, '\n') {
			added[i] = ' '
		}
	}
	if n := len(b.spans) - 1; n >= 0 && b.spans[n].time == t {
		b.spans[n].rows++
	} else {
		b.spans = append(b.spans, span{1, t})
	}
	if partial {
		b.partials = append(b.partials, int32(b.rows))
	}
	b.rows++
}

// numbers is how many lines end in the block: the number of the row behind it
// is that much greater.
func (b *block) numbers() int { return b.rows - len(b.partials) }

func (b *block) reset(row, number int) {
	*b = block{firstRow: row, firstNumber: number, text: b.text[:0], spans: b.spans[:0], partials: b.partials[:0]}
}

// packer makes chunks of blocks. Its buffers are used again.
type packer struct{ raw, packed, out []byte }

// pack gives the chunk, which is good until the next call.
func (p *packer) pack(b *block) []byte {
	p.raw = append(p.raw[:0], b.text...)
	p.raw = binary.AppendUvarint(p.raw, uint64(len(b.spans)))
	before := b.spans[0].time
	for _, s := range b.spans {
		p.raw = binary.AppendUvarint(p.raw, uint64(s.rows))
		p.raw = binary.AppendVarint(p.raw, s.time-before)
		before = s.time
	}
	p.raw = binary.AppendUvarint(p.raw, uint64(len(b.partials)))
	at := int32(0)
	for _, row := range b.partials {
		p.raw = binary.AppendUvarint(p.raw, uint64(row-at))
		at = row
	}
	h := header{
		codec: codecS2, firstRow: b.firstRow, firstNumber: b.firstNumber, time: b.spans[0].time,
		rows: b.rows, textLen: len(b.text), rawLen: len(p.raw),
	}
	payload := p.raw
	if p.packed = s2.Encode(p.packed[:cap(p.packed)], p.raw); len(p.packed) < len(p.raw) {
		payload = p.packed
	} else {
		h.codec = codecNone
	}
	h.packedLen, h.sum = len(payload), checksum(payload)
	p.out = append(h.append(p.out[:0]), payload...)
	return p.out
}

// slim gives up buffers that a long line has made large.
func (p *packer) slim() {
	if cap(p.raw) > 8*chunkText {
		*p = packer{}
	}
}

// unpack checks a payload and unpacks it into buf, which may be nil or of an
// earlier call.
func (h *header) unpack(payload, buf []byte) (raw []byte, err error) {
	if len(payload) != h.packedLen {
		return nil, errShort
	}
	if checksum(payload) != h.sum {
		return nil, errSum
	}
	raw = payload
	if h.codec == codecS2 {
		if n, err := s2.DecodedLen(payload); err != nil || n != h.rawLen {
			return nil, errSense
		}
		if raw, err = s2.Decode(buf[:cap(buf)], payload); err != nil {
			return nil, errSense
		}
	}
	if len(raw) != h.rawLen || raw[h.textLen-1] != '\n' || bytes.Count(raw[:h.textLen], newline) != h.rows {
		return nil, errSense
	}
	return raw, nil
}

var newline = []byte{'\n'}

// page is a chunk as lines are taken from it. It is not changed.
type page struct {
	firstRow, firstNumber, rows int
	text                        string
	ends                        []int32 // of the rows in text: where their newlines are
	spans                       []span
	partials                    []int32
}

// newPage reads an unpacked payload, of which it keeps a copy.
func newPage(h *header, raw []byte) (*page, error) {
	p := &page{firstRow: h.firstRow, firstNumber: h.firstNumber, rows: h.rows, text: string(raw[:h.textLen])}
	p.index()
	rest, bad := raw[h.textLen:], false
	number := func() uint64 {
		v, n := binary.Uvarint(rest)
		if n <= 0 {
			bad = true
			return 0
		}
		rest = rest[n:]
		return v
	}
	count, rows, t := number(), 0, h.time
	for ; count > 0 && !bad; count-- {
		n := number()
		delta, w := binary.Varint(rest)
		if bad || w <= 0 || n == 0 || n > uint64(h.rows-rows) {
			return nil, errSense
		}
		rest, rows, t = rest[w:], rows+int(n), t+delta
		p.spans = append(p.spans, span{int(n), t})
	}
	at := uint64(0)
	for count = number(); count > 0 && !bad; count-- {
		if at += number(); at >= uint64(h.rows) || len(p.partials) > 0 && int32(at) <= p.partials[len(p.partials)-1] {
			return nil, errSense
		}
		p.partials = append(p.partials, int32(at))
	}
	if bad || len(rest) > 0 || rows != h.rows {
		return nil, errSense
	}
	return p, nil
}

// pageOf copies the rows of a block that may still grow.
func pageOf(b *block) *page {
	p := &page{
		firstRow: b.firstRow, firstNumber: b.firstNumber, rows: b.rows, text: string(b.text),
		spans: append([]span(nil), b.spans...), partials: append([]int32(nil), b.partials...),
	}
	p.index()
	return p
}

func (p *page) index() {
	p.ends = make([]int32, 0, p.rows)
	for at := 0; at < len(p.text); {
		at += strings.IndexByte(p.text[at:], '\n')
		p.ends = append(p.ends, int32(at))
		at++
	}
}

// append adds the rows from and up to to, which are counted from the first of
// the page.
func (p *page) append(lines []Line, from, to int) []Line {
	partial := sort.Search(len(p.partials), func(i int) bool { return int(p.partials[i]) >= from })
	number := p.firstNumber + from - partial
	spanAt, left := 0, from
	for left >= p.spans[spanAt].rows {
		left -= p.spans[spanAt].rows
		spanAt++
	}
	left = p.spans[spanAt].rows - left
	start := int32(0)
	if from > 0 {
		start = p.ends[from-1] + 1
	}
	for row := from; row < to; row++ {
		if left == 0 {
			spanAt++
			left = p.spans[spanAt].rows
		}
		left--
		l := Line{Row: p.firstRow + row, Number: number, Time: time.Unix(0, p.spans[spanAt].time), Text: p.text[start:p.ends[row]]}
		start = p.ends[row] + 1
		if partial < len(p.partials) && int(p.partials[partial]) == row {
			l.Partial = true
			partial++
		} else {
			number++
		}
		lines = append(lines, l)
	}
	return lines
}
