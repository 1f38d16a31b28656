package lzma

import "slices"

// horizon is how many bytes are planned at a time.
const horizon = 4096

// refreshEvery so many steps the cached prices are made anew.
const refreshEvery = 256

// costs are prices that are asked for often, in sixteenths of a bit.
type costs struct {
	age    int
	length [2][16][maxMatch - minMatch + 1]uint32 // of matches, of repeats
	slot   [4][64]uint32
	near   [4][fullDist]uint32
	align  [16]uint32
}

func (c *costs) refresh(m *model) {
	c.age = refreshEvery
	for i, l := range []*lengths{&m.length, &m.repLength} {
		low, mid, high := price(l.choice, 0), price(l.choice, 1)+price(l.choice2, 0), price(l.choice, 1)+price(l.choice2, 1)
		for ps := range uint(1) << m.pb {
			for n := range c.length[i][ps] {
				switch {
				case n < 8:
					c.length[i][ps][n] = low + priceTree(l.low[ps][:], uint(n), 3)
				case n < 16:
					c.length[i][ps][n] = mid + priceTree(l.mid[ps][:], uint(n-8), 3)
				case ps == 0:
					c.length[i][ps][n] = high + priceTree(l.high[:], uint(n-16), 8)
				default:
					c.length[i][ps][n] = c.length[i][0][n]
				}
			}
		}
	}
	for s := range c.slot {
		for slot := range uint32(64) {
			p := priceTree(m.slot[s][:], uint(slot), 6)
			if slot >= endSlot {
				p += (slot>>1 - 1 - 4) << 4
			}
			c.slot[s][slot] = p
		}
		for d := range uint32(fullDist) {
			slot := slotOf(d)
			p := c.slot[s][slot]
			if slot >= 4 {
				n := uint(slot>>1 - 1)
				base := (2 | slot&1) << n
				p += priceReverse(m.special[base-slot:], d-base, n)
			}
			c.near[s][d] = p
		}
	}
	for i := range c.align {
		c.align[i] = priceReverse(m.align[:], uint32(i), 4)
	}
}

func (c *costs) distance(d uint32, length int) uint32 {
	s := min(length-minMatch, 3)
	if d < fullDist {
		return c.near[s][d]
	}
	return c.slot[s][slotOf(d)] + c.align[d&15]
}

// node is the cheapest known way to a place.
type node struct {
	price uint32
	from  int
	step  step
	state uint
	rep   [4]uint32
}

const unreached = 1<<32 - 1

func (e *encoder) search() []match {
	if !e.have {
		e.found = e.f.next()
		e.have = true
	}
	return e.found
}

func (e *encoder) skip(n int) {
	for range n {
		e.f.next()
	}
}

// plan gives the cheapest steps from here to where all ways meet, to a very long
// match, or to the horizon.
func (e *encoder) plan() []step {
	ms := e.search()
	if s, ok := e.long(ms); ok {
		e.have = false
		e.skip(s.length - 1)
		return []step{s}
	}
	opt := e.opt
	opt[0] = node{state: e.state, rep: e.rep}
	reach := 0
	at := 0
	for ; ; at++ {
		if at > 0 {
			if at == reach {
				break
			}
			e.arrive(at)
			ms = e.search()
			if n := len(ms); n > 0 && ms[n-1].length >= e.f.nice || at >= horizon {
				break
			}
		}
		reach = e.leave(at, reach, ms)
		e.have = false
	}
	var steps []step
	for i := at; i > 0; i = opt[i].from {
		steps = append(steps, opt[i].step)
	}
	slices.Reverse(steps)
	return steps
}

// long is a match that no plan could better.
func (e *encoder) long(ms []match) (step, bool) {
	limit := min(len(e.b)-e.pos, maxMatch)
	for i, d := range e.rep {
		if n := e.common(e.pos, d, limit); n >= maxMatch {
			return step{n, int64(i)}, true
		}
	}
	if n := len(ms); n > 0 && ms[n-1].length >= e.f.nice {
		return step{ms[n-1].length, int64(ms[n-1].dist) + 4}, true
	}
	return step{}, false
}

func (e *encoder) common(pos int, d uint32, limit int) int {
	if int64(d) >= int64(pos) {
		return 0
	}
	return alike(e.b[pos-int(d)-1:], e.b[pos:pos+limit])
}

// arrive works out state and distances at a place from the way that leads to it.
func (e *encoder) arrive(at int) {
	n := &e.opt[at]
	p := &e.opt[n.from]
	n.rep = p.rep
	switch b := n.step.back; {
	case b == literalStep:
		n.state = afterLiteral(p.state)
	case b == 0 && n.step.length == 1:
		n.state = afterShortRep(p.state)
	case b < 4:
		n.state = afterRep(p.state)
		n.rep = rotated(p.rep, int(b))
	default:
		n.state = afterMatch(p.state)
		n.rep = [4]uint32{uint32(b - 4), p.rep[0], p.rep[1], p.rep[2]}
	}
}

// leave prices every step from a place; it gives the furthest place reached.
func (e *encoder) leave(at, reach int, ms []match) int {
	n, m := e.opt[at], e.m
	pos := e.pos + at
	ps, limit := uint(pos)&(1<<m.pb-1), min(len(e.b)-pos, maxMatch)
	to := func(length int, back int64, cost uint32) {
		for reach < at+length {
			reach++
			e.opt[reach].price = unreached
		}
		if t := &e.opt[at+length]; cost < t.price {
			t.price, t.from, t.step = cost, at, step{length, back}
		}
	}
	to(1, literalStep, n.price+price(m.isMatch[n.state][ps], 0)+e.priceLiteral(pos, n.state, n.rep[0]))
	matched := n.price + price(m.isMatch[n.state][ps], 1)
	repeated := matched + price(m.isRep[n.state], 1)
	for i, d := range n.rep {
		length := e.common(pos, d, limit)
		if length == 0 {
			continue
		}
		var which uint32
		switch i {
		case 0:
			which = price(m.isRepG0[n.state], 0)
			to(1, 0, repeated+which+price(m.isRep0Long[n.state][ps], 0))
			which += price(m.isRep0Long[n.state][ps], 1)
		case 1:
			which = price(m.isRepG0[n.state], 1) + price(m.isRepG1[n.state], 0)
		default:
			which = price(m.isRepG0[n.state], 1) + price(m.isRepG1[n.state], 1) + price(m.isRepG2[n.state], uint(i-2))
		}
		for l := length; l >= minMatch; l-- {
			to(l, int64(i), repeated+which+e.cost.length[1][ps][l-minMatch])
		}
	}
	plain, l := matched+price(m.isRep[n.state], 0), minMatch
	for _, x := range ms {
		for ; l <= x.length; l++ {
			to(l, int64(x.dist)+4, plain+e.cost.length[0][ps][l-minMatch]+e.cost.distance(x.dist, l))
		}
	}
	return reach
}

func (e *encoder) priceLiteral(pos int, state uint, rep0 uint32) (sum uint32) {
	p, v, sym := e.m.literals(uint64(pos), e.prev(pos)), uint(e.b[pos]), uint(1)
	i := 7
	if state >= 7 {
		mb := uint(e.b[pos-int(rep0)-1])
		for ; i >= 0; i-- {
			want, b := mb>>uint(i)&1, v>>uint(i)&1
			sum += price(p[(1+want)<<8+sym], b)
			sym = sym<<1 | b
			if want != b {
				i--
				break
			}
		}
	}
	for ; i >= 0; i-- {
		b := v >> uint(i) & 1
		sum += price(p[sym], b)
		sym = sym<<1 | b
	}
	return sum
}
