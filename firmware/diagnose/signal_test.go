package diagnose

import (
	"math"
	"slices"
	"testing"
	"time"
)

// now is when tests read their windows.
const now = 10 * time.Hour

// times makes n observations, the i-th by f, gap apart, the last of them at now.
func times(n int, gap time.Duration, f func(i int) Obs) (list []Obs) {
	for i := range n {
		o := f(i)
		o.At = now - time.Duration(n-1-i)*gap
		list = append(list, o)
	}
	return list
}

// some makes n observations of which the first bad are by b, the others by g.
func some(bad, n int, gap time.Duration, b, g func(i int) Obs) []Obs {
	return times(n, gap, func(i int) Obs {
		if i < bad {
			return b(i)
		}
		return g(i)
	})
}

// read adds observations in the order of their times and reads the window.
func read(b Base, lists ...[]Obs) Signals {
	return windowOf(lists...).Read(now, b)
}

func windowOf(lists ...[]Obs) *Window {
	w := &Window{}
	all := slices.Concat(lists...)
	slices.SortStableFunc(all, func(a, b Obs) int { return int(a.At - b.At) })
	for _, o := range all {
		w.Add(o)
	}
	return w
}

// each customer is a form of their own, unless a test says otherwise.
func pass(fault uint16, pace int32) func(int) Obs {
	return func(i int) Obs { return Obs{Kind: Pass, Form: uint16(i + 1), Code: fault, N: pace} }
}

func insert(code uint16) func(int) Obs {
	return func(i int) Obs { return Obs{Kind: Insert, Form: uint16(i + 1), Code: code} }
}

func declined(rc string) func(int) Obs {
	return func(i int) Obs {
		return Obs{Kind: Sale, Form: uint16(i + 1), Code: EndDeclined, RC: [2]byte{rc[0], rc[1]}, Card: uint64(i + 1), Bin: uint32(1000 + i), Sum: int64(1234 + i)}
	}
}

func approved(i int) Obs {
	return Obs{Kind: Sale, Form: uint16(i + 1), Code: EndApproved, RC: [2]byte{'0', '0'}, Card: uint64(100 + i), Sum: int64(1234 + 7*i)}
}

func plain(o Obs) func(int) Obs { return func(int) Obs { return o } }

// TestWilson holds the lower bound to values of the closed form with z = 1.2816,
// computed apart from this package.
func TestWilson(t *testing.T) {
	for _, c := range []struct {
		k, n int
		want float64
	}{{0, 0, 0}, {0, 10, 0}, {1, 1, .378430}, {1, 10, .030409}, {5, 10, .312198}, {10, 10, .858922}, {9, 20, .316690}, {30, 100, .244888},
		{12, 10, .858922}, {-3, 10, 0}} {
		if got := wilson(c.k, c.n); math.Abs(got-c.want) > 1e-5 {
			t.Errorf("%d of %d: %.6f, want %.6f", c.k, c.n, got, c.want)
		}
	}
}

// TestShareNeedsSamples: below the least number of samples a share says nothing,
// however bad; its quality grows until twice as many.
func TestShareNeedsSamples(t *testing.T) {
	if s := share(5, 5, 6, .08, .22); s.Level != 0 || s.N != 5 || s.Of != 5 {
		t.Errorf("too few: %+v", s)
	}
	for n, q := range map[int]float64{6: .5, 9: .75, 12: 1, 100: 1} {
		if s := share(n, n, 6, .08, .22); s.Level != 2 || s.Q != q {
			t.Errorf("%d of %d: %+v, want quality %v", n, n, s, q)
		}
	}
	// A raw ratio of one in ten is above 8 %, its lower bound is not.
	if s := share(1, 10, 6, .08, .22); s.Level != 0 {
		t.Errorf("one of ten: %+v", s)
	}
}

