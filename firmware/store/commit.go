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
	// PutRecord writes or replaces records of the outbox. A record that is new
	// gets its card sealed in the same transaction; one that is there keeps the
	// sealed card it has.
	PutRecord []pos.Record
	// DropRecord removes records; one that is not there is no error.
	DropRecord []RecordKey
	// PutSale writes or replaces rows of a batch; a new row gets its card
	// sealed, if the sealer has it.
	PutSale []pos.Sale
	// Rows are plain rows of the rooms beside the money.
	Rows []Row
	// CloseBatch removes a batch that was settled, with all its rows.
	CloseBatch *BatchID
	// PutImage gives records that are there an image for recovery.
	PutImage []Image
	// Rename gives all cards their names of another generation; alone in its commit.
	Rename *Rename
	// Aside tells that nothing of money is in it, as "the slip is printed": the
	// side log need not have it on the flash first.
	Aside bool
}

// RecordKey names one record of the outbox.
type RecordKey struct {
	Class pos.Class
	ID    pos.RecordID
}

// Empty tells that there is nothing to write.
func (c Change) Empty() bool {
	return c.State == nil && c.CloseBatch == nil && c.Rename == nil && len(c.PutRecord)+len(c.DropRecord)+len(c.PutSale)+len(c.Rows)+len(c.PutImage) == 0
}

// Sealer seals PAN and expiry of a card that is in front of the device; aad
// binds the result to its record ([Store.AAD]).
type Sealer interface {
	Seal(card pos.CardRef, aad []byte) ([]byte, error)
	// Image seals a record of money, with its card, to the acquirer, for the day
	// on which the device's own keys are gone; nil where there is no key for it.
	Image(r pos.Record, aad []byte) ([]byte, error)
}

// Image is one for a record that has none, or one to an older key.
type Image struct {
	Key   RecordKey
	Image []byte
}

// Imaged tells whether records of a class are settled by people when all else is
// gone: those that move money.
func Imaged(c pos.Class) bool { return c == pos.ClassReversal || c == pos.ClassAdvice }

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
		var renamed []Op
		if renamed, refused = s.write(tx, c, sealer); refused != nil {
			return refused
		}
		return s.log(tx, c, renamed)
	})
	if refused != nil {
		return refused
	}
	if err != nil {
		s.failed = classify(err)
		return s.failed
	}
	s.follow(outbox)
	s.commits.Add(1)
	// Every allocated page is written once, and one meta page.
	st := last.Stats()
	s.written.Add(uint64(st.GetPageAlloc()) + uint64(s.db.Info().PageSize))
	return nil
}

// follow keeps the outbox's states in memory in step with the file.
func (s *Store) follow(next map[RecordKey]pos.RecordState) {
	for k, st := range next {
		if s.outbox[k] == pos.RecordArmed {
			s.armed--
		}
		if st == pos.RecordArmed {
			s.armed++
		}
		if st == "" {
			delete(s.outbox, k)
		} else {
			s.outbox[k] = st
		}
	}
}

// fault is what the bench wants this moment to fail with.
func (s *Store) fault() error {
	if s.opts.FaultFn == nil {
		return nil
	}
	return faults[s.opts.FaultFn()]
}

