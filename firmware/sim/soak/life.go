// Package soak lives whole days of a terminal on the stage, with faults at every
// place where the world is asked. Every chance comes from one seed, so a seed
// replays exactly.
//
// Sources:
//   - DESIGN: design §2, the money rules
//   - HOST: firmware/doc/wire.md and host §3.5, what must be true at each step
//
// What it proves at the end of each life: no order is charged twice (double),
// no order's last word to the customer disagrees with the host's books (lost),
// ten virtual minutes after the faults stop nothing is open, and no card whose
// payment was open got past its gate.
package soak

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"swipewell/firmware/sim/acquirer"
	"swipewell/firmware/sim/stage"
	"swipewell/firmware/throttle"
	"swipewell/firmware/txn"
	"swipewell/hal"
)

// life is one terminal from its first boot to the end of its days.
type life struct {
	*stage.House
	o     Opts
	rnd   *rand.Rand // the cashier's and the day's
	world *world
	cards []acquirer.Card
	disk  string // what the next commits meet

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
	d.l.Host.Command(words...)
}

// Jump moves the wall clock alone.
func (d *Day) Jump(by time.Duration) { d.l.Clock.Wall = d.l.Clock.Wall.Add(by) }

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
	Findings                     int           // messages that a right terminal does not send, as the host found them
	Why                          []string      // the first few orders that went wrong
}

var noon = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

func newLife(o Opts) (*life, error) {
	l := &life{o: o, rnd: rand.New(rand.NewPCG(o.Seed, 1)), byStan: map[string]*order{}}
	l.world = &world{rnd: rand.New(rand.NewPCG(o.Seed, 2)), faults: o.Faults, sent: l.sent}
	var rules *throttle.Rules
	if !o.NoRules {
		rules = throttle.Default()
	}
	var err error
	l.House, err = stage.New(stage.Opts{Dir: o.Dir, Seed: o.Seed, Wires: []stage.NamedWire{{Name: "soak", Wire: l.world}}, Wall: noon, Rules: rules,
		Profile: func(p *txn.Profile) { p.Offline = o.Offline },
		Bench:   bench{l}, Down: l.hear, // what the screen said last before it went dark
		Board: func(b *hal.Board) {
			b.PINPad, b.Printer = stage.NoPIN{}, paper{l}
			if o.Screen {
				b.Display = eyes{l}
			}
		}})
	if err != nil {
		return nil, err
	}
	l.world.clock = l.Clock
	// A town's cards: few enough that each comes again, many enough that it is not
	// the same customer all day.
	for i := range townCards {
		name := fmt.Sprintf("town-%03d", i)
		if err := l.Host.DefineCard(name, "balance=9000000000.00", "limit=none", "daily=none", "count=none"); err != nil {
			return nil, err
		}
	}
	for _, c := range l.Host.Cards() {
		if strings.HasPrefix(c.Name, "town-") {
			l.cards = append(l.cards, c)
		}
	}
	return l, nil
}

const townCards = 400

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

func (b bench) Point(name string)             { b.l.world.Point(name) }
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

// paper is a printer that sometimes has none.
type paper struct{ l *life }

func (paper) String() string { return "soak paper" }
func (paper) Halt() error    { return nil }
func (paper) Columns() int   { return 32 }
func (p paper) Print(context.Context, hal.Slip) error {
	p.l.world.Point("printing")
	if p.l.world.hit(p.l.world.faults.Paper) {
		return &hal.PrinterError{Cause: hal.PaperOut}
	}
	return nil
}

// start is the first boot.
func (l *life) start() error {
	var berr error
	err := l.Do(func() { berr = l.Boot() })
	if err == nil {
		err = berr
	}
	return err
}
