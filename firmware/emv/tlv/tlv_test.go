package tlv

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		name, in string
		err      error
		tags     []Tag
	}{
		{"empty", "", nil, nil},
		{"padding only", "0000", nil, nil},
		{"one", "5A0141", nil, []Tag{0x5A}},
		{"two-byte tag", "9F370411223344", nil, []Tag{0x9F37}},
		{"three-byte tag", "DF81290108", nil, []Tag{0xDF8129}},
		{"padding before, between, after", "005A0141000057014200", nil, []Tag{0x5A, 0x57}},
		{"length 81", "5A8101AA", nil, []Tag{0x5A}},
		{"length 82", "5A820001AA", nil, []Tag{0x5A}},
		{"length 80", "5A80AA0000", ErrLength, nil},
		{"length 83", "5A83000001AA", ErrLength, nil},
		{"no length", "5A", ErrTruncated, nil},
		{"half a length", "5A81", ErrTruncated, nil},
		{"half a length of two", "5A8200", ErrTruncated, nil},
		{"value cut", "5A0241", ErrTruncated, nil},
		{"tag cut", "9F", ErrTruncated, nil},
		{"tag of four bytes", "9F81818101AA", ErrTag, nil},
		{"tag with 80", "9F8001AA", ErrTag, nil},
		{"good then cut", "5A01419F37041122", ErrTruncated, nil},
	} {
		list, err := Parse(unhex(c.in))
		if !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", c.name, err, c.err)
		}
		var tags []Tag
		for _, o := range list {
			tags = append(tags, o.Tag)
		}
		if len(tags) != len(c.tags) {
			t.Errorf("%s: %v, want %v", c.name, tags, c.tags)
			continue
		}
		for i := range tags {
			if tags[i] != c.tags[i] {
				t.Errorf("%s: %v, want %v", c.name, tags, c.tags)
			}
		}
	}
}

func TestOnly(t *testing.T) {
	for in, want := range map[string]bool{"7003500141": true, "700350014100": false, "007003500141": false, "7103500141": false, "70045001": false, "": false, "7000": true} {
		if _, ok := Only(unhex(in), 0x70); ok != want {
			t.Errorf("%s: %v", in, ok)
		}
	}
}

