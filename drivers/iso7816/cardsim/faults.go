package cardsim

import "time"

// FaultKind is what becomes of a character on the line.
type FaultKind string

// What can befall a character. The echo of the terminal's own stays as it was.
const (
	Flip   FaultKind = "flip" // bits of Mask are turned over
	Drop   FaultKind = "drop"
	Insert FaultKind = "insert" // another one comes before it
	Parity FaultKind = "parity" // its parity is wrong
)

// Fault befalls one character, counted from 0 since the power came.
type Fault struct {
	FromCard bool
	At       int
	Kind     FaultKind
	Mask     byte // Flip, and what Insert inserts
}

// Faulty is a machine behind a bad line.
type Faulty struct {
	Machine
	Faults  []Fault
	In, Out int // characters so far, to and from the card
}

// Reset keeps the counts at a warm reset.
func (f *Faulty) Reset(warm bool) []Char {
	if !warm {
		f.In, f.Out = 0, 0
	}
	return f.out(f.Machine.Reset(warm))
}

// Receive spoils what comes and what goes.
func (f *Faulty) Receive(b byte, bad bool, at time.Duration) []Char {
	i := f.In
	f.In++
	var out []Char
	for _, c := range f.spoil(false, i, Char{B: b, Bad: bad}) {
		out = append(out, f.Machine.Receive(c.B, c.Bad, at)...)
	}
	return f.out(out)
}

func (f *Faulty) out(in []Char) []Char {
	var out []Char
	for _, c := range in {
		out = append(out, f.spoil(true, f.Out, c)...)
		f.Out++
	}
	return out
}

func (f *Faulty) spoil(fromCard bool, i int, c Char) []Char {
	for _, x := range f.Faults {
		if x.FromCard != fromCard || x.At != i {
			continue
		}
		switch x.Kind {
		case Flip:
			c.B ^= x.Mask
		case Parity:
			c.Bad = true
		case Drop:
			return nil
		case Insert:
			return []Char{{B: x.Mask, Gap: c.Gap}, {B: c.B, Bad: c.Bad}}
		}
	}
	return []Char{c}
}
