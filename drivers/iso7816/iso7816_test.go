package iso7816_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"swipewell/drivers/iso7816"
	"swipewell/drivers/iso7816/cardsim"
	"swipewell/hal"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// slot is a driver on a wire with a card in.
func slot(t testing.TB, m cardsim.Machine, o iso7816.Opts) (*iso7816.Slot, *cardsim.Wire) {
	t.Helper()
	w := &cardsim.Wire{Machine: m, In: true, Echoless: o.NoEcho}
	o.Port, o.Contacts, o.Clock = w, w, w
	s, err := iso7816.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s, w
}

func cause(err error) string {
	var ce *hal.ChipError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &ce):
		return ce.Cause.String()
	}
	return err.Error()
}

// files is a small file system: READ RECORD gives a record of as many bytes as
// P1 says, filled with P1; INS DA stores, 84 gives back what was stored.
func files() cardsim.App {
	var kept []byte
	return func(c []byte) []byte {
		switch c[1] {
		case 0xB2:
			n := int(c[2])
			return append(bytes.Repeat([]byte{c[2]}, n), 0x90, 0x00)
		case 0xDA:
			if len(c) < 5 || c[4] == 0 {
				return []byte{0x67, 0x00}
			}
			kept = append([]byte(nil), c[5:5+int(c[4])]...)
			return []byte{0x90, 0x00}
		case 0x84:
			return append(append([]byte(nil), kept...), 0x90, 0x00)
		case 0xA4: // brings back the name it got
			if len(c) < 5 || c[4] == 0 {
				return []byte{0x6A, 0x82}
			}
			return append(append([]byte{0x6F, c[4]}, c[5:5+int(c[4])]...), 0x90, 0x00)
		}
		return []byte{0x6D, 0x00}
	}
}

// session is what a sale's transport comes down to.
var session = []struct{ c, r string }{
	{"00A404000E315041592E5359532E444446303100", "6F0E315041592E5359532E44444630319000"},
	{"00B2040C00", "040404049000"},
	{"00B2C80C00", hex.EncodeToString(bytes.Repeat([]byte{200}, 200)) + "9000"},
	{"00DA000040" + hex.EncodeToString(bytes.Repeat([]byte{0x5A}, 64)), "9000"},
	{"0084000000", hex.EncodeToString(bytes.Repeat([]byte{0x5A}, 64)) + "9000"},
	{"00EE0000", "6d00"},
	{"00A40400", "6a82"},
}

func run(t *testing.T, s *iso7816.Slot) {
	t.Helper()
	for _, x := range session {
		got, err := s.Transmit(t.Context(), []byte{0xEE}, unhex(x.c))
		if err != nil {
			t.Fatalf("%s: %v", x.c, err)
		}
		if want := append([]byte{0xEE}, unhex(x.r)...); !bytes.Equal(got, want) {
			t.Fatalf("%s: %X, want %X", x.c, got, want)
		}
	}
}