func TestFindAndWalk(t *testing.T) {
	fci := unhex("6F1E840E315041592E5359532E4444463031A50C88010A5F2D02656E9F110101")
	if _, ok := Find(fci, 0x84); ok {
		t.Error("found inside a template")
	}
	if v, ok := Find(fci[2:], 0x84); !ok || string(v) != "1PAY.SYS.DDF01" {
		t.Errorf("%q %v", v, ok)
	}
	if _, ok := Find(unhex("5A0241"), 0x57); ok {
		t.Error("found in a broken list")
	}
	var seen []string
	if err := Walk(fci, func(depth int, o Object) error {
		seen = append(seen, string(rune('0'+depth))+o.Tag.String())
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got := len(seen); got != 6 || seen[0] != "06F" || seen[5] != "29F11" {
		t.Errorf("%v", seen)
	}
	stop := errors.New("stop")
	if err := Walk(fci, func(int, Object) error { return stop }); err != stop {
		t.Error(err)
	}
	if err := Walk(fci, func(_ int, o Object) error {
		if o.Tag == 0x88 {
			return stop
		}
		return nil
	}); err != stop {
		t.Error(err)
	}
	deep := []byte{}
	for range 9 {
		deep = Append(nil, 0x70, deep)
	}
	if err := Walk(deep, func(int, Object) error { return nil }); !errors.Is(err, ErrDepth) {
		t.Error(err)
	}
	many := bytes.Repeat([]byte{0x5A, 0}, maxObjects+1)
	if err := Walk(many, func(int, Object) error { return nil }); !errors.Is(err, ErrMany) {
		t.Error(err)
	}
	if _, err := Parse(many); !errors.Is(err, ErrMany) {
		t.Error(err)
	}
	if _, ok := Find(many, 0x57); ok {
		t.Error("found")
	}
}

func TestTag(t *testing.T) {
	for s, want := range map[string]Tag{"5A": 0x5A, "9F37": 0x9F37, "bf0c": 0xBF0C, "DF8129": 0xDF8129} {
		got, err := ParseTag(s)
		if err != nil || got != want {
			t.Errorf("%s: %v %v", s, got, err)
		}
	}
	for _, s := range []string{"", "9F", "5A5A", "xx", "9F8001"} {
		if _, err := ParseTag(s); !errors.Is(err, ErrTag) {
			t.Errorf("%q: %v", s, err)
		}
	}
	if !Tag(0xBF0C).Constructed() || Tag(0x9F37).Constructed() || !Tag(0x70).Constructed() {
		t.Error("constructed")
	}
	if N.String() != "n" || Format(99).String() != "?" {
		t.Error("format")
	}
}

// TestFill: each row of B3 §5.4.
func TestFill(t *testing.T) {
	data := map[Tag][]byte{
		0x9F02: unhex("000000001234"), 0x5A: unhex("5413330089020011"), 0x9F1E: []byte("ABCDEFGH"),
		0x70: unhex("5A0141"), 0x9F33: unhex("E0F8C8"), 0x9A: unhex("260823"),
	}
	get := func(tag Tag) ([]byte, bool) { v, ok := data[tag]; return v, ok }
	for _, c := range []struct{ name, dol, want string }{
		{"exact", "9F0206", "000000001234"},
		{"numeric too long loses its left", "9F0202", "1234"},
		{"numeric too short is filled on the left", "9F0208", "0000000000001234"},
		{"compressed numeric is filled with F", "5A0A", "5413330089020011FFFF"},
		{"compressed numeric loses its right", "5A02", "5413"},
		{"text is filled on the right with 00", "9F1E0A", "41424344454647480000"},
		{"text loses its right", "9F1E02", "4142"},
		{"binary loses its right", "9F3301", "E0"},
		{"binary is filled on the right", "9F3304", "E0F8C800"},
		{"constructed becomes zeros", "7003", "000000"},
		{"unknown becomes zeros", "DF7F02", "0000"},
		{"absent cn becomes zeros", "9F2002", "0000"},
		{"length 0", "9A005A02", "5413"},
		{"empty list", "", ""},
	} {
		got, err := Fill(unhex(c.dol), get)
		if err != nil || !bytes.Equal(got, unhex(c.want)) {
			t.Errorf("%s: %X %v, want %s", c.name, got, err, c.want)
		}
	}
	for dol, want := range map[string]error{"9F02": ErrDOL, "9F": ErrDOL, "9F02FF": ErrDOLLong, "9F0280": nil, "9F02809F0380": ErrDOLLong} {
		if _, err := Fill(unhex(dol), get); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", dol, err, want)
		}
	}
	if !Asks(unhex("9F37049F0206"), 0x9F02) || Asks(unhex("9F3704"), 0x9F02) || Asks(unhex("9F02"), 0x9F02) {
		t.Error("asks")
	}
}

func TestDictionary(t *testing.T) {
	seen := map[Tag]bool{}
	for _, e := range Entries() {
		if seen[e.Tag] {
			t.Errorf("%v twice", e.Tag)
		}
		seen[e.Tag] = true
		if e.Name == "" || e.Ref == "" || e.Origin == Unknown || e.Min > e.Max || e.Max == 0 {
			t.Errorf("%v: %+v", e.Tag, e)
		}
		if (e.Format == T) != e.Tag.Constructed() {
			t.Errorf("%v: format %v", e.Tag, e.Format)
		}
		if got, err := ParseTag(e.Tag.String()); err != nil || got != e.Tag {
			t.Errorf("%v: %v", e.Tag, err)
		}
		if got, ok := Lookup(e.Tag); !ok || got != e {
			t.Errorf("%v: lookup", e.Tag)
		}
	}
	if len(seen) < 100 {
		t.Errorf("%d rows", len(seen))
	}
}

// What is written is read again, and Fill always gives exactly what was asked.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tag := rapid.SampledFrom(dictionary[:]).Draw(t, "tag").Tag
		v := rapid.SliceOfN(rapid.Byte(), 0, 400).Draw(t, "value")
		b := Append(nil, tag, v)
		o, rest, ok, err := Next(b)
		if err != nil || !ok || len(rest) != 0 || o.Tag != tag || !bytes.Equal(o.Value, v) || !bytes.Equal(o.Raw, b) {
			t.Fatalf("%X: %v %v %v", b, o, ok, err)
		}
		n := rapid.IntRange(0, MaxDOL).Draw(t, "n")
		got, err := Fill(append(tag.Append(nil), byte(n)), func(Tag) ([]byte, bool) { return v, true })
		if err != nil || len(got) != n {
			t.Fatalf("%d bytes, want %d: %v", len(got), n, err)
		}
	})
	if b := Append(nil, 0x5A, make([]byte, 70000)); b != nil {
		t.Error("wrote what cannot be written")
	}
}

func FuzzTLV(f *testing.F) {
	for _, s := range []string{"6F1E840E315041592E5359532E4444463031A50C88010A5F2D02656E9F110101", "9F", "5A8200", "00", "7081B3"} {
		f.Add(unhex(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := Parse(b)
		total := 0
		for _, o := range list {
			total += len(o.Raw)
		}
		if err == nil && total > len(b) {
			t.Fatalf("%d bytes out of %d", total, len(b))
		}
		Only(b, 0x70)
		Find(b, 0x5A)
		_ = Walk(b, func(depth int, _ Object) error {
			if depth >= maxDepth {
				t.Fatal("too deep")
			}
			return nil
		})
	})
}

func FuzzDOL(f *testing.F) {
	f.Add(unhex("9F02069F03069F1A0295055F2A029A039C019F3704"), []byte{1, 2})
	f.Add(unhex("9F02FF"), []byte{})
	f.Fuzz(func(t *testing.T, dol, v []byte) {
		list, perr := ParseDOL(dol)
		want := 0
		for _, w := range list {
			want += w.Len
		}
		got, err := Fill(dol, func(Tag) ([]byte, bool) { return v, len(v) > 0 })
		if err == nil && (perr != nil || len(got) != want) {
			t.Fatalf("%d bytes, want %d", len(got), want)
		}
		if len(got) > MaxDOL {
			t.Fatal("too long")
		}
	})
}
