package lzma

// Limits of a stream. LZMA, "The main loop of the decoder".
const (
	headerSize = 13
	minMatch   = 2
	maxMatch   = 273
	states     = 12
	probInit   = 1024
	endSlot    = 14 // distance slots from here on have direct and aligned bits
	fullDist   = 128

	// MaxDictionary is the most memory that a stream may ask for.
	MaxDictionary = 8 << 20
)

// prob is the chance of a 0 bit, of 2048.
type prob = uint16

// lengths codes a match's length.
type lengths struct {
	choice, choice2 prob
	low, mid        [16][8]prob
	high            [256]prob
}

// model is all that both ends learn.
type model struct {
	lc, lp, pb uint
	isMatch    [states][16]prob
	isRep      [states]prob
	isRepG0    [states]prob
	isRepG1    [states]prob
	isRepG2    [states]prob
	isRep0Long [states][16]prob
	slot       [4][64]prob
	special    [1 + fullDist - endSlot]prob
	align      [16]prob
	length     lengths
	repLength  lengths
	literal    []prob
}

func even(p []prob) {
	for i := range p {
		p[i] = probInit
	}
}

func (l *lengths) reset() {
	l.choice, l.choice2 = probInit, probInit
	for i := range l.low {
		even(l.low[i][:])
		even(l.mid[i][:])
	}
	even(l.high[:])
}

func newModel(lc, lp, pb uint) *model {
	m := &model{lc: lc, lp: lp, pb: pb, literal: make([]prob, 0x300<<(lc+lp))}
	for i := range m.isMatch {
		even(m.isMatch[i][:])
		even(m.isRep0Long[i][:])
	}
	for _, p := range [][]prob{m.isRep[:], m.isRepG0[:], m.isRepG1[:], m.isRepG2[:], m.special[:], m.align[:], m.literal} {
		even(p)
	}
	for i := range m.slot {
		even(m.slot[i][:])
	}
	m.length.reset()
	m.repLength.reset()
	return m
}

// literals are the chances for a byte at pos behind prev.
func (m *model) literals(pos uint64, prev byte) []prob {
	i := (uint(pos)&(1<<m.lp-1))<<m.lc + uint(prev)>>(8-m.lc)
	return m.literal[0x300*i : 0x300*i+0x300]
}

// The states after each kind of step. LZMA, "State".
func afterLiteral(s uint) uint {
	switch {
	case s < 4:
		return 0
	case s < 10:
		return s - 3
	}
	return s - 6
}

func afterMatch(s uint) uint {
	if s < 7 {
		return 7
	}
	return 10
}

func afterRep(s uint) uint {
	if s < 7 {
		return 8
	}
	return 11
}

func afterShortRep(s uint) uint {
	if s < 7 {
		return 9
	}
	return 11
}
