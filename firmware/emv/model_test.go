package emv_test

import (
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"swipewell/firmware/emv"
	"swipewell/firmware/emv/tlv"
	"swipewell/firmware/sim/card"
)

// setup is a configuration and a transaction for tests that drive the stepper
// themselves.
func setup(t testing.TB, p card.Profile) (*emv.Config, emv.Transaction) {
	t.Helper()
	f := terminal(t, p)
	cfg := &emv.Config{Data: emv.Values{}, CanChoose: true}
	for k, v := range f.Config {
		tag, err := tlv.ParseTag(k)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Data[tag] = v
	}
	for _, a := range f.Apps {
		cfg.Apps = append(cfg.Apps, emv.App{AID: a.AID, Partial: true})
	}
	rid, index, k, err := p.CAKey()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Keys = []emv.CAKey{{RID: [5]byte(rid), Index: index, Modulus: k.N, Exponent: k.E}}
	txn := emv.Transaction{Data: emv.Values{}, UN: [4]byte{1, 2, 3, 4}, Pick: 99}
	for k, v := range f.Params {
		tag, err := tlv.ParseTag(k)
		if err != nil {
			t.Fatal(err)
		}
		txn.Data[tag] = v
	}
	return cfg, txn
}

// world answers what is not the card: every question has a sensible answer.
type world struct {
	host  emv.Host
	pin   emv.PIN
	asked int
}

func (w *world) answer(out emv.Output) emv.Input {
	w.asked++
	switch out.(type) {
	case emv.AskChoice:
		return emv.Choice{}
	case emv.AskPIN:
		return w.pin
	case emv.AskFacts:
		return emv.Facts{}
	case emv.AskOnline:
		return w.host
	}
	return nil
}

// maxSteps is more than any transaction may take: its commands and its questions.
const maxSteps = 3 * emv.MaxAPDUs

// drive runs a transaction to its outcome; card answers commands (nil is lost).
func drive(t interface{ Fatalf(string, ...any) }, cfg *emv.Config, txn emv.Transaction, w *world, card func(n int, out emv.Output) emv.Input) (emv.State, emv.Outcome) {
	s, out, err := emv.Begin(cfg, txn)
	if err != nil {
		t.Fatalf("begin: %v", err)
	}
	n := 0
	for range maxSteps {
		if o, ok := out.(emv.Outcome); ok {
			judge(t, o, n)
			return s, o
		}
		in := w.answer(out)
		if in == nil {
			in = card(n, out)
			n++
		}
		s, out = emv.Step(s, in)
	}
	t.Fatalf("no outcome after %d steps", maxSteps)
	return s, emv.Outcome{}
}

// judge checks what holds for every outcome.
func judge(t interface{ Fatalf(string, ...any) }, o emv.Outcome, n int) {
	if n != o.APDUs || n > emv.MaxAPDUs {
		t.Fatalf("%v after %d commands, says %d", o, n, o.APDUs)
	}
	switch o.Kind {
	case emv.Refused:
		if o.Reversal != emv.Reverse06 {
			t.Fatalf("%v without a reversal", o)
		}
	case emv.UnknownFate:
		if o.Reversal != emv.Reverse98 {
			t.Fatalf("%v without a reversal", o)
		}
	default:
		if o.Reversal != emv.NoReversal {
			t.Fatalf("%v with a reversal", o)
		}
	}
	approved := o.Kind == emv.ApprovedOffline || o.Kind == emv.ApprovedOnline
	if o.Signature && !approved || o.ReadFailure && (o.Kind != emv.Terminated || o.Cause != emv.CardLost) {
		t.Fatalf("%+v", o)
	}
	if o.Kind == emv.DryRunDone {
		t.Fatalf("%v", o)
	}
}

// statuses: one of every class, and those with a meaning.
var statuses = []uint16{
	0x9000, 0x6200, 0x6281, 0x6283, 0x6300, 0x63C0, 0x63C1, 0x63CF, 0x6400, 0x6500, 0x6581, 0x6700, 0x6800, 0x6900, 0x6983, 0x6984, 0x6985,
	0x6A80, 0x6A81, 0x6A82, 0x6A83, 0x6A88, 0x6B00, 0x6C00, 0x6CFF, 0x6D00, 0x6E00, 0x6F00, 0x6100, 0x61FF, 0x9001, 0x9100, 0x0000, 0xFFFF,
}

