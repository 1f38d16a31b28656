package emv

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // the only hash of B2 Annex B3
	"math/big"

	"swipewell/firmware/emv/tlv"
)

// Sizes of RSA keys in bytes: down to the 512 bits of old issuers, up to the 1984
// of B2 Annex D.
const (
	minModulus = 64
	maxModulus = 248
)

// Overheads of a certificate: everything but the key. B2 §5.1, §6.1.
const (
	overIssuer = 36
	overICC    = 42
)

// rsaKey is a public key that was recovered and proven.
type rsaKey struct{ mod, exp []byte }

func (k rsaKey) ok() bool { return len(k.mod) > 0 }

// goodExponent: 3 and 2^16+1. B2 Annex B2.1.
func goodExponent(e []byte) bool {
	e = bytes.TrimLeft(e, "\x00")
	return bytes.Equal(e, []byte{3}) || bytes.Equal(e, []byte{1, 0, 1})
}

// recover is the RSA primitive with a public key: sig^e mod n, as long as the
// modulus. False if sig has another length or is not below the modulus. B2 Annex
// B2.1.2, A2.1. crypto/rsa refuses keys under 1024 bits and e = 3, so this is math/big.
func (k rsaKey) recover(sig []byte) ([]byte, bool) {
	if !k.ok() || len(sig) != len(k.mod) {
		return nil, false
	}
	m := new(big.Int).SetBytes(k.mod)
	s := new(big.Int).SetBytes(sig)
	if s.Cmp(m) >= 0 || m.Sign() == 0 {
		return nil, false
	}
	out := make([]byte, len(k.mod))
	r := new(big.Int).Exp(s, new(big.Int).SetBytes(k.exp), m)
	r.FillBytes(out)
	clear(r.Bits())
	return out, true
}

// blank goes over what a hash has last taken in, which may be a card number.
var blank [sha1.BlockSize]byte

// open recovers a certificate or signature and checks header 6A, format, trailer
// BC and the hash over all but these and what lies behind it. B2 §5.3, §5.4, §6.3.
func (k rsaKey) open(sig []byte, format byte, behind ...[]byte) ([]byte, bool) {
	x, ok := k.recover(sig)
	if !ok {
		return nil, false
	}
	n := len(x)
	if n < overICC || x[0] != 0x6A || x[1] != format || x[n-1] != 0xBC {
		return nil, false
	}
	h := sha1.New() //nolint:gosec // as above
	h.Write(x[1 : n-21])
	for _, b := range behind {
		h.Write(b)
	}
	defer h.Write(blank[:])
	return x, bytes.Equal(h.Sum(nil), x[n-21:n-1])
}

// monthOver tells that a certificate MMYY has ended: it is good to the last day
// of its month. B2 §5.3, step 10. A month that cannot be has ended.
func monthOver(mmyy, today []byte) bool {
	if _, ok := digits(mmyy); !ok || mmyy[0] < 1 || mmyy[0] > 0x12 {
		return true
	}
	return date([]byte{mmyy[1], mmyy[0], 0x31}) < date(today)
}

// caKey finds the key that the card names. One that has expired is not used, nor
// is one with a wrong checksum. B2 §5.2, §11.2.2.
func (n *session) caKey() (rsaKey, bool) {
	aid, index := n.settingValue(0x9F06), n.cardValue(0x8F)
	if len(index) != 1 || len(aid) < 5 {
		return rsaKey{}, false
	}
	for _, k := range n.cfg.Keys {
		if !bytes.Equal(k.RID[:], aid[:5]) || k.Index != index[0] {
			continue
		}
		if k.Expiry != "" && expired(k.Expiry, n.settingValue(0x9A)) {
			return rsaKey{}, false
		}
		return rsaKey{k.Modulus, k.Exponent}, true
	}
	return rsaKey{}, false
}

// expired compares YYMMDD in text with a date in BCD.
func expired(yymmdd string, today []byte) bool {
	b := make([]byte, 3)
	if len(yymmdd) != 6 {
		return true
	}
	for i := range 6 {
		c := yymmdd[i]
		if c < '0' || c > '9' {
			return true
		}
		b[i/2] = b[i/2]<<4 | (c - '0')
	}
	return date(b) < date(today)
}

// missing sets the bit for an object that offline data authentication needs. B3
// §7.5, Table 31.
func (n *session) missing(tags ...tlv.Tag) bool {
	gone := false
	for _, t := range tags {
		if len(n.cardValue(t)) == 0 {
			n.tvr.set(ICCDataMissing)
			gone = true
		}
	}
	return gone
}

// key reads a recovered key: its length, exponent length, and the leftmost part
// at the given offset with the rest in a remainder. B2 §5.3, §6.4.
func (n *session) key(x []byte, size, exponent, at, over int, remTag, expTag tlv.Tag) (rsaKey, bool) {
	nMod, room := int(x[size]), len(x)-over
	exp := n.cardValue(expTag)
	if nMod < minModulus || nMod > maxModulus || int(x[exponent]) != len(exp) || !goodExponent(exp) {
		return rsaKey{}, false
	}
	mod := x[at : at+min(nMod, room)]
	if nMod > room {
		if n.missing(remTag) {
			return rsaKey{}, false
		}
		rem := n.cardValue(remTag)
		if len(rem) != nMod-room {
			return rsaKey{}, false
		}
		mod = append(mod[:len(mod):len(mod)], rem...)
	}
	if mod[nMod-1]&1 == 0 {
		return rsaKey{}, false
	}
	return rsaKey{mod, exp}, true
}

