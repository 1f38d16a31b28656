package care

import "slices"

// Wear are the counters of what wears out.
type Wear struct {
	Swipes  int   `json:"swipes"`
	Inserts int   `json:"inserts"`
	Slips   int   `json:"slips"`
	Starts  int   `json:"starts"`
	Keys    int   `json:"keys"`
	Since   int64 `json:"since"` // Unix seconds: counted from
}

// Duty is one thing that must be done again and again.
type Duty struct {
	Key   string
	Count func(Wear) int // nil: by the calendar alone
	Every int            // counts; or
	Days  int            // days
}

// duties of this device. Batteries, a contactless field and a camera are not
// fitted, and have none.
var duties = [...]Duty{
	{"care.msr", func(w Wear) int { return w.Swipes }, 3000, 90},
	{"care.icc", func(w Wear) int { return w.Inserts }, 2000, 90},
	{"care.printer", func(w Wear) int { return w.Slips }, 5000, 180},
	{"care.keypad", func(w Wear) int { return w.Keys }, 200_000, 365},
	{"care.seal", nil, 0, 30},
	{"care.inspect", nil, 0, 180},
}

// Done is when a duty was done last, and at which count.
type Done struct {
	Key   string `json:"key"`
	At    int64  `json:"at"`
	Count int    `json:"count"`
	By    uint8  `json:"by"` // the technician
}

// Plan is the maintenance of a device. The zero value has nothing done.
type Plan struct {
	Wear Wear
	done []Done
}

// Load takes what was kept.
func (p *Plan) Load(list []Done) { p.done = list }

func (p *Plan) last(key string) Done {
	for _, d := range p.done {
		if d.Key == key {
			return d
		}
	}
	return Done{Key: key, At: p.Wear.Since}
}

// Due is one duty as it stands.
type Due struct {
	Duty
	Used int // since it was done last
	Days int // since then
	Now  bool
}

// Due lists the duties; those that are due come first.
func (p *Plan) Due(wall int64) (list []Due) {
	for _, d := range duties {
		last := p.last(d.Key)
		x := Due{Duty: d}
		if d.Count != nil {
			x.Used = max(d.Count(p.Wear)-last.Count, 0)
		}
		if sane(last.At) && sane(wall) {
			x.Days = int(max(wall-last.At, 0) / 86400)
		}
		x.Now = d.Every > 0 && x.Used >= d.Every || d.Days > 0 && x.Days >= d.Days
		list = append(list, x)
	}
	slices.SortStableFunc(list, func(a, b Due) int {
		switch {
		case a.Now == b.Now:
			return 0
		case a.Now:
			return -1
		}
		return 1
	})
	return list
}

// Do marks everything that is due as done.
func (p *Plan) Do(wall int64, by uint8) (did []Done) {
	for _, d := range p.Due(wall) {
		if !d.Now {
			continue
		}
		x := Done{Key: d.Key, At: wall, By: by}
		if d.Count != nil {
			x.Count = d.Count(p.Wear)
		}
		if i := slices.IndexFunc(p.done, func(o Done) bool { return o.Key == d.Key }); i >= 0 {
			p.done[i] = x
		} else {
			p.done = append(p.done, x)
		}
		did = append(did, x)
	}
	return did
}

// Page is the plan, with whom to call.
func (p *Plan) Page(wall int64, phone, contract string) (page []Line) {
	for _, d := range p.Due(wall) {
		key := "care.row"
		if d.Now {
			key = "care.due"
		}
		if d.Every > 0 {
			page = append(page, say(key, "@"+d.Key, num(d.Used)+"/"+num(d.Every), num(d.Days), num(d.Duty.Days)))
		} else {
			page = append(page, say(key, "@"+d.Key, "-", num(d.Days), num(d.Duty.Days)))
		}
	}
	page = append(page, say("care.done"))
	if phone != "" {
		page = append(page, say("care.call", phone, contract))
	}
	return page
}
