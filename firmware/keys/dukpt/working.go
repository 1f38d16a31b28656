package dukpt

import (
	"crypto/des"
	"encoding/binary"
	"slices"

	"swipewell/firmware/keys/key"
	"swipewell/hal"
)

// Transaction is the key of one transaction, from which its working keys come.
type Transaction struct {
	KSN     hal.KSN
	scheme  Scheme
	key     key.Key
	id      []byte
	counter uint32
}

// Scheme of the key.
func (t *Transaction) Scheme() Scheme { return t.scheme }

// Wipe forgets the key.
func (t *Transaction) Wipe() { t.key.Wipe() }

// Key usage indicators of AES DUKPT. X9.24-3 §6.3.2, table 2.
const (
	usagePIN          = 0x1000
	usageMAC          = 0x2000 // generation; verification is 0x2001
	usageData         = 0x3000 // encryption; decryption is 0x3001
	usageDerivation   = 0x8000
	algorithmAES128   = 2
	bitsAES128        = 128
	derivationVersion = 1
)

// PIN is the key that encrypts PIN blocks.
func (t *Transaction) PIN() (key.Key, error) {
	if t.scheme == AES128 {
		return deriveUsage(t.key, t.id[4:], usagePIN, t.counter)
	}
	return variant(t.key, 7) // X9.24-1 A.4.1: 00000000000000FF
}

// MAC is the key of MACs in this direction.
func (t *Transaction) MAC(d hal.Direction) (key.Key, error) {
	if t.scheme == AES128 {
		return deriveUsage(t.key, t.id[4:], usageMAC+uint16(d), t.counter)
	}
	return variant(t.key, [...]int{6, 4}[d]) // 000000000000FF00, 00000000FF000000
}

// Data is the key that encrypts data, tracks among them, in this direction.
// With TDES the variant is encrypted under itself, half by half. X9.24-1 A.4.1.
func (t *Transaction) Data(d hal.Direction) (key.Key, error) {
	if t.scheme == AES128 {
		return deriveUsage(t.key, t.id[4:], usageData+uint16(d), t.counter)
	}
	v, err := variant(t.key, [...]int{5, 3}[d]) // 0000000000FF0000, 000000FF00000000
	if err != nil {
		return key.Key{}, err
	}
	defer v.Wipe()
	b, err := v.Block()
	if err != nil {
		return key.Key{}, err
	}
	out := make([]byte, 16)
	v.Use(func(raw []byte) {
		b.Encrypt(out[:8], raw[:8])
		b.Encrypt(out[8:], raw[8:])
	})
	return key.New(hal.AlgTDES2, out)
}

// variant XORs FF into one byte of each half.
func variant(k key.Key, at int) (key.Key, error) {
	if k.IsZero() {
		return key.Key{}, hal.ErrNoKey
	}
	v := k.Clone()
	v.Use(func(b []byte) {
		b[at] ^= 0xFF
		b[at+8] ^= 0xFF
	})
	return v, nil
}

// tdesSerial is the KSN with counter c.
func tdesSerial(id []byte, c uint32) []byte {
	ksn := slices.Clone(id)
	low := binary.BigEndian.Uint32(ksn[6:])
	binary.BigEndian.PutUint32(ksn[6:], low&^counterMask|c)
	return ksn
}

// deriveTDES is the non-reversible key generation process. X9.24-1 A.2.
func deriveTDES(k key.Key, id []byte, c uint32) (key.Key, error) {
	out := make([]byte, 16)
	var err error
	k.Use(func(raw []byte) {
		if len(raw) != 16 {
			err = hal.ErrNoKey
			return
		}
		var kk [16]byte
		defer clear(kk[:])
		copy(kk[:], raw)
		register := tdesSerial(id, c)[2:]
		half := func(dst []byte) {
			b, e := des.NewCipher(kk[:8])
			if e != nil {
				err = e
				return
			}
			for i := range dst {
				dst[i] = register[i] ^ kk[8+i]
			}
			b.Encrypt(dst, dst)
			for i := range dst {
				dst[i] ^= kk[8+i]
			}
		}
		half(out[8:])
		for _, i := range []int{0, 1, 2, 3, 8, 9, 10, 11} {
			kk[i] ^= 0xC0
		}
		half(out[:8])
	})
	if err != nil {
		return key.Key{}, err
	}
	return key.New(hal.AlgTDES2, out)
}

// deriveAES makes a future key. X9.24-3 §6.3.3.
func deriveAES(k key.Key, id []byte, c uint32) (key.Key, error) {
	return deriveUsage(k, id[4:], usageDerivation, c)
}

// deriveUsage encrypts the derivation data: version, block counter, usage,
// algorithm and length of the key to make, the right half of the initial key's
// ID, and the counter. X9.24-3 §6.3.2.
func deriveUsage(k key.Key, id4 []byte, usage uint16, c uint32) (key.Key, error) {
	b, err := k.Block()
	if err != nil {
		return key.Key{}, err
	}
	d := make([]byte, 0, 16)
	d = append(d, derivationVersion, 1)
	d = binary.BigEndian.AppendUint16(d, usage)
	d = binary.BigEndian.AppendUint16(d, algorithmAES128)
	d = binary.BigEndian.AppendUint16(d, bitsAES128)
	d = append(d, id4...)
	d = binary.BigEndian.AppendUint32(d, c)
	b.Encrypt(d, d)
	return key.New(hal.AlgAES, d)
}
