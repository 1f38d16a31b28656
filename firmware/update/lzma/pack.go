package lzma

import "encoding/binary"

// Opts of a packer.
type Opts struct {
	Dictionary int  // bytes; 0: MaxDictionary
	LC, LP, PB uint // bits of the byte before, of the place for literals, of the place for matches; lc + lp at most 4
}

// ForCode suits 32-bit instructions.
var ForCode = Opts{LC: 0, LP: 2, PB: 2}

// Pack packs b. The same b and Opts give the same bytes.
func Pack(b []byte, o Opts) []byte {
	if o.Dictionary == 0 {
		o.Dictionary = MaxDictionary
	}
	e := &encoder{b: b, m: newModel(o.LC, o.LP, o.PB), c: newCoder(), f: newFinder(b, o.Dictionary, maxMatch, 96)}
	e.c.out = binary.LittleEndian.AppendUint32(append(make([]byte, 0, len(b)/3+64), byte((o.PB*5+o.LP)*9+o.LC)), uint32(o.Dictionary))
	e.c.out = binary.LittleEndian.AppendUint64(e.c.out, uint64(len(b)))
	e.run()
	return e.c.finish()
}

// encoder writes steps with the model of both ends.
type encoder struct {
	b     []byte
	m     *model
	c     *coder
	f     *finder
	pos   int
	state uint
	rep   [4]uint32
	opt   []node
	found []match // at pos, kept from the search before; nil: none
	have  bool
	cost  costs
}

func (e *encoder) run() {
	e.opt = make([]node, horizon+maxMatch+1)
	for e.pos < len(e.b) {
		if e.cost.age <= 0 {
			e.cost.refresh(e.m)
		}
		for _, s := range e.plan() {
			e.write(s)
		}
	}
}

// step is one of the coder: back below 0 is a literal, 0 to 3 a repeated
// distance (of length 1 a short one), from 4 on a distance plus 3.
type step struct {
	length int
	back   int64
}

const literalStep = -1

func (e *encoder) prev(pos int) byte {
	if pos == 0 {
		return 0
	}
	return e.b[pos-1]
}

func (e *encoder) write(s step) {
	m, ps := e.m, uint(e.pos)&(1<<e.m.pb-1)
	e.cost.age--
	if s.back == literalStep {
		e.c.bit(&m.isMatch[e.state][ps], 0)
		e.literal()
		e.state = afterLiteral(e.state)
		e.pos++
		return
	}
	e.c.bit(&m.isMatch[e.state][ps], 1)
	if s.back < 4 {
		e.c.bit(&m.isRep[e.state], 1)
		e.repeat(s, ps)
	} else {
		e.c.bit(&m.isRep[e.state], 0)
		d := uint32(s.back - 4)
		e.length(&m.length, s.length-minMatch, ps)
		e.distance(d, min(s.length-minMatch, 3))
		e.rep = [4]uint32{d, e.rep[0], e.rep[1], e.rep[2]}
		e.state = afterMatch(e.state)
	}
	e.pos += s.length
}

func (e *encoder) repeat(s step, ps uint) {
	m := e.m
	if s.back == 0 {
		e.c.bit(&m.isRepG0[e.state], 0)
		if s.length == 1 {
			e.c.bit(&m.isRep0Long[e.state][ps], 0)
			e.state = afterShortRep(e.state)
			return
		}
		e.c.bit(&m.isRep0Long[e.state][ps], 1)
	} else {
		e.c.bit(&m.isRepG0[e.state], 1)
		if s.back == 1 {
			e.c.bit(&m.isRepG1[e.state], 0)
		} else {
			e.c.bit(&m.isRepG1[e.state], 1)
			e.c.bit(&m.isRepG2[e.state], uint(s.back-2))
		}
		e.rep = rotated(e.rep, int(s.back))
	}
	e.length(&m.repLength, s.length-minMatch, ps)
	e.state = afterRep(e.state)
}

// rotated brings the i-th repeated distance to the front.
func rotated(r [4]uint32, i int) [4]uint32 {
	d := r[i]
	copy(r[1:i+1], r[:i])
	r[0] = d
	return r
}

func (e *encoder) literal() {
	p, v, sym := e.m.literals(uint64(e.pos), e.prev(e.pos)), uint(e.b[e.pos]), uint(1)
	i := 7
	if e.state >= 7 {
		mb := uint(e.b[e.pos-int(e.rep[0])-1])
		for ; i >= 0; i-- {
			want, b := mb>>uint(i)&1, v>>uint(i)&1
			e.c.bit(&p[(1+want)<<8+sym], b)
			sym = sym<<1 | b
			if want != b {
				i--
				break
			}
		}
	}
	for ; i >= 0; i-- {
		b := v >> uint(i) & 1
		e.c.bit(&p[sym], b)
		sym = sym<<1 | b
	}
}

func (e *encoder) length(l *lengths, n int, ps uint) {
	switch {
	case n < 8:
		e.c.bit(&l.choice, 0)
		e.c.tree(l.low[ps][:], uint(n), 3)
	case n < 16:
		e.c.bit(&l.choice, 1)
		e.c.bit(&l.choice2, 0)
		e.c.tree(l.mid[ps][:], uint(n-8), 3)
	default:
		e.c.bit(&l.choice, 1)
		e.c.bit(&l.choice2, 1)
		e.c.tree(l.high[:], uint(n-16), 8)
	}
}

func (e *encoder) distance(d uint32, lenState int) {
	slot := slotOf(d)
	e.c.tree(e.m.slot[lenState][:], uint(slot), 6)
	if slot < 4 {
		return
	}
	n := uint(slot>>1 - 1)
	base := (2 | slot&1) << n
	if slot < endSlot {
		e.c.reverse(e.m.special[base-slot:], d-base, n)
		return
	}
	e.c.direct((d-base)>>4, n-4)
	e.c.reverse(e.m.align[:], (d-base)&15, 4)
}
