// Package dukpt makes one key per transaction from an initial key that is then
// forgotten: a device that is opened tells nothing of the keys it used. The
// future keys, at most 21 (TDES) or 32 (AES), are the State; who keeps it must
// have the next one on flash before a key of this one is used.
//
// Sources:
//   - X9.24-1: ANSI X9.24-1:2009, Annex A: TDES DUKPT (vectors in A.4)
//   - X9.24-3: ANSI X9.24-3:2017, AES DUKPT (vectors in its supplement)
package dukpt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"swipewell/firmware/keys/key"
	"swipewell/hal"
)

// ErrState says that a kept state does not fit together. That a device has no
// key left, after 1,048,575 transactions with TDES, is hal.ErrExhausted: the
// world's answer, and a new initial key's turn.
var ErrState = errors.New("dukpt: not a state that was kept")

// Scheme is the kind of DUKPT. The values are kept on flash.
type Scheme uint8

const (
	TDES   Scheme = 1 // double-length TDES, a counter of 21 bits with at most 10 ones
	AES128 Scheme = 2 // AES-128, a counter of 32 bits with at most 16 ones
)

// rules of a scheme.
type rules struct {
	idLen   int // of the serial number without what only counts
	bits    int // of the counter, and so the number of future keys
	maxOnes int // a counter with more is skipped: it would cost the host as many steps
	alg     hal.KeyAlg
	derive  func(k key.Key, id []byte, counter uint32) (key.Key, error)
}

func (s Scheme) rules() (rules, bool) {
	switch s {
	case TDES:
		return rules{10, 21, 10, hal.AlgTDES2, deriveTDES}, true
	case AES128:
		return rules{8, 32, 16, hal.AlgAES, deriveAES}, true
	}
	return rules{}, false
}

// counterMask are the bits of a TDES serial number that count.
const counterMask = 1<<21 - 1

// State is the serial number and the future keys. Register i has the key of the
// next counter whose lowest one is bit i.
type State struct {
	scheme  Scheme
	id      []byte // TDES: the KSN with a counter of 0; AES: the initial key's ID
	counter uint32 // of the next transaction; 0: exhausted
	regs    []key.Key
}

// New loads an initial key. serial is the KSN that came with it: 10 bytes for
// TDES, whose counter must be 0, and 8 (the ID) or 12 for AES. The key is the
// caller's to wipe.
func New(scheme Scheme, serial []byte, initial key.Key) (*State, error) {
	r, ok := scheme.rules()
	if !ok {
		return nil, fmt.Errorf("%w: scheme %d", ErrState, scheme)
	}
	id := serial
	if scheme == AES128 && len(serial) == 12 {
		if binary.BigEndian.Uint32(serial[8:]) != 0 {
			return nil, fmt.Errorf("%w: the serial number of an initial key has counted", ErrState)
		}
		id = serial[:8]
	}
	if len(id) != r.idLen || scheme == TDES && binary.BigEndian.Uint32(id[6:])&counterMask != 0 {
		return nil, fmt.Errorf("%w: a serial number of %d bytes, or one that has counted", ErrState, len(serial))
	}
	if initial.Alg() != r.alg || initial.Len() != 16 {
		return nil, hal.ErrKeyLength
	}
	s := &State{scheme: scheme, id: slices.Clone(id), counter: 1, regs: make([]key.Key, r.bits)}
	for i := range s.regs {
		var err error
		if s.regs[i], err = r.derive(initial, s.id, 1<<i); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Restore makes a state of what Scheme, ID, Counter and Registers gave. It takes
// over the keys; a register without a key is the zero Key.
func Restore(scheme Scheme, id []byte, counter uint32, regs []key.Key) (*State, error) {
	r, ok := scheme.rules()
	if !ok || len(id) != r.idLen || len(regs) != r.bits || bits.OnesCount32(counter) > r.maxOnes || uint64(counter) >= 1<<r.bits {
		return nil, ErrState
	}
	for i, k := range regs {
		// The register of the lowest one has the next key; those below are spent,
		// and above it those whose bit is one.
		low := bits.TrailingZeros32(counter)
		if want := counter != 0 && (i == low || i > low && counter>>i&1 == 0); k.IsZero() == want {
			return nil, fmt.Errorf("%w: register %d", ErrState, i)
		}
		if !k.IsZero() && (k.Alg() != r.alg || k.Len() != 16) {
			return nil, fmt.Errorf("%w: register %d", ErrState, i)
		}
	}
	return &State{scheme: scheme, id: slices.Clone(id), counter: counter, regs: slices.Clone(regs)}, nil
}

// Scheme of the state.
func (s *State) Scheme() Scheme { return s.scheme }

// ID is the serial number without its count: 10 bytes for TDES, 8 for AES.
func (s *State) ID() []byte { return slices.Clone(s.id) }

// Counter is that of the next transaction, 0 if there is none.
func (s *State) Counter() uint32 { return s.counter }

// Registers lends the future keys.
func (s *State) Registers() []key.Key { return slices.Clone(s.regs) }

// Wipe forgets the future keys.
func (s *State) Wipe() {
	for _, k := range s.regs {
		k.Wipe()
	}
	s.counter = 0
}

// KSN is the serial number with counter c.
func (s *State) ksn(c uint32) hal.KSN {
	if s.scheme == AES128 {
		return hal.KSN(binary.BigEndian.AppendUint32(slices.Clone(s.id), c))
	}
	return hal.KSN(tdesSerial(s.id, c))
}

// Next is the key of the next transaction. commit must have the state that it
// gets on flash before it returns; only then is the key handed out. If commit
// fails, nobody has the key, s is as before, and the same key may come again. A
// power cut after commit loses a number, and never uses one twice.
// hal.ErrExhausted: there is no key left.
func (s *State) Next(commit func(next *State) error) (*Transaction, error) {
	r, ok := s.scheme.rules()
	if !ok {
		return nil, ErrState
	}
	if s.counter == 0 {
		return nil, hal.ErrExhausted
	}
	c, low := s.counter, bits.TrailingZeros32(s.counter)
	own := s.regs[low]
	if own.IsZero() {
		return nil, fmt.Errorf("%w: no key for counter %d", ErrState, c)
	}
	next := &State{scheme: s.scheme, id: s.id, regs: slices.Clone(s.regs)}
	step := uint64(1) << low // past all counters that would have more ones
	if bits.OnesCount32(c) < r.maxOnes {
		step = 1
		for i := range low {
			k, err := r.derive(own, s.id, c|1<<i)
			if err != nil {
				return nil, err
			}
			next.regs[i] = k
		}
	}
	next.regs[low] = key.Key{}
	if n := uint64(c) + step; n < 1<<r.bits {
		next.counter = uint32(n)
	}
	if err := commit(next); err != nil {
		for i := range low {
			next.regs[i].Wipe()
		}
		return nil, fmt.Errorf("dukpt: %w", err)
	}
	t := &Transaction{KSN: s.ksn(c), scheme: s.scheme, key: own.Clone(), id: s.id, counter: c}
	own.Wipe()
	s.regs, s.counter = next.regs, next.counter
	return t, nil
}
