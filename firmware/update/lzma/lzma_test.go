package lzma

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os/exec"
	"slices"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

func unpack(b []byte) ([]byte, error) {
	r, err := NewReader(bytes.NewReader(b), 1<<30)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// program is bytes that look like code: words from a small dictionary, calls, and runs.
func program(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, 0, n+400)
	for len(b) < n {
		switch r.IntN(40) {
		case 0:
			b = append(b, make([]byte, r.IntN(400))...)
		case 1, 2:
			t := r.Uint32N(50)*4096 - uint32(len(b))/4
			b = append(b, byte(t), byte(t>>8), byte(t>>16), 0xEB)
		default:
			w := r.Uint32N(300) * 2654435761
			b = append(b, byte(w), byte(w>>8), byte(w>>16), byte(r.Uint32N(4)))
		}
	}
	return b[:n]
}

func TestPack(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	noise := make([]byte, 20_000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	code := program(1, 200_000)
	for _, c := range []struct {
		name string
		b    []byte
		o    Opts
		max  int
	}{
		{"nothing", nil, ForCode, 18},
		{"one", []byte{7}, ForCode, 20},
		{"zeros", make([]byte, 100_000), ForCode, 110},
		{"noise", noise, ForCode, 20_400},
		{"code", code, ForCode, 90_000},
		{"code twice", slices.Concat(code, code), ForCode, 90_500},
		{"code twice, the dictionary too small", slices.Concat(code, code), Opts{Dictionary: 1 << 16, LC: 3, PB: 2}, 200_000},
		{"a long distance", slices.Concat(noise, make([]byte, 300_000), noise), Opts{LC: 3, PB: 2}, 20_600},
	} {
		p := Pack(c.b, c.o)
		got, err := unpack(p)
		if err != nil || !bytes.Equal(got, c.b) {
			t.Errorf("%s: %v", c.name, err)
		}
		if len(p) > c.max {
			t.Errorf("%s: %d bytes, over %d", c.name, len(p), c.max)
		}
		if xz, err := exec.LookPath("xz"); err == nil { // another's decoder reads it
			cmd := exec.Command(xz, "--format=lzma", "-dc")
			cmd.Stdin = bytes.NewReader(p)
			if out, err := cmd.Output(); err != nil || !bytes.Equal(out, c.b) {
				t.Errorf("%s: xz: %v", c.name, err)
			}
		}
	}
}

// What another packer made is read.
func TestReadsXZ(t *testing.T) {
	xz, err := exec.LookPath("xz")
	if err != nil {
		t.Skip("needs xz")
	}
	b := program(2, 150_000)
	for _, lc := range []string{"lc=3,lp=0,pb=2", "lc=0,lp=4,pb=4", "lc=1,lp=1,pb=0"} {
		cmd := exec.Command(xz, "--format=lzma", "--lzma1=dict=1MiB,"+lc, "-c")
		cmd.Stdin = bytes.NewReader(b)
		p, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		// xz writes to a pipe with an unknown size and an end mark; the size is put in.
		copy(p[5:], []byte{byte(len(b)), byte(len(b) >> 8), byte(len(b) >> 16), 0, 0, 0, 0, 0})
		if got, err := unpack(p); err != nil || !bytes.Equal(got, b) {
			t.Errorf("%s: %v", lc, err)
		}
	}
}

func TestAnyBytes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := bytes.Join(rapid.SliceOfN(rapid.SliceOfN(rapid.ByteRange(0, rapid.ByteRange(0, 255).Draw(rt, "top")), 0, 50), 0, 30).Draw(rt, "parts"), nil)
		b = append(b, b[len(b)/3:]...)
		o := Opts{Dictionary: 4096, LC: uint(rapid.IntRange(0, 2).Draw(rt, "lc")), LP: uint(rapid.IntRange(0, 2).Draw(rt, "lp")), PB: uint(rapid.IntRange(0, 4).Draw(rt, "pb"))}
		p := Pack(b, o)
		r, err := NewReader(iotest.HalfReader(bytes.NewReader(p)), uint64(len(b)))
		if err != nil {
			rt.Fatal(err)
		}
		got, err := io.ReadAll(iotest.OneByteReader(r))
		if err != nil || !bytes.Equal(got, b) {
			rt.Fatalf("%x: %x %v", b, got, err)
		}
		if len(b) > 0 { // the last five bytes are the coder's flush and may be unused
			cut := rapid.IntRange(0, max(len(p)-6, 0)).Draw(rt, "cut")
			if got, err := unpack(p[:cut]); err == nil && !bytes.Equal(got, b) {
				rt.Fatal("a cut stream is one")
			}
		}
	})
}

