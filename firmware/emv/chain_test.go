package emv

import (
	"bytes"
	"crypto/sha1"
	"testing"

	"swipewell/firmware/emv/tlv"
)

// open1 is a key with exponent 1: what it opens is what it is given, so that a
// test can write any certificate. goodExponent keeps such a key out of a sale.
func open1(n int) rsaKey {
	mod := bytes.Repeat([]byte{0xFF}, n)
	return rsaKey{mod, []byte{1}}
}

// sealed is text with header, hash over itself and what lies behind, and trailer.
func sealed(n int, text []byte, behind ...[]byte) []byte {
	text = append(append([]byte(nil), text...), bytes.Repeat([]byte{0xBB}, n-22-len(text))...)
	h := sha1.New()
	h.Write(text)
	for _, b := range behind {
		h.Write(b)
	}
	return append(append(append([]byte{0x6A}, text...), h.Sum(nil)...), 0xBC)
}

func TestOpen(t *testing.T) {
	good := sealed(96, []byte{3, 1, 0xDA, 0xC0}, []byte("static"))
	at := func(i int) []byte {
		b := bytes.Clone(good)
		b[i] ^= 1
		return b
	}
	for name, c := range map[string]struct {
		key    rsaKey
		sig    []byte
		format byte
		behind string
		ok     bool
	}{
		"good":             {open1(96), good, 3, "static", true},
		"no key":           {rsaKey{}, good, 3, "static", false},
		"another length":   {open1(97), good, 3, "static", false},
		"empty":            {open1(96), nil, 3, "static", false},
		"above modulus":    {open1(96), bytes.Repeat([]byte{0xFF}, 96), 3, "static", false},
		"header":           {open1(96), at(0), 3, "static", false},
		"format":           {open1(96), good, 5, "static", false},
		"text":             {open1(96), at(50), 3, "static", false},
		"hash":             {open1(96), at(80), 3, "static", false},
		"trailer":          {open1(96), at(95), 3, "static", false},
		"other data":       {open1(96), good, 3, "Static", false},
		"too small to use": {open1(41), sealed(41, []byte{3, 1}), 3, "", false},
	} {
		if _, ok := c.key.open(c.sig, c.format, []byte(c.behind)); ok != c.ok {
			t.Errorf("%s: %v", name, ok)
		}
	}
}

// fresh is a session with a card's data, before any of it is looked at.
func fresh(t *testing.T, data map[tlv.Tag]string) *session {
	t.Helper()
	cfg, txn := fuzzConfig()
	s, _, err := Begin(cfg, txn)
	if err != nil {
		t.Fatal(err)
	}
	n := s.p
	n.app = 0
	n.term.put(0x9F06, cfg.Apps[0].AID)
	n.term.put(0x9F37, []byte{1, 2, 3, 4})
	for tag, v := range data {
		n.card.put(tag, unhex(v))
	}
	return n
}

// TestKeyOfCertificate: lengths and exponents that a certificate may carry.
func TestKeyOfCertificate(t *testing.T) {
	head := "02622588FF1249000001" + "0101"
	mod64 := bytes.Repeat([]byte{0xC1}, 64)
	for name, c := range map[string]struct {
		size, expLen byte
		exp, rem     string
		part         []byte
		ok, missing  bool
	}{
		"fits":                    {64, 1, "03", "", mod64, true, false},
		"fits, e 65537":           {64, 3, "010001", "", mod64, true, false},
		"exponent length differs": {64, 3, "03", "", mod64, false, false},
		"exponent 5":              {64, 1, "05", "", mod64, false, false},
		"modulus too small":       {63, 1, "03", "", mod64[:63], false, false},
		"modulus too large":       {249, 1, "03", "", mod64, false, false},
		"even modulus":            {64, 1, "03", "", append(bytes.Clone(mod64[:63]), 2), false, false},
		"with a remainder":        {101, 1, "03", "CD", bytes.Repeat([]byte{0xC1}, 100), true, false},
		"remainder missing":       {101, 1, "03", "", bytes.Repeat([]byte{0xC1}, 100), false, true},
		"remainder too long":      {101, 1, "03", "CDCD", bytes.Repeat([]byte{0xC1}, 100), false, false},
		"remainder too short":     {102, 1, "03", "CD", bytes.Repeat([]byte{0xC1}, 100), false, false},
	} {
		n := fresh(t, map[tlv.Tag]string{0x5A: "6225880000090127", 0x8F: "01", 0x9F32: c.exp})
		if c.rem != "" {
			n.card.put(0x92, unhex(c.rem))
		}
		n.cfg.Keys = []CAKey{{RID: [5]byte(unhex("A000000333")), Index: 1, Modulus: open1(136).mod, Exponent: []byte{1}}}
		text := append(append(unhex(head), c.size, c.expLen), c.part...)
		n.card.put(0x90, sealed(136, text, unhex(c.rem), unhex(c.exp)))
		k, ok := n.issuerKey()
		if ok != c.ok || n.tvr.Has(ICCDataMissing) != c.missing || ok && len(k.mod) != int(c.size) {
			t.Errorf("%s: %v, TVR %X", name, ok, n.tvr)
		}
	}
}

