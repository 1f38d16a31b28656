package board

import (
	"errors"
	"fmt"
	"time"

	"periph.io/x/conn/v3/driver/driverreg"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpioreg"

	"swipewell/drivers/iso7816"
	"swipewell/drivers/pcsc"
	"swipewell/drivers/tty"
	"swipewell/drivers/vpcd"
	"swipewell/hal"
)

// ICC is the slot for cards with contacts.
type ICC struct {
	Driver string `toml:"driver"` // "iso7816-serial", "pcsc" or "vpcd"
	// Tables is a signed file of keys and applications, below what is downloaded;
	// it may be left out.
	Tables string `toml:"tables"`
	// Fallback is after how many chips that could not be read, within one sale, the
	// stripe may serve: 1 to 9; left out, 1.
	Fallback int `toml:"fallback_after"`
	// iso7816-serial: the port on the I/O line, and the GPIO names of the other
	// contacts; vcc, rst and clk may be left out where the board does it by itself.
	Port       string `toml:"port"`
	VCC        string `toml:"vcc"`
	RST        string `toml:"rst"`
	CLK        string `toml:"clk"`
	Present    string `toml:"present"`
	VCCLow     bool   `toml:"vcc_low"`     // low gives power
	PresentLow bool   `toml:"present_low"` // low: a card is in
	Hz         int    `toml:"hz"`          // of the card's clock, 3571200
	NoEcho     bool   `toml:"no_echo"`     // what is sent is not received
	Rules      string `toml:"rules"`       // "emv" (default) or "iso"
	Lines      string `toml:"lines"`       // bench: the contacts on a socket
	// pcsc: the daemon's socket and the reader's name; both may be left out.
	Socket string `toml:"socket"`
	Reader string `toml:"reader"`
	// vpcd: where cards connect, 127.0.0.1:35963.
	Listen string `toml:"listen"`
}

func (f *File) checkICC() {
	c := f.ICC
	if c == nil {
		return
	}
	if c.Fallback < 0 || c.Fallback > 9 {
		f.fault("icc.fallback_after", "must be 1 to 9")
	}
	switch c.Driver {
	case "iso7816-serial":
		f.need("icc", "port", c.Port)
		switch {
		case c.Lines == "":
			f.need("icc", "present", c.Present)
		case !f.Bench:
			f.fault("icc.lines", "only on a board with bench = true")
		}
	case "pcsc", "vpcd":
	default:
		f.fault("icc.driver", `must be "iso7816-serial", "pcsc" or "vpcd"`)
	}
	if c.Rules != "" && c.Rules != "emv" && c.Rules != "iso" {
		f.fault("icc.rules", `must be "emv" or "iso"`)
	}
	if c.Hz != 0 && (c.Hz < 1_000_000 || c.Hz > 5_000_000) {
		f.fault("icc.hz", "must be 1000000 to 5000000")
	}
}

func (op *opener) icc() (string, error) {
	c, clock := op.f.ICC, op.r.Clock
	switch c.Driver {
	case "pcsc":
		r, err := pcsc.New(pcsc.Opts{Socket: c.Socket, Reader: c.Reader, Clock: clock})
		if err != nil {
			return c.Driver, err
		}
		op.keep(r)
		op.r.Chip = r
	case "vpcd":
		r, err := vpcd.Listen(vpcd.Opts{Addr: c.Listen, Clock: clock})
		if err != nil {
			return c.Driver, err
		}
		op.keep(r)
		op.r.Chip = r
	default:
		if err := op.iccSerial(c); err != nil {
			return c.Driver, err
		}
	}
	return op.r.Chip.String(), nil
}

func (op *opener) iccSerial(c *ICC) error {
	contacts, err := op.contacts(c)
	if err != nil {
		return err
	}
	// The slot sets the rate that the card's clock makes.
	port, err := tty.Open(tty.Opts{Path: c.Port, Baud: 9600, Parity: tty.ParityEven, StopBits: 2})
	if err != nil {
		return err
	}
	op.keep(port)
	o := iso7816.Opts{Port: port, Contacts: contacts, Clock: op.r.Clock, Hz: c.Hz, NoEcho: c.NoEcho}
	if c.Lines != "" {
		o.Slack = 500 * time.Millisecond // the echo is a program's, which may have to wait for its turn
	}
	if c.Rules == "iso" {
		o.Rules = iso7816.RulesISO
	}
	s, err := iso7816.New(o)
	if err != nil {
		return err
	}
	op.keep(down{s})
	op.r.Chip = s
	return nil
}

// down takes the power from the card when the board is closed.
type down struct{ s *iso7816.Slot }

func (d down) Close() error { return d.s.PowerDown() }

func (op *opener) contacts(c *ICC) (iso7816.Contacts, error) {
	if c.Lines != "" {
		s, err := iso7816.OpenSocket(c.Lines)
		if err != nil {
			return nil, err
		}
		op.keep(s)
		return s, nil
	}
	if _, err := driverreg.Init(); err != nil {
		return nil, err
	}
	p := &iso7816.Pins{InLow: c.PresentLow, VccLow: c.VCCLow, Clock: op.r.Clock}
	for _, l := range []struct {
		name string
		set  func(gpio.PinIO)
	}{
		{c.Present, func(io gpio.PinIO) { p.In = io }}, {c.VCC, func(io gpio.PinIO) { p.Vcc = io }},
		{c.RST, func(io gpio.PinIO) { p.Rst = io }}, {c.CLK, func(io gpio.PinIO) { p.Clk = io }},
	} {
		if l.name == "" {
			continue
		}
		io := gpioreg.ByName(l.name)
		if io == nil {
			return nil, fmt.Errorf("no GPIO named %q on this board", l.name)
		}
		l.set(io)
	}
	return p, p.Open()
}

// OpenSlot opens the file's slot and nothing else: for a tool that looks at a card while
// no device runs. Close the Result.
func (f *File) OpenSlot() (*Result, error) {
	if f.ICC == nil {
		return nil, errors.New("board: the file has no [icc]")
	}
	op := &opener{f: f, o: Opts{Event: func(string, string) {}}, r: &Result{Board: &hal.Board{Name: f.Name, Clock: hal.SystemClock{}}}}
	op.device("icc", true, op.icc)
	if d := op.r.Report[0]; d.State != hal.Loaded {
		return nil, errors.Join(fmt.Errorf("board: icc: %s", d.Why), op.r.Close())
	}
	return op.r, nil
}
