package iso7816_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"swipewell/drivers/iso7816"
	"swipewell/drivers/iso7816/cardsim"
)

const plainATR = "3B600000"

func repeat(b string, n int) string { return strings.Repeat(b, n) }

// tpdus are conversations at the character level: what the card awaits, and
// what it sends. EMV1 Annex A, and what lies between its examples.
var tpdus = []struct {
	name    string
	capdu   string
	steps   [][2]string
	rapdu   string // empty: an error
	because string // its cause
}{
	{"case 1", "8012AB01", [][2]string{{"8012AB0100", "9000"}}, "9000", ""},
	{"case 1, error", "8012AB01", [][2]string{{"8012AB0100", "6E00"}}, "6E00", ""},
	{"case 1, after a wait", "8012AB01", [][2]string{{"8012AB0100", "6060609000"}}, "9000", ""},
	{"case 2, length known", "80CA9F1704", [][2]string{{"80CA9F1704", "CA9F1701059000"}}, "9F1701059000", ""},
	{"case 2, 256 bytes", "80CA000000", [][2]string{{"80CA000000", "CA" + repeat("31", 256) + "9000"}}, repeat("31", 256) + "9000", ""},
	{"case 2, byte by byte", "80CA9F1703", [][2]string{{"80CA9F1703", "359F35176035019000"}}, "9F17019000", ""},
	{"case 2, byte by byte, then the rest", "80CA9F1703", [][2]string{{"80CA9F1703", "359F60CA17019000"}}, "9F17019000", ""},
	{"case 2, early error", "80CA9F1704", [][2]string{{"80CA9F1704", "6A88"}}, "6A88", ""},
	{"case 2, late error", "80CA9F1704", [][2]string{{"80CA9F1704", "CA000000006581"}}, "000000006581", ""},
	{"case 2, 6C", "00B2011400", [][2]string{{"00B2011400", "6C05"}, {"00B2011405", "B270035A01119000"}}, "70035A01119000", ""},
	{"case 2, 6C twice", "00B2011400", [][2]string{{"00B2011400", "6C05"}, {"00B2011405", "6C06"}}, "6C06", ""},
	{"case 2, 6C00", "00B2011410", [][2]string{{"00B2011410", "6C00"}, {"00B2011400", "B2" + repeat("42", 256) + "9000"}}, repeat("42", 256) + "9000", ""},
	{"case 2, 61 for data", "80A8000000", [][2]string{{"80A8000000", "6104"}, {"00C0000004", "C0800218009000"}}, "800218009000", ""},
	{"case 2, 6C then 61 twice", "80A8000000", [][2]string{{"80A8000000", "6C03"}, {"80A8000003", "6102"}, {"00C0000002", "C0A1A26101"}, {"00C0000001", "C0A39000"}}, "A1A2A39000", ""},
	{"case 3", "0020008008" + "241234FFFFFFFFFF", [][2]string{{"0020008008", "20"}, {"241234FFFFFFFFFF", "9000"}}, "9000", ""},
	{"case 3, byte by byte", "0020008003A1A2A3", [][2]string{{"0020008003", "DF"}, {"A1", "60DF"}, {"A2", "20"}, {"A3", "9000"}}, "9000", ""},
	{"case 3, early error", "0020008003A1A2A3", [][2]string{{"0020008003", "6983"}}, "6983", ""},
	{"case 3, error between", "0020008003A1A2A3", [][2]string{{"0020008003", "DF"}, {"A1", "6700"}}, "6700", ""},
	{"case 3, late error", "0020008003A1A2A3", [][2]string{{"0020008003", "20"}, {"A1A2A3", "63C2"}}, "63C2", ""},
	{"case 3, 255 bytes", "00DA0000FF" + repeat("77", 255), [][2]string{{"00DA0000FF", "DA"}, {repeat("77", 255), "9000"}}, "9000", ""},
	{"case 4", "00A4040005A000000333" + "00", [][2]string{{"00A4040005", "A4"}, {"A000000333", "6104"}, {"00C0000004", "C06F0284009000"}}, "6F0284009000", ""},
	{"case 4, no data", "00A4040005A00000033300", [][2]string{{"00A4040005", "A4"}, {"A000000333", "9000"}}, "9000", ""},
	{"case 4, early error", "00A4040005A00000033300", [][2]string{{"00A4040005", "6A81"}}, "6A81", ""},
	{"case 4, late error", "00A4040005A00000033300", [][2]string{{"00A4040005", "A4"}, {"A000000333", "6A82"}}, "6A82", ""},
	{"case 4, error in GET RESPONSE", "00A4040005A00000033300", [][2]string{{"00A4040005", "A4"}, {"A000000333", "6104"}, {"00C0000004", "6F00"}}, "6F00", ""},
	{"case 4, 61 in parts", "80AE400002010200", [][2]string{{"80AE400002", "AE"}, {"0102", "6103"}, {"00C0000003", "C0B1B2B36102"}, {"00C0000002", "C0B4B56100"}, {"00C0000000", "6C01"}, {"00C0000001", "C0B69000"}}, "B1B2B3B4B5B69000", ""},
	{"case 4, 61 then 6C", "80AE400002010200", [][2]string{{"80AE400002", "AE"}, {"0102", "6110"}, {"00C0000010", "6C02"}, {"00C0000002", "C0C1C29000"}}, "C1C29000", ""},
	{"case 4, 61 then a warning", "80AE400002010200", [][2]string{{"80AE400002", "AE"}, {"0102", "6102"}, {"00C0000002", "C0C1C26283"}}, "C1C26283", ""},
	{"case 4, a warning, 6C, the data", "00A4040005A00000033300", [][2]string{{"00A4040005", "A4"}, {"A000000333", "6283"}, {"00C0000000", "6C03"}, {"00C0000003", "C06F01849000"}}, "6F01846283", ""},
	{"case 4, a warning says how much", "00A4040005A00000033300", [][2]string{{"00A4040005", "A4"}, {"A000000333", "6203"}, {"00C0000003", "C06F01849000"}}, "6F01846203", ""},
	{"case 4, a warning, 61, the data", "00A4040005A00000033300", [][2]string{{"00A4040005", "A4"}, {"A000000333", "6301"}, {"00C0000000", "6102"}, {"00C0000002", "C0D1D29000"}}, "D1D26301", ""},
	{"case 4, a warning and nothing", "00A4040005A00000033300", [][2]string{{"00A4040005", "A4"}, {"A000000333", "6283"}, {"00C0000000", "6985"}}, "6283", ""},
	{"61 without end", "80A8000000", [][2]string{{"80A8000000", "6104"}, {"00C0000004", "6104"}}, "", "protocol"},
	{"more than 256 bytes", "80A8000000", [][2]string{{"80A8000000", "6100"}, {"00C0000000", "C0" + repeat("00", 256) + "6101"}, {"00C0000001", "C0009000"}}, "", "protocol"},
	{"wants more data than there is", "0020008001A1", [][2]string{{"0020008001", "20"}, {"A1", "20"}}, "", "protocol"},
	{"sends more data than asked for", "80CA9F1701", [][2]string{{"80CA9F1701", "CAA1CA"}}, "", "protocol"},
	{"another instruction", "80CA9F1701", [][2]string{{"80CA9F1701", "CBA19000"}}, "", "protocol"},
	{"no answer", "80CA9F1701", [][2]string{{"80CA9F1701", ""}}, "", "mute"},
	{"no answer after a wait", "80CA9F1701", [][2]string{{"80CA9F1701", "6060"}}, "", "mute"},
	{"no SW2", "80CA9F1701", [][2]string{{"80CA9F1701", "CAA190"}}, "", "mute"},
	{"data stops", "80CA9F1704", [][2]string{{"80CA9F1704", "CAA1A2"}}, "", "mute"},
}

