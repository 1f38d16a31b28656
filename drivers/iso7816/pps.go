package iso7816

import (
	"context"
	"errors"

	"swipewell/hal"
)

// maxBaud is the fastest line that is asked for; a 16550 at 1.8432 MHz does 115,200.
const maxBaud = 115_200

// negotiate asks for the rate that the card offers in TA1, if it may be asked
// and the port can do it. A card that answers otherwise keeps the default; one
// that does not answer is not spoken to. ISO7816-3 §9.
func (s *Slot) negotiate(ctx context.Context, a *ATR, p *Params) error {
	if a.TA[1] >= 0 || a.TA[0] < 0 || a.TA[0] == 0x11 {
		return nil
	}
	want := *p
	want.FI, want.DI = a.TA[0]>>4, a.TA[0]&0x0F
	f, d, ok := want.Rate()
	if !ok || s.o.Hz/f*d > maxBaud {
		return nil
	}
	l := s.l
	l.guard = 0 // ISO7816-3 §9: 12 etu, whatever TC1 says
	ask := []byte{0xFF, 0x10 | byte(p.Protocol), byte(a.TA[0]), 0}
	ask[3] = ask[0] ^ ask[1] ^ ask[2]
	if err := l.send(ctx, ask, turn1*l.etu); err == errEcho {
		return protocol("the card spoke before its turn")
	} else if err != nil {
		return err
	}
	got := make([]byte, 0, 6)
	for need := 3; len(got) < need; {
		b, err := l.next(ctx, 9600*l.etu)
		switch {
		case err == errSilence:
			return &hal.ChipError{Cause: hal.ChipMute, Err: errors.New("no answer to PPS")}
		case err == errParity:
			return parity("the answer to PPS")
		case err != nil:
			return err
		}
		if got = append(got, b); len(got) == 2 {
			for bit := range 3 {
				need += int(b >> (4 + bit) & 1)
			}
		}
	}
	sum := byte(0)
	for _, c := range got {
		sum ^= c
	}
	switch {
	case sum != 0 || got[0] != 0xFF || got[1]&0x0F != byte(p.Protocol) || got[1]&0xE0 != 0:
		return protocol("the answer to PPS is % X", got)
	case got[1]&0x10 == 0: // the default rate
		return nil
	case got[2] != byte(a.TA[0]):
		return protocol("the answer to PPS is % X", got)
	}
	*p = want
	return nil
}
