package update

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"swipewell/firmware/sim/powercut"
	"swipewell/firmware/update/bundle"
	"swipewell/firmware/update/lzma"
)

// chunk is a block of an image that is more than a program: the same number gives
// the same bytes, and half of them do not shrink.
func chunk(n, size int) []byte {
	r := rand.New(rand.NewPCG(uint64(n), 9))
	b := make([]byte, size)
	for i := range b {
		if b[i] = byte(r.Uint32()); n%2 == 0 {
			b[i] &= 3
		}
	}
	return b
}

// fit is an image of such blocks and a rest.
func fit(rest int, numbers ...int) (b []byte) {
	for _, n := range numbers {
		b = append(b, chunk(n, 1<<16)...)
	}
	return append(b, chunk(99, rest)...)
}

// packed is a bundle of an image by blocks, build 2; and which payload they are.
func packed(t testing.TB, image []byte) (*bundle.Bundle, int) {
	t.Helper()
	b, err := bundle.Make(image, bundle.Opts{Product: "swipewell", Board: "demo", Version: version(2), Floor: version(1), Schemas: bundle.Schemas{Lo: 3, Hi: 3}, Filter: lzma.ARM, ByBlock: true})
	if err != nil {
		t.Fatal(err)
	}
	b.Sign(signer())
	return b, slices.IndexFunc(b.Manifest.Payloads, func(p bundle.Payload) bool { return p.Kind == bundle.Blocks })
}

// runs is a device whose slot A has image a, and in whose slot B b stands, whatever
// it is.
func runs(t testing.TB, a, b []byte) *world {
	t.Helper()
	w := factory(t, false)
	w.files["a"], w.files["b"] = bytes.Clone(a), bytes.Clone(b)
	w.says(t, a)
	return w
}

// says has the record name image a as what slot A holds.
func (w *world) says(t testing.TB, a []byte) {
	t.Helper()
	for range 2 { // both copies
		r, err := w.port().Load()
		ok(t, err)
		r.Images[A].Size, r.Images[A].Sum = int64(len(a)), sha256.Sum256(a)
		ok(t, w.port().Save(r))
	}
}

// asked is what a sender learns of a device.
func asked(t testing.TB, d *Device, m *bundle.Manifest, part int) bundle.Set {
	t.Helper()
	has := bundle.NewSet(len(m.Blocks))
	for first := 0; first < len(m.Blocks); first += part {
		q := Question{Bits: m.BlockBits, Size: m.Size, First: first}
		for _, s := range m.Blocks[first:min(first+part, len(m.Blocks))] {
			q.Heads = append(q.Heads, [8]byte(s[:8]))
		}
		s, err := d.Has(q)
		ok(t, err)
		for k := range q.Heads {
			if s.Has(k) {
				has.Add(first + k)
			}
		}
	}
	return has
}

