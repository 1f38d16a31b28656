package terminal

import (
	"hash/crc32"
	"time"

	"swipewell/firmware/diagnose"
	"swipewell/firmware/throttle"
	"swipewell/firmware/txn"
	"swipewell/ui/prompt"
)

// sawStarts reads the starts of the last minutes out of the history, and notes
// this one: on a machine that had just been switched on, or, as after a crash, on
// one that ran. The version tells whether there is another program.
func (t *Terminal) sawStarts(d *txn.Durable, events []throttle.Event) {
	if t.o.Window != nil && t.o.Window.Seq() > 0 {
		return // the same process begins again after a failed commit
	}
	version := uint16(crc32.ChecksumIEEE([]byte(t.o.Version)))
	now := d.Clock.Now(t.base0(d), zone)
	last := version
	for _, e := range events {
		if e.What != throttle.Boot {
			continue
		}
		o := diagnose.Obs{Kind: diagnose.Restart, At: e.At - d.Clock.Away, Code: uint16(1 - min(e.Took, 1))}
		if e.N != last {
			o.N = 1
		}
		last = e.N
		if now.At-e.At < 20*time.Minute && now.At >= e.At {
			t.senses.win.Add(o)
		}
	}
	// Took 1: the machine itself had just been switched on; else the program was
	// started again on a machine that ran.
	boot := throttle.Event{At: now.At, Wall: t.clock.Now().Wall.Unix(), What: throttle.Boot, N: version}
	if t.clock.Now().Boot < justOn {
		boot.Took = 1
	}
	o := diagnose.Obs{Kind: diagnose.Restart, At: t.base0(d), Code: uint16(1 - boot.Took)}
	if last != version {
		o.N = 1
	}
	t.senses.win.Add(o)
	t.guard.soft = append(t.guard.soft, boot)
	t.flushIn(2 * time.Second)
}

// base0 is the logical time at which this life begins.
func (t *Terminal) base0(d *txn.Durable) time.Duration { return d.Saved.Logical }

// Fault halts the terminal, as a device does that has found itself in trouble;
// only for who drives it by Turn.
func (t *Terminal) Fault(c prompt.Code) {
	t.post(func() { t.handle(txn.Event{Kind: txn.Faulted, Code: c}) })
}
