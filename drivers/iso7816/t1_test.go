package iso7816_test

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"swipewell/drivers/iso7816"
	"swipewell/drivers/iso7816/cardsim"
)

// chained is a card whose session has chains both ways, an S(IFS), an S(WTX).
func chained() *cardsim.Card {
	return cardsim.New(cardsim.Opts{App: files(), Protocol: 1, IFSC: 24, BWI: 1, CWI: 2, Knobs: cardsim.Knobs{MostINF: 20, WTX: 1, AskIFS: 28}})
}

// chains is a short session for it.
var chains = []struct{ c, r string }{
	{"00B2040C00", "040404049000"},
	{"00DA00001E" + strings.Repeat("5A", 30), "9000"},
	{"0084000000", strings.Repeat("5A", 30) + "9000"},
}

// play runs it behind faults: nil, or the error that ended it. A wrong answer
// fails the test.
func play(t *testing.T, faults ...cardsim.Fault) (*cardsim.Faulty, *cardsim.Wire, error) {
	t.Helper()
	f := &cardsim.Faulty{Machine: chained(), Faults: faults}
	s, w := slot(t, f, iso7816.Opts{Limit: 20 * time.Second})
	_, err := s.PowerUp(t.Context())
	for _, x := range chains {
		if err != nil {
			break
		}
		var got []byte
		if got, err = s.Transmit(t.Context(), nil, unhex(x.c)); err == nil && hex.EncodeToString(got) != x.r {
			if !strings.EqualFold(hex.EncodeToString(got), x.r) {
				t.Errorf("%v: %s: a wrong answer %X", faults, x.c, got)
			}
		}
	}
	if err != nil && (cause(err) == err.Error() || w.Powered) {
		t.Errorf("%v: no cause, or power left on: %v", faults, err)
	}
	if w.Now().Boot > 30*time.Second {
		t.Errorf("%v: took %v", faults, w.Now().Boot)
	}
	return f, w, err
}

// Every fault at every character of every block of a session, both ways: T=1
// gets over each of them, and the answers are right.
func TestT1FaultsEverywhere(t *testing.T) {
	clean, w, err := play(t)
	if err != nil {
		t.Fatal(err)
	}
	atr := len(chained().ATR())
	t.Logf("%d characters to the card, %d from it, %v", clean.In, clean.Out-atr, w.Now().Boot)
	tried, worst := 0, time.Duration(0)
	for _, fromCard := range []bool{true, false} {
		first, last := 0, clean.In
		if fromCard {
			first, last = atr, clean.Out
		}
		for at := first; at < last; at++ {
			faults := []cardsim.Fault{{Kind: cardsim.Drop}, {Kind: cardsim.Parity}, {Kind: cardsim.Insert, Mask: 0x00}, {Kind: cardsim.Insert, Mask: 0xFF}}
			for bit := range 8 {
				faults = append(faults, cardsim.Fault{Kind: cardsim.Flip, Mask: 1 << bit})
			}
			faults = append(faults, cardsim.Fault{Kind: cardsim.Flip, Mask: 0xFF})
			for _, x := range faults {
				x.FromCard, x.At = fromCard, at
				tried++
				if _, w, err := play(t, x); err != nil {
					t.Errorf("%+v: %v", x, err)
				} else {
					worst = max(worst, w.Now().Boot)
				}
			}
		}
	}
	t.Logf("%d sessions, the slowest %v", tried, worst)
}

// Two and more faults: right answers or a cause, and never long.
func TestT1ManyFaults(t *testing.T) {
	clean, _, _ := play(t)
	rnd := rand.New(rand.NewPCG(5, 1))
	ends := map[string]int{}
	kinds := []cardsim.FaultKind{cardsim.Drop, cardsim.Parity}
	for range 2500 {
		var faults []cardsim.Fault
		at := rnd.IntN(clean.Out)
		for range 2 + rnd.IntN(12) {
			// Near each other, so that what asks for a block again is hit as well. No
			// flips: LRC finds any single one, and not any two.
			faults = append(faults, cardsim.Fault{FromCard: rnd.IntN(2) == 0, At: at + rnd.IntN(60), Kind: kinds[rnd.IntN(len(kinds))]})
		}
		_, _, err := play(t, faults...)
		ends[cause(err)]++
	}
	t.Logf("%v", ends)
	if ends[""] == 0 || ends["protocol"]+ends["mute"] == 0 {
		t.Error("all ended alike: the faults are too few or too many")
	}
}

