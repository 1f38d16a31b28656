package softkeys

import (
	"encoding/hex"
	"fmt"
	"slices"

	"swipewell/firmware/keys/dukpt"
	"swipewell/firmware/keys/key"
	"swipewell/firmware/keys/tr31"
	"swipewell/hal"
)

// part is a component that waits.
type part struct {
	number int
	key    key.Key
}

const maxParts = 3

func (s *Store) dropParts(slot hal.KeySlot) {
	for _, p := range s.part[slot] {
		p.key.Wipe()
	}
	delete(s.part, slot)
}

// DropComponents forgets the components of a slot.
func (s *Store) DropComponents(slot hal.KeySlot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropParts(slot)
}

// byHand are the slots that custodians fill.
func byHand(slot hal.KeySlot) bool { return slot == hal.SlotTMK || slot == hal.SlotKBPK }

// LoadComponent keeps one component in memory.
func (s *Store) LoadComponent(c hal.KeyComponent) (hal.KeyCheck, error) {
	defer c.Bytes.Wipe()
	err := s.lock()
	defer s.mu.Unlock()
	if err != nil {
		return hal.KeyCheck{}, err
	}
	if !byHand(c.Slot) || c.Part < 1 || c.Part > maxParts {
		return hal.KeyCheck{}, hal.ErrKeyUse
	}
	var k key.Key
	c.Bytes.Use(func(b []byte) { k, err = key.New(c.Alg, slices.Clone(b)) })
	if err == nil {
		err = k.Degenerate()
	}
	if err == nil && c.KCV != nil {
		err = k.Verify(c.KCV)
	}
	if err != nil {
		k.Wipe()
		return hal.KeyCheck{}, &hal.KeyError{Slot: c.Slot, Err: err}
	}
	own := slices.DeleteFunc(s.part[c.Slot], func(p part) bool {
		if p.number == c.Part {
			p.key.Wipe()
		}
		return p.number == c.Part
	})
	s.part[c.Slot] = append(own, part{c.Part, k})
	return hal.KeyCheck{KCV: k.KCV(), OddParity: k.OddParity()}, nil
}

// JoinComponents takes the XOR of the components, if kcv is its check value.
func (s *Store) JoinComponents(slot hal.KeySlot, kcv []byte) (hal.KeyCheck, error) {
	err := s.lock()
	defer s.mu.Unlock()
	if err != nil {
		return hal.KeyCheck{}, err
	}
	if !byHand(slot) {
		return hal.KeyCheck{}, hal.ErrKeyUse
	}
	parts := s.part[slot]
	all := make([]key.Key, len(parts))
	for _, p := range parts { // 1 and 3 without 2: somebody's component is missing
		if p.number > len(parts) {
			return hal.KeyCheck{}, fmt.Errorf("%w: component %d of %s", hal.ErrNoKey, len(parts), slot)
		}
		all[p.number-1] = p.key
	}
	if len(parts) < 2 {
		return hal.KeyCheck{}, fmt.Errorf("%w: components of %s", hal.ErrNoKey, slot)
	}
	k, err := key.Combine(all...)
	if err == nil && kcv != nil {
		err = k.Verify(kcv)
	}
	if err != nil {
		k.Wipe()
		s.dropParts(slot)
		return hal.KeyCheck{}, &hal.KeyError{Slot: slot, Err: err}
	}
	check := hal.KeyCheck{KCV: k.KCV(), OddParity: k.OddParity()}
	if kcv == nil {
		k.Wipe()
		return check, nil
	}
	if err := s.replace(slot, k); err != nil {
		k.Wipe()
		return hal.KeyCheck{}, err
	}
	s.dropParts(slot)
	return check, nil
}

// replace takes a key for a slot; under a new master key the session is over.
func (s *Store) replace(slot hal.KeySlot, k key.Key) error {
	next := s.with()
	next.keys[slot] = k
	if slot == hal.SlotTMK {
		for _, session := range []hal.KeySlot{hal.SlotPIK, hal.SlotMAK, hal.SlotTDK} {
			delete(next.keys, session)
		}
	}
	return s.take(next)
}

// Import decrypts each key under the master key, checks it, and takes all or none.
func (s *Store) Import(imports []hal.KeyImport) error {
	err := s.lock()
	defer s.mu.Unlock()
	if err != nil {
		return err
	}
	next := s.with()
	var fresh []key.Key
	for _, in := range imports {
		var k key.Key
		if k, err = s.unwrap(in); err != nil {
			err = &hal.KeyError{Slot: in.Slot, Err: err}
			break
		}
		next.keys[in.Slot], fresh = k, append(fresh, k)
	}
	if err == nil {
		err = s.take(next)
	}
	if err != nil {
		for _, k := range fresh {
			k.Wipe()
		}
	}
	return err
}

