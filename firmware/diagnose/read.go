package diagnose

import "time"

// Read weighs a window. It is a pure function.
func (w *Window) Read(now time.Duration, b Base) (s Signals) {
	both := w.coincidences(now, &s)
	w.readers(now, both, &s)
	w.line(now, b, both, &s)
	w.codes(now, &s)
	w.people(now, b, &s)
	w.device(now, &s)
	w.gates(&s)
	w.well(now, &s)
	for i := range s {
		s[i] = s[i].aged(ID(i), now)
	}
	return s
}

// gates take out what another signal explains. What one event explains was left
// out event by event before.
func (w *Window) gates(s *Signals) {
	if s[BER].Level == 2 { // noise: the weak signal is its work
		s[CSQ].Level = min(s[CSQ].Level, 1)
		s[CSQ].Q *= .5
	}
	if s[BER].Level > 0 { // and so is what the network would not have
		s[SIM].Q *= .3
		s[TMO].Q *= .5
		s[EchoBad].Q *= .5
		s[Backup].Q *= .5
	}
	if l := s[Both].Level; l > 0 { // one cause for all of them
		for _, i := range [...]ID{MSROne, ICCOne, ReTx, TMO, EchoBad, Backup} {
			s[i].Q *= 1 - .3*float64(l)
		}
	}
	if s[HostBad].Level > 0 { // the way is good; what fails is behind it
		s[TMO].Q *= .3
		s[EchoBad].Q *= .3
	}
	if s[BIN].Level > 0 {
		s[InputRC].Q *= .3
		s[Limit].Q *= .5
		s[Busy].Q *= .3 // they are the crowd
		s[Queue].Q *= .3
	}
	if s[Meant].Level > 0 { // a person said so
		s[Fast].Q *= .3
		s[Many].Q *= .5
	}
	if s[Case].Level > 0 {
		s[Starts].Q *= .5
	}
	if s[Funds].Level > 0 {
		s[Fast].Q *= .5
	}
}

// well: enough was seen, and nothing of it is wrong.
func (w *Window) well(now time.Duration, s *Signals) {
	g := Signal{}
	w.each(now, halfHour, func(o *Obs) {
		if o.Kind == Sale && o.Code == EndApproved {
			g.N++
			g.At = o.At
		}
	})
	s[Well] = g
	s.settle()
}

// settle gives Well its level: nothing else has one.
func (s *Signals) settle() {
	g := s[Well]
	for i, x := range s {
		if ID(i) != Meant && ID(i) != Shared && ID(i) != Well && x.Level > 0 {
			s[Well].Level = 0
			return
		}
	}
	s[Well] = of(g.N, 2, 5)
	s[Well].At = g.At
}