// Every kind of card answers the same session.
func TestEveryKindOfCard(t *testing.T) {
	type kind struct {
		name string
		o    cardsim.Opts
		d    iso7816.Opts
	}
	kinds := []kind{
		{"T=0", cardsim.Opts{}, iso7816.Opts{}},
		{"T=0 inverse", cardsim.Opts{Inverse: true}, iso7816.Opts{}},
		{"T=0 byte by byte", cardsim.Opts{Knobs: cardsim.Knobs{ByteWise: true}}, iso7816.Opts{}},
		{"T=0 nulls", cardsim.Opts{Knobs: cardsim.Knobs{Nulls: 7, Delay: 8000}}, iso7816.Opts{}},
		{"T=0 many 61", cardsim.Opts{Knobs: cardsim.Knobs{Most61: 3}}, iso7816.Opts{}},
		{"T=0 one by one 61", cardsim.Opts{Knobs: cardsim.Knobs{Most61: 1}}, iso7816.Opts{}},
		{"T=0 specific, four times as fast", cardsim.Opts{DI: 3, Specific: true}, iso7816.Opts{}},
		{"T=0 negotiable, not taken up", cardsim.Opts{DI: 3}, iso7816.Opts{}},
		{"T=0 negotiable by PPS", cardsim.Opts{DI: 3}, iso7816.Opts{Rules: iso7816.RulesISO}},
		{"T=0 too fast to ask for", cardsim.Opts{DI: 6}, iso7816.Opts{Rules: iso7816.RulesISO}},
		{"T=0 without echo", cardsim.Opts{}, iso7816.Opts{NoEcho: true}},
		{"T=0 bad answer to the cold reset", cardsim.Opts{Knobs: cardsim.Knobs{MuteUntil: 1}}, iso7816.Opts{}},
		{"T=1", cardsim.Opts{Protocol: 1}, iso7816.Opts{}},
		{"T=1 inverse", cardsim.Opts{Protocol: 1, Inverse: true}, iso7816.Opts{}},
		{"T=1 close", cardsim.Opts{Protocol: 1, FF: true, CWI: 1, BWI: 1}, iso7816.Opts{}},
		{"T=1 small blocks", cardsim.Opts{Protocol: 1, IFSC: 16, Knobs: cardsim.Knobs{MostINF: 7}}, iso7816.Opts{}},
		{"T=1 slow", cardsim.Opts{Protocol: 1, Knobs: cardsim.Knobs{WTX: 3, WTXTimes: 2, Delay: 14000}}, iso7816.Opts{}},
		{"T=1 larger blocks later", cardsim.Opts{Protocol: 1, IFSC: 16, Knobs: cardsim.Knobs{AskIFS: 0xFE}}, iso7816.Opts{}},
		{"T=1 CRC", cardsim.Opts{Protocol: 1, CRC: true}, iso7816.Opts{Rules: iso7816.RulesISO}},
		{"T=1 PPS", cardsim.Opts{Protocol: 1, DI: 2}, iso7816.Opts{Rules: iso7816.RulesISO}},
		{"T=1 specific", cardsim.Opts{Protocol: 1, DI: 2, Specific: true}, iso7816.Opts{}},
	}
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			k.o.App = files()
			c := cardsim.New(k.o)
			s, w := slot(t, c, k.d)
			for round := range 2 {
				r, err := s.PowerUp(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(r.ATR, c.ATR()) || r.Protocol != k.o.Protocol || r.Warm != (k.o.MuteUntil > 0) {
					t.Errorf("%X T=%d warm %v", r.ATR, r.Protocol, r.Warm)
				}
				run(t, s)
				if err := s.PowerDown(); err != nil || w.Powered || w.Clocked || w.High {
					t.Errorf("round %d: %v, VCC %v CLK %v RST %v after PowerDown", round, err, w.Powered, w.Clocked, w.High)
				}
			}
			turn, guard := 16., 12.
			if k.o.Protocol == 1 {
				turn = 22
			}
			if k.o.FF && k.o.Protocol == 1 {
				guard = 11
			}
			if w.MinTurn < turn || w.MinGuard < guard || w.Collisions > 0 {
				t.Errorf("turn %.2f etu (%.0f), guard %.2f (%.0f), %d collisions", w.MinTurn, turn, w.MinGuard, guard, w.Collisions)
			}
		})
	}
}

// A T=0 sale at 9600 baud takes what its characters need, and little more.
func TestTimeOfASale(t *testing.T) {
	s, w := slot(t, cardsim.New(cardsim.Opts{App: files()}), iso7816.Opts{})
	if _, err := s.PowerUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	before, n := w.Now().Boot, w.Sent+w.Got
	run(t, s)
	took, chars := w.Now().Boot-before, w.Sent+w.Got-n
	need := time.Duration(chars) * 12 * 372 * time.Second / cardsim.Hz
	t.Logf("%d characters need %v, took %v: %.3f", chars, need, took, float64(took)/float64(need))
	if took < need*98/100 || took > need*115/100 {
		t.Errorf("%d characters need %v, took %v", chars, need, took)
	}
}
