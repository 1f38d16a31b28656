// Package softkeys is a hal.KeyStore in a file. It stands where a certified
// device has a secure element: the same calls, the same rule that key bytes do
// not come out, but on a plain Linux machine whoever reads the file has the
// keys. So a board without bench = true or a tamper line may not open it.
//
// Sources:
//   - HOST: firmware/doc/wire.md §1.6 (check values)
//   - SP800-67, SP800-38D: NIST, Triple DES; Galois/Counter Mode
//   - TR31: ANSI X9.143, key usage and mode of use
//   - X9.24: ANSI X9.24-1:2009, -3:2017, DUKPT
//   - PTS: PCI PTS POI, what a real one must do
package softkeys

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"sync"

	"swipewell/firmware/keys/dukpt"
	"swipewell/firmware/keys/key"
	"swipewell/hal"
)

// Errors of opening.
var (
	ErrNotAllowed = errors.New("softkeys: only on a board with bench = true or a tamper line")
	ErrDamaged    = errors.New("softkeys: the key file is damaged")
	ErrOtherTMK   = errors.New("softkeys: the file holds another master key")
)

// Opts of Open.
type Opts struct {
	Path         string
	Bench        bool      // the board says bench = true
	TamperFitted bool      // a tamper line protects the file
	Rand         io.Reader // nil: crypto/rand
}

// Store is a KeyStore.
type Store struct {
	path string
	rand io.Reader
	mu   sync.Mutex
	ring                        // as on disk
	tx   *dukpt.Transaction     // in force, nil before NextDUKPT
	pins int                    // PIN blocks made under tx
	part map[hal.KeySlot][]part // components that wait for the others
}

// ring is all that is kept.
type ring struct {
	keys   map[hal.KeySlot]key.Key
	dukpt  *dukpt.State // nil: none
	spent  []string     // scheme and ID of every initial key there ever was: its numbers must not come again
	erased bool
}

// with is a ring with keys of its own to change; the bytes are shared.
func (r ring) with() ring {
	r.keys = maps.Clone(r.keys)
	return r
}

// Open opens the key file, or makes one without a master key.
func Open(o Opts) (*Store, error) {
	if !o.Bench && !o.TamperFitted {
		return nil, ErrNotAllowed
	}
	s := &Store{path: o.Path, rand: o.Rand, part: map[hal.KeySlot][]part{}}
	if s.rand == nil {
		s.rand = rand.Reader
	}
	var err error
	if s.ring, err = load(s.path); err != nil || s.erased {
		return s, err
	}
	return s, s.makeOwn()
}

// Provision puts a terminal master key of 16 bytes into the file, as the bench
// and the factory do. It refuses to replace another.
func Provision(path string, tmk []byte) error {
	s, err := Open(Opts{Path: path, Bench: true})
	if err != nil {
		return err
	}
	if s.erased {
		return hal.ErrTampered
	}
	k, err := key.New(hal.AlgTDES2, append([]byte(nil), tmk...))
	if err != nil {
		return err
	}
	if old, ok := s.keys[hal.SlotTMK]; ok {
		if !old.Same(k) {
			return ErrOtherTMK
		}
		return nil
	}
	next := s.with()
	next.keys[hal.SlotTMK] = k
	return s.take(next)
}

// makeOwn makes the keys that never leave: the seal and the CardRef key.
func (s *Store) makeOwn() error {
	next := s.with()
	for _, slot := range []hal.KeySlot{hal.SlotSeal, hal.SlotCardRef} {
		if _, ok := next.keys[slot]; ok {
			continue
		}
		b := make([]byte, 32)
		if _, err := io.ReadFull(s.rand, b); err != nil {
			return fmt.Errorf("softkeys: %w", err)
		}
		k, err := key.New(hal.AlgAES, b)
		if err != nil {
			return err
		}
		next.keys[slot] = k
	}
	if len(next.keys) == len(s.keys) {
		return nil
	}
	return s.take(next)
}

// take makes next what is on disk and in force, and wipes the keys that it
// replaced or dropped.
func (s *Store) take(next ring) error {
	if err := save(s.path, next); err != nil {
		return err
	}
	for slot, old := range s.keys {
		if now, ok := next.keys[slot]; !ok || !now.Same(old) {
			old.Wipe()
		}
	}
	s.ring = next
	return nil
}

func (s *Store) String() string { return "softkeys (" + s.path + ")" }

// Halt has nothing to stop.
func (s *Store) Halt() error { return nil }

// Has tells whether a slot holds a key, and its check value.
func (s *Store) Has(slot hal.KeySlot) (kcv [4]byte, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slot == hal.SlotDUKPT {
		return kcv, s.dukpt != nil
	}
	k, ok := s.keys[slot]
	return k.KCV(), ok
}

// lock is the begin of every call that needs the keys: unlock it, whatever err is.
func (s *Store) lock() (err error) {
	s.mu.Lock()
	if s.erased {
		return hal.ErrTampered
	}
	return nil
}

// Forget drops keys, durably.
func (s *Store) Forget(slots ...hal.KeySlot) error {
	err := s.lock()
	defer s.mu.Unlock()
	if err != nil {
		return err
	}
	next := s.with()
	for _, slot := range slots {
		delete(next.keys, slot)
		if slot == hal.SlotDUKPT {
			next.dukpt = nil
		}
	}
	was := s.dukpt
	if err := s.take(next); err != nil {
		return err
	}
	if was != nil && next.dukpt == nil {
		was.Wipe()
		s.endTransaction()
	}
	return nil
}

// Erase overwrites the file, and leaves one that says why there are no keys. Flash
// may keep old pages behind a write; only a real element is sure of its memory.
func (s *Store) Erase() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.keys {
		k.Wipe()
	}
	if s.dukpt != nil {
		s.dukpt.Wipe()
	}
	s.endTransaction()
	for slot := range s.part {
		s.dropParts(slot)
	}
	s.ring = ring{erased: true}
	return errors.Join(overwrite(s.path), save(s.path, s.ring))
}

func (s *Store) endTransaction() {
	if s.tx != nil {
		s.tx.Wipe()
	}
	s.tx, s.pins = nil, 0
}
