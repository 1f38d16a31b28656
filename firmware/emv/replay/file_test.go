package replay

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

func TestParseRefuses(t *testing.T) {
	for name, s := range map[string]string{
		"nothing": "", "no json": "{", "no aids": `{"expect":{"outcome":0}}`, "no outcome": `{"aids":[{"aid":"A000000003"}],"expect":{}}`,
		"hex": `{"aids":[{"aid":"A00"}],"expect":{"outcome":0}}`, "hex is a number": `{"aids":[{"aid":5}],"expect":{"outcome":0}}`,
		"expect": `{"aids":[{"aid":"A000000003"}],"expect":{"outcome":0,"colour":"00"}}`, "expect is no object": `{"aids":[{"aid":"A000000003"}],"expect":[]}`,
		"expect tag": `{"aids":[{"aid":"A000000003"}],"expect":{"outcome":0,"95":"0"}}`, "host": `{"aids":[{"aid":"A000000003"}],"host":5,"expect":{"outcome":0}}`,
		"capk": `{"aids":[{"aid":"A000000003"}],"capk":5,"expect":{"outcome":0}}`, "71": `{"aids":[{"aid":"A000000003"}],"host":{"71":5},"expect":{"outcome":0}}`,
	} {
		if f, err := Parse([]byte(s)); err == nil {
			t.Errorf("%s: %+v", name, f)
		} else if !errors.Is(err, ErrFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

const base = `{"name":"x","config":{"9F33":"E0F8C8","9F35":"22","9F40":"FA00F0A3FF"},"aids":[{"aid":"A000000333010101"}],"params":{"9A":"261126","9F02":"000000000100"},`

func run(t *testing.T, rest string) (Result, error) {
	t.Helper()
	f, err := Parse([]byte(base + rest + "}"))
	if err != nil {
		t.Fatal(err)
	}
	return Run(f)
}

const selectPSE = "00A404000E315041592E5359532E444446303100"

// cut is a sale of a card without anything, up to its ARQC.
const cut = `"apdus":[{"c":"` + selectPSE + `","r":"6A82"},{"c":"00A4040008A00000033301010100","r":"6F128408A000000333010101A50650044445424D9000"},
{"c":"00A4040008A00000033301010100","r":"6F128408A000000333010101A50650044445424D9000"},{"c":"80A8000002830000","r":"80060000080102009000"},
{"c":"00B2010C00","r":"70195A0862258800000901275F24034912318C039F37048D028A029000"},{"c":"00B2020C00","r":"70009000"},
{"c":"80AE8000040000000000","r":"800B80000111223344556677889000"}]`

func TestStrictness(t *testing.T) {
	blocked := `"apdus":[{"c":"` + selectPSE + `","r":"6A81"}]`
	for name, c := range map[string]struct {
		rest string
		want string // part of an error; empty: passes
	}{
		"as it was":                {blocked + `,"expect":{"outcome":"terminated/card-blocked","apdu_count":1}`, ""},
		"the kind is enough":       {blocked + `,"expect":{"outcome":"terminated"}`, ""},
		"another outcome":          {blocked + `,"expect":{"outcome":"approved-online"}`, "outcome"},
		"a number":                 {blocked + `,"expect":{"outcome":2}`, ""},
		"another number":           {blocked + `,"expect":{"outcome":3}`, "outcome"},
		"no sort of outcome":       {blocked + `,"expect":{"outcome":true}`, "neither"},
		"a count":                  {blocked + `,"expect":{"outcome":"terminated","apdu_count":2}`, "commands"},
		"a tag":                    {blocked + `,"expect":{"outcome":"terminated","95":"0000000001"}`, "tag 95"},
		"a tag among tags":         {blocked + `,"expect":{"outcome":"terminated","tags":{"95":"0000000000"}}`, ""},
		"a tag that is none":       {blocked + `,"expect":{"outcome":"terminated","tags":{"9F":"00"}}`, "expect"},
		"a reversal":               {blocked + `,"expect":{"outcome":"terminated","reversal":"98"}`, "reversal"},
		"a signature":              {blocked + `,"expect":{"outcome":"terminated","signature":true}`, "signature"},
		"candidates":               {blocked + `,"expect":{"outcome":"terminated","candidates":["A000000003"]}`, "candidates"},
		"another command":          {`"apdus":[{"c":"00A4040000","r":"6A81"}],"expect":{"outcome":"unfinished"}`, "command 1"},
		"a command left over":      {`"apdus":[{"c":"` + selectPSE + `","r":"6A81"},{"c":"00","r":"00"}],"expect":{"outcome":"terminated"}`, "never sent"},
		"a command too many":       {`"apdus":[],"expect":{"outcome":"unfinished"}`, "behind the end"},
		"gac1 with an ARQC":        {`"stage":"gac1",` + cut + `,"expect":{"outcome":"dry-run","9F27":"80"}`, ""},
		"gac1 cut before":          {`"stage":"gac1","apdus":[{"c":"` + selectPSE + `","r":"6A82"}],"expect":{"outcome":"dry-run"}`, "behind the end"},
		"a family of outcomes":     {blocked + `,"expect":{"outcome":"approved"}`, "outcome"},
		"a command too many, gac1": {`"apdus":[],"expect":{"outcome":0}`, "behind the end"},
		"a stage that ends early":  {`"stage":"select","apdus":[{"c":"` + selectPSE + `","r":"6A82"}],"expect":{"outcome":0}`, ""},
		"lost":                     {`"apdus":[{"c":"` + selectPSE + `","r":"lost"}],"expect":{"outcome":"terminated/card-lost"}`, ""},
		"an answer that is no hex": {`"apdus":[{"c":"` + selectPSE + `","r":"6A8"}],"expect":{"outcome":"unfinished"}`, "hexadecimal"},
		"no application":           {`"apdus":[{"c":"` + selectPSE + `","r":"6A82"},{"c":"00A4040008A00000033301010100","r":"6A82"}],"expect":{"outcome":3}`, ""},
	} {
		r, err := run(t, c.rest)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		all := strings.Join(r.Errors, "\n")
		if r.Pass != (c.want == "") || !strings.Contains(all, c.want) {
			t.Errorf("%s: pass %v, %q", name, r.Pass, all)
		}
	}
}

func TestUnplayable(t *testing.T) {
	for name, rest := range map[string]string{
		"key without index": `"capk":[{"rid":"A000000333"}],"expect":{"outcome":0}`,
		"key with bad sum":  `"capk":{"rid":"A000000333","index":"01","modulus":"00","exponent":"03"},"expect":{"outcome":0}`,
		"revoked":           `"revoked":[{"rid":"A0"}],"expect":{"outcome":0}`,
		"application tag":   `"aids":[{"aid":"A000000333","config":{"9F":"00"}}],"expect":{"outcome":0}`,
		"application off":   `"aids":[{"aid":"A000000333","asi":"disabled"}],"expect":{"outcome":0}`,
		"terminal tag":      `"config":{"9F":"00"},"expect":{"outcome":0}`,
		"params tag":        `"params":{"9F":"00"},"expect":{"outcome":0}`,
	} {
		if r, err := run(t, rest); err == nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
	f, err := Parse([]byte(`{"aids":[{"aid":"A000000333"}],"clock":"2026-11-26T10:00:00Z","apdus":[{"c":"` + selectPSE + `","r":"6A81"}],"expect":{"outcome":2}}`))
	if err != nil {
		t.Fatal(err)
	}
	if r, err := Run(f); err != nil || !r.Pass {
		t.Errorf("%+v %v", r, err)
	}
}

// What is written is read again.
func TestFileRoundTrip(t *testing.T) {
	n, rev, sign := 3, "06", true
	f := &File{Name: "x", Apps: []App{{AID: unhex("A000000333")}}, CAPK: Keys{{RID: unhex("A000000333"), Index: []byte{1}}},
		Host:   &Host{ARC: "00", AuthData: unhex("0102030405060708"), Before: Texts{"7100"}, After: Texts{"7200", "7200"}},
		APDUs:  []Exchange{{unhex("00A40400"), "9000"}},
		Expect: Expect{Outcome: "refused", Tags: map[string]Hex{"95": unhex("0000000000")}, Candidates: []Hex{unhex("A0")}, APDUs: &n, Reversal: &rev, Signature: &sign}}
	for _, h := range []*Host{f.Host, {Reach: "no-answer"}, nil} {
		f.Host = h
		b, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		g, err := Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(f.Expect, g.Expect) || !reflect.DeepEqual(f.Host, g.Host) || !reflect.DeepEqual(f.APDUs, g.APDUs) {
			t.Errorf("%s", b)
		}
	}
	for s, want := range map[string]Texts{`"71"`: {"71"}, `["71","72"]`: {"71", "72"}} {
		var x Texts
		if err := json.Unmarshal([]byte(s), &x); err != nil || !reflect.DeepEqual(x, want) {
			t.Errorf("%s: %v %v", s, x, err)
		}
	}
}

func TestBlock(t *testing.T) {
	for pin, want := range map[string]string{"1234": "241234FFFFFFFFFF", "12345": "2512345FFFFFFFFF", "123456789012": "2C123456789012FF"} {
		if got := upper(Block([]byte(pin))); got != want {
			t.Errorf("%s: %s, want %s", pin, got, want)
		}
	}
}

// TestT0 is the table of exchanges over T=0: what the card's end sends for each
// TPDU, and the R-APDU that must come out.
func TestT0(t *testing.T) {
	type x struct{ c, r string }
	for _, c := range []struct {
		name, apdu string
		wire       []x
		want       string // empty: no answer
	}{
		{"case 1", "00840000", []x{{"0084000000", "9000"}}, "9000"},
		{"case 2 exact", "00B2010C00", []x{{"00B2010C00", "6C03"}, {"00B2010C03", "B27001009000"}}, "7001009000"},
		{"case 2 at once", "00B2010C00", []x{{"00B2010C00", "B27001009000"}}, "7001009000"},
		{"case 2 byte by byte", "00B2010C00", []x{{"00B2010C00", "4D704D014D009000"}}, "7001009000"},
		{"case 2 error", "00B2010C00", []x{{"00B2010C00", "6A83"}}, "6A83"},
		{"case 2, 6C00 is 256", "00B2010C00", []x{{"00B2010C00", "6C00"}, {"00B2010C00", "B2AA9000"}}, "AA9000"},
		{"case 3", "002000800101", []x{{"0020008001", "20"}, {"01", "9000"}}, "9000"},
		{"case 3 early error", "002000800101", []x{{"0020008001", "6983"}}, "6983"},
		{"case 3 byte by byte", "00200080020102", []x{{"0020008002", "DF"}, {"01", "DF"}, {"02", "9000"}}, "9000"},
		{"case 3 mixed", "0020008003010203", []x{{"0020008003", "DF"}, {"01", "20"}, {"0203", "9000"}}, "9000"},
		{"case 3 waits", "002000800101", []x{{"0020008001", "606020"}, {"01", "609000"}}, "9000"},
		{"case 4", "00A404000101" + "00", []x{{"00A4040001", "A4"}, {"01", "6102"}, {"00C0000002", "C0AABB9000"}}, "AABB9000"},
		{"case 4 in parts", "00A404000101" + "00", []x{{"00A4040001", "A4"}, {"01", "6104"}, {"00C0000004", "C0AABB6102"}, {"00C0000002", "C0CCDD9000"}}, "AABBCCDD9000"},
		{"case 4, 61 then 6C", "00A404000101" + "00", []x{{"00A4040001", "A4"}, {"01", "6100"}, {"00C0000000", "6C02"}, {"00C0000002", "C0AABB9000"}}, "AABB9000"},
		{"case 4 warning then data", "00A404000101" + "00", []x{{"00A4040001", "A4"}, {"01", "6200"}, {"00C0000000", "6C01"}, {"00C0000001", "C0AA9000"}}, "AA6200"},
		{"case 4 warning with a length", "00A404000101" + "00", []x{{"00A4040001", "A4"}, {"01", "6210"}, {"00C0000010", "C0AA9000"}}, "AA6210"},
		{"case 4 late error", "00A404000101" + "00", []x{{"00A4040001", "A4"}, {"01", "6102"}, {"00C0000002", "6F00"}}, "6F00"},
		{"case 4 error", "00A404000101" + "00", []x{{"00A4040001", "A4"}, {"01", "6A82"}}, "6A82"},
		{"class of GET RESPONSE", "80A800000101" + "00", []x{{"80A8000001", "A8"}, {"01", "6101"}, {"00C0000001", "C0AA9000"}}, "AA9000"},
		{"mute", "00840000", []x{{"0084000000", ""}}, ""},
		{"only waits", "00840000", []x{{"0084000000", "6060"}}, ""},
		{"not a procedure byte", "00840000", []x{{"0084000000", "12"}}, ""},
		{"too short", "008400", nil, ""},
		{"data cut", "00200080080102", nil, ""},
	} {
		i := 0
		r, ok := t0(unhex(c.apdu), func(b []byte) ([]byte, bool) {
			if i == len(c.wire) || upper(b) != c.wire[i].c {
				t.Errorf("%s: TPDU %d is %X", c.name, i+1, b)
				return nil, false
			}
			i++
			return unhex(c.wire[i-1].r), true
		})
		if ok != (c.want != "") || upper(r) != c.want && ok {
			t.Errorf("%s: %X %v, want %s", c.name, r, ok, c.want)
		}
		if i != len(c.wire) {
			t.Errorf("%s: %d of %d TPDUs", c.name, i, len(c.wire))
		}
	}
	n := 0
	if _, ok := t0(unhex("00B2010C00"), func([]byte) ([]byte, bool) { n++; return unhex("6C01"), true }); ok || n > maxRounds {
		t.Errorf("a card that says 6C for ever: %d rounds", n)
	}
	if _, ok := t0(unhex("00A40400"+"0101"+"00"), func(b []byte) ([]byte, bool) { n++; return unhex("6101"), true }); ok {
		t.Error("a card that says 61 for ever")
	}
}
