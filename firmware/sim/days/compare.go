package days

// PeerResult is what one peer comes to on the same traffic.
type PeerResult struct {
	Name     string         `json:"name"`
	Refuses  bool           `json:"refuses"`
	Payments int            `json:"payments"`
	Asked    int            `json:"asked"`   // honest purchases, each once
	Refused  int            `json:"refused"` // likewise
	Repeats  [lates]Noticed `json:"repeats"` // those stopped stand under Asked or Stopped
	Reswipes int            `json:"reswipes"`
	Held     int            `json:"held"`
	Booked   int            `json:"booked"`      // re-swipes of what the host had booked
	BookHeld int            `json:"booked_held"` // and they were held
	Double   int            `json:"double"`      // orders charged twice by those that were not
}

// All are the repeats, however late.
func (r *PeerResult) All() (n Noticed) {
	for _, x := range r.Repeats {
		n.add(x)
	}
	return n
}

func (r *PeerResult) add(o PeerResult) {
	r.Name, r.Refuses = o.Name, o.Refuses
	r.Payments += o.Payments
	r.Asked += o.Asked
	r.Refused += o.Refused
	r.Reswipes += o.Reswipes
	r.Held += o.Held
	r.Booked += o.Booked
	r.BookHeld += o.BookHeld
	r.Double += o.Double
	for i := range r.Repeats {
		r.Repeats[i].add(o.Repeats[i])
	}
}

// ComparePeers holds every peer against one trace.
func ComparePeers(trace []Attempt) []PeerResult {
	out := make([]PeerResult, len(Peers))
	for i := range Peers {
		out[i] = Peers[i].judge(trace)
	}
	return out
}

// judge lives the trace through with one peer in place of the rules. People do
// what they do with ours as far as a trace can say it: a question about an
// honest order is answered with yes, one about a repeat with no; what is refused
// is not charged. An order that this peer let pay needs no further try, so what
// only our own stop brought about does not count against a peer. Nobody comes
// back after a peer's refusal: that customer is not in the trace.
func (p *Peer) judge(trace []Attempt) PeerResult {
	r := PeerResult{Name: p.Name, Refuses: p.Refuses}
	type fate struct{ tried, paid, met, open, booked bool }
	orders := map[int32]*fate{}
	var past []Attempt
	head := 0 // of the last day
	for _, a := range trace {
		if a.Undo {
			f := orders[a.Order]
			if f == nil {
				continue
			}
			for i := len(past) - 1; i >= head; i-- {
				// A reversal takes back the try whose answer was lost, a void the payment.
				if past[i].Order == a.Order && (!f.open || past[i].Answer >= LostBooked) {
					past[i].Undo = true
				}
			}
			f.paid = f.paid && f.open
			f.open, f.booked = false, false
			continue
		}
		f := orders[a.Order]
		if f == nil {
			f = &fate{}
			orders[a.Order] = f
		}
		if a.Counted && !f.tried {
			f.tried = true
			r.Payments++
		}
		if a.Truth == Honest && f.paid {
			continue
		}
		for head < len(past) && past[head].At < a.At-day {
			head++
		}
		stop := p.Stop(past[head:], a)
		if a.Counted {
			r.count(a, stop, f.booked)
			if stop && a.Truth == Honest && !f.met {
				f.met = true
				if p.Refuses {
					r.Refused++
				} else {
					r.Asked++
				}
			}
		}
		if stop && (p.Refuses || a.Truth != Honest) {
			continue
		}
		past = append(past, a)
		switch a.Answer {
		case Approves:
			f.paid = true
		case LostBooked, LostBefore:
			f.open, f.booked = true, a.Answer == LostBooked
		}
	}
	return r
}

// count adds an accident; booked tells that the host has booked the order's last
// try, whose answer was lost.
func (r *PeerResult) count(a Attempt, stop, booked bool) {
	switch a.Truth {
	case Repeat:
		n := Noticed{Count: 1}
		switch {
		case stop && r.Refuses:
			n.Stopped = 1
		case stop:
			n.Asked = 1
		}
		r.Repeats[lateOf(a.Late)].add(n)
	case Reswipe:
		r.Reswipes++
		r.Held += count(stop)
		if booked {
			r.Booked++
			r.BookHeld += count(stop)
			r.Double += count(!stop && a.Answer == Approves)
		}
	}
}
