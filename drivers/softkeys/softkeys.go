// Package softkeys is a hal.KeyStore in a file. It stands where a certified
// device has a secure element: the same calls, the same rule that key bytes do
// not come out, but on a plain Linux machine whoever reads the file has the
// keys. So a board without bench = true or a tamper line may not open it.
//
// Sources:
//   - HOST: firmware/doc/wire.md §1.6 (check values)
//   - SP800-67, SP800-38D: NIST, Triple DES; Galois/Counter Mode
//   - PTS: PCI PTS POI, what a real one must do
package softkeys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sync"

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

// key is the one type that holds key bytes. It prints nothing.
type key struct {
	Alg   hal.KeyAlg
	Bytes []byte
}

func (key) String() string             { return "[key]" }
func (key) Format(f fmt.State, _ rune) { io.WriteString(f, "[key]") }

// Store is a KeyStore.
type Store struct {
	path string
	rand io.Reader
	mu   sync.Mutex
	keys map[hal.KeySlot]key
}

// file is the format on disk: version, keys, and a SHA-256 over both against
// accidents (not against an attacker, who has the keys anyway).
type file struct {
	Version int                `json:"version"`
	Keys    map[string]fileKey `json:"keys"`
	Sum     []byte             `json:"sum"`
}

type fileKey struct {
	Alg   hal.KeyAlg `json:"alg"`
	Bytes []byte     `json:"bytes"`
}

const version = 1

// Open opens the key file, or makes one without a master key.
func Open(o Opts) (*Store, error) {
	if !o.Bench && !o.TamperFitted {
		return nil, ErrNotAllowed
	}
	s := &Store{path: o.Path, rand: o.Rand, keys: map[hal.KeySlot]key{}}
	if s.rand == nil {
		s.rand = rand.Reader
	}
	if err := s.load(); err != nil {
		return nil, err
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
	if len(tmk) != 16 {
		return hal.ErrKeyLength
	}
	if old, ok := s.keys[hal.SlotTMK]; ok {
		if subtle.ConstantTimeCompare(old.Bytes, tmk) != 1 {
			return ErrOtherTMK
		}
		return nil
	}
	s.keys[hal.SlotTMK] = key{hal.AlgTDES2, append([]byte(nil), tmk...)}
	return s.save(s.keys)
}

// makeOwn makes the keys that never leave: the seal and the CardRef key.
func (s *Store) makeOwn() error {
	next := maps.Clone(s.keys)
	for _, slot := range []hal.KeySlot{hal.SlotSeal, hal.SlotCardRef} {
		if _, ok := next[slot]; ok {
			continue
		}
		k := key{hal.AlgAES, make([]byte, 32)}
		if _, err := io.ReadFull(s.rand, k.Bytes); err != nil {
			return fmt.Errorf("softkeys: %w", err)
		}
		next[slot] = k
	}
	if len(next) == len(s.keys) {
		return nil
	}
	if err := s.save(next); err != nil {
		return err
	}
	s.keys = next
	return nil
}

func (s *Store) load() error {
	b, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("softkeys: %w", err)
	}
	keys, err := parse(b)
	clear(b)
	if err != nil {
		return err
	}
	s.keys = keys
	return nil
}

func parse(b []byte) (map[hal.KeySlot]key, error) {
	var f file
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, fmt.Errorf("%w: not readable", ErrDamaged)
	}
	if f.Version != version {
		return nil, fmt.Errorf("softkeys: key file of version %d, this build reads %d", f.Version, version)
	}
	if subtle.ConstantTimeCompare(sum(f.Keys), f.Sum) != 1 {
		return nil, fmt.Errorf("%w: check sum", ErrDamaged)
	}
	keys := map[hal.KeySlot]key{}
	for slot, k := range f.Keys {
		if !lengthOK(k.Alg, len(k.Bytes)) {
			return nil, fmt.Errorf("%w: key length", ErrDamaged)
		}
		keys[hal.KeySlot(slot)] = key(k)
	}
	return keys, nil
}

func sum(keys map[string]fileKey) []byte {
	b, _ := json.Marshal(keys) // maps marshal in key order
	h := sha256.Sum256(append([]byte{version}, b...))
	clear(b)
	return h[:]
}

// save writes the file whole: temp, sync, rename, sync of the folder, so that
// a power cut leaves the old keys or the new ones.
func (s *Store) save(keys map[hal.KeySlot]key) error {
	f := file{Version: version, Keys: map[string]fileKey{}}
	for slot, k := range keys {
		f.Keys[string(slot)] = fileKey(k)
	}
	f.Sum = sum(f.Keys)
	b, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("softkeys: %w", err)
	}
	defer clear(b)
	dir := filepath.Dir(s.path)
	tmp, err := os.CreateTemp(dir, ".keys-*")
	if err != nil {
		return fmt.Errorf("softkeys: %w", err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(b)
	err = errors.Join(err, tmp.Chmod(0o600), tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), s.path)
	}
	if err == nil {
		var d *os.File
		if d, err = os.Open(dir); err == nil {
			err = errors.Join(d.Sync(), d.Close())
		}
	}
	if err != nil {
		return fmt.Errorf("softkeys: %w", err)
	}
	return nil
}

func lengthOK(a hal.KeyAlg, n int) bool {
	switch a {
	case hal.AlgDES:
		return n == 8
	case hal.AlgTDES2, hal.AlgSM4:
		return n == 16
	case hal.AlgTDES3:
		return n == 24
	case hal.AlgAES:
		return n == 16 || n == 24 || n == 32
	}
	return false
}