// plan is what c does to the outbox's states, or why c must not be written.
func (s *Store) plan(c Change) (next map[RecordKey]pos.RecordState, err error) {
	next = make(map[RecordKey]pos.RecordState, len(c.PutRecord)+len(c.DropRecord)) // "" = gone
	if c.Rename != nil {
		return next, c.Rename.check(c)
	}
	for _, r := range c.PutRecord {
		if why := badID(r.RecordID); why != "" {
			return nil, fmt.Errorf("%w: a record with %s", ErrInvariant, why)
		}
		if r.Class < pos.ClassReversal || r.Class > pos.ClassUpload {
			return nil, fmt.Errorf("%w: a record of class %d", ErrInvariant, r.Class)
		}
		if err := masked(r.Masked); err != nil {
			return nil, err
		}
		next[RecordKey{r.Class, r.RecordID}] = r.State
	}
	for _, k := range c.DropRecord {
		next[k] = ""
	}
	armed := s.armed
	for k, st := range next {
		if s.outbox[k] == pos.RecordArmed {
			armed--
		}
		if st == pos.RecordArmed {
			armed++
		}
	}
	if armed > 1 {
		return nil, fmt.Errorf("%w: %d armed records", ErrInvariant, armed)
	}
	for _, r := range c.PutSale {
		if why := badID(r.RecordID); why != "" {
			return nil, fmt.Errorf("%w: a row with %s", ErrInvariant, why)
		}
		if err := masked(r.Masked); err != nil {
			return nil, err
		}
	}
	for _, r := range c.Rows {
		if err := r.check(); err != nil {
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

func (s *Store) write(tx *bolt.Tx, c Change, sealer Sealer) (renamed []Op, err error) {
	if c.State != nil {
		if err := put(tx.Bucket(stateBucket), stateBucket, stateKey, c.State); err != nil {
			return nil, err
		}
	}
	for _, r := range c.PutRecord {
		if err := s.putRecord(tx, r, sealer); err != nil {
			return nil, err
		}
	}
	for _, im := range c.PutImage {
		if err := putImage(tx, im); err != nil {
			return nil, err
		}
	}
	for _, k := range c.DropRecord {
		if err := drop(tx.Bucket(classBucket(k.Class)), recordKey(k.ID)); err != nil {
			return nil, err
		}
	}
	for _, row := range c.PutSale {
		if err := s.putSale(tx, row, sealer); err != nil {
			return nil, err
		}
	}
	for _, r := range c.Rows {
		if err := putRow(tx, r); err != nil {
			return nil, err
		}
	}
	if c.CloseBatch != nil {
		name := batchBucket(c.CloseBatch.Context, c.CloseBatch.Batch)
		if tx.Bucket(name) != nil {
			return nil, tx.DeleteBucket(name)
		}
	}
	if c.Rename != nil {
		return s.rename(tx, c.Rename)
	}
	return nil, nil
}

func (s *Store) putRecord(tx *bolt.Tx, r pos.Record, sealer Sealer) error {
	key, name := recordKey(r.RecordID), classBucket(r.Class)
	b := tx.Bucket(name)
	row := outRow{Record: r}
	if v := b.Get(key); v != nil {
		old, err := decodeRecord(r.Class, key, v)
		if err != nil {
			return err
		}
		if old.Card != r.Card {
			return fmt.Errorf("%w: record %v changes its card", ErrInvariant, r.RecordID)
		}
		row.Sealed, row.Image = old.Sealed, old.Image
	} else if !r.Card.IsZero() {
		if sealer == nil {
			return fmt.Errorf("%w: a new record and no sealer", ErrInvariant)
		}
		sealed, err := sealer.Seal(r.Card, s.AAD(r.Class, r.RecordID))
		if err != nil {
			return fmt.Errorf("store: seal: %w", err)
		}
		if len(sealed) == 0 {
			return fmt.Errorf("%w: nothing sealed", ErrInvariant)
		}
		row.Sealed = sealed
		if Imaged(r.Class) {
			if row.Image, err = sealer.Image(r, s.AAD(r.Class, r.RecordID)); err != nil {
				return fmt.Errorf("store: seal for recovery: %w", err)
			}
		}
	}
	raw, err := json.Marshal(row)
	if err != nil {
		return err
	}
	return put(b, name, key, raw)
}

// putImage leaves all else of the record as it is.
func putImage(tx *bolt.Tx, im Image) error {
	key, name := recordKey(im.Key.ID), classBucket(im.Key.Class)
	b := tx.Bucket(name)
	if b == nil || b.Get(key) == nil {
		return fmt.Errorf("%w: an image for a record that is not there: %v", ErrInvariant, im.Key.ID)
	}
	r, err := decodeRecord(im.Key.Class, key, b.Get(key))
	if err != nil {
		return err
	}
	raw, err := json.Marshal(outRow{r.Record, r.Sealed, im.Image})
	if err != nil {
		return err
	}
	return put(b, name, key, raw)
}

// AAD is what binds the sealed card of a record to it: the store, the class
// and the record's key. A blob moved to another record does not open. Rows of
// the batch have class 0.
func (s *Store) AAD(c pos.Class, id pos.RecordID) []byte {
	a := append([]byte("swipewell/store/"+s.id+"/"), classBucket(c)...)
	return append(append(a, 0), recordKey(id)...)
}

func (s *Store) putSale(tx *bolt.Tx, sale pos.Sale, sealer Sealer) error {
	name := batchBucket(sale.Context, sale.Batch)
	b, err := tx.CreateBucketIfNotExists(name)
	if err != nil {
		return err
	}
	b.FillPercent = fill
	row := saleRow{Sale: sale}
	key := findRow(b, sale.STAN)
	if key == nil {
		last, _ := b.Cursor().Last()
		key = rowKey(epochOf(last, sale.STAN), sale.STAN)
		if sealer != nil && !sale.Card.IsZero() {
			if row.Sealed, err = sealer.Seal(sale.Card, s.AAD(0, sale.RecordID)); err != nil {
				return fmt.Errorf("store: seal: %w", err)
			}
		}
	} else {
		old, err := decodeSale(name, key, b.Get(key))
		if err != nil {
			return err
		}
		row.Sealed = old.Sealed
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
