package diagnose

import "time"

// Kind of an observation: where it arose.
type Kind uint8

const (
	NoKind   Kind = iota
	Pass          // a stripe was drawn: Code is the fault, N the pace
	Insert        // a chip card was inserted: Code 0 good, 1 no answer to reset, 2 a protocol error
	Begin         // a form was begun
	Sale          // a payment ended: Card, Bin, RC, Code is its end
	Echo          // an echo: Code 0 answered
	Trip          // an exchange was answered: N milliseconds, Link
	Dial          // a link was opened or not: Code is hal's cause plus one, 0 good; Link
	Frame         // a frame that is none, came late or twice
	Radio         // N is CSQ, Code the bit error rate; RC[0] 1 if registered
	Write         // a commit: Code 1 failed, 2 slow; N milliseconds
	Jump          // the wall clock was off by N seconds
	Tamper        // the case
	Restart       // the program started: Code 1 after an end nobody asked for; N 1 with another version
	Cancel        // a form was given up
	Misuse        // the wrong order: Code 0; the wrong interface: Code 1
	Input         // a number, expiry or track that cannot be: Code 1 typed, 2 on a card, 3 a message
	Confirm       // a person confirmed a second payment
	Repeat        // the same card again: Code is the end of the payment before it, N the seconds between, Sum the amount if it is the same
	Hit           // a rule fired: Code is its number
	Segments      // a link went down: of Code segments N were sent again
	Load          // N per cent of processor or memory
	Said          // a rule of the shop's own speaks for row Code of the table: N hundredths of a nat
	kinds
)

// Ends of a Sale.
const (
	EndNone uint16 = iota
	EndApproved
	EndDeclined
	EndNoAnswer
	EndNotSent
)

// Faults of a Pass, as hal.TrackFault numbers them, and what they say about the
// hand that draws the card.
const (
	passOK      = 0
	passAbsent  = 1
	passParity  = 2
	passLRC     = 3
	passNoStart = 4
	passNoEnd   = 5
	passShort   = 6
	passForm    = 7
)

// Paces of a Pass.
const (
	PaceUnknown = 0
	PaceGood    = 1
	PaceBad     = 2 // too fast, too slow or uneven
)

// Obs is one observation.
type Obs struct {
	Kind Kind
	At   time.Duration // logical
	Form uint16        // the customer in front of the device; 0 nobody
	Op   uint8
	Link uint8 // place among the links, 0 the first
	Code uint16
	N    int32
	RC   [2]byte
	Card uint64 // a tag; 0 unknown
	Bin  uint32
	Sum  int64 // minor units
}

// keep is how many observations a window holds: more than half an hour of a
// busy till.
const keep = 1024

// Window is what was seen lately. The zero value is empty.
type Window struct {
	list []Obs
	head int
	seq  int // observations so far
}

// Add takes an observation.
func (w *Window) Add(o Obs) {
	w.seq++
	if len(w.list) < keep {
		w.list = append(w.list, o)
		return
	}
	w.list[w.head] = o
	w.head = (w.head + 1) % keep
}

// Seq changes with each observation.
func (w *Window) Seq() int { return w.seq }

// each calls f for what is younger than span, the oldest first.
func (w *Window) each(now, span time.Duration, f func(o *Obs)) {
	for _, half := range [...][]Obs{w.list[w.head:], w.list[:w.head]} {
		for i := range half {
			if o := &half[i]; o.At > now-span {
				f(o)
			}
		}
	}
}

// Last is the youngest observation of a kind; ok is false if there is none.
func (w *Window) Last(k Kind) (o Obs, ok bool) {
	for _, half := range [...][]Obs{w.list[:w.head], w.list[w.head:]} {
		for i := len(half) - 1; i >= 0; i-- {
			if half[i].Kind == k {
				return half[i], true
			}
		}
	}
	return o, false
}

// LastDial is the youngest attempt to open a link.
func (w *Window) LastDial(link uint8) (o Obs, ok bool) {
	w.each(1<<62, 1<<62, func(x *Obs) {
		if x.Kind == Dial && x.Link == link {
			o, ok = *x, true
		}
	})
	return o, ok
}

// Base is what is usual here.
type Base struct {
	Trip    float64 // milliseconds that an exchange takes; 0 not learned
	PerHour float64 // forms begun in this hour of the week; 0 not learned
	Odd     bool    // a time at which this shop does not sell
	P90     int64   // minor units
	Limit   int64   // a payment's, minor units; 0 unknown
	Links   int     // fitted
}
