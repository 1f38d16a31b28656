// Package updatesim is a terminal with two slots in memory and a bundle made for
// it, for the tests of whoever carries bundles: flash frames, YMODEM, SMP. The
// slots, the record and the checks are firmware/update's own; what a power cut
// leaves on a disk is in update's own tests.
package updatesim

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"

	"swipewell/firmware/update"
	"swipewell/firmware/update/bundle"
)

const (
	Product = "swipewell"
	Board   = "demo"
)

var schemas = bundle.Schemas{Lo: 1, Hi: 1}

// Memory is a medium that grows with what is written. Sync does nothing.
type Memory struct{ B []byte }

func (m *Memory) ReadAt(p []byte, off int64) (int, error) { return bytes.NewReader(m.B).ReadAt(p, off) }

func (m *Memory) WriteAt(p []byte, off int64) (int, error) {
	if end := int(off) + len(p); end > len(m.B) {
		m.B = append(m.B, make([]byte, end-len(m.B))...)
	}
	return copy(m.B[off:], p), nil
}

func (m *Memory) Sync() error { return nil }

// key signs every bundle; it is a test's, by its seed.
func key() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32)) }

// Bundle is image as build 2 for board, signed by the key that Device takes; a
// device that runs one of the bases can take it as a delta.
func Bundle(image []byte, board string, bases ...[]byte) (*bundle.Bundle, error) {
	return Make(image, bundle.Opts{Board: board, Version: bundle.Version{Major: 2}, Bases: bases})
}

// Make is a bundle of the simulated product, signed; o says the rest. Without a
// board it is for Device.
func Make(image []byte, o bundle.Opts) (*bundle.Bundle, error) {
	o.Product, o.Board, o.Schemas = Product, cmp.Or(o.Board, Board), schemas
	b, err := bundle.Make(image, o)
	if err != nil {
		return nil, err
	}
	b.Sign(key())
	return b, nil
}

// Device runs build 1, old, from slot A; slot B is empty. Each slot holds size
// bytes; clear, which may be nil, is [update.Opts]'s Clear.
func Device(old []byte, size int64, clear func() error) (*update.Device, error) {
	s, err := New(old, size, clear)
	if err != nil {
		return nil, err
	}
	return s.Device(update.A), nil
}

// Slots are what a terminal keeps when it starts again: its boot record and both
// slots.
type Slots struct {
	port  update.Plain
	media [2]*Memory
	size  int64
	clear func() error
}

// New is a terminal as [Device] has it, before its first start.
func New(old []byte, size int64, clear func() error) (*Slots, error) {
	s := &Slots{port: update.Plain{Copies: [2]update.Medium{&Memory{}, &Memory{}}, Kept: &Memory{}}, media: [2]*Memory{{old}, {}}, size: size, clear: clear}
	return s, s.port.Save(update.First(update.Image{Version: bundle.Version{Major: 1}, Size: int64(len(old)), Sum: sha256.Sum256(old), Schemas: schemas}))
}

// Rot turns a bit over in a slot.
func (s *Slots) Rot(slot update.Slot, at int) { s.media[slot].B[at] ^= 1 }

// Boot does what a loader does, and says which slot it starts.
func (s *Slots) Boot() (update.Slot, error) {
	r, err := s.port.Load()
	if err != nil {
		return update.None, err
	}
	slot, r := r.Boot()
	return slot, s.port.Save(r)
}

// Device is the terminal while it runs a slot.
func (s *Slots) Device(running update.Slot) *update.Device {
	pub, _ := key().Public().(ed25519.PublicKey)
	return update.New(update.Opts{Product: Product, Board: Board, Keys: bundle.Keyring{Production: []ed25519.PublicKey{pub}}, Port: s.port,
		Slots: [2]update.Medium{s.media[0], s.media[1]}, SlotSize: s.size, Running: running, Schema: func() int { return 1 }, Clear: s.clear})
}
