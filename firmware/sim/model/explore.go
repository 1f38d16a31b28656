package model

import (
	"fmt"
	"slices"
	"time"

	"swipewell/firmware/outbox"
	"swipewell/firmware/pos"
	"swipewell/firmware/txn"
)

// Explore searches to the end; its error is a *Violation.
func Explore(o Opts) (r Result, err error) {
	start := &node{s: txn.New(txn.Durable{}), told: make([]bool, o.Orders), tries: make([]int8, o.Orders), chip: o.Chip}
	start.boot()
	seen := map[string]bool{start.key(): true}
	queue := []*node{start}
	for len(queue) > 0 {
		n := queue[len(queue)-1] // depth first: histories stay short in memory
		queue = queue[:len(queue)-1]
		r.Nodes++
		if o.Progress != nil && r.Nodes%50_000 == 0 {
			o.Progress(r.Nodes, len(queue))
		}
		if o.MaxNodes > 0 && r.Nodes >= o.MaxNodes {
			return r, nil
		}
		next := n.next(o)
		if len(next) == 0 {
			r.Ends++
			if v := n.atRest(); v != "" {
				return r, &Violation{v, n.history()}
			}
		}
		for _, c := range next {
			r.Edges++
			if v := c.always(); v != "" {
				return r, &Violation{v, c.history()}
			}
			if k := c.key(); !seen[k] {
				seen[k] = true
				queue = append(queue, c)
			}
		}
	}
	r.Complete = true
	return r, nil
}

// next is every way on.
func (n *node) next(o Opts) (out []*node) {
	add := func(c *node) { out = append(out, c) }
	// A request that is still on its way may arrive, until settle_after is over.
	for i, l := range n.late {
		c := n.clone("request %v arrives late", l.stan)
		c.late = slices.Delete(c.late, i, i+1)
		c.pending = n.pending
		c.book(l.stan, l.order)
		add(c)
	}
	if int(n.crashes) < o.Crashes {
		c := n.clone("power fails")
		c.crashes++
		c.s = txn.New(n.s.Durable)
		c.boot()
		add(c)
	}
	if len(n.pending) > 0 {
		return append(out, n.carryOut(o)...)
	}
	if n.s.Work != txn.WorkNone {
		return out
	}
	switch n.s.Phase {
	case txn.Ready, txn.Result:
		for i := range o.Orders {
			// An order is presented again after every outcome but "approved".
			if !n.told[i] && int(n.tries[i]) < o.Tries {
				add(n.sell(int8(i), o))
			}
		}
	case txn.AwaitCard:
		c := n.clone("cancel")
		c.event(txn.Event{Kind: txn.KeyPressed, Key: "cancel"})
		add(c)
	}
	// Time passes to the next record's try, or past settle_after.
	if len(n.box) > 0 {
		var box outbox.Box
		for _, r := range n.box {
			box.Put(r)
		}
		at, any := box.NextDue(true)
		if any {
			c := n.clone("time passes")
			c.now = max(n.now, at, n.s.Hold) + time.Second
			c.expire()
			c.event(txn.Event{Kind: txn.OutboxDue})
			add(c)
		}
	}
	return out
}

// expire: what has not arrived by settle_after never will.
func (n *node) expire() {
	n.late = slices.DeleteFunc(n.late, func(l letter) bool { return n.now >= l.until })
}

// sell presents order i: everything up to the intent is one edge, since a power
// failure before it leaves nothing.
func (n *node) sell(i int8, o Opts) *node {
	ref := card(i)
	if o.Orders > 1 && int(i) == o.Orders-1 {
		ref = card(0)
	}
	c := n.clone("order %d is presented", i)
	c.tries[i]++
	c.event(txn.Event{Kind: txn.KeyPressed, Key: "cancel"})
	for _, k := range []txn.Key{"1", "00", "enter"} {
		c.event(txn.Event{Kind: txn.KeyPressed, Key: k})
	}
	before := c.s.Durable.STAN
	entry := pos.EntrySwipe
	if n.chip {
		entry = pos.EntryChip
		c.event(txn.Event{Kind: txn.Removed}) // the one before
		c.event(txn.Event{Kind: txn.Inserted})
	}
	c.event(txn.Event{Kind: txn.Presented, Card: ref, Masked: "622588******0010", Entry: entry})
	if c.s.Phase == txn.Confirming {
		c.event(txn.Event{Kind: txn.KeyPressed, Key: "enter"})
	}
	if c.s.Phase == txn.Reading {
		c.event(txn.Event{Kind: txn.ChipSaid, Chip: txn.Says{What: txn.ChipOnline, Chip: pos.Chip{ICC: "95"}}})
	}
	c.own(i, before)
	c.s.Masked = ""
	return c
}

