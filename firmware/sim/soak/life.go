package soak

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
	"strings"
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

// life is one terminal from its first boot to the end of its days.
type life struct {
	o      Opts
	dir    string
	clock  *clock
	rnd    *rand.Rand // the cashier's and the day's
	world  *world
	host   *acquirer.Host
	serves map[*conn]func([]byte)
	keys   *softkeys.Store
	store  *store.Store
	line   *hostlink.Line
	term   *terminal.Terminal
	cards  []acquirer.Card
	disk   string // what the next commits meet
	boots  int

	orders  []*order
	byStan  map[string]*order // batch and STAN of each request that left
	current *order
	out     Result
}

// order is what a customer means to pay.
type order struct {
	amount int64
	asked  int64 // what the cashier keyed this time: it, or a little less
	said   int64 // the last word to the customer was "approved": of so much
	tries  int
}

// Opts of a run.
type Opts struct {
	Seed   uint64
	Sales  int
	Faults Faults
	Dir    string // on a RAM disk
	Screen bool   // draw every screen and hold it against the store
	// Day, if set, changes the world as time goes by: i of Sales.
	Day func(w *Day, i int)
	// Offline allows store and forward; the zero value does not.
	Offline txn.Offline
	// NoRules leaves the throttle out, where only the money's own path matters.
	NoRules bool
}

// Day is what a profile may change.
type Day struct {
	l *life
}

// Line takes the line down or up.
func (d *Day) Line(up bool) {
	if d.l.world.down = !up; !up {
		d.l.world.faulty++
	}
}

// Disk is "full", "eio" or "".
func (d *Day) Disk(fault string) {
	if d.l.disk = fault; fault != "" {
		d.l.world.faulty++
	}
}

// Host gives the acquirer a command.
func (d *Day) Host(words ...string) {
	d.l.world.faulty++
	d.l.host.Command(words...)
}

// Jump moves the wall clock alone.
func (d *Day) Jump(by time.Duration) { d.l.clock.wall = d.l.clock.wall.Add(by) }

// Settle asks for a settlement.
func (d *Day) Settle() { d.l.settle() }

// Result is the ledger of a run.
type Result struct {
	Sales, Approved, Reversed    int
	Double, Lost, Open           int
	Faults, Crashes, Settlements int
	Told, Early                  int           // screens that said "approved", and those of them before it was on flash; with Opts.Screen
	Held, Slipped                int           // swipes of a card whose payment was open: stopped, and let through
	Freed                        time.Duration // the longest time from the host's word to a gate that is open
	Asked, Stopped               int           // questions and stops of the rules
	ByHand                       int           // records that a supervisor closed: the host could not say
	Why                          []string      // the first few orders that went wrong
}

var noon = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

func newLife(o Opts) (*life, error) {
	l := &life{o: o, dir: o.Dir, clock: &clock{wall: noon}, rnd: rand.New(rand.NewPCG(o.Seed, 1)), serves: map[*conn]func([]byte){}, byStan: map[string]*order{}}
	l.world = &world{clock: l.clock, rnd: rand.New(rand.NewPCG(o.Seed, 2)), faults: o.Faults, serve: l.serve, sent: l.sent}
	var err error
	if l.host, err = acquirer.New(acquirer.Opts{Clock: l.clock, Listener: deaf{}}); err != nil {
		return nil, err
	}
	// A town's cards: few enough that each comes again, many enough that it is not
	// the same customer all day.
	for i := range townCards {
		name := fmt.Sprintf("town-%03d", i)
		if err := l.host.DefineCard(name, "balance=9000000000.00", "limit=none", "daily=none", "count=none"); err != nil {
			return nil, err
		}
	}
	for _, c := range l.host.Cards() {
		if strings.HasPrefix(c.Name, "town-") {
			l.cards = append(l.cards, c)
		}
	}
	tmk, err := hex.DecodeString(acquirer.BenchTMK)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(l.dir, "keys.json")
	if err := softkeys.Provision(path, tmk); err != nil {
		return nil, err
	}
	l.keys, err = softkeys.Open(softkeys.Opts{Path: path, Bench: true, Rand: rand.NewChaCha8(seed32(o.Seed))})
	return l, err
}

const townCards = 400

// boss is a supervisor of the soak; their PIN costs no time here.
var boss = role.Person{Number: 90, Name: "soak", Role: role.Supervisor, Hash: "1234"}

func seed32(n uint64) (s [32]byte) {
	copy(s[:], fmt.Sprintf("swipewell soak %d", n))
	return s
}

// deaf is a listener that nobody calls: the host is reached in place.
type deaf struct{}

