package acquirer

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// How the host answers, in the words of the script language.
const (
	answerNormal    = "normal"
	answerLost      = "lost"       // booked, never sent
	answerLate      = "late"       // booked at once, sent later
	answerDuplicate = "duplicate"  // booked, sent twice
	answerWrongSTAN = "wrong-stan" // booked, another DE 11
	answerBadMAC    = "bad-mac"    // booked, DE 64 is wrong
	answerGarbage   = "garbage"    // booked, a frame of bytes that do not parse
	answerMangle    = "mangle"     // booked, one byte of the message flipped
	answerSilent    = "silent"     // neither booked nor answered
)

var answers = map[string]bool{answerNormal: true, answerLost: true, answerLate: true, answerDuplicate: true, answerWrongSTAN: true,
	answerBadMAC: true, answerGarbage: true, answerMangle: true, answerSilent: true}

// financial is what a behaviour is for when it names no MTI.
var financial = []string{"01xx", "02xx"}

// order is one standing order: how to answer requests of some MTIs.
type order struct {
	mtis   []string // four characters each, x for any digit
	how    string   // answer…
	delay  time.Duration
	rc     string // of a decline or approval, "" none
	amount int64  // of a partial approval
	left   int    // requests left; 0: until changed
}

func matches(pattern, mti string) bool {
	if len(pattern) != len(mti) {
		return false
	}
	for i := range len(pattern) {
		if pattern[i] != 'x' && pattern[i] != mti[i] {
			return false
		}
	}
	return true
}

// orders holds the standing orders of one sort; of those that match, the one
// given last counts.
type orders []order

// give adds an order and drops those that it covers: each MTI has one order,
// the last.
func (o *orders) give(n order) {
	keep := (*o)[:0]
	for _, old := range *o {
		covered := true
		for _, p := range old.mtis {
			hit := false
			for _, q := range n.mtis {
				hit = hit || matches(q, p)
			}
			covered = covered && hit
		}
		if !covered {
			keep = append(keep, old)
		}
	}
	*o = append(keep, n)
}

// take is the order for a request; it uses one up that counts. After the last
// such request the MTIs are back to normal.
func (o orders) take(mti string) order {
	for i := len(o) - 1; i >= 0; i-- {
		for _, p := range o[i].mtis {
			if !matches(p, mti) {
				continue
			}
			now := o[i]
			if now.left > 0 {
				if o[i].left--; o[i].left == 0 {
					o[i] = order{mtis: now.mtis, how: answerNormal}
				}
			}
			return now
		}
	}
	return order{how: answerNormal}
}

// String is the order in the words that gave it.
func (o order) String() string {
	s := o.how
	if o.delay > 0 {
		s += " " + o.delay.String()
	}
	if o.rc != "" {
		s = o.rc
	}
	s += " for " + strings.Join(o.mtis, ",")
	if o.left > 0 {
		s += fmt.Sprintf(", %d times", o.left)
	}
	return s
}

// flags takes -mti and -n out of the words of a command.
func flags(args []string) (rest []string, o order, err error) {
	o.mtis = financial
	for i := 0; i < len(args); i++ {
		name, value, joined := strings.Cut(args[i], "=")
		name = strings.Replace(name, "--", "-", 1)
		if name != "-mti" && name != "-n" {
			rest = append(rest, args[i])
			continue
		}
		if !joined {
			if i++; i == len(args) {
				return nil, o, fmt.Errorf("acquirer: %s needs a value", name)
			}
			value = args[i]
		}
		if name == "-n" {
			if o.left, err = strconv.Atoi(value); err != nil || o.left < 1 {
				return nil, o, fmt.Errorf("acquirer: -n %s: want a number of requests", value)
			}
			continue
		}
		o.mtis = nil
		for _, p := range strings.Split(strings.ToLower(value), ",") {
			if p == "all" {
				p = "xxxx"
			}
			if len(p) != 4 || strings.Trim(p, "0123456789x") != "" {
				return nil, o, fmt.Errorf("acquirer: -mti %s: want four digits, x for any", value)
			}
			o.mtis = append(o.mtis, p)
		}
	}
	return rest, o, nil
}
