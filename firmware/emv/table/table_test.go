package table_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"swipewell/firmware/emv"
	"swipewell/firmware/emv/table"
	"swipewell/firmware/emv/tlv"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// made is a key in order, of n bytes; it need not be a product of primes.
func made(index byte, n int, exp string) table.Key {
	k := table.Key{Modulus: bytes.Repeat([]byte{0xA5}, n), Exponent: unhex(exp), Expiry: "20301231"}
	copy(k.RID[:], unhex("A000000333"))
	k.Index = index
	return sum(k)
}

func sum(k table.Key) table.Key {
	h := sha1.Sum(slices.Concat(k.RID[:], []byte{k.Index}, k.Modulus, k.Exponent))
	k.Checksum = h[:]
	return k
}

// published are keys as vendors list them. Their last days are not taken over.
func published(t testing.TB) (out []table.Key) {
	t.Helper()
	b, err := os.ReadFile("testdata/capk.json")
	if err != nil {
		t.Fatal(err)
	}
	var rows []struct{ RID, Index, Exponent, Modulus, SHA1 string }
	if err := json.Unmarshal(b, &rows); err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		k := table.Key{Modulus: unhex(r.Modulus), Exponent: unhex(r.Exponent), Checksum: unhex(r.SHA1)}
		copy(k.RID[:], unhex(r.RID))
		k.Index = unhex(r.Index)[0]
		out = append(out, k)
	}
	return out
}

// TestPublished reads the published keys: checksums by other hands than ours. Two
// have sizes that no certificate fits: they are refused by their names.
func TestPublished(t *testing.T) {
	var refused []string
	var s table.Set
	all := published(t)
	for _, k := range all {
		got, err := table.ParseKey(k.Append(nil))
		if err != nil {
			refused = append(refused, err.Error())
			continue
		}
		if err := s.PutKey(got); err != nil {
			t.Error(err)
		}
	}
	if want := []string{"A000000004/06: DF02: wrong size, 256 bytes", "A000000333/85: DF02: wrong size, 251 bytes"}; !slices.Equal(refused, want) {
		t.Errorf("refused %q, want %q", refused, want)
	}
	if c := s.Config(nil, "20260101"); len(c.Keys) != 0 || len(s.Unused("20260101")) != len(s.Keys()) {
		t.Errorf("%d keys without a last day are used", len(c.Keys))
	}
	if len(s.Keys()) < 40 {
		t.Errorf("%d of %d keys", len(s.Keys()), len(all))
	}
}

// record is made of pairs: tag, value.
func record(pairs ...string) (b []byte) {
	for i := 0; i < len(pairs); i += 2 {
		t, err := tlv.ParseTag(pairs[i])
		if err != nil {
			panic(err)
		}
		b = tlv.Append(b, t, unhex(pairs[i+1]))
	}
	return b
}

// with is a list of pairs in which one tag's value is another ("-": gone).
func with(pairs []string, tag, value string) []string {
	out := slices.Clone(pairs)
	for i := 0; i < len(out); i += 2 {
		if out[i] != tag {
			continue
		}
		if value == "-" {
			return slices.Delete(out, i, i+2)
		}
		out[i+1] = value
		return out
	}
	return append(out, tag, value)
}

func keyPairs(k table.Key) []string {
	h := hex.EncodeToString
	return []string{"9F06", h(k.RID[:]), "9F22", h([]byte{k.Index}), "DF05", k.Expiry, "DF06", "01", "DF07", "01", "DF02", h(k.Modulus), "DF04", h(k.Exponent), "DF03", h(k.Checksum)}
}

