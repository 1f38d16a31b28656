package acquirer

import (
	"fmt"
	"strings"
)

// checks counts what of a terminal's cryptography was right.
type checks struct{ macs, pins, tracks, arqcs, tcs int }

func (c checks) String() string {
	return fmt.Sprintf("MACs right %d\nPIN blocks opened %d\ntracks opened %d\nARQCs right %d\nTCs right %d", c.macs, c.pins, c.tracks, c.arqcs, c.tcs)
}

// What a sign-on's keys may be spoiled to. HOST §1.6: a terminal must notice each.
const (
	spoilCorrupt = "corrupt" // one bit of the PIN key's cryptogram
	spoilCheck   = "check"   // one bit of the MAC key's check value
	spoilShort   = "short"   // the last byte is not there
	spoilWeak    = "weak"    // a PIN key of zeros, with the check value of zeros
)

// spoils is a standing order for DE 62 of sign-ons.
type spoils struct {
	how  string // "": none
	left int    // sign-ons left; 0: until changed
}

// take is what befalls the next sign-on.
func (s *spoils) take() string {
	how := s.how
	if s.left > 0 {
		if s.left--; s.left == 0 {
			s.how = ""
		}
	}
	return how
}

// spoil changes DE 62 on its way; the host believes in the keys it drew.
func (w workingKeys) spoil(bundle, how string, tmk secret) string {
	b := []byte(bundle)
	slot := len(w.pik) + 4
	switch how {
	case spoilCorrupt:
		b[3] ^= 0x10
	case spoilCheck:
		b[2*slot-1] ^= 0x01
	case spoilShort:
		b = b[:len(b)-1]
	case spoilWeak:
		zero := w
		zero.pik = make(secret, len(w.pik))
		copy(b, zero.bundle(tmk)[:slot])
	}
	return string(b)
}

// commandKeys is "keys" (all sessions are forgotten) or how the keys of the next
// sign-ons are spoiled.
func (h *Host) commandKeys(args []string) error {
	rest, o, err := flags(args)
	if err != nil {
		return err
	}
	switch how := strings.Join(rest, " "); how {
	case "":
		for _, t := range h.terminals {
			t.forget()
		}
	case "normal":
		h.spoils = spoils{}
	case spoilCorrupt, spoilCheck, spoilShort, spoilWeak:
		h.spoils = spoils{how, o.left}
	default:
		return fmt.Errorf("acquirer: keys [normal|corrupt|check|short|weak [-n N]]: what is %q?", how)
	}
	return nil
}

// block is a PIN block that came before.
type block struct {
	session int
	pan     string
	stan    string
}

// repeated tells what a PIN block repeats that it must not: one of another session,
// whose key was another; one of another card, if the card number is in it. The same
// PIN of the same card under the same key makes the same block: HOST §5.1 has no
// random part in formats 0 and 1x.
func (t *terminal) repeated(b string, now block, withPAN bool) string {
	old, seen := t.blocks[b]
	if t.blocks == nil {
		t.blocks = map[string]block{}
	}
	t.blocks[b] = now
	switch {
	case !seen:
		return ""
	case old.session != now.session:
		return "the block of STAN " + old.stan + ", of a session before"
	case withPAN && old.pan != now.pan:
		return "the block of STAN " + old.stan + ", of another card"
	}
	return ""
}
