package terminal

import (
	"encoding/hex"
	"errors"
	"fmt"

	"swipewell/firmware/card"
	"swipewell/firmware/keys"
	"swipewell/firmware/pos"
	"swipewell/firmware/recovery"
	"swipewell/firmware/store"
	"swipewell/hal"
)

func imageOf(to *recovery.Public, r pos.Record, p card.PAN, e card.Expiry, aad []byte) ([]byte, error) {
	plain := card.AppendSealable(nil, p, e) // not on a stack, which may grow and leave a copy
	defer clear(plain)
	return to.Seal(r, plain, aad)
}

// ImageRecords seals to the acquirer what of money the outbox holds without an
// image to this key: records of before the board named it. One commit; it returns
// how many there were.
func ImageRecords(st *store.Store, ks hal.KeyStore, to *recovery.Public) (int, error) {
	rows, err := st.Records()
	if err != nil {
		return 0, err
	}
	var c store.Change
	for _, r := range rows {
		if id, err := recovery.SealedTo(r.Image); !store.Imaged(r.Class) || r.Card.IsZero() || err == nil && id == to.ID() {
			continue
		}
		aad := st.AAD(r.Class, r.RecordID)
		pan, exp, err := keys.OpenCard(ks, r.Sealed, aad)
		if err != nil {
			return 0, err
		}
		im, err := imageOf(to, r.Record, pan, exp, aad)
		if err != nil {
			return 0, err
		}
		c.PutImage = append(c.PutImage, store.Image{Key: store.RecordKey{Class: r.Class, ID: r.RecordID}, Image: im})
	}
	return len(c.PutImage), st.Commit(c, nil)
}

// RecoveryItems are the lines of an export: every record of money in the outbox.
// No key is needed for it.
func RecoveryItems(st *store.Store) (items []recovery.Item, err error) {
	rows, err := st.Records()
	for _, r := range rows {
		if !store.Imaged(r.Class) {
			continue
		}
		items = append(items, recovery.Item{Class: r.Class, Batch: r.Batch, STAN: r.STAN, Kind: r.Kind, State: r.State, Amount: r.Amount.Minor, Masked: r.Masked,
			AAD: hex.EncodeToString(st.AAD(r.Class, r.RecordID)), Sealed: r.Image})
	}
	return items, err
}

// Tampered tells whether a terminal was marked as opened.
func Tampered(st *store.Store) (bool, error) {
	d, err := durable(st)
	return d.Tampered, err
}

// Erased tells whether the keys were erased after tamper.
func Erased(ks hal.KeyStore) (bool, error) {
	if ks == nil {
		return false, nil
	}
	_, err := ks.HMAC(hal.SlotCardRef, scopeGeneration, []byte("v1|check"))
	switch {
	case errors.Is(err, hal.ErrTampered):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("terminal: %w", err)
	}
	return false, nil
}
