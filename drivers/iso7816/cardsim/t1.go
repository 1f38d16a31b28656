package cardsim

import "time"

// card1 is a T=1 card. ISO7816-3 §11.
type card1 struct {
	c       *Card
	in      []byte
	bad     bool
	last    time.Duration // when the last character came
	ifsd    int           // how much the terminal takes
	ns, nr  byte          // of the next I-block sent, and awaited
	command []byte
	rest    []byte // of the answer, not sent yet
	said    []byte // the last block, as bytes, but for R-blocks about errors
	saidI   bool   // it was an I-block
	extends int    // S(WTX) still to ask for
	asked   bool   // S(IFS) was asked for
	waiting []byte // the answer, until the terminal has granted what was asked for
}

func newCard1(c *Card) *card1 { return &card1{c: c, ifsd: 32} }

// edc is the check over a block. ISO7816-3 §11.3.4.
func (t *card1) edc(b []byte) []byte {
	if !t.c.o.CRC {
		x := byte(0)
		for _, v := range b {
			x ^= v
		}
		return []byte{x}
	}
	// Bit by bit, from the definition, and not by bytes.
	reg := 0xFFFF
	for _, v := range b {
		for i := range 8 {
			bit := int(v>>i&1) ^ reg&1
			reg >>= 1
			if bit == 1 {
				reg ^= 0x8408
			}
		}
	}
	reg ^= 0xFFFF
	return []byte{byte(reg >> 8), byte(reg)}
}

func (t *card1) block(pcb byte, inf []byte) []byte {
	b := append([]byte{0, pcb, byte(len(inf))}, inf...)
	return append(b, t.edc(b)...)
}

// receive collects a block. Half a block that was followed by a pause of more
// than 2^CWI+11 etu is forgotten.
func (t *card1) receive(b byte, bad bool, at time.Duration) []Char {
	etu := t.c.line.ETU()
	if len(t.in) > 0 && at-t.last > time.Duration(1<<t.c.o.CWI+11+4)*etu {
		t.in, t.bad = nil, false
	}
	t.last = at
	t.in = append(t.in, b)
	t.bad = t.bad || bad
	over := 3
	if len(t.in) >= 3 {
		over = 3 + int(t.in[2]) + len(t.edc(nil))
	}
	if len(t.in) < over || len(t.in) < 4 {
		return nil
	}
	raw, failed := t.in, t.bad
	t.in, t.bad = nil, false
	body := raw[:len(raw)-len(t.edc(nil))]
	if failed || string(t.edc(body)) != string(raw[len(body):]) || raw[0] != 0 || len(body) > 3+254 {
		return t.send(t.block(0x81|t.nr<<4, nil), false)
	}
	return t.take(raw[1], body[3:])
}

// send sends a block; keep makes it the one that is sent again on request.
func (t *card1) send(b []byte, keep bool) []Char {
	if keep {
		t.said, t.saidI = b, b[1]&0x80 == 0
	}
	out := chars(b)
	out[0].Gap = t.c.o.Delay
	return out
}

func (t *card1) take(pcb byte, inf []byte) []Char {
	switch {
	case pcb&0x80 == 0: // I-block
		if pcb>>6&1 != t.nr {
			return t.send(t.block(0x82|t.nr<<4, nil), false)
		}
		t.nr ^= 1
		if t.saidI {
			t.ns ^= 1 // the terminal has had our last one
			t.saidI = false
		}
		t.command = append(t.command, inf...)
		if pcb&0x20 != 0 {
			return t.send(t.block(0x80|t.nr<<4, nil), true)
		}
		return t.carryOut()
	case pcb&0x40 == 0: // R-block
		nr := pcb >> 4 & 1
		switch {
		case t.saidI && nr != t.ns && len(t.rest) > 0: // the receipt within our chain
			t.ns ^= 1
			return t.next()
		case t.saidI && nr != t.ns:
			return t.send(t.block(0x82|t.nr<<4, nil), false)
		case t.saidI || t.waiting != nil:
			return t.send(t.said, true)
		}
		return t.send(t.block(0x80|t.nr<<4, nil), false)
	}
	return t.supervise(pcb, inf)
}

// supervise takes an S-block.
func (t *card1) supervise(pcb byte, inf []byte) []Char {
	switch {
	case pcb == 0xC1 && len(inf) == 1:
		t.ifsd = int(inf[0])
		return t.send(t.block(0xE1, inf), true)
	case pcb == 0xE3 && t.waiting != nil:
		if t.extends > 0 || t.c.o.WTX < 0 {
			return t.extend()
		}
		return t.answer()
	case pcb == 0xE1 && t.waiting != nil:
		return t.carryOn()
	}
	return t.send(t.block(0x82|t.nr<<4, nil), false)
}

// carryOut runs the command, and asks for time or room first if it shall.
func (t *card1) carryOut() []Char {
	t.waiting = t.c.ask(t.command)
	t.command = nil
	if t.waiting == nil {
		return nil
	}
	t.extends = t.c.o.WTX
	if t.c.o.AskIFS > 0 && !t.asked {
		t.asked = true
		t.c.o.IFSC = int(t.c.o.AskIFS)
		return t.send(t.block(0xC1, []byte{t.c.o.AskIFS}), true)
	}
	return t.carryOn()
}

func (t *card1) carryOn() []Char {
	if t.extends != 0 {
		return t.extend()
	}
	return t.answer()
}

func (t *card1) extend() []Char {
	t.extends--
	return t.send(t.block(0xC3, []byte{max(t.c.o.WTXTimes, 1)}), true)
}

func (t *card1) answer() []Char {
	t.rest, t.waiting = t.waiting, nil
	return t.next()
}

// next sends the next block of the answer.
func (t *card1) next() []Char {
	n := min(len(t.rest), t.ifsd)
	if m := t.c.o.MostINF; m > 0 {
		n = min(n, m)
	}
	inf := t.rest[:n]
	t.rest = t.rest[n:]
	pcb := t.ns << 6
	if len(t.rest) > 0 {
		pcb |= 0x20
	}
	return t.send(t.block(pcb, inf), true)
}
