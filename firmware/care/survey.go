package care

// Survey is a walk with the device: the signal at a few places. THROTTLE §1 S23.
type Survey struct {
	At     int64   `json:"at"`
	Places []Place `json:"places"`
	Open   bool    `json:"-"` // it is under way
}

// Place is where the device stood for a while.
type Place struct {
	N    int `json:"n"`
	Sum  int `json:"sum"` // of CSQ
	Low  int `json:"low"`
	High int `json:"high"`
	Bad  int `json:"bad"`  // samples with bit errors of 3 and more
	Lost int `json:"lost"` // samples without a network
}

// Mean is the average signal, 0..31; -1 nothing was measured.
func (p Place) Mean() int {
	if p.N == 0 {
		return -1
	}
	return p.Sum / p.N
}

// SurveyTime is how long a walk takes at most, in seconds.
const SurveyTime = 600

// Begin starts a walk at its first place.
func (s *Survey) Begin(wall int64) { *s = Survey{At: wall, Places: []Place{{}}, Open: true} }

// Next goes to another place.
func (s *Survey) Next() {
	if s.Open && len(s.Places) < 9 {
		s.Places = append(s.Places, Place{})
	}
}

// Sample takes one measurement.
func (s *Survey) Sample(csq, ber int, on bool) {
	if !s.Open || len(s.Places) == 0 {
		return
	}
	p := &s.Places[len(s.Places)-1]
	if csq == 99 || csq < 0 {
		csq = 0
	}
	if p.N == 0 || csq < p.Low {
		p.Low = csq
	}
	p.High = max(p.High, csq)
	p.N++
	p.Sum += csq
	if ber >= 3 && ber <= 7 {
		p.Bad++
	}
	if !on {
		p.Lost++
	}
}

// Best is the place with the best signal, from 1; 0 none was measured.
func (s Survey) Best() (at int) {
	best := -1
	for i, p := range s.Places {
		if m := p.Mean(); m > best {
			best, at = m, i+1
		}
	}
	return at
}

// Advice is what would help: a key of texts.
func (s Survey) Advice() string {
	i := s.Best()
	if i == 0 {
		return "survey.nothing"
	}
	p := s.Places[i-1]
	switch m := p.Mean(); {
	case p.Lost*2 > p.N:
		return "survey.carrier" // not even at the best place
	case p.Bad*4 > p.N && m >= 15:
		return "survey.noise" // strong and wrong: something near disturbs it
	case m < 10:
		return "survey.booster"
	case m < 15:
		return "survey.antenna"
	case len(s.Places) > 1 && s.Places[0].Mean()+4 <= m:
		return "survey.move"
	}
	return "survey.good"
}

// Page is the walk so far, and the one before it.
func (s Survey) Page(before Survey, left int) (page []Line) {
	if !s.Open && len(s.Places) == 0 {
		page = append(page, say("survey.begin"))
	}
	if s.Open {
		page = append(page, say("survey.left", two(left/60)+":"+two(left%60)))
	}
	for i, p := range s.Places {
		page = append(page, say("survey.row", num(i+1), num(p.Mean()), num(p.Low)+"-"+num(p.High), num(p.N)))
	}
	if len(s.Places) > 0 {
		page = append(page, say("survey.best", num(s.Best())), say(s.Advice()))
	}
	if n := before.Best(); n > 0 && (s.Open || len(s.Places) > 0) {
		m := -1
		if b := s.Best(); b > 0 {
			m = s.Places[b-1].Mean()
		}
		page = append(page, say("survey.before", date(before.At), num(before.Places[n-1].Mean()), num(m)))
	} else if n > 0 {
		page = append(page, say("survey.last", date(before.At), num(before.Places[n-1].Mean())), say(before.Advice()))
	}
	if s.Open {
		page = append(page, say("survey.keys"))
	}
	return page
}
