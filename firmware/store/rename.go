package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"swipewell/firmware/pos"
)

// namesKey holds the generation of the key that made every CardRef in the file.
var namesKey = []byte("names")

// Names is the generation under which cards are named, and since when.
type Names struct {
	Generation uint32
	Since      int64 // wall clock, seconds since 1970
}

// Rename gives each card of the outbox and of the batches its name of another
// generation, all in one commit: at no moment the file holds names of two.
type Rename struct {
	To    Names
	Names map[pos.CardRef]pos.CardRef // old → new, of every card that is sealed here
}

// Names is the generation in force; ok is false for a store that has noted none,
// whose names are of generation 0.
func (s *Store) Names() (n Names, ok bool, err error) {
	err = s.view(func(tx *bolt.Tx) error { n, ok, err = readNames(tx); return err })
	return n, ok, err
}

func readNames(tx *bolt.Tx) (n Names, ok bool, err error) {
	v := tx.Bucket(metaBucket).Get(namesKey)
	if v == nil {
		return n, false, nil
	}
	p, err := unframe(metaBucket, namesKey, v)
	if err == nil && len(p) != 12 {
		err = damaged("names of %d bytes", len(p))
	}
	if err != nil {
		return n, false, err
	}
	return Names{binary.BigEndian.Uint32(p), int64(binary.BigEndian.Uint64(p[4:]))}, true, nil
}

// Card is a card that is sealed somewhere in the store.
type Card struct {
	Ref    pos.CardRef
	Sealed []byte
	AAD    []byte // that opens it
}

// Cards are all sealed cards: of the outbox, then of the batches.
func (s *Store) Cards() (all []Card, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		return s.named(tx, func(n namedRow) error {
			if len(n.sealed) > 0 {
				all = append(all, Card{n.card, bytes.Clone(n.sealed), n.aad})
			}
			return nil
		})
	})
	return all, err
}

// namedRow is a row that names a card.
type namedRow struct {
	bucket, key []byte
	card        pos.CardRef
	sealed, aad []byte
	as          func(pos.CardRef) any // the row's payload under another name
}

// named calls fn for each row that names a card. fn must not write.
func (s *Store) named(tx *bolt.Tx, fn func(namedRow) error) error {
	err := eachRecord(tx, func(r RecordRow) error {
		if r.Card.IsZero() {
			return nil
		}
		return fn(namedRow{classBucket(r.Class), recordKey(r.RecordID), r.Card, r.Sealed, s.AAD(r.Class, r.RecordID), func(c pos.CardRef) any {
			out := outRow{r.Record, r.Sealed, r.Image}
			out.Record.Card = c
			return out
		}})
	})
	if err != nil {
		return err
	}
	return eachBatch(tx, func(_ BatchID, name []byte, b *bolt.Bucket) error {
		return b.ForEach(func(k, v []byte) error {
			row, err := decodeSale(name, k, v)
			if err != nil || row.Card.IsZero() {
				return err
			}
			return fn(namedRow{bytes.Clone(name), bytes.Clone(k), row.Card, row.Sealed, s.AAD(0, row.RecordID), func(c pos.CardRef) any {
				out := row
				out.Card = c
				return out
			}})
		})
	})
}

// check refuses a rename that is none. It stands alone in its commit: a row
// written beside it would have a name of which nobody knows the generation.
func (r *Rename) check(c Change) error {
	c.Rename = nil
	if !c.Empty() {
		return fmt.Errorf("%w: a rename with something else", ErrInvariant)
	}
	seen := make(map[pos.CardRef]bool, len(r.Names))
	for _, to := range r.Names {
		if to.IsZero() || seen[to] {
			return fmt.Errorf("%w: a rename takes a card's name away", ErrInvariant)
		}
		seen[to] = true
	}
	return nil
}

// rename writes every row anew, and returns the keys of what it wrote. A card whose
// row has no seal, and that no other row names, can not be named again: it loses
// its name, and only the duplicate guard asked for it.
func (s *Store) rename(tx *bolt.Tx, r *Rename) (ops []Op, err error) {
	have, _, err := readNames(tx)
	if err != nil {
		return nil, err
	}
	if r.To.Generation != have.Generation && r.To.Generation != have.Generation+1 || r.To.Generation == have.Generation && len(r.Names) > 0 {
		return nil, fmt.Errorf("%w: names of generation %d after %d", ErrInvariant, r.To.Generation, have.Generation)
	}
	var rows []namedRow
	if r.To.Generation != have.Generation {
		if err := s.named(tx, func(n namedRow) error { rows = append(rows, n); return nil }); err != nil {
			return nil, err
		}
	}
	for _, n := range rows {
		to, ok := r.Names[n.card]
		if !ok && len(n.sealed) > 0 {
			return nil, fmt.Errorf("%w: a sealed card without a new name", ErrInvariant)
		}
		raw, err := json.Marshal(n.as(to))
		if err != nil {
			return nil, err
		}
		if err := put(tx.Bucket(n.bucket), n.bucket, n.key, raw); err != nil {
			return nil, err
		}
		ops = append(ops, Op{Bucket: n.bucket, Key: n.key})
	}
	v := binary.BigEndian.AppendUint32(nil, r.To.Generation)
	v = binary.BigEndian.AppendUint64(v, uint64(r.To.Since))
	return append(ops, Op{Bucket: metaBucket, Key: namesKey}), put(tx.Bucket(metaBucket), metaBucket, namesKey, v)
}