func TestTPDUs(t *testing.T) {
	for _, c := range tpdus {
		t.Run(c.name, func(t *testing.T) {
			m := cardsim.NewScript(plainATR, c.steps...)
			s, w := slot(t, m, iso7816.Opts{})
			if _, err := s.PowerUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			got, err := s.Transmit(t.Context(), nil, unhex(c.capdu))
			if cause(err) != c.because || err == nil && !bytes.Equal(got, unhex(c.rapdu)) {
				t.Errorf("%X %v, want %s %s", got, err, c.rapdu, c.because)
			}
			if err := m.Over(); err != nil {
				t.Error(err)
			}
			if err != nil && (w.Powered || len(got) > 0) {
				t.Errorf("power %v, %d bytes after an error", w.Powered, len(got))
			}
		})
	}
}

// A bug of the caller never reaches the card.
func TestBadCommands(t *testing.T) {
	s, _ := slot(t, cardsim.New(cardsim.Opts{App: files()}), iso7816.Opts{})
	if _, err := s.Transmit(t.Context(), nil, unhex("00A40400")); cause(err) != iso7816.ErrNoPower.Error() {
		t.Errorf("without power: %v", err)
	}
	if _, err := s.PowerUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []string{"", "00A404", "00A4040002A0", "00A40400020102030405", "00A40400000102", "0060000000", "009F000000"} {
		if _, err := s.Transmit(t.Context(), nil, unhex(c)); err == nil || !strings.Contains(err.Error(), "no command APDU") {
			t.Errorf("%s: %v", c, err)
		}
	}
	run(t, s)
}