// own notes for whom a fresh STAN was taken.
func (n *node) own(i int8, before pos.STAN) {
	if in := n.s.Durable.Open; in.Open() && in.ID.STAN != before && n.orderOf(in.ID.STAN) < 0 {
		n.owner = append(n.owner, letter{stan: in.ID.STAN, order: i})
	}
}

// current is the order in front of the terminal: the last one presented.
func (n *node) current() int8 {
	for p := n.path; p != nil; p = p.up {
		var i int8
		if _, err := fmt.Sscanf(p.what, "order %d is presented", &i); err == nil {
			return i
		}
	}
	return -1
}

// boot is a start of the device.
func (n *node) boot() {
	p := profile
	if n.chip {
		p = slotted
	}
	n.event(txn.Event{Kind: txn.Booted, Profile: p})
}

// carryOut runs each effect that waits, in every way the world has; a card that is
// being told of an end does not keep the line waiting.
func (n *node) carryOut(o Opts) (out []*node) {
	for i, x := range n.pending {
		rest := slices.Delete(slices.Clone(n.pending), i, i+1)
		if t, ok := x.(txn.TellChip); ok {
			out = append(out, n.tell(t, rest)...)
			continue
		}
		out = append(out, n.send(o, x, rest)...)
	}
	return out
}

// send is what becomes of a message.
func (n *node) send(o Opts, x txn.Effect, rest []txn.Effect) (out []*node) {
	end := func(what string, e txn.Event, late bool, f func(c *node) txn.Event) {
		c := n.clone("%s", what)
		c.pending = slices.Clone(rest)
		if late {
			c.now += exchange
			c.expire()
		}
		if f != nil {
			e = f(c)
		}
		before := c.s.Durable.STAN
		c.event(e)
		c.own(n.current(), before)
		out = append(out, c)
	}
	switch x := x.(type) {
	case txn.SendSignOn:
		end("sign-on", txn.Event{Kind: txn.SignOnDone, Reply: n.reply("00")}, false, nil)
	case txn.SendSale:
		stan, order := x.Intent.ID.STAN, n.orderOf(x.Intent.ID.STAN)
		done := func(r txn.Reply) txn.Event { return txn.Event{Kind: txn.SaleDone, Reply: r} }
		lost := txn.Reply{Kind: txn.NoAnswer}
		end("never sent", done(txn.Reply{Kind: txn.NotSent}), false, nil)
		end("request lost", txn.Event{}, true, func(c *node) txn.Event { lost.LeftBy = c.now; return done(lost) })
		end("request held", txn.Event{}, true, func(c *node) txn.Event {
			c.late = append(c.late, letter{stan, order, c.now + settleAfter})
			lost.LeftBy = c.now
			return done(lost)
		})
		end("booked, answer lost", txn.Event{}, true, func(c *node) txn.Event { c.book(stan, order); lost.LeftBy = c.now; return done(lost) })
		end("declined", done(n.reply("51")), false, nil)
		end("no proof (96)", done(n.reply("96")), false, nil)
		end("booked, 96", txn.Event{}, false, func(c *node) txn.Event { c.book(stan, order); return done(c.reply("96")) })
		end("approved", txn.Event{}, false, func(c *node) txn.Event {
			if !c.book(stan, order) {
				return done(c.reply("94"))
			}
			return done(c.reply("00"))
		})
		if int(n.wrong) < o.Wrong {
			end("approved, wrong MAC", txn.Event{}, false, func(c *node) txn.Event {
				c.wrong++
				c.book(stan, order)
				r := c.reply("00")
				r.MAC = txn.MACWrong
				return done(r)
			})
		}
		// A late answer, or one that comes twice, meets a terminal that waits for
		// nothing: the event comes again behind the first.
		end("approved, answer twice", txn.Event{}, false, func(c *node) txn.Event {
			if !c.book(stan, order) {
				return done(c.reply("94"))
			}
			c.event(done(c.reply("00")))
			return done(c.reply("00"))
		})
		end("answer after the time-out", txn.Event{}, true, func(c *node) txn.Event {
			c.book(stan, order)
			lost.LeftBy = c.now
			c.event(done(lost))
			c.pending = slices.DeleteFunc(c.pending, func(e txn.Effect) bool { _, again := e.(txn.SendSale); return again })
			return done(c.reply("00"))
		})
	case txn.SendRecord:
		var box outbox.Box
		for _, r := range n.box {
			box.Put(r)
		}
		rec, ok := box.Pick(outbox.Want{Now: n.now, Card: x.Card, Since: x.Since, Later: x.Later})
		done := func(r txn.Reply) txn.Event { return txn.Event{Kind: txn.RecordDone, Record: rec, Reply: r} }
		if !ok {
			end("nothing to send", txn.Event{Kind: txn.RecordDone}, false, nil)
			break
		}
		if rec.Class != pos.ClassReversal {
			n.other(rec, end)
			break
		}
		end("reversal not sent", done(txn.Reply{Kind: txn.NotSent}), false, nil)
		end("reversal lost", done(txn.Reply{Kind: txn.NoAnswer}), true, nil)
		end("reversal through, answer lost", txn.Event{}, true, func(c *node) txn.Event { c.reverse(rec.STAN); return done(txn.Reply{Kind: txn.NoAnswer}) })
		end("reversal answered", txn.Event{}, false, func(c *node) txn.Event { return done(c.reply(c.reverse(rec.STAN))) })
	}
	return out
}

