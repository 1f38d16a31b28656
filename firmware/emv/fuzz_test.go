package emv

import (
	"bytes"
	"encoding/hex"
	"testing"

	"swipewell/firmware/emv/tlv"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func fuzzConfig() (*Config, Transaction) {
	cfg := &Config{
		Data: Values{0x9F1A: unhex("0156"), 0x9F33: unhex("E0F8C8"), 0x9F35: unhex("22"), 0x9F40: unhex("FA00F0A3FF"), 0x9F1B: unhex("00002710")},
		Apps: []App{{AID: unhex("A000000333"), Partial: true}},
	}
	return cfg, Transaction{Data: Values{0x9F02: unhex("000000001234"), 0x5F2A: unhex("0156"), 0x9A: unhex("261126"), 0x9C: {0}}, Pick: 1}
}

// at brings a transaction to a stage with answers that are good.
func at(t testing.TB, aip string, answers ...string) State {
	t.Helper()
	cfg, txn := fuzzConfig()
	s, _, err := Begin(cfg, txn)
	if err != nil {
		t.Fatal(err)
	}
	good := []string{"6A82", fuzzFCI, "6A82", fuzzFCI, "8006" + aip + "08010200" + "9000"}
	for _, a := range append(good, answers...) {
		s, _ = Step(s, ParseResponse(unhex(a)))
	}
	return s
}

const (
	recordOne = "70195A0862258800000901275F24034912318C039F37048D028A02" + "9000"
	fuzzFCI   = "6F128408A000000333010101A50650044445424D9000"
	recordTwo = "70009000"
)

// finish answers everything with 9000 and no data, and wants an outcome.
func finish(t testing.TB, s State, out Output) Outcome {
	t.Helper()
	for range 3 * MaxAPDUs {
		switch o := out.(type) {
		case Outcome:
			if o.APDUs > MaxAPDUs {
				t.Fatalf("%d commands", o.APDUs)
			}
			return o
		case AskChoice:
			s, out = Step(s, Choice{})
		case AskPIN:
			s, out = Step(s, PIN{})
		case AskFacts:
			s, out = Step(s, Facts{})
		case AskOnline:
			s, out = Step(s, Host{Approved: true})
		default:
			s, out = Step(s, Response{SW: 0x9000})
		}
	}
	t.Fatal("no outcome")
	return Outcome{}
}

func FuzzGPO(f *testing.F) {
	f.Add(unhex("80067C0008010200"))
	f.Add(unhex("770A82027C009404080102009000"))
	f.Fuzz(func(t *testing.T, b []byte) {
		cfg, txn := fuzzConfig()
		s, _, err := Begin(cfg, txn)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range []string{"6A82", fuzzFCI, "6A82", fuzzFCI} {
			s, _ = Step(s, ParseResponse(unhex(a)))
		}
		s, out := Step(s, Response{b, 0x9000})
		finish(t, s, out)
		if aip, locator, ok := readGPO(b); ok && (len(aip) != 2 || len(locator) > len(b)) {
			t.Fatal("read more than there is")
		}
	})
}

func FuzzAFL(f *testing.F) {
	f.Add(unhex("0801010010010201180107FF"))
	f.Add(unhex("080100FF"))
	f.Fuzz(func(t *testing.T, b []byte) {
		files, ok := readAFL(b)
		if ok != (len(files) > 0) || len(files) > len(b)/4 {
			t.Fatalf("%v %v", files, ok)
		}
		for _, x := range files {
			if x.sfi < 1 || x.sfi > 30 || x.first < 1 || x.last < x.first || int(x.auth) > int(x.last)-int(x.first)+1 {
				t.Fatalf("%+v", x)
			}
		}
	})
}

func FuzzRecord(f *testing.F) {
	f.Add(unhex(recordOne[:len(recordOne)-4]))
	f.Add(unhex("7081"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, out := Step(at(t, "7C00"), Response{b, 0x9000})
		finish(t, s, out)
	})
}

func FuzzCVMList(f *testing.F) {
	f.Add(unhex("00000000000000004403410342031E031F00"), byte(0xF8))
	f.Add(unhex("0000"), byte(0))
	f.Fuzz(func(t *testing.T, b []byte, caps byte) {
		l, ok := readCVMList(b)
		if ok != (len(b) >= 8 && len(b)%2 == 0) || len(l.rules) > len(b)/2 {
			t.Fatalf("%v %v", l, ok)
		}
		if len(b) > 252 {
			return
		}
		s := at(t, "1000", recordOne)
		n := *s.p
		n.cfg.Data[0x9F33] = []byte{0xE0, caps, 0}
		s, out := Step(State{&n}, Response{tlv.Append(nil, 0x70, tlv.Append(nil, 0x8E, b)), 0x9000})
		o := finish(t, s, out)
		if ok && o.Cause == CardData && len(s.p.cardValue(0x8E)) > 0 && s.p.at < atTryCounter && len(l.rules) > 0 && o.APDUs < 7 {
			t.Fatalf("a good list ended the session: %v", o)
		}
	})
}

func FuzzGenerateAC(f *testing.F) {
	f.Add(unhex("80128000011122334455667788060112039000"), false)
	f.Add(unhex("77169F2701809F360200019F26081122334455667788"), true)
	f.Fuzz(func(t *testing.T, b []byte, second bool) {
		s := at(t, "0000", recordOne, recordTwo)
		if s.p.at != atAC1 {
			t.Fatalf("at %d", s.p.at)
		}
		if second {
			next, out := Step(s, ParseResponse(unhex("800B80000111223344556677889000")))
			if _, ok := out.(AskOnline); !ok {
				t.Fatalf("%T", out)
			}
			s, _ = Step(next, Host{Approved: true, ARC: [2]byte{'0', '0'}})
		}
		s, out := Step(s, Response{b, 0x9000})
		o := finish(t, s, out)
		c, ok := readAC(b)
		if ok && (len(c.atc) != 2 || len(c.iad) > 32 || c.ac == nil && len(c.signed) == 0) {
			t.Fatalf("%+v", c)
		}
		if !ok && (o.Kind == ApprovedOnline || o.Kind == ApprovedOffline) {
			t.Fatalf("%v out of nothing", o)
		}
	})
}

func FuzzScripts(f *testing.F) {
	f.Add(unhex("71098607842400000400"))
	f.Add(unhex("72"))
	f.Fuzz(func(t *testing.T, b []byte) {
		n := 0
		for _, s := range readScripts([][]byte{b, b}) {
			n += len(s.commands)
		}
		if n > maxScriptCommands {
			t.Fatalf("%d commands", n)
		}
		s := at(t, "0000", recordOne, recordTwo, "800B80000111223344556677889000")
		s, out := Step(s, Host{Approved: true, ARC: [2]byte{'0', '0'}, Scripts: [][]byte{b, b}})
		finish(t, s, out)
	})
}

// FuzzCertificates: what a card calls its certificates, under a real CA key.
func FuzzCertificates(f *testing.F) {
	f.Add(make([]byte, 64), make([]byte, 64), []byte{3})
	mod := bytes.Repeat([]byte{0xC5}, 64)
	f.Fuzz(func(t *testing.T, cert, icc, exp []byte) {
		cfg, txn := fuzzConfig()
		cfg.Keys = []CAKey{{RID: [5]byte(unhex("A000000333")), Index: 1, Modulus: mod, Exponent: []byte{3}}}
		s, _, err := Begin(cfg, txn)
		if err != nil {
			t.Fatal(err)
		}
		n := s.p
		n.app = 0
		n.term.put(0x9F06, cfg.Apps[0].AID)
		for tag, v := range map[tlv.Tag][]byte{0x8F: {1}, 0x90: cert, 0x9F32: exp, 0x9F46: icc, 0x9F47: exp, 0x93: cert, 0x5A: unhex("6225880000090127"), 0x82: unhex("6000")} {
			n.card.put(tag, v)
		}
		if k, ok := n.iccKey(); ok && len(k.mod) < minModulus {
			t.Fatal("key")
		}
		n.doSDA()
		n.issuer = rsaKey{mod, exp}
		n.icc = rsaKey{mod, []byte{3}}
		n.iccKey()
		n.verifyCDA(cryptogram{signed: cert}, true)
	})
}
