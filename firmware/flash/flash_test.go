package flash_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"swipewell/drivers/tty"
	"swipewell/firmware/flash"
	"swipewell/firmware/sim/flashsim"
	"swipewell/firmware/update"
	"swipewell/firmware/update/bundle"
	"swipewell/firmware/update/updatesim"
	"swipewell/hal"
)

func noise(n int, seed uint64) []byte {
	r, b := rand.New(rand.NewPCG(seed, 1)), make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32N(300))
	}
	return b
}

const (
	imageSize = 240_000
	slotSize  = 1 << 20
)

var old = noise(imageSize, 1)

// fresh is the new build: half of it is new, so that a delta is half of the whole.
var fresh = append(bytes.Clone(old[:imageSize/2]), noise(imageSize/2, 2)...)

// made keeps bundles: packing is the slow part.
var made = sync.OnceValues(func() (*bundle.Bundle, error) { return updatesim.Bundle(fresh, updatesim.Board, old) })

func theBundle(t testing.TB) *bundle.Bundle {
	t.Helper()
	b, err := made()
	if err != nil {
		t.Fatal(err)
	}
	c := *b
	c.Signatures, c.Packed = slices.Clone(b.Signatures), slices.Clone(b.Packed)
	return &c
}

func open(path string, baud int) (flash.Port, error) {
	p, err := tty.Open(tty.Opts{Path: path, Baud: baud})
	if errors.Is(err, tty.ErrBusy) {
		return nil, flash.ErrBusy
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// bench is one terminal with a laptop.
type bench struct {
	t     *testing.T
	term  *flashsim.Terminal
	slots *updatesim.Slots
	port  flash.Found
	o     flash.Opts
	mu    sync.Mutex
	said  []flash.Progress
}

var rates = []int{3_000_000, 921_600, 460_800}

func newBench(t *testing.T, set func(*flashsim.Opts)) *bench {
	t.Helper()
	x := &bench{t: t, port: flash.Found{Path: filepath.Join(t.TempDir(), "ttyUSB7")}}
	o := flashsim.Opts{Link: x.port.Path, Room: 4 << 20, Serial: "SW000001", Rates: rates, Settle: 200 * time.Millisecond, Faults: flashsim.Faults{Seed: 11}}
	size := int64(slotSize)
	if set != nil {
		set(&o)
	}
	var err error
	if o.Slots == nil {
		if o.Slots, err = updatesim.New(bytes.Clone(old), size, nil); err != nil {
			t.Fatal(err)
		}
	}
	x.slots = o.Slots
	if x.term, err = flashsim.New(o); err != nil {
		t.Fatal(err)
	}
	if err := x.term.Plug(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.term.Close)
	clock := o.Clock
	if clock == nil {
		clock = hal.SystemClock{}
	}
	x.o = flash.Opts{Bundle: theBundle(t), Open: open, Clock: clock, By: "Li", Laptop: "desk", Confirm: 20 * time.Second, Show: func(p flash.Progress) {
		x.mu.Lock()
		x.said = append(x.said, p)
		x.mu.Unlock()
	}}
	return x
}

func (x *bench) run() flash.Result {
	x.t.Helper()
	return flash.Run(x.t.Context(), x.o, []flash.Found{x.port})[0]
}

// heard tells whether a human was told this.
func (x *bench) heard(part string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.ContainsFunc(x.said, func(p flash.Progress) bool { return strings.Contains(p.Words, part) })
}

func (x *bench) want(r flash.Result, o flash.Outcome, runs []byte) {
	x.t.Helper()
	if r.Outcome != o {
		x.t.Errorf("%s, want %s: %+v", r.Outcome, o, r)
	}
	sum, err := bundle.SumOf(bytes.NewReader(runs), int64(len(runs)))
	if err != nil {
		x.t.Fatal(err)
	}
	if f := x.term.Facts(); f.Running != hexed(sum) {
		x.t.Errorf("it runs %.8s, want %.8s", f.Running, hexed(sum))
	}
}

func hexed(s bundle.Sum) string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	for _, c := range s {
		b.WriteByte(digits[c>>4])
		b.WriteByte(digits[c&15])
	}
	return b.String()
}

func TestClean(t *testing.T) {
	t.Parallel()
	x := newBench(t, func(o *flashsim.Opts) { o.Chatter = true })
	r := x.run()
	x.want(r, flash.Confirmed, fresh)
	if r.Sent != flash.Delta || r.Baud != 3_000_000 || r.Again != 0 || r.Breaks != 0 || r.Line > r.Bytes*102/100+20*300 {
		t.Errorf("%+v", r)
	}
	notes := x.term.Notes()
	if len(notes) != 1 || notes[0].By != "Li" || notes[0].Laptop != "desk" || notes[0].Serial != "SW000001" || notes[0].From != "1.0.0" || notes[0].To != "2.0.0" || notes[0].Result != "confirmed" || notes[0].Bytes != r.Bytes || notes[0].Sent != "delta" || !r.Noted {
		t.Errorf("%+v", notes)
	}
	stages := map[flash.Stage]bool{}
	for _, p := range x.said {
		stages[p.Stage] = true
	}
	for _, s := range []flash.Stage{flash.Looking, flash.Sending, flash.Installing, flash.Restarting, flash.Ended} {
		if !stages[s] {
			t.Errorf("nobody was told of %q", s)
		}
	}
	if r := x.run(); r.Outcome != flash.UpToDate || r.Line > 100 {
		t.Errorf("a second run: %+v", r)
	}
}

func TestBadLine(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]flashsim.Faults{"1 % hit": {Hit: 0.01, Seed: 3}, "10 % hit": {Hit: 0.1, Seed: 4}, "2 % lose a byte": {Drop: 0.02, Seed: 5}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newBench(t, func(o *flashsim.Opts) { o.Faults = f })
			r := x.run()
			x.want(r, flash.Confirmed, fresh)
			if r.Again == 0 {
				t.Error("no frame was hit: the test tests nothing")
			}
		})
	}
}

