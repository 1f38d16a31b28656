package iso8583

import "fmt"

// MTI is a message type in BCD: 0x0200. Its digits are version, class,
// function and origin. ISO8583 §4.1.
type MTI uint16

// Class is the second digit of an MTI.
type Class uint8

const (
	Authorisation  Class = 1 // 01xx: pre-authorisation
	Financial      Class = 2 // 02xx: sale, void, refund, completion, balance
	FileAction     Class = 3 // 03xx: batch upload, notices
	Reversal       Class = 4 // 04xx
	Reconciliation Class = 5 // 05xx: settlement
	Administrative Class = 6 // 06xx: script results
	Network        Class = 8 // 08xx: sign-on, echo, downloads
)

// ParseMTI reads four digits: "0200".
func ParseMTI(s string) (MTI, error) {
	var m MTI
	if len(s) != 4 {
		return 0, UnionPay.fail(0, len(s), BadMTI)
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, UnionPay.fail(0, i, BadMTI)
		}
		m = m<<4 | MTI(s[i]-'0')
	}
	if !m.Valid() {
		return 0, UnionPay.fail(0, 0, BadMTI)
	}
	return m, nil
}

// Valid tells whether m is four digits, of version 0 (1987) and of a class.
func (m MTI) Valid() bool {
	return m>>12 == 0 && m>>8 >= 1 && m>>8 <= 8 && m>>4&0xF <= 9 && m&0xF <= 9
}

// Class is what the message is about.
func (m MTI) Class() Class { return Class(m >> 8 & 0xF) }

// IsResponse tells an answer (xx10, xx30) from a request or an advice.
func (m MTI) IsResponse() bool { return m>>4&1 == 1 }

// IsAdvice tells that the transaction has already happened (xx20, xx30).
func (m MTI) IsAdvice() bool { return m>>4&0xE == 2 }

// IsRepeat tells a message that was sent before (xxx1).
func (m MTI) IsRepeat() bool { return m&0xF == 1 }

// Response is the MTI that answers m: +10, and a repeat is answered like the
// first one. HOST §1.4.
func (m MTI) Response() MTI { return m&^0xF + 0x10 }

func (m MTI) String() string { return fmt.Sprintf("%04x", uint16(m)) }
