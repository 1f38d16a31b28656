package softkeys

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"

	"swipewell/firmware/keys/dukpt"
	"swipewell/firmware/keys/key"
	"swipewell/firmware/keys/mac"
	"swipewell/firmware/keys/pinblock"
	"swipewell/firmware/keys/track"
	"swipewell/hal"
)

// NextDUKPT moves on to the next transaction key; the file has it first.
func (s *Store) NextDUKPT() (hal.KSN, error) {
	err := s.lock()
	defer s.mu.Unlock()
	if err != nil {
		return "", err
	}
	if s.dukpt == nil {
		return "", hal.ErrNoKey
	}
	s.endTransaction()
	tx, err := s.dukpt.Next(func(state *dukpt.State) error {
		next := s.ring
		next.dukpt = state
		return save(s.path, next)
	})
	if err != nil {
		return "", err
	}
	s.tx = tx
	return tx.KSN, nil
}

// under lends the key of a use: that of the slot, or the one that from makes of
// the transaction key in force.
func (s *Store) under(slot, want hal.KeySlot, from func(*dukpt.Transaction) (key.Key, error), fn func(key.Key) error) error {
	switch slot {
	case want:
		k, ok := s.keys[slot]
		if !ok {
			return hal.ErrNoKey
		}
		return fn(k)
	case hal.SlotDUKPT:
		if s.tx == nil {
			return hal.ErrNoKey
		}
		k, err := from(s.tx)
		if err != nil {
			return err
		}
		defer k.Wipe()
		return fn(k)
	}
	return hal.ErrKeyUse
}

// MAC authenticates data.
func (s *Store) MAC(slot hal.KeySlot, alg hal.MACAlg, d hal.Direction, data []byte) (sum [8]byte, err error) {
	err = s.lock()
	defer s.mu.Unlock()
	if err != nil {
		return sum, err
	}
	if d > hal.Response {
		return sum, hal.ErrKeyUse
	}
	err = s.under(slot, hal.SlotMAK, func(tx *dukpt.Transaction) (key.Key, error) { return tx.MAC(d) }, func(k key.Key) (err error) {
		sum, err = mac.Sum(alg, k, data)
		return err
	})
	return sum, err
}

// PINBlock encrypts a PIN.
func (s *Store) PINBlock(slot hal.KeySlot, f hal.PINFormat, pin *hal.Secret, pan []byte) (block []byte, err error) {
	err = s.lock()
	defer s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if slot == hal.SlotDUKPT && s.tx != nil && s.pins > 0 {
		return nil, fmt.Errorf("%w: a second PIN block under %s", hal.ErrKeyUse, s.tx.KSN)
	}
	err = s.under(slot, hal.SlotPIK, (*dukpt.Transaction).PIN, func(k key.Key) error {
		if f == hal.PINSM4 && k.Alg() != hal.AlgSM4 || f == hal.PINFormat4 && k.Alg() != hal.AlgAES {
			return hal.ErrKeyUse
		}
		b, err := k.Block()
		if err != nil {
			return err
		}
		pin.Use(func(digits []byte) { block, err = pinblock.Encrypt(b, f, digits, pan, s.rand) })
		return err
	})
	if err == nil && slot == hal.SlotDUKPT {
		s.pins++
	}
	return block, err
}

// EncryptTrack encrypts a track.
func (s *Store) EncryptTrack(slot hal.KeySlot, digits []byte) (out []byte, err error) {
	err = s.lock()
	defer s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	err = s.under(slot, hal.SlotTDK, func(tx *dukpt.Transaction) (key.Key, error) { return tx.Data(hal.Request) }, func(k key.Key) error {
		b, err := k.Block()
		if err == nil {
			out, err = track.Encrypt(b, digits)
		}
		return err
	})
	return out, err
}

func (s *Store) aead() (cipher.AEAD, error) {
	err := s.lock()
	defer s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	b, err := s.keys[hal.SlotSeal].Block()
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(b)
}

// Seal is AES-256-GCM with a random nonce in front. SP800-38D §8.2.2.
func (s *Store) Seal(dst, plain, aad []byte) ([]byte, error) {
	a, err := s.aead()
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, a.NonceSize())
	if _, err := io.ReadFull(s.rand, nonce); err != nil {
		return nil, fmt.Errorf("softkeys: %w", err)
	}
	return a.Seal(append(dst, nonce...), nonce, plain, aad), nil
}

// Open is the inverse of Seal.
func (s *Store) Open(dst, sealed, aad []byte) ([]byte, error) {
	a, err := s.aead()
	if err != nil {
		return nil, err
	}
	if len(sealed) < a.NonceSize() {
		return nil, hal.ErrSealed
	}
	out, err := a.Open(dst, sealed[:a.NonceSize()], sealed[a.NonceSize():], aad)
	if err != nil {
		return nil, hal.ErrSealed
	}
	return out, nil
}

// generationScope is in front of a generation's number, so that its key is no
// MAC of anything else.
const generationScope = "v1|generation|"

// HMAC is HMAC-SHA-256 under a generation of the CardRef key.
func (s *Store) HMAC(slot hal.KeySlot, generation uint32, data []byte) (out [32]byte, err error) {
	err = s.lock()
	defer s.mu.Unlock()
	if err != nil {
		return out, err
	}
	if slot != hal.SlotCardRef {
		return out, hal.ErrKeyUse
	}
	k, ok := s.keys[slot]
	if !ok {
		return out, hal.ErrNoKey
	}
	k.Use(func(raw []byte) {
		if generation > 0 {
			raw = sum256(raw, binary.BigEndian.AppendUint32([]byte(generationScope), generation))
			defer clear(raw)
		}
		copy(out[:], sum256(raw, data))
	})
	return out, nil
}

func sum256(k, data []byte) []byte {
	h := hmac.New(sha256.New, k)
	h.Write(data)
	sum := h.Sum(nil)
	// The hash has kept the last bytes of data, a card number, in its buffer: other
	// bytes go over them.
	h.Reset()
	h.Write(make([]byte, sha256.BlockSize-1))
	hal.Scrub()
	return sum
}