// TestRates: a cable that carries less than both ends can, and an end that can less.
func TestRates(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		limit, max int
		rates      []int
		want       int
	}{
		"the cable carries 1 Mbaud":   {1_000_000, 0, rates, 921_600},
		"the human says 460800":       {0, 460_800, rates, 460_800},
		"the terminal can one":        {0, 0, []int{1_500_000}, 1_500_000},
		"rates that nobody else uses": {0, 0, []int{123_456, 460_800}, 460_800},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newBench(t, func(o *flashsim.Opts) { o.Limit, o.Rates = c.limit, c.rates })
			x.o.Max = c.max
			r := x.run()
			x.want(r, flash.Confirmed, fresh)
			if r.Baud != c.want {
				t.Errorf("%d baud, want %d", r.Baud, c.want)
			}
		})
	}
}

// TestTenPulledCables: what ten of them cost is measured by posbench flash; here
// each loses at most what was on the wire. The rate stays, since a terminal takes
// 3 s to leave it: see TestSwitchTurned for that.
func TestTenPulledCables(t *testing.T) {
	t.Parallel()
	const rate = 3_000_000
	fixed := func(o *flashsim.Opts) { o.Safe, o.Rates = rate, nil }
	x, y := newBench(t, fixed), newBench(t, fixed)
	x.o.Safe, y.o.Safe = rate, rate
	clean := y.run()
	var at []int64
	for k := range int64(10) {
		at = append(at, clean.Line*(k+1)/12)
	}
	x.term.PullAt(at, func() {
		time.Sleep(30 * time.Millisecond)
		if err := x.term.Plug(); err != nil {
			t.Error(err)
		}
	})
	r := x.run()
	x.want(r, flash.Confirmed, fresh)
	// By what was on the wire: some frames that were hit, and the questions.
	if extra := x.term.Came() - y.term.Came(); r.Breaks != 10 || extra > 10*4_000 || !x.heard("plug the cable in again") {
		t.Errorf("%d breaks, %d bytes more than %d", r.Breaks, extra, y.term.Came())
	}
}

