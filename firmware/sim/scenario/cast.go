package scenario

import (
	"errors"
	"fmt"
	"math"
	"time"

	"swipewell/firmware/sim/acquirer"
	"swipewell/firmware/sim/stage"
	"swipewell/firmware/throttle"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// visit is one customer: a card, an amount, and what they are like.
type visit struct {
	card    acquirer.Card
	amount  int64 // fen
	mistake bool  // the order is paid already: whoever is asked says no
	insist  bool  // a refusal is not taken for one
	fails   int   // passes that do not read, for this card
	chips   int   // inserts that do not answer, for this card
	raw     string
	fault   hal.TrackFault
	typed   bool // the number is typed, wrongly
	order   int  // of the shop's books; 0: one of its own
}

// end of a visit.
type end uint8

const (
	paid end = iota
	declined
	unknown
	unsent
	given // given up, or stopped
)

// newCard makes a card of its own; bin, if not "", is how its number begins.
func (r *run) newCard(bin string, fields ...string) (acquirer.Card, error) {
	r.made++
	name := fmt.Sprintf("c%04d", r.made)
	if bin != "" {
		fields = append(fields, "pan="+checked(fmt.Sprintf("%s%09d", bin, 100_000_000+r.rnd.IntN(899_999_999))))
	} else {
		fields = append(fields, "pan="+checked(fmt.Sprintf("%s%04d%05d", []string{"622588", "622609", "622576", "411111", "555555", "621700"}[r.rnd.IntN(6)], r.rnd.IntN(10000), r.rnd.IntN(100_000))))
	}
	if err := r.h.Host.DefineCard(name, append([]string{"balance=9000000.00", "limit=none", "daily=none", "count=none"}, fields...)...); err != nil {
		return acquirer.Card{}, err
	}
	for _, c := range r.h.Host.Cards() {
		if c.Name == name {
			r.cards = append(r.cards, c)
			return c, nil
		}
	}
	return acquirer.Card{}, errors.New("scenario: a card that was made is not there")
}

// checked appends the check digit. ISO/IEC 7812-1 Annex B.
func checked(body string) string {
	sum := 0
	for i := range len(body) {
		v := int(body[len(body)-1-i] - '0')
		if i%2 == 0 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return body + string(rune('0'+(10-sum%10)%10))
}

// price draws what a customer of this shop pays.
func (r *run) price() int64 {
	yuan := r.m.median * math.Exp(r.m.spread*r.rnd.NormFloat64())
	fen := int64(yuan*100) / 10 * 10
	if fen%100_000 == 0 {
		fen += 10
	}
	return max(min(fen, r.m.limit*6/10), 100)
}

// buys is a visit with an order of its own.
func (r *run) buys(c acquirer.Card) visit {
	r.orders++
	return visit{card: c, amount: r.price(), order: r.orders}
}

// customer is an ordinary one, with what is wrong on an ordinary day.
func (r *run) customer() error {
	var c acquirer.Card
	var err error
	r.h.Host.Command("decline", "off")
	trouble, sick := r.on("host")
	if sick && trouble.Scope == "issuer" {
		// Every other customer has a card of the bank in trouble: the ranges of the
		// codes are of its cards.
		if sick = r.rnd.IntN(2) == 0; sick {
			if c, err = r.newCard("62284803"); err != nil {
				return err
			}
		}
	}
	if c.Name != "" {
	} else if len(r.cards) > 6 && r.rnd.Float64() < .08 {
		c = r.cards[r.rnd.IntN(len(r.cards))]
	} else if c, err = r.newCard(""); err != nil {
		return err
	}
	v := r.buys(c)
	if r.rnd.Float64() < r.noise/2 {
		if err := r.begin(v.amount); err != nil {
			return err
		}
		if err := r.h.Press("cancel"); err != nil {
			return err
		}
	}
	if sick && r.rnd.Float64() < trouble.share {
		r.decline(trouble.Codes[r.rnd.IntN(len(trouble.Codes))])
	} else if x := r.rnd.Float64(); x < .02+r.noise/2 {
		code := []string{"51", "51", "55", "05", "91", "61", "14", "54", "65"}[r.rnd.IntN(9)]
		r.h.Host.Command("decline", code, "-n", "1")
	}
	e, err := r.visit(v)
	if err != nil {
		return err
	}
	if e == paid && r.rnd.Float64() < r.noise/4 { // the cashier missed it
		if err := r.h.Wait(time.Duration(5+r.rnd.IntN(40)) * time.Second); err != nil {
			return err
		}
		v.mistake = true
		if _, err := r.visit(v); err != nil {
			return err
		}
	}
	if p, ok := r.on("reswipe"); ok && (e == unknown || e == unsent) {
		_ = p
		if err := r.h.Wait(time.Duration(5+r.rnd.IntN(40)) * time.Second); err != nil {
			return err
		}
		_, err = r.visit(v)
	}
	return err
}

// begin keys an amount.
func (r *run) begin(amount int64) error {
	for i := range 60 {
		s := r.h.State()
		switch s.Phase {
		case txn.Ready, txn.Result:
			keys := append(stage.Digits(fmt.Sprint(amount)), "enter")
			if err := r.h.Press(keys...); err != nil || r.h.State().Phase != txn.Keying {
				return err
			}
			return r.h.Press(keys...) // so much? keyed once more
		case txn.Halted:
			return nil
		case txn.Settling, txn.Online, txn.Preparing:
			if err := r.h.Wait(2 * time.Second); err != nil {
				return err
			}
		default:
			if err := r.h.Press("cancel"); err != nil {
				return err
			}
		}
		if i == 59 {
			return fmt.Errorf("stays %v with %s", s.Phase, s.Code)
		}
	}
	return nil
}

// visit serves one customer.
func (r *run) visit(v visit) (end, error) {
	r.out.Customers++
	r.serves = v
	if r.storage() && r.rnd.IntN(2) == 0 {
		r.slowFor = time.Duration(600+r.rnd.IntN(2500)) * time.Millisecond
	}
	if err := r.begin(v.amount); err != nil {
		return given, err
	}
	if v.order == 0 {
		r.orders++
		v.order = r.orders
	}
	for range 2 { // the order, the quantity
		s := r.h.State()
		if s.Phase != txn.Entering {
			break
		}
		keys := []txn.Key{"enter"} // one piece
		if s.Code == prompt.AskOrder {
			keys = append(stage.Digits(fmt.Sprint(7000+v.order)), "enter")
		}
		if err := r.h.Press(keys...); err != nil {
			return given, err
		}
	}
	if r.h.State().Phase != txn.AwaitCard {
		return given, nil
	}
	if ok, err := r.present(v); err != nil || !ok {
		if err == nil && r.h.State().Phase != txn.Ready {
			err = r.h.Press("cancel")
		}
		return given, err
	}
	if err := r.answer(v); err != nil {
		return given, err
	}
	for i := 0; i < 4 && r.h.State().Phase == txn.AwaitCard; i++ { // gated: some wait
		if err := r.h.Wait(15 * time.Second); err != nil {
			return given, err
		}
	}
	if r.h.State().Phase != txn.Confirming {
		return given, r.h.Press("cancel")
	}
	if err := r.h.Wait(2 * time.Second); err != nil {
		return given, err
	}
	if err := r.h.Press("enter"); err != nil {
		return given, err
	}
	for i := 0; i < 30 && (r.h.State().Phase == txn.Preparing || r.h.State().Phase == txn.Online); i++ {
		if err := r.h.Wait(time.Second); err != nil {
			return given, err
		}
	}
	switch code := string(r.h.State().Code); {
	case len(code) > 5 && code[:5] == "A-SAL":
		r.out.Approved++
		r.history[v.card.Name] = append(r.history[v.card.Name], payment{r.h.Clock.Boot, v.amount})
		if v.mistake {
			r.forbidden("an order that was paid was charged again")
		}
		return paid, nil
	case len(code) > 1 && code[0] == 'D':
		return declined, nil
	case len(code) > 1 && code[0] == 'U':
		return unknown, nil
	}
	return unsent, nil
}

// present shows the card until it is read; false if it is not.
func (r *run) present(v visit) (bool, error) {
	if v.typed {
		return false, r.typeWrong()
	}
	if r.rnd.Float64() < r.m.chips || v.chips > 0 {
		for i := range 3 {
			bad := i < v.chips
			if p, ok := r.on("chip"); ok && r.rnd.Float64() < p.share {
				bad = true
			}
			if r.motor() || r.rnd.Float64() < .01+r.noise/3 {
				bad = true
			}
			if !bad {
				if err := r.h.Insert(nil); err != nil {
					return false, err
				}
				break
			}
			if err := r.h.Insert(errMute); err != nil {
				return false, err
			}
			if err := r.h.Wait(3 * time.Second); err != nil {
				return false, err
			}
		}
	}
	for i := range 7 {
		fault, pace, raw := r.pass(v, i)
		if raw == "" {
			raw = v.card.Track2()
		}
		if err := r.h.SwipeRaw(raw, fault, pace); err != nil {
			return false, err
		}
		s := r.h.State()
		if s.Phase != txn.AwaitCard || string(s.Code[0]) == "U" {
			return true, nil
		}
		if v.raw != "" && i >= 1 {
			return false, nil
		}
		if err := r.h.Wait(time.Duration(2+r.rnd.IntN(4)) * time.Second); err != nil {
			return false, err
		}
		if i >= 3 && v.fails == 0 && r.rnd.IntN(3) == 0 {
			return false, nil
		}
	}
	return false, nil
}

var errMute = errors.New("no answer to reset")

// pass is one draw of a stripe.
func (r *run) pass(v visit, i int) (hal.TrackFault, hal.Pace, string) {
	good := hal.Pace{Bit: time.Duration(600+r.rnd.IntN(900)) * time.Microsecond, Spread: 10 + r.rnd.IntN(25)}
	if r.rnd.IntN(2) == 0 {
		good = hal.Pace{} // many readers do not tell
	}
	misread := func() hal.TrackFault {
		return []hal.TrackFault{hal.FaultLRC, hal.FaultParity, hal.FaultParity, hal.FaultNoEnd}[r.rnd.IntN(4)]
	}
	worn := func() hal.TrackFault { return []hal.TrackFault{hal.FaultLRC, hal.FaultParity}[r.rnd.IntN(2)] }
	if v.fault != hal.TrackOK {
		return v.fault, good, ""
	}
	if v.raw != "" {
		return hal.TrackOK, good, v.raw
	}
	if i < v.fails {
		return worn(), good, ""
	}
	if p, ok := r.on("hand"); ok && r.rnd.Float64() < p.share {
		f := []hal.TrackFault{hal.FaultNoEnd, hal.FaultShort, hal.FaultNoStart, hal.FaultLRC}[r.rnd.IntN(4)]
		bad := hal.Pace{Bit: 120 * time.Microsecond, Spread: 20}
		if r.rnd.IntN(2) == 0 {
			bad = hal.Pace{Bit: 900 * time.Microsecond, Spread: 95}
		}
		if f != hal.FaultLRC && r.rnd.IntN(2) == 0 {
			bad = hal.Pace{}
		}
		return f, bad, ""
	}
	if p, ok := r.on("stripe"); ok && r.rnd.Float64() < p.share {
		return worn(), good, ""
	}
	if r.motor() {
		return worn(), good, ""
	}
	if r.rnd.Float64() < .02+r.noise/2 {
		return misread(), good, ""
	}
	return hal.TrackOK, good, ""
}

// answer is what people do where a rule asks or stops.
func (r *run) answer(v visit) error {
	for range 4 {
		s := r.h.State()
		switch s.Phase {
		case txn.Choosing:
			k := txn.Key("3")
			if v.mistake {
				k = "cancel"
			}
			if err := r.h.Press(k); err != nil {
				return err
			}
		case txn.Stopped:
			left := s.Left(r.h.Term.Now().Logical)
			switch {
			case v.mistake:
				return r.h.Press("cancel")
			case left > 0 && left <= time.Minute && !v.insist:
				if err := r.h.Wait(left + time.Second); err != nil {
					return err
				}
				if r.h.State().Phase == txn.AwaitCard {
					if err := r.h.Swipe(v.card, hal.TrackOK); err != nil {
						return err
					}
				}
			case s.Stop.Factors == throttle.PIN && !v.insist:
				keys := append(append([]txn.Key{"f2"}, stage.Digits("90")...), "enter")
				if err := r.h.Press(append(keys, append(stage.Digits(stage.Boss.Hash), "enter")...)...); err != nil {
					return err
				}
			default:
				return r.h.Press("cancel")
			}
		default:
			return nil
		}
	}
	return nil
}

// typeWrong types a number that cannot be.
func (r *run) typeWrong() error {
	number := checked(fmt.Sprintf("622588%09d", r.rnd.IntN(1e9)))
	if r.rnd.IntN(3) > 0 { // a digit is wrong
		b := []byte(number)
		b[7] = '0' + (b[7]-'0'+1)%10
		return r.h.Press(append(append([]txn.Key{"f3"}, stage.Digits(string(b))...), "enter")...)
	}
	keys := append(append([]txn.Key{"f3"}, stage.Digits(number)...), "enter")
	return r.h.Press(append(keys, append(stage.Digits("1321"), "enter")...)...)
}

// storage tells whether the memory is in trouble.
func (r *run) storage() bool {
	_, ok := r.on("storage")
	return ok
}
