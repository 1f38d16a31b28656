package iso7816

import (
	"context"
	"errors"
	"fmt"
	"time"

	"swipewell/hal"
)

// Rules say which cards are spoken with.
type Rules uint8

const (
	RulesEMV Rules = iota // EMV1 §8.3, no PPS
	RulesISO              // whatever this driver can speak, at the rate that the card offers, by PPS
)

// Opts of New. Port, Contacts and Clock are needed.
type Opts struct {
	Port     Port
	Contacts Contacts
	Clock    hal.Clock
	Rules    Rules
	// Hz of the card's clock (3,571,200: 9600 baud at reset). EMV1 §5.4.5.1: 1 to 5 MHz.
	Hz int
	// NoEcho: the I/O line is not wired to the receiver while the port sends.
	NoEcho bool
	// Slack is added to each wait of the standard (50 ms).
	Slack time.Duration
	// Limit of one APDU over all (60 s).
	Limit time.Duration
}

// Slot is a hal.ChipReader.
type Slot struct {
	o    Opts
	l    *line
	turn *Turn

	// Owned by who has the token.
	powered bool
	retried bool // this session began with a warm reset after a parity error
	t       exchanger
}

// exchanger is a protocol in its session.
type exchanger interface {
	exchange(ctx context.Context, dst, capdu []byte) ([]byte, error)
}

// ErrNoPower says that there is no session: PowerUp comes first.
var ErrNoPower = errors.New("iso7816: the card has no power")

// New makes a slot with its contacts inactive.
func New(o Opts) (*Slot, error) {
	if o.Port == nil || o.Contacts == nil || o.Clock == nil {
		return nil, errors.New("iso7816: a port, contacts and a clock are needed")
	}
	if o.Hz == 0 {
		o.Hz = 3_571_200
	}
	if o.Hz < 1_000_000 || o.Hz > 5_000_000 {
		return nil, fmt.Errorf("iso7816: a card's clock of %d Hz", o.Hz)
	}
	if o.Slack <= 0 {
		o.Slack = 50 * time.Millisecond
	}
	if o.Limit <= 0 {
		o.Limit = time.Minute
	}
	s := &Slot{o: o, turn: NewTurn(),
		l: &line{port: o.Port, contacts: o.Contacts, clock: o.Clock, slack: o.Slack, watch: 20 * time.Millisecond, echo: !o.NoEcho}}
	return s, s.deactivate()
}

// String names the driver, its port and its contacts.
func (s *Slot) String() string {
	return "iso7816 (" + s.o.Port.String() + ", " + s.o.Contacts.String() + ")"
}

// Halt is PowerDown.
func (s *Slot) Halt() error { return s.PowerDown() }

// Present reads the card-present switch.
func (s *Slot) Present() (bool, error) { return s.o.Contacts.Present() }

// WaitCard waits at the card-present switch.
func (s *Slot) WaitCard(ctx context.Context, present bool) error {
	return s.o.Contacts.Wait(ctx, present)
}

// PowerDown ends an exchange and deactivates the contacts.
func (s *Slot) PowerDown() error {
	defer s.turn.End()()
	return s.deactivate()
}

// deactivate goes through RST, CLK and VCC in this order. EMV1 §6.1.5.
func (s *Slot) deactivate() error {
	s.powered, s.retried, s.t = false, false, nil
	c := s.o.Contacts
	return device(errors.Join(c.RST(false), c.CLK(false), c.VCC(false)))
}

// cycles of the card's clock. EMV1 §6.1.3: RST stays low 40,000 to 45,000, the
// answer begins within 42,000. §8.1: each character within 10,080 etu of the
// one before, all within 20,160.
const (
	resetCycles  = 42_000
	answerCycles = 42_000
	betweenETU   = 10_080
	answerETU    = 20_160
)

func (s *Slot) cycles(n int) time.Duration {
	return time.Duration(n) * time.Second / time.Duration(s.o.Hz)
}

// PowerUp activates the contacts, resets the card, and resets it once more if
// its answer was no good. With the contacts active it begins with the warm
// reset. A card without an answer is mute, and is not asked twice. EMV1 §6.1.3,
// §8.1.
func (s *Slot) PowerUp(ctx context.Context) (r hal.Reset, err error) {
	ctx, end, err := s.turn.Begin(ctx, s.o.Clock, 0)
	if err != nil {
		return r, err
	}
	defer end()
	defer func() {
		if err != nil {
			err = errors.Join(asked(ctx, err), s.deactivate())
		}
	}()
	s.l.limit = s.l.now() + s.o.Limit
	if err := s.l.present(); err != nil {
		return r, err
	}
	warm := s.powered
	s.powered, s.retried, s.t = true, warm, nil
	for ; ; warm = true {
		atr, err := s.reset(ctx, warm)
		if err == nil {
			var a *ATR
			if a, err = s.accept(atr); err == nil {
				if err = s.start(ctx, a); err != nil {
					return r, err
				}
				return hal.Reset{ATR: atr, Protocol: a.Protocol(), Warm: warm}, nil
			}
		}
		if warm || !again(err) {
			return r, err
		}
	}
}

// again tells whether an answer was bad in a way that a warm reset may mend.
func again(err error) bool {
	var ce *hal.ChipError
	return errors.As(err, &ce) && (ce.Cause == hal.ChipParity || ce.Cause == hal.ChipRefused)
}

