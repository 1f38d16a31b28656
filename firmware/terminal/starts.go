package terminal

import (
	"hash/crc32"
	"time"

	"swipewell/firmware/diagnose"
	"swipewell/firmware/throttle"
	"swipewell/firmware/txn"
)

// sawStarts reads the starts of the last minutes out of the history, and notes
// this one. A start behind a life that did not end by itself was a crash or a
// power cut; the version tells the two apart as far as anything can.
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
		o := diagnose.Obs{Kind: diagnose.Restart, At: e.At - d.Clock.Away, Code: 1}
		if e.N != last {
			o.N = 1
		}
		last = e.N
		if now.At-e.At < 20*time.Minute && now.At >= e.At {
			t.senses.win.Add(o)
		}
	}
	o := diagnose.Obs{Kind: diagnose.Restart, At: t.base0(d), Code: 1}
	if last != version {
		o.N = 1
	}
	t.senses.win.Add(o)
	t.guard.soft = append(t.guard.soft, throttle.Event{At: now.At, Wall: t.clock.Now().Wall.Unix(), What: throttle.Boot, N: version})
	t.flushIn(2 * time.Second)
}

// base0 is the logical time at which this life begins.
func (t *Terminal) base0(d *txn.Durable) time.Duration { return d.Saved.Logical }