// TestSignals: each signal stands at its level from exactly its threshold on.
func TestSignals(t *testing.T) {
	const sec = time.Second
	minute := time.Minute
	bad, good := pass(passLRC, PaceUnknown), pass(passOK, PaceGood)
	trip := func(ms int32) func(int) Obs { return plain(Obs{Kind: Trip, N: ms}) }
	radio := func(csq int32, ber uint16) func(int) Obs {
		return plain(Obs{Kind: Radio, N: csq, Code: ber, RC: [2]byte{1}})
	}
	flaps := func(n int) []Obs { // lost n times
		return times(2*n, 5*sec, func(i int) Obs { return Obs{Kind: Radio, N: 20, RC: [2]byte{byte(i % 2)}} })
	}
	same := func(card uint64, f func(int) Obs) func(int) Obs {
		return func(i int) Obs { o := f(i); o.Card, o.Form = card, uint16(card); return o }
	}
	for _, c := range []struct {
		name  string
		id    ID
		base  Base
		make  func(n int) [][]Obs
		one   int // the least n of level 1; 0: it goes to level 2 at once
		two   int // of level 2; 0: it never does
		below int // an n of level 0, if not one less than the first level
	}{
		{"stripes fail, of twenty", MSRMany, Base{}, func(n int) [][]Obs { return [][]Obs{some(n, 20, minute, bad, good)} }, 4, 7, 0},
		{"chips fail, of ten", ICCMany, Base{}, func(n int) [][]Obs { return [][]Obs{some(n, 10, minute, insert(1), insert(0))} }, 2, 4, 0},
		{"one card's stripe", MSROne, Base{}, func(n int) [][]Obs {
			return [][]Obs{times(n, sec, same(99, bad)), times(8, 2*minute, good)}
		}, 2, 3, 0},
		{"one card's chip", ICCOne, Base{}, func(n int) [][]Obs {
			return [][]Obs{times(n, sec, same(99, insert(1))), times(8, 2*minute, insert(0))}
		}, 2, 3, 0},
		{"the hand, of twenty", Hand, Base{}, func(n int) [][]Obs { return [][]Obs{some(n, 20, minute, pass(passOK+1, PaceBad), good)} }, 3, 7, 0},
		{"weak, of ten", CSQ, Base{}, func(n int) [][]Obs { return [][]Obs{some(n, 10, sec, radio(14, 0), radio(15, 0))} }, 5, 0, 0},
		{"next to nothing, of ten", CSQ, Base{}, func(n int) [][]Obs { return [][]Obs{some(n, 10, sec, radio(9, 0), radio(10, 0))} }, 0, 5, -1},
		{"unknown strength, of ten", CSQ, Base{}, func(n int) [][]Obs { return [][]Obs{some(n, 10, sec, radio(99, 0), radio(20, 0))} }, 0, 5, 4},
		{"bit errors, of ten", BER, Base{}, func(n int) [][]Obs { return [][]Obs{some(n, 10, sec, radio(20, 3), radio(20, 2))} }, 2, 0, 0},
		{"many bit errors, of ten", BER, Base{}, func(n int) [][]Obs { return [][]Obs{some(n, 10, sec, radio(20, 5), radio(20, 99))} }, 0, 2, 1},
		{"the network was lost", Reg, Base{}, func(n int) [][]Obs { return [][]Obs{flaps(n)} }, 2, 4, 0},
		{"SIM not accepted", SIM, Base{}, func(n int) [][]Obs { return [][]Obs{times(n, sec, plain(Obs{Kind: Dial, Code: 6}))} }, 1, 3, 0},
		{"slow, tenths of a hundred ms", RTT, Base{Trip: 100}, func(n int) [][]Obs { return [][]Obs{times(9, sec, trip(int32(10*n)))} }, 18, 40, 0},
		{"no answer, of ten", TMO, Base{}, func(n int) [][]Obs {
			return [][]Obs{some(n, 10, minute, plain(Obs{Kind: Sale, Code: EndNoAnswer}), trip(100))}
		}, 1, 3, 0},
		{"segments again, of two hundred", ReTx, Base{}, func(n int) [][]Obs { return [][]Obs{times(1, sec, plain(Obs{Kind: Segments, Code: 200, N: int32(n)}))} }, 6, 17, 0},
		{"bad frames", ReTx, Base{}, func(n int) [][]Obs { return [][]Obs{times(n, minute, plain(Obs{Kind: Frame}))} }, 2, 4, 0},
		{"echo not answered", EchoBad, Base{}, func(n int) [][]Obs { return [][]Obs{times(n, sec, plain(Obs{Kind: Echo, Code: 1}))} }, 1, 3, 0},
		{"echo good, bank busy", HostBad, Base{}, func(n int) [][]Obs {
			return [][]Obs{times(n, minute, declined("96")), times(1, sec, plain(Obs{Kind: Echo}))}
		}, 2, 3, 0},
		{"bank's limit", Limit, Base{}, func(n int) [][]Obs { return [][]Obs{times(n, minute, declined("65"))} }, 1, 2, 0},
		{"bank busy", HostRC, Base{}, func(n int) [][]Obs { return [][]Obs{times(n, minute, declined("91"))} }, 2, 4, 0},
		{"cards to keep", Pickup, Base{}, func(n int) [][]Obs { return [][]Obs{times(n, minute, declined("43"))} }, 1, 3, 0},
		{"bad messages", InputRC, Base{}, func(n int) [][]Obs { return [][]Obs{times(n, minute, declined("30"))} }, 1, 3, 0},
		{"numbers that cannot be", Format, Base{}, func(n int) [][]Obs { return [][]Obs{times(n, sec, plain(Obs{Kind: Input, Code: 1}))} }, 2, 3, 0},
		{"too little money, one card", Funds, Base{}, func(n int) [][]Obs { return [][]Obs{times(n, minute, same(7, declined("51")))} }, 2, 3, 0},
		{"same card right again", Fast, Base{}, func(n int) [][]Obs {
			return [][]Obs{times(n, 20*sec, plain(Obs{Kind: Repeat, Code: EndApproved, N: 20, Sum: 100, Card: 7}))}
		}, 1, 2, 0},
		{"one card often", Many, Base{}, func(n int) [][]Obs { return [][]Obs{times(n, 2*minute, same(7, approved))} }, 3, 5, 0},
		{"one series refused", BIN, Base{}, func(n int) [][]Obs {
			return [][]Obs{times(n, minute, func(i int) Obs { o := declined("14")(i); o.Bin = 5; return o })}
		}, 3, 5, 0},
		{"many series refused", BIN, Base{}, func(n int) [][]Obs { return [][]Obs{times(n, minute, declined("05"))} }, 5, 7, 0},
		{"near the limit", Sums, Base{Limit: 1000}, func(n int) [][]Obs {
			return [][]Obs{times(n, 2*minute, func(i int) Obs { o := approved(i); o.Sum = 800; return o })}
		}, 2, 4, 0},
		{"round sums of two cards", Sums, Base{}, func(n int) [][]Obs {
			return [][]Obs{times(n, 2*minute, func(i int) Obs { o := approved(i); o.Card, o.Sum = uint64(1+i%2), 100_000; return o })}
		}, 3, 5, 0},
		{"large sums when it is closed", Sums, Base{Odd: true, P90: 500}, func(n int) [][]Obs { return [][]Obs{times(n, minute, approved)} }, 1, 3, 0},
		{"rules on sums", Sums, Base{}, func(n int) [][]Obs { return [][]Obs{times(n, minute, plain(Obs{Kind: Hit, Code: 16}))} }, 1, 2, 0},
		{"begun and given up", Undo, Base{}, func(n int) [][]Obs { return [][]Obs{times(n, sec, plain(Obs{Kind: Cancel}))} }, 3, 5, 0},
		{"wrong way in", Wrong, Base{}, func(n int) [][]Obs { return [][]Obs{times(n, sec, plain(Obs{Kind: Misuse, Code: 1}))} }, 1, 3, 0},
		{"wrong order", Wrong, Base{}, func(n int) [][]Obs { return [][]Obs{times(n, sec, plain(Obs{Kind: Misuse}))} }, 3, 6, 0},
		// Twelve an hour are two in ten minutes: 5 − 1.28·√5 = 2.14 is 1.07 times
		// that, 6 make 1.43, 8 make 2.19, 9 make 2.58.
		{"more customers than usual", Busy, Base{PerHour: 12}, func(n int) [][]Obs { return [][]Obs{times(n, 30*sec, plain(Obs{Kind: Begin}))} }, 6, 9, 0},
		{"one right behind the other", Queue, Base{}, func(n int) [][]Obs {
			return [][]Obs{times(2*n, 5*sec, func(i int) Obs { return [2]Obs{approved(i), {Kind: Begin}}[i%2] })}
		}, 3, 5, 0},
		{"processor", Machine, Base{}, func(n int) [][]Obs { return [][]Obs{times(1, sec, plain(Obs{Kind: Load, N: int32(n)}))} }, 80, 95, 0},
		{"slow commits", Disk, Base{}, func(n int) [][]Obs { return [][]Obs{times(n, sec, plain(Obs{Kind: Write, Code: 2}))} }, 1, 2, 0},
		{"a failed commit", Disk, Base{}, func(n int) [][]Obs { return [][]Obs{times(n, sec, plain(Obs{Kind: Write, Code: 1}))} }, 0, 1, 0},
		{"clock ahead", Clock, Base{}, func(n int) [][]Obs { return [][]Obs{times(1, sec, plain(Obs{Kind: Jump, N: int32(n)}))} }, 5, 60, 0},
		{"clock behind", Clock, Base{}, func(n int) [][]Obs { return [][]Obs{times(1, sec, plain(Obs{Kind: Jump, N: int32(-n)}))} }, 5, 60, 0},
		{"the case", Case, Base{}, func(n int) [][]Obs { return [][]Obs{times(n, sec, plain(Obs{Kind: Tamper}))} }, 0, 1, 0},
		{"restarts", Starts, Base{}, func(n int) [][]Obs { return [][]Obs{times(n, sec, plain(Obs{Kind: Restart, Code: 1}))} }, 2, 4, 0},
		{"restarts of a new version", Starts, Base{}, func(n int) [][]Obs { return [][]Obs{times(n, sec, plain(Obs{Kind: Restart, Code: 1, N: 1}))} }, 2, 3, 0},
		{"first line bad, another good", Backup, Base{Links: 2}, func(n int) [][]Obs {
			return [][]Obs{times(n, minute, plain(Obs{Kind: Dial, Code: 8})), times(n, minute, plain(Obs{Kind: Dial, Link: 1}))}
		}, 1, 3, 0},
		{"confirmed as second", Meant, Base{}, func(n int) [][]Obs { return [][]Obs{times(n, sec, plain(Obs{Kind: Confirm}))} }, 1, 2, 0},
		{"one sum on several cards", Shared, Base{}, func(n int) [][]Obs {
			return [][]Obs{times(n+1, minute, func(i int) Obs { o := approved(i); o.Sum = 4000; return o })}
		}, 1, 2, 0},
		{"all well", Well, Base{}, func(n int) [][]Obs { return [][]Obs{times(n, 3*minute, approved)} }, 2, 5, 0},
	} {
		level := func(n int, want uint8) {
			t.Helper()
			if s := read(c.base, c.make(n)...); s[c.id].Level != want {
				t.Errorf("%s: %d make %v level %d, want %d (%+v)", c.name, n, c.id, s[c.id].Level, want, s[c.id])
			}
		}
		switch first := c.one; {
		case c.below > 0:
			level(c.below, 0)
		case c.below == 0:
			if first == 0 {
				first = c.two
			}
			level(first-1, 0)
		}
		if c.one != 0 {
			level(c.one, 1)
		}
		if c.two != 0 {
			if c.one != 0 {
				level(c.two-1, 1)
			}
			level(c.two, 2)
		}
	}
}