// TestModel: every status at every command of a rich sale, with the right data,
// with none, and no answer at all, for every word of the host. Always an outcome,
// and money only if both card and issuer gave it.
func TestModel(t *testing.T) {
	hosts := map[string]emv.Host{
		"approved": {Approved: true, ARC: [2]byte{'0', '0'}, AuthData: make([]byte, 10), Scripts: [][]byte{
			unhex("71098607842400000400" + "00"), unhex("72098607842400000400" + "00")}},
		"declined":   {ARC: [2]byte{'0', '5'}, AuthData: make([]byte, 10)},
		"never sent": {Reach: emv.NeverSent}, "no answer": {Reach: emv.NoAnswer},
	}
	for _, name := range []string{"debit", "credit"} {
		p := profile(t, name, func(p *card.Profile) {
			p.Lower, p.Upper, p.OfflineMax = "05", "0A", 0
			p.CA, p.Issuer, p.ICC = "ca-512", "issuer-512", "icc-512"
		})
		cfg, txn := setup(t, p)
		fresh, err := card.New(p)
		if err != nil {
			t.Fatal(err)
		}
		for word, host := range hosts {
			w := &world{host: host, pin: emv.PIN{Handle: 7}}
			s, out, err := emv.Begin(cfg, txn)
			if err != nil {
				t.Fatal(err)
			}
			forks, c := 0, fresh.Copy()
			for {
				if _, ok := out.(emv.Outcome); ok {
					break
				}
				in := w.answer(out)
				if in == nil {
					r := response(c, out)
					for i := -1; i < 2*len(statuses); i++ {
						forks++
						o := rest(t, s, bad(i, r), w, c.Copy())
						switch {
						case o.Kind == emv.ApprovedOnline && word != "approved", o.Kind == emv.Refused && word != "approved",
							o.Kind == emv.UnknownFate && word != "no answer", o.Kind == emv.ApprovedOffline && word != "never sent":
							t.Fatalf("%s, %s, after %v, status %d: %v", name, word, out, i, o)
						}
					}
					in = emv.ParseResponse(r)
				}
				s, out = emv.Step(s, in)
			}
			if forks < 18*2*len(statuses) {
				t.Errorf("%s, %s: %d forks", name, word, forks)
			}
		}
	}
}

// bad is the answer i of the model: none, a status alone, or one behind the data.
func bad(i int, r []byte) emv.Input {
	switch {
	case i < 0:
		return emv.Lost{}
	case i < len(statuses):
		return emv.Response{SW: statuses[i]}
	}
	return emv.Response{Data: r[:len(r)-2], SW: statuses[i-len(statuses)]}
}

// rest goes on from one answer to the outcome.
func rest(t *testing.T, s emv.State, in emv.Input, w *world, c *card.Card) emv.Outcome {
	s, out := emv.Step(s, in)
	for range maxSteps {
		if o, ok := out.(emv.Outcome); ok {
			judge(t, o, o.APDUs)
			return o
		}
		in := w.answer(out)
		if in == nil {
			in = emv.ParseResponse(response(c, out))
		}
		s, out = emv.Step(s, in)
	}
	t.Fatal("no outcome")
	return emv.Outcome{}
}

// response lets a card answer, with the PIN pad's work done for a plain PIN.
func response(c *card.Card, out emv.Output) []byte {
	switch o := out.(type) {
	case emv.Command:
		return c.Transmit(o.APDU)
	case emv.Verify:
		if len(o.Modulus) == 0 {
			return c.Transmit(append(append(o.Header[:], 8), unhex("26123456FFFFFFFF")...))
		}
		return []byte{0x90, 0x00}
	}
	return nil
}

// TestHostileCards: a card that answers at random, or as a real one would with
// bytes changed, objects moved and statuses at will. Always an outcome.
func TestHostileCards(t *testing.T) { rapid.Check(t, hostile(t)) }

// FuzzHostileCards is the same, with what a card and its host say out of the fuzzer.
// What it draws in one session takes some kilobytes.
func FuzzHostileCards(f *testing.F) {
	for seed := range byte(8) {
		b := make([]byte, 1<<14)
		rand.NewChaCha8([32]byte{seed}).Read(b)
		f.Add(b)
	}
	f.Fuzz(rapid.MakeFuzz(hostile(f)))
}