func TestKey(t *testing.T) {
	k := made(0x0B, 128, "03")
	good := keyPairs(k)
	even := made(0x0B, 128, "03")
	even.Modulus[127] = 0xA4
	even = sum(even)
	short := made(0x0B, 63, "03")
	exp5 := made(0x0B, 128, "05")
	big := made(0x0B, 248, "010001")
	for _, c := range []struct {
		name  string
		pairs []string
		want  string // "" good
	}{
		{"good", good, ""},
		{"largest, 65537", keyPairs(big), ""},
		{"exponent with zeros", with(good, "DF04", "000003"), ""},
		{"last day in ASCII", with(good, "DF05", hex.EncodeToString([]byte("20301231"))), ""},
		{"no last day", with(good, "DF05", "-"), ""},
		{"no algorithms", with(with(good, "DF06", "-"), "DF07", "-"), ""},
		{"wrong checksum", with(good, "DF03", strings.Repeat("00", 20)), "A000000333/0B: wrong checksum"},
		{"another index", with(good, "9F22", "0C"), "A000000333/0C: wrong checksum"},
		{"no checksum", with(good, "DF03", "-"), "A000000333/0B: DF03 missing"},
		{"unknown tag", with(good, "DF7F", "01"), "A000000333/0B: unknown tag DF7F"},
		{"checksum of 19", with(good, "DF03", strings.Repeat("00", 19)), "A000000333/0B: DF03: wrong size, 19 bytes"},
		{"no modulus", with(good, "DF02", "-"), "A000000333/0B: DF02 missing"},
		{"even modulus", keyPairs(even), "A000000333/0B: not a modulus of 64 to 248 bytes"},
		{"short modulus", keyPairs(short), "A000000333/0B: not a modulus of 64 to 248 bytes"},
		{"modulus of 249", keyPairs(made(0x0B, 249, "03")), "A000000333/0B: DF02: wrong size, 249 bytes"},
		{"exponent 5", keyPairs(exp5), "A000000333/0B: DF04: wrong value 05"},
		{"hash algorithm 2", with(good, "DF06", "02"), "A000000333/0B: DF06: wrong value 02"},
		{"key algorithm 2", with(good, "DF07", "02"), "A000000333/0B: DF07: wrong value 02"},
		{"no such day", with(good, "DF05", "20300230"), "A000000333/0B: DF05: wrong value, not a day"},
		{"day of another century", with(good, "DF05", "19301231"), "A000000333/0B: DF05: wrong value, not a day"},
		{"day of six digits", with(good, "DF05", "3012310000"), "A000000333/0B: DF05: wrong size, 5 bytes"},
		{"RID of four", with(good, "9F06", "A0000003"), "?: 9F06: wrong size, 4 bytes"},
		{"no index", with(good, "9F22", "-"), "A000000333/?: 9F22 missing"},
		{"a tag twice", append(slices.Clone(good), "DF06", "01"), "A000000333/0B: DF06 twice"},
		{"nothing", nil, "?: 9F06 missing"},
	} {
		got, err := table.ParseKey(record(c.pairs...))
		check(t, c.name, err, c.want)
		if c.want == "" && got.Check() != nil {
			t.Errorf("%s: read, and not in order: %v", c.name, got.Check())
		}
	}
	b := record(good...)
	for n := range b {
		if _, err := table.ParseKey(b[:n]); err == nil {
			t.Errorf("cut at %d: read", n)
		}
	}
}

func check(t *testing.T, name string, err error, want string) {
	t.Helper()
	got := ""
	if err != nil {
		got = err.Error()
		var r *table.Refused
		if !errors.As(err, &r) {
			t.Errorf("%s: %T", name, err)
		}
	}
	if got != want {
		t.Errorf("%s: %q, want %q", name, got, want)
	}
}

var appPairs = []string{"9F06", "A000000333010101", "DF01", "00", "9F08", "0030", "DF11", "DC4000A800", "DF12", "DC4004F800", "DF13", "0010000000",
	"9F1B", "00002710", "DF15", "00000BB8", "DF16", "99", "DF17", "50", "DF14", "9F3704", "97", "9F0206", "DF18", "01", "9F7B", "000000100000",
	"DF19", "000000000000", "DF20", "000000100000", "DF21", "000000050000"}