// TestBlocks: what is asked for is what is missing, and with it the image is whole.
func TestBlocks(t *testing.T) {
	t.Parallel()
	image := fit(700, 2, 3, 4)
	half := slices.Concat(make([]byte, 1<<16), chunk(3, 1<<16), chunk(5, 1<<16))
	b, i := packed(t, image)
	for _, c := range []struct {
		name string
		a, b []byte
		lack []int
	}{
		{"all is new", fit(9, 7, 8), nil, []int{0, 1, 2, 3}},
		{"in the same places", fit(700, 2, 3, 5), nil, []int{2}},
		{"in others", fit(9, 4, 2), nil, []int{1, 3}},
		{"the other slot was half written", fit(9, 7), half, []int{0, 2, 3}},
		{"there, in another place", fit(9, 7), fit(9, 3), []int{0, 1, 2, 3}},
		{"both", fit(9, 4), half, []int{0, 3}},
		{"all in the running one", fit(700, 2, 3, 4), nil, nil},
		{"all in the other one, unknown to the record", fit(9, 7), image, nil},
		{"the same block, longer", fit(900, 2, 3, 4), nil, []int{3}},
	} {
		for _, part := range []int{1, 3, 127} {
			w := runs(t, c.a, c.b)
			d := w.at(A)
			has := asked(t, d, b.Manifest, part)
			want := bundle.NewSet(4)
			for _, k := range c.lack {
				want.Add(k)
			}
			missing := bundle.All(4).Without(has)
			if !bytes.Equal(missing, want) {
				t.Errorf("%s: %04b is missing, not %04b", c.name, missing, want)
				continue
			}
			m, err := d.Install(bytes.NewReader(b.Slim(i, missing)))
			if err != nil || m.Sum != b.Manifest.Sum || !bytes.Equal(w.files["b"][:len(image)], image) || !bytes.Equal(w.files["a"], c.a) {
				t.Errorf("%s: %v", c.name, err)
			}
			ok(t, w.at(A).Try())
			for k := range 4 { // one less is one too few
				if !missing.Has(k) {
					continue
				}
				w := runs(t, c.a, c.b)
				less := bytes.Clone(missing)
				less[0] &^= 1 << k
				_, err := w.at(A).Install(bytes.NewReader(b.Slim(i, less)))
				var r *Refusal
				if !errors.As(err, &r) || r.Reason != NoBase || !strings.Contains(r.Detail, "block "+string(rune('0'+k))+" of 4 is in neither slot") {
					t.Errorf("%s, without block %d: %v", c.name, k, err)
				}
				if rec, err := w.port().Load(); err != nil || rec.Images[B].Size != 0 || !bytes.Equal(w.files["a"], c.a) || !bytes.Equal(w.files["b"], c.b) {
					t.Errorf("%s, without block %d: %+v %v", c.name, k, rec, err)
				}
			}
		}
	}
}

// TestAnyBlocks: whatever the slots hold, what is sent is no more than what is
// missing, and the device ends with the image.
func TestAnyBlocks(t *testing.T) {
	t.Parallel()
	made := map[string]*bundle.Bundle{} // the last few: packing is slow
	rapid.Check(t, func(rt *rapid.T) {
		numbers := func(name string) []int { return rapid.SliceOfN(rapid.IntRange(1, 4), 0, 3).Draw(rt, name) }
		images := [][]int{{1, 2, 3}, {1, 1, 1}, {4, 3, 2}, {}}
		n := rapid.SampledFrom(images).Draw(rt, "image")
		rest := rapid.SampledFrom([]int{1, 777}).Draw(rt, "rest")
		image := fit(rest, n...)
		b := made[string(image)]
		if b == nil {
			b, _ = packed(t, image)
			made[string(image)] = b
		}
		i := slices.IndexFunc(b.Manifest.Payloads, func(p bundle.Payload) bool { return p.Kind == bundle.Blocks })
		a := fit(rapid.SampledFrom([]int{1, 5, 777}).Draw(rt, "a's rest"), numbers("a")...)
		other := fit(rapid.SampledFrom([]int{0, 1, 777}).Draw(rt, "b's rest"), numbers("b")...)
		w := runs(t, a, other)
		d := w.at(A)
		missing := bundle.All(len(b.Manifest.Blocks)).Without(asked(t, d, b.Manifest, rapid.IntRange(1, 5).Draw(rt, "part")))
		// By a second way: a block is there if the running slot has it at a multiple of
		// 64 KiB, or the other one in its place.
		for k := range b.Manifest.Blocks {
			at := k << 16
			want := image[at:min(at+1<<16, len(image))]
			there := len(other) >= at+len(want) && bytes.Equal(other[at:at+len(want)], want)
			for x := range slices.Chunk(a, 1<<16) {
				there = there || bytes.Equal(x, want)
			}
			if there == missing.Has(k) {
				rt.Fatalf("block %d: there %v, missing %v", k, there, missing.Has(k))
			}
		}
		file := b.Slim(i, missing)
		if most := len(b.Head.Append(nil)) + 2 + int(b.Manifest.Payloads[i].SizeOf(missing)); len(file) != most {
			rt.Fatalf("%d bytes, and %d are missing", len(file), most)
		}
		if rapid.Bool().Draw(rt, "anew") { // without what it remembers
			d = w.at(A)
		}
		if _, err := d.Install(bytes.NewReader(file)); err != nil {
			rt.Fatal(err)
		}
		if err := d.Try(); err != nil {
			rt.Fatal(err)
		}
		if !bytes.Equal(w.files["b"][:len(image)], image) || !bytes.Equal(w.files["a"], a) {
			rt.Fatal("another image")
		}
		if s := asked(t, d, b.Manifest, 127); !bytes.Equal(s, bundle.All(len(b.Manifest.Blocks))) {
			rt.Fatalf("it has them all, and says %04b", s)
		}
	})
}

