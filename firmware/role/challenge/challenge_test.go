package challenge

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	"swipewell/firmware/role"
)

var (
	wall   = time.Unix(1_800_000_000, 0).UTC()
	li     = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32))
	wang   = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, 32))
	nobody = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, 32))
)

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

func people() []Technician {
	return []Technician{{"Li", 7, role.Technician, public(li)}, {"Wang", 0, role.Supervisor, public(wang)}}
}

func desk(t rapid.TB, serial string, seed byte) (*Desk, *rand.ChaCha8) {
	t.Helper()
	r := rand.NewChaCha8([32]byte{seed})
	d, err := NewDesk(serial, people(), 5*time.Minute, r)
	if err != nil {
		t.Fatal(err)
	}
	return d, r
}

func ask(t rapid.TB, d *Desk, r *rand.ChaCha8, who role.Role, boot time.Duration) string {
	t.Helper()
	text, err := d.Ask(who, wall, boot, r)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func sign(t rapid.TB, text string, k ed25519.PrivateKey) string {
	t.Helper()
	out, err := Sign(text, k)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// What the technician's tool sees is what the device asked.
func TestChallengeTellsWhatItIs(t *testing.T) {
	d, r := desk(t, "SW-0001", 1)
	text := ask(t, d, r, role.Technician, time.Hour)
	c, err := Parse(text[:20] + "\r\n  " + text[20:] + "\n")
	if err != nil || c.Serial != "SW-0001" || c.Role != role.Technician || !c.From.Equal(wall) || c.Window != 5*time.Minute || c.Boot != d.boot || c.Nonce == [16]byte{} {
		t.Errorf("%+v %v", c, err)
	}
}

func TestOutcomes(t *testing.T) {
	const at = time.Hour
	for _, c := range []struct {
		name string
		do   func(d *Desk, r *rand.ChaCha8, text string) string // the answer
		who  role.Role
		late time.Duration
		want Outcome
	}{
		{"granted", func(_ *Desk, _ *rand.ChaCha8, s string) string { return sign(t, s, li) }, role.Technician, 0, Outcome{Granted, "Li", 7, role.Technician}},
		{"granted, with line ends", func(_ *Desk, _ *rand.ChaCha8, s string) string {
			a := sign(t, s, wang)
			return " " + a[:40] + "\r\n" + a[40:] + "\n"
		}, role.Supervisor, 0, Outcome{Granted, "Wang", 0, role.Supervisor}},
		{"in the last moment", func(_ *Desk, _ *rand.ChaCha8, s string) string { return sign(t, s, li) }, role.Technician, 5 * time.Minute, Outcome{Granted, "Li", 7, role.Technician}},
		{"too late", func(_ *Desk, _ *rand.ChaCha8, s string) string { return sign(t, s, li) }, role.Technician, 5*time.Minute + 1, Outcome{Kind: Expired}},
		{"another key", func(_ *Desk, _ *rand.ChaCha8, s string) string { return sign(t, s, nobody) }, role.Technician, 0, Outcome{Kind: UnknownKey}},
		{"another role", func(_ *Desk, _ *rand.ChaCha8, s string) string { return sign(t, s, wang) }, role.Technician, 0, Outcome{Kind: NotAllowed, Name: "Wang"}},
		{"another device", func(_ *Desk, _ *rand.ChaCha8, _ string) string {
			d, r := desk(t, "SW-0002", 1) // with the same luck
			return sign(t, ask(t, d, r, role.Technician, at), li)
		}, role.Technician, 0, Outcome{Kind: Other}},
		{"another run of the device", func(_ *Desk, _ *rand.ChaCha8, _ string) string {
			d, r := desk(t, "SW-0001", 2)
			return sign(t, ask(t, d, r, role.Technician, at), li)
		}, role.Technician, 0, Outcome{Kind: Other}},
		{"the challenge before", func(d *Desk, r *rand.ChaCha8, s string) string {
			ask(t, d, r, role.Technician, at)
			return sign(t, s, li)
		}, role.Technician, 0, Outcome{Kind: Other}},
		{"twice", func(d *Desk, _ *rand.ChaCha8, s string) string {
			a := sign(t, s, li)
			if out := d.Answer(a, at); out.Kind != Granted {
				t.Error(out)
			}
			return a
		}, role.Technician, 0, Outcome{Kind: Used}},
		{"right after a wrong one", func(d *Desk, _ *rand.ChaCha8, s string) string {
			if out := d.Answer(sign(t, s, nobody), at); out.Kind != UnknownKey {
				t.Error(out)
			}
			return sign(t, s, li)
		}, role.Technician, 0, Outcome{Kind: Used}},
		{"right after a torn one", func(d *Desk, _ *rand.ChaCha8, s string) string {
			a := sign(t, s, li)
			if out := d.Answer(a[:len(a)-2], at); out.Kind != Malformed {
				t.Error(out)
			}
			return a
		}, role.Technician, 0, Outcome{Granted, "Li", 7, role.Technician}},
		{"the challenge itself", func(_ *Desk, _ *rand.ChaCha8, s string) string { return s }, role.Technician, 0, Outcome{Kind: Malformed}},
		{"a rule file's signature", func(_ *Desk, _ *rand.ChaCha8, s string) string { // the key signed the bytes, and not as a challenge
			c, _ := Parse(s)
			raw, _ := c.pack()
			digest, id := digestOf(raw), idOf(public(li))
			return responseWord + base64.RawURLEncoding.EncodeToString(append(append(digest[:], id[:]...), ed25519.Sign(li, raw)...))
		}, role.Technician, 0, Outcome{Kind: WrongSign, Name: "Li", Number: 7}},
	} {
		d, r := desk(t, "SW-0001", 1)
		text := ask(t, d, r, c.who, at)
		if got := d.Answer(c.do(d, r, text), at+c.late); got != c.want {
			t.Errorf("%s: %s %+v", c.name, got.Kind, got)
		}
	}
	d, _ := desk(t, "SW-0001", 1)
	other, r := desk(t, "SW-0001", 1)
	if got := d.Answer(sign(t, ask(t, other, r, role.Technician, at), li), at); got.Kind != NoneOpen {
		t.Errorf("nothing was asked: %s", got.Kind)
	}
}

// No bit of a response may change, and none of a challenge between device and
// tool: whoever relays it cannot make it another device's or another role's.
func TestNoBitMayChange(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d, r := desk(rt, "SW-0001", rapid.Byte().Draw(rt, "seed"))
		text := ask(rt, d, r, role.Technician, 0)
		word, body := responseWord, sign(rt, text, li)
		if rapid.Bool().Draw(rt, "challenge") {
			word, body = challengeWord, text
		}
		b, err := base64.RawURLEncoding.DecodeString(body[len(word):])
		if err != nil {
			rt.Fatal(err)
		}
		i := rapid.IntRange(0, 8*len(b)-1).Draw(rt, "bit")
		b[i/8] ^= 1 << (i % 8)
		answer := word + base64.RawURLEncoding.EncodeToString(b)
		if word == challengeWord {
			if answer, err = Sign(answer, li); err != nil {
				return
			}
		}
		if got := d.Answer(answer, 0); got.Kind == Granted || got.Role != "" {
			rt.Fatalf("bit %d: %+v", i, got)
		}
	})
}

