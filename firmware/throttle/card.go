package throttle

import (
	"encoding/binary"
	"errors"

	"swipewell/firmware/pos"
)

// Key names a card in the velocity table: HMAC of the whole PAN under a scope of
// its own, so that it cannot be joined with a CardRef, with a tag of the log, or
// with a masked number. THROTTLE §3.2, PCI.
type Key [16]byte

// IsZero tells that there is no card.
func (k Key) IsZero() bool { return k == Key{} }

// Tags name a card and its first eight digits in the log of the desk; each has a
// scope of its own.
type Tags struct {
	Card uint64
	Bin8 uint32
}

// Scopes are all the names that one card has here.
type Scopes struct {
	Key  Key
	Tags Tags
}

// Outcome of an attempt to pay, or of what undid one.
type Outcome uint8

const (
	NoOutcome Outcome = iota
	Approved
	Declined
	Unknown  // its reversal is open
	Reversed // it was unknown, and is taken back
	Voided   // it was approved, and a void took it back
)

var outcomes = [...]string{"", "approved", "declined", "unknown", "reversed", "voided"}

func (o Outcome) String() string { return outcomes[min(int(o), len(outcomes)-1)] }

// RC is DE 39 as two bytes; zero for none.
type RC [2]byte

// RCOf takes the first two characters.
func RCOf(rc pos.ResponseCode) (r RC) {
	copy(r[:], rc)
	return r
}

func (r RC) String() string {
	if r == (RC{}) {
		return ""
	}
	return string(r[:])
}

// Ring is how many outcomes a card remembers. A rule that counts more needs the
// day's counter. THROTTLE §3.1.
const Ring = 8

// slot is one outcome, packed: ticks 4, amount 5, outcome 1, DE 39 2, operator
// 1, kind 1.
type slot [14]byte

// Seen is one outcome of a card.
type Seen struct {
	At      Time
	Amount  int64 // minor units
	Outcome Outcome
	RC      RC
	Op      uint8
	Kind    What
}

func pack(s Seen) (b slot) {
	binary.BigEndian.PutUint32(b[:], ticks(s.At))
	a := uint64(min(max(s.Amount, 0), pos.MaxMinor))
	b[4], b[5], b[6], b[7], b[8] = byte(a>>32), byte(a>>24), byte(a>>16), byte(a>>8), byte(a)
	b[9], b[10], b[11], b[12], b[13] = byte(s.Outcome), s.RC[0], s.RC[1], s.Op, byte(s.Kind)
	return b
}

func (b slot) seen() Seen {
	a := uint64(b[4])<<32 | uint64(binary.BigEndian.Uint32(b[5:]))
	return Seen{At: fromTicks(binary.BigEndian.Uint32(b[:])), Amount: int64(a), Outcome: Outcome(b[9]), RC: RC{b[10], b[11]}, Op: b[12], Kind: What(b[13])}
}

// Card is what is remembered of one card. It is a value: methods return the
// changed one. The zero value is a card never seen.
type Card struct {
	Key    Key
	ring   [Ring]slot
	n      uint8 // outcomes in the ring
	head   uint8 // where the next one goes
	level  uint8 // of the penalty ladder, as it was at since
	_      uint8
	cool   uint32 // ticks: it waits until then
	since  uint32 // ticks: when level was set
	day    int32  // of the day's counter
	dayN   uint16 // approved that day
	daySum [6]byte
}

// Len is how many outcomes are remembered.
func (c *Card) Len() int { return int(c.n) }

// At is the i-th outcome, the newest at 0.
func (c *Card) At(i int) Seen { return c.ring[(int(c.head)+2*Ring-1-i)%Ring].seen() }

// Newest is the last outcome.
func (c Card) Newest() (s Seen, ok bool) {
	if c.n == 0 {
		return s, false
	}
	return c.At(0), true
}

// Today is how often and for how much the card paid on a day.
func (c Card) Today(day int32) (n int, sum int64) {
	if c.day != day {
		return 0, 0
	}
	return int(c.dayN), c.sum()
}

func (c Card) sum() int64 {
	var b [8]byte
	copy(b[2:], c.daySum[:])
	return int64(binary.BigEndian.Uint64(b[:]))
}

func (c Card) withSum(v int64) Card {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(min(max(v, 0), 1<<48-1)))
	copy(c.daySum[:], b[2:])
	return c
}

// Add remembers an outcome; the oldest is forgotten.
func (c Card) Add(s Seen, day int32) Card {
	c.ring[c.head%Ring] = pack(s)
	c.head = (c.head + 1) % Ring
	c.n = min(c.n+1, Ring)
	if s.Outcome == Approved && isPayment(s.Kind) {
		c = c.paid(s.Amount, 1, day)
	}
	return c
}

// paid counts a payment of the day, or takes it back.
func (c Card) paid(amount int64, n int, day int32) Card {
	if c.day != day {
		if n < 0 {
			return c
		}
		c.day, c.dayN = day, 0
		c = c.withSum(0)
	}
	c.dayN = uint16(min(max(int(c.dayN)+n, 0), 1<<16-1))
	return c.withSum(c.sum() + int64(n)*amount)
}

// Amend changes what became of the newest outcome of that amount which stands
// as was: an unknown one was reversed, an approved one voided.
func (c Card) Amend(amount int64, was, is Outcome, day int32) Card {
	for i := range int(c.n) {
		at := (int(c.head) + 2*Ring - 1 - i) % Ring
		s := c.ring[at].seen()
		if s.Amount != amount || s.Outcome != was {
			continue
		}
		s.Outcome = is
		c.ring[at] = pack(s)
		if was == Approved {
			c = c.paid(amount, -1, day)
		}
		return c
	}
	return c
}

// Row sizes and versions.
const (
	cardRow     = 1 + Ring*14 + 3 + 4 + 4 + 4 + 2 + 6
	cardVersion = 1
)

// ErrRow says that a row is not one of this package.
var ErrRow = errors.New("throttle: not a row")

// AppendRow is the card as the store keeps it, without its key.
func (c *Card) AppendRow(b []byte) []byte {
	b = append(b, cardVersion)
	for i := range c.ring {
		b = append(b, c.ring[i][:]...)
	}
	b = append(b, c.n, c.head, c.level)
	b = binary.BigEndian.AppendUint32(b, c.cool)
	b = binary.BigEndian.AppendUint32(b, c.since)
	b = binary.BigEndian.AppendUint32(b, uint32(c.day))
	b = binary.BigEndian.AppendUint16(b, c.dayN)
	return append(b, c.daySum[:]...)
}

// ParseCard is the inverse of AppendRow.
func ParseCard(k Key, b []byte) (c Card, err error) {
	if len(b) != cardRow || b[0] != cardVersion {
		return c, ErrRow
	}
	c.Key, b = k, b[1:]
	for i := range c.ring {
		copy(c.ring[i][:], b)
		b = b[14:]
	}
	c.n, c.head, c.level = b[0], b[1], b[2]
	c.cool, c.since = binary.BigEndian.Uint32(b[3:]), binary.BigEndian.Uint32(b[7:])
	c.day, c.dayN = int32(binary.BigEndian.Uint32(b[11:])), binary.BigEndian.Uint16(b[15:])
	copy(c.daySum[:], b[17:])
	if c.n > Ring || c.head >= Ring || c.level > maxLevel {
		return Card{}, ErrRow
	}
	return c, nil
}