// TestEverySignalIsReal: each is of one family, and has a weight for some cause;
// all is well is of none.
func TestEverySignalIsReal(t *testing.T) {
	in := map[ID]bool{Well: true}
	for _, f := range Families() {
		for _, i := range f.Signals {
			if in[i] {
				t.Errorf("%v is in two families", i)
			}
			in[i] = true
		}
	}
	for i := range signals {
		if !in[i] {
			t.Errorf("%v is in no family", i)
		}
		weight := false
		for c := range Causes {
			weight = weight || fitted.Signals[i][c] != levels{}
		}
		if !weight {
			t.Errorf("%v speaks for nothing", i)
		}
	}
}

// TestCoincidence: unrelated parts that fail in the same seconds, more often than
// chance brings them together; parts that fail by themselves do not.
func TestCoincidence(t *testing.T) {
	burst := func(n int, gap time.Duration) (list []Obs) {
		for i := range n {
			at := now - time.Duration(n-i)*4*time.Minute
			list = append(list, Obs{Kind: Pass, Form: uint16(100 + i), Code: passLRC, At: at},
				Obs{Kind: Insert, Form: uint16(100 + i), Code: 1, At: at + gap},
				Obs{Kind: Frame, Form: uint16(100 + i), At: at + 2*gap})
		}
		return list
	}
	honest := times(30, time.Minute, pass(passOK, PaceGood))
	for n, want := range map[int]uint8{0: 0, 1: 1, 2: 2, 4: 2} {
		if s := read(Base{}, honest, burst(n, time.Second)); s[Both].Level != want {
			t.Errorf("%d bursts: %+v, want level %d", n, s[Both], want)
		}
	}
	// A minute apart they are three troubles.
	if s := read(Base{}, honest, burst(4, 61*time.Second)); s[Both].Level != 0 {
		t.Errorf("apart: %+v", s[Both])
	}
	// What is explained by the burst counts for no part of its own.
	s := read(Base{}, honest, burst(5, time.Second))
	if s[MSRMany].N != 0 || s[ICCMany].N != 0 || s[ReTx].Level != 0 {
		t.Errorf("burst counted again: stripe %+v chip %+v frames %+v", s[MSRMany], s[ICCMany], s[ReTx])
	}
}