// TestBlocksRot: what was there when it was asked, and is other when it is taken, or
// only begins with the same sum, is not written for the block that it was.
func TestBlocksRot(t *testing.T) {
	image := fit(700, 2, 3)
	b, i := packed(t, image)
	refused := func(name string, w *world, d *Device, file []byte) {
		t.Helper()
		a := bytes.Clone(w.files["a"])
		_, err := d.Install(bytes.NewReader(file))
		var r *Refusal
		if !errors.As(err, &r) || r.Reason != NoBase {
			t.Errorf("%s: %v", name, err)
		}
		if rec, err := w.port().Load(); err != nil || rec.Images[B].Size != 0 || len(rec.Order) != 1 || !bytes.Equal(w.files["a"], a) {
			t.Errorf("%s: %+v %v", name, rec, err)
		}
		if d.Try() == nil {
			t.Errorf("%s: and it may be tried", name)
		}
		// It does not believe itself the next time.
		if _, err := d.Install(bytes.NewReader(b.File(i))); err != nil || !bytes.Equal(w.files["b"][:len(image)], image) {
			t.Errorf("%s, and then all of it: %v", name, err)
		}
	}
	for _, slot := range []string{"a", "b"} {
		w := runs(t, fit(1, 9, 9), fit(1, 8, 8, 8))
		copy(w.files[slot][1<<16:], chunk(3, 1<<16))
		d := w.at(A)
		missing := bundle.All(3).Without(asked(t, d, b.Manifest, 127))
		if missing.Has(1) {
			t.Fatal("block 1 is there")
		}
		w.files[slot][1<<16+5] ^= 1
		refused("slot "+slot, w, d, b.Slim(i, missing))
	}
	// A running slot that cannot be read to its end has less, and takes all of it.
	w := runs(t, fit(9, 3, 9), nil)
	w.files["a"] = w.files["a"][:1<<16+9]
	if s := asked(t, w.at(A), b.Manifest, 127); !bytes.Equal(s, bundle.Set{2}) {
		t.Errorf("%04b", s)
	}
	_, err := w.at(A).Install(bytes.NewReader(b.File(i)))
	ok(t, err)
	// A sum that begins as another's.
	w = runs(t, fit(1, 9, 9), nil)
	d := w.at(A)
	_, err = d.Has(Question{Bits: 16, Size: int64(len(image)), Heads: [][8]byte{{}}})
	ok(t, err)
	forged := bundle.Sum(sha256.Sum256(chunk(9, 1<<16)))
	m := *b.Manifest
	m.Blocks = slices.Clone(m.Blocks)
	m.Blocks[1] = forged
	m.Blocks[1][31] ^= 1
	if s := asked(t, d, &m, 127); !s.Has(1) {
		t.Error("a hint is by the first bytes")
	}
	if k, err := d.lacks(&m, bundle.Set{5}); k != 1 || err != nil {
		t.Errorf("block %d, %v: it is taken for one that begins as it does", k, err)
	}
}

