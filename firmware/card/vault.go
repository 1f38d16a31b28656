package card

import (
	"fmt"
	"slices"

	"swipewell/firmware/pos"
)

// Data is what the vault holds of one card: the service code is in Track2.
type Data struct {
	PAN    PAN
	Expiry Expiry
	Track2 Track2
}

// maxCards is how many cards a vault holds: the one at hand, one presented
// over it, and two whose records are being sent.
const maxCards = 4

// Vault maps a CardRef to its card, in memory only, for as long as a sale
// needs it. It belongs to one goroutine. The zero value is empty.
type Vault struct{ cards []entry } // oldest first

type entry struct {
	ref  pos.CardRef
	data Data
}

// Put takes a card over. What was there for the same ref is wiped, and so is
// the oldest card if there are too many.
func (v *Vault) Put(ref pos.CardRef, d Data) {
	v.remove(func(e entry) bool { return e.ref == ref }, d)
	if len(v.cards) == maxCards {
		oldest := v.cards[0].ref
		v.remove(func(e entry) bool { return e.ref == oldest }, d)
	}
	v.cards = append(v.cards, entry{ref, d})
}

// Get is the card of a ref.
func (v *Vault) Get(ref pos.CardRef) (Data, bool) {
	for _, e := range v.cards {
		if e.ref == ref {
			return e.data, true
		}
	}
	return Data{}, false
}

// Or is the card of a ref, or d if there is none.
func (v *Vault) Or(ref pos.CardRef, d Data) Data {
	if have, ok := v.Get(ref); ok {
		return have
	}
	return d
}

// Drop wipes the card of a ref, if there is one.
func (v *Vault) Drop(ref pos.CardRef) { v.remove(func(e entry) bool { return e.ref == ref }, Data{}) }

// Keep wipes every card but these; a zero ref is none.
func (v *Vault) Keep(refs ...pos.CardRef) {
	v.remove(func(e entry) bool { return !slices.Contains(refs, e.ref) }, Data{})
}

// Len is the number of cards held.
func (v *Vault) Len() int { return len(v.cards) }

// Format prints how many cards there are and none of them.
func (v *Vault) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "vault of %d", v.Len()) }

// remove wipes and drops entries; a track that next still needs stays whole.
func (v *Vault) remove(which func(entry) bool, next Data) {
	v.cards = slices.DeleteFunc(v.cards, func(e entry) bool {
		if !which(e) {
			return false
		}
		if e.data.Track2.raw != next.Track2.raw {
			e.data.Track2.Wipe()
		}
		return true
	})
}
