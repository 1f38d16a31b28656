package lzma

import "math/bits"

// coder is the range coder's end that writes. LZMA, "Range coder".
type coder struct {
	out   []byte
	low   uint64
	rng   uint32
	cache byte
	held  int64
}

func newCoder() *coder { return &coder{rng: 1<<32 - 1, held: 1} }

func (c *coder) shift() {
	if c.low < 0xFF000000 || c.low >= 1<<32 {
		carry := byte(c.low >> 32)
		for b := c.cache; c.held > 0; c.held-- {
			c.out = append(c.out, b+carry)
			b = 0xFF
		}
		c.cache = byte(c.low >> 24)
	}
	c.held++
	c.low = c.low & 0x00FFFFFF << 8
}

func (c *coder) bit(p *prob, b uint) {
	bound := c.rng >> 11 * uint32(*p)
	if b == 0 {
		c.rng = bound
		*p += (2048 - *p) >> 5
	} else {
		c.low += uint64(bound)
		c.rng -= bound
		*p -= *p >> 5
	}
	if c.rng < 1<<24 {
		c.rng <<= 8
		c.shift()
	}
}

func (c *coder) direct(v uint32, n uint) {
	for i := int(n) - 1; i >= 0; i-- {
		c.rng >>= 1
		if v>>uint(i)&1 == 1 {
			c.low += uint64(c.rng)
		}
		if c.rng < 1<<24 {
			c.rng <<= 8
			c.shift()
		}
	}
}

func (c *coder) tree(p []prob, v, n uint) {
	m := uint(1)
	for i := int(n) - 1; i >= 0; i-- {
		b := v >> uint(i) & 1
		c.bit(&p[m], b)
		m = m<<1 | b
	}
}

func (c *coder) reverse(p []prob, v uint32, n uint) {
	m := uint(1)
	for range n {
		b := uint(v & 1)
		v >>= 1
		c.bit(&p[m], b)
		m = m<<1 | b
	}
}

func (c *coder) finish() []byte {
	for range 5 {
		c.shift()
	}
	return c.out
}

// prices[p>>4] is what a bit of chance p costs, in sixteenths of a bit.
var prices = func() (t [128]uint32) {
	for i := uint32(8); i < 2048; i += 16 {
		w, n := i, uint32(0)
		for range 4 {
			w *= w
			n <<= 1
			for w >= 1<<16 {
				w >>= 1
				n++
			}
		}
		t[i>>4] = 11<<4 - 15 - n
	}
	return t
}()

func price(p prob, b uint) uint32 { return prices[(p^prob(-b)&2047)>>4] }

func priceTree(p []prob, v, n uint) (sum uint32) {
	for v |= 1 << n; v > 1; v >>= 1 {
		sum += price(p[v>>1], v&1)
	}
	return sum
}

func priceReverse(p []prob, v uint32, n uint) (sum uint32) {
	m := uint(1)
	for range n {
		b := uint(v & 1)
		v >>= 1
		sum += price(p[m], b)
		m = m<<1 | b
	}
	return sum
}

// slotOf is the distance slot of d, which is the distance less one.
func slotOf(d uint32) uint32 {
	if d < 4 {
		return d
	}
	n := uint32(bits.Len32(d) - 1)
	return 2*n + d>>(n-1)&1
}