// TestLaptopAsleep: half a minute in which neither end says anything, in the
// middle of a transfer; another port could have sent meanwhile.
func TestLaptopAsleep(t *testing.T) {
	t.Parallel()
	clock := hal.NewSteppedClock(hal.SystemClock{}, time.Now())
	x := newBench(t, func(o *flashsim.Opts) { o.Clock = clock })
	slept := false
	show := x.o.Show
	x.o.Show = func(p flash.Progress) {
		show(p)
		if p.Have > 40_000 && !slept {
			slept = true
			x.term.Deaf(true)
			clock.Jump(30 * time.Second)
			time.Sleep(100 * time.Millisecond) // both ends see what time it is
			x.term.Deaf(false)
		}
	}
	r := x.run()
	x.want(r, flash.Confirmed, fresh)
	if !slept || r.Breaks == 0 || r.Line > r.Bytes*3/2 {
		t.Errorf("slept %v: %+v", slept, r)
	}
}

// TestSwitchTurned: the port stays, and nobody answers for a while.
func TestSwitchTurned(t *testing.T) {
	t.Parallel()
	clock := hal.NewSteppedClock(hal.SystemClock{}, time.Now())
	x := newBench(t, func(o *flashsim.Opts) { o.Clock = clock })
	turned := false
	show := x.o.Show
	x.o.Show = func(p flash.Progress) {
		show(p)
		if p.Have > 40_000 && !turned {
			turned = true
			x.term.Deaf(true)
			go func() {
				for !x.heard("fell silent") {
					time.Sleep(20 * time.Millisecond)
					clock.Jump(time.Second)
				}
				x.term.Deaf(false)
			}()
		}
	}
	r := x.run()
	x.want(r, flash.Confirmed, fresh)
	if !turned || r.Breaks == 0 {
		t.Errorf("%+v", r)
	}
}

func TestSeveralAtOnce(t *testing.T) {
	t.Parallel()
	x := newBench(t, nil)
	ports := []flash.Found{x.port}
	terms := []*flashsim.Terminal{x.term}
	for range 2 {
		y := newBench(t, nil)
		ports, terms = append(ports, y.port), append(terms, y.term)
	}
	ports = append(ports, flash.Found{Path: filepath.Join(t.TempDir(), "nobody")})
	x.o.First = 300 * time.Millisecond
	found := flash.Probe(t.Context(), x.o, ports, time.Second)
	if len(found) != 3 {
		t.Errorf("%d answer", len(found))
	}
	rs := flash.Run(t.Context(), x.o, ports)
	for i, r := range rs {
		if want := map[bool]flash.Outcome{true: flash.Confirmed, false: flash.NoDevice}[i < 3]; r.Outcome != want || r.Port != ports[i].Path {
			t.Errorf("port %d: %+v", i, r)
		}
	}
}

// TestStopped: Ctrl-C in the middle; the next run goes on there.
func TestStopped(t *testing.T) {
	t.Parallel()
	x := newBench(t, nil)
	ctx, stop := context.WithCancel(t.Context())
	show := x.o.Show
	x.o.Show = func(p flash.Progress) {
		show(p)
		if p.Have > 60_000 {
			stop()
		}
	}
	if r := flash.Run(ctx, x.o, []flash.Found{x.port})[0]; r.Outcome != flash.Stopped || r.Hint == "" {
		t.Errorf("%+v", r)
	}
	x.o.Show = show
	r := x.run()
	x.want(r, flash.Confirmed, fresh)
	if r.Line > r.Bytes-50_000 {
		t.Errorf("%d bytes of %d the second time", r.Line, r.Bytes)
	}
}

