package card

import "bytes"

// block is a PIN block in format 2. ISO 9564-1 §9.3.3.
func block(pin string) []byte {
	d := "2" + string("0123456789ABCDEF"[len(pin)&15]) + pin + "FFFFFFFFFFFFFFFF"
	return unhex(d[:16])
}

// verify: plain (80) or enciphered (88); the counter goes down before the answer.
// B3 §6.5.12, B2 §7.2.
func (c *Card) verify(p2 byte, data []byte) []byte {
	if c.tries == 0 {
		return sw(0x6983)
	}
	plain := data
	switch p2 {
	case 0x80:
	case 0x88:
		key := c.pinKey
		if key == nil {
			key = c.icc
		}
		if key == nil || c.challenge == nil || len(data) != len(key.N) {
			return sw(0x6985)
		}
		m := key.private(data)
		fresh := bytes.Equal(m[9:17], c.challenge)
		c.challenge = nil
		if m[0] != 0x7F || !fresh {
			return sw(0x6984)
		}
		plain = m[1:9]
	default:
		return sw(0x6A86)
	}
	c.tries--
	if bytes.Equal(plain, block(c.pin)) {
		c.tries = max(c.p.Tries, 3)
		c.pinOK = true
		return sw(0x9000)
	}
	return sw(0x63C0 | uint16(c.tries))
}