// There is one text for one challenge: base64 has bits to spare in others.
func TestOneText(t *testing.T) {
	d, r := desk(t, "SW-00012", 1)
	text := ask(t, d, r, role.Technician, 0)
	last := text[len(text)-1]
	if _, err := Parse(text[:len(text)-1] + string(last+1)); !errors.Is(err, ErrForm) {
		t.Errorf("another text for the same: %v", err)
	}
}

// A run never asks the same twice, and forgets only words.
func TestNonces(t *testing.T) {
	d, r := desk(t, "SW-0001", 1)
	seen := map[string]bool{}
	for range 3 * maxUsed {
		text := ask(t, d, r, role.Technician, 0)
		if seen[text] {
			t.Fatal("the same challenge again")
		}
		seen[text] = true
		a := sign(t, text, li)
		if got := d.Answer(a, 0); got.Kind != Granted {
			t.Fatal(got)
		}
		if got := d.Answer(a, 0); got.Kind == Granted {
			t.Fatal("twice")
		}
	}
	if len(d.used) > maxUsed {
		t.Errorf("%d are remembered", len(d.used))
	}
	for text := range seen {
		if got := d.Answer(sign(t, text, li), 0); got.Kind != Used && got.Kind != NoneOpen {
			t.Fatalf("an old one: %s", got.Kind)
		}
	}
}

