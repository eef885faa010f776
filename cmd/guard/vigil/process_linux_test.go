package vigil

import (
	"slices"
	"testing"
)

func TestUnwritten(t *testing.T) {
	const smaps = `00400000-00c3f000 r-xp 00000000 08:01 123                      /usr/bin/drone
Size:               8444 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me sd
00c3f000-00c40000 r--p 00800000 08:01 123                      /usr/bin/with blank
Anonymous:             4 kB
00c40000-00c41000 rw-p 00800000 08:01 123                      /usr/bin/drone
Anonymous:             0 kB
00c41000-00c42000 r--p 00801000 08:01 123                      /usr/bin/drone
Anonymous:             0 kB
7f0000000000-7f0000001000 r--p 00000000 00:00 0
Anonymous:             0 kB
7f0000001000-7f0000002000 r-xp 00000000 00:00 0                [vdso]
Anonymous:             0 kB
`
	want := []region{{0x400000, 0xc3f000}, {0xc41000, 0xc42000}}
	if got := unwritten(smaps); !slices.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}
