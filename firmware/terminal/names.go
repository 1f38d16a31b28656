package terminal

import (
	"fmt"
	"time"

	"swipewell/firmware/card"
	"swipewell/firmware/keys"
	"swipewell/firmware/pos"
	"swipewell/firmware/store"
	"swipewell/hal"
)

const (
	// renameAfter is how long cards keep their names in the store: a name that
	// somebody learnt to tie to a number is worth that long.
	renameAfter = 90 * 24 * time.Hour
	// maxRename bounds the one commit: rows of some 700 bytes, within the room
	// that the store reserves. More wait for the next settlement.
	maxRename = 500
	// scopeGeneration names cards for the rules, which count over windows that
	// no sealed number outlives: those names have their own tags, and stay.
	scopeGeneration = 0
)

// RenameCards gives every card in the store its name under the next generation of
// the key, from its sealed number and in one commit, if the names are old enough
// and no request is open. It is called before a terminal is made on the store, so
// that nothing in memory has an old name. It returns how many cards were renamed.
func RenameCards(st *store.Store, ks hal.KeyStore, wall time.Time) (int, error) {
	have, ok, err := st.Names()
	if err != nil {
		return 0, err
	}
	if !ok {
		return 0, st.Commit(store.Change{Rename: &store.Rename{To: store.Names{Since: wall.Unix()}}}, nil)
	}
	if wall.Sub(time.Unix(have.Since, 0)) < renameAfter {
		return 0, nil
	}
	d, err := durable(st)
	if err != nil || d.Open.Open() {
		return 0, err
	}
	cards, err := st.Cards()
	if err != nil || len(cards) > maxRename {
		return 0, err
	}
	r := store.Rename{To: store.Names{Generation: have.Generation + 1, Since: wall.Unix()}, Names: map[pos.CardRef]pos.CardRef{}}
	for _, c := range cards {
		pan, _, err := keys.OpenCard(ks, c.Sealed, c.AAD)
		if err != nil {
			return 0, err
		}
		old, err := cardRef(ks, have.Generation, pan)
		if err != nil {
			return 0, err
		}
		if old != c.Ref {
			return 0, fmt.Errorf("terminal: a sealed number that is not that of its name, generation %d", have.Generation)
		}
		if r.Names[old], err = cardRef(ks, r.To.Generation, pan); err != nil {
			return 0, err
		}
	}
	if err := st.Commit(store.Change{Rename: &r}, nil); err != nil {
		return 0, err
	}
	return len(r.Names), nil
}

// cardRef names a card under one generation of the key.
func cardRef(ks hal.KeyStore, generation uint32, p card.PAN) (pos.CardRef, error) {
	return card.Ref(func(b []byte) ([32]byte, error) { return ks.HMAC(hal.SlotCardRef, generation, b) }, p)
}