func TestApp(t *testing.T) {
	for _, c := range []struct {
		name  string
		pairs []string
		want  string
	}{
		{"good", appPairs, ""},
		{"version under its own tag", with(with(appPairs, "9F08", "-"), "9F09", "0030"), ""},
		{"both versions alike", with(appPairs, "9F09", "0030"), ""},
		{"both versions", with(appPairs, "9F09", "0031"), "A000000333010101: wrong value: 9F08 and 9F09 differ"},
		{"no version", with(appPairs, "9F08", "-"), "A000000333010101: 9F09 missing"},
		{"unknown tag", with(appPairs, "DF7F", "00"), "A000000333010101: unknown tag DF7F"},
		{"no action code", with(appPairs, "DF13", "-"), "A000000333010101: DF13 missing"},
		{"action code of four", with(appPairs, "DF11", "DC4000A8"), "A000000333010101: DF11: wrong size, 4 bytes"},
		{"no floor limit", with(appPairs, "9F1B", "-"), "A000000333010101: 9F1B missing"},
		{"floor limit of six", with(appPairs, "9F1B", "000000001000"), "A000000333010101: 9F1B: wrong size, 6 bytes"},
		{"selection 2", with(appPairs, "DF01", "02"), "A000000333010101: DF01: wrong value 02"},
		{"percentage A0", with(appPairs, "DF16", "A0"), "A000000333010101: DF16: wrong value, not digits"},
		{"bad DDOL", with(appPairs, "DF14", "9F37"), "A000000333010101: DF14: tlv: not a list of tags and lengths"},
		{"bad TDOL", with(appPairs, "97", "9F"), "A000000333010101: 97: tlv: not a list of tags and lengths"},
		{"online PIN 2", with(appPairs, "DF18", "02"), "A000000333010101: DF18: wrong value 02"},
		{"cash limit of hex", with(appPairs, "9F7B", "0000000ABCDE"), "A000000333010101: 9F7B: wrong value, not digits"},
		{"AID of four", with(appPairs, "9F06", "A0000003"), "?: 9F06: wrong size, 4 bytes"},
		{"a tag twice", append(slices.Clone(appPairs), "DF17", "50"), "A000000333010101: DF17 twice"},
		{"nothing", nil, "?: 9F06 missing"},
	} {
		_, err := table.ParseApp(record(c.pairs...))
		check(t, c.name, err, c.want)
	}
}

func TestUsable(t *testing.T) {
	k := made(1, 128, "03")
	for _, c := range []struct{ expiry, date, want string }{
		{"20301231", "20301231", ""}, {"20301231", "20310101", "A000000333/01: expired 20301231"}, {"", "20260101", "A000000333/01: no last day from the acquirer"},
		{"20991231", "20500101", ""},
	} {
		k.Expiry = c.expiry
		check(t, c.expiry+" on "+c.date, k.Usable(c.date), c.want)
	}
}

var base = emv.Values{0x9F1A: unhex("0156"), 0x9F33: unhex("E0F8C8"), 0x9F35: unhex("22"), 0x9F40: unhex("FA00F0A3FF")}

func TestConfig(t *testing.T) {
	var s table.Set
	if !s.Empty() || !(*table.Set)(nil).Empty() {
		t.Error("an empty set is not empty")
	}
	if err := s.Config(base, "20260101").Check(); !errors.Is(err, emv.ErrConfig) {
		t.Errorf("without an application: %v", err)
	}
	late, old, open := made(2, 128, "03"), made(3, 144, "010001"), made(1, 128, "03")
	late.Expiry, old.Expiry, open.Expiry = "20991231", "20251231", ""
	for _, k := range []table.Key{late, old, open} {
		if err := s.PutKey(k); err != nil {
			t.Fatal(err)
		}
	}
	credit := with(with(with(appPairs, "9F06", "A000000333010102"), "DF01", "01"), "DF18", "00")
	for _, p := range [][]string{credit, appPairs} {
		a, err := table.ParseApp(record(p...))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.PutApp(a); err != nil {
			t.Fatal(err)
		}
	}
	c := s.Config(base, "20260101")
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	if len(c.Keys) != 1 || c.Keys[0].Index != 2 || c.Keys[0].Expiry != "491231" {
		t.Errorf("keys %+v", c.Keys)
	}
	if got := s.Unused("20260101"); len(got) != 2 || !errors.Is(got[0], table.ErrNoExpiry) || !errors.Is(got[1], table.ErrExpired) {
		t.Errorf("unused %v", got)
	}
	if len(c.Apps) != 2 || !c.Apps[0].Partial || c.Apps[1].Partial || c.Apps[0].AID[6] != 1 || c.Apps[1].AID[7] != 2 {
		t.Fatalf("apps %+v", c.Apps)
	}
	for tag, want := range map[tlv.Tag]string{0x9F09: "0030", emv.TagTACDefault: "DC4000A800", emv.TagTACOnline: "DC4004F800", emv.TagTACDenial: "0010000000",
		0x9F1B: "00002710", emv.TagThreshold: "00000BB8", emv.TagMaxTarget: "99", emv.TagTarget: "50", emv.TagDDOL: "9F3704", 0x97: "9F0206"} {
		if got := c.Apps[0].Data[tag]; !bytes.Equal(got, unhex(want)) {
			t.Errorf("%v is %X, want %s", tag, got, want)
		}
	}
	if len(c.Apps[0].Data) != 10 {
		t.Errorf("the kernel is told more: %v", c.Apps[0].Data)
	}
	if got := c.Apps[1].Data[0x9F33]; !bytes.Equal(got, unhex("E0B8C8")) || !bytes.Equal(base[0x9F33], unhex("E0F8C8")) {
		t.Errorf("without online PIN 9F33 is %X, the terminal's %X", got, base[0x9F33])
	}
}

