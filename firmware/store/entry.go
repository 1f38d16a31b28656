package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"

	bolt "go.etcd.io/bbolt"
)

// seqKey counts the money commits, so that a log beside the file can be laid
// against it.
var seqKey = []byte("seq")

// Entry is one commit as the side log keeps it: the values that it writes, byte
// for byte as the file holds them (a card stays sealed, a checksum stays on).
type Entry struct {
	Seq   uint64 // of money commits; an aside has that of the last one
	TxID  uint64 // of bbolt's transaction
	Aside bool   // nothing of money: it need not be on the flash before the file
	Ops   []Op
}

// Op writes one value; with no Value it deletes, with no Key it drops the bucket.
type Op struct {
	Bucket, Key, Value []byte
}

// SideLog is told each commit before the file is. An error fails the commit.
type SideLog interface {
	// Append keeps an entry; on the flash when it returns, save for an aside.
	Append(Entry) error
	// Reserve makes sure that the next few entries fit; see [Store.Room].
	Reserve() error
}

// SetLog hands every later commit to l first.
func (s *Store) SetLog(l SideLog) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.Log = l
}

// Seq is the number of the last money commit.
func (s *Store) Seq() (n uint64, err error) {
	err = s.view(func(tx *bolt.Tx) error { n, err = readSeq(tx); return err })
	return n, err
}

func readSeq(tx *bolt.Tx) (uint64, error) {
	v := tx.Bucket(metaBucket).Get(seqKey)
	if v == nil {
		return 0, nil // of a build before there was a log
	}
	p, err := unframe(metaBucket, seqKey, v)
	if err == nil && len(p) != 8 {
		err = damaged("a sequence of %d bytes", len(p))
	}
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(p), nil
}

func putSeq(tx *bolt.Tx, n uint64) error {
	return put(tx.Bucket(metaBucket), metaBucket, seqKey, binary.BigEndian.AppendUint64(nil, n))
}

// log numbers a commit that tx holds and hands it to the side log; renamed are the
// keys that a rename wrote.
func (s *Store) log(tx *bolt.Tx, c Change, renamed []Op) error {
	if s.opts.Log == nil {
		return nil
	}
	n, err := readSeq(tx)
	if err != nil {
		return err
	}
	if !c.Aside {
		n++
		if err := putSeq(tx, n); err != nil {
			return err
		}
	}
	e := Entry{Seq: n, TxID: uint64(tx.ID()), Aside: c.Aside}
	add := func(bucket, key []byte) {
		op := Op{Bucket: bucket, Key: key}
		if b := tx.Bucket(bucket); b != nil {
			op.Value = bytes.Clone(b.Get(key))
		}
		e.Ops = append(e.Ops, op)
	}
	if c.State != nil {
		add(stateBucket, stateKey)
	}
	for _, r := range c.PutRecord {
		add(classBucket(r.Class), recordKey(r.RecordID))
	}
	for _, im := range c.PutImage {
		add(classBucket(im.Key.Class), recordKey(im.Key.ID))
	}
	for _, k := range c.DropRecord {
		add(classBucket(k.Class), recordKey(k.ID))
	}
	for _, r := range c.PutSale {
		name := batchBucket(r.Context, r.Batch)
		if b := tx.Bucket(name); b != nil { // not settled by this very commit
			add(name, findRow(b, r.STAN))
		}
	}
	for _, r := range c.Rows {
		add(roomNames[r.Room], r.Key)
	}
	for _, op := range renamed {
		add(op.Bucket, op.Key)
	}
	if c.CloseBatch != nil {
		e.Ops = append(e.Ops, Op{Bucket: batchBucket(c.CloseBatch.Context, c.CloseBatch.Batch)})
	}
	if err := s.opts.Log.Append(e); err != nil {
		return fmt.Errorf("side log: %w", err)
	}
	return nil
}

// Apply redoes entries in one transaction, for a restore. Each value must fit
// its checksum and stand in a bucket that a store has.
func (s *Store) Apply(entries []Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return classify(s.db.Update(func(tx *bolt.Tx) error {
		for _, e := range entries {
			for _, op := range e.Ops {
				if err := redo(tx, op); err != nil {
					return err
				}
			}
			if err := putSeq(tx, e.Seq); err != nil {
				return err
			}
		}
		return nil
	}))
}

func redo(tx *bolt.Tx, op Op) error {
	b := tx.Bucket(op.Bucket)
	if op.Key == nil {
		if b == nil || !bytes.HasPrefix(op.Bucket, batchPrefix) {
			return nil
		}
		return tx.DeleteBucket(op.Bucket)
	}
	if op.Value == nil {
		if b == nil {
			return nil
		}
		return drop(b, op.Key)
	}
	p, err := unframe(op.Bucket, op.Key, op.Value)
	if err != nil {
		return err
	}
	if b == nil {
		if !bytes.HasPrefix(op.Bucket, batchPrefix) {
			return damaged("an unknown bucket %q", op.Bucket)
		}
		if b, err = tx.CreateBucket(op.Bucket); err != nil {
			return err
		}
	}
	return put(b, op.Bucket, op.Key, p)
}

// Copy writes the file as it is now to w; switched is called before the next
// commit can be. Commits wait, so that no reading transaction is held over
// writes (DESIGN §6). It returns the number of the last money commit in it.
func (s *Store) Copy(w io.Writer, switched func() error) (seq uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// bbolt gives the copy its newer meta page at page 0, where only an even
	// transaction stands; see readHeader.
	if s.lastTx()%2 == 1 {
		if err := s.db.Update(func(*bolt.Tx) error { return nil }); err != nil {
			s.failed = classify(err)
			return 0, s.failed
		}
	}
	err = s.view(func(tx *bolt.Tx) error {
		if seq, err = readSeq(tx); err != nil {
			return err
		}
		_, err := tx.WriteTo(w)
		return err
	})
	if err == nil && switched != nil {
		err = switched()
	}
	return seq, err
}

func (s *Store) lastTx() (n int) {
	s.db.View(func(tx *bolt.Tx) error { n = tx.ID(); return nil })
	return n
}

// LastTx is the number of the last transaction of a store's file, from its
// first two pages alone; ok is false if they do not tell.
func LastTx(path string) (txid uint64, ok bool) {
	f, err := os.Open(path)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	h, err := readHeader(f)
	return h.txid, err == nil
}
