package main

import (
	"context"
	"fmt"
	"runtime"
	"syscall"
	"time"

	"swipewell/drivers/iso7816"
	"swipewell/drivers/iso7816/cardsim"
	"swipewell/firmware/emv"
	"swipewell/firmware/emv/table"
	"swipewell/firmware/sim/card"
	"swipewell/firmware/sim/world"
)

// etusOfByte is what a character takes on the wire with T=0 at least: start, eight
// bits, parity, two of guard time. EMV 4.3 Book 1 §5.5.
const etusOfByte = 12

// chipSale is a sale that both kernel and card agree on: online, CDA on both
// cryptograms, keys of 1984, 1976 and 1408 bits.
type chipSale struct {
	cfg *emv.Config
	txn emv.Transaction
	p   card.Profile
}

func newChipSale() (*chipSale, error) {
	text, err := world.Tables(1)
	if err != nil {
		return nil, err
	}
	f, err := table.ParseFile(text)
	if err != nil {
		return nil, err
	}
	p, err := card.Load("credit")
	if err != nil {
		return nil, err
	}
	p.OfflineMax = 0
	return &chipSale{p: p,
		cfg: f.Set.Config(emv.Values{0x9F1A: {0x01, 0x56}, 0x9F33: {0x60, 0xF8, 0xC8}, 0x9F35: {0x22}, 0x9F40: {0x60, 0, 0xF0, 0xA0, 0x01}}, "20261126"),
		txn: emv.Transaction{Data: emv.Values{0x9F02: {0, 0, 0, 8, 0x12, 0x80}, 0x9F03: {0, 0, 0, 0, 0, 0}, 0x5F2A: {0x01, 0x56}, 0x9A: {0x26, 0x11, 0x26},
			0x9F21: {0x12, 0, 0}, 0x9C: {0}, 0x9F41: {0, 0, 0, 1}}, UN: [4]byte{0x10, 0x11, 0x12, 0x13}, Pick: 1},
	}, nil
}

// run plays it; transmit is the card.
func (s *chipSale) run(transmit func(capdu []byte) (emv.Input, error)) error {
	st, out, err := emv.Begin(s.cfg, s.txn)
	if err != nil {
		return err
	}
	for {
		var in emv.Input
		switch out := out.(type) {
		case emv.Outcome:
			if out.String() != "approved-online" {
				return fmt.Errorf("the chip sale ended as %s, TVR %X", out, st.TVR())
			}
			return nil
		case emv.Command:
			if in, err = transmit(out.APDU); err != nil {
				return err
			}
		case emv.AskFacts:
			in = emv.Facts{}
		case emv.AskOnline:
			in = emv.Host{Approved: true, ARC: [2]byte{'0', '0'}, AuthData: make([]byte, 8)}
		default:
			return fmt.Errorf("the chip sale asks %T", out)
		}
		st, out = emv.Step(st, in)
	}
}

// cpu is what this process has used so far, its garbage collector included.
func cpu() (time.Duration, error) {
	var r syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()), err
}

// benchChip measures the kernel alone, from a tape of the card's answers, and a
// sale through the T=0 driver in the virtual time of its wire.
func benchChip(ctx context.Context) ([]row, error) {
	const sales = 3000
	s, err := newChipSale()
	if err != nil {
		return nil, err
	}
	c, err := card.New(s.p)
	if err != nil {
		return nil, err
	}
	var tape []emv.Input
	if err := s.run(func(capdu []byte) (emv.Input, error) {
		in := emv.ParseResponse(c.Transmit(capdu))
		tape = append(tape, in)
		return in, nil
	}); err != nil {
		return nil, err
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	before, err := cpu()
	if err != nil {
		return nil, err
	}
	for range sales {
		n := -1
		if err := s.run(func([]byte) (emv.Input, error) { n++; return tape[n], nil }); err != nil {
			return nil, err
		}
	}
	after, err := cpu()
	if err != nil {
		return nil, err
	}
	took, need, err := wireSale(ctx, s)
	if err != nil {
		return nil, err
	}
	return []row{
		{"a chip sale, CDA twice, 1984/1976/1408 bits: CPU of the kernel", fmt.Sprintf("%.3f ms", (after-before).Seconds()*1000/sales), "≤ 0.2 ms"},
		{"the same by T=0 at 9,600 baud, virtual time: time, its bytes", fmt.Sprintf("%.3f s, %.3f s", took.Seconds(), need.Seconds()),
			fmt.Sprintf("≤ 1.15 × its bytes: %.3f ×", took.Seconds()/need.Seconds())},
	}, nil
}

// wireSale is the sale through the driver, from the first command to the last
// answer, and the time that its characters alone need.
func wireSale(ctx context.Context, s *chipSale) (took, need time.Duration, err error) {
	c, err := card.New(s.p)
	if err != nil {
		return 0, 0, err
	}
	w := &cardsim.Wire{Machine: cardsim.New(cardsim.Opts{App: c.Transmit, Reset: c.Reset}), In: true}
	slot, err := iso7816.New(iso7816.Opts{Port: w, Contacts: w, Clock: w})
	if err != nil {
		return 0, 0, err
	}
	if _, err := slot.PowerUp(ctx); err != nil {
		return 0, 0, err
	}
	if w.Baud != 9600 {
		return 0, 0, fmt.Errorf("the wire is at %d baud", w.Baud)
	}
	began, bytes := w.Now().Boot, w.Sent+w.Got
	err = s.run(func(capdu []byte) (emv.Input, error) {
		r, err := slot.Transmit(ctx, nil, capdu)
		return emv.ParseResponse(r), err
	})
	took = w.Now().Boot - began
	need = time.Duration(w.Sent+w.Got-bytes) * etusOfByte * time.Second / 9600
	return took, need, err
}
