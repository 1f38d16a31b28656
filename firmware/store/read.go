package store

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	bolt "go.etcd.io/bbolt"

	"swipewell/firmware/pos"
)

// RecordRow is a record of the outbox with its card as Sealer left it.
type RecordRow struct {
	pos.Record
	Sealed []byte
	Image  []byte // sealed to the acquirer; nil if there was no key for it
}

// BatchID names a batch.
type BatchID struct {
	Context string
	Batch   pos.BatchNo
}

// Counts is how much the store holds.
type Counts struct {
	Sales      int // rows of all batches
	Armed      int // 0 or 1
	Queued     int
	Refused    int
	Unresolved int
}

// ID is the id of this store, made at its creation.
func (s *Store) ID() string { return s.id }

// State is what the last commit with a State wrote; nil if there was none.
func (s *Store) State() (state []byte, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		v := tx.Bucket(stateBucket).Get(stateKey)
		if v == nil {
			return nil
		}
		p, err := unframe(stateBucket, stateKey, v)
		state = bytes.Clone(p)
		return err
	})
	return state, err
}

// Records is the outbox: by class, and in each in the order of the intents.
func (s *Store) Records() (rows []RecordRow, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		return eachRecord(tx, func(r RecordRow) error {
			rows = append(rows, r)
			return nil
		})
	})
	slices.SortStableFunc(rows, func(a, b RecordRow) int {
		return cmp.Or(cmp.Compare(a.Class, b.Class), cmp.Compare(a.At.Logical, b.At.Logical))
	})
	return rows, err
}

func eachRecord(tx *bolt.Tx, fn func(RecordRow) error) error {
	for _, c := range pos.Classes {
		b := tx.Bucket(classBucket(c))
		if b == nil {
			return damaged("no outbox for class %v", c)
		}
		err := b.ForEach(func(k, v []byte) error {
			r, err := decodeRecord(c, k, v)
			if err != nil {
				return err
			}
			return fn(r)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Sealed is the sealed card of a record; ErrNotFound if it is not there.
func (s *Store) Sealed(key RecordKey) (sealed []byte, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		b, k := tx.Bucket(classBucket(key.Class)), recordKey(key.ID)
		if b == nil || b.Get(k) == nil {
			return fmt.Errorf("%w: %v %v", ErrNotFound, key.Class, key.ID)
		}
		r, err := decodeRecord(key.Class, k, b.Get(k))
		sealed = r.Sealed
		return err
	})
	return sealed, err
}

// SealedSale is the sealed card of a row of a batch, empty if the row has none;
// ErrNotFound if it is not there.
func (s *Store) SealedSale(id pos.RecordID) (sealed []byte, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		row, err := saleOf(tx, id)
		sealed = row.Sealed
		return err
	})
	return sealed, err
}

func saleOf(tx *bolt.Tx, id pos.RecordID) (saleRow, error) {
	name := batchBucket(id.Context, id.Batch)
	if b := tx.Bucket(name); b != nil {
		if key := findRow(b, id.STAN); key != nil {
			return decodeSale(name, key, b.Get(key))
		}
	}
	return saleRow{}, fmt.Errorf("%w: sale %v", ErrNotFound, id)
}

// Sale is one row of a batch; ErrNotFound if it is not there.
func (s *Store) Sale(id pos.RecordID) (row pos.Sale, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		r, err := saleOf(tx, id)
		row = r.Sale
		return err
	})
	return row, err
}

// salesChunk is how many rows one read transaction fetches: a transaction that
// stays open makes the file grow without end (DESIGN §6).
const salesChunk = 256

// Sales calls fn for each row of a batch, in the order of their numbers, until
// fn returns an error. No transaction is open while fn runs, so fn may commit.
func (s *Store) Sales(id BatchID, fn func(pos.Sale) error) error { return s.SalesAfter(id, 0, fn) }