func TestMerge(t *testing.T) {
	var file, down table.Set
	a, b := made(1, 128, "03"), made(1, 144, "03")
	for _, err := range []error{file.PutKey(a), file.PutKey(made(2, 128, "03")), down.PutKey(b), down.PutKey(made(0, 128, "03"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	m := file.Merge(&down)
	if k, _ := m.Key(a.KeyID); len(k.Modulus) != 144 || len(m.Keys()) != 3 {
		t.Errorf("merged %v", m.Keys())
	}
	if k, _ := file.Key(a.KeyID); len(k.Modulus) != 128 || len(file.Keys()) != 2 {
		t.Error("merging changed the file's set")
	}
	if n := len((*table.Set)(nil).Merge(&file).Keys()); n != 2 {
		t.Errorf("onto nothing: %d keys", n)
	}
	if !down.DropKey(a.KeyID) || down.DropKey(a.KeyID) || len(down.Keys()) != 1 || len(m.Keys()) != 3 {
		t.Error("drop")
	}
}

func TestLists(t *testing.T) {
	id := made(0x0B, 128, "03").KeyID
	two := table.Listed{KeyID: id, Expiry: "20301231"}.AppendListed(nil)
	two = id.AppendID(two)
	list, refused, err := table.ParseKeyList(append(two, record("9F06", "A000000333", "9F22", "0C", "DF7F", "00", "9F06", "A0", "9F22", "01", "9F06", "A000000003")...))
	if err != nil || len(list) != 2 || list[0].Expiry != "20301231" || list[1].Expiry != "" || list[1].KeyID != id {
		t.Errorf("%v %v", list, err)
	}
	var got []string
	for _, r := range refused {
		got = append(got, r.Error())
	}
	if want := []string{"A000000333/0C: unknown tag DF7F", "?: 9F06: wrong size, 1 bytes", "A000000003/?: 9F22 missing"}; !slices.Equal(got, want) {
		t.Errorf("refused %q, want %q", got, want)
	}
	apps, refused, err := table.ParseAppList(record("9F06", "A000000333010101", "9F06", "A0", "9F06", "A000000333010102", "DF01", "00"))
	if err != nil || len(apps) != 1 || len(refused) != 2 {
		t.Errorf("%X %v %v", apps, refused, err)
	}
	for _, b := range [][]byte{{0x9F}, record("9F22", "01")} {
		if _, _, err := table.ParseKeyList(b); !errors.Is(err, table.ErrShape) {
			t.Errorf("%X: %v", b, err)
		}
	}
}

func genKey(t *rapid.T) table.Key {
	k := table.Key{Exponent: rapid.SampledFrom([][]byte{{3}, {1, 0, 1}}).Draw(t, "e"), Expiry: rapid.SampledFrom([]string{"", "20301231", "20240229"}).Draw(t, "expiry")}
	copy(k.RID[:], rapid.SliceOfN(rapid.Byte(), 5, 5).Draw(t, "rid"))
	k.Index = rapid.Byte().Draw(t, "index")
	k.Modulus = rapid.SliceOfN(rapid.Byte(), 64, 248).Draw(t, "n")
	k.Modulus[0] |= 0x80
	k.Modulus[len(k.Modulus)-1] |= 1
	return sum(k)
}

func genApp(t *rapid.T) table.App {
	a := table.App{AID: rapid.SliceOfN(rapid.Byte(), 5, 16).Draw(t, "aid"), Partial: rapid.Bool().Draw(t, "partial"), Data: emv.Values{}}
	for tag, n := range map[tlv.Tag]int{0x9F09: 2, 0xDF11: 5, 0xDF12: 5, 0xDF13: 5, 0x9F1B: 4} {
		a.Data[tag] = rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, tag.String())
	}
	if rapid.Bool().Draw(t, "all") {
		for tag, v := range map[tlv.Tag]string{0xDF15: "00001000", 0xDF16: "99", 0xDF17: "10", 0xDF14: "9F3704", 0x97: "", 0xDF18: "00", 0x9F7B: "000000000100"} {
			a.Data[tag] = unhex(v)
		}
	}
	return a
}

// TestRoundTrip: what is written is read again, whatever the order of the tags.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k, a := genKey(t), genApp(t)
		for _, c := range []struct{ first, again []byte }{{k.Append(nil), nil}, {a.Append(nil), nil}} {
			list, err := tlv.Parse(c.first)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range rapid.Permutation(list).Draw(t, "order") {
				c.again = append(c.again, o.Raw...)
			}
			var got []byte
			if bytes.Equal(c.first, k.Append(nil)) {
				k, err := table.ParseKey(c.again)
				if err != nil {
					t.Fatal(err)
				}
				got = k.Append(nil)
			} else {
				a, err := table.ParseApp(c.again)
				if err != nil {
					t.Fatal(err)
				}
				got = a.Append(nil)
			}
			if !bytes.Equal(got, c.first) {
				t.Fatalf("%X\n%X", got, c.first)
			}
		}
	})
}