// unwrap decrypts one key, ECB. HOST §1.6.
func (s *Store) unwrap(in hal.KeyImport) (key.Key, error) {
	if in.Slot != hal.SlotPIK && in.Slot != hal.SlotMAK && in.Slot != hal.SlotTDK || in.Under != hal.SlotTMK {
		return key.Key{}, hal.ErrKeyUse
	}
	wrap, ok := s.keys[in.Under]
	if !ok {
		return key.Key{}, hal.ErrNoKey
	}
	if key.IsDES(in.Alg) != wrap.IsDES() || !wrap.IsDES() && in.Alg != wrap.Alg() {
		return key.Key{}, hal.ErrKeyUse
	}
	b, err := wrap.Block()
	if err != nil {
		return key.Key{}, err
	}
	n := b.BlockSize()
	if !key.LengthOK(in.Alg, len(in.Cryptogram)) || len(in.Cryptogram)%n != 0 {
		return key.Key{}, hal.ErrKeyLength
	}
	clearKey := make([]byte, len(in.Cryptogram))
	for i := 0; i < len(clearKey); i += n {
		b.Decrypt(clearKey[i:], in.Cryptogram[i:])
	}
	k, err := key.New(in.Alg, clearKey)
	if err != nil {
		return key.Key{}, err
	}
	if err = k.Verify(in.KCV); err == nil {
		err = k.Degenerate()
	}
	if err != nil {
		k.Wipe()
		return key.Key{}, err
	}
	return k, nil
}

// purposes: what a block must say to fill a slot. TR31 tables 2 and 4: the device
// must be able to do with the key all that it does with the slot.
var purposes = map[hal.KeySlot]struct {
	usage []string
	modes string
}{
	hal.SlotPIK:   {[]string{"P0"}, "BEN"},
	hal.SlotMAK:   {[]string{"M0", "M1", "M3", "M6"}, "CN"}, // it both makes and checks
	hal.SlotTDK:   {[]string{"D0"}, "BEN"},
	hal.SlotTMK:   {[]string{"K0"}, "BDN"},
	hal.SlotKBPK:  {[]string{"K1"}, "BDN"},
	hal.SlotDUKPT: {[]string{"B1"}, "XN"}, // the initial key; a base key (B0) never enters a device
}

// ImportBlock takes a key block under the protection key.
func (s *Store) ImportBlock(slot hal.KeySlot, block []byte) error {
	err := s.lock()
	defer s.mu.Unlock()
	if err != nil {
		return err
	}
	if err := s.importBlock(slot, block); err != nil {
		return &hal.KeyError{Slot: slot, Err: err}
	}
	return nil
}

func (s *Store) importBlock(slot hal.KeySlot, raw []byte) error {
	want, ok := purposes[slot]
	if !ok {
		return hal.ErrKeyUse
	}
	b, err := tr31.Parse(raw)
	if err != nil {
		return fmt.Errorf("%w: %w", hal.ErrKeyBlock, err)
	}
	if !slices.Contains(want.usage, b.Usage) || !slices.Contains([]byte(want.modes), b.Mode) {
		return fmt.Errorf("%w: usage %s, mode %c", hal.ErrKeyBlock, b.Usage, b.Mode)
	}
	kbpk, ok := s.keys[hal.SlotKBPK]
	if !ok {
		return hal.ErrNoKey
	}
	k, err := b.Unwrap(kbpk)
	if err != nil {
		return fmt.Errorf("%w: %w", hal.ErrKeyBlock, err)
	}
	if err = k.Degenerate(); err == nil && (slot == hal.SlotTMK || slot == hal.SlotKBPK) {
		err = k.Strong()
	}
	if err == nil && slot == hal.SlotDUKPT {
		err = s.initialKey(b, k)
		k.Wipe()
		return err
	}
	if err == nil {
		err = s.replace(slot, k)
	}
	if err != nil {
		k.Wipe()
	}
	return err
}

// initialKey starts DUKPT with a key and the serial number of its block.
func (s *Store) initialKey(b *tr31.Block, k key.Key) error {
	scheme, id := dukpt.TDES, "KS"
	if k.Alg() == hal.AlgAES {
		scheme, id = dukpt.AES128, "IK"
	}
	text, ok := b.Opt(id)
	if !ok {
		return fmt.Errorf("%w: no serial number (%s)", hal.ErrKeyBlock, id)
	}
	serial, err := hex.DecodeString(text)
	if err != nil {
		return fmt.Errorf("%w: serial number (%s)", hal.ErrKeyBlock, id)
	}
	st, err := dukpt.New(scheme, serial, k)
	if err != nil {
		return fmt.Errorf("%w: %w", hal.ErrKeyBlock, err)
	}
	name := fmt.Sprintf("%d:%X", scheme, st.ID())
	if slices.Contains(s.spent, name) {
		st.Wipe()
		return fmt.Errorf("%w: initial key %s was here: its numbers would come again", hal.ErrKeyUse, name)
	}
	was, next := s.dukpt, s.with()
	next.dukpt, next.spent = st, append(slices.Clone(s.spent), name)
	if err := s.take(next); err != nil {
		return err
	}
	if was != nil {
		was.Wipe()
	}
	s.endTransaction()
	return nil
}