func TestTrials(t *testing.T) {
	t.Parallel()
	t.Run("crashes", func(t *testing.T) {
		t.Parallel()
		x := newBench(t, func(o *flashsim.Opts) { o.Trial = flashsim.Crashes })
		r := x.run()
		x.want(r, flash.RolledBack, old)
		if !strings.Contains(r.Text, "1.0.0 again") || !strings.Contains(r.Text, "ended before") || r.Hint == "" {
			t.Errorf("%+v", r)
		}
		if n := x.term.Notes(); len(n) != 1 || n[0].Result != "rolled-back" {
			t.Errorf("%+v", n)
		}
	})
	t.Run("neither ends nor confirms", func(t *testing.T) {
		t.Parallel()
		x := newBench(t, func(o *flashsim.Opts) { o.Trial = flashsim.Endless })
		x.o.Confirm = 2500 * time.Millisecond
		r := x.run()
		x.want(r, flash.Unconfirmed, fresh)
		if !strings.Contains(r.Text, "not ended") || !strings.Contains(r.Hint, "leave the terminal on") {
			t.Errorf("%+v", r)
		}
	})
	t.Run("cannot start again by itself", func(t *testing.T) {
		t.Parallel()
		x := newBench(t, func(o *flashsim.Opts) { o.NoRestart = true })
		go func() {
			for !x.heard("switch it off and on") {
				time.Sleep(20 * time.Millisecond)
			}
			if err := x.term.PowerCycle(); err != nil {
				t.Error(err)
			}
		}()
		x.want(x.run(), flash.Confirmed, fresh)
	})
}

func TestNobody(t *testing.T) {
	t.Parallel()
	x := newBench(t, nil)
	x.o.First = 300 * time.Millisecond
	x.term.Deaf(true)
	if r := x.run(); r.Outcome != flash.NoDevice || !strings.Contains(r.Hint, "turn the cable's switch to DEVICE") {
		t.Errorf("%+v", r)
	}
	p, err := open(x.port.Path, 115_200)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if r := x.run(); r.Outcome != flash.NoDevice || !strings.Contains(r.Text, "another program has the port") {
		t.Errorf("%+v", r)
	}
}

