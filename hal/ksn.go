package hal

import "encoding/hex"

// KSN is a key serial number, as raw bytes: 10 with TDES DUKPT (X9.24-1, Annex A),
// 12 with AES DUKPT (X9.24-3 §6.2). It goes with the message in clear; none is
// used twice.
type KSN string

// String is upper-case hex, as hosts print it.
func (k KSN) String() string {
	const digits = "0123456789ABCDEF"
	out := make([]byte, 0, 2*len(k))
	for i := range len(k) {
		out = append(out, digits[k[i]>>4], digits[k[i]&15])
	}
	return string(out)
}

// ParseKSN reads 20 or 24 hex digits.
func ParseKSN(s string) (KSN, bool) {
	b, err := hex.DecodeString(s)
	return KSN(b), err == nil && (len(b) == 10 || len(b) == 12)
}

// Direction of a message: hosts and terminals have a key each.
type Direction uint8

const (
	Request  Direction = iota // from the terminal
	Response                  // from the host
)