// blockCard answers blocks by a function: a card that breaks the rules.
type blockCard struct {
	*cardsim.Script
	in    []byte
	reply func(n int, b []byte) []byte
	n     int
}

func (c *blockCard) Reset(bool) []cardsim.Char {
	c.in, c.n = nil, 0
	return send(unhex(checked("3BE0 0000 81 31 20 15")))
}

func send(b []byte) (out []cardsim.Char) {
	for _, v := range b {
		out = append(out, cardsim.Char{B: v})
	}
	return out
}

func (c *blockCard) Line() cardsim.Line { return cardsim.Line{F: 372, D: 1, Block: true} }

func (c *blockCard) Receive(b byte, _ bool, _ time.Duration) []cardsim.Char {
	c.in = append(c.in, b)
	if len(c.in) < 4 || len(c.in) < 4+int(c.in[2]) {
		return nil
	}
	in := c.in
	c.in = nil
	c.n++
	if in[1] == 0xC1 {
		return send(lrc(0xE1, in[3]))
	}
	return send(c.reply(c.n-2, in))
}

// lrc makes a block.
func lrc(pcb byte, inf ...byte) []byte {
	b := append([]byte{0, pcb, byte(len(inf))}, inf...)
	x := byte(0)
	for _, v := range b {
		x ^= v
	}
	return append(b, x)
}

// What a card must not do, and what is done about it.
func TestT1Rules(t *testing.T) {
	ok := lrc(0x00, 0x90, 0x00)
	once := func(first []byte) func(int, []byte) []byte {
		return func(n int, _ []byte) []byte {
			if n == 0 {
				return first
			}
			return ok
		}
	}
	always := func(b []byte) func(int, []byte) []byte { return func(int, []byte) []byte { return b } }
	for _, c := range []struct {
		name  string
		reply func(n int, b []byte) []byte
		want  string
	}{
		{"good", always(ok), ""},
		{"silent", always(nil), "mute"},
		{"silent once", once(nil), ""},
		{"another N(S)", always(lrc(0x40, 0x90, 0)), "protocol"},
		{"another N(S) once", once(lrc(0x40, 0x90, 0)), ""},
		{"wants the block again for ever", always(lrc(0x81)), "protocol"},
		{"wants the block again twice", func(n int, b []byte) []byte {
			if n < 2 {
				return lrc(0x82)
			}
			return ok
		}, ""},
		{"a receipt for what is no chain", once(lrc(0x90)), ""},
		{"a receipt for ever", always(lrc(0x90)), "protocol"},
		{"aborts", once(lrc(0xC2)), "protocol"},
		{"resynchronises", once(lrc(0xC0)), "protocol"},
		{"answers what was not asked", once(lrc(0xE3, 1)), ""},
		{"WTX 0", once(lrc(0xC3, 0)), ""},
		{"WTX of two bytes", once(lrc(0xC3, 1, 1)), ""},
		{"WTX for ever", always(lrc(0xC3, 1)), "protocol"},
		{"IFS 0F", once(lrc(0xC1, 0x0F)), ""},
		{"IFS FF", once(lrc(0xC1, 0xFF)), ""},
		{"IFS for ever", always(lrc(0xC1, 0x20)), "protocol"},
		{"an unknown S-block", once(lrc(0xC7)), ""},
		{"reserved bits in an I-block", once(lrc(0x01, 0x90, 0)), ""},
		{"reserved bits in an R-block", once(lrc(0x83)), ""},
		{"an R-block with content", once(lrc(0x82, 1)), ""},
		{"NAD", once([]byte{0x21, 0x00, 0x02, 0x90, 0x00, 0xB3}), ""},
		{"LEN FF", once(append([]byte{0, 0, 0xFF}, make([]byte, 256)...)), ""},
		{"noise without end", always(bytes.Repeat([]byte{0x55}, 5000)), "protocol"},
		{"an answer of one byte", once(lrc(0x00, 0x90)), "protocol"},
		{"no answer", once(lrc(0x00)), "protocol"},
		{"an empty link of a chain", once(lrc(0x20)), "protocol"},
		{"a chain without end", func(n int, _ []byte) []byte { return lrc(0x20|byte(n&1)<<6, make([]byte, 30)...) }, "protocol"},
		{"never takes the receipt", func(n int, _ []byte) []byte {
			if n == 0 {
				return lrc(0x20, 1, 2)
			}
			return lrc(0x92)
		}, "protocol"},
		{"takes the receipt at the second time", func(n int, _ []byte) []byte {
			return [][]byte{lrc(0x20, 1, 2), lrc(0x92), lrc(0x40, 0x90, 0)}[min(n, 2)]
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, w := slot(t, &blockCard{reply: c.reply}, iso7816.Opts{})
			if _, err := s.PowerUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			got, err := s.Transmit(t.Context(), nil, unhex("00EE0000"))
			if cause(err) != c.want {
				t.Errorf("%X %v, want %q", got, err, c.want)
			}
			if err == nil && !bytes.HasSuffix(got, []byte{0x90, 0}) {
				t.Errorf("%X", got)
			}
			if w.Now().Boot > 70*time.Second {
				t.Errorf("took %v", w.Now().Boot)
			}
		})
	}
}

