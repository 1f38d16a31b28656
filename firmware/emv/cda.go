package emv

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // B2 Annex B3
)

// verifyCDA opens the signature of a GENERATE AC answer. Its hash covers the
// unpredictable number; inside lie the cryptogram, a copy of the CID, and the
// hash over everything that was sent and received. B2 §6.6.2.
func (n *session) verifyCDA(c cryptogram, second bool) {
	n.cdaDone = true
	n.tsi.set(DidODA)
	x, ok := n.icc.open(c.signed, 0x05, n.settingValue(0x9F37))
	dyn, ok := dynamicData(x, ok)
	if !ok || len(dyn) < 1 {
		n.tvr.set(CDAFailed)
		return
	}
	// Table 19: length, ICC Dynamic Number, CID, AC, transaction data hash code.
	size := int(dyn[0])
	if size < 2 || size > 8 || len(dyn) != 1+size+1+8+20 {
		n.tvr.set(CDAFailed)
		return
	}
	number, rest := dyn[1:1+size], dyn[1+size:]
	if rest[0] != c.cid || !bytes.Equal(n.transactionHash(c, second), rest[9:29]) {
		n.tvr.set(CDAFailed)
		return
	}
	n.card.put(0x9F4C, bytes.Clone(number))
	n.card.put(0x9F26, bytes.Clone(rest[1:9]))
}

// transactionHash is the hash over the values of PDOL, CDOL1 and, for the second
// cryptogram, CDOL2 as they were sent, and the answer's objects as they came, the
// signature left out. B2 §6.6.1, §6.6.2 steps 10 to 12.
func (n *session) transactionHash(c cryptogram, second bool) []byte {
	h := sha1.New() //nolint:gosec // as above
	h.Write(n.pdol)
	h.Write(n.cdol1)
	if second {
		h.Write(n.cdol2)
	}
	for _, o := range c.objects {
		if o.Tag != 0x9F4B {
			h.Write(o.Raw)
		}
	}
	defer h.Write(blank[:])
	return h.Sum(nil)
}
