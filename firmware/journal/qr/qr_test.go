package qr

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"swipewell/firmware/journal/entry"
)

// RFC 9285 §4.3 and §4.4.
func TestBase45(t *testing.T) {
	for _, tc := range [][2]string{{"AB", "BB8"}, {"Hello!!", "%69 VD92EX0"}, {"base-45", "UJCLQE7W581"}, {"ietf!", "QED8WEX0"}, {"", ""}} {
		if got := encode45([]byte(tc[0])); got != tc[1] {
			t.Errorf("%q: %q, want %q", tc[0], got, tc[1])
		}
		if b, err := decode45(tc[1]); err != nil || string(b) != tc[0] {
			t.Errorf("%q: %q %v", tc[1], b, err)
		}
	}
	for _, bad := range []string{"A", "GGW", "::", "BB8a", ":::"} {
		if b, err := decode45(bad); err == nil {
			t.Errorf("%q gave %x", bad, b)
		}
	}
}

func TestTextsJoin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 0, 4000).Draw(t, "b")
		chars := rapid.SampledFrom([]int{154, 335, 758}).Draw(t, "chars")
		texts, err := Texts(b, chars)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range texts {
			if len(s) > chars || strings.Trim(s, alphabet) != "" {
				t.Fatalf("%d characters: %q", len(s), s)
			}
		}
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		mixed := append(slices.Clone(texts), texts[r.IntN(len(texts))], "\n")
		r.Shuffle(len(mixed), func(i, k int) { mixed[i], mixed[k] = mixed[k], mixed[i] })
		if got, err := Join(mixed); err != nil || !bytes.Equal(got, b) {
			t.Fatalf("%d bytes of %d: %v", len(got), len(b), err)
		}
		if len(texts) > 1 {
			if _, err := Join(texts[1:]); err == nil || !strings.Contains(err.Error(), "missing: 1") {
				t.Fatal(err)
			}
		}
	})
}

func TestJoinRefuses(t *testing.T) {
	a, _ := Texts(bytes.Repeat([]byte("a"), 500), 335)
	b, _ := Texts(bytes.Repeat([]byte("b"), 500), 335)
	for name, in := range map[string][]string{"nothing": nil, "another text": {"https://example.com"}, "two logs": {a[0], b[1]}, "part 0": {"SWQ1.00000000.0.1."},
		"a part of another log": {a[0], strings.Replace(b[1], b[1][:13], a[1][:13], 1), a[len(a)-1]}, "not base45": {"SWQ1.00000000.1.1.a"}} {
		if got, err := Join(in); err == nil {
			t.Errorf("%s: %d bytes", name, len(got))
		}
	}
}

func TestPackLast(t *testing.T) {
	var es []entry.Entry
	for i := range 300 {
		es = append(es, entry.Entry{Seq: uint64(i + 1), Wall: time.UnixMilli(1772337802120 + int64(i)*977).UTC(), Boot: "5f0c91aa", Level: "INFO", Code: "E-TXN-04", Source: "txn",
			Tx: fmt.Sprintf("cup-000001-%06d", i), Fields: []entry.Pair{{Key: "n", Value: int64(i * 7919)}}})
	}
	chars := Fits(77)
	b, n, err := PackLast(es, 6, chars)
	if err != nil || n < 50 || n == 300 {
		t.Fatal(n, err)
	}
	texts, err := Texts(b, chars)
	if err != nil || len(texts) > 6 {
		t.Fatal(len(texts), err)
	}
	back, err := Join(texts)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Unpack(back)
	if d := cmp.Diff(es[300-n:], got, cmp.Comparer(time.Time.Equal)); err != nil || d != "" {
		t.Error(d, err)
	}
	for _, s := range texts {
		g, err := Draw(s)
		if err != nil || len(g) > 77 || !g[0][0] || !g[6][6] || g[7][7] { // a finder stands in the corner
			t.Errorf("%d modules %v", len(g), err)
		}
	}
	if Fits(20) != 0 || Fits(21) != 25 || Fits(177) != 1249 {
		t.Error("capacity")
	}
}

func FuzzJoin(f *testing.F) {
	f.Add("SWQ1.3610A686.1.1.BB8")
	f.Fuzz(func(t *testing.T, s string) {
		if b, err := Join(strings.Split(s, "\n")); err == nil {
			Unpack(b)
		}
	})
}