// TestDynamicData: B2 Tables 17 and 19, lengths that lie.
func TestDynamicData(t *testing.T) {
	c := cryptogram{cid: 0x80, objects: []tlv.Object{{Tag: 0x9F27, Raw: unhex("9F270180")}, {Tag: 0x9F4B, Raw: unhex("9F4B00")}}}
	n := fresh(t, nil)
	n.pdol, n.cdol1, n.cdol2 = []byte("pdol"), []byte("one"), []byte("two")
	h := sha1.Sum([]byte("pdolone\x9f\x27\x01\x80"))
	h2 := sha1.Sum([]byte("pdolonetwo\x9f\x27\x01\x80"))
	dyn := func(size int, cid byte, hash []byte) []byte {
		b := append([]byte{byte(size)}, bytes.Repeat([]byte{7}, size)...)
		return append(append(append(b, cid), unhex("1122334455667788")...), hash...)
	}
	for name, x := range map[string]struct {
		dyn    []byte
		ldd    int // 0: as long as it is
		second bool
		ok     bool
	}{
		"first": {dyn(8, 0x80, h[:]), 0, false, true}, "second": {dyn(8, 0x80, h2[:]), 0, true, true},
		"first hash in the second": {dyn(8, 0x80, h[:]), 0, true, false}, "number of 2": {dyn(2, 0x80, h[:]), 0, false, true},
		"number of 1": {dyn(1, 0x80, h[:]), 0, false, false}, "number of 9": {dyn(9, 0x80, h[:]), 0, false, false},
		"another CID": {dyn(8, 0x40, h[:]), 0, false, false}, "hash cut": {dyn(8, 0x80, h[:19]), 0, false, false},
		"length over the signature": {dyn(8, 0x80, h[:]), 200, false, false}, "length 0": {dyn(8, 0x80, h[:]), -1, false, false},
		"number longer than all": {append([]byte{8}, 1), 0, false, false},
	} {
		m := *n
		m.icc = open1(128)
		ldd := len(x.dyn)
		if x.ldd != 0 {
			ldd = max(0, x.ldd)
		}
		c.signed = sealed(128, append([]byte{5, 1, byte(ldd)}, x.dyn...), []byte{1, 2, 3, 4})
		m.verifyCDA(c, x.second)
		if m.tvr.Has(CDAFailed) == x.ok {
			t.Errorf("%s: TVR %X", name, m.tvr)
		}
		if x.ok && !bytes.Equal(m.cardValue(0x9F26), unhex("1122334455667788")) {
			t.Errorf("%s: %X", name, m.cardValue(0x9F26))
		}
	}
}

// TestDDANumber: the ICC dynamic number has two to eight bytes. B2 §6.5.2.
func TestDDANumber(t *testing.T) {
	for size, want := range map[int]bool{0: false, 1: false, 2: true, 8: true, 9: false} {
		n := fresh(t, map[tlv.Tag]string{0x82: "2000", 0x5F24: "491231"})
		n.icc, n.ddol = open1(96), []byte{1, 2, 3, 4}
		dyn := append([]byte{byte(size)}, bytes.Repeat([]byte{7}, size)...)
		n.at = atInternalAuth
		n.gotInternalAuth(Response{tlv.Append(nil, 0x80, sealed(96, append([]byte{5, 1, byte(len(dyn))}, dyn...), n.ddol)), swOK})
		if n.tvr.Has(DDAFailed) == want || want && len(n.cardValue(0x9F4C)) != size {
			t.Errorf("%d bytes: TVR %X", size, n.tvr)
		}
	}
}

