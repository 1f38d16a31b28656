package iso8583

// Security is DE 53, how PIN and tracks are protected. The field is absent if
// a message has neither. HOST §1.2.
type Security struct {
	PIN       PINFormat
	Algorithm Algorithm
	Tracks    bool // DE 35 and 36 are encrypted
}

// PINFormat is the first digit of DE 53.
type PINFormat uint8

const (
	NoPIN         PINFormat = 0
	PINWithoutPAN PINFormat = 1
	PINWithPAN    PINFormat = 2 // ISO 9564 format 0
)

// Algorithm is the second digit of DE 53.
type Algorithm uint8

const (
	DES  Algorithm = 0
	TDES Algorithm = 6
	SM4  Algorithm = 3
)

// Digits is DE 53 as SetDigits takes it: "2610000000000000".
func (s Security) Digits() string {
	d := []byte("0000000000000000")
	d[0] += byte(s.PIN) % 10
	d[1] += byte(s.Algorithm) % 10
	if s.Tracks {
		d[2] = '1'
	}
	return string(d)
}

// ParseSecurity reads DE 53.
func ParseSecurity(digits string) (s Security, err error) {
	if len(digits) != 16 {
		return s, UnionPay.fail(DESecurity, len(digits), BadLength)
	}
	if err := checkDigits(DESecurity, digits); err != nil {
		return s, err
	}
	s = Security{PIN: PINFormat(digits[0] - '0'), Algorithm: Algorithm(digits[1] - '0'), Tracks: digits[2] == '1'}
	for i, want := 0, s.Digits(); i < len(digits); i++ {
		if want[i] != digits[i] || i == 0 && s.PIN > PINWithPAN {
			return Security{}, UnionPay.fail(DESecurity, i, BadValue)
		}
	}
	return s, nil
}