// reset moves the contacts and collects the answer.
func (s *Slot) reset(ctx context.Context, warm bool) ([]byte, error) {
	l, c := s.l, s.o.Contacts
	l.turn, l.guard = false, 0
	l.etu = s.cycles(372)
	if err := errors.Join(l.port.SetBaud((s.o.Hz+186)/372), l.frame(2), c.RST(false)); err != nil {
		return nil, device(err)
	}
	if !warm {
		if err := errors.Join(c.VCC(true), c.CLK(true)); err != nil {
			return nil, device(err)
		}
	}
	if err := hal.Sleep(ctx, l.clock, s.cycles(resetCycles)); err != nil {
		return nil, err
	}
	l.rx = l.rx[:0]
	if err := errors.Join(l.port.FlushInput(), c.RST(true)); err != nil {
		return nil, device(err)
	}
	return s.answer(ctx)
}

// answer reads the answer to reset, whose first character tells the convention
// and whose interface characters tell its length.
func (s *Slot) answer(ctx context.Context) ([]byte, error) {
	l := s.l
	// A character is over 12 etu after it began.
	ts, err := l.next(ctx, s.cycles(answerCycles)+12*l.etu)
	switch {
	case err == errSilence:
		return nil, &hal.ChipError{Cause: hal.ChipMute}
	case err != nil && err != errParity:
		return nil, err
	case ts == 0:
		return nil, &hal.ChipError{Cause: hal.ChipShorted, Err: errors.New("the I/O line is held down")}
	case ts == inverseRaw:
		// Its parity is the other one: a port that checks parity finds every good
		// character bad, this one too. The port is left as it is until the answer
		// is over, since a UART that is set anew may spoil the character that is
		// coming in.
		ts, l.turn, l.flip = inverse, true, err == errParity
	case ts != direct:
		return nil, refused(fmt.Errorf("%w: TS = %02X", ErrATR, ts))
	case err == errParity:
		return nil, parity("TS")
	}
	atr := append(make([]byte, 0, maxATR), ts)
	due := l.now() + answerETU*l.etu
	for {
		n, whole := span(atr)
		switch {
		case n > maxATR:
			return nil, refused(fmt.Errorf("%w: more than %d bytes", ErrATR, maxATR))
		case whole:
			return atr, nil
		}
		b, err := l.next(ctx, min(betweenETU*l.etu, due-l.now()))
		switch {
		case err == errSilence:
			// EMV1 §8.1 deactivates here: the answer was begun, and no warm reset helps.
			return nil, &hal.ChipError{Cause: hal.ChipMute, Err: fmt.Errorf("the answer to reset stopped after %d bytes", len(atr))}
		case err == errParity:
			// The rest is let pass: it must not be taken for the next answer.
			if err := l.quiet(ctx, 24*l.etu); err != nil {
				return nil, err
			}
			return nil, parity("the answer to reset")
		case err != nil:
			return nil, err
		}
		atr = append(atr, b)
	}
}

func parity(where string) error {
	return &hal.ChipError{Cause: hal.ChipParity, Err: fmt.Errorf("iso7816: parity error in %s", where)}
}

func refused(err error) error { return &hal.ChipError{Cause: hal.ChipRefused, Err: err} }

// accept takes the answer apart and applies the rules.
func (s *Slot) accept(b []byte) (*ATR, error) {
	a, err := ParseATR(b)
	if err == nil {
		err = a.checkISO()
	}
	if err == nil && s.o.Rules == RulesEMV {
		err = a.CheckEMV()
	}
	if err != nil {
		return nil, refused(err)
	}
	return a, nil
}

// start begins the session that the answer to reset describes.
func (s *Slot) start(ctx context.Context, a *ATR) error {
	p, l := a.Params(), s.l
	if err := l.frame(2); err != nil {
		return err
	}
	if s.o.Rules == RulesISO {
		if err := s.negotiate(ctx, a, &p); err != nil {
			return err
		}
	}
	// The card's last character is over only 12 etu of the old rate after it began.
	if err := hal.Sleep(ctx, l.clock, turn1*l.etu); err != nil {
		return err
	}
	f, d, _ := p.Rate()
	l.etu = s.cycles(f) / time.Duration(d)
	if err := device(l.port.SetBaud((s.o.Hz*d + f/2) / f)); err != nil {
		return err
	}
	l.guard = time.Duration(max(p.N, 0)) * l.etu
	if p.Protocol == 0 {
		s.t = newT0(l, p)
		return nil
	}
	t := newT1(l, p)
	s.t = t
	return t.begin(ctx)
}

// Transmit exchanges one APDU. Whatever goes wrong deactivates the contacts,
// but a T=0 card's first parity error: then they stay active, and the next PowerUp
// is a warm reset.
func (s *Slot) Transmit(ctx context.Context, dst, capdu []byte) ([]byte, error) {
	if err := CheckCommand(capdu); err != nil {
		return dst, err
	}
	ctx, end, err := s.turn.Begin(ctx, s.o.Clock, 0)
	if err != nil {
		return dst, err
	}
	defer end()
	defer s.l.forget()
	if s.t == nil {
		return dst, ErrNoPower
	}
	s.l.limit = s.l.now() + s.o.Limit
	out, err := s.t.exchange(ctx, dst, capdu)
	if err == nil {
		return out, nil
	}
	err = asked(ctx, err)
	var ce *hal.ChipError
	if errors.As(err, &ce) && ce.Cause == hal.ChipParity && !s.retried {
		s.t = nil
		return dst, err
	}
	return dst, errors.Join(err, s.deactivate())
}

// asked names the reason of an exchange that PowerDown ended.
func asked(ctx context.Context, err error) error {
	if ctx.Err() != nil && context.Cause(ctx) == ErrDown {
		return ErrDown
	}
	return err
}
