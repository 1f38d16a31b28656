package iso7816_test

import (
	"path/filepath"
	"testing"
	"time"

	"swipewell/drivers/iso7816"
	"swipewell/drivers/iso7816/cardsim"
	"swipewell/drivers/tty"
	"swipewell/drivers/tty/ttysim"
	"swipewell/hal"
	"swipewell/hal/haltest"
)

// echo is the application of haltest: 00 EE gives back what it gets. What never
// answers is the matter of mutes.
func echo(c []byte) []byte {
	if c[1] != 0xEE || len(c) < 5 {
		return []byte{0x6D, 0x00}
	}
	return append(append([]byte(nil), c[5:5+int(c[4])]...), 0x90, 0x00)
}

// mutes is a card that never answers 00 EF.
type mutes struct {
	*cardsim.Card
	knobs cardsim.Knobs
}

func (m mutes) Reset(warm bool) []cardsim.Char {
	m.Set(m.knobs)
	return m.Card.Reset(warm)
}

// thinker makes a card whose 00 EF never ends: 60 or S(WTX) for ever. It is
// noticed by the application, before the answer is made.
func thinker(protocol int, o cardsim.Opts) cardsim.Machine {
	var c *cardsim.Card
	o.Protocol = protocol
	o.App = func(cmd []byte) []byte {
		if cmd[1] == 0xEF {
			c.Set(cardsim.Knobs{Delay: 9000, Nulls: -1, WTX: -1})
		}
		return echo(cmd)
	}
	c = cardsim.New(o)
	return mutes{c, o.Knobs}
}

// ptySlot is the driver on a pty, with the contacts on a socket.
func ptySlot(t *testing.T, clock hal.Clock, o iso7816.Opts) (*iso7816.Slot, *cardsim.Slot) {
	t.Helper()
	far, err := ttysim.Open(ttysim.Opts{})
	if err != nil {
		t.Fatal(err)
	}
	sim, err := cardsim.Listen(cardsim.SlotOpts{Socket: filepath.Join(t.TempDir(), "icc"), Line: far, Clock: clock, NoEcho: o.NoEcho})
	if err != nil {
		t.Fatal(err)
	}
	port, err := tty.Open(tty.Opts{Path: far.Path(), Baud: 9600, Parity: tty.ParityEven, StopBits: 2})
	if err != nil {
		t.Fatal(err)
	}
	contacts, err := iso7816.OpenSocket(sim.Path())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		contacts.Close()
		port.Close()
		far.Close()
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	// The echo is a goroutine's, which may have to wait for its turn.
	o.Port, o.Contacts, o.Clock, o.Slack = port, contacts, clock, 2*time.Second
	s, err := iso7816.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s, sim
}

func TestConformance(t *testing.T) {
	for name, c := range map[string]struct {
		protocol int
		o        cardsim.Opts
		d        iso7816.Opts
	}{
		"T=0":              {0, cardsim.Opts{}, iso7816.Opts{}},
		"T=0 inverse":      {0, cardsim.Opts{Inverse: true}, iso7816.Opts{}},
		"T=1":              {1, cardsim.Opts{IFSC: 254}, iso7816.Opts{}},
		"T=1 without echo": {1, cardsim.Opts{}, iso7816.Opts{NoEcho: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			haltest.ChipReader(t, func(t *testing.T) haltest.ChipReaderBench {
				s, sim := ptySlot(t, hal.SystemClock{}, c.d)
				return haltest.ChipReaderBench{Reader: s, Protocol: c.protocol, Remove: sim.Remove,
					Insert: func() { sim.Insert(thinker(c.protocol, c.o)) }}
			})
		})
	}
}