func TestBadStream(t *testing.T) {
	good := Pack(program(3, 3000), ForCode)
	with := func(at int, v ...byte) []byte { b := slices.Clone(good); copy(b[at:], v); return b }
	for _, c := range []struct {
		name string
		b    []byte
		want error
	}{
		{"empty", nil, io.ErrUnexpectedEOF},
		{"half a header", good[:9], io.ErrUnexpectedEOF},
		{"properties", with(0, 225), ErrStream},
		{"lc and lp too many", with(0, 8), ErrStream},
		{"a greedy dictionary", with(1, 0, 0, 0, 0xFF), ErrStream},
		{"endless", with(5, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF), ErrStream},
		{"first byte", with(headerSize, 1), ErrStream},
		{"a distance before the start", with(headerSize, 0, 0xFF, 0xFF, 0xFF, 0xFF), ErrStream},
		{"cut", good[:len(good)/2], io.ErrUnexpectedEOF},
	} {
		if _, err := unpack(c.b); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestBranches(t *testing.T) {
	for _, f := range []Filter{NoFilter, ARM, ARM64} {
		rapid.Check(t, func(rt *rapid.T) {
			op := rapid.SampledFrom([]byte{0xEB, 0x94, 0x97, 0x90, 0xB0, 0xF0, 0x00, 0xD0})
			var b []byte
			for range rapid.IntRange(0, 40).Draw(rt, "n") {
				b = append(b, byte(rapid.Byte().Draw(rt, "a")), byte(rapid.Byte().Draw(rt, "b")), rapid.SampledFrom([]byte{0, 1, 0x7F, 0xFF, 0xC0}).Draw(rt, "c"), op.Draw(rt, "op"))
			}
			b = append(b, make([]byte, rapid.IntRange(0, 3).Draw(rt, "tail"))...)
			x := slices.Clone(b)
			Branches(f, x, 0, false)
			got, err := io.ReadAll(FilterReader(f, iotest.OneByteReader(bytes.NewReader(x))))
			if err != nil || !bytes.Equal(got, b) {
				rt.Fatalf("%v: %x is %x", f, b, got)
			}
		})
	}
	// Two calls of one function look alike.
	b := []byte{0x10, 0, 0, 0xEB, 0, 0, 0, 0, 0x0E, 0, 0, 0xEB}
	Branches(ARM, b, 0, false)
	if !bytes.Equal(b[:4], b[8:]) || b[0] != 0x12 {
		t.Errorf("% X", b)
	}
	b = []byte{0x10, 0, 0, 0x94, 0, 0, 0, 0, 0x0E, 0, 0, 0x94}
	Branches(ARM64, b, 0, false)
	if !bytes.Equal(b[:4], b[8:]) {
		t.Errorf("% X", b)
	}
}

// Whatever comes, the reader gives no more than it says and ends.
func FuzzReader(f *testing.F) {
	f.Add(Pack(program(4, 2000), ForCode))
	f.Add(Pack(make([]byte, 5000), Opts{LC: 3, PB: 2}))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := NewReader(bytes.NewReader(b), 1<<16)
		if err != nil {
			return
		}
		got, err := io.ReadAll(r)
		if uint64(len(got)) > r.Size() || err == nil && uint64(len(got)) != r.Size() {
			t.Fatalf("%d of %d bytes: %v", len(got), r.Size(), err)
		}
	})
}

func BenchmarkUnpack(b *testing.B) {
	code := program(5, 1<<20)
	p := Pack(code, ForCode)
	b.SetBytes(int64(len(code)))
	for b.Loop() {
		unpack(p)
	}
}

func BenchmarkPack(b *testing.B) {
	code := program(5, 1<<20)
	b.SetBytes(int64(len(code)))
	for b.Loop() {
		Pack(code, ForCode)
	}
}
