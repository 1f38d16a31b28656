package bundle_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"swipewell/firmware/update/bundle"
	"swipewell/firmware/update/lzma"
)

const block = 1 << 16

// mixed is like a FIT: blocks of code, and blocks that do not shrink.
func mixed(seed uint64, n int) []byte {
	b := build(seed, n)
	r := rand.New(rand.NewPCG(seed, 7))
	for at := block; at < n; at += 2 * block {
		for i := at; i < min(at+block, n); i++ {
			b[i] = byte(r.Uint32())
		}
	}
	return b
}

// byBlock is a bundle of three blocks and a rest, without a delta.
func byBlock(t testing.TB, f lzma.Filter) (b *bundle.Bundle, i int, image []byte) {
	t.Helper()
	image = mixed(3, 3*block+777)
	o := opts()
	o.Filter, o.ByBlock = f, true
	b, err := bundle.Make(image, o)
	if err != nil {
		t.Fatal(err)
	}
	_, k := key(1)
	b.Sign(k)
	i = slices.IndexFunc(b.Manifest.Payloads, func(p bundle.Payload) bool { return p.Kind == bundle.Blocks })
	return b, i, image
}

// from gives blocks of an image, as a device would.
func from(image []byte) func(int, []byte) error {
	return func(k int, b []byte) error { copy(b, image[k*block:]); return nil }
}

func unpack(m *bundle.Manifest, i int, section []byte, have func(int, []byte) error) (got []byte, err error) {
	r := bytes.NewReader(section)
	s, err := bundle.ReadSet(r, m)
	if err != nil {
		return nil, err
	}
	err = bundle.UnpackBlocks(m, i, s, r, have, func(_ int, b []byte) error { got = append(got, b...); return nil })
	if err == nil && r.Len() != 0 {
		err = errors.New("bytes are left")
	}
	return got, err
}

func TestBlocks(t *testing.T) {
	for _, f := range []lzma.Filter{lzma.NoFilter, lzma.ARM, lzma.ARM64} {
		b, i, image := byBlock(t, f)
		p := b.Manifest.Payloads[i]
		if len(p.Pieces) != 4 || p.Sizes[0] > block/2 || p.Sizes[1] != block || p.Pieces[1] != b.Manifest.Blocks[1] {
			t.Fatalf("%v: %+v", f, p.Sizes)
		}
		if got, err := unpack(b.Manifest, i, b.Packed[i], bundle.Missing); err != nil || !bytes.Equal(got, image) {
			t.Errorf("%v: %v", f, err)
		}
		q, err := bundle.Parse(b.File())
		if err != nil || !bytes.Equal(q.File(), b.File()) {
			t.Errorf("%v: %v", f, err)
		}
		// Which sections a file has, and in which order, does not matter.
		for _, only := range [][]int{{i}, {0, 1}} {
			got, err := install(b.File(only...), nil, ring(1, 1))
			if err != nil || !bytes.Equal(got, image) {
				t.Errorf("%v, %v: %v", f, only, err)
			}
		}
	}
}

// TestSlim: a file with some of the blocks is as large as those, and gives the image
// where the others are.
func TestSlim(t *testing.T) {
	b, i, image := byBlock(t, lzma.ARM)
	head := len(b.Head.Append(nil))
	for bits := range 16 {
		want := bundle.Set{byte(bits)}
		file := b.Slim(i, want)
		if n := head + 2 + int(b.Manifest.Payloads[i].SizeOf(want)); len(file) != n {
			t.Errorf("%04b: %d bytes, not %d", bits, len(file), n)
		}
		q, err := bundle.Parse(file)
		if err != nil || !bytes.Equal(q.Set(i), want) || !bytes.Equal(q.Slim(i, bundle.All(4)), file) {
			t.Errorf("%04b: %v", bits, err)
			continue
		}
		got, err := unpack(q.Manifest, i, q.Packed[i], from(image))
		if err != nil || !bytes.Equal(got, image) {
			t.Errorf("%04b: %v", bits, err)
		}
		if _, err := unpack(q.Manifest, i, q.Packed[i], bundle.Missing); bits != 15 && !errors.Is(err, bundle.ErrBase) {
			t.Errorf("%04b, and the others nowhere: %v", bits, err)
		}
		other := bytes.Clone(image)
		for k := range 4 {
			other[k*block+9] ^= 1
		}
		if got, err := unpack(q.Manifest, i, q.Packed[i], from(other)); bits != 15 && (!errors.Is(err, bundle.ErrBase) || !bytes.HasPrefix(image, got)) {
			t.Errorf("%04b, and the others are not what they were: %v", bits, err)
		}
	}
}

