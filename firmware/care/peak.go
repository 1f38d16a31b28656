package care

// Hour of a forecast.
type Hour struct {
	Of    int     // the week, 0..167
	Mean  float64 // payments
	Known bool
}

// Day is the forecast of the calendar day of wall, 24 hours.
func (u *Usual) Day(wall int64) (hours [24]Hour) {
	from := hourOf(int64(dayOf(wall))*86400 - 8*3600)
	for h := range hours {
		b := u.buckets[(from+h)%168][Forms]
		hours[h] = Hour{(from + h) % 168, float64(b.mean), b.n >= 2}
	}
	return hours
}

// Peak is the busiest hour that is still to come on the day of wall: it has at
// least half again as much as the hours that are worked in usually have. ok is
// false if there is none.
func (u *Usual) Peak(wall int64) (hour int, mean float64, ok bool) {
	day, now := u.Day(wall), hourOf(wall)%24
	sum, n := 0.0, 0
	for _, h := range day {
		if h.Known && h.Mean >= .25 {
			sum += h.Mean
			n++
		}
	}
	if n < 3 {
		return 0, 0, false
	}
	for h := now + 1; h < 24; h++ {
		if m := day[h].Mean; day[h].Known && m > mean && m >= 1.5*sum/float64(n) {
			hour, mean, ok = h, m, true
		}
	}
	return hour, mean, ok
}

// PeakPage is what to expect today, and what to do before it. THROTTLE §1 S13, C9.
func (u *Usual) PeakPage(wall int64, pace int) (page []Line) {
	if u.days < 2 {
		return []Line{say("peak.learning", num(u.days))}
	}
	if h, mean, ok := u.Peak(wall); ok {
		page = append(page, say("peak.at", num(h), num(h+1), num(int(mean+.5))), say("peak.before"))
	} else {
		page = append(page, say("peak.none"))
	}
	page = append(page, say("peak.pace", num(pace)))
	most := 1.0
	day := u.Day(wall)
	for _, h := range day {
		most = max(most, h.Mean)
	}
	for h, x := range day {
		if !x.Known || x.Mean < .25 {
			continue
		}
		n := u.hours[h][Forms]
		if dayOf(wall) != u.day {
			n = 0
		}
		bar := ""
		for range int(x.Mean/most*12 + .5) {
			bar += "#"
		}
		page = append(page, say("peak.row", two(h), num(int(x.Mean+.5)), num(n), bar))
	}
	return page
}

func two(n int) string {
	if n < 10 {
		return "0" + num(n)
	}
	return num(n)
}