// remainder is what a certificate's hash takes of a remainder: nothing when the
// key fits into the certificate. B2 §5.3, step 5.
func (n *session) remainder(t tlv.Tag) []byte { return n.cardValue(t) }

// issuerKey recovers the issuer public key. B2 §5.3 (SDA) and §6.3 (DDA, CDA).
func (n *session) issuerKey() (rsaKey, bool) {
	if n.issuer.ok() {
		return n.issuer, true
	}
	if n.missing(0x8F, 0x90, 0x9F32) {
		return rsaKey{}, false
	}
	ca, ok := n.caKey()
	if !ok {
		return rsaKey{}, false
	}
	x, ok := ca.open(n.cardValue(0x90), 0x02, n.remainder(0x92), n.cardValue(0x9F32))
	if !ok {
		return rsaKey{}, false
	}
	switch {
	case !n.issuerIs(x[2:6]), monthOver(x[6:8], n.settingValue(0x9A)), n.revoked(x[8:11]), x[11] != 1, x[12] != 1:
		return rsaKey{}, false
	}
	n.issuer, ok = n.key(x, 13, 14, 15, overIssuer, 0x92, 0x9F32)
	return n.issuer, ok
}

// issuerIs compares the issuer identifier of the certificate, 3 to 8 digits with
// F behind, with the left of the card number. B2 §5.3, step 8.
func (n *session) issuerIs(iin []byte) bool {
	want, ok := nibbles(iin)
	pan, _ := nibbles(n.cardValue(0x5A))
	defer clear(pan)
	return ok && len(want) >= 3 && bytes.HasPrefix(pan, want)
}

// revoked looks the certificate up in the revocation list. B2 §5.1.2, §5.3 step 9.
func (n *session) revoked(serial []byte) bool {
	aid, index := n.settingValue(0x9F06), n.cardValue(0x8F)
	for _, r := range n.cfg.Revoked {
		if bytes.Equal(r.RID[:], aid[:5]) && r.Index == index[0] && bytes.Equal(r.Serial[:], serial) {
			return true
		}
	}
	return false
}

// staticData is what SDA and the card's own key certificate sign: the records
// and, if the tag list 9F4A is there, the AIP. The list may hold the tag 82 and
// nothing else. B2 §5.1.1.
func (n *session) staticData() ([][]byte, bool) {
	if n.noAuth {
		return nil, false
	}
	list, ok := n.card.get(0x9F4A)
	if !ok {
		return n.auth, true
	}
	if !bytes.Equal(list, []byte{0x82}) {
		return nil, false
	}
	return grow(n.auth, n.cardValue(0x82)), true
}

// iccKey recovers the card's own key. B2 §6.4.
func (n *session) iccKey() (rsaKey, bool) {
	if n.icc.ok() {
		return n.icc, true
	}
	issuer, ok := n.issuerKey()
	gone := n.missing(0x9F46, 0x9F47)
	if !ok || gone {
		return rsaKey{}, false
	}
	static, ok := n.staticData()
	if !ok {
		return rsaKey{}, false
	}
	x, ok := issuer.open(n.cardValue(0x9F46), 0x04, append([][]byte{n.remainder(0x9F48), n.cardValue(0x9F47)}, static...)...)
	if !ok || !n.certifies(x) {
		return rsaKey{}, false
	}
	n.icc, ok = n.key(x, 19, 20, 21, overICC, 0x9F48, 0x9F47)
	return n.icc, ok
}

// certifies checks number, date and algorithms of a card's certificate. B2 §6.4.
func (n *session) certifies(x []byte) bool {
	want, ok := nibbles(x[2:12])
	pan, _ := nibbles(n.cardValue(0x5A))
	defer func() { // the key is all that is wanted of it
		clear(want)
		clear(pan)
		clear(x[2:12])
	}()
	return ok && bytes.Equal(want, pan) && !monthOver(x[12:14], n.settingValue(0x9A)) && x[17] == 1 && x[18] == 1
}

// pinEncipherment is the key for an offline PIN: one of its own if the card has
// one, else the card's key. B2 §7.1.
func (n *session) pinEncipherment() (rsaKey, bool) {
	if _, own := n.card.get(0x9F2D); !own {
		return n.iccKey()
	}
	issuer, ok := n.issuerKey()
	if !ok || len(n.cardValue(0x9F2E)) == 0 {
		return rsaKey{}, false
	}
	x, ok := issuer.open(n.cardValue(0x9F2D), 0x04, n.remainder(0x9F2F), n.cardValue(0x9F2E))
	if !ok || !n.certifies(x) {
		return rsaKey{}, false
	}
	return n.key(x, 19, 20, 21, overICC, 0x9F2F, 0x9F2E)
}
