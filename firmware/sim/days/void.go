package days

import (
	"swipewell/firmware/pos"
	"swipewell/firmware/txn"
	"swipewell/ui/prompt"
)

// void takes back the last sale: the number that the screen offers.
func (l *life) void(o *order) bool {
	d := l.desk
	last := d.s.Durable.Booked
	if b := d.host.books[pos.RecordID{Context: profile.Context, Batch: last.Batch, STAN: last.STAN}]; b == nil || b.o != o {
		return false // somebody else's sale was the last
	}
	d.keys("cancel")
	for _, k := range txn.MenuKeys(prompt.MenuVoid) {
		d.keys(txn.Key(k))
	}
	d.keys("enter")
	for range 32 {
		switch d.s.Phase {
		case txn.Confirming:
			d.wait(l.rnd.between(confirmFirst, confirmMost))
			d.do(txn.Event{Kind: txn.KeyPressed, Key: "enter"})
		case txn.Preparing, txn.Online:
			_, at := d.next()
			d.until(at)
		case txn.Stopped: // by the rules on voids: a supervisor's business
			l.out.VoidStops++
			d.keys("cancel")
			return false
		default:
			if o.charges > 0 {
				return false
			}
			o.state = undone
			l.trace = append(l.trace, Attempt{At: d.now, Day: d.moment().Day, Order: o.id, Undo: true})
			return true
		}
	}
	return false
}
