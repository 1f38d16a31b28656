package hal

import (
	"errors"

	"periph.io/x/conn/v3"
)

// KeySlot names a key in the secure element by its use. A key can be used for
// what its slot says and for nothing else.
type KeySlot string

const (
	SlotTMK     KeySlot = "tmk"     // terminal master key: decrypts session keys only
	SlotPIK     KeySlot = "pik"     // PIN key: encrypts PIN blocks
	SlotMAK     KeySlot = "mak"     // MAC key
	SlotTDK     KeySlot = "tdk"     // track key
	SlotSeal    KeySlot = "seal"    // AEAD for what the store keeps; made inside at first use
	SlotCardRef KeySlot = "cardref" // HMAC for CardRef; made inside at first use
)

// KeyAlg is the cipher a key is for.
type KeyAlg uint8

const (
	AlgDES   KeyAlg = 1 // 8 bytes
	AlgTDES2 KeyAlg = 2 // 16 bytes, double length
	AlgTDES3 KeyAlg = 3 // 24 bytes
	AlgSM4   KeyAlg = 4 // 16 bytes
	AlgAES   KeyAlg = 5 // 16, 24 or 32 bytes
)

// KeyImport is one key that arrives encrypted.
type KeyImport struct {
	Slot       KeySlot
	Alg        KeyAlg // of the key that arrives
	Cryptogram []byte // the key, ECB-encrypted under Under
	KCV        []byte // first bytes of E(key, zeros); all that is given must match
	Under      KeySlot
}

// Errors of a KeyStore that a caller can act on.
var (
	ErrNoKey     = errors.New("keystore: no key in this slot")
	ErrKCV       = errors.New("keystore: check value does not match")
	ErrKeyUse    = errors.New("keystore: this key may not be used so")
	ErrSealed    = errors.New("keystore: sealed data does not open")
	ErrTampered  = errors.New("keystore: erased after tamper")
	ErrKeyLength = errors.New("keystore: wrong length for this algorithm")
	ErrKeyWeak   = errors.New("keystore: a weak key")
	ErrExhausted = errors.New("keystore: the counter of the transaction keys has ended")
)

// KeyStore is the secure element: key bytes stay inside. Algorithms built on
// single blocks (MAC, PIN block, DUKPT) live in firmware/keys.
type KeyStore interface {
	conn.Resource
	// Has tells whether a slot holds a key, and its check value (4 bytes).
	Has(slot KeySlot) (kcv [4]byte, ok bool)
	// Import decrypts and checks all keys and takes them in one durable step:
	// on any error none has changed.
	Import(keys []KeyImport) error
	// Forget drops the keys of these slots, durably.
	Forget(slots ...KeySlot) error
	// EncryptBlocks encrypts whole blocks, ECB, from src into dst (may be the same).
	EncryptBlocks(slot KeySlot, dst, src []byte) error
	// EncryptLeft is EncryptBlocks with single DES under the left 8 bytes of a
	// DES key, as X9.9 and X9.19 want it.
	EncryptLeft(slot KeySlot, dst, src []byte) error
	// Seal encrypts and authenticates plain under SlotSeal, appended to dst,
	// with a fresh random nonce; aad is authenticated and not kept.
	Seal(dst, plain, aad []byte) ([]byte, error)
	// Open is the inverse of Seal; ErrSealed if anything was changed.
	Open(dst, sealed, aad []byte) ([]byte, error)
	// HMAC is HMAC-SHA-256 of data under slot (SlotCardRef).
	HMAC(slot KeySlot, data []byte) ([32]byte, error)
}