// What the R-block says of the block that it asks for again. ISO7816-3 §11.6.3.
func TestT1Reasons(t *testing.T) {
	for _, c := range []struct {
		name  string
		first []byte
		want  byte
	}{
		{"a wrong check", append(lrc(0x00, 0x90, 0)[:5], 0x00), 0x81},
		{"a block out of turn", lrc(0x40, 0x90, 0), 0x82},
		{"nothing", nil, 0x82},
		{"half a block", lrc(0x00, 0x90, 0)[:4], 0x81},
	} {
		var asked []byte
		s, _ := slot(t, &blockCard{reply: func(n int, b []byte) []byte {
			if n == 0 {
				return c.first
			}
			asked = append(asked, b[1])
			return lrc(0x00, 0x90, 0)
		}}, iso7816.Opts{})
		if _, err := s.PowerUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Transmit(t.Context(), nil, unhex("00EE0000")); err != nil || !bytes.Equal(asked, []byte{c.want}) {
			t.Errorf("%s: asked again with % X, %v, want %02X", c.name, asked, err, c.want)
		}
	}
}

// A chain that the card does not take: an I-block in the middle of ours.
func TestT1ChainNotTaken(t *testing.T) {
	s, _ := slot(t, &blockCard{reply: func(int, []byte) []byte { return lrc(0x00, 0x90, 0) }}, iso7816.Opts{})
	long := "00DA000040" + strings.Repeat("5A", 64)
	if _, err := s.PowerUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Transmit(t.Context(), nil, unhex(long)); cause(err) != "protocol" {
		t.Error(err)
	}
}

// A card that does not answer S(IFS) is not spoken with.
func TestT1NoIFS(t *testing.T) {
	s, w := slot(t, cardsim.New(cardsim.Opts{App: files(), Protocol: 1, Knobs: cardsim.Knobs{Dead: true}}), iso7816.Opts{})
	if _, err := s.PowerUp(t.Context()); cause(err) != "protocol" || w.Powered {
		t.Errorf("%v", err)
	}
}

// WTX counts for the next block only; the whole of an APDU has its limit.
func TestT1Time(t *testing.T) {
	for _, c := range []struct {
		name  string
		k     cardsim.Knobs
		bwi   int
		want  string
		limit time.Duration
	}{
		{"slower than three times BWT", cardsim.Knobs{Delay: 14000}, 1, "protocol", 0}, // 1931 etu, and 960 and 480 more; S(IFS) finds it out
		{"late, but before the third try", cardsim.Knobs{Delay: 6000}, 1, "", 0},
		{"as slow as BWT", cardsim.Knobs{Delay: 1900}, 1, "", 0},
		{"WTX for ever", cardsim.Knobs{WTX: -1}, 1, "protocol", 0},
		{"slow WTX for ever", cardsim.Knobs{WTX: -1, WTXTimes: 200, Delay: 1900}, 1, "mute", 5 * time.Second},
	} {
		s, w := slot(t, cardsim.New(cardsim.Opts{App: files(), Protocol: 1, BWI: c.bwi, Knobs: c.k}), iso7816.Opts{Limit: c.limit})
		_, err := s.PowerUp(t.Context())
		if err == nil {
			_, err = s.Transmit(t.Context(), nil, unhex("00EE0000"))
		}
		if cause(err) != c.want || w.Now().Boot > 65*time.Second {
			t.Errorf("%s: %v after %v, want %q", c.name, err, w.Now().Boot, c.want)
		}
	}
}

