package days

import (
	"swipewell/firmware/care"
	"swipewell/firmware/throttle"
)

// past is what the merchant has sold lately: the device's own learner.
type past struct {
	usual care.Usual
	days  int // that the rules know of
}

// learn gives the rules what a new day has taught.
func (p *past) learn(b *throttle.Book) {
	if d := p.usual.Days(); d != p.days {
		p.days = d
		b.Learn(p.usual.Learned())
	}
}
