package iso7816

import (
	"context"
	"errors"
	"time"

	"swipewell/hal"
)

// t1 is the block protocol, the terminal's end. EMV1 §9.2.4, ISO7816-3 §11.
//
// A block is sent at most three times, an R-block that asks for the card's
// likewise; then the contacts are deactivated. The terminal never sends
// S(RESYNCH) or S(ABORT), and does not go on after the card's.
type t1 struct {
	l      *line
	crc    bool
	ifsc   int
	bwt    time.Duration // before the first character of an answer
	cwt    time.Duration // between two characters of a block
	stop   int           // stop bits while sending: 2 make the 12 etu that N = 0 asks for
	ns, nr byte
}

// turn1 is the rest of the 22 etu (BGT) between the card's last character and
// the first to it, when a UART has handed out the card's after 10.5.
// EMV1 §9.2.4.2.
const turn1 = 12

// Counts that bound one exchange.
const (
	maxTries   = 3   // of one block. EMV1 §9.2.5
	maxExtends = 256 // S(WTX) and S(IFS) requests of the card within one APDU
	maxAnswer  = maxData + 2
)

func newT1(l *line, p Params) *t1 {
	f, d, _ := p.Rate()
	// ISO7816-3 §11.4.3: BWT = 2^BWI × 960 × 372 D/F etu + 11 etu, CWT = 2^CWI
	// etu + 11 etu. EMV1 §9.2.4.2.2: the terminal waits 960·D etu longer.
	t := &t1{l: l, crc: p.CRC, ifsc: p.IFSC, stop: 2,
		bwt: time.Duration(1<<p.BWI*960*372*d/f+11+960*d) * l.etu,
		cwt: time.Duration(1<<p.CWI+11+4) * l.etu}
	if p.N < 0 {
		t.stop = 1
	}
	return t
}

// begin tells the card how much this end takes, before anything else.
// EMV1 §9.2.4.1: S(IFS request) with IFSD = 254.
func (t *t1) begin(ctx context.Context) error {
	ask := Block{PCB: pcbS | sIFS, INF: []byte{maxINF}}
	if err := t.l.frame(1); err != nil {
		return err
	}
	for range maxTries {
		if err := t.send(ctx, ask); err != nil && err != errEcho {
			return err
		}
		b, err := t.receive(ctx, t.bwt)
		if fatal(err) {
			return err
		}
		if err == nil && b.PCB == pcbS|sIFS|sResponse && b.INF[0] == maxINF {
			return nil
		}
	}
	return protocol("no answer to S(IFS)")
}

// fatal tells an end from a block that can be asked for again.
func fatal(err error) bool {
	return err != nil && err != errSilence && !errors.Is(err, ErrBlock)
}

// exchange sends an APDU as a chain of I-blocks and collects the card's.
func (t *t1) exchange(ctx context.Context, dst, capdu []byte) ([]byte, error) {
	x := t1run{t1: t, rest: capdu, sending: true, answer: make([]byte, 0, maxAnswer)}
	defer func() { clear(x.answer) }()
	x.cut()
	if err := x.say(ctx, x.block); err != nil {
		return dst, err
	}
	wait := t.bwt
	for {
		b, err := t.receive(ctx, wait)
		wait = t.bwt
		if fatal(err) {
			return dst, err
		}
		if err == nil {
			var done bool
			done, wait, err = x.take(ctx, b)
			clear(b.INF)
			if done {
				if len(x.answer) < 2 {
					return dst, protocol("an answer of %d bytes", len(x.answer))
				}
				return append(dst, x.answer...), nil
			}
		}
		if err != nil {
			if fatal(err) {
				return dst, err
			}
			if err := x.again(ctx, err); err != nil {
				return dst, err
			}
		}
	}
}

// t1run is one exchange.
type t1run struct {
	*t1
	rest    []byte // of the command: what block does not have
	block   Block  // the I-block that is being sent
	sending bool   // until the card has answered its last
	said    Block  // what was sent last, but for R-blocks that ask again
	sent    int    // how often block was
	asked   int    // R-blocks since the last block that was any good
	extends int
	answer  []byte
}

// cut takes the next I-block off the command.
func (x *t1run) cut() {
	n := min(len(x.rest), x.ifsc)
	x.block = Block{PCB: x.ns << 6, INF: x.rest[:n]}
	if x.rest = x.rest[n:]; len(x.rest) > 0 {
		x.block.PCB |= more
	}
	x.sent = 0
}

// say sends a block that is not an R-block asking again.
func (x *t1run) say(ctx context.Context, b Block) error {
	x.said = b
	if b.Kind() == KindI {
		if x.sent++; x.sent > maxTries {
			return protocol("the card wants the same block a fourth time")
		}
	}
	if err := x.send(ctx, b); err != nil && err != errEcho {
		return err
	}
	return nil
}

