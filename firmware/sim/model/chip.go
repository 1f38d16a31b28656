package model

import (
	"slices"

	"swipewell/firmware/pos"
	"swipewell/firmware/txn"
)

// tell is what a card has to say when it hears the host's word. A card that was pulled
// says what one that refuses does.
func (n *node) tell(x txn.TellChip, rest []txn.Effect) (out []*node) {
	end := func(what string, how txn.ChipHow, scripts string) {
		c := n.clone("%s", what)
		c.pending = slices.Clone(rest)
		in, before := c.s.Durable.Open, c.scripts()
		if how == txn.ChipOnlineDone || how == txn.ChipOffline {
			c.agreed = append(c.agreed, in.ID.STAN)
		}
		at := c.s.Durable.STAN
		c.event(txn.Event{Kind: txn.ChipSaid, Chip: txn.Says{What: txn.ChipEnd, How: how, Chip: pos.Chip{ICC: "9F26"}, Scripts: scripts}})
		c.own(n.current(), at)
		if scripts != "" && c.scripts() != before+1 {
			c.bad = "I13: what became of scripts is not on flash"
		}
		out = append(out, c)
	}
	switch {
	case x.After:
		end("the card hears of it", txn.ChipHostDeclined, "")
		if x.Reach == txn.Answered { // where nothing came, no script did
			end("the card hears of it and has run scripts", txn.ChipHostDeclined, "DF31")
		}
	case x.Reach == txn.NotSent:
		if !x.Never {
			end("the card approves by itself", txn.ChipOffline, "")
		}
		end("the card declines by itself", txn.ChipDeclined, "")
	default:
		end("the card agrees", txn.ChipOnlineDone, "")
		end("the card agrees and has run scripts", txn.ChipOnlineDone, "DF31")
		end("the card refuses, or is gone", txn.ChipRefused, "")
		end("the card refuses and has run scripts", txn.ChipRefused, "DF31")
	}
	return out
}

// scripts are the records of what became of scripts.
func (n *node) scripts() (k int) {
	for _, r := range n.box {
		if r.Class == pos.ClassScript {
			k++
		}
	}
	return k
}

// other is what becomes of a record that reverses nothing: the host books an advice
// once, and notes the result of a script.
func (n *node) other(rec pos.Record, end func(string, txn.Event, bool, func(*node) txn.Event)) {
	done := func(r txn.Reply) txn.Event { return txn.Event{Kind: txn.RecordDone, Record: rec, Reply: r} }
	heard := func(c *node) txn.Reply {
		if rec.Class == pos.ClassAdvice && !c.book(rec.STAN, c.orderOf(rec.STAN)) {
			return c.reply("94")
		}
		return c.reply("00")
	}
	what := map[pos.Class]string{pos.ClassAdvice: "advice", pos.ClassScript: "result of scripts"}[rec.Class]
	end(what+" not sent", done(txn.Reply{Kind: txn.NotSent}), false, nil)
	end(what+" through, answer lost", txn.Event{}, true, func(c *node) txn.Event { heard(c); return done(txn.Reply{Kind: txn.NoAnswer}) })
	end(what+" answered", txn.Event{}, false, func(c *node) txn.Event { return done(heard(c)) })
}