func TestDesksThatCannotBe(t *testing.T) {
	r := rand.NewChaCha8([32]byte{})
	for name, f := range map[string]func() (*Desk, error){
		"no serial":   func() (*Desk, error) { return NewDesk("", people(), time.Minute, r) },
		"long serial": func() (*Desk, error) { return NewDesk(strings.Repeat("x", 33), people(), time.Minute, r) },
		"odd serial":  func() (*Desk, error) { return NewDesk("SW 1", people(), time.Minute, r) },
		"no window":   func() (*Desk, error) { return NewDesk("SW-1", people(), 0, r) },
		"a day":       func() (*Desk, error) { return NewDesk("SW-1", people(), 24*time.Hour, r) },
		"a short key": func() (*Desk, error) {
			return NewDesk("SW-1", []Technician{{"x", 0, role.Technician, public(li)[:31]}}, time.Minute, r)
		},
		"no name": func() (*Desk, error) {
			return NewDesk("SW-1", []Technician{{"", 0, role.Technician, public(li)}}, time.Minute, r)
		},
		"no role": func() (*Desk, error) {
			return NewDesk("SW-1", []Technician{{"x", 0, "boss", public(li)}}, time.Minute, r)
		},
		"a key twice": func() (*Desk, error) { return NewDesk("SW-1", append(people(), people()[0]), time.Minute, r) },
	} {
		if _, err := f(); !errors.Is(err, ErrDesk) {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := iotest.ErrReader(errors.New("no entropy"))
	if _, err := NewDesk("SW-1", people(), time.Minute, broken); err == nil {
		t.Error("a run without a nonce")
	}
	d, good := desk(t, "SW-0001", 1)
	text := ask(t, d, good, role.Technician, 0)
	if _, err := d.Ask(role.Technician, wall, 0, broken); err == nil {
		t.Error("a challenge without a nonce")
	}
	if got := d.Answer(sign(t, text, li), 0); got.Kind == Granted {
		t.Error("the one before is still open")
	}
	if _, err := d.Ask("boss", wall, 0, good); !errors.Is(err, ErrForm) {
		t.Errorf("an unknown role: %v", err)
	}
	if text, err := d.Ask(role.Technician, time.Unix(-5, 0), 0, good); err != nil {
		t.Errorf("before 1970: %s %v", text, err)
	}
}

func FuzzAnswer(f *testing.F) {
	d, r := desk(f, "SW-0001", 1)
	text := ask(f, d, r, role.Technician, 0)
	f.Add(text)
	f.Add(sign(f, text, nobody))
	f.Add("SWR1.")
	f.Add("SWC1." + base64.RawURLEncoding.EncodeToString(make([]byte, fixedLen)))
	f.Fuzz(func(t *testing.T, s string) {
		if c, err := Parse(s); err == nil {
			raw, err := c.pack()
			if err != nil {
				t.Fatalf("parsed, and cannot be: %v", err)
			}
			if again, err := Parse(challengeWord + base64.RawURLEncoding.EncodeToString(raw)); err != nil || again != c {
				t.Errorf("%+v, then %+v %v", c, again, err)
			}
			if strings.Join(strings.Fields(s), "") != challengeWord+base64.RawURLEncoding.EncodeToString(raw) {
				t.Error("two texts for one challenge")
			}
		} else if !errors.Is(err, ErrForm) {
			t.Error(err)
		}
		d, r := desk(t, "SW-0001", 1)
		ask(t, d, r, role.Technician, 0)
		if got := d.Answer(s, 0); got.Kind == Granted {
			t.Errorf("granted: %+v", got)
		}
	})
}