// always holds at every node.
func (n *node) always() string {
	if n.bad != "" {
		return n.bad
	}
	for _, s := range n.sales {
		if n.chip && !slices.Contains(n.agreed, s) {
			return fmt.Sprintf("I12: STAN %v is in the batch, and its card has not agreed", s)
		}
	}
	for _, b := range n.books {
		if b.reversed {
			if slices.Contains(n.sales, b.stan) {
				return fmt.Sprintf("I1: STAN %v is reversed at the host and a sale in the batch (a late answer revived it)", b.stan)
			}
			continue
		}
		// Money that the host has booked is known to the terminal: as a sale, or
		// as something that it will take back.
		covered := slices.Contains(n.sales, b.stan) || n.s.Durable.Open.ID.STAN == b.stan
		for _, r := range n.box {
			covered = covered || r.STAN == b.stan
		}
		if !covered {
			return fmt.Sprintf("I2: the host booked STAN %v, and nothing here knows of it (lost)", b.stan)
		}
	}
	for i, s := range n.sales {
		if slices.Contains(n.sales[:i], s) {
			return fmt.Sprintf("I3: STAN %v is twice in the batch", s)
		}
		for _, r := range n.box {
			if r.STAN == s && r.Class == pos.ClassReversal {
				return fmt.Sprintf("I4: STAN %v is approved and will be reversed", s)
			}
		}
	}
	for i, l := range n.owner {
		for _, m := range n.owner[:i] {
			if m.stan == l.stan {
				return fmt.Sprintf("I5: STAN %v was handed out twice", l.stan)
			}
		}
	}
	if in := n.s.Durable.Open; in.Open() && !slices.ContainsFunc(n.box, func(r pos.Record) bool { return r.RecordID == in.ID }) {
		return fmt.Sprintf("I14: STAN %v is open and its reversal is not on flash", in.ID.STAN)
	}
	for _, x := range n.pending {
		if s, ok := x.(txn.SendSale); ok {
			armed := false
			for _, r := range n.box {
				armed = armed || r.STAN == s.Intent.ID.STAN && r.State == pos.RecordArmed
			}
			if !armed {
				return fmt.Sprintf("I6: STAN %v goes out and its reversal is not on flash", s.Intent.ID.STAN)
			}
		}
	}
	// One card never pays twice at a time: its gate is shut while a payment of
	// it is open.
	for i, a := range n.box {
		for _, b := range n.box[:i] {
			if a.Card == b.Card && a.Class == pos.ClassReversal && b.Class == pos.ClassReversal {
				return fmt.Sprintf("I7: STAN %v and %v of one card are open at once (the gate was skipped)", b.STAN, a.STAN)
			}
		}
	}
	return ""
}

// atRest holds where nothing can happen any more.
func (n *node) atRest() string {
	if len(n.box) > 0 || n.s.Durable.Open.Open() {
		return "I8: a record is open and nothing will ever close it"
	}
	charged := make([]int, len(n.told))
	for _, b := range n.books {
		if !b.reversed && b.order >= 0 {
			charged[b.order]++
		}
	}
	for i, c := range charged {
		switch {
		case c > 1:
			return fmt.Sprintf("I9: order %d was charged %d times", i, c)
		case c == 1 && !n.told[i] && !n.slipOnBoot(i):
			return fmt.Sprintf("I10: order %d was charged and the customer does not know", i)
		case c == 0 && n.told[i]:
			return fmt.Sprintf("I11: order %d was approved and is not charged", i)
		}
	}
	return ""
}

// slipOnBoot: the approval was on flash when the power failed before the
// screen; the first screen after it says so.
func (n *node) slipOnBoot(i int) bool {
	for _, s := range n.sales {
		if n.orderOf(s) == int8(i) {
			return true
		}
	}
	return false
}
