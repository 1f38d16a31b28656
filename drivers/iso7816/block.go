package iso7816

import (
	"errors"
	"fmt"
)

// Kinds of T=1 blocks and what S-blocks ask. ISO7816-3 §11.3.2.
const (
	pcbR        = 0x80
	pcbS        = 0xC0
	sResynch    = 0x00
	sIFS        = 0x01
	sAbort      = 0x02
	sWTX        = 0x03
	sResponse   = 0x20
	more        = 0x20 // of an I-block's PCB
	rEDC        = 0x01 // R-block: the block failed its check
	rOther      = 0x02
	maxINF      = 254
	maxBlock    = 3 + maxINF + 2
	headerBytes = 3 // NAD PCB LEN
)

// Block is a T=1 block without its frame. ISO7816-3 §11.3.
type Block struct {
	PCB byte
	INF []byte
}

// Kind of a block.
type Kind byte

const (
	KindI Kind = 'I'
	KindR Kind = 'R'
	KindS Kind = 'S'
)

// Kind is I, R or S.
func (b Block) Kind() Kind {
	switch {
	case b.PCB&0x80 == 0:
		return KindI
	case b.PCB&0x40 == 0:
		return KindR
	}
	return KindS
}

// NS is N(S) of an I-block, NR is N(R) of an R-block.
func (b Block) NS() byte { return b.PCB >> 6 & 1 }
func (b Block) NR() byte { return b.PCB >> 4 & 1 }

// More tells of an I-block that the chain goes on.
func (b Block) More() bool { return b.PCB&more != 0 }

// ErrBlock says that bytes are no block; errCheck that they failed their check.
var (
	ErrBlock = errors.New("iso7816: no T=1 block")
	errCheck = fmt.Errorf("%w: the check is wrong", ErrBlock)
)

// AppendBlock appends NAD 00, PCB, LEN, INF and the check. ISO7816-3 §11.3.
func AppendBlock(dst []byte, b Block, crc bool) []byte {
	at := len(dst)
	dst = append(append(dst, 0, b.PCB, byte(len(b.INF))), b.INF...)
	return appendCheck(dst, dst[at:], crc)
}

func appendCheck(dst, over []byte, crc bool) []byte {
	if crc {
		c := crc16(over)
		return append(dst, byte(c>>8), byte(c))
	}
	sum := byte(0)
	for _, c := range over {
		sum ^= c
	}
	return append(dst, sum)
}

// crc16 is the CRC of ISO/IEC 13239: x^16+x^12+x^5+1, preset FFFF, least
// significant bit first, inverted. ISO7816-3 §11.4.4.
func crc16(b []byte) uint16 {
	c := uint16(0xFFFF)
	for _, v := range b {
		c ^= uint16(v)
		for range 8 {
			if c&1 == 1 {
				c = c>>1 ^ 0x8408
			} else {
				c >>= 1
			}
		}
	}
	return ^c
}

// ParseBlock takes a whole block apart and refuses what no block of a card may
// be: another address, a wrong length or check, a PCB or an S-block's content
// outside the tables. EMV1 §9.2.4.
func ParseBlock(b []byte, crc bool) (Block, error) {
	edc := 1
	if crc {
		edc = 2
	}
	if len(b) < headerBytes+edc || len(b) != headerBytes+int(b[2])+edc || b[2] == 0xFF {
		return Block{}, fmt.Errorf("%w: %d bytes", ErrBlock, len(b))
	}
	body := b[:len(b)-edc]
	if string(appendCheck(nil, body, crc)) != string(b[len(body):]) {
		return Block{}, errCheck
	}
	k := Block{PCB: b[1], INF: body[headerBytes:]}
	bad := b[0] != 0
	switch k.Kind() {
	case KindI:
		bad = bad || k.PCB&0x1F != 0
	case KindR:
		bad = bad || k.PCB&0x2F > rOther || len(k.INF) > 0
	case KindS:
		switch k.PCB &^ sResponse & 0x3F {
		case sIFS:
			bad = bad || len(k.INF) != 1 || k.INF[0] < 0x10 || k.INF[0] == 0xFF
		case sWTX:
			bad = bad || len(k.INF) != 1 || k.INF[0] == 0
		case sResynch, sAbort:
			bad = bad || len(k.INF) > 0
		default:
			bad = true
		}
	}
	if bad {
		return Block{}, fmt.Errorf("%w: NAD %02X, PCB %02X, %d bytes", ErrBlock, b[0], b[1], len(k.INF))
	}
	return k, nil
}
