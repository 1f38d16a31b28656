package flashwire

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"swipewell/firmware/update"
	"swipewell/firmware/update/bundle"
	"swipewell/firmware/update/updatesim"
)

// target is a device with a running build, and a bundle for it.
type target struct {
	dev   *update.Device
	inbox *updatesim.Memory
	old   []byte
	b     *bundle.Bundle
	money error
}

// made keeps bundles: they are the same each time.
var made = struct {
	sync.Mutex
	by map[int]*bundle.Bundle
}{by: map[int]*bundle.Bundle{}}

func newTarget(t testing.TB, n int) *target {
	t.Helper()
	x := &target{inbox: &updatesim.Memory{}, old: noise(n)}
	image := bytes.Clone(x.old)
	copy(image[n/2:], noise(n/2)) // half of it is new
	made.Lock()
	defer made.Unlock()
	var err error
	b := made.by[n]
	if b == nil {
		if b, err = updatesim.Bundle(image, updatesim.Board, x.old); err != nil {
			t.Fatal(err)
		}
		made.by[n] = b
	}
	clone := *b
	x.b = &clone
	if x.dev, err = updatesim.Device(x.old, 4<<20, func() error { return x.money }); err != nil {
		t.Fatal(err)
	}
	return x
}

// device as it is after a start.
func (x *target) device() *Device {
	return &Device{Inbox: update.NewInbox(x.dev, x.inbox, 4<<20), Try: x.dev.Try, Has: x.dev.Has, Who: "service",
		Facts: func() Facts {
			r, _ := x.dev.Record()
			f := Facts{Product: "swipewell", Board: "demo", Running: hex.EncodeToString(r.Images[update.A].Sum[:])}
			if r.Images[update.B].Size > 0 {
				f.Other = hex.EncodeToString(r.Images[update.B].Sum[:])
			}
			return f
		}}
}

func (x *target) host() *Host {
	return &Host{PerFrame: 1041 * 10 * time.Second / 921_600, Choose: func(f Facts) (io.ReaderAt, int64, bundle.Sum, error) {
		m := x.b.Manifest
		if f.Other == hex.EncodeToString(m.Sum[:]) {
			return nil, 0, bundle.Sum{}, nil
		}
		i := m.Pick(func(s bundle.Sum) bool { return hex.EncodeToString(s[:]) == f.Running })
		file := x.b.File(i)
		return bytes.NewReader(file), int64(len(file)), sha256.Sum256(file), nil
	}}
}

// play runs a session until its end, or until the cable is pulled once so many
// bytes have left the host. It gives how long it took and what left.
func play(h *Host, d *Device, hit float64, seed uint64, pull int64) (took time.Duration, sent int64, err error) {
	dice := rand.New(rand.NewPCG(seed, 3))
	perByte := 10 * time.Second / 921_600
	down, up := &wire{perByte: perByte, delay: time.Millisecond, hit: hit, dice: dice}, &wire{perByte: perByte, delay: time.Millisecond, hit: hit, dice: dice}
	var toDevice, toHost Splitter
	now := time.Duration(0)
	for !h.Done() {
		wake := down.free - 2*1041*perByte + 1
		if wake <= now {
			f, w, err := h.Next(now)
			if err != nil {
				return now, sent, err
			}
			if f != nil {
				sent += int64(len(f))
				if down.send(now, f); pull > 0 && sent >= pull {
					return now, sent, errPulled
				}
				continue
			}
			wake = w
		}
		for _, w := range []*wire{down, up} {
			if len(w.queue) > 0 {
				wake = min(wake, w.queue[0].at)
			}
		}
		now = max(now, wake)
		for len(down.queue) > 0 && down.queue[0].at <= now {
			toDevice.Feed(down.queue[0].b, func(f Frame) {
				for _, a := range d.Got(f) {
					up.send(now, a)
				}
			}, d.Damaged)
			down.queue = down.queue[1:]
		}
		for len(up.queue) > 0 && up.queue[0].at <= now {
			toHost.Feed(up.queue[0].b, h.Got, func() {})
			up.queue = up.queue[1:]
		}
	}
	return now, sent, nil
}

var errPulled = errors.New("the cable was pulled")

func TestSession(t *testing.T) {
	for _, hit := range []float64{0, 0.01, 0.3} {
		x := newTarget(t, 600_000)
		took, sent, err := play(x.host(), x.device(), hit, 9, 0)
		if err != nil {
			t.Fatalf("hit %v: %v", hit, err)
		}
		r, err := x.dev.Record()
		if err != nil || r.Trial != update.B || r.Images[update.B].Sum != x.b.Manifest.Sum {
			t.Errorf("hit %v: %+v %v", hit, r, err)
		}
		t.Logf("hit %v: %d bytes of a delta for 600000, %v", hit, sent, took)
	}
}