// TestHostileSections: a section that says other than the manifest gives no block.
func TestHostileSections(t *testing.T) {
	b, i, image := byBlock(t, lzma.ARM)
	p := b.Manifest.Payloads[i]
	full := b.Packed[i]
	at := func(k int) (n int) { // where packed block k stands
		for _, s := range p.Sizes[:k] {
			n += int(s)
		}
		return n + 1
	}
	swapped := bytes.Clone(full[:1])
	swapped = append(append(append(swapped, full[at(1):at(2)]...), full[at(0):at(1)]...), full[at(2):]...)
	for name, c := range map[string]struct {
		section []byte
		want    error
	}{
		"bits behind the last block":       {append([]byte{0x1F}, full[1:]...), bundle.ErrNotABundle},
		"a block of another number":        {swapped, bundle.ErrPiece},
		"one block less than it says":      {append([]byte{0x0F}, full[at(1):]...), bundle.ErrPiece},
		"cut":                              {full[:len(full)-1], io.ErrUnexpectedEOF},
		"no set":                           {nil, io.ErrUnexpectedEOF},
		"a byte of a block that is packed": {flipped(full, 40), bundle.ErrPiece},
		"a byte of one that is not":        {flipped(full, at(1)+40), bundle.ErrPiece},
	} {
		got, err := unpack(b.Manifest, i, c.section, bundle.Missing)
		if !errors.Is(err, c.want) || !bytes.HasPrefix(image, got) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := bundle.Parse(append(append(b.Head.Append(nil), byte(i)), c.section...)); err == nil {
			t.Errorf("%s, parsed: %v", name, err)
		}
	}
	twice := append(b.File(i), append([]byte{byte(i)}, full...)...)
	if _, err := bundle.Parse(twice); !errors.Is(err, bundle.ErrNotABundle) {
		t.Errorf("a section twice: %v", err)
	}
	// A signed stream that gives too much or too little is no block either.
	for name, n := range map[string]int{"longer": block + 1, "shorter": block - 1} {
		m := *b.Manifest
		m.Payloads = slices.Clone(m.Payloads)
		packed := lzma.Pack(make([]byte, n), lzma.ForCode)
		q := &m.Payloads[i]
		q.Sizes, q.Pieces = slices.Clone(p.Sizes), slices.Clone(p.Pieces)
		q.Sizes[0], q.Pieces[0] = int64(len(packed)), sha256.Sum256(packed)
		if _, err := unpack(&m, i, append([]byte{1}, packed...), from(image)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func flipped(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1
	return b
}

func TestBadBlocks(t *testing.T) {
	b, i, _ := byBlock(t, lzma.NoFilter)
	change := func(f func(m *bundle.Manifest, p *bundle.Payload)) []byte {
		m := *b.Manifest
		m.Payloads = slices.Clone(m.Payloads)
		p := &m.Payloads[i]
		p.Sizes, p.Pieces = slices.Clone(p.Sizes), slices.Clone(p.Pieces)
		f(&m, p)
		return m.Append(nil)
	}
	for name, raw := range map[string][]byte{
		"twice":                  change(func(m *bundle.Manifest, p *bundle.Payload) { m.Payloads = append(m.Payloads, *p) }),
		"larger than its block":  change(func(_ *bundle.Manifest, p *bundle.Payload) { p.Sizes[3] = 778 }),
		"raw, and another block": change(func(_ *bundle.Manifest, p *bundle.Payload) { p.Pieces[1][3] ^= 1 }),
		"one less":               change(func(_ *bundle.Manifest, p *bundle.Payload) { p.Sizes, p.Pieces = p.Sizes[1:], p.Pieces[1:] }),
		"one more": change(func(_ *bundle.Manifest, p *bundle.Payload) {
			p.Sizes, p.Pieces = append(p.Sizes, 9), append(p.Pieces, bundle.Sum{})
		}),
		"filter": change(func(_ *bundle.Manifest, p *bundle.Payload) { p.Filter = 9 }),
	} {
		if _, err := bundle.ParseManifest(raw); !errors.Is(err, bundle.ErrManifest) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := bundle.ParseManifest(b.Raw); err != nil {
		t.Error(err)
	}
}

// TestWorth: a FIT, or a base that shares an eighth; else not.
func TestWorth(t *testing.T) {
	image := mixed(1, 16*block)
	shares := func(n int) []byte { return append(mixed(2, 5*block), image[3*block:(3+n)*block]...) }
	for _, c := range []struct {
		name  string
		image []byte
		bases [][]byte
		want  bool
	}{
		{"no base", image, nil, false},
		{"a FIT", append([]byte{0xD0, 0x0D, 0xFE, 0xED}, image...), nil, true},
		{"two of 16", image, [][]byte{shares(2)}, true},
		{"one of 16", image, [][]byte{shares(1)}, false},
		{"the second base", image, [][]byte{shares(1), shares(2)}, true},
		{"the same, moved by a byte", image, [][]byte{image[1:]}, false},
		{"empty", nil, [][]byte{image}, false},
	} {
		if got := bundle.Worth(c.image, c.bases...); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// TestIndex: a block is found where it is, and by its whole sum only.
func TestIndex(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, 9).Draw(rt, "blocks")
		var image []byte
		for range n {
			image = append(image, bytes.Repeat([]byte{rapid.ByteRange(0, 3).Draw(rt, "kind")}, 4096)...)
		}
		image = append(image, make([]byte, rapid.IntRange(0, 4095).Draw(rt, "rest"))...)
		x := bundle.IndexOf(bytes.NewReader(image), int64(len(image)), 12)
		for b := range slices.Chunk(image, 4096) {
			s := bundle.Sum(sha256.Sum256(b))
			k, ok := x.Find(s)
			if !ok || !x.Begins([8]byte(s[:8])) || !bytes.Equal(image[k*4096:min(len(image), k*4096+len(b))], b) {
				rt.Fatalf("%d %v", k, ok)
			}
			if s[20] ^= 1; x.Begins([8]byte(s[:8])) {
				if _, ok := x.Find(s); ok {
					rt.Fatal("found by the first bytes of its sum")
				}
			}
		}
		// Of one that ends early the last block is not there, unless it is elsewhere.
		short := append(bytes.Clone(image), 1, 2, 3)
		y := bundle.IndexOf(bytes.NewReader(short), int64(len(short))+1, 12)
		if _, ok := y.Find(sha256.Sum256(short[(len(short)-1)/4096*4096:])); ok {
			rt.Fatal("half a block is found")
		}
	})
}