func TestReadAC(t *testing.T) {
	for s, want := range map[string]bool{
		"800B8000011122334455667788":                                          true,
		"800A80000111223344556677":                                            false,
		"802B800001" + "1122334455667788" + "00" + zeros(31):                  true,
		"802C800001" + "1122334455667788" + "00" + zeros(32):                  false,
		"77139F2701809F360200019F26081122334455667788":                        false, // length
		"77149F2701809F360200019F26081122334455667788":                        true,
		"77189F2701809F360200019F270180" + "9F26081122334455667788":           false,
		"77109F360200019F26081122334455667788":                                false,
		"770F9F2701809F26081122334455667788":                                  false,
		"77139F2701809F3601019F26081122334455667788":                          false,
		"77139F2701809F360200019F260711223344556677":                          false,
		"770A9F2701809F3602000100":                                            false,
		"770D9F2701809F360200019F4B0101":                                      true,
		"77389F2701809F360200019F26081122334455667788" + "9F1021" + zeros(33): false,
		"7100": false, "": false,
	} {
		if _, ok := readAC(unhex(s)); ok != want {
			t.Errorf("%s: %v", s, ok)
		}
	}
}

func zeros(n int) string { return string(bytes.Repeat([]byte("00"), n)) }

func TestReadAFL(t *testing.T) {
	for s, want := range map[string]bool{
		"": false, "080101": false, "08010100": true, "0801010008": false, "00010100": false, "F0010100": true, "F8010100": false,
		"09010100": false, "08000100": false, "08020100": false, "08010101": true, "08010102": false, "0801FFFF": true, "08FFFF01": true, "08FFFF02": false,
		"0801010010010200": true, "0801010010020100": false,
	} {
		if _, ok := readAFL(unhex(s)); ok != want {
			t.Errorf("%s: %v", s, ok)
		}
	}
	for s, want := range map[string]bool{
		"80067C0008010100": true, "80057C00080101": false, "77" + "0A" + "82027C00" + "940408010100": true, "770682027C009400": true,
		"7709820" + "17C" + "940408010100": false, "7706940408010100": false, "770482027C00": false, "770E82027C0082027C00940408010100": false, "7003": false,
	} {
		if _, _, ok := readGPO(unhex(s)); ok != want {
			t.Errorf("GPO %s: %v", s, ok)
		}
	}
}

func TestDigits(t *testing.T) {
	if n, ok := digits(unhex("000000001234")); n != 1234 || !ok {
		t.Error(n, ok)
	}
	if _, ok := digits(unhex("0A")); ok {
		t.Error("a letter")
	}
	if _, ok := digits(make([]byte, 10)); ok {
		t.Error("more than fits")
	}
	for s, want := range map[string]uint64{"000101": 20000101, "491231": 20491231, "500101": 19500101, "991231": 19991231} {
		if got := date(unhex(s)); got != want {
			t.Errorf("%s: %d", s, got)
		}
	}
	for s, want := range map[string]bool{"261126": true, "260026": false, "261326": false, "261100": false, "261132": false, "2611": false, "2A1126": false} {
		if goodDate(unhex(s)) != want {
			t.Error(s)
		}
	}
	for s, want := range map[string]string{"6225FF": "6225", "62255F": "62255", "FF": "", "6F25": "!", "6A": "!"} {
		d, ok := nibbles(unhex(s))
		if ok == (want == "!") || ok && string(d) != want {
			t.Errorf("%s: %s %v", s, d, ok)
		}
	}
}

// TestWipe: nothing of the card is left in a State, nor in those before it, and the
// terminal's tables are as they were.
func TestWipe(t *testing.T) {
	cfg := Config{Data: Values{}, Apps: []App{{AID: unhex("A000000333010101")}}}
	aid := bytes.Clone(cfg.Apps[0].AID)
	n := &session{cfg: &cfg, app: 0, at: atPIN}
	pan := unhex("6225880000009000011F")
	n.card.put(0x5A, pan)
	n.auth = [][]byte{unhex("5A0A6225880000009000011F")}
	n.term.put(0x9F06, cfg.Apps[0].AID)
	before := State{n}
	after, _ := Step(before, PIN{Result: PINTimeout})
	after.Wipe()
	for _, s := range []State{before, after} {
		v, _ := s.Get(0x5A)
		if !bytes.Equal(v, make([]byte, len(v))) || !bytes.Equal(s.p.auth[0], make([]byte, 12)) {
			t.Errorf("left: % X % X", v, s.p.auth[0])
		}
	}
	if !bytes.Equal(cfg.Apps[0].AID, aid) {
		t.Error("the terminal's AID was wiped")
	}
	State{}.Wipe()
}
