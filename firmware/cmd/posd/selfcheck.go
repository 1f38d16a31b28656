package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"swipewell/firmware/console"
	"swipewell/firmware/journal"
	"swipewell/firmware/pos"
	"swipewell/firmware/terminal"
	"swipewell/hal"
)

// checkedSlots are the keys that a self-check names by their check values.
var checkedSlots = []hal.KeySlot{hal.SlotTMK, hal.SlotKBPK, hal.SlotPIK, hal.SlotMAK, hal.SlotTDK}

// build is the SHA-256 of the program that runs, read once; "" cannot be told.
var build = sync.OnceValue(func() string {
	f, err := os.Open("/proc/self/exe")
	if err != nil {
		return ""
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil))
})

// serial is what the board file says that this device's is; "" nothing.
func (d *device) serial() string {
	for _, a := range d.file.Assets {
		if a.Kind == "serial" {
			return a.Value
		}
	}
	return ""
}

// SelfCheck looks at every device, the store, the keys, the log and the line, and
// with echo asks the host for a sign of life. No money moves.
func (b backend) SelfCheck(ctx context.Context, echo bool) (c console.SelfCheck, err error) {
	d := b.d
	c = console.SelfCheck{Version: version, Build: build(), Board: d.file.Name, Serial: d.serial(), Bench: d.file.Bench, At: d.board.Clock.Now().Wall.In(pos.CST).Truncate(time.Second)}
	f := console.Found{Devices: console.DevicesOf(d.board.Report), Wrong: d.file.Wrong(), Stop: d.board.Stop, Asked: echo}
	if a := d.file.Acquirer; a != nil {
		c.Terminal, c.Merchant = a.TID, a.MID
	}
	if d.board.Keys != nil {
		for _, slot := range checkedSlots {
			k := console.KeyItem{Slot: slot}
			if kcv, ok := d.board.Keys.Has(slot); ok {
				k.KCV = fmt.Sprintf("%X", kcv[:3])
			}
			c.Keys = append(c.Keys, k)
		}
	}
	f.Keys = c.Keys
	if d.board.Chip != nil {
		if in, err := d.board.Chip.Present(); err == nil {
			f.CardIn = &in
		}
	}
	t, st := b.current()
	d.mu.Lock()
	f.Fault = string(d.fault)
	if p := d.params; p.from != nil {
		f.Params = p.from.Version
	} else {
		f.ParamsNo = p.bad
	}
	d.mu.Unlock()
	if t != nil {
		if f.Facts, err = t.SelfCheck(ctx, echo); err != nil {
			return c, err
		}
		f.Running = true
	} else {
		f.Facts.LogDropped = int(d.journal.Dropped())
	}
	if st != nil {
		f.Store = st.Check()
	}
	f.Journal = b.journalWhole(ctx)
	if f.Links, err = b.Links(ctx); err != nil {
		return c, err
	}
	s, err := b.Status(ctx)
	if err != nil {
		return c, err
	}
	f.Open, f.Waiting = s.Unresolved+s.Refused, s.Reversals+s.Advices
	c.Items = console.Items(f)
	return c, nil
}

// journalWhole verifies the log's seals against what was kept with money.
func (b backend) journalWhole(ctx context.Context) error {
	var kept []journal.Anchor
	if _, st := b.current(); st != nil && b.d.board.Keys != nil {
		var err error
		if kept, err = terminal.JournalAnchors(st, b.d.board.Keys); err != nil {
			return err
		}
	}
	rs, err := b.d.journal.Verify(kept)
	if err != nil {
		return err
	}
	return console.Reports(rs, func(r console.StreamReport) error {
		if r.Whole() {
			return nil
		}
		if len(r.Findings) > 0 {
			return errors.New(r.Stream + ": " + r.Findings[0].Text)
		}
		return errors.New(r.Stream + ": not whole")
	})
}

// measureTime is how long a modem may take to say its signal.
const measureTime = 5 * time.Second

// Links are the ways to the host; a radio is asked for its signal now, unless a link
// has it.
func (b backend) Links(ctx context.Context) ([]console.Link, error) {
	ctx, cancel := hal.WithTimeout(ctx, b.d.board.Clock, measureTime)
	defer cancel()
	for _, l := range b.d.board.Links {
		if m, ok := l.Dialer.(hal.Measurer); ok {
			_, _ = m.Measure(ctx) // a modem that is silent keeps its last reading, which Status has
		}
	}
	s, err := b.Status(context.WithoutCancel(ctx))
	return s.Links, err
}