func hostile(tb testing.TB) func(*rapid.T) {
	p := profile(tb, "credit", func(p *card.Profile) {
		p.CVMList = "00000000000000004403410342031E031F00"
		p.CA, p.Issuer, p.ICC = "ca-512", "issuer-512", "icc-512"
	})
	cfg, txn := setup(tb, p)
	fresh, err := card.New(p)
	if err != nil {
		tb.Fatal(err)
	}
	return func(t *rapid.T) {
		c := fresh.Copy()
		w := &world{pin: emv.PIN{Result: emv.PINResult(rapid.IntRange(0, 4).Draw(t, "pin")), Handle: 1}}
		w.host = emv.Host{
			Reach: emv.Reach(rapid.IntRange(0, 3).Draw(t, "reach")), Approved: rapid.Bool().Draw(t, "approved"),
			AuthData: rapid.SliceOfN(rapid.Byte(), 0, 17).Draw(t, "91"),
			Scripts:  rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 20), 0, 3).Draw(t, "scripts"),
		}
		evil := rapid.IntRange(3, 80).Draw(t, "evil")
		drive(t, cfg, txn, w, func(_ int, out emv.Output) emv.Input {
			r := response(c, out)
			if rapid.IntRange(0, evil).Draw(t, "turn") != 0 {
				return emv.ParseResponse(r)
			}
			return emv.ParseResponse(spoil(t, r))
		})
	}
}

func spoil(t *rapid.T, r []byte) []byte {
	r = append([]byte(nil), r...)
	switch rapid.IntRange(0, 5).Draw(t, "how") {
	case 0:
		return nil
	case 1:
		return rapid.SliceOfN(rapid.Byte(), 0, 258).Draw(t, "noise")
	case 2:
		s := rapid.SampledFrom(statuses).Draw(t, "status")
		return append(r[:max(0, len(r)-2)], byte(s>>8), byte(s))
	case 3:
		if len(r) > 2 {
			r[rapid.IntRange(0, len(r)-3).Draw(t, "at")] ^= byte(rapid.IntRange(1, 255).Draw(t, "by"))
		}
	case 4:
		if len(r) > 2 {
			n := rapid.IntRange(0, len(r)-2).Draw(t, "cut")
			r = append(r[:n], 0x90, 0x00)
		}
	case 5:
		body := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "body")
		return append(tlv.Append(nil, rapid.SampledFrom([]tlv.Tag{0x6F, 0x70, 0x77, 0x80}).Draw(t, "tag"), body), 0x90, 0x00)
	}
	return r
}

// TestEndlessCards: cards made to never end. The bound is the kernel's.
func TestEndlessCards(t *testing.T) {
	p := profile(t, "debit", func(p *card.Profile) { p.CVMList = "0000000000000000010301030103" })
	cfg, txn := setup(t, p)
	for name, answer := range map[string]func(emv.Output) []byte{
		"always 9000": func(emv.Output) []byte { return unhex("9000") },
		"always the same partial match": func(out emv.Output) []byte {
			if c, ok := out.(emv.Command); ok && len(c.APDU) > 15 && string(c.APDU[5:9]) == "1PAY" {
				return unhex("6A82")
			}
			return unhex("6F118409A00000033301010101A50450024142" + "9000")
		},
		"every PIN wrong, never counted": nil,
		"AFL of 255 records, again and again": func(out emv.Output) []byte {
			c, ok := out.(emv.Command)
			switch {
			case !ok:
				return unhex("9000")
			case c.APDU[1] == 0xA4 && string(c.APDU[5:9]) == "1PAY":
				return unhex("6A82")
			case c.APDU[1] == 0xA4:
				return unhex("6F118408A000000333010101A50550034142439000")
			case c.APDU[1] == 0xA8:
				return unhex("800A7C00080100FF10001000" + "9000")
			}
			return unhex("70009000")
		},
	} {
		c, err := card.New(p)
		if err != nil {
			t.Fatal(err)
		}
		w := &world{pin: emv.PIN{Handle: 1}}
		_, o := drive(t, cfg, txn, w, func(_ int, out emv.Output) emv.Input {
			if answer != nil {
				return emv.ParseResponse(answer(out))
			}
			if _, ok := out.(emv.Verify); ok {
				return emv.Response{SW: 0x63C5}
			}
			return emv.ParseResponse(c.Transmit(out.(emv.Command).APDU))
		})
		if o.Kind != emv.Terminated {
			t.Errorf("%s: %v", name, o)
		}
	}
}
