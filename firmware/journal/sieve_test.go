package journal

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"swipewell/firmware/pos"
)

func TestSieve(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", ""},
		{"nothing here", "nothing here"},
		{"pan 4111111111111111 end", "pan ******** end"},
		{"6225 8801 1234 5674!", "********!"},
		{"4111-1111-1111-1111", "********"},
		{"4111111111111112", "4111111111111112"},                 // fails Luhn
		{"1 4111111111111111", "1 ********"},                     // a number before it
		{"0000124111111111111111", "********"},                   // STAN and PAN run together
		{"00124111111111111111", "********"},                     //
		{"x4111111111111111000", "x********"},                    // inside a longer number
		{";6225880112345674=25121015413330012?3", ";********?3"}, // track 2
		{"6225880112345675D2512101541333", "********"},           // no Luhn, but a track
		{"%B6225880112345675^DOE/J^2512101?", "%B********?"},     // track 1
		{"622588******1234", "622588******1234"},                 // masked is fine
		{"stan 000123 rrn 260301", "stan 000123 rrn 260301"},     //
		{"2026-03-01 14:03:22", "2026-03-01 14:03:22"},           //
		{"DDDDDDDDDDDDDDDDDDDD", "DDDDDDDDDDDDDDDDDDDD"},         //
		{"12345678901Death", "12345678901Death"},                 //
		{"￥4111111111111111元", "￥********元"},                     //
		{"12345678901234567890123", "********"},                  // whatever it is
	}
	for _, tc := range tests {
		if got := Sieve(tc.in); got != tc.want {
			t.Errorf("Sieve(%q) = %q, want %q", tc.in, got, tc.want)
		}
	}
}

// withCheck completes digits by their Luhn digit.
func withCheck(d string) string {
	for c := '0'; c <= '9'; c++ {
		if s := d + string(c); luhn(s) {
			return s
		}
	}
	return ""
}

// Whatever stands around a card number, and however it is grouped, it is gone.
func TestSieveNeverLetsACardThrough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pan := withCheck(rapid.StringMatching(`[3-6][0-9]{11,17}`).Draw(t, "pan"))
		shown := pan
		if sep := rapid.SampledFrom([]string{"", " ", "-"}).Draw(t, "sep"); sep != "" {
			var b strings.Builder
			for i, r := range pan {
				if i > 0 && i%4 == 0 {
					b.WriteString(sep)
				}
				b.WriteRune(r)
			}
			shown = b.String()
		}
		text := rapid.StringMatching(`[^0-9 -]{0,8}`).Draw(t, "before") + shown + rapid.StringMatching(`([^0-9 -].{0,8})?`).Draw(t, "after")
		out := Sieve(text)
		if strings.Contains(strings.NewReplacer(" ", "", "-", "").Replace(out), pan) {
			t.Fatalf("%q came out as %q", text, out)
		}
		for _, f := range []Field{Word("w", shown), Err(errors.New(text)), Card("c", pos.MaskedPAN(pan)), Err(fmt.Errorf("x: %w", errors.New(shown)))} {
			if strings.Contains(fmt.Sprint(f.val), pan) {
				t.Fatalf("a field lets %q through: %v", text, f.val)
			}
		}
	})
}

// FuzzSieve: it ends, is stable, and leaves nothing that it would take out.
func FuzzSieve(f *testing.F) {
	for _, s := range []string{"4111111111111111", "6225 8801 1234 5674", ";6225880112345674=2512", "a1b2c3", "\xff\xfe123456789012"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := Sieve(s)
		if twice := Sieve(once); twice != once {
			t.Errorf("%q → %q → %q", s, once, twice)
		}
	})
}

// FuzzEntry: a line from anywhere parses or is refused; what parses is written
// and read to the same.
func FuzzEntry(f *testing.F) {
	f.Add([]byte(`{"seq":1,"t":"2026-03-01T12:00:03.500+08:00","boot":"b","up":1,"log":2,"lvl":"INFO","code":"E-TXN-04","f":{"a":1,"b":"x","c":true,"d":1.5}}`))
	f.Add([]byte(`{"seq":1,"t":"2026-03-01T12:00:03.500+08:00","f":[]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var e Entry
		if e.UnmarshalJSON(raw) != nil {
			return
		}
		one, err := e.MarshalJSON()
		if err != nil {
			t.Skip() // a year that RFC 3339 cannot write
		}
		var again Entry
		if err := again.UnmarshalJSON(one); err != nil {
			t.Fatalf("%s: %v", one, err)
		}
		two, err := again.MarshalJSON()
		if err != nil || string(one) != string(two) {
			t.Errorf("%s\n%s", one, two)
		}
	})
}