// again asks for the card's last block: EMV1 §9.2.5 rules 1 to 5.
func (x *t1run) again(ctx context.Context, why error) error {
	if x.asked++; x.asked > maxTries {
		if why == errSilence {
			return &hal.ChipError{Cause: hal.ChipMute}
		}
		return &hal.ChipError{Cause: hal.ChipProtocol, Err: why}
	}
	code := byte(rOther)
	if errors.Is(why, errCheck) {
		code = rEDC
	}
	if err := x.send(ctx, Block{PCB: pcbR | x.nr<<4 | code}); err != nil && err != errEcho {
		return err
	}
	return nil
}

// take does what a good block asks for; errUnfit makes it a bad one. wait is
// how long the next may take.
func (x *t1run) take(ctx context.Context, b Block) (done bool, wait time.Duration, err error) {
	wait = x.bwt
	switch b.Kind() {
	case KindI:
		done, err = x.data(ctx, b)
	case KindR:
		err = x.reply(ctx, b)
	default:
		switch b.PCB &^ pcbS {
		case sWTX, sIFS:
			if x.extends++; x.extends > maxExtends {
				return false, wait, protocol("the card asks for time without end")
			}
			if b.PCB&^pcbS == sIFS {
				x.ifsc = int(b.INF[0])
			} else {
				wait = time.Duration(b.INF[0]) * x.bwt // of the next block only
			}
			x.asked = 0
			err = x.say(ctx, Block{PCB: b.PCB | sResponse, INF: append([]byte(nil), b.INF...)})
		case sAbort:
			err = protocol("the card aborts the chain")
		case sResynch, sResynch | sResponse:
			err = protocol("the card resynchronises")
		default:
			err = errUnfit // an answer to what was not asked
		}
	}
	return done, wait, err
}

// errUnfit is a whole block that has no place here.
var errUnfit = errors.Join(ErrBlock, errors.New("out of turn"))

// data takes an I-block: part of the answer, and the card's receipt for the
// last block of the command.
func (x *t1run) data(ctx context.Context, b Block) (done bool, err error) {
	if b.NS() != x.nr || x.sending && len(x.rest) > 0 {
		return false, errUnfit
	}
	if len(x.answer)+len(b.INF) > maxAnswer {
		return false, protocol("an answer of more than %d bytes", maxAnswer)
	}
	x.nr ^= 1
	if x.sending {
		x.sending = false
		x.ns ^= 1
	}
	x.asked = 0
	x.answer = append(x.answer, b.INF...)
	if !b.More() {
		return true, nil
	}
	if len(b.INF) == 0 {
		return false, protocol("an empty block of a chain")
	}
	return false, x.say(ctx, Block{PCB: pcbR | x.nr<<4})
}

// reply takes an R-block: a receipt within a chain, or the wish to have the
// last block again.
func (x *t1run) reply(ctx context.Context, b Block) error {
	switch {
	case x.sending && b.NR() == x.ns:
		return x.say(ctx, x.block)
	case x.sending && len(x.rest) > 0: // the receipt for a block of the chain
		x.ns ^= 1
		x.asked = 0
		x.cut()
		return x.say(ctx, x.block)
	case !x.sending && b.NR() == x.ns: // the card has not had our receipt
		if x.asked++; x.asked > maxTries {
			return protocol("the card does not take our R-block")
		}
		return x.say(ctx, x.said)
	}
	return errUnfit
}

// send sends a block. 8E2 while sending is 12 etu a character.
func (t *t1) send(ctx context.Context, b Block) error {
	raw := AppendBlock(make([]byte, 0, maxBlock), b, t.crc)
	defer clear(raw)
	if t.stop != 1 {
		if err := t.l.frame(t.stop); err != nil {
			return err
		}
		defer t.l.frame(1)
	}
	err := t.l.send(ctx, raw, turn1*t.l.etu)
	if err == errEcho {
		// Let the other one finish; the card will ask for ours again, or be asked.
		if err := t.l.quiet(ctx, t.cwt); err != nil {
			return err
		}
		return errEcho
	}
	return err
}

// receive takes one block. After a bad one the line is waited quiet, so that
// the next begins with its first character.
func (t *t1) receive(ctx context.Context, wait time.Duration) (Block, error) {
	raw := make([]byte, 0, maxBlock)
	edc := 1
	if t.crc {
		edc = 2
	}
	bad, silent := false, false
	for len(raw) < headerBytes || len(raw) < headerBytes+int(raw[2])+edc {
		b, err := t.l.next(ctx, wait)
		switch {
		case err == errSilence && len(raw) == 0:
			return Block{}, errSilence
		case err == errSilence:
			silent = true
		case err == errParity:
			bad = true
		case err != nil:
			return Block{}, err
		}
		if silent || len(raw) == headerBytes && raw[2] == 0xFF {
			bad = true
			break
		}
		raw = append(raw, b)
		wait = t.cwt
	}
	b, err := Block{}, errCheck
	if !bad {
		b, err = ParseBlock(raw, t.crc)
	}
	if err != nil && !silent {
		if err := t.l.quiet(ctx, t.cwt); err != nil {
			return Block{}, err
		}
	}
	return b, err
}
