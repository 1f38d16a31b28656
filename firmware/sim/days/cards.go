package days

import (
	"encoding/binary"
	"fmt"

	"swipewell/firmware/pos"
	"swipewell/firmware/throttle"
)

// card is one card, and what its bank says today.
type card struct {
	ref    pos.CardRef
	masked pos.MaskedPAN
	scopes throttle.Scopes
	last4  uint16
	chunk  uint64
	chip   bool
	old    bool  // its date is over
	other  int32 // the same person's second one; 0 not known yet
	wrong  int   // wrong PINs in a row

	// no is a refusal that stays: from this amount on, that day.
	no     pos.ResponseCode
	noFrom int64
	noDay  int32
}

// wallet is every card that the shop has seen.
type wallet struct {
	rnd   chance
	cards []card // card 0 is none
	chip  int    // per cent with a chip
}

// issuers is how many series of eight digits are about, and ranges how many
// ranges of twelve digits each has in this town.
const issuers, ranges = 40, 50

func newWallet(rnd chance, chip int) *wallet {
	return &wallet{rnd: rnd, cards: make([]card, 1), chip: chip}
}

// add makes a card. Its names are random, as keyed hashes are.
func (w *wallet) add() int32 {
	n := int32(len(w.cards))
	bin := 62_200_000 + 17*w.rnd.zipf(issuers)
	chunk := uint64(bin)*10_000 + uint64(w.rnd.IntN(ranges))*37
	c := card{last4: uint16(w.rnd.IntN(10_000)), chunk: chunk, chip: w.rnd.percent(w.chip)}
	c.masked = pos.MaskedPAN(fmt.Sprintf("%06d******%04d", bin/100, c.last4))
	binary.BigEndian.PutUint32(c.ref[:], uint32(n))
	binary.BigEndian.PutUint64(c.ref[8:], w.rnd.Uint64())
	binary.BigEndian.PutUint64(c.scopes.Key[:], w.rnd.Uint64())
	binary.BigEndian.PutUint64(c.scopes.Key[8:], w.rnd.Uint64())
	c.scopes.Tags = throttle.Tags{Card: w.rnd.Uint64() | 1, Bin8: uint32(bin)}
	w.cards = append(w.cards, c)
	return n
}

// at is a card. Keep no pointer over an add.
func (w *wallet) at(n int32) *card { return &w.cards[n] }

// scopesOf finds the names of a card by its reference, which begins with its
// number.
func (w *wallet) scopesOf(ref pos.CardRef) throttle.Scopes {
	if n := binary.BigEndian.Uint32(ref[:]); n > 0 && int(n) < len(w.cards) {
		return w.cards[n].scopes
	}
	return throttle.Scopes{}
}

// second is another card of the same person.
func (w *wallet) second(n int32) int32 {
	if w.cards[n].other == 0 {
		o := w.add()
		w.cards[n].other, w.cards[o].other = o, n
	}
	return w.cards[n].other
}

// refuses is the refusal that stays, "" if there is none.
func (c *card) refuses(amount int64, day int32) pos.ResponseCode {
	switch {
	case c.old:
		return "54"
	case c.no != "" && c.noDay == day && amount >= c.noFrom:
		return c.no
	}
	return ""
}

// answer is what its bank says to an attempt.
func (c *card) answer(rnd chance, amount int64, day int32) pos.ResponseCode {
	if rc := c.refuses(amount, day); rc != "" {
		if rc == "51" && !rnd.percent(fundsStay) || rc == "05" && !rnd.percent(otherStay) || rc == "91" && rnd.percent(hostBack) {
			c.no = ""
			return "00"
		}
		return rc
	}
	if c.wrong > 0 {
		if rnd.percent(pinRight) {
			c.wrong = 0
			return "00"
		}
		return c.badPIN(day)
	}
	stay := func(rc pos.ResponseCode, from int64) pos.ResponseCode {
		c.no, c.noFrom, c.noDay = rc, from, day
		return rc
	}
	x := rnd.Float64() * 1000
	for _, r := range [...]struct {
		rate float64
		rc   pos.ResponseCode
	}{{declinePIN, "55"}, {declineFunds, "51"}, {declineOther, "05"}, {declineHost, "91"}, {declineAmount, "61"}, {declineCount, "65"}, {declineOld, "54"}} {
		if x -= r.rate; x >= 0 {
			continue
		}
		switch r.rc {
		case "55":
			return c.badPIN(day)
		case "54":
			c.old = true
			return r.rc
		case "51", "61":
			return stay(r.rc, amount)
		}
		return stay(r.rc, 0)
	}
	return "00"
}

// badPIN: the third wrong one locks it for the day.
func (c *card) badPIN(day int32) pos.ResponseCode {
	if c.wrong++; c.wrong < 3 {
		return "55"
	}
	c.wrong = 0
	c.no, c.noFrom, c.noDay = "75", 0, day
	return "75"
}

// less is the largest sum that a card with a refusal may still have; 0 none.
func (c *card) less(rnd chance, amount int64) int64 {
	part := amount * int64(40+rnd.IntN(50)) / 100
	if rnd.percent(lessPays) {
		return part
	}
	c.noFrom = part // that is too much as well
	return part
}
