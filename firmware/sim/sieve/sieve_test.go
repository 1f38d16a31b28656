package sieve

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestEveryFormIsFound(t *testing.T) {
	for _, cards := range [][]Card{Cards(40, 1), {{PAN: "6225880000000000010", Track2: "6225880000000000010=30121010123456789", PIN: "1234"}}, {{PAN: "622588000000", PIN: "123456789"}}, {{PAN: "4111111111111111", PIN: "1234"}}} {
		planted, missed := New(cards).SelfTest(cards, 5)
		if len(missed) > 0 || planted < 20 {
			t.Errorf("%d planted, missed: %v", planted, missed)
		}
	}
}

// A sieve that has lost a form says so: the self-test can fail.
func TestSelfTestFails(t *testing.T) {
	cards := Cards(3, 1)
	s := New(cards)
	for i := range s.ps {
		if s.ps[i].encoding == "swapped+4" && s.ps[i].kind == PIN {
			s.ps[i].core = strings.Repeat("x", len(s.ps[i].core))
		}
	}
	if _, missed := s.SelfTest(cards, 5); !slices.Contains(missed, "pin, swapped+4") || len(missed) != 1 {
		t.Errorf("missed %v", missed)
	}
	// And one that takes a mask for a number.
	s.add(PAN, 0, forms("ascii", []byte("****"+cards[0].PAN[15:])))
	if _, missed := s.SelfTest(cards, 5); len(missed) < 2 {
		t.Errorf("a masked form passed: %v", missed)
	}
}

// Wherever it stands and whatever is around it, across the edges of a read, a
// secret is found once for each of its patterns, at its place.
func TestRead(t *testing.T) {
	cards := Cards(50, 2)
	s := New(cards)
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.IntRange(0, len(cards)-1).Draw(t, "card")
		at := rapid.SampledFrom([]int{0, 1, 100, 1<<20 - 30, 1<<20 - 12, 1 << 20, 1<<21 - 5}).Draw(t, "at") + rapid.IntRange(0, 40).Draw(t, "more")
		b := bytes.Repeat([]byte{0xA5}, at+40)
		copy(b[at:], cards[i].PIN)
		var hits []Hit
		n, err := s.Read(bytes.NewReader(b), func(h Hit) { hits = append(hits, h) })
		if err != nil || n != int64(len(b)) {
			t.Fatal(n, err)
		}
		want := []Hit{{PIN, "ascii", i, int64(at), false}}
		if fmt.Sprint(hits) != fmt.Sprint(want) {
			t.Fatalf("%v, want %v", hits, want)
		}
	})
}

// Numbers of test ranges are found as a whole, and their many zeros are not.
func TestPlain(t *testing.T) {
	cards := []Card{{PAN: "6225880000000000010", PIN: "000000000000"}, {PAN: "4111111111111111", PIN: "123456"}, {PAN: "5555555555554444", PIN: "975310864209"}}
	s := New(cards)
	if s.Plain != 3 || s.Unsought != 2 {
		t.Errorf("plain %d, unsought %d", s.Plain, s.Unsought)
	}
	for _, b := range [][]byte{make([]byte, 500), append(make([]byte, 50), 0x10, 0x00, 0x10), bytes.Repeat([]byte{0x11}, 100), bytes.Repeat([]byte{0x55}, 40), bytes.Repeat([]byte("0"), 100),
		bytes.Repeat([]byte("1"), 100), bytes.Repeat([]byte{0xFF}, 100)} {
		s.Scan(b, func(h Hit) { t.Errorf("%+v in %q", h, b) })
	}
	for i, c := range cards {
		found := 0
		for _, p := range bytePlants() {
			s.Scan(p.leave([]byte(c.PAN)), func(h Hit) { found += min(1, 1-h.Number+i) })
		}
		if found < 11 {
			t.Errorf("card %d is found %d times", i, found)
		}
	}
}

// What a device shows is no finding.
func TestMasksPass(t *testing.T) {
	cards := Cards(200, 3)
	s := New(cards)
	for i, c := range cards {
		n := len(c.PAN)
		text := fmt.Sprintf(`{"pan":"%s******%s","last":"%s","bin":%q,"stan":"%06d","at":17953%08d}`, c.PAN[:6], c.PAN[n-4:], c.PAN[n-4:], c.PAN[:8], i, i)
		s.Text(text, func(h Hit) { t.Fatalf("%+v in %s", h, text) })
	}
}

func TestCards(t *testing.T) {
	seen := map[string]bool{}
	made := Cards(5000, 4)
	if s := New(made); s.Plain > 50 || s.Unsought > 50 {
		t.Errorf("of 5000 made cards %d numbers and %d PINs are plain", s.Plain, s.Unsought)
	}
	for _, c := range made {
		if seen[c.PAN] || len(c.PIN) != 12 || len(c.PAN) < 16 || len(c.PAN) > 19 || !strings.HasPrefix(c.Track2, c.PAN+"=") || telling(c.Track2) == "" || telling(c.Track1) == "" {
			t.Fatalf("card %s: twice, or not whole", c.PAN[:6])
		}
		seen[c.PAN] = true
	}
}

func FuzzScan(f *testing.F) {
	cards := Cards(20, 5)
	s := New(cards)
	f.Add([]byte("abc"), uint16(1), uint8(0))
	f.Fuzz(func(t *testing.T, around []byte, at uint16, which uint8) {
		i := int(at) % (len(around) + 1)
		c := cards[int(which)%len(cards)]
		found := false
		s.Scan(slices.Concat(around[:i], []byte(c.PAN), around[i:]), func(h Hit) { found = found || h.Kind == PAN && h.Offset <= int64(i+19) })
		if !found {
			t.Error("not found")
		}
	})
}

func BenchmarkScan(b *testing.B) {
	s := New(Cards(5000, 1))
	buf := make([]byte, 1<<22)
	for i := range buf {
		buf[i] = byte(uint32(i) * 2654435761 >> 13)
	}
	b.SetBytes(int64(len(buf)))
	for b.Loop() {
		s.Scan(buf, func(Hit) {})
	}
}
