package store

import (
	"bytes"
	"encoding/binary"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// Room is a bucket of plain rows: the store keeps them in the commit of the
// money and does not look into them.
type Room uint8

const (
	Velocity Room = iota // what is remembered of a card, by its key
	History              // what happened at the desk, by number
	Orders               // what an order reference has paid
	Care                 // what the pages beside selling keep
	Tables               // keys and applications for chip cards that were downloaded
	rooms
)

var roomNames = [rooms][]byte{[]byte("velocity"), []byte("history"), []byte("orders"), []byte("care"), []byte("tables")}

// roomsOf are the rooms that a file of a schema has.
func roomsOf(schema uint32) [][]byte {
	switch {
	case schema < 3:
		return nil
	case schema == 3:
		return roomNames[:Tables]
	}
	return roomNames[:]
}

func (r Room) String() string {
	if r < rooms {
		return string(roomNames[r])
	}
	return "?"
}

// Row is one plain row; with a nil Value it is removed.
type Row struct {
	Room       Room
	Key, Value []byte
}

// maxRow bounds a plain row.
const maxRow = 64 << 10

func (r Row) check() error {
	if r.Room >= rooms || len(r.Key) == 0 || len(r.Key) > 64 || len(r.Value) > maxRow {
		return fmt.Errorf("%w: a row %q of %d and %d bytes", ErrInvariant, r.Room, len(r.Key), len(r.Value))
	}
	return nil
}

// isRoom tells whether a bucket is one of plain rows.
func isRoom(name []byte) bool {
	for _, n := range roomNames {
		if bytes.Equal(n, name) {
			return true
		}
	}
	return false
}

func putRow(tx *bolt.Tx, r Row) error {
	name := roomNames[r.Room]
	b := tx.Bucket(name)
	if b == nil {
		return damaged("the bucket %s is gone", name)
	}
	if r.Value == nil {
		return drop(b, r.Key)
	}
	return put(b, name, r.Key, r.Value)
}

// Rows calls fn for each row of a room in the order of their keys, from behind
// the key after on (nil: from the first), until fn fails. No transaction is open
// while fn runs.
func (s *Store) Rows(r Room, after []byte, fn func(key, value []byte) error) error {
	for {
		keys, values := make([][]byte, 0, salesChunk), make([][]byte, 0, salesChunk)
		err := s.view(func(tx *bolt.Tx) error {
			b := tx.Bucket(roomNames[r])
			if b == nil {
				return damaged("the bucket %s is gone", roomNames[r])
			}
			c := b.Cursor()
			k, v := c.Seek(after)
			if after != nil && bytes.Equal(k, after) {
				k, v = c.Next()
			}
			for ; k != nil && len(keys) < salesChunk; k, v = c.Next() {
				p, err := unframe(roomNames[r], k, v)
				if err != nil {
					return err
				}
				keys, values = append(keys, bytes.Clone(k)), append(values, bytes.Clone(p))
			}
			return nil
		})
		if err != nil {
			return err
		}
		for i := range keys {
			if err := fn(keys[i], values[i]); err != nil {
				return err
			}
		}
		if len(keys) < salesChunk {
			return nil
		}
		after = keys[len(keys)-1]
	}
}

// Get is one row; ErrNotFound if it is not there.
func (s *Store) Get(r Room, key []byte) (value []byte, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		b := tx.Bucket(roomNames[r])
		if b == nil || b.Get(key) == nil {
			return fmt.Errorf("%w: %v %q", ErrNotFound, r, key)
		}
		p, err := unframe(roomNames[r], key, b.Get(key))
		value = bytes.Clone(p)
		return err
	})
	return value, err
}

// MaxHistory is how many events are kept: a month of a busy shop.
const MaxHistory = 40_000

// NumberKey is the key of a numbered row.
func NumberKey(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// LastNumber is the highest number of a room of numbered rows; 0 if it is empty.
func (s *Store) LastNumber(r Room) (n uint64, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		b := tx.Bucket(roomNames[r])
		if b == nil {
			return damaged("the bucket %s is gone", roomNames[r])
		}
		if k, _ := b.Cursor().Last(); len(k) == 8 {
			n = binary.BigEndian.Uint64(k)
		}
		return nil
	})
	return n, err
}