// Every block is read back, and none with a bit turned over.
func TestBlocks(t *testing.T) {
	for _, crc := range []bool{false, true} {
		for _, pcb := range []byte{0x00, 0x60, 0x80, 0x92} {
			b := iso7816.Block{PCB: pcb}
			if b.Kind() == iso7816.KindI {
				b.INF = []byte("123456")
			}
			raw := iso7816.AppendBlock(nil, b, crc)
			got, err := iso7816.ParseBlock(raw, crc)
			if err != nil || got.PCB != pcb || !bytes.Equal(got.INF, b.INF) {
				t.Errorf("%X: %+v %v", raw, got, err)
			}
			for i := range raw {
				for bit := range 8 {
					bad := bytes.Clone(raw)
					bad[i] ^= 1 << bit
					if _, err := iso7816.ParseBlock(bad, crc); err == nil {
						t.Errorf("%X passes for %X", bad, raw)
					}
				}
			}
		}
	}
}

func FuzzBlock(f *testing.F) {
	f.Add(lrc(0x00, 0x90, 0), false)
	f.Add(lrc(0xC3, 1), false)
	f.Add(iso7816.AppendBlock(nil, iso7816.Block{PCB: 0x40, INF: []byte{1}}, true), true)
	f.Fuzz(func(t *testing.T, b []byte, crc bool) {
		k, err := iso7816.ParseBlock(b, crc)
		if err == nil && !bytes.Equal(iso7816.AppendBlock(nil, k, crc), b) {
			t.Errorf("% X is read as %+v", b, k)
		}
	})
}

// babble is a card that sends what the fuzzer says, whatever it gets.
type babble struct {
	*cardsim.Script
	atr  []byte
	data []byte
	each int
	line cardsim.Line
}

func (c *babble) Reset(bool) []cardsim.Char { return send(c.atr) }
func (c *babble) Line() cardsim.Line        { return c.line }
func (c *babble) Receive(b byte, _ bool, _ time.Duration) []cardsim.Char {
	n := min(len(c.data), c.each)
	out := send(c.data[:n])
	c.data = c.data[n:]
	return out
}

// hostile runs one APDU against babble: it ends in time, in an answer or a cause.
func hostile(t *testing.T, atr string, data []byte, each byte) {
	m := &babble{atr: unhex(atr), data: data, each: int(each) + 1, line: cardsim.Line{F: 372, D: 1}}
	s, w := slot(t, m, iso7816.Opts{})
	_, err := s.PowerUp(t.Context())
	for _, c := range []string{"00A4040005A00000033300", "80CA9F1700", "00EE0000"} {
		if err == nil {
			var got []byte
			if got, err = s.Transmit(t.Context(), nil, unhex(c)); err == nil && (len(got) < 2 || len(got) > 258) {
				t.Errorf("an answer of %d bytes", len(got))
			}
		}
	}
	if err != nil && cause(err) == err.Error() {
		t.Errorf("no cause: %v", err)
	}
	if w.Now().Boot > 4*time.Minute {
		t.Errorf("took %v", w.Now().Boot)
	}
}

func FuzzTPDU(f *testing.F) {
	f.Add([]byte{0xA4, 0x61, 0x02, 0xC0, 0x6F, 0x00, 0x90, 0x00}, byte(0))
	f.Add(bytes.Repeat([]byte{0x60}, 100), byte(255))
	f.Fuzz(func(t *testing.T, data []byte, each byte) { hostile(t, plainATR, data, each) })
}

func FuzzT1(f *testing.F) {
	f.Add(append(lrc(0xE1, 0xFE), lrc(0x00, 0x90, 0x00)...), byte(0))
	f.Add(append(lrc(0xE1, 0xFE), lrc(0xC3, 0x02)...), byte(4))
	f.Fuzz(func(t *testing.T, data []byte, each byte) {
		hostile(t, checked("3BE0 0000 81 31 20 15"), data, each)
	})
}
