package diagnose

import (
	"math"
	"time"
)

// ID of a signal.
type ID uint8

const (
	MSRMany ID = iota // stripes fail over several cards
	MSROne            // one card fails, others read
	Hand              // drawn too fast, too slow or not to the end
	ICCMany
	ICCOne
	CSQ  // the signal is weak
	BER  // bits are wrong
	Reg  // the network was lost
	SIM  // the network will not have the card
	RTT  // answers take longer than usual
	TMO  // no answers
	ReTx // frames that are none, late or twice
	EchoBad
	HostBad // the echo is answered, and the bank's codes say that its side is in trouble
	Limit   // 61 62 65 57
	HostRC  // 91 92 96 68 98
	Pickup  // 04 34 41 43 59 63
	InputRC // 12 13 14 30
	Format  // a number or a track that cannot be
	Funds   // 51, and again
	Fast    // the same card again within a minute, after a payment that went through
	Many    // the same card approved often
	BIN     // different cards of one series declined
	Sums    // round sums, near the limit, at odd hours, on few cards
	Undo    // begun and given up
	Wrong   // the wrong interface
	Busy    // more arrivals than usual
	Queue   // one customer right behind the other
	Machine // processor or memory
	Disk
	Clock
	Case
	Starts
	Both   // unrelated parts fail in the same seconds
	Backup // the first line is bad, another good
	Meant  // a second payment was confirmed
	Shared // one amount on several cards, one after another
	Well   // all is well
	signals

	Ruled = signals // a term that no signal, but a rule of one's own has given
)

var names = [signals + 1]string{"msr_many", "msr_one", "hand", "icc_many", "icc_one", "csq", "ber", "reg", "sim", "rtt", "tmo", "retx", "echo_bad", "host_bad",
	"rc_limit", "rc_host", "rc_pickup", "rc_input", "format", "rc_funds", "samecard_fast", "samecard_many", "bin_decl", "amt_pat", "cancel_rep", "wrong_if",
	"arrival", "queue", "machine", "storage", "clock", "tamper", "restarts", "multi_sub", "backup_ok", "confirmed", "shared", "well", "rule"}

// goNames are the identifiers, for who writes source.
var goNames = [signals]string{"MSRMany", "MSROne", "Hand", "ICCMany", "ICCOne", "CSQ", "BER", "Reg", "SIM", "RTT", "TMO", "ReTx", "EchoBad", "HostBad", "Limit", "HostRC", "Pickup", "InputRC", "Format", "Funds", "Fast", "Many", "BIN", "Sums", "Undo", "Wrong", "Busy", "Queue", "Machine", "Disk", "Clock", "Case", "Starts", "Both", "Backup", "Meant", "Shared", "Well"}

// GoName is the identifier of a signal.
func (i ID) GoName() string { return goNames[min(i, signals-1)] }

// SignalCount is how many there are.
const SignalCount = int(signals)

func (i ID) String() string { return names[min(i, signals)] }

// Signal is one thing that speaks for or against causes.
type Signal struct {
	Level uint8         // 0 nothing, 1, 2
	Q     float64       // quality 0..1: how much was seen, and how long ago
	N, Of int           // what was counted, of how many
	At    time.Duration // when it was last seen, logical
}

// Signals are all of them.
type Signals [signals]Signal

// wilson is the lower bound of a share at 90 %, one-sided. WILSON.
func wilson(k, n int) float64 {
	if n <= 0 {
		return 0
	}
	k = max(0, min(k, n))
	const z = 1.2816
	p, m := float64(k)/float64(n), float64(n)
	return (p + z*z/(2*m) - z*math.Sqrt(p*(1-p)/m+z*z/(4*m*m))) / (1 + z*z/m)
}

// Windows, and the age at which a signal has half its weight. THROTTLE §4.
const (
	reads    = 30 * time.Minute
	talks    = 15 * time.Minute
	quarter  = 15 * time.Minute
	halfHour = 30 * time.Minute
	tenMin   = 10 * time.Minute
	halfLife = 15 * time.Minute
	longLife = time.Hour // of what does not mend by itself
)

// of makes a signal of a count by two thresholds.
func of(n, l1, l2 int) (s Signal) {
	s.N = n
	switch {
	case n >= l2:
		s.Level, s.Q = 2, 1
	case n >= l1:
		s.Level, s.Q = 1, 1
	}
	return s
}

// share makes one of a share by its lower bound.
func share(k, n, least int, l1, l2 float64) (s Signal) {
	s.N, s.Of = k, n
	if n < least {
		return s
	}
	low := wilson(k, n)
	switch {
	case low > l2:
		s.Level = 2
	case low > l1:
		s.Level = 1
	}
	s.Q = math.Min(1, float64(n)/float64(2*least))
	return s
}

// aged weighs a signal by when it was last seen.
func (s Signal) aged(i ID, now time.Duration) Signal {
	if s.Level > 0 && s.At > 0 {
		half := halfLife
		switch i {
		case Pickup, BIN, Many, Sums, Disk, Clock, Case:
			half = longLife
		}
		s.Q *= math.Exp2(-float64(max(now-s.At, 0)) / float64(half))
	}
	return s
}
