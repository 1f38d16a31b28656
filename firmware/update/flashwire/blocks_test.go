package flashwire

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"

	"swipewell/firmware/update"
	"swipewell/firmware/update/bundle"
	"swipewell/firmware/update/updatesim"
)

// manifest has n blocks of 4 KiB, of which a device with the image has all.
func manifest(t testing.TB, n int) (*bundle.Manifest, []byte) {
	t.Helper()
	image := noise(n<<12 - 7)
	m := &bundle.Manifest{Size: int64(len(image)), BlockBits: 12}
	for at := 0; at < len(image); at += 1 << 12 {
		s, err := bundle.SumOf(bytes.NewReader(image[at:]), int64(min(1<<12, len(image)-at)))
		if err != nil {
			t.Fatal(err)
		}
		m.Blocks = append(m.Blocks, s)
	}
	return m, image
}

// ask plays a question to its end; lose says which frames do not arrive.
func ask(t testing.TB, m *bundle.Manifest, d *Device, lose func() bool) (set bundle.Set, took time.Duration, frames int) {
	t.Helper()
	a := NewAskBlocks(m)
	for !a.Done() {
		f, wake, err := a.Next(took)
		if err != nil || frames > 1000 {
			t.Fatal(err, frames)
		}
		if f == nil {
			took = wake
			continue
		}
		frames++
		if len(f) > maxBody+8 {
			t.Fatalf("a frame of %d bytes", len(f))
		}
		if lose() {
			continue
		}
		var there, back Splitter
		there.Feed(f, func(f Frame) {
			for _, out := range d.Got(f) {
				if !lose() {
					back.Feed(out, a.Got, func() {})
				}
			}
		}, func() {})
	}
	return a.Set(), took, frames
}

// TestAskBlocks: every block that the device has, over a line that loses frames.
func TestAskBlocks(t *testing.T) {
	never := func() bool { return false }
	rapid.Check(t, func(rt *rapid.T) {
		m, image := manifest(t, rapid.SampledFrom([]int{1, 8, 126, 127, 128, 254, 300}).Draw(rt, "blocks"))
		old, want := bytes.Clone(image), bundle.All(len(m.Blocks))
		for range rapid.IntRange(0, 5).Draw(rt, "changes") {
			k := rapid.IntRange(0, len(m.Blocks)-1).Draw(rt, "block")
			old[k<<12] ^= 0x55
			want[k/8] &^= 1 << (k % 8)
			if old[k<<12] == image[k<<12] { // turned back
				want.Add(k)
			}
		}
		dev, err := updatesim.Device(old, 4<<20, nil)
		if err != nil {
			rt.Fatal(err)
		}
		d := &Device{Has: dev.Has}
		set, took, frames := ask(t, m, d, never)
		if !bytes.Equal(set, want) || took != 0 || frames != (len(m.Blocks)+126)/127 {
			rt.Fatalf("%x, not %x; %v, %d frames", set, want, took, frames)
		}
		dice := rapid.SliceOfN(rapid.Bool(), 8, 8).Draw(rt, "lost")
		n := 0
		set, _, _ = ask(t, m, d, func() bool { n++; return n <= len(dice) && dice[n-1] })
		if !bytes.Equal(set, want) {
			rt.Fatalf("frames lost: %x, not %x", set, want)
		}
	})
}

// TestNobodyKnowsBlocks: a device that does not know the question, or says no, has
// none, and little time was lost.
func TestNobodyKnowsBlocks(t *testing.T) {
	m, _ := manifest(t, 5)
	never := func() bool { return false }
	if set, took, _ := ask(t, m, &Device{}, never); set != nil || took > BlocksWait {
		t.Errorf("%x after %v", set, took)
	}
	dev, err := updatesim.Device(noise(9000), 4<<10, nil) // the image is larger than its slots
	if err != nil {
		t.Fatal(err)
	}
	if set, took, frames := ask(t, m, &Device{Has: dev.Has}, never); set != nil || took != 0 || frames != 1 {
		t.Errorf("%x after %v", set, took)
	}
	a := NewAskBlocks(m)
	if _, _, err := a.Next(0); err != nil {
		t.Fatal(err)
	}
	a.Got(Frame{Failed, body(Trouble{Again: true})}) // about a transfer of before
	a.Got(Frame{Has, []byte{0, 1, 31}})              // of another part
	a.Got(Frame{Has, []byte{0, 0, 31, 0}})           // of more blocks than were asked for
	if a.Done() {
		t.Error("taken for the answer")
	}
	if a.Got(Frame{Has, []byte{0, 0, 31}}); !a.Done() || !bytes.Equal(a.Set(), bundle.Set{31}) {
		t.Errorf("%x", a.Set())
	}
}

// TestOddQuestions are answered with a sentence.
func TestOddQuestions(t *testing.T) {
	asked := 0
	d := &Device{Has: func(q update.Question) (bundle.Set, error) { asked++; return bundle.NewSet(len(q.Heads)), nil }}
	m, _ := manifest(t, 300)
	for _, n := range []int{0, 3, 6, 7, 14, 16, questionHead + 8*(askBlocks+1)} {
		out := d.Got(Frame{Have, make([]byte, n)})
		var s Splitter
		for _, o := range out {
			s.Feed(o, func(f Frame) {
				if f.Type != Failed {
					t.Errorf("%d bytes: type %d", n, f.Type)
				}
			}, func() {})
		}
		if len(out) != 1 || asked != 0 {
			t.Errorf("%d bytes: %d answers", n, len(out))
		}
	}
	if d.Got(Frame{Have, question(m, 127, askBlocks)}); asked != 1 {
		t.Error("not asked")
	}
}
