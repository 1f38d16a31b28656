package hal

import (
	"errors"
	"fmt"

	"periph.io/x/conn/v3"
)

// KeySlot names a key in the secure element by its use. A key can be used for
// what its slot says and for nothing else. It is all that the rest of the
// program has of a key.
type KeySlot string

const (
	SlotTMK     KeySlot = "tmk"     // terminal master key: decrypts session keys only
	SlotKBPK    KeySlot = "kbpk"    // key block protection key: unwraps TR-31 blocks only
	SlotPIK     KeySlot = "pik"     // PIN key: encrypts PIN blocks
	SlotMAK     KeySlot = "mak"     // MAC key
	SlotTDK     KeySlot = "tdk"     // track key
	SlotDUKPT   KeySlot = "dukpt"   // the transaction key that NextDUKPT put in force: PIN, MAC and track by its variants
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

// KeyComponent is what one custodian brings: as long as the key, and alone
// worth nothing. X9.24-1:2017 §7.4.
type KeyComponent struct {
	Slot  KeySlot // SlotTMK or SlotKBPK
	Alg   KeyAlg
	Part  int     // 1 or 2, or 3; a part that comes again replaces itself
	Bytes *Secret // taken over, and wiped
	KCV   []byte  // what the custodian's letter says of this component; nil: only shown
}

// KeyCheck is what is shown of a key or component.
type KeyCheck struct {
	KCV       [4]byte
	OddParity bool // false: a DES key with an even byte, so one digit may be mistyped
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
	ErrKeyBlock  = errors.New("keystore: not a key block for this slot")
	ErrExhausted = errors.New("keystore: the counter of the transaction keys has ended")
)

// KeyError is one of the errors above, and the slot it is about.
type KeyError struct {
	Slot KeySlot
	Err  error
}

func (e *KeyError) Error() string { return fmt.Sprintf("%v (slot %s)", e.Err, e.Slot) }
func (e *KeyError) Unwrap() error { return e.Err }

// KeyStore is the secure element: key bytes stay inside, and so do clear PIN
// blocks. After Erase every call but Has, Halt and String fails with ErrTampered,
// for good.
type KeyStore interface {
	conn.Resource
	// Has tells whether a slot holds a key, and its check value (4 bytes; zeros
	// for SlotDUKPT, whose keys change).
	Has(slot KeySlot) (kcv [4]byte, ok bool)

	// LoadComponent keeps one component in volatile memory: a power cut or a
	// wrong check value (ErrKCV) and it has to come again. ErrKeyWeak for one
	// that no honest generator makes.
	LoadComponent(c KeyComponent) (KeyCheck, error)
	// JoinComponents is the XOR of what was loaded for slot, two parts at least.
	// With kcv nil it only tells the check value. With the right kcv the key is
	// taken, durably, and keys that came under the old one are dropped; with a
	// wrong one (ErrKCV), or a weak result (ErrKeyWeak), the components are
	// forgotten and the old key stays.
	JoinComponents(slot KeySlot, kcv []byte) (KeyCheck, error)

	// DropComponents forgets what LoadComponent has kept for slot.
	DropComponents(slot KeySlot)

	// Import decrypts and checks all keys and takes them in one durable step:
	// on any error, a *KeyError, none has changed.
	Import(keys []KeyImport) error
	// ImportBlock takes a TR-31 key block (A, B or D) under SlotKBPK, whose usage
	// and mode must be those of slot; an initial DUKPT key needs its serial
	// number as optional block KS or IK. ErrKeyBlock for anything else.
	ImportBlock(slot KeySlot, block []byte) error
	// Forget drops the keys of these slots, durably.
	Forget(slots ...KeySlot) error
	// Erase drops all keys, durably, as the answer to tamper.
	Erase() error

	// NextDUKPT puts the next transaction key in force and forgets the one
	// before. The counter is durable before it returns: no KSN comes twice, and a
	// power cut can only lose one. ErrExhausted: no key is left.
	NextDUKPT() (KSN, error)
	// MAC authenticates data under SlotMAK or SlotDUKPT; d matters for the latter.
	MAC(slot KeySlot, alg MACAlg, d Direction, data []byte) ([8]byte, error)
	// PINBlock encrypts the PIN of an entry with the card number, ASCII digits,
	// under SlotPIK or SlotDUKPT: 8 bytes, 16 in format 4. A transaction key
	// makes one PIN block (X9.24-1 §8.3); for the next, ErrKeyUse.
	PINBlock(slot KeySlot, f PINFormat, pin *Secret, pan []byte) ([]byte, error)
	// EncryptTrack encrypts a track, ASCII digits and separators, under SlotTDK
	// or SlotDUKPT: hex digits.
	EncryptTrack(slot KeySlot, track []byte) ([]byte, error)

	// Seal encrypts and authenticates plain under SlotSeal, appended to dst,
	// with a fresh random nonce; aad is authenticated and not kept.
	Seal(dst, plain, aad []byte) ([]byte, error)
	// Open is the inverse of Seal; ErrSealed if anything was changed.
	Open(dst, sealed, aad []byte) ([]byte, error)
	// HMAC is HMAC-SHA-256 of data under slot (SlotCardRef) in a generation of
	// its key: 0 is the key as made, each other one is derived from it, and which
	// is in force stands in the caller's own commits. A rotation is the next number.
	HMAC(slot KeySlot, generation uint32, data []byte) ([32]byte, error)
}