// SalesAfter is Sales from behind the row of a number on; 0, or a number that has
// no row: from the first.
func (s *Store) SalesAfter(id BatchID, after pos.STAN, fn func(pos.Sale) error) error {
	name := batchBucket(id.Context, id.Batch)
	var at []byte
	if after != 0 {
		if err := s.view(func(tx *bolt.Tx) error {
			if b := tx.Bucket(name); b != nil {
				at = findRow(b, after)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	for {
		rows := make([]pos.Sale, 0, salesChunk)
		err := s.view(func(tx *bolt.Tx) error {
			b := tx.Bucket(name)
			if b == nil {
				return nil
			}
			c := b.Cursor()
			k, v := c.Seek(at)
			if at != nil && bytes.Equal(k, at) {
				k, v = c.Next()
			}
			for ; k != nil && len(rows) < salesChunk; k, v = c.Next() {
				row, err := decodeSale(name, k, v)
				if err != nil {
					return err
				}
				rows, at = append(rows, row.Sale), bytes.Clone(k)
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := fn(r); err != nil {
				return err
			}
		}
		if len(rows) < salesChunk {
			return nil
		}
	}
}

// Recent calls fn for the youngest rows of a batch, youngest first, at most n,
// until fn returns false.
func (s *Store) Recent(id BatchID, n int, fn func(pos.Sale) bool) error {
	name := batchBucket(id.Context, id.Batch)
	return s.view(func(tx *bolt.Tx) error {
		b := tx.Bucket(name)
		if b == nil {
			return nil
		}
		c := b.Cursor()
		for k, v := c.Last(); k != nil && n > 0; k, v = c.Prev() {
			n--
			row, err := decodeSale(name, k, v)
			if err != nil {
				return err
			}
			if !fn(row.Sale) {
				return nil
			}
		}
		return nil
	})
}

// Batches lists the batches that have rows.
func (s *Store) Batches() (ids []BatchID, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		return eachBatch(tx, func(id BatchID, _ []byte, _ *bolt.Bucket) error {
			ids = append(ids, id)
			return nil
		})
	})
	return ids, err
}

func eachBatch(tx *bolt.Tx, fn func(id BatchID, name []byte, b *bolt.Bucket) error) error {
	return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
		rest, ok := bytes.CutPrefix(name, batchPrefix)
		if !ok {
			return nil
		}
		ctx, no, ok := strings.Cut(string(rest), "/")
		n, err := strconv.ParseUint(no, 10, 32)
		if !ok || err != nil || b == nil {
			return damaged("a batch named %q", name)
		}
		return fn(BatchID{ctx, pos.BatchNo(n)}, name, b)
	})
}

// LastSale is the youngest row of all batches, by the time of its intent; ok is
// false if there is none.
func (s *Store) LastSale() (row pos.Sale, ok bool, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		return eachBatch(tx, func(_ BatchID, name []byte, b *bolt.Bucket) error {
			k, v := b.Cursor().Last()
			if k == nil {
				return nil
			}
			r, err := decodeSale(name, k, v)
			if err == nil && (!ok || r.At.Logical >= row.At.Logical) {
				row, ok = r.Sale, true
			}
			return err
		})
	})
	return row, ok, err
}

// Counts needs no scan: each bucket's sequence is the number of its keys.
func (s *Store) Counts() (c Counts, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		return eachBatch(tx, func(_ BatchID, _ []byte, b *bolt.Bucket) error {
			c.Sales += int(b.Sequence())
			return nil
		})
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range s.outbox {
		switch st {
		case pos.RecordArmed:
			c.Armed++
		case pos.RecordRefused:
			c.Refused++
		case pos.RecordUnresolved:
			c.Unresolved++
		default:
			c.Queued++
		}
	}
	return c, err
}

// Stats is how many commits this process made and how many bytes bbolt wrote
// for them: whole pages, the freelist and one meta page each.
func (s *Store) Stats() (commits, bytesWritten uint64) { return s.commits.Load(), s.written.Load() }

// view runs a short read transaction. fn must copy what it keeps.
func (s *Store) view(fn func(tx *bolt.Tx) error) (err error) {
	defer recoverDamage(&err)()
	if err := s.db.View(fn); err != nil {
		return classify(err)
	}
	return nil
}

// metaSchema is read alone by the judge before anything else is trusted.
func metaSchema(tx *bolt.Tx) (uint32, bool) {
	b := tx.Bucket(metaBucket)
	if b == nil {
		return 0, false
	}
	v, err := unframe(metaBucket, schemaKey, b.Get(schemaKey))
	if err != nil || len(v) != 4 {
		return 0, false
	}
	return binary.BigEndian.Uint32(v), true
}
