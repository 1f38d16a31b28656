package care

import (
	"slices"

	"swipewell/firmware/throttle"
)

// Tally is what one operator did on one day.
type Tally struct {
	Day       int32
	Sales     int
	Declined  int
	Undos     int // begun and given up
	Voids     int
	Refunds   int
	NoSale    int // refunds without a sale of that card
	Overrides int // second persons, for what this operator rang up
	Confirms  int
	Misuse    int // the wrong order, the wrong interface
	Inputs    int // numbers that cannot be
	Took      int // seconds, of Sales
	Lessons   [Lessons]int
}

func (t *Tally) add(o Tally) {
	t.Sales += o.Sales
	t.Declined += o.Declined
	t.Undos += o.Undos
	t.Voids += o.Voids
	t.Refunds += o.Refunds
	t.NoSale += o.NoSale
	t.Overrides += o.Overrides
	t.Confirms += o.Confirms
	t.Misuse += o.Misuse
	t.Inputs += o.Inputs
	t.Took += o.Took
	for i := range t.Lessons {
		t.Lessons[i] = max(t.Lessons[i], o.Lessons[i])
	}
}

// week is how far back a score looks, in days.
const week = 7

// Records are what operators did lately, made of the history alone.
type Records struct {
	by    map[uint8]*[week + 1]Tally
	last  map[uint8]int64     // wall of each one's last event
	cards map[uint64]struct{} // that have bought: a refund on another is one without a sale
	fixed map[uint8]Contest   // scores that a merchant has contested
}

// Contest is a merchant's word on a score: it is shown beside it, and the
// restriction rests until a person has decided.
type Contest struct {
	Op   uint8 `json:"op"`
	At   int64 `json:"at"` // Unix seconds
	Week int   `json:"score"`
}

// NewRecords is an empty book.
func NewRecords() *Records {
	return &Records{by: map[uint8]*[week + 1]Tally{}, last: map[uint8]int64{}, cards: map[uint64]struct{}{}, fixed: map[uint8]Contest{}}
}

// Add takes an event.
func (r *Records) Add(e throttle.Event) {
	if !sane(e.Wall) {
		return
	}
	if e.What == throttle.Sale && e.Outcome == throttle.Approved && e.Tags.Card != 0 {
		if len(r.cards) > 20_000 {
			clear(r.cards)
		}
		r.cards[e.Tags.Card] = struct{}{}
	}
	if e.Op == 0 || e.What == throttle.LoginBad {
		return
	}
	days := r.by[e.Op]
	if days == nil {
		days = &[week + 1]Tally{}
		r.by[e.Op] = days
	}
	d := dayOf(e.Wall)
	t := &days[int(d)%len(days)]
	if t.Day != d {
		if t.Day > d {
			return
		}
		*t = Tally{Day: d}
	}
	r.last[e.Op] = max(r.last[e.Op], e.Wall)
	switch e.What {
	case throttle.Sale, throttle.PreAuth, throttle.Completion, throttle.Offline:
		switch e.Outcome {
		case throttle.Approved:
			t.Sales++
			t.Took += int(e.Took)
		case throttle.Declined:
			t.Declined++
		}
	case throttle.Cancelled:
		t.Undos++
	case throttle.Void:
		if e.Outcome == throttle.Approved {
			t.Voids++
		}
	case throttle.Refund:
		if e.Outcome == throttle.Approved {
			t.Refunds++
			if _, bought := r.cards[e.Tags.Card]; !bought && e.Tags.Card != 0 {
				t.NoSale++
			}
		}
	case throttle.Override:
		t.Overrides++
	case throttle.Confirm:
		t.Confirms++
	case throttle.Misuse:
		t.Misuse++
	case throttle.InputBad:
		t.Inputs++
	case throttle.Train:
		if i := int(e.RC[0] - '0'); i >= 0 && i < Lessons {
			t.Lessons[i] = max(t.Lessons[i], int(e.N))
		}
	}
}

// Load takes contests as they were kept.
func (r *Records) Load(list []Contest) {
	for _, c := range list {
		r.fixed[c.Op] = c
	}
}

// Contest notes that the merchant contests a score.
func (r *Records) Contest(op uint8, wall int64) (c Contest, ok bool) {
	s := r.Score(op, wall)
	if op == 0 || s.Points == 100 {
		return c, false
	}
	c = Contest{op, wall, s.Points}
	r.fixed[op] = c
	return c, true
}

// Today and Week are an operator's tallies.
func (r *Records) Today(op uint8, wall int64) (t Tally) {
	if days := r.by[op]; days != nil {
		if x := days[int(dayOf(wall))%len(days)]; x.Day == dayOf(wall) {
			return x
		}
	}
	return t
}

// Week is the last seven days together.
func (r *Records) Week(op uint8, wall int64) (t Tally) {
	if days := r.by[op]; days != nil {
		for _, x := range days {
			if x.Day > dayOf(wall)-week && x.Day <= dayOf(wall) {
				t.add(x)
			}
		}
	}
	return t
}

