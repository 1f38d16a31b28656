package iso7816

import (
	"errors"
	"fmt"
)

// maxATR is the longest answer to reset, TS to TCK. ISO7816-3 §8.1.
const maxATR = 33

// ATR is an answer to reset, taken apart. An interface character that is
// absent is -1.
type ATR struct {
	TS         byte
	TA, TB, TC [levels]int // index 0: TA1, TB1, TC1
	TD         [levels]int
	Historical []byte
	TCK        int
}

// levels is how many groups of interface characters are looked at: 1 and 2 are
// global, the third is of the first protocol if that is T=1. More are skipped.
const levels = 4

// ErrATR says that bytes are no answer to reset; a *RuleError, that they are
// one which the rules refuse.
var ErrATR = errors.New("iso7816: no answer to reset")

// span walks over the interface characters of b. n is how long the answer is
// as far as it can be told, and whole tells that nothing is missing.
func span(b []byte) (n int, whole bool) {
	if len(b) < 2 {
		return 2, false
	}
	historical := int(b[1] & 0x0F)
	present, at, tck := b[1]>>4, 2, false
	for {
		for bit := range 3 {
			at += int(present >> bit & 1)
		}
		if present&8 == 0 {
			break
		}
		if at >= maxATR || at >= len(b) {
			return at + 1, false
		}
		td := b[at]
		at++
		tck = tck || td&0x0F != 0
		present = td >> 4
	}
	n = at + historical
	if tck {
		n++
	}
	return n, len(b) >= n
}

// ParseATR takes an answer to reset apart, all of b. ISO7816-3 §8.2.
func ParseATR(b []byte) (*ATR, error) {
	n, whole := span(b)
	switch {
	case n > maxATR:
		return nil, fmt.Errorf("%w: %d bytes long", ErrATR, n)
	case !whole || n != len(b):
		return nil, fmt.Errorf("%w: %d bytes, %d are said", ErrATR, len(b), n)
	case b[0] != direct && b[0] != inverse:
		return nil, fmt.Errorf("%w: TS = %02X", ErrATR, b[0])
	}
	a := &ATR{TS: b[0], TCK: -1}
	for i := range levels {
		a.TA[i], a.TB[i], a.TC[i], a.TD[i] = -1, -1, -1, -1
	}
	rest, present, checked := b[2:], b[1]>>4, false
	next := func() int {
		v := rest[0]
		rest = rest[1:]
		return int(v)
	}
	for level := 0; present != 0; level++ {
		group := present
		present = 0
		for bit := range 4 {
			if group>>bit&1 == 0 {
				continue
			}
			v := next()
			if bit == 3 {
				present = byte(v) >> 4
				checked = checked || v&0x0F != 0
			}
			if level < levels {
				[]*[levels]int{&a.TA, &a.TB, &a.TC, &a.TD}[bit][level] = v
			}
		}
	}
	k := int(b[1] & 0x0F)
	a.Historical = append([]byte(nil), rest[:k]...)
	if checked {
		a.TCK = int(rest[k])
		sum := byte(0)
		for _, c := range b[1:] {
			sum ^= c
		}
		if sum != 0 {
			return nil, fmt.Errorf("%w: TCK = %02X is wrong", ErrATR, a.TCK)
		}
	}
	return a, nil
}

// Protocol is the first that the card offers, which is the one to use:
// T=0 unless TD1 says otherwise. EMV1 §8.3.3.4.
func (a *ATR) Protocol() int { return max(a.TD[0], 0) & 0x0F }

// Params are the terms of a session.
type Params struct {
	Protocol int // 0 or 1
	FI, DI   int // as TA1 codes them
	N        int // TC1: extra guard time in etu, -1 for FF
	WI       int // T=0: waiting time integer
	IFSC     int // T=1: how much the card takes in one block
	BWI, CWI int // T=1: waiting time integers
	CRC      bool
}

// Params reads the terms, with ISO's defaults for what is absent.
// ISO7816-3 §8.3, §10.2, §11.4.
func (a *ATR) Params() Params {
	p := Params{Protocol: a.Protocol(), FI: 1, DI: 1, WI: 10, IFSC: 32, BWI: 4, CWI: 13}
	if a.TA[1] >= 0 && a.TA[1]&0x10 == 0 && a.TA[0] >= 0 { // specific mode: TA1 holds
		p.FI, p.DI = a.TA[0]>>4, a.TA[0]&0x0F
	}
	if a.TC[0] >= 0 {
		p.N = a.TC[0]
	}
	if p.N == 0xFF {
		p.N = -1
	}
	if a.TC[1] >= 0 && p.Protocol == 0 {
		p.WI = a.TC[1]
	}
	if a.first1() {
		if a.TA[2] >= 0 {
			p.IFSC = a.TA[2]
		}
		if a.TB[2] >= 0 {
			p.BWI, p.CWI = a.TB[2]>>4, a.TB[2]&0x0F
		}
		p.CRC = a.TC[2] >= 0 && a.TC[2]&1 == 1
	}
	return p
}

// first1 tells that the third group of characters is T=1's.
func (a *ATR) first1() bool { return a.Protocol() == 1 && a.TD[1] >= 0 && a.TD[1]&0x0F == 1 }

// clockRate and bitRate are the tables of F and D; 0 is reserved.
// ISO7816-3 §8.3, tables 7 and 8.
var (
	clockRate = [16]int{372, 372, 558, 744, 1116, 1488, 1860, 0, 0, 512, 768, 1024, 1536, 2048, 0, 0}
	bitRate   = [16]int{0, 1, 2, 4, 8, 16, 32, 64, 12, 20, 0, 0, 0, 0, 0, 0}
)

// Rate is F and D; ok is false for a reserved code.
func (p Params) Rate() (f, d int, ok bool) {
	f, d = clockRate[p.FI&15], bitRate[p.DI&15]
	return f, d, f > 0 && d > 0
}
