package stage

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"time"

	"swipewell/drivers/softkeys"
	"swipewell/firmware/hostlink"
	"swipewell/firmware/iso8583"
	"swipewell/firmware/iso8583/tpdu"
	"swipewell/firmware/keys"
	"swipewell/firmware/pos"
	"swipewell/firmware/role"
	"swipewell/firmware/sim/acquirer"
	"swipewell/firmware/store"
	"swipewell/firmware/terminal"
	"swipewell/firmware/throttle"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/screen"
)

// Crash is what a power failure throws: nothing after it runs.
type Crash struct{ At string }

// Opts of a House. Dir and Wires are needed.
type Opts struct {
	Dir   string // on a RAM disk
	Seed  uint64
	Wires []NamedWire // in order of preference
	Wall  time.Time   // at boot 0
	Rules *throttle.Rules
	// Profile changes what the acquirer and the board decide; nil leaves it.
	Profile func(*txn.Profile)
	// Board adds devices; nil adds none.
	Board func(*hal.Board)
	// Bench is what the terminal sees of the bench; nil: nothing.
	Bench hal.Bench
	// Term changes the terminal's options; nil leaves them.
	Term func(*terminal.Opts)
	// Minutes lets the terminal do what it does each minute.
	Minutes bool
	// Down is called before the terminal comes up again after a power failure or a
	// failed commit; nil is fine.
	Down func()
	Size screen.Size
	// Notice hears the line; nil is fine.
	Notice func(hostlink.Notice)
}

// NamedWire is one way to the host.
type NamedWire struct {
	Name string
	Wire Wire
}

// House is one terminal, its store and its host.
type House struct {
	o       Opts
	Clock   *Clock
	Host    *acquirer.Host
	Keys    *softkeys.Store
	Store   *store.Store
	Line    *hostlink.Line
	Term    *terminal.Terminal
	Boots   int
	Crashes int
	serves  map[net.Conn]func([]byte)
	rnd     *rand.Rand
}

// Boss is a supervisor of the stage; their PIN costs no time here.
var Boss = role.Person{Number: 90, Name: "stage", Role: role.Supervisor, Hash: "1234"}

// New builds the house with the power off.
func New(o Opts) (*House, error) {
	h := &House{o: o, Clock: &Clock{Wall: o.Wall}, serves: map[net.Conn]func([]byte){}, rnd: rand.New(rand.NewPCG(o.Seed, 3))}
	var err error
	if h.Host, err = acquirer.New(acquirer.Opts{Clock: hostClock{h.Clock, o.Wall}, Listener: deaf{}}); err != nil {
		return nil, err
	}
	tmk, err := hex.DecodeString(acquirer.BenchTMK)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(o.Dir, "keys.json")
	if err := softkeys.Provision(path, tmk); err != nil {
		return nil, err
	}
	var seed [32]byte
	copy(seed[:], fmt.Sprintf("swipewell stage %d", o.Seed))
	h.Keys, err = softkeys.Open(softkeys.Opts{Path: path, Bench: true, Rand: rand.NewChaCha8(seed)})
	return h, err
}

// hostClock is the acquirer's: the device's wall may jump, its own is right.
type hostClock struct {
	*Clock
	wall time.Time
}

func (c hostClock) Now() hal.Instant {
	return hal.Instant{Wall: c.wall.Add(c.Boot), Boot: c.Boot}
}

// deaf is a listener that nobody calls: the host is reached in place.
type deaf struct{}

