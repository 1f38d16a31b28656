package journal

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// refDays is how long a key of card names lives: two sales further apart than
// that cannot be known to be of one card from the journal.
const refDays = 90

const refFile = "ref.key"

// refKey is the key of the names of cards, and when it was made by the wall clock.
type refKey struct {
	key  [32]byte
	made time.Time
}

// Ref makes a card's name in the journal from its keyed hash in the journal's
// scope: hashed again under a key that is wiped after 90 days, so that no device
// key, whoever gets it, leads from an old name to a number.
func (j *Journal) Ref(sum [32]byte) (r Ref) {
	if j == nil {
		return r
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	k, err := j.refKey()
	if err != nil {
		return r // no name is better than one that cannot be forgotten
	}
	m := hmac.New(sha256.New, k[:])
	m.Write(sum[:])
	copy(r[:], m.Sum(nil))
	return r
}

// refKey is the key in force; the caller holds mu.
func (j *Journal) refKey() (key [32]byte, err error) {
	now := j.o.Clock.Now().Wall
	if j.ref == nil {
		j.ref = readRefKey(filepath.Join(j.o.Dir, refFile))
	}
	if j.ref != nil && now.Sub(j.ref.made) < refDays*24*time.Hour && !now.Before(j.ref.made.Add(-24*time.Hour)) {
		return j.ref.key, nil
	}
	k := &refKey{made: now}
	rand.Read(k.key[:])
	if err := writeRefKey(filepath.Join(j.o.Dir, refFile), k); err != nil {
		return key, err
	}
	if j.ref != nil {
		clear(j.ref.key[:])
	}
	j.ref = k
	return k.key, nil
}

func readRefKey(path string) *refKey {
	b, err := os.ReadFile(path)
	if err != nil || len(b) != 40 {
		return nil
	}
	k := &refKey{made: time.Unix(int64(binary.BigEndian.Uint64(b)), 0)}
	copy(k.key[:], b[8:])
	clear(b)
	return k
}

// writeRefKey writes over the key that was, in place.
func writeRefKey(path string, k *refKey) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	b := append(binary.BigEndian.AppendUint64(nil, uint64(k.made.Unix())), k.key[:]...)
	_, err = f.WriteAt(b, 0)
	clear(b)
	return errors.Join(err, f.Sync(), f.Close())
}