func (s *Store) String() string { return "softkeys (" + s.path + ")" }

// Halt has nothing to stop.
func (s *Store) Halt() error { return nil }

// Has tells whether a slot holds a key, and its check value.
func (s *Store) Has(slot hal.KeySlot) (kcv [4]byte, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.keys[slot]
	if !ok {
		return kcv, false
	}
	v, err := checkValue(k)
	copy(kcv[:], v)
	return kcv, err == nil
}

// checkValue is E(key, zeros).
func checkValue(k key) ([]byte, error) {
	b, err := block(k)
	if err != nil {
		return nil, err
	}
	out := make([]byte, b.BlockSize())
	b.Encrypt(out, out)
	return out, nil
}

func block(k key) (cipher.Block, error) {
	switch k.Alg {
	case hal.AlgDES:
		return des.NewCipher(k.Bytes)
	case hal.AlgTDES2:
		full := append(append(make([]byte, 0, 24), k.Bytes...), k.Bytes[:8]...)
		defer clear(full)
		return des.NewTripleDESCipher(full)
	case hal.AlgTDES3:
		return des.NewTripleDESCipher(k.Bytes)
	case hal.AlgAES:
		return aes.NewCipher(k.Bytes)
	}
	return nil, hal.ErrKeyUse
}

// Import decrypts each key under its wrapping key, checks it, and takes all or none.
func (s *Store) Import(imports []hal.KeyImport) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := maps.Clone(s.keys)
	for _, in := range imports {
		if in.Slot == hal.SlotTMK || in.Slot == hal.SlotSeal || in.Slot == hal.SlotCardRef || in.Under != hal.SlotTMK {
			return hal.ErrKeyUse
		}
		wrap, ok := s.keys[in.Under]
		if !ok {
			return hal.ErrNoKey
		}
		wb, err := block(wrap)
		if err != nil {
			return err
		}
		if !lengthOK(in.Alg, len(in.Cryptogram)) || len(in.Cryptogram)%wb.BlockSize() != 0 {
			return hal.ErrKeyLength
		}
		k := key{in.Alg, make([]byte, len(in.Cryptogram))}
		for i := 0; i < len(k.Bytes); i += wb.BlockSize() {
			wb.Decrypt(k.Bytes[i:], in.Cryptogram[i:])
		}
		cv, err := checkValue(k)
		if err != nil {
			return err
		}
		if len(in.KCV) < 3 || len(in.KCV) > len(cv) || subtle.ConstantTimeCompare(cv[:len(in.KCV)], in.KCV) != 1 {
			return fmt.Errorf("%w (slot %s)", hal.ErrKCV, in.Slot)
		}
		next[in.Slot] = k
	}
	if err := s.save(next); err != nil {
		return err
	}
	s.keys = next
	return nil
}

// Forget drops keys, durably.
func (s *Store) Forget(slots ...hal.KeySlot) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := maps.Clone(s.keys)
	for _, slot := range slots {
		delete(next, slot)
	}
	if err := s.save(next); err != nil {
		return err
	}
	for _, slot := range slots {
		clear(s.keys[slot].Bytes)
	}
	s.keys = next
	return nil
}

// mayEncrypt: what a slot may be asked to do. The TMK only unwraps.
func mayEncrypt(slot hal.KeySlot) bool {
	return slot == hal.SlotPIK || slot == hal.SlotMAK || slot == hal.SlotTDK
}

// EncryptBlocks encrypts whole blocks, ECB.
func (s *Store) EncryptBlocks(slot hal.KeySlot, dst, src []byte) error {
	return s.encrypt(slot, dst, src, false)
}

// EncryptLeft uses single DES under the left half of the key. A single-length
// key is its own left half.
func (s *Store) EncryptLeft(slot hal.KeySlot, dst, src []byte) error {
	return s.encrypt(slot, dst, src, true)
}

func (s *Store) encrypt(slot hal.KeySlot, dst, src []byte, left bool) error {
	if !mayEncrypt(slot) {
		return hal.ErrKeyUse
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.keys[slot]
	if !ok {
		return hal.ErrNoKey
	}
	if left {
		if k.Alg > hal.AlgTDES3 {
			return hal.ErrKeyUse
		}
		k = key{hal.AlgDES, k.Bytes[:8]}
	}
	b, err := block(k)
	if err != nil {
		return err
	}
	n := b.BlockSize()
	if len(src)%n != 0 || len(dst) < len(src) {
		return hal.ErrKeyLength
	}
	for i := 0; i < len(src); i += n {
		b.Encrypt(dst[i:], src[i:])
	}
	return nil
}

func (s *Store) aead() (cipher.AEAD, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.keys[hal.SlotSeal]
	if !ok {
		return nil, hal.ErrNoKey
	}
	b, err := block(k)
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

// HMAC is HMAC-SHA-256 under the CardRef key.
func (s *Store) HMAC(slot hal.KeySlot, data []byte) (out [32]byte, err error) {
	if slot != hal.SlotCardRef {
		return out, hal.ErrKeyUse
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.keys[slot]
	if !ok {
		return out, hal.ErrNoKey
	}
	h := hmac.New(sha256.New, k.Bytes)
	h.Write(data)
	h.Sum(out[:0])
	return out, nil
}
