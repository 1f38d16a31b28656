package iso8583

import "fmt"

// Fields of the dialect by name. ISO8583 §4.
const (
	DEPAN         = 2
	DEProcessing  = 3
	DEAmount      = 4
	DESTAN        = 11
	DETime        = 12
	DEDate        = 13
	DEExpiry      = 14
	DESettleDate  = 15
	DEEntryMode   = 22
	DEPANSequence = 23
	DECondition   = 25
	DEPINMax      = 26
	DEAcquirer    = 32
	DETrack2      = 35
	DETrack3      = 36
	DERRN         = 37
	DEAuthCode    = 38
	DEResponse    = 39
	DETerminalID  = 41
	DEMerchantID  = 42
	DEAdditional  = 44
	DEPrivate48   = 48
	DECurrency    = 49
	DEPIN         = 52
	DESecurity    = 53
	DEBalance     = 54
	DEICC         = 55
	DEPurse       = 58
	DELocation    = 59
	DEBatch       = 60
	DEOriginal    = 61
	DEKeys        = 62
	DETexts       = 63
	DEMAC         = 64
)

// kind is the attribute of a field, HOST §1.2.
type kind uint8

const (
	kindN   kind = iota + 1 // packed BCD digits
	kindZ                   // packed digits and the separator nibble D
	kindAN                  // ASCII letters, digits, blank
	kindANS                 // bytes of text, ASCII or GBK
	kindB                   // binary
)

// spec is one row of a dialect's table.
type spec struct {
	name string
	kind kind
	size uint16 // fixed: the length; variable: the most. Digits for n and z, else bytes
	ll   uint8  // length bytes in BCD: 0 fixed, 1 LL, 2 LLL
	left bool   // a fixed odd n stands left and is followed by a 0 nibble (DE 22)
}

// octets is how many bytes a value of n digits or bytes takes.
func (s spec) octets(n int) int {
	if s.kind == kindN || s.kind == kindZ {
		return (n + 1) / 2
	}
	return n
}

// Dialect is a table of fields.
type Dialect struct {
	name string
	f    [65]spec
}

// UnionPay is the dialect of HOST §1.2.
var UnionPay = &Dialect{name: "unionpay", f: [65]spec{
	2:  {"PAN", kindN, 19, 1, true},
	3:  {"processing code", kindN, 6, 0, true},
	4:  {"amount", kindN, 12, 0, true},
	11: {"STAN", kindN, 6, 0, true},
	12: {"local time", kindN, 6, 0, true},
	13: {"local date", kindN, 4, 0, true},
	14: {"expiry", kindN, 4, 0, true},
	15: {"settlement date", kindN, 4, 0, true},
	22: {"POS entry mode", kindN, 3, 0, true},
	23: {"PAN sequence number", kindN, 3, 0, false},
	25: {"POS condition code", kindN, 2, 0, true},
	26: {"PIN length", kindN, 2, 0, true},
	32: {"acquirer id", kindN, 11, 1, true},
	35: {"track 2", kindZ, 37, 1, true},
	36: {"track 3", kindZ, 104, 2, true},
	37: {"RRN", kindAN, 12, 0, false},
	38: {"authorisation code", kindAN, 6, 0, false},
	39: {"response code", kindAN, 2, 0, false},
	41: {"terminal id", kindANS, 8, 0, false},
	42: {"merchant id", kindANS, 15, 0, false},
	44: {"additional response", kindANS, 25, 1, false},
	48: {"private 48", kindN, 322, 2, true},
	49: {"currency", kindAN, 3, 0, false},
	52: {"PIN block", kindB, 8, 0, false},
	53: {"security control", kindN, 16, 0, true},
	54: {"additional amounts", kindAN, 20, 2, false},
	55: {"ICC data", kindB, 255, 2, false},
	58: {"purse data", kindB, 999, 2, false},
	59: {"location", kindB, 999, 2, false},
	60: {"type and batch", kindN, 40, 2, true},
	61: {"original transaction", kindN, 40, 2, true},
	62: {"private 62", kindB, 512, 2, false},
	63: {"private 63", kindANS, 163, 2, false},
	64: {"MAC", kindB, 8, 0, false},
}}

// Name of a field in this dialect; "" if it has none.
func (d *Dialect) Name(de int) string {
	if de < 2 || de > 64 {
		return ""
	}
	return d.f[de].name
}

// Reason is what is wrong with a message.
type Reason uint8

const (
	Truncated     Reason = iota + 1 // the message ends inside this field
	TrailingBytes                   // bytes are left that the bitmap does not announce
	BadLength                       // a length that is no number, or more than the field may have
	BadDigit                        // a nibble that is no digit of this field
	BadPad                          // the filler nibble is not 0
	BadCharacter                    // a byte outside the field's alphabet
	UnknownField                    // the bitmap announces a field the dialect does not have
	SecondBitmap                    // bit 1: this dialect has 64 bits
	BadMTI                          // not four digits
	BadFrame                        // the frame around the message
	MissingField                    // not there, and needed
)

var reasons = [...]string{"", "truncated", "trailing bytes", "bad length", "not a digit", "filler not 0", "bad character",
	"unknown field", "second bitmap", "bad MTI", "bad frame", "missing"}

func (r Reason) String() string { return reasons[min(int(r), len(reasons)-1)] }

// FieldError names the field and the byte offset of what is wrong, and shows
// nothing of the content. Field 0 is the message itself.
type FieldError struct {
	Field  int
	Name   string
	Offset int
	Reason Reason
}

func (e *FieldError) Error() string {
	if e.Field == 0 {
		return fmt.Sprintf("iso8583: %s at offset %d", e.Reason, e.Offset)
	}
	return fmt.Sprintf("iso8583: DE %d (%s) at offset %d: %s", e.Field, e.Name, e.Offset, e.Reason)
}

func (d *Dialect) fail(de, offset int, r Reason) error {
	return &FieldError{Field: de, Name: d.Name(de), Offset: offset, Reason: r}
}