// TestSetOrder: a set is the same whatever the order in which it was filled.
func TestSetOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfNDistinct(rapid.Custom(genKey), 1, 5, func(k table.Key) table.KeyID { return k.KeyID }).Draw(t, "keys")
		apps := rapid.SliceOfNDistinct(rapid.Custom(genApp), 1, 5, func(a table.App) string { return a.Name() }).Draw(t, "apps")
		var a, b table.Set
		fill := func(s *table.Set, keys []table.Key, apps []table.App) {
			for _, k := range keys {
				if err := s.PutKey(k); err != nil {
					t.Fatal(err)
				}
			}
			for _, x := range apps {
				if err := s.PutApp(x); err != nil {
					t.Fatal(err)
				}
			}
		}
		fill(&a, keys, apps)
		fill(&b, rapid.Permutation(keys).Draw(t, "k"), rapid.Permutation(apps).Draw(t, "a"))
		if !bytes.Equal(wire(&a), wire(&b)) {
			t.Fatal("two orders, two sets")
		}
	})
}

func wire(s *table.Set) (b []byte) {
	for _, k := range s.Keys() {
		b = k.Append(b)
	}
	for _, a := range s.Apps() {
		b = a.Append(b)
	}
	return b
}

func FuzzRecords(f *testing.F) {
	f.Add(record(keyPairs(made(1, 128, "03"))...))
	f.Add(record(appPairs...))
	f.Add(made(1, 64, "03").AppendID(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if k, err := table.ParseKey(b); err == nil {
			again, err := table.ParseKey(k.Append(nil))
			if err != nil || !bytes.Equal(again.Append(nil), k.Append(nil)) {
				t.Fatalf("key %v: %v", k, err)
			}
		}
		if a, err := table.ParseApp(b); err == nil {
			again, err := table.ParseApp(a.Append(nil))
			if err != nil || !bytes.Equal(again.Append(nil), a.Append(nil)) {
				t.Fatalf("app %v: %v", a, err)
			}
			var s table.Set
			if err := s.PutApp(a); err != nil {
				t.Fatal(err)
			}
			if err := s.Config(base, "20260101").Check(); err != nil {
				t.Fatal(err)
			}
		}
		table.ParseKeyList(b)
		table.ParseAppList(b)
	})
}