func (deaf) Accept() (net.Conn, error) { return nil, net.ErrClosed }
func (deaf) Close() error              { return nil }
func (deaf) Addr() net.Addr            { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

func (l *life) serve(c *conn, frame []byte) {
	s, ok := l.serves[c]
	if !ok {
		clear(l.serves) // one link at a time; a held frame comes with its own again
		s = l.host.Attach(c)
		l.serves[c] = s
	}
	s(frame)
}

// sent notes for which order a request left.
func (l *life) sent(frame []byte) {
	mti, batch, stan := stanOf(frame)
	if mti == 0x0200 {
		l.byStan[batch+stan] = l.current
	}
}

// bench is what the terminal sees of the bench: places where power fails, and
// a disk that misbehaves.
type bench struct{ l *life }

func (b bench) Point(name string)             { b.l.world.maybeCrash(name) }
func (b bench) SetIdle(func() (bool, uint64)) {}
func (b bench) StoreFault() string {
	if b.l.disk != "" {
		return b.l.disk
	}
	if b.l.world.hit(b.l.world.faults.Disk) {
		return "eio"
	}
	return ""
}

// pad enters no PIN: PIN blocks are another proof's matter.
type pad struct{}

func (pad) String() string { return "soak pad" }
func (pad) Halt() error    { return nil }
func (pad) Enter(context.Context, hal.PINRules, func(int)) (hal.PINEntry, error) {
	return hal.PINEntry{Outcome: hal.PINBypassed}, nil
}

// paper is a printer that sometimes has none.
type paper struct{ l *life }

func (paper) String() string { return "soak paper" }
func (paper) Halt() error    { return nil }
func (paper) Columns() int   { return 32 }
func (p paper) Print(context.Context, hal.Slip) error {
	p.l.world.maybeCrash("printing")
	if p.l.world.hit(p.l.world.faults.Paper) {
		return &hal.PrinterError{Cause: hal.PaperOut}
	}
	return nil
}

// boot starts the terminal on what its store holds.
func (l *life) boot() (err error) {
	l.boots++
	l.clock.timers = nil // posd is gone, and with it its timers
	b := &hal.Board{Name: "soak", Bench: bench{l}, Clock: l.clock, Keys: l.keys, PINPad: pad{}, Printer: paper{l}, Links: []hal.NamedLink{{Name: "soak", Dialer: l.world}}}
	if l.o.Screen {
		b.Display = eyes{l}
	}
	if l.store, err = store.Open(filepath.Join(l.dir, "state.db"), store.Opts{NoSync: true, FaultFn: bench{l}.StoreFault}); err != nil {
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
	if l.line, err = hostlink.New(hostlink.Opts{Clock: l.clock, Links: b.Links, Hosts: []hostlink.Host{{Name: "soak", Address: "soak:1"}}, Profile: p, Signer: keys.Signer{Keys: l.keys, Alg: keys.MACECB}}); err != nil {
		return err
	}
	var rules *throttle.Rules
	if !l.o.NoRules {
		rules = throttle.Default()
	}
	l.term, err = terminal.New(terminal.Opts{Rules: rules, Staff: []role.Person{boss}, Verify: func(hash, pin string) bool { return hash == pin }, Board: b, Store: l.store, Line: l.line, Host: p, Log: slog.New(slog.DiscardHandler),
		Profile: txn.Profile{Context: "soak", Currency: pos.CNY, MaxAmount: 99_999_999, SettleAfter: 90 * time.Second, MaxOpen: 3, CardTimeout: time.Minute,
			ConfirmTime: 30 * time.Second, PINTimeout: time.Minute, PINPad: true, Printer: true, Staff: 1, Tail60: p.Tail60, Lang: "zh", Offline: l.o.Offline},
		Size:  screen.Mono128,
		Spawn: func(f func()) { f() }, Rand: l.rnd.Uint32})
	if err != nil {
		return err
	}
	l.term.Boot()
	return nil
}

// do runs f and what follows from it. A power failure or a failed commit
// brings the terminal up again from its store.
func (l *life) do(f func()) error {
	run := func(f func()) (died bool, err error) {
		defer func() {
			if r := recover(); r != nil {
				if _, power := r.(crash); !power {
					panic(r)
				}
				l.out.Crashes++
				died = true
			}
		}()
		if f != nil {
			f()
		}
		return false, l.term.Turn()
	}
	died, err := run(f)
	for range 1000 {
		switch {
		case !died && err == nil:
			return nil
		case err != nil && !errors.Is(err, terminal.ErrCommit):
			return err
		}
		l.hear() // what the screen said last before it went dark
		if err := l.store.Close(); err != nil && !errors.Is(err, store.ErrFailed) {
			return fmt.Errorf("soak: close: %w", err)
		}
		var berr error
		died, err = run(func() { berr = l.boot() })
		if berr != nil {
			return fmt.Errorf("soak: boot %d: %w", l.boots, berr)
		}
	}
	return errors.New("soak: it does not come up")
}

// wait lets time pass.
func (l *life) wait(d time.Duration) error {
	end := l.clock.boot + d
	for l.clock.boot < end {
		more := true
		if err := l.do(func() { more = l.clock.step(end) }); err != nil {
			return err
		}
		if !more {
			return nil
		}
	}
	return nil
}

func (l *life) key(keys ...txn.Key) error {
	for _, k := range keys {
		if err := l.do(func() { l.term.Press(k) }); err != nil {
			return err
		}
	}
	return nil
}

func (l *life) swipe(c acquirer.Card, good bool) error {
	s := hal.Swipe{Tracks: [3]hal.Track{{Fault: hal.TrackAbsent}, {Data: hal.NewSecret([]byte(c.Track2()))}, {Fault: hal.TrackAbsent}}, Received: l.clock.Now()}
	if !good {
		s.Tracks[1] = hal.Track{Fault: hal.FaultLRC}
	}
	return l.do(func() { l.term.Swipe(s) })
}

func (l *life) close() {
	if l.store != nil {
		l.store.Close()
	}
	l.host.Close()
	os.RemoveAll(l.dir)
}
