package store

import (
	"encoding/json"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"swipewell/firmware/pos"
)

// Change is one transaction: all of it is kept, or nothing.
type Change struct {
	// State replaces what txn keeps; nil leaves it. Opaque JSON.
	State []byte
	// PutReversal writes or replaces records of the outbox. A record that is
	// new gets its card sealed in the same transaction; one that is there
	// keeps the sealed card it has.
	PutReversal []pos.Reversal
	// DropReversal removes records; one that is not there is no error.
	DropReversal []pos.RecordID
	// PutSale writes or replaces rows of a batch.
	PutSale []pos.Sale
}

// Empty tells that there is nothing to write.
func (c Change) Empty() bool {
	return c.State == nil && len(c.PutReversal)+len(c.DropReversal)+len(c.PutSale) == 0
}

// Sealer seals PAN and expiry of a card that is in front of the device; aad
// binds the result to its record ([Store.AAD]).
type Sealer interface {
	Seal(card pos.CardRef, aad []byte) ([]byte, error)
}

// fill is how full a page of a batch is packed. Rows append and the last one
// is written twice (printed), so a little room is enough.
const fill = 0.9

// Commit writes c in one bbolt Update; when it returns nil, c is on the flash.
//
// An error that wraps ErrInvariant or the sealer's own leaves the store as it
// was, and usable. After any other error it is not known what the flash holds
// (DESIGN §2: "a failed commit is itself an unknown"): the store answers
// ErrFailed from then on. Close it and Open it again.
func (s *Store) Commit(c Change, sealer Sealer) error {
	if c.Empty() {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed != nil {
		return fmt.Errorf("%w: %w", ErrFailed, s.failed)
	}
	outbox, err := s.plan(c)
	if err != nil {
		return err
	}
	if err := s.fault(); err != nil {
		s.failed = err
		return err
	}
	var refused error // by us or the sealer, before bbolt began to write
	var last *bolt.Tx
	err = s.db.Update(func(tx *bolt.Tx) error {
		last = tx
		refused = s.write(tx, c, sealer)
		return refused
	})
	if refused != nil {
		return refused
	}
	if err != nil {
		s.failed = classify(err)
		return s.failed
	}
	s.outbox = outbox
	s.commits.Add(1)
	// Every allocated page is written once, and one meta page.
	st := last.Stats()
	s.written.Add(uint64(st.GetPageAlloc()) + uint64(s.db.Info().PageSize))
	return nil
}

// fault is what the bench wants this moment to fail with.
func (s *Store) fault() error {
	if s.opts.FaultFn == nil {
		return nil
	}
	return faults[s.opts.FaultFn()]
}

// plan is the outbox as it will be, or why c must not be written.
func (s *Store) plan(c Change) (map[pos.RecordID]pos.RecordState, error) {
	next := make(map[pos.RecordID]pos.RecordState, len(s.outbox)+len(c.PutReversal))
	for id, st := range s.outbox {
		next[id] = st
	}
	for _, r := range c.PutReversal {
		if why := badID(r.RecordID); why != "" {
			return nil, fmt.Errorf("%w: a reversal with %s", ErrInvariant, why)
		}
		if err := masked(r.Masked); err != nil {
			return nil, err
		}
		next[r.RecordID] = r.State
	}
	for _, id := range c.DropReversal {
		delete(next, id)
	}
	armed := 0
	for _, st := range next {
		if st == pos.RecordArmed {
			armed++
		}
	}
	if armed > 1 {
		return nil, fmt.Errorf("%w: %d armed reversals", ErrInvariant, armed)
	}
	for _, r := range c.PutSale {
		if why := badID(r.RecordID); why != "" {
			return nil, fmt.Errorf("%w: a row with %s", ErrInvariant, why)
		}
		if err := masked(r.Masked); err != nil {
			return nil, err
		}
	}
	if c.State != nil && !json.Valid(c.State) {
		return nil, fmt.Errorf("%w: the state is not JSON", ErrInvariant)
	}
	return next, nil
}

// masked refuses a card number that is not masked: at most ten digits are shown.
func masked(m pos.MaskedPAN) error {
	n := 0
	for _, r := range m {
		if r >= '0' && r <= '9' {
			n++
		}
	}
	if n > 10 {
		return fmt.Errorf("%w: a card number with %d digits in clear", ErrInvariant, n)
	}
	return nil
}

func (s *Store) write(tx *bolt.Tx, c Change, sealer Sealer) error {
	if c.State != nil {
		if err := put(tx.Bucket(stateBucket), stateBucket, stateKey, c.State); err != nil {
			return err
		}
	}
	out := tx.Bucket(classReversal.bucket())
	for _, r := range c.PutReversal {
		if err := s.putReversal(out, r, sealer); err != nil {
			return err
		}
	}
	for _, id := range c.DropReversal {
		if err := drop(out, recordKey(id)); err != nil {
			return err
		}
	}
	for _, row := range c.PutSale {
		if err := putSale(tx, row); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) putReversal(b *bolt.Bucket, r pos.Reversal, sealer Sealer) error {
	key := recordKey(r.RecordID)
	row := outRow{Record: r}
	if v := b.Get(key); v != nil {
		old, err := decodeReversal(key, v)
		if err != nil {
			return err
		}
		if old.Card != r.Card {
			return fmt.Errorf("%w: record %v changes its card", ErrInvariant, r.RecordID)
		}
		row.Sealed = old.Sealed
	} else {
		if sealer == nil {
			return fmt.Errorf("%w: a new reversal and no sealer", ErrInvariant)
		}
		sealed, err := sealer.Seal(r.Card, s.AAD(r.RecordID))
		if err != nil {
			return fmt.Errorf("store: seal: %w", err)
		}
		if len(sealed) == 0 {
			return fmt.Errorf("%w: nothing sealed", ErrInvariant)
		}
		row.Sealed = sealed
	}
	raw, err := json.Marshal(row)
	if err != nil {
		return err
	}
	return put(b, classReversal.bucket(), key, raw)
}

// AAD is what binds the sealed card of a record to it: the store, the class
// and the record's key. A blob moved to another record does not open.
func (s *Store) AAD(id pos.RecordID) []byte {
	a := append([]byte("swipewell/store/"+s.id+"/"), classReversal.bucket()...)
	return append(append(a, 0), recordKey(id)...)
}

func putSale(tx *bolt.Tx, row pos.Sale) error {
	name := batchBucket(row.Context, row.Batch)
	b, err := tx.CreateBucketIfNotExists(name)
	if err != nil {
		return err
	}
	b.FillPercent = fill
	key := findRow(b, row.STAN)
	if key == nil {
		last, _ := b.Cursor().Last()
		key = rowKey(epochOf(last, row.STAN), row.STAN)
	}
	raw, err := json.Marshal(row)
	if err != nil {
		return err
	}
	return put(b, name, key, raw)
}

// findRow is the key under which a STAN stands, nil if it does not.
func findRow(b *bolt.Bucket, n pos.STAN) []byte {
	last, _ := b.Cursor().Last()
	if last == nil {
		return nil
	}
	for e := int(last[0]); e >= 0; e-- {
		if k := rowKey(byte(e), n); b.Get(k) != nil {
			return k
		}
	}
	return nil
}

// put writes a framed value and counts a new key in the bucket's sequence.
func put(b *bolt.Bucket, name, key, payload []byte) error {
	fresh := b.Get(key) == nil
	if err := b.Put(key, frame(name, key, payload)); err != nil {
		return err
	}
	if !fresh {
		return nil
	}
	return b.SetSequence(b.Sequence() + 1)
}

func drop(b *bolt.Bucket, key []byte) error {
	if b.Get(key) == nil {
		return nil
	}
	if err := b.Delete(key); err != nil {
		return err
	}
	return b.SetSequence(b.Sequence() - 1)
}
