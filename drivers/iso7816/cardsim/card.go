package cardsim

import (
	"slices"
	"time"
)

// App answers a command APDU with a response APDU that ends in SW1 SW2. Over
// T=0 a command has no Le, unless it is a case 2 one. One that answers nil is silent
// until the next reset.
type App func(capdu []byte) []byte

// Opts of New. Zero values make a plain T=0 card.
type Opts struct {
	App      App
	Reset    func() // tells the application of a reset; may be nil
	Protocol int    // 0 or 1
	Inverse  bool
	ATR      []byte // in the direct convention; nil: made from the rest
	// Outgoing tells of a T=0 header whose P3 is an Le; nil: by the table of
	// instructions of ISO7816-4 and EMV.
	Outgoing func(head [4]byte) bool
	IFSC     int // T=1: 32
	BWI, CWI int // T=1: 4 and 5, EMV1's most
	CRC      bool
	DI       int // TA1's D code; 0: no TA1
	Specific bool
	FF       bool // TC1 = FF
	Knobs
}

// Knobs are how a card behaves within the protocol, or outside it.
type Knobs struct {
	Mute      bool // no answer to reset
	MuteUntil int  // so many resets get none that is any good: a wrong TCK or TS
	Dead      bool // no answer to any command
	Delay     int  // etu before each answer
	Nulls     int  // T=0: 60s before each procedure byte; -1 without end
	ByteWise  bool // T=0: acknowledges byte by byte
	Most61    int  // T=0: at most so many bytes a GET RESPONSE
	Warn      [2]byte
	WTX       int  // T=1: waiting time extensions before each answer; -1 without end
	WTXTimes  byte // their multiplier (1)
	AskIFS    byte // T=1: an S(IFS) before the first answer
	MostINF   int  // T=1: at most so many bytes a block
}

// Card is a machine around an application.
type Card struct {
	o      Opts
	resets int
	line   Line
	t      protocol
	pps    []byte
	first  bool // nothing was received since the reset
	silent bool // the application gave no answer
}

type protocol interface {
	receive(b byte, bad bool, at time.Duration) []Char
}

// New makes a card.
func New(o Opts) *Card {
	if o.IFSC == 0 {
		o.IFSC = 32
	}
	if o.BWI == 0 {
		o.BWI = 4
	}
	if o.CWI == 0 {
		o.CWI = 5
	}
	if o.Outgoing == nil {
		o.Outgoing = Outgoing
	}
	if o.ATR == nil {
		o.ATR = o.atr()
	}
	return &Card{o: o, line: atReset(o.Inverse)}
}

// Outgoing is the table: READ BINARY, READ RECORD, GET CHALLENGE, GET RESPONSE,
// GET DATA bring data out, whatever else has a P3 brings it in. ISO7816-4.
func Outgoing(head [4]byte) bool {
	return slices.Contains([]byte{0xB0, 0xB2, 0x84, 0xC0, 0xCA}, head[1])
}

// atr makes an answer to reset. ISO7816-3 §8.2.
func (o Opts) atr() []byte {
	ts := byte(0x3B)
	if o.Inverse {
		ts = 0x3F
	}
	hist := []byte("SIM")
	out := []byte{ts, 0}
	y1 := byte(0x60) // TB1 TC1
	if o.DI > 0 {
		y1 |= 0x10
	}
	if o.Protocol == 1 || o.Specific {
		y1 |= 0x80
	}
	out[1] = y1 | byte(len(hist))
	if o.DI > 0 {
		out = append(out, 0x10|byte(o.DI))
	}
	tc1 := byte(0)
	if o.FF {
		tc1 = 0xFF
	}
	out = append(out, 0, tc1)
	if y1&0x80 != 0 {
		td1 := byte(o.Protocol)
		if o.Specific {
			td1 |= 0x10
		}
		if o.Protocol == 1 {
			td1 |= 0x80
		}
		out = append(out, td1)
		if o.Specific {
			out = append(out, byte(o.Protocol))
		}
	}
	if o.Protocol == 1 {
		td2 := byte(0x31) // TA3 TB3, T=1
		if o.CRC {
			td2 |= 0x40
		}
		out = append(out, td2, byte(o.IFSC), byte(o.BWI<<4|o.CWI))
		if o.CRC {
			out = append(out, 1)
		}
	}
	out = append(out, hist...)
	if o.Protocol == 1 {
		sum := byte(0)
		for _, c := range out[1:] {
			sum ^= c
		}
		out = append(out, sum)
	}
	return out
}

// ATR is what the card answers to a reset.
func (c *Card) ATR() []byte { return c.o.ATR }

// Set changes the knobs from the next character on.
func (c *Card) Set(k Knobs) { c.o.Knobs = k }

// Line tells how the card's line runs now.
func (c *Card) Line() Line { return c.line }

// Reset gives the answer to reset.
func (c *Card) Reset(warm bool) []Char {
	if !warm {
		c.resets = 0
	}
	c.resets++
	c.line, c.first, c.pps, c.silent = atReset(c.o.Inverse), true, nil, false
	if c.o.Reset != nil {
		c.o.Reset()
	}
	if c.o.Protocol == 1 {
		c.t = newCard1(c)
	} else {
		c.t = newCard0(c)
	}
	c.line.Block = c.o.Protocol == 1
	if c.o.Specific {
		c.rate()
	}
	if c.o.Mute {
		return nil
	}
	out := chars(c.o.ATR)
	if c.resets <= c.o.MuteUntil {
		out[0].B = 0x55
	}
	return out
}

func chars(b []byte) []Char {
	out := make([]Char, len(b))
	for i, v := range b {
		out[i].B = v
	}
	return out
}

// Receive takes a character; the first after a reset may begin a PPS.
func (c *Card) Receive(b byte, bad bool, at time.Duration) []Char {
	if c.t == nil || c.o.Dead || c.silent {
		return nil
	}
	if c.first && b == 0xFF && !bad && !c.o.Specific || len(c.pps) > 0 {
		c.first = false
		return c.negotiate(b)
	}
	c.first = false
	return c.t.receive(b, bad, at)
}

// ask is the application's answer, or nil for none.
func (c *Card) ask(capdu []byte) []byte {
	r := c.o.App(capdu)
	if len(r) < 2 {
		c.silent = true
		return nil
	}
	return r
}

// rate is the one that TA1 offers.
func (c *Card) rate() {
	if c.o.DI > 0 {
		c.line.D = 1 << (c.o.DI - 1)
	}
}

// negotiate answers a PPS with itself and runs at the new rate from then on.
// ISO7816-3 §9.
func (c *Card) negotiate(b byte) []Char {
	c.pps = append(c.pps, b)
	if len(c.pps) < 4 {
		return nil
	}
	out := chars(c.pps)
	c.pps = nil
	if out[2].B != 0x10|byte(c.o.DI) || out[1].B&0x0F != byte(c.o.Protocol) {
		return nil
	}
	c.rate()
	return out
}