// TestRefusals is what bad input gets: a code, a sentence and what to do, and the
// running build is untouched.
func TestRefusals(t *testing.T) {
	t.Parallel()
	must := func(b *bundle.Bundle, err error) *bundle.Bundle {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	small := noise(30_000, 4)
	for _, c := range []struct {
		name   string
		reason update.Reason
		most   int64 // bytes over the line
		set    func(*bench)
	}{
		{"another board", update.WrongBoard, 500, func(x *bench) { x.o.Bundle = must(updatesim.Bundle(small, "other")) }},
		{"older than the floor", update.TooOld, 500, func(x *bench) {
			b := must(updatesim.Make(small, bundle.Opts{Version: bundle.Version{Major: 3}, Floor: bundle.Version{Major: 3}}))
			o := x.o
			o.Bundle = b
			if r := flash.Run(x.t.Context(), o, []flash.Found{x.port})[0]; r.Outcome != flash.Confirmed {
				x.t.Fatalf("%+v", r)
			}
		}},
		{"a signature that does not fit", update.Forged, 80_000, func(x *bench) { x.o.Bundle.Signatures[0].Sig[5] ^= 1 }},
		{"nobody has signed", update.Unsigned, 500, func(x *bench) { x.o.Bundle.Signatures = nil }},
		{"a delta from another build", update.NoBase, 500, func(x *bench) {
			x.o.Bundle = must(updatesim.Make(append(bytes.Clone(small), 1), bundle.Opts{Version: bundle.Version{Major: 2}, Bases: [][]byte{small}}))
			for i, p := range x.o.Bundle.Manifest.Payloads {
				if p.Kind == bundle.Whole {
					x.o.Bundle.Packed[i] = nil
				}
			}
		}},
		{"larger than the slot", update.SlotFull, 100_000, func(x *bench) {
			x.o.Bundle = must(updatesim.Make(noise(slotSize+1, 5), bundle.Opts{Version: bundle.Version{Major: 2}}))
		}},
		{"a second technician", update.Busy, 3000, func(x *bench) {
			if err := x.term.Claim("the network"); err != nil {
				x.t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := newBench(t, nil)
			x.t = t
			c.set(x)
			before := x.term.Facts()
			r := x.run()
			if r.Outcome != flash.Refused || r.Code != c.reason.Code() || !strings.Contains(r.Text, c.reason.String()) || r.Hint != c.reason.Hint() || r.Line > c.most+1200 {
				t.Errorf("%+v", r)
			}
			if after := x.term.Facts(); after.Running != before.Running || after.State != before.State {
				t.Errorf("before %+v, after %+v", before, after)
			}
			notes := x.term.Notes()
			if n := notes[len(notes)-1]; n.Result != "refused" || n.Code != c.reason.Code() {
				t.Errorf("%+v", n)
			}
			x.o.DryRun = true
			if r := x.run(); c.most == 500 && r.Code != c.reason.Code() {
				t.Errorf("a dry run: %+v", r)
			}
		})
	}
}

func TestDryRun(t *testing.T) {
	t.Parallel()
	x := newBench(t, nil)
	x.o.DryRun = true
	r := x.run()
	x.want(r, flash.WouldSend, old)
	if r.Sent != flash.Delta || !strings.Contains(r.Text, "would send delta") || r.Line > 100 || len(x.term.Notes()) != 0 {
		t.Errorf("%+v", r)
	}
}

// TestLogin: before the first frame, and out again unless the terminal has started
// anew; a key that is not let in ends it.
func TestLogin(t *testing.T) {
	t.Parallel()
	x := newBench(t, nil)
	var in, out int
	x.o.Login = func(context.Context, flash.Port) error {
		if x.term.Came() != 0 && in == 0 {
			t.Error("something was sent before the login")
		}
		in++
		return nil
	}
	x.o.Logout = func(ctx context.Context, p flash.Port) error {
		out++
		_, err := p.Write(ctx, []byte("logout\r")) // the port is open still
		return err
	}
	x.o.DryRun = true
	if x.run(); in != 1 || out != 1 {
		t.Errorf("%d in, %d out", in, out)
	}
	x.o.DryRun = false
	x.want(x.run(), flash.Confirmed, fresh)
	if in != 2 || out != 1 {
		t.Errorf("%d in, %d out", in, out)
	}
	x.o.Login = func(context.Context, flash.Port) error { return errors.New("the key is another's") }
	if r := x.run(); r.Outcome != flash.Refused || !strings.Contains(r.Text, "another's") {
		t.Errorf("%+v", r)
	}
}

// TestAnotherTerminal: the cable is moved while a transfer is under way.
func TestAnotherTerminal(t *testing.T) {
	t.Parallel()
	x := newBench(t, nil)
	moved := make(chan *bench, 1)
	x.term.PullAt([]int64{40_000}, func() {
		moved <- newBench(t, func(o *flashsim.Opts) { o.Link, o.Serial = x.port.Path, "SW000002" })
	})
	r := x.run()
	x.want(r, flash.Refused, old)
	if !strings.Contains(r.Text, "another terminal answers now: SW000002") {
		t.Errorf("%+v", r)
	}
	if f := (<-moved).term.Facts(); f.Other != "" {
		t.Errorf("the other one was given a build: %+v", f)
	}
}

// TestNoisy: at the high rate frames are lost, a third of them; a lower one is
// tried by itself.
func TestNoisy(t *testing.T) {
	t.Parallel()
	x := newBench(t, func(o *flashsim.Opts) { o.Faults.Hit, o.Faults.From, o.Faults.After = 0.9, 1_000_000, 8_000 })
	r := x.run()
	x.want(r, flash.Confirmed, fresh)
	if r.Baud != 921_600 || r.Breaks != 1 || !x.heard("trying a lower rate") {
		t.Errorf("%+v", r)
	}
}
