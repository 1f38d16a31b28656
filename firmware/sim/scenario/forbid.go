package scenario

import (
	"fmt"
	"time"

	"swipewell/ui/prompt"
)

// payment is one that went through.
type payment struct {
	at     time.Duration
	amount int64
}

func (r *run) forbidden(format string, a ...any) {
	why := fmt.Sprintf(format, a...)
	r.trace("FORBIDDEN: %s", why)
	r.out.Forbidden = append(r.out.Forbidden, why)
}

// fair holds what the rules say of a card against what the card has done: a
// prompt about repeats is never for a pass that was not read, or for a host that
// did not answer.
func (r *run) fair(code string) {
	now, card := r.h.Clock.Boot, r.serves.card.Name
	paid := func(within time.Duration, amount int64) (n int) {
		for _, p := range r.history[card] {
			if now-p.at <= within && (amount == 0 || p.amount == amount) {
				n++
			}
		}
		return n
	}
	least := 0
	switch prompt.Code(code) {
	case prompt.RuleThird:
		least = 2 - paid(6*time.Minute, 0)
	case prompt.RuleWait:
		least = 3 - paid(31*time.Minute, 0) // the strictest profile
	case prompt.RuleDay:
		least = 3 - paid(24*time.Hour, 0)
	case prompt.RuleDupNow, prompt.Duplicate, prompt.RuleDupLate:
		least = 1 - paid(3*time.Hour, r.serves.amount)
	case prompt.RuleNearLimit:
		least = 2 - paid(24*time.Hour, 0)
	}
	if least > 0 {
		r.forbidden("%s was shown for a card that had not paid so often", code)
	}
}

// proven holds "not charged" against the host's books: while nothing is open at
// the device, the host has booked exactly what the device has.
func (r *run) proven(codes string) {
	d := r.h.State().Durable
	if d.Reversals > 0 || d.Open.Open() {
		return
	}
	var host int64
	for _, e := range r.h.Host.Books() {
		host += e.Net
	}
	if device := d.Totals.Debit - d.Totals.Credit; host != device {
		r.forbidden("%s says 未扣款 while the host has booked %d fen and the device %d", codes, host, device)
	}
}
