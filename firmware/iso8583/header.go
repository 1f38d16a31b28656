package iso8583

import "encoding/hex"

// HeaderSize of a message header in bytes.
const HeaderSize = 6

// Header is the message header (报文头), n12 in six bytes: application class
// n2, total version of the software n2, state n1, processing requirement n1,
// sub-version n6. HOST §1.1.
type Header [HeaderSize]byte

// What a host orders in the header of an answer. It is to be done after the
// present transaction, once an order. HOST §1.1.
const (
	OrderNone           = 0
	OrderParameters     = 1 // download parameters, 0800/360
	OrderStatus         = 2 // upload status, 0820/362
	OrderSignOn         = 3
	OrderCAPK           = 4
	OrderAID            = 5
	OrderUpdate         = 6
	OrderBlacklist      = 7
	ApplicationBankCard = 60 // AppClass of a bank card message
)

// ParseHeader reads twelve digits of text: "603100311003".
func ParseHeader(digits string) (h Header, err error) {
	b, err := hex.DecodeString(digits)
	if err != nil || len(b) != HeaderSize {
		return h, UnionPay.fail(0, 0, BadFrame)
	}
	return readHeader(b, 0)
}

// readHeader takes the first six bytes of raw, which stand at an offset.
func readHeader(raw []byte, at int) (h Header, err error) {
	if len(raw) < HeaderSize {
		return h, UnionPay.fail(0, at+len(raw), Truncated)
	}
	for i, b := range raw[:HeaderSize] {
		if !isBCD(b) {
			return h, UnionPay.fail(0, at+i, BadFrame)
		}
	}
	return Header(raw), nil
}

// AppClass is 60 for bank cards.
func (h Header) AppClass() int { return decimal(h[0]) }

// Version is the total version of the terminal's software: 22, 31, 32.
func (h Header) Version() int { return decimal(h[1]) }

// State is 0 in service and 1 in test.
func (h Header) State() int { return int(h[2] >> 4) }

// Processing is the host's order to the terminal in an answer: OrderNone,
// OrderParameters and so on.
func (h Header) Processing() int { return int(h[2] & 0xF) }

// SubVersion is the terminal's own version, six digits.
func (h Header) SubVersion() int { return decimal(h[3])*10000 + decimal(h[4])*100 + decimal(h[5]) }

// WithState is h in service (0) or in test (1).
func (h Header) WithState(s int) Header {
	h[2] = byte(s)<<4 | h[2]&0xF
	return h
}

// WithProcessing is h with an order of the host.
func (h Header) WithProcessing(order int) Header {
	h[2] = h[2]&0xF0 | byte(order)&0xF
	return h
}

func (h Header) String() string { return hex.EncodeToString(h[:]) }

func decimal(b byte) int { return int(b>>4)*10 + int(b&0xF) }