func (deaf) Accept() (net.Conn, error) { return nil, net.ErrClosed }
func (deaf) Close() error              { return nil }
func (deaf) Addr() net.Addr            { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

func (h *House) serve(c net.Conn, frame []byte) {
	s, ok := h.serves[c]
	if !ok {
		clear(h.serves) // one link at a time; a held frame comes with its own again
		s = h.Host.Attach(c)
		h.serves[c] = s
	}
	s(frame)
}

// Boot starts the terminal on what its store holds.
func (h *House) Boot() (err error) {
	h.Boots++
	h.Clock.Clear() // posd is gone, and with it its timers
	h.Term = nil
	b := &hal.Board{Name: "stage", Bench: h.o.Bench, Clock: h.Clock, Keys: h.Keys, SetWall: h.setWall}
	for _, w := range h.o.Wires {
		b.Links = append(b.Links, hal.NamedLink{Name: w.Name, Dialer: dialerOf(h, w)})
	}
	if h.o.Board != nil {
		h.o.Board(b)
	}
	so := store.Opts{NoSync: true}
	if h.o.Bench != nil {
		so.FaultFn = h.o.Bench.StoreFault
	}
	if h.Store, err = store.Open(filepath.Join(h.o.Dir, "state.db"), so); err != nil {
		return err
	}
	head, err := tpdu.Parse("6000030000")
	if err != nil {
		return err
	}
	version, err := iso8583.ParseHeader("603100310000")
	if err != nil {
		return err
	}
	p := hostlink.Profile{TID: acquirer.BenchTID, MID: acquirer.BenchMID, TPDU: head, Header: version, KeyForm: "003", Tail60: "00050"}
	if h.Line, err = hostlink.New(hostlink.Opts{Clock: h.Clock, Links: b.Links, Hosts: []hostlink.Host{{Name: "a", Address: "a:1"}}, Profile: p,
		Signer: keys.Signer{Keys: h.Keys, Alg: keys.MACECB}, Notice: h.notice}); err != nil {
		return err
	}
	tp := txn.Profile{Context: "stage", Currency: pos.CNY, MaxAmount: 99_999_999, SettleAfter: 90 * time.Second, MaxOpen: 3, CardTimeout: time.Minute,
		ConfirmTime: 30 * time.Second, PINTimeout: time.Minute, PINPad: b.PINPad != nil, Printer: b.Printer != nil, Tail60: p.Tail60, Lang: "zh", Staff: 1}
	if h.o.Profile != nil {
		h.o.Profile(&tp)
	}
	size := h.o.Size
	if size.W == 0 {
		size = screen.Mono128
	}
	to := terminal.Opts{Board: b, Store: h.Store, Line: h.Line, Host: p, Log: slog.New(slog.DiscardHandler), Profile: tp, Size: size,
		Rules: h.o.Rules, Staff: []role.Person{Boss}, Verify: func(hash string, pin []byte) bool { return hash == string(pin) },
		Spawn: func(f func()) { f() }, Rand: h.rnd.Uint32}
	if h.o.Term != nil {
		h.o.Term(&to)
	}
	if h.Term, err = terminal.New(to); err != nil {
		return err
	}
	h.Term.Boot()
	if h.o.Minutes {
		h.Term.Minute()
	}
	return nil
}

func (h *House) notice(n hostlink.Notice) {
	if h.Term != nil {
		h.Term.HearLine(n)
	}
	if h.o.Notice != nil {
		h.o.Notice(n)
	}
}

// radio is a Wire that knows the signal of its network.
type radio interface{ Signal() hal.Signal }

// signalling is a Dialer over radio.
type signalling struct {
	*Dialer
	radio
}

func dialerOf(h *House, w NamedWire) hal.Dialer {
	d := &Dialer{Name: w.Name, Clock: h.Clock, Wire: w.Wire, Host: h.serve}
	if r, ok := w.Wire.(radio); ok {
		return signalling{d, r}
	}
	return d
}

// setWall is the device's clock chip.
func (h *House) setWall(t time.Time) error {
	h.Clock.Wall = t.Add(-h.Clock.Boot)
	return nil
}

// Do runs f and what follows from it. A power failure or a failed commit brings
// the terminal up again from its store.
func (h *House) Do(f func()) error {
	run := func(f func()) (died bool, err error) {
		defer func() {
			if r := recover(); r != nil {
				if _, power := r.(Crash); !power {
					panic(r)
				}
				h.Crashes++
				died = true
			}
		}()
		if f != nil {
			f()
		}
		return false, h.Term.Turn()
	}
	died, err := run(f)
	for range 1000 {
		switch {
		case !died && err == nil:
			return nil
		case err != nil && !errors.Is(err, terminal.ErrCommit):
			return err
		}
		if h.o.Down != nil {
			h.o.Down()
		}
		if err := h.Store.Close(); err != nil && !errors.Is(err, store.ErrFailed) {
			return fmt.Errorf("stage: close: %w", err)
		}
		var berr error
		died, err = run(func() { berr = h.Boot() })
		if berr != nil {
			return fmt.Errorf("stage: boot %d: %w", h.Boots, berr)
		}
	}
	return errors.New("stage: it does not come up")
}

// Restart is a power failure now.
func (h *House) Restart() error { return h.Do(func() { panic(Crash{"restart"}) }) }

// Wait lets time pass.
func (h *House) Wait(d time.Duration) error {
	end := h.Clock.Boot + d
	for h.Clock.Boot < end {
		more := true
		if err := h.Do(func() { more = h.Clock.Step(end) }); err != nil {
			return err
		}
		if !more {
			return nil
		}
	}
	return nil
}

// Press presses keys one after another.
func (h *House) Press(keys ...txn.Key) error {
	for _, k := range keys {
		if err := h.Do(func() { h.Term.Press(k) }); err != nil {
			return err
		}
	}
	return nil
}

// Swipe draws a card; with a fault its track 2 is not read.
func (h *House) Swipe(c acquirer.Card, f hal.TrackFault) error {
	s := hal.Swipe{Tracks: [3]hal.Track{{Fault: hal.TrackAbsent}, {Data: hal.NewSecret([]byte(c.Track2()))}, {Fault: hal.TrackAbsent}}, Received: h.Clock.Now()}
	if f != hal.TrackOK {
		s.Tracks[1] = hal.Track{Fault: f}
	}
	return h.Do(func() { h.Term.Swipe(s) })
}

// SwipeRaw draws a card whose track 2 reads so, at a pace.
func (h *House) SwipeRaw(track2 string, f hal.TrackFault, p hal.Pace) error {
	s := hal.Swipe{Tracks: [3]hal.Track{{Fault: hal.TrackAbsent}, {Fault: f}, {Fault: hal.TrackAbsent}}, Received: h.Clock.Now(), Pace: p}
	if f == hal.TrackOK {
		s.Tracks[1].Data = hal.NewSecret([]byte(track2))
	}
	return h.Do(func() { h.Term.Swipe(s) })
}

// Insert puts a card with contacts into the slot: err is why it gives no answer
// to its reset, nil if it does.
func (h *House) Insert(err error) error { return h.Do(func() { h.Term.Insert(err) }) }

// State is where the terminal stands.
func (h *House) State() txn.State { return h.Term.State() }

// Close ends it; nothing stays on the disk.
func (h *House) Close() {
	if h.Store != nil {
		h.Store.Close()
	}
	h.Host.Close()
	os.RemoveAll(h.o.Dir)
}

// Digits are the keys of a number.
func Digits(s string) (ks []txn.Key) {
	for _, c := range s {
		ks = append(ks, txn.Key(string(c)))
	}
	return ks
}

// NoPIN is a PIN pad at which nobody enters anything: PIN blocks are another
// proof's matter.
type NoPIN struct{}

func (NoPIN) String() string { return "no PIN" }

// Halt does nothing: there is no device.
func (NoPIN) Halt() error { return nil }

// Enter is passed by.
func (NoPIN) Enter(context.Context, hal.PINRules, func(int)) (hal.PINEntry, error) {
	return hal.PINEntry{Outcome: hal.PINBypassed}, nil
}