// Operators are those with a record, by number.
func (r *Records) Operators() (ops []uint8) {
	for op := range r.by {
		ops = append(ops, op)
	}
	slices.Sort(ops)
	return ops
}

// Score is an operator's week in one number, with how it came about: anybody can
// add it up. THROTTLE §1 S22.
type Score struct {
	Points int
	Parts  []Part
	Topic  int // the lesson that would help most
}

// Part is one deduction, or what a lesson gave back.
type Part struct {
	Key    string
	N      int
	Points int
}

// Weights of the score: so many free in a week, so many points for each more, at
// most so many together.
var deductions = [...]struct {
	key        string
	free       int // for each hundred sales, at least this
	each, most int
	topic      int
	count      func(Tally) int
}{
	{"score.misuse", 3, 2, 30, LessonInterface, func(t Tally) int { return t.Misuse + t.Inputs }},
	{"score.undos", 5, 2, 20, LessonSale, func(t Tally) int { return t.Undos }},
	{"score.overrides", 2, 5, 30, LessonRepeat, func(t Tally) int { return t.Overrides }},
	{"score.nosale", 0, 20, 60, LessonRefund, func(t Tally) int { return t.NoSale }},
}

// Score adds up a week. What is free grows with the work: for each hundred sales
// as much again.
func (r *Records) Score(op uint8, wall int64) (s Score) {
	t := r.Week(op, wall)
	s.Points = 100
	worst := 0
	for _, d := range deductions {
		free := d.free * max(1, (t.Sales+99)/100)
		n := d.count(t)
		minus := min(max(n-free, 0)*d.each, d.most)
		if minus == 0 {
			continue
		}
		s.Parts = append(s.Parts, Part{d.key, n, -minus})
		s.Points -= minus
		if minus > worst {
			worst, s.Topic = minus, d.topic
		}
	}
	passed := 0
	for _, best := range t.Lessons {
		if best >= Passed {
			passed++
		}
	}
	if plus := min(passed*10, 30, 100-s.Points); plus > 0 {
		s.Parts = append(s.Parts, Part{"score.lessons", passed, plus})
		s.Points += plus
	}
	return s
}

// Below this score an operator gives no refunds until a lesson on them is passed.
const Enough = 60

// NoRefund tells whether refunds of an operator rest: the score is too low, the
// lesson on refunds was not passed this week, and nobody contests the score.
func (r *Records) NoRefund(op uint8, wall int64) bool {
	if op == 0 || r.Score(op, wall).Points >= Enough {
		return false
	}
	if c, ok := r.fixed[op]; ok && wall-c.At < week*86400 {
		return false
	}
	return r.Week(op, wall).Lessons[LessonRefund] < Passed
}

// StaffPage is the records of operators; first is the one who is signed on.
func (r *Records) StaffPage(first uint8, wall int64) (page []Line) {
	ops := r.Operators()
	if first != 0 && !slices.Contains(ops, first) {
		ops = append(ops, first)
	}
	if len(ops) == 0 {
		return []Line{say("staff.none"), say("staff.formula")}
	}
	slices.SortStableFunc(ops, func(a, b uint8) int {
		if a == first {
			return -1
		}
		if b == first {
			return 1
		}
		return int(a) - int(b)
	})
	for _, op := range ops {
		d, s := r.Today(op, wall), r.Score(op, wall)
		page = append(page, say("staff.head", two(int(op)), num(s.Points)))
		if d.Sales+d.Declined+d.Undos+d.Misuse > 0 {
			page = append(page, say("staff.today", num(d.Sales), num(d.Took/max(d.Sales, 1)), num(d.Declined)),
				say("staff.slips", num(d.Undos+d.Misuse+d.Inputs), "@"+d.most()))
			page = append(page, say("staff.money", num(d.Voids), num(d.Refunds), num(d.Overrides)))
		}
		for _, p := range s.Parts {
			page = append(page, say("staff.part", "@"+p.Key, num(p.N), signed(p.Points)))
		}
		if s.Points < 100 {
			page = append(page, say("staff.topic", "@"+lessonKeys[s.Topic]))
		}
		if c, ok := r.fixed[op]; ok && wall-c.At < week*86400 {
			page = append(page, say("staff.contested", date(c.At)))
		} else if r.NoRefund(op, wall) {
			page = append(page, say("staff.low"))
		}
	}
	return append(page, say("staff.formula"), say("staff.contest"))
}

// most is what went wrong most often on a day.
func (t Tally) most() string {
	switch {
	case t.Misuse >= t.Undos && t.Misuse >= t.Inputs && t.Misuse > 0:
		return "slip.misuse"
	case t.Inputs >= t.Undos && t.Inputs > 0:
		return "slip.input"
	case t.Undos > 0:
		return "slip.undo"
	}
	return "slip.none"
}

func signed(n int) string {
	if n > 0 {
		return "+" + num(n)
	}
	return num(n)
}
