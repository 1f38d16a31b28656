package care

// Spot is a check of three slips against the books. THROTTLE §1 S17.
type Spot struct {
	At   int64     `json:"at"`
	By   uint8     `json:"by"`
	Rows []SpotRow `json:"rows"`
	Bad  int       `json:"bad"`
	// Repeat is when it is to be done again, because something was wrong; 0 not.
	Repeat int64 `json:"repeat,omitempty"`
}

// SpotRow is one payment of a check.
type SpotRow struct {
	STAN   string `json:"stan"`
	Amount int64  `json:"amount"`
	Card   string `json:"card"`
	At     int64  `json:"at"`
	State  int    `json:"state"` // 0 not yet, 1 found and right, 2 missing or wrong
}

// SpotRows is how many are checked.
const SpotRows = 3

// Draw picks rows of the open batch; rnd gives a number below n.
func Draw(rows []SpotRow, rnd func(n int) int) (picked []SpotRow) {
	rest := append([]SpotRow(nil), rows...)
	for len(picked) < SpotRows && len(rest) > 0 {
		i := rnd(len(rest))
		picked = append(picked, rest[i])
		rest = append(rest[:i], rest[i+1:]...)
	}
	return picked
}

// Answer takes a person's word on the next row; done tells that it was the last.
func (s *Spot) Answer(right bool, wall int64) (done bool) {
	for i := range s.Rows {
		if s.Rows[i].State != 0 {
			continue
		}
		s.Rows[i].State = 1
		if !right {
			s.Rows[i].State = 2
			s.Bad++
		}
		if i+1 < len(s.Rows) {
			return false
		}
		break
	}
	if s.Bad > 0 {
		s.Repeat = wall + 24*3600
	}
	return true
}

// Page is a check under way, or the last one.
func (s *Spot) Page(last Spot, wall int64) (page []Line) {
	if len(s.Rows) == 0 {
		page = append(page, say("spot.begin"))
		switch {
		case last.At == 0:
			page = append(page, say("spot.never"))
		case last.Bad > 0:
			page = append(page, say("spot.failed", date(last.At), num(last.Bad)), say("spot.again", date(last.Repeat)))
		default:
			page = append(page, say("spot.passed", date(last.At), num(len(last.Rows))))
		}
		return page
	}
	next := true
	for i, r := range s.Rows {
		key := [...]string{"spot.wait", "spot.right", "spot.wrong"}[r.State]
		if r.State == 0 && next {
			key, next = "spot.now", false
		}
		page = append(page, say(key, num(i+1), r.STAN, yuan(r.Amount), r.Card+" "+clock(r.At)))
	}
	if next {
		return append(page, say("spot.done", num(s.Bad)))
	}
	return append(page, say("spot.keys"))
}