// TestAge: half the weight after a quarter of an hour, of what does not mend by
// itself after an hour; and out of its window a thing was never seen.
func TestAge(t *testing.T) {
	back := func(list []Obs, d time.Duration) []Obs {
		for i := range list {
			list[i].At -= d
		}
		return list
	}
	for _, c := range []struct {
		name string
		id   ID
		list func() []Obs
		age  time.Duration
		q    float64
	}{
		{"a cancel now", Undo, func() []Obs { return times(5, 0, plain(Obs{Kind: Cancel})) }, 0, 1},
		{"a cancel", Undo, func() []Obs { return times(5, 0, plain(Obs{Kind: Cancel})) }, 15 * time.Minute, .5},
		{"a cancel of long ago", Undo, func() []Obs { return times(5, 0, plain(Obs{Kind: Cancel})) }, 30 * time.Minute, 0},
		{"the case", Case, func() []Obs { return times(1, 0, plain(Obs{Kind: Tamper})) }, 30 * time.Minute, math.Sqrt(.5)},
		{"a failed commit", Disk, func() []Obs { return times(1, 0, plain(Obs{Kind: Write, Code: 1})) }, 30 * time.Minute, math.Sqrt(.5)},
		{"the clock", Clock, func() []Obs { return times(1, 0, plain(Obs{Kind: Jump, N: 99})) }, time.Hour, 0},
		{"a card to keep", Pickup, func() []Obs { return times(3, 0, declined("41")) }, 29 * time.Minute, math.Exp2(-29. / 60)},
	} {
		s := read(Base{}, back(c.list(), c.age))[c.id]
		if c.q == 0 && s.Level != 0 || c.q != 0 && (s.Level == 0 || math.Abs(s.Q-c.q) > 1e-9) {
			t.Errorf("%s, %v old: %+v, want quality %.4f", c.name, c.age, s, c.q)
		}
	}
}