// 60 without end: the limit ends it, in the time that it says.
func TestNullsWithoutEnd(t *testing.T) {
	s, w := slot(t, cardsim.New(cardsim.Opts{App: files(), Knobs: cardsim.Knobs{Nulls: -1}}), iso7816.Opts{Limit: 10 * time.Second})
	if _, err := s.PowerUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := w.Now().Boot
	if _, err := s.Transmit(t.Context(), nil, unhex("80CA9F1704")); cause(err) != "mute" || w.Powered {
		t.Errorf("%v", err)
	}
	if took := w.Now().Boot - before; took > 11*time.Second {
		t.Errorf("took %v", took)
	}
}

// The work waiting time: a card may be silent for all of it, and no longer than
// the terminal's margin beyond. EMV1 §9.2.2.1: 9600 etu, and 480 more.
func TestWorkWaitingTime(t *testing.T) {
	for _, c := range []struct {
		etu  int
		want string
	}{{9600, ""}, {10079, ""}, {10700, "mute"}} { // 50 ms of slack are 480 etu
		s, _ := slot(t, cardsim.New(cardsim.Opts{App: files(), Knobs: cardsim.Knobs{Delay: c.etu}}), iso7816.Opts{})
		if _, err := s.PowerUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Transmit(t.Context(), nil, unhex("00EE0000")); cause(err) != c.want {
			t.Errorf("%d etu: %v, want %q", c.etu, err, c.want)
		}
	}
}

// Without the error signal a parity error ends the exchange; the card can be
// begun anew by a warm reset, once.
func TestParityEndsInAWarmReset(t *testing.T) {
	f := &cardsim.Faulty{Machine: cardsim.New(cardsim.Opts{App: files()})}
	s, w := slot(t, f, iso7816.Opts{})
	if _, err := s.PowerUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.Faults = []cardsim.Fault{{FromCard: true, At: f.Out + 1, Kind: cardsim.Parity}}
	if _, err := s.Transmit(t.Context(), nil, unhex(session[2].c)); cause(err) != "parity" || !w.Powered {
		t.Fatalf("%v, power %v", err, w.Powered)
	}
	if _, err := s.Transmit(t.Context(), nil, unhex("00EE0000")); cause(err) != iso7816.ErrNoPower.Error() {
		t.Errorf("the session goes on: %v", err)
	}
	r, err := s.PowerUp(t.Context())
	if err != nil || !r.Warm {
		t.Fatalf("%+v %v", r, err)
	}
	run(t, s)
	f.Faults = []cardsim.Fault{{FromCard: true, At: f.Out + 1, Kind: cardsim.Parity}}
	if _, err := s.Transmit(t.Context(), nil, unhex(session[2].c)); cause(err) != "parity" || w.Powered {
		t.Errorf("a second time: %v, power %v", err, w.Powered)
	}
}

// Any fault at any character of a T=0 session: the answers are right, or it
// ends with a cause; no byte is believed whose parity was wrong.
func TestT0FaultsEverywhere(t *testing.T) {
	clean := func() *cardsim.Faulty { return &cardsim.Faulty{Machine: cardsim.New(cardsim.Opts{App: files()})} }
	f := clean()
	s, _ := slot(t, f, iso7816.Opts{})
	if _, err := s.PowerUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	run(t, s)
	ends := map[string]int{}
	for _, dir := range []bool{true, false} {
		n := f.In
		if dir {
			n = f.Out
		}
		for at := range n {
			for _, kind := range []cardsim.FaultKind{cardsim.Parity, cardsim.Drop, cardsim.Insert} {
				g := clean()
				g.Faults = []cardsim.Fault{{FromCard: dir, At: at, Kind: kind, Mask: 0xA5}}
				s, w := slot(t, g, iso7816.Opts{})
				_, err := s.PowerUp(t.Context())
				for _, x := range session {
					if err != nil {
						break
					}
					var got []byte
					got, err = s.Transmit(t.Context(), nil, unhex(x.c))
					if err == nil && kind == cardsim.Parity && dir && hex.EncodeToString(got) != strings.ToLower(x.r) {
						t.Errorf("%s at %d: a wrong answer %X", kind, at, got)
					}
				}
				ends[cause(err)]++
				if w.Now().Boot > 3*time.Minute {
					t.Errorf("%s at %d: took %v", kind, at, w.Now().Boot)
				}
				if err != nil && cause(err) == err.Error() {
					t.Errorf("%s at %d: no cause: %v", kind, at, err)
				}
			}
		}
	}
	t.Logf("%v", ends)
}
