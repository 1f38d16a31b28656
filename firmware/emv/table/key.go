package table

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"swipewell/firmware/emv"
	"swipewell/firmware/emv/tlv"
)

// Tags of a key's record. WIRE.
const (
	tagAID      tlv.Tag = 0x9F06 // the RID, of a key; the AID, of an application
	tagIndex    tlv.Tag = 0x9F22
	tagModulus  tlv.Tag = 0xDF02
	tagChecksum tlv.Tag = 0xDF03
	tagExponent tlv.Tag = 0xDF04
	tagExpiry   tlv.Tag = 0xDF05 // YYYYMMDD, four bytes BCD or eight of ASCII
	tagHashAlg  tlv.Tag = 0xDF06 // 01 SHA-1
	tagKeyAlg   tlv.Tag = 0xDF07 // 01 RSA
)

var keyOrder = []tlv.Tag{tagAID, tagIndex, tagExpiry, tagHashAlg, tagKeyAlg, tagModulus, tagExponent, tagChecksum}

var keyFields = map[tlv.Tag]field{
	tagAID: {5, 5, true}, tagIndex: {1, 1, true}, tagExpiry: {4, 8, false}, tagHashAlg: {1, 1, false}, tagKeyAlg: {1, 1, false},
	tagModulus: {1, 248, true}, tagExponent: {1, 3, true}, tagChecksum: {20, 20, true},
}

// KeyID names a key: the application provider and the number of its key. B2 §11.2.
type KeyID struct {
	RID   [5]byte
	Index byte
}

// String is the name in messages: A000000333/0B.
func (id KeyID) String() string { return fmt.Sprintf("%X/%02X", id.RID, id.Index) }

func (id KeyID) compare(o KeyID) int {
	if c := bytes.Compare(id.RID[:], o.RID[:]); c != 0 {
		return c
	}
	return int(id.Index) - int(o.Index)
}

// Key is a public key of a certification authority. B2 §11.2.
type Key struct {
	KeyID
	Modulus  []byte // 64 to 248 bytes
	Exponent []byte // 03 or 010001
	Checksum []byte // SHA-1 over RID, index, modulus and exponent. B2 Annex B3
	Expiry   string // YYYYMMDD, the last day on which it is used; "": the acquirer gave none
}

// ParseKey reads a record: 9F06, 9F22, DF05, DF06, DF07, DF02, DF04, DF03. Its
// errors are [*Refused]; a key that has expired or has no last day is read all the
// same, and [Key.Usable] says so.
func ParseKey(b []byte) (Key, error) {
	var k Key
	name := "?"
	if rid, ok := one(b, tagAID, 5, 5); ok {
		copy(k.RID[:], rid)
		name = fmt.Sprintf("%X/?", rid)
		if i, ok := one(b, tagIndex, 1, 1); ok {
			k.Index = i[0]
			name = k.String()
		}
	}
	got, err := read(b, keyFields, keyOrder)
	if err != nil {
		return Key{}, refuse(name, err)
	}
	for _, t := range []tlv.Tag{tagHashAlg, tagKeyAlg} {
		if v, ok := got[t]; ok && v[0] != 1 {
			return Key{}, refuse(name, fmt.Errorf("%v: %w %02X", t, ErrValue, v[0]))
		}
	}
	if v, ok := got[tagExpiry]; ok {
		if k.Expiry, err = day(v); err != nil {
			return Key{}, refuse(name, fmt.Errorf("%v: %w", tagExpiry, err))
		}
	}
	k.Modulus, k.Exponent, k.Checksum = got[tagModulus], bytes.TrimLeft(got[tagExponent], "\x00"), got[tagChecksum]
	if err := k.Check(); err != nil {
		return Key{}, err
	}
	return k, nil
}

// Check proves exponent, modulus and checksum. Its errors are [*Refused]. B2 §11.2.
func (k Key) Check() error {
	switch err := k.emv().Check(); {
	case len(k.Checksum) == 0:
		return refuse(k.String(), fmt.Errorf("%v %w", tagChecksum, ErrMissing))
	case !bytes.Equal(k.Exponent, []byte{3}) && !bytes.Equal(k.Exponent, []byte{1, 0, 1}):
		return refuse(k.String(), fmt.Errorf("%v: %w %X", tagExponent, ErrValue, k.Exponent))
	case errors.Is(err, emv.ErrChecksum):
		return refuse(k.String(), ErrChecksum)
	case err != nil:
		return refuse(k.String(), ErrModulus)
	}
	return nil
}

// Usable is nil if the key may be used on a day, YYYYMMDD in the terminal's zone;
// otherwise a [*Refused].
func (k Key) Usable(date string) error {
	switch {
	case k.Expiry == "":
		return refuse(k.String(), ErrNoExpiry)
	case k.Expiry < date:
		return refuse(k.String(), fmt.Errorf("%w %s", ErrExpired, k.Expiry))
	}
	return nil
}

// Append adds the record of the key to dst.
func (k Key) Append(dst []byte) []byte {
	dst = tlv.Append(dst, tagAID, k.RID[:])
	dst = tlv.Append(dst, tagIndex, []byte{k.Index})
	if k.Expiry != "" {
		dst = tlv.Append(dst, tagExpiry, bcd(k.Expiry))
	}
	dst = tlv.Append(dst, tagHashAlg, []byte{1})
	dst = tlv.Append(dst, tagKeyAlg, []byte{1})
	dst = tlv.Append(dst, tagModulus, k.Modulus)
	dst = tlv.Append(dst, tagExponent, k.Exponent)
	return tlv.Append(dst, tagChecksum, k.Checksum)
}

// lastEMV is the last day that two digits of a year can name. B3 §4.3: 50 to 99
// are of the century before.
const lastEMV = "20491231"

// emv is the key as the kernel takes it.
func (k Key) emv() emv.CAKey {
	c := emv.CAKey{RID: k.RID, Index: k.Index, Modulus: k.Modulus, Exponent: k.Exponent, Checksum: k.Checksum}
	if k.Expiry != "" {
		c.Expiry = min(k.Expiry, lastEMV)[2:]
	}
	return c
}

// day reads YYYYMMDD of this century in BCD or in ASCII.
func day(b []byte) (string, error) {
	var s string
	switch len(b) {
	case 4:
		s = fmt.Sprintf("%x", b)
	case 8:
		s = string(b)
	default:
		return "", fmt.Errorf("%w, %d bytes", ErrSize, len(b))
	}
	if !Day(s) {
		return "", fmt.Errorf("%w, not a day", ErrValue)
	}
	return s, nil
}

// Day tells whether s is a day of this century, YYYYMMDD.
func Day(s string) bool {
	if len(s) != 8 || s[:2] != "20" {
		return false
	}
	_, err := time.Parse("20060102", s)
	return err == nil
}

// bcd packs digits, two a byte.
func bcd(s string) []byte {
	out := make([]byte, len(s)/2)
	for i := range out {
		out[i] = (s[2*i]-'0')<<4 | (s[2*i+1] - '0')
	}
	return out
}
