package font

// MaxRows is the height of a glyph at the largest scale.
const MaxRows = 3 * Height

// Scaled gives the rows of a glyph at 1, 2 or 3 times its size; the leftmost
// pixel of a row is bit 63. Slanted strokes are smoothed (Scale2x, Scale3x).
func (g *Glyph) Scaled(scale int) (rows [MaxRows]uint64) {
	switch scale {
	case 2:
		double(&g.Rows, &rows)
	case 3:
		triple(&g.Rows, &rows)
	default:
		for i, r := range g.Rows {
			rows[i] = uint64(r) << 48
		}
	}
	return rows
}

// double is Scale2x on a one-bit glyph, 16 pixels at a time: each pixel
// becomes 2×2, and a corner of the four follows the two neighbours it touches
// if they agree and the other two do not. Slanted strokes stay smooth.
func double(src *[Height]uint16, dst *[MaxRows]uint64) {
	var up uint16
	for y, e := range src {
		var down uint16
		if y+1 < Height {
			down = src[y+1]
		}
		l, r := e>>1, e<<1
		ul := ^(l ^ up) & (l ^ down) & (up ^ r)
		ur := ^(up ^ r) & (up ^ l) & (r ^ down)
		dl := ^(down ^ l) & (down ^ r) & (l ^ up)
		dr := ^(r ^ down) & (r ^ up) & (down ^ l)
		dst[2*y] = uint64(spread(ul&up|^ul&e)<<1|spread(ur&r|^ur&e)) << 32
		dst[2*y+1] = uint64(spread(dl&l|^dl&e)<<1|spread(dr&down|^dr&e)) << 32
		up = e
	}
}

// spread puts a zero before each of 16 bits.
func spread(v uint16) uint32 {
	x := uint32(v)
	x = (x | x<<8) & 0x00FF00FF
	x = (x | x<<4) & 0x0F0F0F0F
	x = (x | x<<2) & 0x33333333
	return (x | x<<1) & 0x55555555
}

// triple is Scale3x, the same idea with 3×3.
func triple(src *[Height]uint16, dst *[MaxRows]uint64) {
	var b uint16 // the row above
	for y, e := range src {
		var h uint16 // the row below
		if y+1 < Height {
			h = src[y+1]
		}
		a, c, d, f, g, i := b>>1, b<<1, e>>1, e<<1, h>>1, h<<1
		db := ^(d ^ b) & (b ^ f) & (d ^ h)
		bf := ^(b ^ f) & (b ^ d) & (f ^ h)
		dh := ^(d ^ h) & (d ^ b) & (h ^ f)
		hf := ^(h ^ f) & (d ^ h) & (b ^ f)
		pick := func(m, v uint16) uint16 { return m&v | ^m&e }
		dst[3*y] = weave(pick(db, d), pick(db&(e^c)|bf&(e^a), b), pick(bf, f))
		dst[3*y+1] = weave(pick(db&(e^g)|dh&(e^a), d), e, pick(bf&(e^i)|hf&(e^c), f))
		dst[3*y+2] = weave(pick(dh, d), pick(dh&(e^i)|hf&(e^g), h), pick(hf, f))
		b = e
	}
}

// weave puts bit i of l, m, r side by side, from bit 63 down.
func weave(l, m, r uint16) uint64 {
	var out uint64
	for i := 15; i >= 0; i-- {
		out = out<<3 | uint64(l>>i&1)<<2 | uint64(m>>i&1)<<1 | uint64(r>>i&1)
	}
	return out << 16
}