// TestBlocksInFiles: a stream with several sections.
func TestBlocksInFiles(t *testing.T) {
	image := fit(700, 2, 3)
	b, i := packed(t, image)
	section := func(want byte) []byte { return b.Slim(i, bundle.Set{want})[len(b.Head.Append(nil)):] }
	file := func(parts ...[]byte) []byte { return slices.Concat(append([][]byte{b.Head.Append(nil)}, parts...)...) }
	whole := b.File(1 - i)[len(b.Head.Append(nil)):]
	full := section(7)
	for _, c := range []struct {
		name string
		file []byte
		want Reason // 0: taken
	}{
		{"blocks that do not suffice, then the whole", file(section(1), whole), 0},
		{"the whole, then blocks", file(whole, full), 0},
		{"the whole, then blocks that are cut", file(whole, full[:9000]), 0},
		{"the whole, then blocks whose set is cut", file(whole, full[:1]), 0},
		{"all blocks", file(full), 0},
		{"all blocks twice", file(full, full), 0},
		{"some, then others", file(section(3), section(4)), NoBase},
		{"some that are cut", file(section(3)[:9000]), Cut},
		{"all that are cut", file(full[:len(full)-1]), Cut},
		{"no set", file(full[:1]), Cut},
		{"bits behind the last", file(append([]byte{full[0], 0xFF}, full[2:]...)), NotABundle},
		{"a byte of a block", file(append(slices.Clone(full[:len(full)-1]), full[len(full)-1]^1)), Damaged},
	} {
		w := runs(t, fit(9, 7), nil)
		_, err := w.at(A).Install(bytes.NewReader(c.file))
		var r *Refusal
		if c.want == 0 && err != nil || c.want != 0 && (!errors.As(err, &r) || r.Reason != c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := len(w.files["b"]) >= len(image) && bytes.Equal(w.files["b"][:len(image)], image); c.want == 0 && !got {
			t.Errorf("%s: another image", c.name)
		}
		if rec, err := w.port().Load(); err != nil || (rec.Images[B].Size != 0) != (c.want == 0) {
			t.Errorf("%s: %+v %v", c.name, rec, err)
		}
	}
}

// TestQuestions: what no image has is no question.
func TestQuestions(t *testing.T) {
	d := runs(t, fit(9, 7), nil).at(A)
	heads := make([][8]byte, 2)
	for _, q := range []Question{{Bits: 11, Size: 9999, Heads: heads}, {Bits: 17, Size: 1 << 20, Heads: heads}, {Bits: 16, Size: 0, Heads: heads}, {Bits: 16, Size: slotSize + 1, Heads: heads},
		{Bits: 16, Size: 1 << 16, Heads: heads}, {Bits: 16, Size: 1 << 17, First: 1, Heads: heads}, {Bits: 16, Size: -5, Heads: heads}, {Bits: 12, Size: 1 << 16, First: -1, Heads: heads}} {
		if _, err := d.Has(q); err == nil {
			t.Errorf("%+v", q)
		}
	}
	if _, err := d.Has(Question{Bits: 16, Size: 1<<16 + 1, Heads: heads}); err != nil {
		t.Error(err)
	}
}

// reads counts what is read of a slot.
type reads struct {
	Medium
	n *int
}

func (r reads) ReadAt(p []byte, off int64) (int, error) {
	*r.n += len(p)
	return r.Medium.ReadAt(p, off)
}

// TestAskedOnce: however often it is asked, each slot is read once.
func TestAskedOnce(t *testing.T) {
	w := runs(t, fit(9, 7, 8), fit(9, 1, 2))
	d, n := w.at(A), 0
	for s := range d.o.Slots {
		d.o.Slots[s] = reads{d.o.Slots[s], &n}
	}
	b, _ := packed(t, fit(700, 2, 3))
	for range 5 {
		asked(t, d, b.Manifest, 1)
	}
	if most := 4 << 16; n > most+(5*3)<<16 || n == 0 {
		t.Errorf("%d bytes", n)
	}
	first := n
	asked(t, d, b.Manifest, 127)
	if n-first > 1<<16 { // only what could not be read then
		t.Errorf("%d bytes again", n-first)
	}
}

// TestPowerCutBlocks cuts an update by blocks after each write and sync: the old
// build boots, and the same file goes through afterwards, by what the slots hold
// then; so does one made by what the device says then, which is never larger.
func TestPowerCutBlocks(t *testing.T) {
	for name, uboot := range map[string]bool{"plain": false, "u-boot": true} {
		t.Run(name, func(t *testing.T) { t.Parallel(); cutBlocks(t, uboot) })
	}
}

func cutBlocks(t *testing.T, uboot bool) {
	image := fit(700, 2, 3, 4)
	b, i := packed(t, image)
	w := factory(t, uboot)
	a, other := fit(9, 4, 9), slices.Concat(chunk(6, 1<<16), chunk(3, 1<<16), chunk(6, 1<<16))
	put := func(f string, data []byte) {
		_, err := medium{w, f}.WriteAt(data, 0)
		ok(t, err)
		ok(t, medium{w, f}.Sync())
	}
	put("a", a)
	put("b", other)
	w.says(t, a)
	start := len(w.ops)
	d := w.at(A)
	missing := bundle.All(4).Without(asked(t, d, b.Manifest, 127))
	if !bytes.Equal(missing, bundle.Set{0b1001}) {
		t.Fatalf("%04b", missing)
	}
	file := b.Slim(i, missing)
	_, err := d.Install(bytes.NewReader(file))
	ok(t, err)
	ok(t, d.Try())
	disk, images, less := powercut.NewDisk(), 0, 0
	for n, op := range w.ops {
		disk.Do(op)
		if n+1 < start {
			continue
		}
		for k := range 30 {
			cut := &world{files: disk.Image(rand.New(rand.NewPCG(uint64(n), uint64(k))), powercut.Style(k%int(powercut.Torn+1))), uboot: uboot}
			images++
			s, err := cut.boot()
			if err != nil {
				t.Fatalf("cut after op %d (%d %s): %v", n, op.Kind, op.Path, err)
			}
			if s == B {
				continue
			}
			d := cut.at(A)
			_, _, err = d.Started()
			ok(t, err)
			ok(t, d.Confirm())
			again := file
			if k%2 == 1 {
				now := bundle.All(4).Without(asked(t, d, b.Manifest, 127))
				if len(now.Without(missing)) > 0 && now.Without(missing)[0] != 0 {
					t.Fatalf("cut after op %d: %04b is missing now, and %04b was", n, now, missing)
				}
				if again = b.Slim(i, now); len(again) < len(file) {
					less++
				}
			}
			if _, err := d.Install(bytes.NewReader(again)); err != nil {
				t.Fatalf("cut after op %d (%d %s), style %d: %v", n, op.Kind, op.Path, k, err)
			}
			ok(t, d.Try())
			if s, err := cut.boot(); err != nil || s != B || !bytes.Equal(cut.files["b"][:len(image)], image) {
				t.Fatalf("cut after op %d: slot %v, %v", n, s, err)
			}
		}
	}
	t.Logf("%d ops, %d images, %d times less to send", len(w.ops)-start, images, less)
	if images < 200 || less == 0 {
		t.Error("few")
	}
}

// FuzzInstall: whatever follows a signed head, no block comes into a slot that is
// not the image's, and the running slot stays.
func FuzzInstall(f *testing.F) {
	flat := func(numbers ...byte) (b []byte) { // sections of some hundred bytes
		for _, n := range numbers {
			b = append(b, bytes.Repeat([]byte{n, 0, 1, n}, 1<<14)...)
		}
		return append(b, chunk(1, 40)...)
	}
	image := flat(2, 3)
	b, i := packed(f, image)
	head := b.Head.Append(nil)
	for _, s := range []byte{0, 1, 6, 7} {
		f.Add(b.Slim(i, bundle.Set{s})[len(head):])
	}
	f.Add([]byte{byte(i), 0xFF})
	a, other := flat(3, 7), flat(5)
	f.Fuzz(func(t *testing.T, sections []byte) {
		w := runs(t, a, other)
		_, err := w.at(A).Install(io.MultiReader(bytes.NewReader(head), bytes.NewReader(sections)))
		if !bytes.Equal(w.files["a"], a) {
			t.Fatal("the running slot was touched")
		}
		got := w.files["b"]
		for k := 0; k < len(got); k += 1 << 16 {
			x := got[k:min(k+1<<16, len(got))]
			if !bytes.Equal(x, other[min(k, len(other)):min(k+len(x), len(other))]) && !bytes.HasPrefix(x, image[min(k, len(image)):min(k+1<<16, len(image))]) {
				t.Fatalf("block %d is neither the old nor the image's", k>>16)
			}
		}
		if rec, e := w.port().Load(); e != nil || (rec.Images[B].Size != 0) != (err == nil) || err == nil && !bytes.HasPrefix(got, image) {
			t.Fatalf("%+v %v %v", rec, e, err)
		}
	})
}