// TestPulledCable: one costs at most 2 % of a bundle of 300 kB, as ten would of
// one of 3 MB.
func TestPulledCable(t *testing.T) {
	const n = 600_000
	size := int64(len(newTarget(t, n).b.File(0)))
	_, once, err := play(newTarget(t, n).host(), newTarget(t, n).device(), 0, 9, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, restarts := range []bool{false, true} {
		x := newTarget(t, n)
		d := x.device()
		_, sent, err := play(x.host(), d, 0, 9, size/2)
		if err != errPulled {
			t.Fatal(err)
		}
		most := 2.0
		if restarts { // what was not synced is sent again: up to 64 KiB
			d, most = x.device(), 24
		}
		_, more, err := play(x.host(), d, 0, 9, 0)
		extra := 100 * float64(sent+more-once) / float64(once)
		t.Logf("a bundle of %d bytes, the device restarts: %v: %.2f %% more", size, restarts, extra)
		if err != nil || extra > most {
			t.Errorf("%.2f %% more, %v", extra, err)
		}
	}
}

// TestNothingToSend: a device that has the build is only told to try it.
func TestNothingToSend(t *testing.T) {
	x := newTarget(t, 100_000)
	if err := x.dev.Write(&x.b.Head, 0, bytes.NewReader(x.b.Packed[0])); err != nil {
		t.Fatal(err)
	}
	if _, sent, err := play(x.host(), x.device(), 0, 1, 0); err != nil || sent > 100 {
		t.Errorf("%d bytes, %v", sent, err)
	}
}

func TestTroubles(t *testing.T) {
	x := newTarget(t, 100_000)
	x.money = errors.New("a reversal waits")
	var tr *Trouble
	if _, sent, err := play(x.host(), x.device(), 0, 1, 0); !errors.As(err, &tr) || tr.Code != update.MoneyOpen.Code() || !strings.Contains(tr.Text, "reversal") || tr.Hint == "" || sent > 20_000 {
		t.Errorf("money: %v after %d bytes", err, sent)
	}
	x.money = nil
	d := x.device()
	if err := d.Inbox.Claim("another port"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := play(x.host(), d, 0, 1, 0); !errors.As(err, &tr) || tr.Code != update.Busy.Code() {
		t.Errorf("a second technician: %v", err)
	}
	x.b.Signatures = nil
	if _, _, err := play(x.host(), x.device(), 0, 1, 0); !errors.As(err, &tr) || tr.Code != update.Unsigned.Code() {
		t.Errorf("unsigned: %v", err)
	}
	if _, _, err := play(x.host(), &Device{Facts: func() Facts { return Facts{} }, Inbox: x.device().Inbox, Who: "service"}, 1, 1, 0); !errors.Is(err, ErrStalled) {
		t.Errorf("a line that hits every frame: %v", err)
	}
}

// TestTryTwice: the answer to Try was lost, and it is asked again.
func TestTryTwice(t *testing.T) {
	x := newTarget(t, 100_000)
	if err := x.dev.Write(&x.b.Head, 0, bytes.NewReader(x.b.Packed[0])); err != nil {
		t.Fatal(err)
	}
	d := x.device()
	for range 2 {
		if out := d.Got(Frame{Type: Try}); len(out) != 1 || !bytes.Equal(out[0], done(Try)) {
			t.Errorf("%q", out)
		}
	}
}

// TestLostDone: the last acknowledgement and Done are lost; a poll brings both.
func TestLostDone(t *testing.T) {
	x := newTarget(t, 100_000)
	h, d := x.host(), x.device()
	var toDevice, toHost Splitter
	now, lost, tried := time.Duration(0), 0, 0
	for steps := 0; !h.Done(); steps++ {
		if steps > 100_000 {
			t.Fatal("no end")
		}
		f, wake, err := h.Next(now)
		if err != nil {
			t.Fatal(err)
		}
		if f == nil {
			now = wake
			continue
		}
		toDevice.Feed(f, func(f Frame) {
			if f.Type == Try {
				tried++
			}
			for _, a := range d.Got(f) {
				if bytes.Equal(a, done(Open)) && lost < 2 {
					lost++
					continue
				}
				toHost.Feed(a, h.Got, func() {})
			}
		}, d.Damaged)
	}
	if lost != 2 || tried != 1 || now > 5*time.Second {
		t.Errorf("lost %d, tried %d, %v", lost, tried, now)
	}
}

// TestIdle: a host that slept goes on with the same bundle, and another port could
// send meanwhile.
func TestIdle(t *testing.T) {
	x := newTarget(t, 600_000)
	h, d := x.host(), x.device()
	size := int64(len(x.b.File(0)))
	_, first, err := play(h, d, 0, 9, size/2)
	if err != errPulled {
		t.Fatal(err)
	}
	d.Idle()
	if err := d.Inbox.Claim("another port"); err != nil {
		t.Fatal(err)
	}
	d.Inbox.Release("another port")
	_, more, err := play(h, d, 0, 9, 0) // the same host: it does not know
	if err != nil || first+more > size*106/100 {
		t.Errorf("%d and %d of %d, %v", first, more, size, err)
	}
}

// TestRestart: only what is signed and on trial lets a terminal start again
// without a login.
func TestRestart(t *testing.T) {
	state, started := Settled, 0
	d := &Device{Facts: func() Facts { return Facts{State: state} }, Restart: func() error { started++; return nil }}
	ask := func() *Ask {
		a := NewRestart()
		for now := time.Duration(0); !a.Done(); {
			f, wake, err := a.Next(now)
			if err != nil {
				break
			}
			if f == nil {
				now = wake
				continue
			}
			var s, back Splitter
			s.Feed(f, func(f Frame) {
				for _, out := range d.Got(f) {
					back.Feed(out, a.Got, func() {})
				}
			}, func() {})
		}
		return a
	}
	for _, s := range []State{Settled, Trying, RolledBack, ""} {
		state = s
		var tr *Trouble
		if a := ask(); a.Done() || started != 0 || !errors.As(a.result, &tr) {
			t.Errorf("%q: started %d", s, started)
		}
	}
	state = Pending
	if a := ask(); !a.Done() || started != 1 {
		t.Errorf("started %d, %v", started, a.result)
	}
	d.Restart = nil
	if a := ask(); a.Done() {
		t.Error("a device that cannot says that it does")
	}
}

// TestNote: what a laptop tells is short and printable when it comes to the journal.
func TestNote(t *testing.T) {
	var got []Service
	d := &Device{Note: func(s Service) error { got = append(got, s); return nil }}
	long := strings.Repeat("李", 100)
	var s Splitter
	a := NewNote(Service{By: "Li\x1b[2J\nforged line", To: long, Result: "confirmed"})
	f, _, err := a.Next(0)
	if err != nil {
		t.Fatal(err)
	}
	s.Feed(f, func(f Frame) { d.Got(f) }, func() {})
	// A laptop that does not bound its words.
	d.Got(Frame{Type: Note, Body: body(Service{By: "a\x00b\u202ec", From: strings.Repeat("x", 500)})})
	if len(got) != 2 || got[0].By != "Li[2Jforged line" || len(got[0].To) != 63 || got[0].Result != "confirmed" || got[1].By != "abc" || len(got[1].From) != MaxWord {
		t.Errorf("%+v", got)
	}
}

// FuzzEnds: whatever frames come, neither end falls over, and nothing is put on
// trial or started that was not asked for.
func FuzzEnds(f *testing.F) {
	for _, t := range []Type{Hello, Info, Open, Opened, Data, Poll, Ack, Done, Failed, Try, Restart, Note} {
		f.Add(byte(t), []byte(`{"size":5000,"off":0,"by":"a","state":"pending","sum":"`+strings.Repeat("ab", 32)+`"}`), byte(Data), []byte{0, 0, 0, 0, 0, 1, 7})
	}
	m := newTarget(f, 20_000).b.Manifest
	f.Add(byte(Have), question(m, 0, len(m.Blocks)), byte(Has), []byte{0, 0, 1})
	f.Fuzz(func(t *testing.T, a byte, one []byte, b byte, two []byte) {
		x := newTarget(t, 20_000)
		d, h, n := x.device(), x.host(), NewNote(Service{By: "a"})
		blocks := NewAskBlocks(m)
		tries := 0
		d.Try = func() error { tries++; return nil }
		d.Restart = func() error { t.Error("started again, and nothing is on trial"); return nil }
		d.Note = func(s Service) error {
			if len(s.By) > MaxWord || strings.ContainsAny(s.By, "\n\x1b") {
				t.Errorf("%q", s.By)
			}
			return nil
		}
		for _, f := range []Frame{{Type(a), one}, {Type(b), two}, {Type(a), two}} {
			for _, out := range d.Got(f) {
				if len(out) > maxBody+8 {
					t.Errorf("a frame of %d bytes", len(out))
				}
			}
			h.Got(f)
			n.Got(f)
			blocks.Got(f)
			h.Next(time.Second)
			n.Next(time.Second)
			blocks.Next(time.Second)
			if s := blocks.Set(); len(s.Without(bundle.All(len(m.Blocks)))) > 0 && s.Without(bundle.All(len(m.Blocks)))[0] != 0 {
				t.Errorf("blocks that no image has: %x", s)
			}
		}
		if tries > 0 && Type(a) != Try && Type(b) != Try {
			t.Error("put on trial unasked")
		}
	})
}

// TestStarting: a device that has just got its power back takes a bundle as soon as
// it can say whether money is open, and the host waits for it.
func TestStarting(t *testing.T) {
	x := newTarget(t, 50_000)
	d, asked := x.device(), 0
	d.Starting = func() bool { asked++; return asked < 5 }
	h := x.host()
	if _, _, err := play(h, d, 0, 1, 0); err != nil || !h.Done() || asked < 5 {
		t.Errorf("%v after %d questions", err, asked)
	}
}
