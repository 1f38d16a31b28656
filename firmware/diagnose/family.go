package diagnose

import "slices"

// Family is what one part of the device contributes: without the part, its
// signals are not there.
type Family struct {
	Name    string
	Signals []ID
}

// Families are all of them; each signal but Well is of one.
func Families() []Family {
	return []Family{
		{"stripe", []ID{MSRMany, MSROne, Hand}},
		{"slot", []ID{ICCMany, ICCOne}},
		{"modem", []ID{CSQ, BER, Reg, SIM}},
		{"line", []ID{RTT, TMO, ReTx, EchoBad, Backup}},
		{"host", []ID{HostBad, Limit, HostRC, Pickup, InputRC, Funds, BIN}},
		{"cards", []ID{Fast, Many, Sums, Shared}},
		{"keys", []ID{Format, Undo, Wrong, Meant}},
		{"traffic", []ID{Busy, Queue}},
		{"device", []ID{Machine, Disk, Clock, Case, Starts}},
		{"coincidence", []ID{Both}},
	}
}

// Without is what would be seen if a part were not fitted.
func (s Signals) Without(f Family) Signals {
	for i := range s {
		if slices.Contains(f.Signals, ID(i)) {
			s[i] = Signal{}
		}
	}
	s.settle()
	return s
}
