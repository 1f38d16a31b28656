package keys

import (
	"errors"
	"fmt"

	"swipewell/hal"
)

// ErrWorkingKeys says that DE 62 has not the form of keys.
var ErrWorkingKeys = errors.New("keys: DE 62 has not 24, 40, 56, 60 or 84 bytes")

// FormSM4 is DE 60.3 of a sign-on whose keys are for SM4. HOST §1.3.
const FormSM4 = "005"

// ParseWorkingKeys splits DE 62 of a sign-on into the keys it carries: PIK and
// MAK, each with a check value of four bytes, and TDK in the two longest
// forms. HOST §1.6. form is DE 60.3 of the sign-on; it tells SM4 keys from those
// for DES, whose number and length DE 62 itself tells. In the forms of 40 and 60
// bytes the slot of a DES MAK has 16 bytes and may hold a single-length key
// followed by eight zero bytes: zeros as cryptogram stand for "no second half"
// (vector 4).
func ParseWorkingKeys(form string, de62 []byte) ([]hal.KeyImport, error) {
	var size int // of one key slot
	slots := []hal.KeySlot{hal.SlotPIK, hal.SlotMAK}
	switch len(de62) {
	case 24:
		size = 8
	case 40:
		size = 16
	case 56:
		size = 24
	case 60, 84:
		size = len(de62)/3 - 4
		slots = append(slots, hal.SlotTDK)
	default:
		return nil, fmt.Errorf("%w: %d", ErrWorkingKeys, len(de62))
	}
	sm4 := form == FormSM4
	if sm4 && size != 16 {
		return nil, fmt.Errorf("%w: %d, and 40 or 60 for SM4", ErrWorkingKeys, len(de62))
	}
	var out []hal.KeyImport
	for i, slot := range slots {
		b := de62[i*(size+4) : (i+1)*(size+4)]
		k := hal.KeyImport{Slot: slot, Under: hal.SlotTMK, Cryptogram: b[:size], KCV: b[size:]}
		if slot == hal.SlotMAK && size == 16 && !sm4 && allZero(b[8:16]) {
			k.Cryptogram = b[:8]
		}
		k.Alg = map[int]hal.KeyAlg{8: hal.AlgDES, 16: hal.AlgTDES2, 24: hal.AlgTDES3}[len(k.Cryptogram)]
		if sm4 {
			k.Alg = hal.AlgSM4
		}
		out = append(out, k)
	}
	return out, nil
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// LoadKind is how a sign-on's keys were taken.
type LoadKind uint8

const (
	KeysTaken      LoadKind = iota // all of them are in force
	KeysMalformed                  // DE 62 has not their form, or not the master key's cipher
	KeysWrongCheck                 // a check value does not match: another master key, or a damaged message
	KeysWeak                       // a key that no honest host makes
	KeysNoMaster                   // there is no master key, or tamper has erased it
)

var loadKinds = [...]string{"taken", "malformed", "wrong-check", "weak", "no-master"}

// String is the word that the journal has for it.
func (k LoadKind) String() string { return loadKinds[min(int(k), len(loadKinds)-1)] }

// Loading is the outcome of LoadSession: unless it is KeysTaken, the keys that
// were in force still are.
type Loading struct {
	Kind LoadKind
	Slot hal.KeySlot // of the key that is to blame, "" if none is
	Why  error       // nil for KeysTaken; no key byte in it
}

// LoadSession takes the keys of a sign-on in one durable step, or none. err is
// the device's own fault, such as a full disk.
func LoadSession(ks hal.KeyStore, form string, de62 []byte) (Loading, error) {
	imports, err := ParseWorkingKeys(form, de62)
	if err != nil {
		return Loading{Kind: KeysMalformed, Why: err}, nil
	}
	if err = ks.Import(imports); err == nil {
		return Loading{}, nil
	}
	out := Loading{Why: err}
	var e *hal.KeyError
	if errors.As(err, &e) {
		out.Slot = e.Slot
	}
	switch {
	case errors.Is(err, hal.ErrKCV):
		out.Kind = KeysWrongCheck
	case errors.Is(err, hal.ErrKeyWeak):
		out.Kind = KeysWeak
	case errors.Is(err, hal.ErrNoKey), errors.Is(err, hal.ErrTampered):
		out.Kind = KeysNoMaster
	case errors.Is(err, hal.ErrKeyUse), errors.Is(err, hal.ErrKeyLength):
		out.Kind = KeysMalformed
	default:
		return Loading{}, fmt.Errorf("keys: %w", err)
	}
	return out, nil
}
