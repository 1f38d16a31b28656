package card

import "encoding/binary"

// Scope names a card for a purpose of its own: a keyed hash under a tag that no
// other purpose has, so that two purposes cannot be joined. THROTTLE §3.2.
type Scope struct {
	Key  [16]byte // of the whole number, in the velocity table
	Card uint64   // of the whole number, in the desk's history
	Bin8 uint32   // of the first eight digits, in the desk's history
	Log  [32]byte // of the whole number, for the journal, which hashes it again
}

// MAC is a keyed hash whose key stays where it is.
type MAC func(b []byte) ([32]byte, error)

// ScopeOf makes the scopes of a number. What holds the digits is zeroed.
func ScopeOf(mac MAC, p PAN) (s Scope, err error) {
	hash := func(tag string, digits []byte) (sum [32]byte) {
		if err != nil {
			return sum
		}
		b := join(tag, digits)
		sum, err = mac(b)
		clear(b)
		return sum
	}
	p.Reveal(func(digits []byte) {
		vel, hist, bin := hash("velocity", digits), hash("history", digits), hash("bin8", digits[:min(8, len(digits))])
		s.Log = hash("journal", digits)
		copy(s.Key[:], vel[:])
		s.Card, s.Bin8 = binary.BigEndian.Uint64(hist[:]), binary.BigEndian.Uint32(bin[:])
	})
	if err != nil {
		return Scope{}, err
	}
	return s, nil
}

// join is what is hashed for a tag, in one piece of memory.
func join(tag string, secret []byte) []byte {
	b := make([]byte, 0, len("v1||")+len(tag)+len(secret))
	return append(append(append(append(b, "v1|"...), tag...), '|'), secret...)
}

// StaffTag is the keyed hash of a staff card's track: a token, and no payment
// card's name.
func StaffTag(mac MAC, track []byte) (sum [32]byte, err error) {
	b := join("staff", track)
	defer clear(b)
	return mac(b)
}

// TrainTag is the keyed hash of a track that a training terminal puts a test
// card in the place of.
func TrainTag(mac MAC, track []byte) (sum [32]byte, err error) {
	b := join("train", track)
	defer clear(b)
	return mac(b)
}
