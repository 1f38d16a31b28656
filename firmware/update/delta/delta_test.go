package delta

import (
	"bytes"
	"errors"
	"index/suffixarray"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

func apply(old, patch []byte, size int) ([]byte, error) {
	return io.ReadAll(NewReader(bytes.NewReader(old), int64(len(old)), bytes.NewReader(patch), int64(size)))
}

// program is bytes that look like code: words from a small dictionary.
func program(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, 0, n+8)
	for len(b) < n {
		w := r.Uint32N(600) * 2654435761
		b = append(b, byte(w), byte(w>>8), byte(w>>16), byte(r.Uint32N(4)))
	}
	return b[:n]
}

func TestMakeApply(t *testing.T) {
	old := program(1, 50_000)
	for _, c := range []struct {
		name string
		old  []byte
		new  []byte
		max  int // bytes of the patch that are not zero
	}{
		{"both empty", nil, nil, 0},
		{"from nothing", nil, []byte("new"), 6},
		{"to nothing", old, nil, 0},
		{"the same", old, old, 8},
		{"one byte", old, change(old, func(b []byte) []byte { b[777]++; return b }), 8},
		{"a byte in", old, slices.Insert(slices.Clone(old), 20_000, 'x'), 20},
		{"a block out", old, slices.Delete(slices.Clone(old), 10_000, 14_000), 20},
		{"a block moved", old, slices.Concat(old[30_000:], old[:30_000]), 24},
		{"every branch moved on", old, change(old, func(b []byte) []byte {
			for i := 3; i < len(b); i += 40 {
				b[i]++
			}
			return b
		}), 50_000/40 + 20},
		{"zeros", make([]byte, 5000), make([]byte, 9000), 24},
	} {
		p := Make(c.old, c.new)
		got, err := apply(c.old, p, len(c.new))
		if err != nil || !bytes.Equal(got, c.new) {
			t.Errorf("%s: %v", c.name, err)
		}
		weight := 0
		for _, b := range p {
			if b != 0 {
				weight++
			}
		}
		if weight > c.max {
			t.Errorf("%s: %d bytes are not zero, over %d", c.name, weight, c.max)
		}
	}
}

func change(b []byte, f func([]byte) []byte) []byte { return f(slices.Clone(b)) }

func TestAnyTwo(t *testing.T) {
	piece := rapid.SliceOfN(rapid.ByteRange('a', 'd'), 0, 60)
	rapid.Check(t, func(rt *rapid.T) {
		old := bytes.Join(rapid.SliceOfN(piece, 0, 8).Draw(rt, "old"), nil)
		var now []byte
		for range rapid.IntRange(0, 6).Draw(rt, "parts") {
			if len(old) > 0 && rapid.Bool().Draw(rt, "copy") {
				a := rapid.IntRange(0, len(old)).Draw(rt, "from")
				now = append(now, old[a:rapid.IntRange(a, len(old)).Draw(rt, "to")]...)
			} else {
				now = append(now, piece.Draw(rt, "new")...)
			}
		}
		p := Make(old, now)
		r := NewReader(bytes.NewReader(old), int64(len(old)), iotest.OneByteReader(bytes.NewReader(p)), int64(len(now)))
		got, err := io.ReadAll(iotest.HalfReader(r))
		if err != nil || !bytes.Equal(got, now) {
			rt.Fatalf("%q from %q: %q %v", now, old, got, err)
		}
		if len(p) > 0 {
			if _, err := apply(old, p[:len(p)-1], len(now)); err == nil {
				rt.Fatal("a cut patch is one")
			}
		}
	})
}

func TestSuffixArray(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := rapid.SliceOfN(rapid.ByteRange(0, rapid.ByteRange(0, 255).Draw(rt, "top")), 0, 300).Draw(rt, "s")
		want := make([]int32, len(s))
		for i := range want {
			want[i] = int32(i)
		}
		slices.SortFunc(want, func(a, b int32) int { return bytes.Compare(s[a:], s[b:]) })
		if got := suffixArray(s, 255); !slices.Equal(got, want) {
			rt.Fatalf("%v: %v, want %v", s, got, want)
		}
	})
}

func TestLongest(t *testing.T) {
	old := program(2, 4000)
	sa, idx := suffixArray(old, 255), suffixarray.New(old)
	r := rand.New(rand.NewPCG(3, 3))
	for range 500 {
		at := r.IntN(len(old) - 50)
		what := append(slices.Clone(old[at:at+r.IntN(50)]), byte(r.IntN(256)), byte(r.IntN(256)))
		pos, n := longest(sa, old, what)
		if !bytes.Equal(old[pos:pos+n], what[:n]) || n < len(what) && len(idx.Lookup(what[:n+1], 1)) > 0 {
			t.Fatalf("%d bytes at %d, and there is a longer one", n, pos)
		}
	}
}

func TestBadPatch(t *testing.T) {
	old := []byte("0123456789")
	for _, c := range []struct {
		name  string
		patch []byte
		size  int
		want  error
	}{
		{"empty", nil, 1, io.ErrUnexpectedEOF},
		{"longer than the build", []byte{0, 0, 5, 'a', 'b', 'c', 'd', 'e'}, 3, ErrPatch},
		{"nothing done", []byte{0, 0, 0}, 3, ErrPatch},
		{"past the old build", append([]byte{0, 11, 0}, make([]byte, 11)...), 11, ErrPatch},
		{"before the old build", []byte{0, 1, 0, 0, 3, 1, 0, 0}, 2, ErrPatch},
		{"far jump", []byte{0xFE, 0xFF, 3, 1, 0, 0}, 1, ErrPatch},
		{"endless number", bytes.Repeat([]byte{0xFF}, 20), 1, nil},
		{"jump beyond, for new bytes", []byte{22, 0, 1, 'a'}, 1, ErrPatch},
	} {
		_, err := apply(old, c.patch, c.size)
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// A patch from anywhere gives at most the size that was asked for, or an error.
func FuzzApply(f *testing.F) {
	old := program(4, 2000)
	f.Add(Make(old, change(old, func(b []byte) []byte { b[9]++; return b[:1500] })), 1500)
	f.Add([]byte{3, 1, 0, 0}, 1)
	f.Fuzz(func(t *testing.T, patch []byte, size int) {
		size &= 0xFFFF
		got, err := apply(old, patch, size)
		if len(got) > size || err == nil && len(got) != size {
			t.Fatalf("%d bytes of %d: %v", len(got), size, err)
		}
	})
}

func BenchmarkMake(b *testing.B) {
	old := program(5, 1<<20)
	now := slices.Insert(slices.Clone(old), 300_000, program(6, 5000)...)
	b.SetBytes(int64(len(now)))
	for b.Loop() {
		Make(old, now)
	}
}
