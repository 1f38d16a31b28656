package store

import (
	"bytes"

	bolt "go.etcd.io/bbolt"

	"swipewell/firmware/pos"
)

// Check examines the whole store: bbolt's own structure, and ours (checkTx).
// Commits wait until it is done.
func (s *Store) Check() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.view(checkTx)
}

// checkTx: every bucket is known and holds as many keys as its sequence says;
// every value fits its checksum, decodes, and stands under its own id; no card
// is unsealed; at most one record is armed; a state exists as soon as
// anything else does.
func checkTx(tx *bolt.Tx) error {
	if _, err := readMeta(tx); err != nil {
		return err
	}
	var first error
	for err := range tx.Check() { // the channel must be drained
		if first == nil {
			first = damaged("bbolt: %v", err)
		}
	}
	if first != nil {
		return first
	}
	state, rows, armed := false, 0, 0
	err := tx.ForEach(func(name []byte, b *bolt.Bucket) error {
		n := uint64(0)
		class, outbox := classOf(name)
		err := b.ForEach(func(k, v []byte) error {
			n++
			switch {
			case v == nil:
				return damaged("%s: a bucket inside", name)
			case bytes.Equal(name, metaBucket):
				_, err := unframe(name, k, v)
				return err
			case bytes.Equal(name, stateBucket):
				state = bytes.Equal(k, stateKey)
				_, err := unframe(name, k, v)
				return err
			case outbox:
				rows++
				r, err := decodeRecord(class, k, v)
				if err != nil {
					return err
				}
				if len(r.Sealed) == 0 && !r.Card.IsZero() {
					return damaged("%v %v: no sealed card", class, r.RecordID)
				}
				if r.State == pos.RecordArmed {
					armed++
				}
				return nil
			case isRoom(name):
				_, err := unframe(name, k, v)
				return err
			case bytes.HasPrefix(name, batchPrefix):
				rows++
				_, err := decodeSale(name, k, v)
				return err
			}
			return damaged("an unknown bucket %q", name)
		})
		if err != nil {
			return err
		}
		if n != b.Sequence() {
			return damaged("%s: %d rows where %d were written", name, n, b.Sequence())
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case tx.Bucket(stateBucket) == nil:
		return damaged("a bucket is gone")
	case armed > 1:
		return damaged("%d armed records", armed)
	case rows > 0 && !state:
		return damaged("rows and no state")
	}
	for _, c := range pos.Classes {
		if v, _ := metaSchema(tx); v == 1 && c != pos.ClassReversal {
			continue
		}
		if tx.Bucket(classBucket(c)) == nil {
			return damaged("the outbox of class %v is gone", c)
		}
	}
	v, _ := metaSchema(tx)
	for _, name := range roomsOf(v) {
		if tx.Bucket(name) == nil {
			return damaged("the bucket %s is gone", name)
		}
	}
	// A bucket that lost its last row, or a batch that ends without one, shows
	// in the sequence above; a STAN twice in a batch shows here.
	return eachBatch(tx, uniqueSTANs)
}

// uniqueSTANs: a number stands in one epoch of its batch only. Keys are sorted,
// so two epochs are merged by looking each row of a later one up.
func uniqueSTANs(id BatchID, _ []byte, b *bolt.Bucket) error {
	first, _ := b.Cursor().First()
	if first == nil {
		return damaged("batch %v: empty", id)
	}
	c := b.Cursor()
	for k, _ := c.Seek([]byte{first[0] + 1}); k != nil; k, _ = c.Next() {
		for e := first[0]; e < k[0]; e++ {
			if b.Get(rowKey(e, rowSTAN(k))) != nil {
				return damaged("batch %v: STAN %v twice", id, rowSTAN(k))
			}
		}
	}
	return nil
}
