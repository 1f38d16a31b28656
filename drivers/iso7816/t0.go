package iso7816

import (
	"context"
	"time"

	"swipewell/hal"
)

// t0 is the character protocol. EMV1 §9.2.2, ISO7816-3 §10.
type t0 struct {
	l    *line
	wait time.Duration // work waiting time, between the beginnings of two characters
}

func newT0(l *line, p Params) *t0 {
	_, d, _ := p.Rate()
	// EMV1 §9.2.2.1: the terminal waits 480·D etu longer than the card may take.
	return &t0{l: l, wait: time.Duration(960*d*p.WI+480*d) * l.etu}
}

// turn0 is the rest of the 16 etu between a character of the card and one to
// it, when a UART has handed out the card's after 10.5. EMV1 §9.2.2.1.
const turn0 = 6

func (t *t0) exchange(ctx context.Context, dst, capdu []byte) ([]byte, error) {
	return MapT0(ctx, dst, capdu, t.tpdu)
}

// tpdu sends a header and does what the procedure bytes say: 60 waits, INS
// moves all that is left, its complement one byte, 6x and 9x are SW1. In which
// direction data goes the terminal knows: whoever gave data sends it.
// EMV1 §9.2.2.3.
func (t *t0) tpdu(ctx context.Context, tpdu []byte) (data []byte, sw1, sw2 byte, err error) {
	head, out := tpdu[:5], tpdu[5:]
	ins, expect := head[1], 0
	if len(out) == 0 {
		// P3 = 00 is a case 1 command or the 256 bytes of a case 2 one: the same
		// on the line, and only the card knows which.
		expect = (int(head[4])-1)&0xFF + 1
		data = make([]byte, 0, expect)
	}
	if err := t.send(ctx, head); err != nil {
		return nil, 0, 0, err
	}
	for {
		b, err := t.next(ctx, "a procedure byte")
		if err != nil {
			return nil, 0, 0, err
		}
		n := 0
		switch {
		case b == 0x60:
			continue
		case b == ins:
			n = max(len(out), expect-len(data))
		case b == ^ins:
			n = 1
		case b&0xF0 == 0x60, b&0xF0 == 0x90:
			sw2, err := t.next(ctx, "SW2")
			return data, b, sw2, err
		default:
			return nil, 0, 0, protocol("procedure byte %02X to INS %02X", b, ins)
		}
		switch {
		case len(out) > 0:
			if err := t.send(ctx, out[:n]); err != nil {
				return nil, 0, 0, err
			}
			out = out[n:]
		case len(data) < expect:
			for range n {
				c, err := t.next(ctx, "data")
				if err != nil {
					return nil, 0, 0, err
				}
				data = append(data, c)
			}
		default:
			return nil, 0, 0, protocol("the card wants more than there is")
		}
	}
}

func (t *t0) send(ctx context.Context, b []byte) error {
	if err := t.l.send(ctx, b, turn0*t.l.etu); err == errEcho {
		return protocol("the card spoke before its turn")
	} else if err != nil {
		return err
	}
	return nil
}

func (t *t0) next(ctx context.Context, what string) (byte, error) {
	b, err := t.l.next(ctx, t.wait)
	switch err {
	case errSilence:
		return 0, &hal.ChipError{Cause: hal.ChipMute}
	case errParity:
		return 0, parity(what)
	}
	return b, err
}
