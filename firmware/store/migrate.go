package store

import (
	"encoding/binary"

	bolt "go.etcd.io/bbolt"

	"swipewell/firmware/pos"
)

// oldest is the oldest schema that is brought up to date.
const oldest uint32 = 1

// Schemas are the oldest and the newest layout that this build reads.
func Schemas() (lo, hi uint32) { return oldest, Schema }

// readable tells whether this build can open a file of that schema.
func readable(schema uint32) bool { return schema >= oldest && schema <= Schema }

// migrate brings a file of an older schema up to date, in one transaction: a
// cut leaves the old one whole.
//
// 1 → 2: the outbox has four classes instead of one. Rows need no change: a
// record of schema 1 names no class and stands in the bucket of reversals.
//
// 2 → 3: rooms of plain rows. They are empty: whoever reads them knows what that
// means.
//
// 3 → 4: one more of them, for tables of chip cards.
func migrate(db *bolt.DB, may func(have uint32) bool) error {
	have := Schema
	if err := db.View(func(tx *bolt.Tx) error { have, _ = metaSchema(tx); return nil }); err != nil || have == Schema {
		return err
	}
	if may != nil && readable(have) && !may(have) {
		return &WaitsError{Have: have, Want: Schema}
	}
	return db.Update(func(tx *bolt.Tx) error {
		if have == 1 {
			for _, c := range pos.Classes {
				if _, err := tx.CreateBucketIfNotExists(classBucket(c)); err != nil {
					return err
				}
			}
		}
		for _, name := range roomNames {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return put(tx.Bucket(metaBucket), metaBucket, schemaKey, binary.BigEndian.AppendUint32(nil, Schema))
	})
}
